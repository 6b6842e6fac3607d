import math
from dataclasses import replace

import pytest
from clients import local
from fake_manager import UP, FakeManager
from fastapi import FastAPI

from fastapi_taskflow_admin import TaskAdmin


class Named:
    """An authentication backend that was forgotten to be made."""

    def authenticate_user(self, username: str, password: str) -> bool:
        return (username, password) == ("ann", "right")


def test_it_starts_and_stops_the_manager_with_the_application(manager: FakeManager) -> None:
    app = FastAPI()
    TaskAdmin(app, manager)
    assert manager.arranged == [("init_app", app)]


def test_auto_install_makes_every_task_list_ours(manager: FakeManager) -> None:
    app = FastAPI()
    TaskAdmin(app, manager, auto_install=True)
    assert manager.arranged == [("install", app)]


def test_retention_is_handed_to_the_manager(manager: FakeManager) -> None:
    TaskAdmin(FastAPI(), manager, retention_days=30)
    assert ("keep_history", 30) in manager.arranged


def test_arguments_that_are_to_be_shown_are_kept(manager: FakeManager) -> None:
    TaskAdmin(FastAPI(), manager, display_func_args=True)
    assert ("keep_arguments", None) in manager.arranged


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("path", "", ValueError),
        ("path", "/", ValueError),
        ("path", "tasks", ValueError),
        ("path", "/tasks/{id}", ValueError),
        ("path", 5, TypeError),
        ("title", "", ValueError),
        ("title", None, TypeError),
        ("auto_install", 1, TypeError),
        ("auth", True, TypeError),
        ("auth", "secret", TypeError),
        ("auth", {"user": "password"}, TypeError),
        ("auth", [], ValueError),
        ("auth", (), ValueError),
        ("auth", ("user",), ValueError),
        ("auth", ["user", "password"], TypeError),
        ("auth", ("", "password"), ValueError),
        ("auth", (5, "password"), TypeError),
        ("auth", ("user", ""), ValueError),
        ("auth", ("user", 5), TypeError),
        ("auth", ("user", b"password"), TypeError),
        ("auth", ("user", "x" * 1_025), ValueError),
        ("auth", ("user", "scrypt$16$1$1$salt"), ValueError),
        ("auth", ("user", "scrypt$15$1$1$c2FsdA$c2FsdA"), ValueError),
        ("auth", ("user", "$2b$12$abcdefghijklmnopqrstuv"), ValueError),
        ("auth", ("user", "password", "root"), ValueError),
        ("auth", ("user", "password", set()), ValueError),
        ("auth", ("user", "password", {"view", 5}), TypeError),
        ("auth", ("user", "password", None), TypeError),
        ("auth", [("ann", "one"), ("ann", "two")], ValueError),
        ("auth", Named, TypeError),
        ("secret_key", "", ValueError),
        ("secret_key", b"key", TypeError),
        ("token_expiry", 0, ValueError),
        ("token_expiry", "1 day", TypeError),
        ("display_func_args", "yes", TypeError),
        ("poll_interval", 0, ValueError),
        ("poll_interval", math.nan, ValueError),
        ("retention_days", -1, ValueError),
        ("retention_days", "30", TypeError),
    ],
)
def test_a_parameter_that_makes_no_sense_is_named(
    manager: FakeManager, name: str, value: object, kind: type[Exception]
) -> None:
    app = FastAPI()
    with pytest.raises(kind, match=name):
        TaskAdmin(app, manager, **{name: value})  # type: ignore[arg-type]
    assert manager.arranged == []


def test_only_a_fastapi_application_is_accepted(manager: FakeManager) -> None:
    with pytest.raises(TypeError, match="app"):
        TaskAdmin(object(), manager)  # type: ignore[arg-type]


async def test_two_admins_show_two_managers() -> None:
    app, first, second = FastAPI(), FakeManager(), FakeManager()
    TaskAdmin(app, first, path="/first")
    TaskAdmin(app, second, path="/second")
    second.state = replace(UP, state="degraded")
    async with local(app) as client:
        assert (await client.get("/first/health")).json()["state"] == "up"
        assert (await client.get("/second/health")).json()["state"] == "degraded"


def test_the_openapi_document_describes_every_operation_and_its_answers(app: FastAPI) -> None:
    for path, item in app.openapi()["paths"].items():
        for method, operation in item.items():
            assert operation["description"], (method, path)
            content = operation["responses"]["200"]["content"]["application/json"]
            assert content["schema"], (method, path)
            assert {"403", "503"} <= set(operation["responses"])
            for parameter in operation.get("parameters", ()):
                assert parameter["description"], (method, path, parameter["name"])


def test_pages_are_not_part_of_the_openapi_document(app: FastAPI) -> None:
    assert not [path for path in app.openapi()["paths"] if "dashboard" in path]


def test_the_start_says_that_only_this_machine_is_answered(
    manager: FakeManager, caplog: pytest.LogCaptureFixture
) -> None:
    TaskAdmin(FastAPI(), manager)
    assert caplog.messages == ["/tasks answers only this machine: set TaskAdmin(auth=...)"]
