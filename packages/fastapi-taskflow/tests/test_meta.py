import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fastapi_taskflow
from fastapi_taskflow import backends

EXPECTED = {
    "AbortTask", "FileLogger", "InMemoryLogger", "LifecycleEvent", "LogEvent",
    "ManagedBackgroundTasks", "QueueFullError", "RetryTask", "StdoutLogger", "TaskAdmin",
    "TaskArgumentError", "TaskContext", "TaskManager", "TaskObserver", "TaskRecord",
    "TaskStatus", "get_task_context", "task_log", "task_progress",
}  # fmt: skip


def test_every_promised_name_is_there():
    assert set(fastapi_taskflow.__all__) >= EXPECTED


def test_every_public_name_imports_and_the_list_is_sorted():
    assert fastapi_taskflow.__all__ == sorted(fastapi_taskflow.__all__)
    for name in fastapi_taskflow.__all__:
        assert getattr(fastapi_taskflow, name) is not None


def test_the_package_defines_nothing_itself():
    tree = ast.walk(ast.parse(inspect.getsource(fastapi_taskflow)))
    defined = {node.name for node in tree if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert defined == {"__dir__", "__getattr__"}


def test_the_program_that_is_type_checked_uses_every_public_name():
    program = (Path(__file__).parent / "typing/api.py").read_text()
    used = {
        name for name in fastapi_taskflow.__all__ if len(re.findall(rf"\b{name}\b", program)) > 1
    }
    assert used == set(fastapi_taskflow.__all__)


DRIVERS = {"aiosqlite", "psycopg2", "pymysql", "redis", "sqlite3"}
EXTRAS = {"cloudpickle", "croniter", "cryptography"}
PROCESSES = {"multiprocessing", "pickle"}
OURS = {
    f"fastapi_taskflow_{name}"
    for name in ("encryption", "mysql", "postgres", "redis", "scheduler", "sql", "sqlite")
}
CORE = {f"fastapi_taskflow_core.{name}" for name in ("executors.child", "metrics", "schedules")}
FEW_NEED = DRIVERS | EXTRAS | PROCESSES | OURS | CORE | {"jinja2", "logging.handlers"}


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import fastapi_taskflow", FEW_NEED | {"fastapi_taskflow_admin"}),
        ("from fastapi_taskflow import TaskAdmin", FEW_NEED | {"fastapi_taskflow_admin.mounting"}),
        ("from fastapi_taskflow.backends import MemoryBackend", FEW_NEED),
        ("import fastapi_taskflow; fastapi_taskflow.TaskManager()", FEW_NEED),
    ],
)
def test_an_import_brings_nothing_that_only_some_need(statement, unwanted):
    program = f"""
import sys, fastapi
brought = set(sys.modules)
{statement}
print(sorted({unwanted} & (sys.modules.keys() - brought)))
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert done.stdout == b"[]\n"


@pytest.mark.parametrize("module", [fastapi_taskflow, backends])
def test_names_that_are_imported_when_asked_for_are_listed(module):
    assert set(dir(module)) >= {*module.__all__, "__name__"}


@pytest.mark.parametrize(
    ("name", "extra"),
    [("RedisBackend", "redis"), ("PostgresBackend", "postgres"), ("MySQLBackend", "mysql")],
)
def test_a_missing_backend_says_which_pip_install_brings_it(monkeypatch, name, extra):
    monkeypatch.setitem(sys.modules, f"fastapi_taskflow_{extra}", None)
    with pytest.raises(ImportError, match=rf'pip install "fastapi-taskflow\[{extra}\]"'):
        getattr(backends, name)


def test_a_backend_of_an_extra_that_is_installed_is_there():
    postgres = importlib.import_module("fastapi_taskflow_postgres")
    assert backends.PostgresBackend is postgres.PostgresBackend


def test_what_a_backend_itself_lacks_is_not_blamed_on_the_extra(monkeypatch):
    monkeypatch.delitem(sys.modules, "fastapi_taskflow_postgres", raising=False)
    monkeypatch.setitem(sys.modules, "fastapi_taskflow_postgres.backend", None)
    with pytest.raises(ModuleNotFoundError, match="fastapi_taskflow_postgres.backend"):
        backends.PostgresBackend  # noqa: B018


@pytest.mark.parametrize("module", [fastapi_taskflow, backends])
def test_an_unknown_name_is_an_ordinary_attribute_error(module):
    with pytest.raises(AttributeError, match="Nothing"):
        module.Nothing  # noqa: B018


def test_a_manager_on_a_path_finds_sqlite_by_itself(tmp_path):
    fastapi_taskflow.TaskManager(snapshot_db=tmp_path / "tasks.db")
    assert (
        importlib.import_module("fastapi_taskflow_sqlite") is sys.modules["fastapi_taskflow_sqlite"]
    )
