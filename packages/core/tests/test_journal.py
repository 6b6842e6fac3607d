"""Group commit: who waits for what, and what happens when the backend fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from fastapi_taskflow_core import (
    BackendUnavailable,
    CommitTimeout,
    LogEntry,
    TaskRecord,
    TaskStatus,
)
from fastapi_taskflow_core.backends.base import Batch, Written
from fastapi_taskflow_core.backends.memory import MemoryBackend
from fastapi_taskflow_core.engine.journal import CAPACITY, COMPANY, SILENCE, Journal
from fastapi_taskflow_core.surroundings import Surroundings
from fastapi_taskflow_testkit.clock import VirtualClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ME = "me"


class Store(MemoryBackend):
    """Notes what it is given; fails or waits when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[Batch] = []
        self.failures: list[Exception] = []
        self.poisoned: set[str] = set()
        self.open_gate = asyncio.Event()
        self.open_gate.set()
        self.reached = asyncio.Event()

    async def write(self, batch: Batch) -> Written:
        self.batches.append(batch)
        self.reached.set()
        await self.open_gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        if self.poisoned & {task.task_id for task in batch.inserts}:
            raise ValueError("cannot encode")
        return await super().write(batch)

    @property
    def written(self) -> list[list[str]]:
        return [[t.task_id for t in (*b.inserts, *b.updates)] for b in self.batches]


