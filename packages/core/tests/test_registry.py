"""Which function a name stands for."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any

import pytest

from fastapi_taskflow_core import FunctionUnknown, TaskManager
from fastapi_taskflow_core.options import TaskOptions
from fastapi_taskflow_core.registry import Registry, is_async
from fastapi_taskflow_core.retry import RetryPolicy

THRICE = TaskOptions(RetryPolicy(3))


def work(value: int = 0) -> None:
    """Nothing."""


async def async_work(value: int = 0) -> None:
    """Nothing."""


class Mailer:
    def send(self) -> None:
        """Nothing."""

    async def __call__(self) -> None:
        """Nothing."""


class Unhashable:
    __hash__ = None  # type: ignore[assignment]

    def __call__(self) -> None:
        """Nothing."""


@pytest.fixture
def registry() -> Registry:
    return Registry()


def test_the_decorator_returns_the_function_unchanged(manager: TaskManager) -> None:
    assert manager.task(retries=1)(work) is work


def test_a_function_is_found_by_itself_and_by_name(registry: Registry) -> None:
    registered = registry.register(work, THRICE)
    assert registry.find(work) is registered
    assert registry["work"] is registered
    assert "work" in registry
    assert registry.names() == {"work"}


def test_a_function_may_have_another_name(registry: Registry) -> None:
    registry.register(work, THRICE, "mail.send")
    assert list(registry) == ["mail.send"]
    assert registry.find(work).name == "mail.send"


def test_an_unknown_name_is_an_error(registry: Registry) -> None:
    with pytest.raises(FunctionUnknown, match="gone"):
        registry["gone"]


def test_two_functions_cannot_have_one_name(registry: Registry) -> None:
    registry.register(work, THRICE)
    with pytest.raises(ValueError, match=r"name 'work' belongs to .*test_registry.work"):
        registry.register(async_work, THRICE, "work")
    assert registry["work"].call is work


def test_a_module_that_is_loaded_anew_replaces_its_functions(registry: Registry) -> None:
    registry.register(work, THRICE)
    anew = FunctionType(work.__code__, globals(), "work")
    anew.__module__, anew.__qualname__ = work.__module__, work.__qualname__
    registry.register(anew, THRICE)
    assert registry["work"].call is anew


def test_a_plain_function_is_registered_when_it_is_added_first(registry: Registry) -> None:
    found = registry.find(work)
    assert not found.anonymous
    assert registry["work"] is found
    assert registry.find(work) is found


def nested() -> Callable[[], None]:
    def inner() -> None:
        """Nothing."""

    return inner


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: None, "<lambda>"),
        (nested(), "inner"),
        (functools.partial(work, 1), "work"),
        (functools.partial(functools.partial(async_work), value=1), "async_work"),
        (Mailer(), "Mailer"),
        (Unhashable(), "Unhashable"),
        (Mailer().send, "send"),
        (print, "print"),
        ([].append, "append"),
    ],
)
def test_what_cannot_be_found_again_is_described_but_not_kept(
    registry: Registry, call: Callable[..., Any], name: str
) -> None:
    found = registry.find(call)
    assert (found.name, found.anonymous, found.call) == (name, True, call)
    assert registry.names() == frozenset()


def test_a_second_function_of_a_name_runs_under_it_without_taking_it(registry: Registry) -> None:
    registry.register(async_work, THRICE, "work")
    assert registry.find(work).anonymous
    assert registry["work"].call is async_work


def test_a_decorated_lambda_or_method_is_kept_under_its_name(registry: Registry) -> None:
    mailer = Mailer()
    registry.register(mailer.send, THRICE, "send mail")
    assert registry.find(mailer.send).name == "send mail"


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (work, False),
        (async_work, True),
        (functools.partial(async_work), True),
        (Mailer(), True),
        (Mailer, False),
        (Mailer().send, False),
        (print, False),
    ],
)
def test_async_functions_are_known_through_wrappers(
    call: Callable[..., Any], expected: bool
) -> None:
    assert is_async(call) is expected


def test_a_decorated_method_keeps_its_options_when_it_is_bound(registry: Registry) -> None:
    registry.register(Mailer.send, THRICE)
    found = registry.find(Mailer().send)
    assert (found.name, found.options) == ("send", THRICE)
    assert found.anonymous


@pytest.mark.parametrize("call", [lambda: None, "nested", functools.partial(print), len])
def test_what_another_process_cannot_find_is_refused_where_it_is_asked_for(
    registry: Registry, call: Any
) -> None:
    def nested() -> None: ...

    with pytest.raises(ValueError, match=r"executor='process' .* at the top level of a module"):
        registry.register(nested if call == "nested" else call, TaskOptions(executor="process"))


@pytest.mark.parametrize("call", [None, 7, "work"])
def test_only_functions_are_tasks(registry: Registry, call: Any) -> None:
    with pytest.raises(TypeError, match="func"):
        registry.find(call)
    with pytest.raises(TypeError, match="func"):
        registry.register(call, THRICE)


def test_an_argument_that_nothing_takes_is_named_at_the_call(registry: Registry) -> None:
    def send(to: str, /, subject: str, *, tags: str = "") -> None: ...

    function = registry.register(send, TaskOptions())
    function.check_keywords({"subject", "tags"})
    for name in ("to", "tagz", "retries"):
        with pytest.raises(TypeError, match=rf"send\(\) has no parameter '{name}'"):
            function.check_keywords({name})


def test_a_function_that_takes_any_argument_takes_any(registry: Registry) -> None:
    def send(**anything: object) -> None: ...

    registry.register(send, TaskOptions()).check_keywords({"whatever"})
