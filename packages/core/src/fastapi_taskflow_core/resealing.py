"""Keys come and go: which ones stored tasks need, and sealing their arguments anew."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from .backends.base import PayloadChange, Query, TaskReader, TaskStore
from .engine.journal import Journal
from .engine.live import Live
from .errors import PayloadError
from .records import RETRYABLE, UNFINISHED, TaskRecord, TaskStatus
from .sealing import Sealer

logger = logging.getLogger(__name__)

PLAIN = "none"
"""Stands for the key of arguments that are not encrypted."""
_NEEDED = UNFINISHED | RETRYABLE
_AT_ONCE = 200


async def keys_needed(
    reader: TaskReader, sealer: Sealer, statuses: frozenset[TaskStatus] = _NEEDED
) -> dict[str, int]:
    """How many tasks need each key; of those that may still run or be retried, or as told."""
    needed = Counter[str]()
    async for tasks in _pages(reader, statuses):
        for task in tasks:
            if task.payload is not None:
                needed[sealer.key_of(task.payload) or PLAIN] += 1
    return dict(needed)


async def warn_of_missing_keys(reader: TaskReader, sealer: Sealer) -> None:
    """Log which keys waiting tasks need that are not there."""
    needed = await keys_needed(reader, sealer, UNFINISHED)
    for name in needed.keys() - {PLAIN, *sealer.keys()}:
        logger.warning(
            "%d waiting tasks are encrypted with key %s, which is not configured:"
            " they cannot run until it is in encrypt_args_key again",
            needed[name],
            name,
        )


def reseal_held(live: Live, journal: Journal, sealer: Sealer) -> None:
    """Seal with the first key the arguments of the unfinished tasks of this instance."""
    for task in live:
        if task.record.payload is not None:
            with contextlib.suppress(PayloadError):  # it stays as it is, and fails as it is
                task.record.payload = sealer.reseal(task.record)
                journal.put(task.record)


async def reseal_stored(reader: TaskReader, store: TaskStore, sealer: Sealer) -> int:
    """Seal with the first key the arguments of tasks that nobody holds; how many there were.

    What a living instance holds is left to it: it would write back what it has.
    """
    changed = 0
    async for tasks in _pages(reader, _NEEDED):
        changes = [
            change
            for task in tasks
            if (task.owner is None or task.status.finished)
            and (change := _resealed(task, sealer)) is not None
        ]
        if changes:
            changed += await store.replace_payloads(changes)
    return changed


def _resealed(task: TaskRecord, sealer: Sealer) -> PayloadChange | None:
    if task.payload is None or sealer.key_of(task.payload) == sealer.keys()[0]:
        return None
    try:
        return PayloadChange(task.task_id, task.payload, sealer.reseal(task))
    except PayloadError as error:
        logger.warning("task %s stays as it is: %s", task.task_id, error)
        return None


async def _pages(
    reader: TaskReader, statuses: frozenset[TaskStatus]
) -> AsyncIterator[Sequence[TaskRecord]]:
    query: Query | None = Query(statuses=statuses, limit=_AT_ONCE)
    while query is not None:
        page = await reader.query(query)
        yield page.tasks
        query = None if page.next is None else replace(query, cursor=page.next)
