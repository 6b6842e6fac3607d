"""A pooler that gives every transaction to another session may stand between."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

import pytest
from postgres_tools import private_server

from fastapi_taskflow_core.backends.base import Claim, Query, RollupQuery
from fastapi_taskflow_core.errors import BackendUnavailable
from fastapi_taskflow_postgres import PostgresBackend, news
from fastapi_taskflow_testkit.builders import FUNCTION, a_beat, a_task, ended, put, update
from fastapi_taskflow_testkit.patience import insist, opened
from fastapi_taskflow_testkit.processes import free_port
from fastapi_taskflow_testkit.servers import missing

CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={server} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
"""


@pytest.fixture
def pooled() -> Iterator[str]:
    """A database behind PgBouncer, which has two sessions there."""
    program = which("pgbouncer")
    if program is None:
        missing("pgbouncer", "install it")
    with private_server() as server, TemporaryDirectory(prefix="taskflow-pgbouncer-") as folder:
        port = free_port(server)
        file = Path(folder, "configuration")
        file.write_text(CONFIGURATION.format(server=server.port, port=port))
        Path(folder).chmod(0o755)  # it refuses to be root
        user = "postgres" if os.geteuid() == 0 else None
        with (Path(folder) / "output").open("wb") as output:
            process = subprocess.Popen([program, file], user=user, stderr=output)
        try:
            yield f"postgresql://anybody@127.0.0.1:{port}/postgres"
        finally:
            process.kill()
            process.wait()


async def work(backend: PostgresBackend, name: str) -> int:
    """Put, claim and finish tasks; how many."""
    await backend.beat(a_beat(name))
    done = 0
    for _ in range(20):
        await put(backend, *(a_task(owner=None, persist=True) for _ in range(5)), instance=name)
        claimed = await backend.claim(Claim(name, frozenset({FUNCTION}), limit=5))
        await update(backend, *map(ended, claimed), instance=name)
        await backend.query(Query())
        done += len(claimed)
    return done


async def test_applications_with_schemas_of_their_own_share_a_pooler(pooled: str) -> None:
    schemas = ["one", "two"] * 3
    backends = [PostgresBackend(pooled, schema=schema) for schema in schemas]
    await insist(backends[0].open)
    async with AsyncExitStack() as stack:
        for backend in backends:
            await stack.enter_async_context(opened(backend))
        done = await asyncio.gather(
            *(work(backend, f"i{number}") for number, backend in enumerate(backends))
        )
        for number, backend in enumerate(backends[:2]):
            counted = await backend.rollups(RollupQuery("hour"))
            successes = sum(value.n for key, value in counted.items() if key.event == "success")
            assert successes == sum(done[number::2]) > 0
            assert successes + sum((await backend.unfinished()).values()) == 3 * 20 * 5


async def test_behind_a_pooler_nothing_is_heard_and_that_is_said(
    pooled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "_PATIENCE", 1.0)
    backend = PostgresBackend(pooled)
    await insist(backend.open)
    try:
        with pytest.raises(BackendUnavailable, match="is there a pooler"):
            await backend.listen(lambda: None)
    finally:
        await backend.close()
