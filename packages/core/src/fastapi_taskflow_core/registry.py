"""Which function a name stands for, and how it wants to run."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from . import checks
from .errors import FunctionUnknown
from .options import CALL_OPTION_NAMES, TaskOptions
from .records import ExecutorKind

Call = Callable[..., Any]


@dataclass(frozen=True, slots=True, eq=False)
class TaskFunction:
    """A function with its name, options and kind.

    ``own`` are the call options that are parameters of the function itself; ``keywords``
    all that it takes by name, None if it takes any; ``anonymous`` says that it cannot be
    found by name again, in this process or another.
    """

    name: str
    call: Call
    options: TaskOptions
    executor: ExecutorKind
    own: frozenset[str]
    keywords: frozenset[str] | None
    anonymous: bool = False

    def check_keywords(self, given: Iterable[str]) -> None:
        """See that the function takes these arguments.

        Raises:
            TypeError: One of them is neither a parameter nor an option.
        """
        if self.keywords is None:
            return
        for name in given:
            if name not in self.keywords:
                raise TypeError(
                    f"{self.name}() has no parameter {name!r}, and it is no option of"
                    f" add_task either: those are {', '.join(sorted(CALL_OPTION_NAMES))}"
                )


def is_async(call: Call) -> bool:
    """Whether calling gives a coroutine, through partials and callable objects too."""
    while isinstance(call, functools.partial):
        call = call.func
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(
        # Of the type: what a class defines is for its instances.
        getattr(type(call), "__call__", None)  # noqa: B004  the method is wanted
    )


class Registry:
    """The functions of one manager, by name and by themselves."""

    def __init__(self) -> None:
        self._by_name: dict[str, TaskFunction] = {}
        self._by_call: dict[Call, TaskFunction] = {}

    def register(self, call: Call, options: TaskOptions, name: str | None = None) -> TaskFunction:
        """Put *call* under *name*, or its own.

        Raises:
            ValueError: The name belongs to another function, or an option does not fit.
        """
        checks.function("func", call)
        function = _described(
            call, options, checks.text("name", _own_name(call) if name is None else name)
        )
        holder = self._by_name.get(function.name)
        if holder is not None and not _same(holder.call, call):
            raise ValueError(
                f"name {function.name!r} belongs to {_place(holder.call)} already:"
                f" give {_place(call)} another one with name="
            )
        self._by_name[function.name] = function
        self._by_call[call] = function
        return function

    def find(self, call: Call) -> TaskFunction:
        """What is known of *call*; one without a decorator is registered by default options.

        A lambda, a nested function, a method or one whose name is taken is described, but
        not kept: it cannot be found by name, and there may be any number of them.
        """
        try:
            known = self._by_call.get(call)
        except TypeError:  # a callable that cannot be a key
            known = None
        if known is not None:
            return known
        checks.function("func", call)
        unbound = getattr(call, "__func__", None)
        method = None if unbound is None else self._by_call.get(unbound)
        if method is not None:
            return _described(call, method.options, method.name, anonymous=True)
        name = _own_name(call)
        if _importable(call) and name not in self._by_name:
            return self.register(call, TaskOptions())
        return _described(call, TaskOptions(), name, anonymous=True)

    def __getitem__(self, name: str) -> TaskFunction:
        """The function of this name.

        Raises:
            FunctionUnknown: There is none.
        """
        try:
            return self._by_name[name]
        except KeyError:
            raise FunctionUnknown(name) from None

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def names(self) -> frozenset[str]:
        """Every name that is taken."""
        return frozenset(self._by_name)


def _described(
    call: Call, options: TaskOptions, name: str, *, anonymous: bool = False
) -> TaskFunction:
    awaitable = is_async(call)
    kind = options.executor or ("async" if awaitable else "thread")
    if kind == "async" and not awaitable:
        raise ValueError(
            f"executor='async' needs an async def, {name!r} is a def:"
            " use executor='thread' or leave it out"
        )
    if kind != "async" and awaitable:
        raise ValueError(
            f"executor={kind!r} needs a def, {name!r} is an async def:"
            " use executor='async' or leave it out"
        )
    if kind == "process" and not (inspect.isfunction(call) and "<" not in call.__qualname__):
        raise ValueError(
            f"executor='process' needs a function that another process finds by module and name,"
            f" {name!r} is a {'lambda' if name == '<lambda>' else 'nested function or a callable'}:"
            " define it at the top level of a module"
        )
    named, takes_any = _keywords(call)
    own = CALL_OPTION_NAMES & named
    keywords = None if takes_any else named
    return TaskFunction(name, call, options, kind, own, keywords, anonymous)


def _own_name(call: Call) -> str:
    while isinstance(call, functools.partial):
        call = call.func
    return getattr(call, "__name__", None) or type(call).__name__


def _keywords(call: Call) -> tuple[frozenset[str], bool]:
    """The parameters that can be given by name, and whether any other name goes too."""
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):  # builtins without a signature
        return frozenset(), True
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return (
        frozenset(parameter.name for parameter in parameters if parameter.kind in by_name),
        any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters),
    )


def _importable(call: Call) -> bool:
    """Whether module and qualified name lead to a plain function again."""
    return inspect.isfunction(call) and not {"<", "."} & set(call.__qualname__)


def _same(one: Call, other: Call) -> bool:
    """The same function, or the same place in a module that was loaded anew."""
    return one is other or (_importable(one) and _place(one) == _place(other))


def _place(call: Call) -> str:
    return f"{getattr(call, '__module__', '?')}.{getattr(call, '__qualname__', repr(call))}"
