"""Pages of tasks: filtered, newest first, by the place of a task and never by its number."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

from fastapi_taskflow_core.backends.base import Cursor, Page, Query
from fastapi_taskflow_core.backends.forms import micros, moment
from fastapi_taskflow_core.records import TaskRecord, TaskStatus

from . import statements
from .connection import Connection, Value
from .rows import RECORD_COLUMNS, from_row
from .schema import NOT_DEFAULT_QUEUE, NOT_SUCCESS, TAGS, TASKS, UNFINISHED
from .statements import Statements

_BEGINNING = datetime.min.replace(tzinfo=UTC)
_DEFAULT_QUEUE = "default"
_SPECIAL = re.compile("[!%_]")
_SEARCHED = ("func_name", "error", "task_id")
SEARCHED = 100_000
"""So many tasks, the newest ones, are looked through for a text."""


class Pages:
    """Lists the tasks of one database."""

    def __init__(self, sql: Statements) -> None:
        self._sql = sql

    def page(self, connection: Connection, query: Query) -> Page:
        """The page that *query* asks for, with cursors where there is more."""
        if query.limit < 1:
            return Page(())
        if query.has_words:
            oldest = self._oldest_match(connection, query)
            if oldest is None:
                return Page(())
            query = replace(query, since=oldest)
        direction = query.cursor.direction if query.cursor else "older"
        found = self._fetch(connection, query, query.limit + 1)
        tasks, more = found[: query.limit], len(found) > query.limit
        if direction == "newer":
            tasks.reverse()
        if not tasks:
            return Page(())
        first, last = _cursor(tasks[0], "newer"), _cursor(tasks[-1], "older")
        older, newer = (more, None) if direction == "older" else (None, more)
        if older is None:
            older = bool(self._fetch(connection, replace(query, cursor=last), 1))
        if newer is None:
            newer = query.cursor is not None and bool(
                self._fetch(connection, replace(query, cursor=first), 1)
            )
        return Page(tasks, next=last if older else None, previous=first if newer else None)

    def _oldest_match(self, connection: Connection, query: Query) -> datetime | None:
        """When the first task was created that has the text, among the newest ones.

        No index helps to look for words. What lies before the first match need not be looked
        through again, and SQLite follows an index upwards in two thirds of the time.
        """
        found = connection.fetch(self._sql.render(statements.LAST_SEARCHED, limit=SEARCHED))
        reach = moment(found[0][0]) if found else _BEGINNING
        since = reach if query.since is None else max(query.since, reach)
        upwards = replace(query, since=None, cursor=Cursor(since, "", "newer"))
        oldest = self._fetch(connection, upwards, 1)
        return oldest[0].created_at if oldest else None

    def _fetch(self, connection: Connection, query: Query, limit: int) -> list[TaskRecord]:
        """The tasks from the cursor on, in its direction.

        Several statuses are asked for one by one: each list comes in order from its index,
        where all at once would be sorted as a whole.
        """
        newer = query.cursor is not None and query.cursor.direction == "newer"
        tasks = [
            from_row(row)
            for status in query.each_status
            for row in connection.fetch(*self._select(query, status, limit))
        ]
        if len(query.each_status) > 1:
            tasks.sort(key=lambda task: (task.created_at, task.task_id), reverse=not newer)
        return tasks[:limit]

    def _select(
        self, query: Query, status: TaskStatus | None, limit: int
    ) -> tuple[str, list[Value]]:
        where = _Where(self._sql)
        where.status(status)
        where.queue(query.queue)
        where.equal("func_name", query.func_name)
        where.equal("source", query.source)
        where.equal("retry_of", query.retry_of)
        where.owner(query.owner)
        where.tag(query.tag)
        where.like("%{}%", query.text, *_SEARCHED)
        where.like("%{}%", query.error, "error")
        where.like("{}%", query.id_start, "task_id")
        if query.since is not None:
            where.add(f"{where.created} >= {where.mark}", micros(query.since))
        if query.until is not None:
            where.add(f"{where.created} < {where.mark}", micros(query.until))
        where.behind(query.cursor)
        return where.select(query.cursor, limit)


@dataclass(slots=True)
class _Where:
    """The conditions of one list, gathered. ``t`` is the task, ``g`` the tag asked for."""

    sql: Statements
    conditions: list[str] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    place: str = "t"
    """What the list is ordered along."""

    @property
    def mark(self) -> str:
        return self.sql.dialect.placeholder

    @property
    def created(self) -> str:
        return f"{self.place}.created_at"

    def add(self, condition: str, *values: Value) -> None:
        self.conditions.append(condition)
        self.values.extend(values)

    def equal(self, column: str, value: str | None) -> None:
        if value is not None:
            self.add(f"t.{column} = {self.mark}", value)

    def status(self, status: TaskStatus | None) -> None:
        # The second condition follows from the first; it is what partial indexes ask for.
        if status is not None:
            self.equal("status", status.value)
            if status is not TaskStatus.SUCCESS:
                self.add(f"t.{NOT_SUCCESS}")

    def queue(self, queue: str | None) -> None:
        self.equal("queue", queue)
        if queue is not None and queue != _DEFAULT_QUEUE:
            self.add(f"t.{NOT_DEFAULT_QUEUE}")

    def owner(self, owner: str | None) -> None:
        # The second condition follows from the status; it is what a partial index asks for.
        self.equal("owner", owner)
        if owner is not None:
            self.add(f"t.{UNFINISHED}")

    def tag(self, tag: str | None) -> None:
        if tag is not None:
            self.place = "g"
            self.add(f"g.tag = {self.mark}", tag)

    def like(self, pattern: str, text: str | None, *columns: str) -> None:
        if text:
            escaped = _SPECIAL.sub(r"!\g<0>", text)
            like = self.sql.dialect.like
            if escaped != text or "\\" in text:  # costs SQLite a fifth more
                like += " ESCAPE '!'"
            tests = [like.format(column=f"t.{column}", p=self.mark) for column in columns]
            self.add(f"({' OR '.join(tests)})", *[pattern.format(escaped)] * len(tests))

    def behind(self, cursor: Cursor | None) -> None:
        if cursor is None:
            return
        sign = "<" if cursor.direction == "older" else ">"
        created, identity = self.created, f"{self.place}.task_id"
        self.add(
            f"{created} {sign}= {self.mark}"
            f" AND ({created} {sign} {self.mark} OR {identity} {sign} {self.mark})",
            micros(cursor.created_at),
            micros(cursor.created_at),
            cursor.task_id,
        )

    def select(self, cursor: Cursor | None, limit: int) -> tuple[str, list[Value]]:
        prefix, order = self.sql.prefix, "DESC"
        if cursor is not None and cursor.direction == "newer":
            order = "ASC"
        source = f"{prefix}{TASKS.name} t"
        if self.place == "g":
            source = f"{prefix}{TAGS.name} g JOIN {source} ON t.task_id = g.task_id"
        where = f" WHERE {' AND '.join(self.conditions)}" if self.conditions else ""
        columns = ", ".join(f"t.{column}" for column in RECORD_COLUMNS)
        return (
            f"SELECT {columns} FROM {source}{where}"  # noqa: S608  all ours
            f" ORDER BY {self.created} {order}, {self.place}.task_id {order} LIMIT {limit}"
        ), self.values


def _cursor(task: TaskRecord, direction: Literal["older", "newer"]) -> Cursor:
    return Cursor(task.created_at, task.task_id, direction)
