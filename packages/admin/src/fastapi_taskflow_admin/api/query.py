"""Filters and cursors, read the same way by API and pages."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from fastapi_taskflow_core.backends.base import Cursor, Query
from fastapi_taskflow_core.records import Source, TaskStatus

from .moments import Moment, resolve

LARGEST_PAGE = 500

DIRECTIONS = ("older", "newer")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def encode(cursor: Cursor) -> str:
    """A cursor as opaque text for a URL."""
    micros = (cursor.created_at - _EPOCH) // _MICROSECOND
    written = json.dumps([micros, cursor.task_id, cursor.direction], separators=(",", ":"))
    return urlsafe_b64encode(written.encode()).decode().rstrip("=")


def decode(text: str) -> Cursor:
    """The cursor that was encoded.

    Raises:
        ValueError: this is not a cursor of ours.
    """
    try:
        micros, task_id, direction = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        cursor = Cursor(_EPOCH + micros * _MICROSECOND, task_id, direction)
        named = isinstance(task_id, str) and "\0" not in task_id
        ours = named and direction in DIRECTIONS and encode(cursor) == text
    except (ValueError, TypeError, OverflowError, RecursionError):
        ours = False
    if not ours:
        raise ValueError("is not a cursor that this API handed out")
    return cursor


def _not_blank(value: object) -> object:
    return None if value == "" else value


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _storable(value: str) -> str:
    if "\0" in value:
        raise ValueError("must not contain a NUL character")
    return value


def _readable(value: str) -> str:
    decode(value)
    return value


CursorText = Annotated[str, AfterValidator(_readable)]
Text = Annotated[str, Field(max_length=512), AfterValidator(_storable)]
OptionalText = Annotated[Text | None, BeforeValidator(_not_blank)]


class FailedFilter(BaseModel):
    """Which of the failed tasks are meant."""

    func_name: OptionalText = Field(default=None, description="The function's name.")
    since: Moment = Field(
        default=None, description="Created at this time or later: ISO 8601, or an age such as `6h`."
    )
    q: OptionalText = Field(
        default=None, description="A word in the function's name, the error or the task's id."
    )

    def query(self, now: datetime) -> Query:
        """The question to the history; an age counts back from *now*."""
        return Query(
            statuses=frozenset({TaskStatus.FAILED}),
            func_name=self.func_name,
            since=resolve(self.since, now),
            text=self.q,
            limit=LARGEST_PAGE,
        )


_FIELDS = {
    "func": "func_name",
    "id": "task_id",
    **{name: name for name in ("error", "queue", "source", "status", "tag")},
}
_CONDITION = re.compile(r'(?<!\S)([a-z_]+):(?!/)("[^"]*"|[^\s"]\S*)')
_QUOTED = re.compile(r'\s*"([^"]*)"\s*')


def _told_apart(given: object) -> object:
    """Conditions that are written into the search, such as ``func:send``, in their places."""
    if not isinstance(given, dict) or not isinstance(given.get("q"), str):
        return given
    if _QUOTED.fullmatch(given["q"]):
        return given
    found = {}

    def take(condition: re.Match[str]) -> str:
        name, value = condition.groups()
        if name not in _FIELDS:
            return condition[0]
        found[_FIELDS[name]] = value.strip('"')
        return " "

    rest = _CONDITION.sub(take, given["q"])
    if not found:
        return given
    said = {name: it for name, it in given.items() if it not in ("", [])}
    return {**found, **said, "q": " ".join(rest.split())}


def _words(value: str | None) -> str | None:
    """What is left of the search when its conditions are told apart."""
    if value is None:
        return None
    if quoted := _QUOTED.fullmatch(value):
        return quoted[1] or None
    if unknown := _CONDITION.search(value):
        raise ValueError(
            f"there is no condition {unknown[1]!r}: {', '.join(sorted(_FIELDS))} may stand before a"
            ' colon; put words that have one into double quotes: "a:b"'
        )
    return value


Words = Annotated[OptionalText, AfterValidator(_words)]


class TaskFilter(BaseModel):
    """Which tasks are meant. Conditions combine by *and*; none at all means every task."""

    _apart = model_validator(mode="before")(_told_apart)

    status: Annotated[list[TaskStatus], BeforeValidator(_listed)] = Field(
        default_factory=list, description="Any of these statuses; may be repeated."
    )
    func_name: OptionalText = Field(default=None, description="The function's name.")
    queue: OptionalText = Field(default=None, description="The queue's name.")
    tag: OptionalText = Field(default=None, description="`name=value`, or `name` for any value.")
    source: Annotated[Source | None, BeforeValidator(_not_blank)] = Field(
        default=None, description="Whether a schedule or a caller made the task."
    )
    instance: OptionalText = Field(
        default=None, description="The instance that has it; only unfinished tasks have one."
    )
    q: Words = Field(
        default=None,
        description="A word in the function's name, the error or the task's id; conditions such"
        " as `func:send`, `queue:mail`, `tag:name=value`, `status:failed`, `error:timeout` and"
        " `id:01a2b3c4` may stand among them. In double quotes all of it is one word.",
    )
    error: OptionalText = Field(default=None, description="A word in the error.")
    task_id: OptionalText = Field(default=None, description="What the task's id begins with.")
    since: Moment = Field(
        default=None, description="Created at this time or later: ISO 8601, or an age such as `6h`."
    )
    until: Moment = Field(
        default=None, description="Created before this time: ISO 8601, or an age such as `6h`."
    )

    def query(
        self, now: datetime, limit: int = LARGEST_PAGE, cursor: Cursor | None = None
    ) -> Query:
        """The question to the history; ages count back from *now*."""
        return Query(
            statuses=frozenset(self.status),
            func_name=self.func_name,
            queue=self.queue,
            tag=self.tag,
            source=self.source,
            owner=self.instance,
            text=self.q,
            error=self.error,
            id_start=self.task_id,
            since=resolve(self.since, now),
            until=resolve(self.until, now),
            limit=limit,
            cursor=cursor,
        )


class ExportParameters(TaskFilter):
    """Which tasks, and as what kind of file."""

    # Not beside the filter: FastAPI has only lately taken a model and a parameter together.
    format: Literal["csv", "json"] = Field(default="csv", description="The kind of file.")


class StrictFilter(TaskFilter):
    """A filter for changes: a misspelt condition is refused, it would widen the filter."""

    model_config = ConfigDict(extra="forbid")


class ListParameters(TaskFilter):
    """Which page of which tasks."""

    limit: int = Field(default=50, ge=1, le=LARGEST_PAGE, description="Tasks on a page.")
    cursor: CursorText | None = Field(
        default=None, description="Where the page begins, from the `Link` header of another page."
    )

    def page(self, now: datetime) -> Query:
        """The question for this page."""
        cursor = None if self.cursor is None else decode(self.cursor)
        return self.query(now, self.limit, cursor)
