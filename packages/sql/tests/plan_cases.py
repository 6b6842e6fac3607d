"""Lists that must be read along an index, whatever the database."""

from __future__ import annotations

from datetime import datetime

import pytest

from fastapi_taskflow_core.backends.base import Cursor, Query
from fastapi_taskflow_core.records import TaskStatus

TAGS = "the tags' own"
"""Stands for what a database calls the index of a table in its own order."""
FAILED, CANCELLED = TaskStatus.FAILED, TaskStatus.CANCELLED
LISTS = [
    (Query(), "taskflow_tasks_created"),
    (Query(statuses=frozenset({FAILED})), "taskflow_tasks_status"),
    (Query(statuses=frozenset({FAILED, CANCELLED})), "taskflow_tasks_status"),
    (Query(func_name="f1"), "taskflow_tasks_func"),
    (Query(queue="email"), "taskflow_tasks_queue"),
    (Query(retry_of="x"), "taskflow_tasks_retry"),
    (Query(tag="n=7"), TAGS),
]
WHAT_MOST_ARE = [
    (Query(statuses=frozenset({TaskStatus.SUCCESS})), "taskflow_tasks_status"),
    (Query(queue="default"), "taskflow_tasks_queue"),
]
"""Left out of the index where an index may be partial, and read along the creation there."""
each_list = pytest.mark.parametrize(
    ("query", "index"), [*LISTS, *((query, "taskflow_tasks_created") for query, _ in WHAT_MOST_ARE)]
)
each_list_of_whole_indexes = pytest.mark.parametrize(("query", "index"), LISTS + WHAT_MOST_ARE)


def each_cursor(middle: datetime) -> pytest.MarkDecorator:
    """From the beginning, and both ways from the middle."""
    cursors = [None, Cursor(middle, "x"), Cursor(middle, "x", "newer")]
    return pytest.mark.parametrize("cursor", cursors)