class Ears:
    """Hears what the backend did not take."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, ...]] = []

    def refused(self, task_id: str) -> None:
        self.heard.append(("refused", task_id))

    def duplicate(self, task_id: str, holder: str) -> None:
        self.heard.append(("duplicate", task_id, holder))


def a_task(number: int = 1, **changes: Any) -> TaskRecord:
    return replace(TaskRecord(f"task-{number}", "func", NOON, owner=ME), **changes)


def done(number: int = 1, **changes: Any) -> TaskRecord:
    end = {"status": TaskStatus.SUCCESS, "start_time": NOON, "end_time": NOON}
    return a_task(number, **end, **changes)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def ears() -> Ears:
    return Ears()


@pytest.fixture
def journal(store: Store, ears: Ears, clock: VirtualClock) -> Journal:
    return Journal(store, ME, ears, Surroundings(clock, random=lambda: 0.0))


async def test_before_the_start_nothing_is_written_unasked(
    journal: Journal, store: Store, clock: VirtualClock
) -> None:
    journal.put(done())
    clock.advance(60)
    await settle()
    assert store.batches == []
    await journal.flush()
    assert store.written == [["task-1"]]


async def test_what_was_put_before_the_start_is_written_after_it(
    journal: Journal, store: Store, clock: VirtualClock
) -> None:
    journal.put(done())
    journal.start()
    clock.advance(0.05)
    await settle()
    assert store.written == [["task-1"]]


async def test_finished_tasks_wait_a_moment_for_company(
    journal: Journal, store: Store, clock: VirtualClock
) -> None:
    journal.start()
    for number in range(3):
        journal.put(done(number))
        clock.advance(0.01)
        await settle()
    assert store.batches == []
    clock.advance(0.05)
    await settle()
    assert store.written == [["task-0", "task-1", "task-2"]]


async def test_a_running_task_is_seen_within_a_second_however_busy_it_is(
    journal: Journal, store: Store, clock: VirtualClock
) -> None:
    journal.start()
    journal.put(a_task(0, status=TaskStatus.RUNNING, start_time=NOON))
    for number in range(1, 30):
        journal.put(done(number))
        clock.advance(0.035)
        await settle()
    assert any("task-0" in ids for ids in store.written)


async def test_a_short_task_is_written_once(
    journal: Journal, store: Store, clock: VirtualClock
) -> None:
    journal.start()
    task = a_task(status=TaskStatus.RUNNING, start_time=NOON)
    journal.put(task)
    clock.advance(0.01)
    task.status, task.end_time = TaskStatus.SUCCESS, NOON
    journal.put(task)
    clock.advance(10)
    await settle()
    assert store.written == [["task-1"]]


async def test_a_commit_waits_for_what_was_put_and_is_durable(
    journal: Journal, store: Store
) -> None:
    journal.put(a_task(persist=True))
    await journal.commit()
    (batch,) = store.batches
    assert batch.durable
    assert await store.get("task-1") is not None


async def test_a_commit_with_nothing_to_write_returns_at_once(
    journal: Journal, store: Store
) -> None:
    await journal.commit()
    assert store.batches == []


async def test_commits_at_once_share_one_write(journal: Journal, store: Store) -> None:
    async def accept(number: int) -> None:
        journal.put(a_task(number, persist=True))
        await journal.commit()

    await asyncio.gather(*(accept(number) for number in range(10)))
    assert len(store.batches) <= 2
    assert sum(len(ids) for ids in store.written) == 10


async def test_commits_that_follow_turn_by_turn_share_one_write(
    journal: Journal, store: Store
) -> None:
    async def after(turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        journal.put(done(turns))
        await journal.commit()

    await asyncio.gather(*(after(turns) for turns in range(10)))
    assert len(store.batches) == 1


async def test_a_commit_does_not_wait_for_company_without_end(
    journal: Journal, store: Store, clock: VirtualClock
) -> None:
    joining = []
    while not store.batches:
        assert len(joining) < 100
        journal.put(done(len(joining)))
        joining.append(asyncio.ensure_future(journal.commit()))
        await asyncio.sleep(0)
        clock.advance(COMPANY / 10)
    await asyncio.gather(*joining)


async def test_a_commit_does_not_wait_for_more_company_than_the_last_one_had(
    journal: Journal, store: Store
) -> None:
    async def accept(number: int) -> None:
        journal.put(done(number))
        await journal.commit()

    await asyncio.gather(accept(1), accept(2))
    writes = len(store.batches)
    again = [asyncio.ensure_future(accept(number)) for number in (3, 4)]
    for _ in range(2):  # one turn to join in, one for the journal
        await asyncio.sleep(0)
    assert store.written[writes:] == [["task-3", "task-4"]]
    await asyncio.gather(*again)


async def test_a_commit_during_a_write_waits_for_the_next_one(
    journal: Journal, store: Store
) -> None:
    store.open_gate.clear()
    journal.put(a_task(1, persist=True))
    first = asyncio.ensure_future(journal.commit())
    await store.reached.wait()
    journal.put(a_task(2, persist=True))
    second = asyncio.ensure_future(journal.commit())
    await settle()
    assert not first.done()
    assert not second.done()
    store.open_gate.set()
    await first
    await second
    assert store.written == [["task-1"], ["task-2"]]


async def test_what_is_being_written_is_committed_when_the_write_is_done(
    journal: Journal, store: Store
) -> None:
    store.open_gate.clear()
    journal.put(a_task(persist=True))
    first = asyncio.ensure_future(journal.flush())
    await store.reached.wait()
    second = asyncio.ensure_future(journal.commit())
    await settle()
    assert not second.done()
    store.open_gate.set()
    await asyncio.gather(first, second)
    assert store.batches[0].durable


async def test_a_commit_takes_no_longer_than_it_may(
    journal: Journal, store: Store, clock: VirtualClock
) -> None:
    store.open_gate.clear()
    journal.put(a_task(persist=True))
    committing = asyncio.ensure_future(journal.commit(5))
    await store.reached.wait()
    clock.advance(4.9)
    await settle()
    assert not committing.done()
    clock.advance(0.2)
    with pytest.raises(CommitTimeout, match="5 s"):
        await committing
    store.open_gate.set()
    await journal.flush()
    assert await store.get("task-1") is not None


async def test_who_has_less_time_gives_up_first(
    journal: Journal, store: Store, clock: VirtualClock
) -> None:
    store.open_gate.clear()
    journal.put(a_task(persist=True))
    patient = asyncio.ensure_future(journal.commit(5))
    hasty = asyncio.ensure_future(journal.commit(1))
    await store.reached.wait()
    clock.advance(1.1)
    with pytest.raises(CommitTimeout, match="1 s"):
        await hasty
    assert not patient.done()
    clock.advance(4)
    with pytest.raises(CommitTimeout, match="5 s"):
        await patient


async def test_what_was_withdrawn_in_doubt_is_gone_in_the_end(
    journal: Journal, store: Store, clock: VirtualClock
) -> None:
    store.open_gate.clear()
    task = a_task(persist=True)
    journal.put(task)
    committing = asyncio.ensure_future(journal.commit(5))
    await store.reached.wait()
    clock.advance(6)
    with pytest.raises(CommitTimeout):
        await committing
    journal.withdraw(task)
    store.open_gate.set()
    await journal.flush()
    assert await store.get("task-1") is None


async def test_who_stops_waiting_does_not_stop_the_writing(journal: Journal, store: Store) -> None:
    store.open_gate.clear()
    journal.put(a_task(persist=True))
    committing = asyncio.ensure_future(journal.commit())
    await store.reached.wait()
    committing.cancel()
    await asyncio.wait([committing])
    store.open_gate.set()
    await journal.flush()
    assert await store.get("task-1") is not None


async def test_a_failed_write_is_tried_again_until_it_succeeds(
    journal: Journal, store: Store
) -> None:
    store.failures = [BackendUnavailable("locked"), BackendUnavailable("locked")]
    journal.put(a_task(persist=True))
    journal.log("task-1", LogEntry(1, NOON, 0, "info", "hello"))
    await journal.commit()
    assert store.written == [["task-1"]] * 3
    assert all(batch.durable for batch in store.batches)
    assert len(await store.logs("task-1")) == 1
    assert (journal.lag, journal.last_error, journal.buffered) == (0.0, None, 0)


async def test_while_it_fails_the_journal_says_since_when_and_why(
    journal: Journal, store: Store, clock: VirtualClock
) -> None:
    store.failures = [BackendUnavailable("locked")]
    journal.put(done())
    flushing = asyncio.ensure_future(journal.flush())
    await store.reached.wait()
    await settle()
    clock.advance(7)
    assert (journal.lag, journal.last_error, journal.buffered) == (7.0, "locked", 1)
    await flushing


async def test_a_long_outage_drops_unpromised_history_and_counts_it(
    journal: Journal, store: Store
) -> None:
    for number in range(CAPACITY + 10):
        journal.put(done(number))
    journal.put(a_task(CAPACITY + 10, persist=True))
    store.failures = [BackendUnavailable("away")]
    await journal.flush()
    assert journal.dropped == 11
    assert await store.get(f"task-{CAPACITY + 10}") is not None
    assert await store.get("task-0") is None


async def test_a_silence_is_an_outage_too(
    journal: Journal, store: Store, clock: VirtualClock
) -> None:
    journal.start()
    store.open_gate.clear()
    journal.put(done(-1))
    clock.advance(0.05)
    await store.reached.wait()
    for number in range(CAPACITY + 10):
        journal.put(done(number))
    clock.advance(SILENCE / 2)
    assert journal.dropped == 0  # it may just be slow
    clock.advance(SILENCE)
    assert (journal.dropped, journal.buffered) == (10, CAPACITY)
    store.open_gate.set()
    await journal.flush()
    first, rest = store.written
    assert (first, rest[0], len(rest)) == (["task--1"], "task-10", CAPACITY)


@pytest.mark.parametrize("failures", [[], [BackendUnavailable("away")]])
async def test_a_silence_makes_nobody_forget_how_a_task_ended_that_was_sent_before(
    journal: Journal, store: Store, clock: VirtualClock, failures: list[Exception]
) -> None:
    store.failures = failures
    store.open_gate.clear()
    journal.start()
    journal.put(a_task(0))
    flushing = asyncio.ensure_future(journal.flush())
    await store.reached.wait()  # as one that is not finished
    for number in range(CAPACITY + 10):
        journal.put(done(number))
    clock.advance(2 * SILENCE)
    assert journal.dropped == 10
    store.open_gate.set()
    await flushing
    await journal.flush()
    stored = await store.get("task-0")
    assert stored is not None
    assert stored.status is TaskStatus.SUCCESS


@pytest.mark.parametrize("number", [1, 2, 5])
async def test_what_cannot_be_stored_does_not_hold_up_the_rest(
    journal: Journal, store: Store, ears: Ears, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    store.poisoned = {"task-0"}
    for each in range(number):
        journal.put(a_task(each, persist=True))
    await journal.commit()
    assert [await store.get(f"task-{each}") is not None for each in range(number)] == [
        False,
        *[True] * (number - 1),
    ]
    assert (journal.dropped, journal.buffered) == (1, 0)
    assert ears.heard == [("refused", "task-0")]
    assert "task-0" in caplog.text


async def test_a_refused_change_is_heard_and_not_tried_again(
    journal: Journal, store: Store, ears: Ears
) -> None:
    journal.adopt([a_task()])
    journal.put(done())
    await journal.flush()
    await journal.flush()
    assert ears.heard == [("refused", "task-1")]
    assert len(store.batches) == 1


async def test_a_duplicate_is_heard_with_its_holder(
    journal: Journal, store: Store, ears: Ears
) -> None:
    journal.put(a_task(1, idempotency_key="k"))
    await journal.flush()
    journal.put(a_task(2, idempotency_key="k"))
    await journal.flush()
    assert ears.heard == [("duplicate", "task-2", "task-1")]


def not_at_all(store: Store) -> None:
    """The store works."""


def hanging(store: Store) -> None:
    store.open_gate.clear()


def failing(store: Store) -> None:
    store.failures = [BackendUnavailable("away")] * 100


@pytest.mark.parametrize(("trouble", "left"), [(not_at_all, 0), (hanging, 1), (failing, 1)])
async def test_a_stop_writes_what_is_left_or_says_that_it_could_not(
    store: Store,
    ears: Ears,
    trouble: Callable[[Store], None],
    left: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    journal = Journal(store, ME, ears, Surroundings())
    journal.start()
    journal.put(a_task())
    trouble(store)
    async with asyncio.timeout(30):
        await journal.stop(0.05)
    assert journal.buffered == left
    assert ("did not take" in caplog.text) is bool(left)


async def test_without_a_start_the_journal_does_not_grow_for_ever(
    journal: Journal, store: Store
) -> None:
    for number in range(CAPACITY + 100):
        journal.put(done(number))
    await settle()
    assert journal.buffered < 200
