"""Every statement, once. `Statements` fills in what the dialect and the prefix decide."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TypeVar

from .dialect import Dialect
from .rows import FOUND_BY, RECORD_COLUMNS, UPDATED
from .schema import TABLES, TASKS, UNFINISHED, Table

VERSION = "SELECT value FROM {meta} WHERE name = 'schema'"
SET_VERSION = "UPDATE {meta} SET value = {p} WHERE name = 'schema'"
ADD_VERSION = "INSERT INTO {meta} (name, value) VALUES ('schema', {p})"
NOTE = "SELECT value FROM {meta} WHERE name = {p}"
DROP_NOTE = "DELETE FROM {meta} WHERE name = {p}"

TASK = "SELECT {record} FROM {tasks} WHERE task_id = {p}"
TASK_LOCKED = TASK + "{for_update}"
# By the index alone: with the id in the order every task would be looked up.
LAST_SEARCHED = "SELECT created_at FROM {tasks} ORDER BY created_at DESC LIMIT 1 OFFSET {limit}"
ALIAS = "SELECT task_id FROM {aliases} WHERE alias_id = {p}"
KNOWN_ALIASES = "SELECT alias_id, task_id FROM {aliases} WHERE alias_id IN ({many})"
# Locked, so that none is withdrawn while others are accepted as it.
HOLDERS = "SELECT key_hash, task_id FROM {tasks} WHERE key_hash IN ({many}){for_update}"
STANDING = (
    "SELECT task_id, status, owner, epoch, end_time FROM {tasks}"
    " WHERE task_id IN ({many}){for_update}"
)
PROMISED = "SELECT DISTINCT task_id FROM {aliases} WHERE task_id IN ({many})"
RELEASE = "UPDATE {tasks} SET owner = NULL WHERE task_id = {p}"
CANCEL = (
    "UPDATE {tasks} SET status = 'cancelled', end_time = {p}, finished_at = {p}, key_hash = NULL"
    " WHERE task_id = {p}"
)
CONDEMN = (
    "UPDATE {tasks} SET status = 'failed', error = {p}, end_time = {p}, finished_at = {p},"
    " owner = NULL, key_hash = NULL, cancel_requested = 0 WHERE task_id = {p}"
)
REPLACE_PAYLOAD = "UPDATE {tasks} SET payload = {p} WHERE task_id = {p} AND payload = {p}"
FLAG_CANCEL = "UPDATE {tasks} SET cancel_requested = 1 WHERE task_id = {p}"

# The owner is NULL in all of them: it stands in the order for planners that would not see else
# that the index has it.
DUE = (
    "SELECT {record} FROM {tasks}"
    " WHERE {unfinished} AND status = 'pending' AND owner IS NULL"
    " AND due_at <= {p} AND func_name IN ({many})"
    " ORDER BY owner, precedence, due_at, task_id LIMIT {limit}{skip_locked}"
)
ANY_DUE = (
    "SELECT 1 FROM {tasks}"
    " WHERE {unfinished} AND status = 'pending' AND owner IS NULL AND due_at <= {p} LIMIT 1"
)
TAKE = "UPDATE {tasks} SET owner = {p}, epoch = epoch + 1 WHERE task_id IN ({many})"
FIRST_OWNER = "SELECT MIN(owner) FROM {tasks} WHERE {unfinished} AND owner > {p}"
OWNED = "SELECT {record} FROM {tasks} WHERE {unfinished} AND owner = {p} LIMIT 500{skip_locked}"

INSTANCES = (
    "SELECT instance, host, pid, version, started_at, running, waiting, loop_lag,"
    " draining, lease, beat_at, era FROM {instances} WHERE dead = 0 ORDER BY started_at, instance"
)
IS_DEAD = "SELECT dead FROM {instances} WHERE instance = {p}{for_update}"
BURY_INSTANCE = (
    "UPDATE {instances} SET dead = 1 WHERE instance = {p} AND beat_at = {p} AND era = {p}"
    " AND dead = 0"
)
FORGET_INSTANCE = "DELETE FROM {instances} WHERE instance = {p}"
FORGET_BURIED = "DELETE FROM {instances} WHERE dead = 1 AND (era <> {p} OR beat_at < {p})"
CANCELS = "SELECT task_id FROM {tasks} WHERE cancel_requested = 1 AND owner = {p} AND {unfinished}"

OLDEST_FINISHED = (
    "SELECT task_id FROM {tasks} WHERE finished_at < {p} ORDER BY finished_at, task_id"
    " LIMIT {limit}"
)
DELETE_TASKS = "DELETE FROM {tasks} WHERE task_id IN ({many})"
DELETE_LOGS = "DELETE FROM {logs} WHERE task_id IN ({many})"
DELETE_TAGS = "DELETE FROM {tags} WHERE task_id IN ({many})"
DELETE_ALIASES = "DELETE FROM {aliases} WHERE task_id IN ({many})"
DELETE_LATER = "DELETE FROM {later} WHERE waiting_id IN ({many})"
FORGET_TASKS = (DELETE_LOGS, DELETE_TAGS, DELETE_ALIASES, DELETE_LATER, DELETE_TASKS)

_LOG_LINES = (
    "SELECT seq, time, attempt, level, message, extra FROM {logs}"
    " WHERE task_id = {p} AND seq > {p} ORDER BY seq"
)
FIRST_LOG_LINES = _LOG_LINES + " LIMIT {limit}"
LAST_LOG_LINES = _LOG_LINES + " DESC LIMIT {limit}"
# By the status first: SQLite would read all tasks along the index that begins with func_name.
UNFINISHED_COUNTS = (
    "SELECT func_name, queue, status, COUNT(*) FROM {tasks} WHERE {unfinished}"
    " GROUP BY status, func_name, queue"
)

FORGET_ROLLUPS = "DELETE FROM {rollups} WHERE resolution = {p} AND start < {p}"

LAST_SLOTS = (
    "SELECT schedule, at, outcome, task_id FROM {slots} WHERE schedule = {p}"
    " ORDER BY at DESC LIMIT {limit}"
)
FORGET_SLOTS = "DELETE FROM {slots} WHERE schedule = {p} AND at < {p}"
LATER = "SELECT waiting_id FROM {later} WHERE run_key_hash = {p}{for_update}"
GIVE_LATER = "UPDATE {later} SET waiting_id = {p} WHERE run_key_hash = {p}"
DROP_LATER = "DELETE FROM {later} WHERE run_key_hash = {p}"
ALL_LATER = (
    "SELECT run_key, {record} FROM {tasks} JOIN {later} ON waiting_id = task_id"
    " WHERE {unfinished} AND status = 'pending' AND owner IS NULL AND due_at < {p}"
    " AND due_at >= {p} AND (due_at > {p} OR task_id > {p})"
    " ORDER BY due_at, task_id LIMIT {limit}"
)

SETTING = "SELECT version, expires_at FROM {settings} WHERE name = {p}{for_update}"
SETTINGS = (
    "SELECT name, value, version FROM {settings} WHERE name >= {p} AND name < {p}"
    " AND (expires_at IS NULL OR expires_at > {p}) ORDER BY name"
)
SET_SETTING = (
    "UPDATE {settings} SET value = {p}, version = {p}, expires_at = {p}"
    " WHERE name = {p} AND version = {p}"
)
DROP_SETTING = "DELETE FROM {settings} WHERE name = {p}"
FORGET_SETTINGS = "DELETE FROM {settings} WHERE expires_at <= {p}"

AUDIT = (
    "SELECT entry_id, at, actor, address, action, target, result FROM {audit} WHERE entry_id < {p}"
)
AUDIT_OF = " AND actor = {p}"
AUDIT_ABOUT = " AND action = {p}"
AUDIT_ORDER = " ORDER BY entry_id DESC LIMIT {limit}"

_KINDS = {column.name: column.kind for column in TASKS.columns}
T = TypeVar("T")


_PREFIX = re.compile(r"[a-z_][a-z0-9_]{0,39}")
"""What is no different in quotes, and leaves room for the longest name."""


class Statements:
    """The statements as one database wants them, under table names with *prefix*.

    Raises:
        ValueError: *prefix* cannot begin a name on every database.
    """

    def __init__(self, dialect: Dialect, prefix: str = "taskflow_") -> None:
        if not _PREFIX.fullmatch(prefix):
            raise ValueError(
                "prefix must be 1 to 40 lower-case letters, digits and _, beginning with a"
                f" letter or _, got {prefix!r}"
            )
        self.dialect = dialect
        self.prefix = prefix
        self._words = {
            **{table.name: prefix + table.name for table in TABLES},
            "p": dialect.placeholder,
            "record": ", ".join(RECORD_COLUMNS),
            "unfinished": UNFINISHED,
            "for_update": dialect.for_update,
            "skip_locked": dialect.skip_locked,
        }
        self.render = lru_cache(maxsize=256)(self._render)
        self.insert = lru_cache(maxsize=128)(self._insert)
        self.update = lru_cache(maxsize=64)(self._update)

    def _render(self, template: str, many: int = 0, limit: int = 0) -> str:
        """The statement with *many* placeholders in its list, and its limit."""
        marks = ", ".join([self.dialect.placeholder] * many)
        return template.format(**self._words, many=marks, limit=limit)

    def _insert(self, table: str, columns: Sequence[str], rows: int, tail: str) -> str:
        """An insert of so many rows at once."""
        values = self._values(len(columns), rows)
        return f"INSERT INTO {self._words[table]} ({', '.join(columns)}) VALUES {values} {tail}"  # noqa: S608  all ours

    def _update(self, columns: Sequence[str], rows: int) -> str:
        """Update so many tasks at once; parameters are the rows, then the owner they need.

        What may change and is not among the *columns* becomes NULL.
        """
        tasks, dialect = self._words["tasks"], self.dialect
        new = {
            name: dialect.given_column.format(number=number, type=dialect.types[_KINDS[name]])
            for number, name in enumerate(columns, start=1)
        }
        sets = [f"{name} = {self._set(name, new.get(name, 'NULL'))}" for name in UPDATED]
        found = [f"{tasks}.{name} = {new[name]}" for name in FOUND_BY]
        found += [f"{tasks}.owner = {dialect.placeholder}", f"{tasks}.{UNFINISHED}"]
        return dialect.update_many.format(
            tasks=tasks,
            sets=", ".join(sets),
            given=self._given(columns, rows),
            where=" AND ".join(found),
        )

    def _given(self, columns: Sequence[str], rows: int) -> str:
        """A table of so many rows of parameters, of the types of these columns of tasks."""
        if self.dialect.values:
            return f"VALUES {self._values(len(columns), rows)}"
        # The first part of a union names the columns, and its types count for all of it.
        names = ", ".join(f"{name} AS column{i}" for i, name in enumerate(columns, start=1))
        row = " UNION ALL SELECT " + ", ".join([self.dialect.placeholder] * len(columns))
        return f"SELECT {names} FROM {self._words['tasks']} WHERE FALSE{row * rows}"  # noqa: S608  all ours

    def _set(self, name: str, new: str) -> str:
        # Somebody else asks for a cancellation: an owner that does not know must not undo it.
        if name == "cancel_requested":
            return f"{self.dialect.greatest}({self._words['tasks']}.cancel_requested, {new})"
        return new

    def _values(self, width: int, rows: int) -> str:
        row = "(" + ", ".join([self.dialect.placeholder] * width) + ")"
        return ", ".join([row] * rows)

    def chunks(self, rows: Sequence[T], width: int, filler: T | None = None) -> Iterator[list[T]]:
        """*rows* in pieces that one statement takes.

        Where the driver keeps statements prepared, their lengths are such that there are few
        different ones: a piece is filled up with *filler*, or else its own last row.
        """
        most = (self.dialect.max_parameters - 1) // width
        if self.dialect.prepared:
            most -= most % _step(most)
        for start in range(0, len(rows), most):
            chunk = list(rows[start : start + most])
            if self.dialect.prepared:
                missing = -len(chunk) % _step(len(chunk))
                chunk += [chunk[-1] if filler is None else filler] * missing
            yield chunk

    def keep(self, column: str) -> str:
        """The tail of an insert that passes over rows already there; *column* is any one."""
        return self.dialect.on_conflict_keep.format(first=column)

    def merge(self, table: Table, sets: Iterable[tuple[str, str]]) -> str:
        """The tail of an insert that changes rows already there, by (column, expression).

        The expression may speak of ``{old}`` and ``{new}``.
        """
        dialect, name = self.dialect, self._words[table.name]
        changes = ", ".join(
            f"{column} = "
            + expression.format(
                old=dialect.old.format(table=name, column=column),
                new=dialect.new.format(column=column),
                least=dialect.least,
                greatest=dialect.greatest,
            )
            for column, expression in sets
        )
        return dialect.on_conflict.format(key=", ".join(table.key), sets=changes)


def _step(length: int) -> int:
    """What lengths near this one are multiples of: eight between a power of two and the next."""
    return 1 << max(0, length.bit_length() - 4)
