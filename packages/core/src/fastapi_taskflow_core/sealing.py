"""What an encryption is to the core. It is installed separately.

With one, a task's arguments are sealed as soon as it is added, and what the task says about
itself (error, traceback, result, the message of its progress) before it is stored. Sealed
text stands in a record as ``sealed:...`` and is shown as ``encrypted``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from .arguments import ArgumentCodec
from .arguments.codec import SEALED
from .errors import AttemptTimeout, WorkerDied
from .records import Attempt, Progress, TaskRecord

HIDDEN = "encrypted"
"""Shown in place of what is sealed."""
_SEALED_TEXT = re.compile(rf"{SEALED}\S+")
_HARMLESS = (AttemptTimeout, WorkerDied)
"""Errors whose words are ours alone."""

Mask = Callable[[str], str]


class Sealer(Protocol):
    """Seals and opens what belongs to one field of one task, and to no other."""

    def codec(self, plain: ArgumentCodec) -> ArgumentCodec:
        """A codec whose payloads are those of *plain*, sealed."""

    def seal(self, task: TaskRecord, field: str, text: str) -> str:
        """The text as ``sealed:...``, without white space."""

    def unseal(self, task: TaskRecord, field: str, sealed: str) -> str:
        """The text that `seal` was given.

        Raises:
            PayloadError: No key fits, or it belongs to another task, field or function.
        """

    def mask(self, values: object) -> Mask:
        """What hides these values, and those inside of them, wherever a text has them."""

    def key_of(self, payload: bytes) -> str | None:
        """The name of the key that it was sealed with; None if it is not sealed."""

    def keys(self) -> Sequence[str]:
        """The names of the keys there are; the first is the one that seals."""

    def reseal(self, task: TaskRecord) -> bytes:
        """The task's payload, sealed with the first key.

        Raises:
            PayloadError: It cannot be opened.
        """


class Veil:
    """Hides what a running task says: masked for observers and log lines, sealed for storage."""

    __slots__ = ("_mask", "_sealer")

    def __init__(
        self, sealer: Sealer, arguments: tuple[tuple[Any, ...], Mapping[str, Any]]
    ) -> None:
        self._sealer = sealer
        self._mask = sealer.mask(arguments)

    def masked(self, text: str) -> str:
        """The text without the values of the task's arguments."""
        return self._mask(text)

    def masked_fields(self, fields: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """The structured fields of a log line without those values."""
        return None if fields is None else {name: self._each(each) for name, each in fields.items()}

    def sealed(self, task: TaskRecord, field: str, text: str) -> str:
        """The text for storage."""
        return self._sealer.seal(task, field, text)

    def sealed_error(self, task: TaskRecord, error: BaseException, sentence: str) -> str:
        """The error's sentence for storage; its type stays readable."""
        if isinstance(error, _HARMLESS):
            return sentence
        return f"{type(error).__name__}: {self.sealed(task, 'error', sentence)}"

    def sealed_progress(self, task: TaskRecord, progress: Progress) -> Progress:
        """The progress with its message for storage; how much is done stays readable."""
        if progress.message is None:
            return progress
        return replace(progress, message=self.sealed(task, "progress", progress.message))

    def _each(self, value: Any) -> Any:
        match value:
            case None | bool():
                return value
            case list() | tuple() | set() | frozenset():
                return [self._each(each) for each in value]
            case dict():
                return {self._each(name): self._each(each) for name, each in value.items()}
            case _:
                text = str(value)
                masked = self._mask(text)
                return value if masked == text else masked


def hidden(text: str | None) -> str | None:
    """The text with `HIDDEN` for what is sealed in it."""
    return text if text is None or SEALED not in text else _SEALED_TEXT.sub(HIDDEN, text)


def with_words_hidden(task: TaskRecord) -> TaskRecord:
    """Change a record that is to be shown: what is sealed in its words is hidden."""
    task.error, task.stacktrace = hidden(task.error), hidden(task.stacktrace)
    if task.earlier:
        task.earlier = tuple(replace(each, error=hidden(each.error)) for each in task.earlier)
    if task.progress is not None and task.progress.message is not None:
        task.progress = replace(task.progress, message=hidden(task.progress.message))
    return task


def with_words_opened(task: TaskRecord, sealer: Sealer) -> TaskRecord:
    """Change a record as it is stored: its words are readable.

    Raises:
        PayloadError: They cannot be opened.
    """

    def opened(field: str, text: str | None) -> str | None:
        found = None if text is None else _SEALED_TEXT.search(text)
        return text if found is None else sealer.unseal(task, field, found.group())

    def attempt(each: Attempt) -> Attempt:
        return replace(each, error=opened("error", each.error))

    task.error, task.stacktrace = opened("error", task.error), opened("stack", task.stacktrace)
    task.earlier = tuple(attempt(each) for each in task.earlier)
    if task.progress is not None:
        message = opened("progress", task.progress.message)
        task.progress = replace(task.progress, message=message)
    return task
