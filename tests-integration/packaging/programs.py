"""Small programs that each use one package, with nothing of ours but what it needs."""

STORAGE = """
import asyncio, sys
from datetime import UTC, datetime
from fastapi_taskflow_core import TaskRecord
from fastapi_taskflow_core.backends.base import Batch, Query
from fastapi_taskflow_core.plugins import backend_from_url

async def main(url):
    backend, again = backend_from_url(url), backend_from_url(url)
    await backend.open()
    await backend.write(Batch("me", inserts=[TaskRecord("1", "work", datetime.now(UTC))]))
    await backend.close()
    await again.open()
    assert [task.func_name for task in (await again.query(Query())).tasks] == ["work"]
    await again.close()

asyncio.run(main(sys.argv[1]))
"""
"""Tasks outlive a backend; its address is the argument."""

_CORE = """
from fastapi import BackgroundTasks, FastAPI
from fastapi.testclient import TestClient
from fastapi_taskflow_core import TaskManager

manager, app, calls = TaskManager(), FastAPI(), []
manager.install(app)

@manager.task(retries=1)
def stumble(word):
    calls.append(word)
    assert len(calls) > 1

@app.post("/")
def route(background_tasks: BackgroundTasks):
    background_tasks.add_task(stumble, "hello")

with TestClient(app) as client:
    client.post("/")
assert calls == ["hello", "hello"], calls
"""

_SCHEDULER = """
import asyncio
from fastapi_taskflow_core import TaskManager

async def main():
    manager, ran = TaskManager(), asyncio.Event()

    @manager.schedule(every=1)
    async def tick():
        ran.set()

    await manager.startup()
    await asyncio.wait_for(ran.wait(), 30)
    await manager.shutdown()

asyncio.run(main())
"""

_ENCRYPTION = """
import asyncio
from cryptography.fernet import Fernet
from fastapi_taskflow_core import TaskManager

async def main():
    manager, said = TaskManager(encrypt_args_key=Fernet.generate_key()), []

    @manager.task(keep_result=True)
    def greet(name):
        said.append(name)

    await manager.startup()
    await manager.wait(await manager.enqueue(greet, "Ada"))
    await manager.shutdown()
    assert said == ["Ada"]

asyncio.run(main())
"""

_ADMIN = """
from fastapi import FastAPI
from fastapi.testclient import TestClient
from fastapi_taskflow_admin import TaskAdmin
from fastapi_taskflow_core import TaskManager

manager, app = TaskManager(), FastAPI()
TaskAdmin(app, manager, auto_install=True)
with TestClient(app) as client:
    assert client.get("/tasks").json() == []
    assert "<!doctype html>" in client.get("/tasks/dashboard").text.lower()
"""

_SQL = """
import sqlite3
from fastapi_taskflow_sql import Dialect, Statements
from fastapi_taskflow_sql.statements import FIRST_LOG_LINES

dialect = Dialect(types={}, has_table="", on_conflict="", old="", new="", on_conflict_keep="")
driver = sqlite3.connect(":memory:")
driver.execute("CREATE TABLE app_logs (task_id, seq, time, attempt, level, message, extra)")
driver.execute("INSERT INTO app_logs VALUES ('1', 1, 0, 0, 'info', 'hello', NULL)")
found = driver.execute(Statements(dialect, "app_").render(FIRST_LOG_LINES, limit=5), ("1", 0))
assert [line[4] for line in found] == ["hello"]
"""

_TESTKIT = """
import sys
from pathlib import Path
import pytest

Path("test_memory.py").write_text('''
import pytest
from fastapi_taskflow_core.backends.memory import MemoryBackend
from fastapi_taskflow_testkit.conformance import *

@pytest.fixture
async def backend():
    backend = MemoryBackend()
    await backend.open()
    yield backend
    await backend.close()
''')
sys.exit(pytest.main(["-q", "-o", "asyncio_mode=auto", "test_memory.py"]))
"""

_PROCESS = """
import asyncio, timeit
from fastapi_taskflow import TaskManager, TaskStatus

async def main():
    manager = TaskManager()
    manager.task(executor="process")(timeit.timeit)
    await manager.startup()
    task_id = await manager.enqueue(timeit.timeit, lambda: None, number=1)
    done = await manager.wait(task_id, timeout=60)
    assert done.status is TaskStatus.SUCCESS, done.error
    await manager.shutdown()

if __name__ == "__main__":
    asyncio.run(main())
"""

_CRON = """
from fastapi_taskflow import TaskManager

@TaskManager().schedule(cron="0 2 * * *", timezone="America/New_York")
def nightly(): ...
"""


def _backend(name: str, url: str) -> str:
    return f"""
from fastapi_taskflow import TaskManager, backends
TaskManager(snapshot_backend={url!r})
TaskManager(snapshot_backend=backends.{name}({url!r}))
"""


WITH_EXTRA = {
    "redis": _backend("RedisBackend", "redis://localhost"),
    "postgres": _backend("PostgresBackend", "postgresql://localhost/app"),
    "mysql": _backend("MySQLBackend", "mysql://localhost/app"),
    "scheduler": _CRON,
    "encryption": _ENCRYPTION,
    "process": _PROCESS,
}
"""What each extra of ``fastapi-taskflow`` makes possible."""

ALONE = {
    "core": _CORE,
    "scheduler": _SCHEDULER,
    "encryption": _ENCRYPTION,
    "admin": _ADMIN,
    "sql": _SQL,
    "testkit": _TESTKIT,
}
"""By what follows ``fastapi-taskflow-`` in the name."""
