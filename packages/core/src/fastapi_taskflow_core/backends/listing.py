"""Filters, order and pages of task lists, for backends that keep records as objects."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from operator import attrgetter

from ..records import TaskRecord
from .base import Cursor, Page, Query

_place: Callable[[TaskRecord], tuple[datetime, str]] = attrgetter("created_at", "task_id")


def page(tasks: Iterable[TaskRecord], query: Query) -> Page:
    """The page of *tasks* that *query* asks for, without copying them."""
    if query.limit < 1:
        return Page(())
    oldest_first = sorted((task for task in tasks if matches(task, query)), key=_place)
    start, end = _slice([_place(task) for task in oldest_first], query)
    shown = oldest_first[start:end][::-1]
    if not shown:
        return Page(())
    return Page(
        shown,
        next=Cursor(*_place(shown[-1]), "older") if start > 0 else None,
        previous=Cursor(*_place(shown[0]), "newer") if end < len(oldest_first) else None,
    )


def _slice(places: Sequence[tuple[datetime, str]], query: Query) -> tuple[int, int]:
    if query.cursor is None:
        return max(0, len(places) - query.limit), len(places)
    here = (query.cursor.created_at, query.cursor.task_id)
    end = bisect_left(places, here)
    if query.cursor.direction == "older":
        return max(0, end - query.limit), end
    start = end + 1 if end < len(places) and places[end] == here else end
    return start, min(len(places), start + query.limit)


def matches(task: TaskRecord, query: Query) -> bool:
    """Whether *task* passes all filters of *query*."""
    return (
        (not query.statuses or task.status in query.statuses)
        and (query.func_name is None or task.func_name == query.func_name)
        and (query.queue is None or task.queue == query.queue)
        and (query.source is None or task.source == query.source)
        and (query.since is None or task.created_at >= query.since)
        and (query.until is None or task.created_at < query.until)
        and (query.retry_of is None or task.retry_of == query.retry_of)
        and (query.owner is None or (task.owner == query.owner and not task.status.finished))
        and (not query.tag or _tagged(task, query.tag))
        and (not query.text or _contains(query.text, task.func_name, task.error, task.task_id))
        and (not query.error or _contains(query.error, task.error))
        and (not query.id_start or _folded(task.task_id).startswith(_folded(query.id_start)))
    )


def _tagged(task: TaskRecord, tag: str) -> bool:
    tags = task.tags or {}
    name, equals, value = tag.partition("=")
    return tags.get(name) == value if equals else name in tags


def _contains(word: str, *texts: str | None) -> bool:
    wanted = _folded(word)
    return any(wanted in _folded(text or "") for text in texts)


def _folded(text: str) -> bytes:
    # Bytes know the case of ASCII letters only, as the contract has it.
    return text.encode("utf-8", "surrogatepass").lower()
