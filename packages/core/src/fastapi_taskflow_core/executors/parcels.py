"""What crosses the pipe between this process and its workers: pickles, and nothing else does.

Both ends are ours and run the same code; what a backend stores is never unpickled.
cloudpickle is used where it is installed, for lambdas and closures among the arguments.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

from ..errors import RemoteError, TaskArgumentError
from ..records import LogLevel


@cache
def _best_pickler() -> Callable[[object], bytes]:
    try:
        dumps: Callable[[object], bytes] = import_module("cloudpickle").dumps
    except ImportError:
        return pickle.dumps
    return dumps


def _dumps(value: object) -> bytes:
    return _best_pickler()(value)


Arguments = tuple[tuple[Any, ...], Mapping[str, Any]]


class Job(NamedTuple):
    """One attempt, as a worker gets it."""

    module: str
    qualname: str
    parcel: bytes
    task_id: str
    func_name: str
    attempt: int
    tags: dict[str, str]
    keep_result: bool


class Line(NamedTuple):
    """The task logs."""

    level: LogLevel
    message: str
    extra: dict[str, Any] | None


class Step(NamedTuple):
    """The task says how far it is."""

    done: float
    total: float | None
    message: str | None


class Returned(NamedTuple):
    """The task is over; ``value`` is the pickled result if it is to be kept."""

    value: bytes | None


class Raised(NamedTuple):
    """The task failed: the pickled exception, and its traceback as text."""

    error: bytes
    traceback: str


Message = Line | Step | Returned | Raised


def pack_arguments(arguments: Arguments) -> bytes:
    """The arguments of a call, pickled.

    Raises:
        TaskArgumentError: One of them cannot be pickled; it says which.
    """
    args, kwargs = arguments
    try:
        return _dumps((args, dict(kwargs)))
    except Exception:
        named = {str(number): value for number, value in enumerate(args)} | dict(kwargs)
        for name, value in named.items():
            _see_that_it_pickles(name, value)
        raise


def pack(value: object) -> bytes:
    """A value, pickled."""
    return _dumps(value)


def unpack(parcel: bytes) -> Any:
    """What `pack` or `pack_arguments` was given."""
    return pickle.loads(parcel)  # noqa: S301  made by our own process, at the pipe's other end


def pack_error(error: BaseException) -> bytes:
    """An exception, pickled; one that would not arrive as it is is replaced by its description."""
    try:
        parcel = _dumps(error)
        if type(unpack(parcel)) is type(error):
            return parcel
    except Exception:  # noqa: BLE001, S110  its own code may raise anything; see below
        pass
    try:
        message = str(error)
    except Exception as failure:  # noqa: BLE001  it is the user's __str__
        message = f"which cannot be shown: {type(failure).__name__}"
    return pickle.dumps(RemoteError(type(error).__qualname__, message))


def _see_that_it_pickles(name: str, value: object) -> None:
    try:
        _dumps(value)
    except Exception as error:
        raise TaskArgumentError(
            name,
            value,
            f"executor='process' sends it to another process by pickle, which says: {error}",
        ) from error
