"""Pages of tasks: filtered, newest first, by the place of a task and never by its number.

Where no list holds just what is wanted, the shortest one that holds it all is walked along, a
piece at a time, and not for ever: a page that would take longer ends early, with a cursor to
go on from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from fastapi_taskflow_core.backends.base import Cursor, Page, Query
from fastapi_taskflow_core.backends.forms import micros, moment
from fastapi_taskflow_core.records import DEFAULT_QUEUE, TaskRecord, TaskStatus

from .connection import Server
from .reading import Reader, stored_pairs
from .rows import decoded, encoded, packed

LOOKED_AT = 50_000
"""Most tasks that are looked at for one page."""
_PIECE = 1_000

Place = tuple[int, str]
Direction = Literal["older", "newer"]


@dataclass(slots=True)
class _Found:
    """What a walk along a list has found; *stopped*: where it ended before it was through."""

    tasks: list[TaskRecord]
    stopped: Place | None = None


class Pages:
    """Lists the tasks under one prefix."""

    def __init__(self, server: Server, reader: Reader, looked_at: int = LOOKED_AT) -> None:
        self._server = server
        self._reader = reader
        self._looked_at = looked_at

    async def page(self, query: Query) -> Page:
        """The page that *query* asks for, with cursors where there is more."""
        if query.limit < 1:
            return Page(())
        direction: Direction = query.cursor.direction if query.cursor else "older"
        found = await self._fetch(query, direction, query.limit + 1)
        shown, more = found.tasks[: query.limit], len(found.tasks) > query.limit
        ends = [_place(task) for task in shown]
        if found.stopped is not None and not more:
            ends.append(found.stopped)
            more = True
        if not ends:
            return Page(())
        if direction == "newer":
            shown.reverse()
            ends.reverse()
        first, last = _cursor(ends[0], "newer"), _cursor(ends[-1], "older")
        if direction == "older":
            newer = query.cursor is not None and await self._any(replace(query, cursor=first))
            return Page(shown, last if more else None, first if newer else None)
        older = await self._any(replace(query, cursor=last))
        return Page(shown, last if older else None, first if more else None)

    async def _any(self, query: Query) -> bool:
        direction: Direction = query.cursor.direction if query.cursor else "older"
        found = await self._fetch(query, direction, 1)
        return bool(found.tasks) or found.stopped is not None

    async def _fetch(self, query: Query, direction: Direction, limit: int) -> _Found:
        """The tasks from the cursor on; each status has a list of its own."""
        walks = [await self._walk(query, direction, each, limit) for each in query.each_status]
        if len(walks) == 1:
            return walks[0]
        older = direction == "older"
        tasks = sorted((task for walk in walks for task in walk.tasks), key=_place, reverse=older)
        stops = [walk.stopped for walk in walks if walk.stopped is not None]
        if not stops:
            return _Found(tasks[:limit])
        # Beyond the first stop there may be tasks that were not found.
        stop = max(stops) if older else min(stops)
        sure = [task for task in tasks if (_place(task) >= stop if older else _place(task) <= stop)]
        return _Found(sure[:limit], stop)

    async def _walk(
        self, query: Query, direction: Direction, status: TaskStatus | None, limit: int
    ) -> _Found:
        question = _question(query, direction, status)
        tasks: list[TaskRecord] = []
        looked_at = 0
        while True:
            piece = limit if not question["filters"] else max(_PIECE, limit - len(tasks))
            asked = {**question, "limit": limit - len(tasks), "examined": piece}
            ended, score, last, *stored = await self._server.run("page", packed(asked))
            tasks += await self._reader.records(stored_pairs(stored))
            looked_at += piece
            if ended or len(tasks) >= limit:
                return _Found(tasks)
            if looked_at >= self._looked_at:
                return _Found(tasks, (int(score), decoded(last)))
            question["cursor"] = (decoded(score), decoded(last))


def _question(query: Query, direction: Direction, status: TaskStatus | None) -> dict[str, Any]:
    """What a script is asked: the lists that hold what is wanted, and what to sort out."""
    lists = ["created"]
    filters: dict[str, str] = {}

    def want(name: str, value: str | None, listed: str | None) -> None:
        if value is not None:
            filters[name] = value
            if listed is not None:
                lists.append(f"{listed}:{value}")

    want("status", status, None if status is TaskStatus.SUCCESS else "status")
    want("func", query.func_name, "func")
    want("queue", query.queue, None if query.queue == DEFAULT_QUEUE else "queue")
    want("source", query.source, None if query.source == "manual" else "source")
    want("retry_of", query.retry_of, "retry")
    want("owner", query.owner, None)
    want("tag", query.tag or None, "tag")
    words = {"text": query.text, "error": query.error, "id": query.id_start}
    filters.update({name: _folded(word) for name, word in words.items() if word})
    question: dict[str, Any] = {"direction": direction, "lists": lists, "filters": filters}
    if query.text and packed(query.text) == b'"' + encoded(query.text) + b'"':
        question["verbatim"] = True  # JSON has it as it is, so that a look is enough
    if query.cursor is not None:
        question["cursor"] = (str(micros(query.cursor.created_at)), query.cursor.task_id)
    if query.since is not None:
        question["since"] = str(micros(query.since))
    if query.until is not None:
        question["until"] = str(micros(query.until))
    return question


def _folded(text: str) -> str:
    # Bytes know the case of ASCII letters only, as the contract has it.
    return decoded(text.encode("utf-8", "surrogatepass").lower())


def _place(task: TaskRecord) -> Place:
    return micros(task.created_at), task.task_id


def _cursor(place: Place, direction: Direction) -> Cursor:
    return Cursor(moment(place[0]), place[1], direction)
