"""The argument codec: what a task was called with, as bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, NoReturn, Protocol, TypeVar

from ..errors import PayloadError, TaskArgumentError
from .leaves import Json
from .lookup import Function
from .naming import argument_paths
from .reader import Reader
from .refusal import Refusal
from .registry import Registry
from .writer import Writer

T = TypeVar("T")

_TAG = b'"$"'
SEALED = "sealed:"
"""How a payload begins that an encryption has sealed."""
_DEEPEST = 100
_dumps = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")
).encode
_NOTHING = b'{"args":[],"kwargs":{}}'


class ArgumentCodec(Protocol):
    """Turns what a task is called with, and what it returns, into bytes and back.

    Task id and function name are there for codecs that bind a payload to its task;
    ``function`` says by its annotations which classes the payload may name.
    """

    def encode(
        self,
        task_id: str,
        func_name: str,
        function: Function,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> bytes:
        """The arguments as bytes.

        Raises:
            TaskArgumentError: one of them cannot be stored; it says which and why.
        """

    def decode(
        self, task_id: str, func_name: str, function: Function, payload: bytes
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments, equal and of the same types.

        Raises:
            PayloadError: the payload is damaged, or names what is not there any more.
        """

    def encode_value(
        self, task_id: str, func_name: str, function: Function, value: object
    ) -> bytes:
        """A single value, as a result, in the same form.

        Raises:
            TaskArgumentError: it cannot be stored; its path begins with ``result``.
        """

    def decode_value(self, task_id: str, func_name: str, function: Function, payload: bytes) -> Any:
        """The value that ``encode_value`` was given.

        Raises:
            PayloadError: the payload is damaged, or names what is not there any more.
        """


class TypedJsonCodec:
    """Lossless JSON: what JSON has no word for is tagged, ``{"$": "uuid", "v": "..."}``.

    Args:
        max_bytes: The largest payload, in bytes.
        max_depth: How deep values may be nested, 1 to 100.

    Raises:
        ValueError: a limit is out of range.
    """

    def __init__(self, *, max_bytes: int = 1_000_000, max_depth: int = 50) -> None:
        if max_bytes < 1:
            raise ValueError(f"max_bytes must be 1 or more bytes, got {max_bytes!r}")
        if not 1 <= max_depth <= _DEEPEST:
            raise ValueError(f"max_depth must be 1 to {_DEEPEST} levels, got {max_depth!r}")
        self._max_bytes, self._max_depth = max_bytes, max_depth
        self._registry = Registry()

    def register(
        self,
        kind: type[T],
        *,
        dump: Callable[[T], object] | None = None,
        load: Callable[[Any], T] | None = None,
    ) -> None:
        """Let payloads hold values of exactly this class, whatever the annotations say.

        An Enum, dataclass or pydantic model needs nothing more. For any other class *dump*
        returns something that can be stored and *load* makes the value from it again.

        Raises:
            TypeError: not a class, or one that needs *dump* and *load*.
            ValueError: only one of the two is given.
        """
        self._registry.add(kind, dump, load)

    def encode(
        self,
        task_id: str,  # noqa: ARG002  a plain payload is bound to nothing
        func_name: str,  # noqa: ARG002
        function: Function,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> bytes:
        """See `ArgumentCodec.encode`."""
        if not (args or kwargs):
            return _NOTHING
        try:
            writer = self._writer(function)
            tree = {"args": writer.items(args), "kwargs": writer.named(dict(kwargs))}
            payload = _dumps(tree).encode()
        except (Refusal, ValueError):
            tree = self._look_closely(function, args, kwargs)
            payload = _dumps(tree).encode()
        if len(payload) > self._max_bytes:
            path, value = _largest(function, args, kwargs, tree)
            raise TaskArgumentError(path, value, self._too_large(len(payload)))
        return payload

    def decode(
        self,
        task_id: str,  # noqa: ARG002
        func_name: str,
        function: Function,
        payload: bytes,
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """See `ArgumentCodec.decode`."""
        _see_that_it_is_open(payload)
        reader = Reader(self._registry, function)
        with _reading(f"arguments of {func_name!r}"):
            match _parse(payload.decode()):
                case {"args": list(args), "kwargs": dict(kwargs)}:
                    if _TAG not in payload:
                        return tuple(args), kwargs
                    return tuple(reader.items(args)), reader.named(kwargs)
        raise PayloadError(f"the stored arguments of {func_name!r} are not a list and a mapping")

    def encode_value(
        self,
        task_id: str,  # noqa: ARG002
        func_name: str,  # noqa: ARG002
        function: Function,
        value: object,
    ) -> bytes:
        """See `ArgumentCodec.encode_value`."""
        try:
            payload = _dumps(self._writer(function).write(value)).encode()
        except (Refusal, ValueError):
            writer = self._writer(function, careful=True)
            payload = _dumps(_blamed("result", writer, value)).encode()
        if len(payload) > self._max_bytes:
            raise TaskArgumentError("result", value, self._too_large(len(payload)))
        return payload

    def decode_value(
        self,
        task_id: str,  # noqa: ARG002
        func_name: str,
        function: Function,
        payload: bytes,
    ) -> Any:
        """See `ArgumentCodec.decode_value`."""
        _see_that_it_is_open(payload)
        with _reading(f"value of {func_name!r}"):
            return Reader(self._registry, function).read(_parse(payload.decode()))

    def _writer(self, function: Function, *, careful: bool = False) -> Writer:
        return Writer(self._registry, function, self._max_depth, self._max_bytes, careful=careful)

    def _look_closely(
        self, function: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> dict[str, Json]:
        writer = self._writer(function, careful=True)
        paths = argument_paths(function, len(args))
        return {
            "args": [_blamed(path, writer, arg) for path, arg in zip(paths, args, strict=True)],
            "kwargs": {name: _blamed(name, writer, arg) for name, arg in kwargs.items()},
        }

    def _too_large(self, size: int) -> str:
        return (
            f"all in all {size} bytes as JSON, the limit is {self._max_bytes}:"
            " pass an id and load it in the task"
        )


def _blamed(path: str, writer: Writer, value: object) -> Json:
    try:
        return writer.write(value)
    except Refusal as refusal:
        raise TaskArgumentError(refusal.path(path), refusal.value, refusal.hint) from None


def _largest(
    function: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any], tree: dict[str, Json]
) -> tuple[str, object]:
    """The path and value of the argument whose JSON is longest."""
    paths = (*argument_paths(function, len(args)), *kwargs)
    sizes = (len(_dumps(stored)) for stored in (*tree["args"], *tree["kwargs"].values()))
    values = (*args, *kwargs.values())
    _, path, value = max(zip(sizes, paths, values, strict=True), key=itemgetter(0))
    return path, value


@contextmanager
def _reading(what: str) -> Iterator[None]:
    """Whatever goes wrong with what is stored is a `PayloadError` that quotes none of it."""
    try:
        yield
    except PayloadError as error:
        raise PayloadError(f"the stored {what} cannot be read: {error}") from error
    except Exception as error:
        reason = type(error).__name__
        raise PayloadError(f"the stored {what} cannot be read: damaged ({reason})") from error


def is_sealed(payload: bytes) -> bool:
    """Whether an encryption has sealed it."""
    return payload.startswith(SEALED.encode())


def _see_that_it_is_open(payload: bytes) -> None:
    if is_sealed(payload):
        raise PayloadError("cannot decrypt: no configured key fits (set encrypt_args_key)")


def _refuse_constant(name: str) -> NoReturn:
    raise PayloadError(f"{name} is not JSON")


_parse = json.JSONDecoder(parse_constant=_refuse_constant).decode
