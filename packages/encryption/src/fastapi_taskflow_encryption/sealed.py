"""What is encrypted, and what it belongs to.

Fernet has no associated data, so the plain text begins with the task's id, its function and
the field: what was moved to another row, or another column, is refused when it is opened.
Sealed text is ``sealed:1:<name of the key>:<Fernet token>``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi_taskflow_core.arguments import ArgumentCodec
from fastapi_taskflow_core.arguments.lookup import Function
from fastapi_taskflow_core.errors import PayloadError
from fastapi_taskflow_core.records import TaskRecord
from fastapi_taskflow_core.sealing import Mask

from .keyring import Keyring, Keys
from .masking import ValueMask

_MARK = b"sealed:1:"


class FernetSealer:
    """Seals with Fernet (AES-128-CBC and HMAC-SHA256).

    Args:
        keys: See `Keyring`.

    Raises:
        TypeError, ValueError: See `Keyring`.
    """

    def __init__(self, keys: Keys | Callable[[], Keys] | Keyring) -> None:
        self._keyring = keys if isinstance(keys, Keyring) else Keyring(keys)

    def __repr__(self) -> str:
        return f"FernetSealer({self._keyring!r})"

    def codec(self, plain: ArgumentCodec) -> ArgumentCodec:
        """A codec whose payloads are those of *plain*, sealed."""
        return SealedCodec(plain, self)

    def seal(self, task: TaskRecord, field: str, text: str) -> str:
        """The text as ``sealed:...``, without white space."""
        return self.close(task.task_id, task.func_name, field, text.encode()).decode()

    def unseal(self, task: TaskRecord, field: str, sealed: str) -> str:
        """The text that `seal` was given.

        Raises:
            PayloadError: No key fits, or it belongs to another task, field or function.
        """
        return self.open(task.task_id, task.func_name, field, sealed.encode()).decode()

    def mask(self, values: object) -> Mask:
        """What hides these values, and those inside of them, wherever a text has them."""
        return ValueMask(values)

    def key_of(self, payload: bytes) -> str | None:
        """The name of the key that it was sealed with; None if it is not sealed."""
        return _parts(payload)[0] if payload.startswith(_MARK) else None

    def keys(self) -> Sequence[str]:
        """The names of the keys there are; the first is the one that seals."""
        return self._keyring.names

    def reseal(self, task: TaskRecord) -> bytes:
        """The task's payload, sealed with the first key.

        Raises:
            PayloadError: It cannot be opened.
        """
        assert task.payload is not None
        whose = (task.task_id, task.func_name, "arguments")
        return self.close(*whose, self.open(*whose, task.payload))

    def close(self, task_id: str, func_name: str, field: str, plain: bytes) -> bytes:
        """*plain*, sealed for this field of this task."""
        name, token = self._keyring.encrypt(_binding(task_id, func_name, field) + plain)
        return b"%s%s:%s" % (_MARK, name.encode(), token)

    def open(self, task_id: str, func_name: str, field: str, sealed: bytes) -> bytes:
        """What `close` was given. What was never sealed is as it is: it was stored before there
        was a key.

        Raises:
            PayloadError: No key fits, or it belongs elsewhere.
        """
        if not sealed.startswith(_MARK):
            return sealed
        name, token = _parts(sealed)
        plain = self._keyring.decrypt(name, token)
        binding = _binding(task_id, func_name, field)
        if not plain.startswith(binding):
            raise PayloadError("cannot decrypt: the stored bytes belong to another task")
        return plain[len(binding) :]


class SealedCodec:
    """An `ArgumentCodec` around another one."""

    def __init__(self, plain: ArgumentCodec, sealer: FernetSealer) -> None:
        self._plain = plain
        self._sealer = sealer

    def encode(
        self,
        task_id: str,
        func_name: str,
        function: Function,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> bytes:
        """See `ArgumentCodec.encode`."""
        plain = self._plain.encode(task_id, func_name, function, args, kwargs)
        return self._sealer.close(task_id, func_name, "arguments", plain)

    def decode(
        self, task_id: str, func_name: str, function: Function, payload: bytes
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """See `ArgumentCodec.decode`."""
        plain = self._sealer.open(task_id, func_name, "arguments", payload)
        return self._plain.decode(task_id, func_name, function, plain)

    def encode_value(
        self, task_id: str, func_name: str, function: Function, value: object
    ) -> bytes:
        """See `ArgumentCodec.encode_value`."""
        plain = self._plain.encode_value(task_id, func_name, function, value)
        return self._sealer.close(task_id, func_name, "result", plain)

    def decode_value(self, task_id: str, func_name: str, function: Function, payload: bytes) -> Any:
        """See `ArgumentCodec.decode_value`."""
        plain = self._sealer.open(task_id, func_name, "result", payload)
        return self._plain.decode_value(task_id, func_name, function, plain)


def _binding(task_id: str, func_name: str, field: str) -> bytes:
    return f"{task_id}\0{func_name}\0{field}\0".encode("utf-8", "surrogatepass")


def _parts(sealed: bytes) -> tuple[str, bytes]:
    """The name of the key, and the token."""
    name, _, token = sealed[len(_MARK) :].partition(b":")
    return name.decode("ascii", "replace"), token
