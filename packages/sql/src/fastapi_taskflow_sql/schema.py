"""The tables, as data. A dialect says how a kind of column is spelled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "id", "word", "name", "label", "text", "json", "int", "bigint", "real", "flag", "hash", "blob"
]
"""``id`` (up to 128 characters), ``word`` (32, one of a few), ``name`` (200) and ``label`` (520)
are texts that keys are made of, compared byte by byte; ``bigint`` holds microseconds, ``hash`` 32
bytes."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column; ``null`` says whether it may be absent, ``default`` is SQL."""

    name: str
    kind: Kind
    null: bool = False
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Index:
    """An index. ``where`` leaves rows out on dialects that can; it is a matter of speed only."""

    name: str
    columns: tuple[str, ...]
    unique: bool = False
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table. ``clustered``: rows are small and always found by their key."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    indexes: tuple[Index, ...] = ()
    clustered: bool = False


UNFINISHED = "finished_at IS NULL"
"""Statements about unfinished tasks say exactly this, so that partial indexes are used."""
NOT_SUCCESS = "status <> 'success'"
NOT_DEFAULT_QUEUE = "queue <> 'default'"

# Every index costs a finished task about as much as the row itself, so the two values that
# nearly all rows share have none: a list of them is as quick along created_at. The last
# part of the order, the id, only sorts tasks of the same microsecond and is in no index.
# Columns that can be long stand last: what is read of a row before them needs no extra page.
TASKS = Table(
    name="tasks",
    columns=(
        Column("task_id", "id"),
        Column("func_name", "name"),
        Column("created_at", "bigint"),
        Column("status", "word"),
        Column("queue", "name"),
        Column("start_time", "bigint", null=True),
        Column("end_time", "bigint", null=True),
        Column("finished_at", "bigint", null=True),
        Column("run_at", "bigint", null=True),
        Column("due_at", "bigint", default="0"),
        Column("priority", "bigint", null=True),
        Column("precedence", "bigint", default="0"),
        Column("retries_used", "int", default="0"),
        Column("crashes", "int", default="0"),
        Column("epoch", "int", default="1"),
        Column("owner", "id", null=True),
        Column("persist", "flag", default="0"),
        Column("requeue_on_interrupt", "flag", default="0"),
        Column("cancel_requested", "flag", default="0"),
        Column("source", "word", default="'manual'"),
        Column("executor", "word"),
        Column("retry_of", "id", null=True),
        Column("key_hash", "hash", null=True),
        Column("idempotency_key", "text", null=True),
        Column("progress", "json", null=True),
        Column("tags", "json", null=True),
        Column("error", "text", null=True),
        Column("earlier", "json", null=True),
        Column("result", "text", null=True),
        Column("stacktrace", "text", null=True),
        Column("payload", "blob", null=True),
    ),
    key=("task_id",),
    indexes=(
        Index("tasks_created", ("created_at",)),
        Index("tasks_status", ("status", "created_at"), where=NOT_SUCCESS),
        Index("tasks_func", ("func_name", "created_at")),
        Index("tasks_queue", ("queue", "created_at"), where=NOT_DEFAULT_QUEUE),
        Index("tasks_finished", ("finished_at",), where="finished_at IS NOT NULL"),
        Index("tasks_key", ("key_hash",), unique=True, where="key_hash IS NOT NULL"),
        Index("tasks_retry", ("retry_of",), where="retry_of IS NOT NULL"),
        Index("tasks_cancel", ("cancel_requested", "owner"), where="cancel_requested = 1"),
        Index(
            "tasks_due",
            ("owner", "status", "precedence", "due_at", "task_id"),
            where=UNFINISHED,
        ),
    ),
)

LOGS = Table(
    name="logs",
    columns=(
        Column("task_id", "id"),
        Column("seq", "int"),
        Column("time", "bigint"),
        Column("attempt", "int"),
        Column("level", "word"),
        Column("message", "text"),
        Column("extra", "json", null=True),
    ),
    key=("task_id", "seq"),
    clustered=True,
)

# Each tag stands here twice, as "name=value" and as "name", so that both questions are one.
TAGS = Table(
    name="tags",
    columns=(Column("tag", "label"), Column("created_at", "bigint"), Column("task_id", "id")),
    key=("tag", "created_at", "task_id"),
    indexes=(Index("tags_task", ("task_id",)),),
    clustered=True,
)

ALIASES = Table(
    name="aliases",
    columns=(Column("alias_id", "id"), Column("task_id", "id")),
    key=("alias_id",),
    indexes=(Index("aliases_task", ("task_id",)),),
    clustered=True,
)

# "era" names the run of the lease clock that "beat_at" was read from.
INSTANCES = Table(
    name="instances",
    columns=(
        Column("instance", "id"),
        Column("host", "name"),
        Column("pid", "bigint"),
        Column("version", "name"),
        Column("started_at", "bigint"),
        Column("running", "int"),
        Column("waiting", "int"),
        Column("loop_lag", "real"),
        Column("draining", "flag"),
        Column("lease", "bigint"),
        Column("beat_at", "bigint"),
        Column("era", "name"),
        Column("dead", "flag"),
    ),
    key=("instance",),
)

ROLLUPS = Table(
    name="rollups",
    columns=(
        Column("resolution", "word"),
        Column("start", "bigint"),
        Column("func_name", "name"),
        Column("queue", "name"),
        Column("event", "word"),
        Column("bucket", "int"),
        Column("n", "bigint"),
        Column("total", "bigint"),
        Column("low", "bigint"),
        Column("high", "bigint"),
    ),
    key=("resolution", "start", "func_name", "queue", "event", "bucket"),
    clustered=True,
)

SLOTS = Table(
    name="slots",
    columns=(
        Column("schedule", "name"),
        Column("at", "bigint"),
        Column("outcome", "word"),
        Column("task_id", "id", null=True),
    ),
    key=("schedule", "at"),
    clustered=True,
)

# Tasks that wait for their hour under a key of the caller's.
LATER = Table(
    name="later",
    columns=(
        Column("run_key_hash", "hash"),
        Column("run_key", "text"),
        Column("waiting_id", "id"),
    ),
    key=("run_key_hash",),
    indexes=(Index("later_task", ("waiting_id",)),),
)

SETTINGS = Table(
    name="settings",
    columns=(
        Column("name", "name"),
        Column("value", "text"),
        Column("version", "bigint"),
        Column("expires_at", "bigint", null=True),
    ),
    key=("name",),
    indexes=(Index("settings_expiry", ("expires_at",), where="expires_at IS NOT NULL"),),
)

AUDIT = Table(
    name="audit",
    columns=(
        Column("entry_id", "id"),
        Column("at", "bigint"),
        Column("actor", "name"),
        Column("address", "name"),
        Column("action", "name"),
        Column("target", "text"),
        Column("result", "text"),
    ),
    key=("entry_id",),
    indexes=(Index("audit_actor", ("actor", "entry_id")),),
)

META = Table(
    name="meta",
    columns=(Column("name", "name"), Column("value", "text")),
    key=("name",),
)

TABLES = (
    META, TASKS, LOGS, TAGS, ALIASES, INSTANCES, ROLLUPS, SLOTS, LATER, SETTINGS, AUDIT
)  # fmt: skip
