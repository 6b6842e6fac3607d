"""What open dashboards are told: frames, the ring they are resumed from, and the hub."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from fake_manager import NOON, FakeManager, task

from fastapi_taskflow_admin.live import frames
from fastapi_taskflow_admin.live.frames import Ring, Tallying
from fastapi_taskflow_admin.live.hub import LINGER, Client, Hub
from fastapi_taskflow_core.engine.feed import Change, Moved, Said
from fastapi_taskflow_core.health import Health
from fastapi_taskflow_core.records import LogEntry, TaskStatus

PENDING, RUNNING = TaskStatus.PENDING, TaskStatus.RUNNING


def read(told: bytes) -> list[dict]:
    """The events of some frames, with their data."""
    events = []
    for block in told.decode().split("\n\n")[:-1]:
        fields = dict(line.partition(": ")[::2] for line in block.splitlines())
        events.append({**json.loads(fields["data"]), "event": fields["event"]})
    return events


class Beats:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.waiting: asyncio.Future[None] | None = None

    async def pause(self, seconds: float) -> None:
        self.waiting = asyncio.get_running_loop().create_future()
        await self.waiting

    async def pass_(self) -> None:
        while self.waiting is None:  # noqa: ASYNC110  there is no event for it
            await asyncio.sleep(0)
        waited, self.waiting = self.waiting, None
        waited.set_result(None)
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.fixture
def beats() -> Beats:
    return Beats()


@pytest.fixture
def hub(manager: FakeManager, beats: Beats) -> Iterator[Hub]:
    return Hub(manager, beats.pause)


def test_a_tally_names_tasks_once_and_counts_everything():
    tallying, one = Tallying(), task(1, RUNNING)
    tallying.hear(Change(task(1, PENDING), None))
    tallying.hear(Change(one, PENDING))
    tallying.hear(Said(one, LogEntry(1, NOON, 0, "info", "hi", None)))
    tallying.hear(Moved(one))
    tally = tallying.take()
    assert (tally.happened, tally.created, tally.ids, tally.more) == (4, 1, ("task-0001",), False)
    assert +tally.moved == {RUNNING: 1}
    assert tallying.take().happened == 0


def test_a_tally_stays_small_whatever_happens():
    tallying = Tallying()
    for number in range(5_000):
        tallying.hear(Change(task(number, PENDING), None))
    tally = tallying.take()
    assert (tally.happened, len(tally.ids), tally.more) == (5_000, frames.MOST_IDS, True)


def test_the_largest_tick_fits_four_kilobytes():
    tallying = Tallying()
    for number in range(1_000):
        full = task(number, PENDING)
        full.task_id = f"0193a1b2-0000-7000-8000-{number:012}"
        tallying.hear(Change(full, None))
    counts = dict.fromkeys(TaskStatus, 10**12)
    told = frames.frame(
        "tick", frames.tick(tallying.take(), NOON, counts, "degraded", 200), "a" * 30
    )
    assert len(told) <= 4_096


def test_what_others_did_shows_in_the_counts():
    tallying = Tallying()
    before = dict.fromkeys(TaskStatus, 5)
    tallying.hear(Change(task(1, RUNNING), PENDING))
    tally = tallying.take()
    assert not frames.elsewhere(tally, before, before | {PENDING: 4, RUNNING: 6})
    assert frames.elsewhere(tally, before, before | {PENDING: 4, RUNNING: 7})


def test_a_ring_resumes_from_what_it_still_has():
    ring = Ring("e")
    made = [ring.add("tick", {"n": number}) for number in range(frames.RING_FRAMES + 5)]
    assert ring.since(f"e-{len(made)}") == []
    assert ring.since(f"e-{len(made) - 2}") == made[-2:]
    assert ring.since("e-5") == made[5:]
    for unknown in ("e-4", f"e-{len(made) + 1}", "other-8", "e-", "e-x", "", "e--1", "e-²"):
        assert ring.since(unknown) is None


def test_a_ring_is_bounded_in_bytes():
    ring = Ring("e")
    for _ in range(100):
        ring.add("tick", {"n": "x" * 20_000})
    kept = next(first for first in range(101) if ring.since(f"e-{first}") is not None)
    assert 100 - kept == frames.RING_BYTES // 20_050


async def test_nobody_looks_and_nothing_is_done(manager, hub):
    assert not manager.feed.subscribers
    client = hub.join()
    await asyncio.sleep(0)
    assert manager.feed.subscribers
    hub.leave(client)


async def test_it_stops_some_beats_after_the_last_client_has_left(manager, hub, beats):
    hub.leave(hub.join())
    for _ in range(LINGER):
        assert hub.listening
        await beats.pass_()
    assert not hub.listening
    assert not manager.feed.subscribers


async def test_a_frame_is_made_once_for_all_and_only_if_something_happened(manager, hub, beats):
    clients = [hub.join() for _ in range(20)]
    await beats.pass_()
    manager.feed.publish(Change(task(1, RUNNING), PENDING))
    await beats.pass_()
    taken = [await client.take(0) for client in clients]
    assert len(set(taken)) == 1
    ticks = read(taken[0])
    assert [each["ids"] for each in ticks if each["n"]] == [["task-0001"]]
    await beats.pass_()
    await beats.pass_()
    assert await clients[0].take(0) == b""


@pytest.mark.parametrize(("pages", "seconds"), [(1, 1.0), (10, 1.0), (20, 2.0), (200, 20.0)])
async def test_many_pages_are_told_to_refresh_less_often(manager, hub, beats, pages, seconds):
    clients = [hub.join() for _ in range(pages)]
    manager.feed.publish(Change(task(1, RUNNING), PENDING))
    await beats.pass_()
    assert [each["gap"] for each in read(await clients[0].take(0))] == [seconds]


async def test_tasks_of_other_instances_make_a_frame_that_says_there_is_more(manager, hub, beats):
    client = hub.join()
    await beats.pass_()
    await client.take(0)
    await manager.hold(task(1))
    await beats.pass_()
    (said,) = read(await client.take(0))
    assert (said["n"], said["more"], said["counts"]["success"]) == (0, True, 1)


async def test_trouble_of_the_storage_is_told(manager, hub, beats):
    client = hub.join()
    await beats.pass_()
    await client.take(0)
    manager.state = Health("down", 9.0, 3, 0, "away", NOON)
    await beats.pass_()
    (said,) = read(await client.take(0))
    assert (said["health"], said["counts"], said["more"]) == ("down", None, True)


async def test_a_client_that_comes_back_misses_nothing(manager, hub, beats):
    first = hub.join()
    await beats.pass_()
    seen = hub.hello()["id"]
    hub.leave(first)
    for number in range(3):
        manager.feed.publish(Change(task(number, PENDING), None))
        await beats.pass_()
    missed = read(await hub.join(seen).take(0))
    assert [each["ids"] for each in missed] == [["task-0000"], ["task-0001"], ["task-0002"]]


async def test_a_greeting_says_since_when_there_is_somebody_to_ask(manager, hub):
    manager.clock.turn(minutes=5)
    greeting = hub.hello()
    assert greeting["since"] == NOON.isoformat()
    assert greeting["t"] == (NOON + timedelta(minutes=5)).isoformat()


@pytest.mark.parametrize("unknown", ["gone-7", "nonsense"])
async def test_a_client_that_was_away_for_too_long_reads_its_page_anew(hub, unknown):
    (said,) = read(await hub.join(unknown).take(0))
    assert said["event"] == "reset"


async def test_a_client_that_does_not_listen_is_reset_and_costs_no_more_memory(manager, hub, beats):
    client = hub.join()
    for number in range(50):
        manager.feed.publish(Change(task(number, PENDING), None))
        await beats.pass_()
    told = read(await client.take(0))
    assert len(told) <= 8
    assert told[0]["event"] == "reset"


async def test_streams_end_when_the_process_stops(manager, hub, beats):
    client = hub.join()
    await beats.pass_()
    manager.stopping = True
    await beats.pass_()
    assert client.over
    assert read(await client.take(0))[-1]["reason"] == "stopping"
    assert not manager.feed.subscribers


async def test_a_failing_beat_is_not_the_last(manager, hub, beats, caplog):
    client = hub.join()
    manager.trouble = RuntimeError("odd")
    await beats.pass_()
    assert "could not be made" in caplog.text
    manager.trouble = None
    await beats.pass_()
    manager.feed.publish(Change(task(1, PENDING), None))
    await beats.pass_()
    assert read(await client.take(0))[-1]["ids"] == ["task-0001"]


async def test_a_quiet_stream_says_so():
    assert await Client().take(0.01) == b""


async def test_a_stream_greets_and_says_farewell(client, manager):
    manager.stopping = True  # or it would have no end
    answer = await client.get("/tasks/dashboard/stream", headers={"Last-Event-ID": "old-3"})
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.text.startswith("retry: 2000\n\n")
    events = read(answer.content.partition(b"\n\n")[2])
    assert [each["event"] for each in events] == ["hello", "reset", "bye"]
