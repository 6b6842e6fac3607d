"""The read side: what pages, API and callers ask about tasks.

There is one truth, the backend. Every question first flushes what this process has not
written yet, so that whoever asks sees what this process did. Charts show what is added later to
steps long past within a minute (`charts.py`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from . import metrics
from .backends.base import InstanceInfo, Page, Query, RollupQuery, TaskReader, TaskStore, Unfinished
from .charts import Charts, Wanted
from .counts import Counts, by_function
from .errors import TaskNotFound
from .metrics import Drawing, Metrics, Series, SeriesBucket, SeriesRange, Subject, Window
from .records import LogEntry, TaskRecord
from .rollups import RollupKey, RollupValue
from .sealing import with_words_hidden
from .surroundings import Clock

LOGS_SHOWN = 1_000
BITE = 500


class History:
    """Everything that was and is, of all instances that share the backend.

    All methods raise `BackendUnavailable` when the storage cannot be reached now.
    """

    def __init__(
        self,
        reader: TaskReader,
        store: TaskStore,
        flush: Callable[[], Awaitable[None]],
        clock: Clock,
    ) -> None:
        self._reader = reader
        self._store = store
        self._flush = flush
        self._clock = clock
        self._charts = Charts(reader, clock)

    def now(self) -> datetime:
        """The present by the clock that ages are counted from, aware UTC."""
        return self._clock.now()

    async def get(self, task_id: str, *, logs: bool = True, shown: bool = True) -> TaskRecord:
        """One task, with its first 1,000 log lines unless told otherwise.

        Args:
            task_id: Its id.
            logs: Whether its log lines are wanted.
            shown: Whether what is encrypted of its words is replaced by ``encrypted``.

        Raises:
            TaskNotFound: no task has this id.
        """
        await self._flush()
        found = await self._reader.get(task_id)
        if found is None:
            raise TaskNotFound(task_id)
        task = found.copy()
        if logs:
            task.logs = tuple(await self._reader.logs(task_id, limit=LOGS_SHOWN))
        return with_words_hidden(task) if shown else task

    async def query(self, query: Query) -> Page:
        """One page of tasks, newest first, without their logs."""
        await self._flush()
        page = await self._reader.query(query)
        return replace(page, tasks=[with_words_hidden(task) for task in page.tasks])

    async def logs(
        self, task_id: str, after: int = 0, limit: int = 200, *, latest: bool = False
    ) -> Sequence[LogEntry]:
        """At most *limit* log lines with ``seq > after``, in order: the first, or the latest.

        Raises:
            TaskNotFound: no task has this id.
        """
        await self.get(task_id, logs=False)
        return await self._reader.logs(task_id, after, limit, latest=latest)

    async def metrics(self) -> Metrics:
        """The figures of all time, tasks no longer kept included."""
        return metrics.summarize(*await self._ever())

    async def counts(self) -> Mapping[str, Counts]:
        """How many tasks of each function ended or stand in each status, of all time."""
        return by_function(*await self._ever(buckets=False))

    async def _ever(
        self, *, buckets: bool = True
    ) -> tuple[Mapping[RollupKey, RollupValue], Mapping[Unfinished, int]]:
        await self._flush()
        finished = await self._reader.rollups(RollupQuery("hour", buckets=buckets))
        return finished, await self._reader.unfinished()

    async def series(
        self, span: SeriesRange, func_name: str | None = None, queue: str | None = None
    ) -> Series:
        """The chart of the last 15 minutes to 30 days, of one function or queue or of all."""
        return await self.chart(metrics.window(span, self.now()), func_name, queue)

    async def chart(
        self, shown: Window, func_name: str | None = None, queue: str | None = None
    ) -> Series:
        """The chart of a window, of one function or queue or of all."""
        return (await self._drawn(Wanted(shown, func_name, queue))).series(shown)

    async def charts(self, subject: Subject, shown: Window) -> Mapping[str, Series]:
        """The charts of all functions, or of all queues, in which something happened."""
        await self._flush()
        drawn = await self._charts.drawn(Wanted(shown, subject=subject))
        return {name: each.series(shown) for name, each in drawn.items()}

    async def total(self, shown: Window, func_name: str | None = None) -> SeriesBucket:
        """What happened in a window, in one sum."""
        drawn = await self._drawn(Wanted(shown, func_name, stepped=False))
        return drawn.whole.bucket(shown.since)

    async def _drawn(self, wanted: Wanted) -> Drawing:
        await self._flush()
        return (await self._charts.drawn(wanted)).get("", Drawing())

    async def instances(self) -> Sequence[InstanceInfo]:
        """Every instance that shares the backend, the longest started first."""
        await self._flush()
        return await self._reader.instances()

    async def delete_older_than(self, age: timedelta) -> int:
        """Remove the tasks that finished longer ago than *age*, in small bites.

        Returns:
            How many were removed.
        """
        await self._flush()
        before = self.now() - age
        deleted = 0
        while gone := await self._store.delete(before, BITE):
            deleted += gone
        return deleted
