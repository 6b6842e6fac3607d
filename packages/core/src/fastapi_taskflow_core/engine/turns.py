"""Whose turn it is: a task begins when its queue and its executor have room for it.

One rule for priorities, named queues and the limits of executors: of all tasks that wait
and could begin, the one with the highest priority does, and among equals the one that has
waited longest.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from ..options import QueueConfig
from ..records import DEFAULT_QUEUE, ExecutorKind
from .live import LiveTask
from .queues import NO_LIMIT, Called, Place, Queue, QueueStats

logger = logging.getLogger(__name__)

_Entry = tuple[int, int, Place]


class _Seats:
    """The room of one executor."""

    __slots__ = ("limit", "taken")

    def __init__(self, limit: int | None) -> None:
        self.limit = limit or NO_LIMIT
        self.taken = 0


class Turns:
    """Every task that waits for room here, and how much room there is.

    Args:
        queues: The limits of the queues that there are besides the default one.
        room: How many tasks each executor runs at once; None is any number.
    """

    def __init__(
        self, queues: Mapping[str, QueueConfig], room: Mapping[ExecutorKind, int | None]
    ) -> None:
        named = {DEFAULT_QUEUE: QueueConfig(), **queues}
        self._queues = {name: Queue(name, config) for name, config in named.items()}
        self._default = self._queues[DEFAULT_QUEUE]
        self._seats = {kind: _Seats(limit) for kind, limit in room.items()}
        self._lines: dict[tuple[Queue, ExecutorKind], list[_Entry]] = {}
        self._arrivals = itertools.count()
        self._calling: asyncio.Handle | None = None
        self._unknown: set[str] = set()

    @property
    def running(self) -> int:
        """How many tasks have room."""
        return sum(seats.taken for seats in self._seats.values())

    def known(self, name: str) -> str:
        """*name*, or the default queue's where there is no such queue: said once."""
        if name in self._queues:
            return name
        if name not in self._unknown:
            self._unknown.add(name)
            logger.warning(
                "there is no queue %r, its tasks go to %r: name it in TaskManager(queues=)",
                name,
                DEFAULT_QUEUE,
            )
        return DEFAULT_QUEUE

    def queue(self, name: str) -> Queue:
        """The queue of this name.

        Raises:
            LookupError: There is none.
        """
        try:
            return self._queues[name]
        except KeyError:
            known = ", ".join(map(repr, self._queues))
            raise LookupError(f"no queue {name!r}: there are {known}") from None

    def stats(self) -> dict[str, QueueStats]:
        """Every queue as it stands, by name."""
        waits = self._next_since()
        return {
            name: replace(queue.stats(), next_since=waits.get(name))
            for name, queue in self._queues.items()
        }

    def _next_since(self) -> dict[str, datetime]:
        """Since when the head of each queue's line waits. From any thread."""
        found: dict[str, datetime] = {}
        for (queue, _), line in list(self._lines.items()):
            for _, _, place in line[:1]:
                record = place.task.record
                since = record.run_at or record.created_at
                found[queue.name] = min(since, found.get(queue.name, since))
        return found

    def reserve(self, task: LiveTask) -> bool:
        """Promise *task* a place in its queue; False if that is full. From any thread."""
        queue = self._queues.get(task.record.queue, self._default)
        if queue.bounded:
            if not queue.try_to_join():
                return False
            task.place = Place(queue, task)
        return True

    def enter(self, task: LiveTask) -> bool:
        """Take room for *task* if nobody waits and there is some."""
        record = task.record
        queue = self._queues.get(record.queue, self._default)
        seats = self._seats[record.executor]
        if self._lines or queue.running >= queue.limit or seats.taken >= seats.limit:
            return False
        queue.running += 1
        seats.taken += 1
        if task.place is not None:
            task.place.give_up(begins=True)
            task.place = None
        return True

    def wait(self, task: LiveTask, called: Called) -> None:
        """Put *task* in line. *called* is told when it has room, or that it never will."""
        queue = self._queues.get(task.record.queue, self._default)
        place = task.place
        if place is None:
            place = task.place = Place(queue, task)
            queue.join()
        place.wait(called)
        line = self._lines.setdefault((queue, task.record.executor), [])
        heapq.heappush(line, (-(task.record.priority or 0), next(self._arrivals), place))
        self.call_soon()

    def leave(self, task: LiveTask) -> None:
        """*task* needs its room no more, or not once its thread is free."""
        leftover = task.leftover
        if leftover is not None and not leftover.done():
            leftover.add_done_callback(lambda _: self._free(task))
        else:
            self._free(task)

    def call_soon(self) -> None:
        """Let those begin that can, before the event loop waits for anything.

        Outside of an event loop nothing waits, so there is nothing to do.
        """
        if self._calling is None and self._lines:
            self._calling = asyncio.get_running_loop().call_soon(self._call)

    def _free(self, task: LiveTask) -> None:
        record = task.record
        self._queues.get(record.queue, self._default).running -= 1
        self._seats[record.executor].taken -= 1
        if self._lines:
            self.call_soon()

    def _call(self) -> None:
        self._calling = None
        while (found := self._first()) is not None:
            line, queue, seats = found
            _, _, place = heapq.heappop(line)
            place.task.place = None
            queue.running += 1
            seats.taken += 1
            place.give_up(begins=True)
        for key in [key for key, line in self._lines.items() if not line]:
            del self._lines[key]

    def _first(self) -> tuple[list[_Entry], Queue, _Seats] | None:
        """The line whose head is next."""
        return min(self._open(), key=lambda found: found[0][0][:2], default=None)

    def _open(self) -> Iterator[tuple[list[_Entry], Queue, _Seats]]:
        for (queue, kind), line in self._lines.items():
            while line and line[0][2].void:
                heapq.heappop(line)
            seats = self._seats[kind]
            if line and queue.running < queue.limit and seats.taken < seats.limit:
                yield line, queue, seats
