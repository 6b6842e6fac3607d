"""What somebody changed by hand: its task is shown as what it is, and harms no other."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
import redis

from fastapi_taskflow_core import TaskManager, TaskStatus
from fastapi_taskflow_core.arguments import TypedJsonCodec
from fastapi_taskflow_core.backends.base import Query, RollupQuery
from fastapi_taskflow_core.records import TaskRecord
from fastapi_taskflow_redis import RedisBackend
from fastapi_taskflow_redis.rows import to_text
from fastapi_taskflow_testkit.builders import (
    FUNCTION,
    HOUR,
    ME,
    OTHER,
    a_line,
    a_task,
    all_ids,
    beat_of,
    claim,
    die,
    ended,
    now,
    put,
    say,
    started,
    stored,
    tasks,
    update,
)

UNREADABLE = "this task is stored in a form that cannot be read: "
Spoil = Callable[[TaskRecord, bytes | None], None]
DAMAGE = [
    b"",
    b"zzz",
    b"\n",
    b"\xff\xfe\n\x00",
    b"[]\n[]",
    b"null\nnull",
    b"[1,2,3,4,5]\n[1,2,3,4,5,6]",
    b'["pending",null,1,0,null]\n[{},[],{},[],{},[],[]]',
    None,
]
"""Texts, and None for a key of another kind."""


@pytest.fixture
def spoil(client: redis.Redis, prefix: str) -> Spoil:
    """Changes what is stored of a task."""

    def change(task: TaskRecord, text: bytes | None) -> None:
        key = f"{{{prefix}}}:task:{task.task_id}"
        client.delete(key)
        if text is None:
            client.hset(key, "status", "pending")
        else:
            client.set(key, text)

    return change


@pytest.mark.parametrize("text", DAMAGE)
async def test_a_damaged_task_is_listed_with_what_is_known_of_it(
    backend: RedisBackend, spoil: Spoil, text: bytes | None
) -> None:
    records = tasks(3, queue="mail", owner=None)
    await put(backend, *records)
    spoil(records[1], text)
    found = (await backend.query(Query())).tasks
    assert [task.task_id for task in found] == [task.task_id for task in reversed(records)]
    assert (found[1].error or "").startswith(UNREADABLE)
    known = (found[1].func_name, found[1].queue, found[1].created_at, found[1].status)
    assert known == (FUNCTION, "mail", records[1].created_at, TaskStatus.FAILED)
    assert await stored(backend, records[1]) == found[1]
    assert await backend.request_cancel(records[1].task_id, now()) == found[1]
    for filters in ({"queue": "mail"}, {"func_name": FUNCTION}, {"text": "task-"}):
        assert await all_ids(backend, **filters) == [task.task_id for task in reversed(records)]


async def test_pages_go_on_behind_a_damaged_task(backend: RedisBackend, spoil: Spoil) -> None:
    records = tasks(6)
    await put(backend, *records)
    for record in records[1:5]:
        spoil(record, b"zzz")
    query, seen = Query(limit=1), []
    while True:
        page = await backend.query(query)
        seen += [task.task_id for task in page.tasks]
        if page.next is None:
            break
        query = replace(query, cursor=page.next)
    assert seen == [task.task_id for task in reversed(records)]


@pytest.mark.parametrize("text", DAMAGE)
async def test_a_damaged_task_fails_when_it_is_due_and_the_others_are_handed_out(
    backend: RedisBackend, spoil: Spoil, caplog: pytest.LogCaptureFixture, text: bytes | None
) -> None:
    records = tasks(3, queue="mail", owner=None, idempotency_key=None)
    records[1].idempotency_key = "order 7"
    await put(backend, *records)
    spoil(records[1], text)
    with caplog.at_level(logging.ERROR):
        claimed = [task.task_id for task in await claim(backend)]
        claimed += [task.task_id for task in await claim(backend)]
    assert claimed == [records[0].task_id, records[2].task_id]
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        f"task {records[1].task_id} has failed"
    ]
    condemned = await stored(backend, records[1])
    assert condemned.status is TaskStatus.FAILED
    assert condemned.end_time is not None
    assert (condemned.error or "").startswith(UNREADABLE)
    assert await all_ids(backend, statuses=frozenset({TaskStatus.FAILED})) == [records[1].task_id]
    assert sum((await backend.unfinished()).values()) == 2
    again = a_task(owner=None, idempotency_key="order 7")
    assert (await put(backend, again)).duplicates == {}
    assert (await stored(backend, again)).status is TaskStatus.PENDING


@pytest.mark.parametrize("text", DAMAGE)
async def test_what_the_dead_left_is_put_in_order_around_a_damaged_task(
    backend: RedisBackend, spoil: Spoil, text: bytes | None
) -> None:
    waiting, damaged = a_task(persist=True), started(a_task(cancel_requested=True))
    await beat_of(backend, ME)
    await put(backend, waiting, damaged)
    spoil(damaged, text)
    await die(backend, ME)
    assert [task.task_id for task in await claim(backend)] == [waiting.task_id]
    assert (await stored(backend, damaged)).status is TaskStatus.FAILED
    assert sum((await backend.unfinished()).values()) == 1


async def test_a_task_whose_function_was_changed_is_given_to_nobody_who_does_not_know_it(
    backend: RedisBackend, spoil: Spoil
) -> None:
    task, sound = a_task(owner=None), a_task(owner=None)
    await put(backend, task, sound)
    spoil(task, to_text(replace(task, func_name="send_mail")))
    assert [each.task_id for each in await claim(backend)] == [sound.task_id]
    assert "contradicts the lists" in ((await stored(backend, task)).error or "")
    assert {count.func_name for count in await backend.unfinished()} == {FUNCTION}


@pytest.mark.parametrize("text", DAMAGE)
async def test_its_owner_heals_a_damaged_task_and_no_other_does(
    backend: RedisBackend, spoil: Spoil, text: bytes | None
) -> None:
    task = started(a_task(queue="mail", epoch=3, idempotency_key="order 7"))
    await put(backend, task)
    spoil(task, text)
    assert (await update(backend, ended(task), instance=OTHER)).refused == {task.task_id}
    assert (await update(backend, ended(task))).refused == frozenset()
    assert await stored(backend, task) == ended(task)
    assert await backend.unfinished() == {}
    alias = a_task(idempotency_key="order 7")
    assert (await put(backend, alias)).duplicates == {alias.task_id: task.task_id}


@pytest.mark.parametrize("text", DAMAGE)
async def test_a_damaged_task_goes_when_its_time_is_over(
    backend: RedisBackend, spoil: Spoil, client: redis.Redis, prefix: str, text: bytes | None
) -> None:
    records = [ended(task) for task in tasks(2, queue="mail")]
    await put(backend, *records)
    spoil(records[0], text)
    assert await backend.delete(now() + HOUR, 10) == 2
    assert await all_ids(backend) == []
    left = {key.decode() for key in client.scan_iter(f"*{prefix}*", count=10_000)}
    assert {key for key in left if ":by:" in key or ":task:" in key} == set()


async def test_a_call_at_a_time_to_come_takes_the_place_of_a_damaged_one(
    backend: RedisBackend, spoil: Spoil
) -> None:
    first, second = (a_task(owner=None, run_at=now() + HOUR) for _ in range(2))
    await backend.put_later("key", first, now())
    spoil(first, b"zzz")
    assert list(await backend.later()) == []
    assert await backend.put_later("key", second, now()) is None
    assert [each.task.task_id for each in await backend.later()] == [second.task_id]


@pytest.mark.parametrize(
    "line", ["{", "[1]", '["x",1,0,"info","m",null]', '[2,0,0,"loud","m",null]']
)
async def test_a_damaged_line_says_so_and_keeps_its_place(
    backend: RedisBackend, client: redis.Redis, prefix: str, line: str
) -> None:
    task = a_task()
    await put(backend, task)
    await say(backend, task.task_id, [a_line(1), a_line(3)])
    client.zadd(f"{{{prefix}}}:logs:{task.task_id}", {line: 2})
    lines = await backend.logs(task.task_id)
    assert [(each.seq, each.level) for each in lines] == [(1, "info"), (2, "warning"), (3, "info")]
    assert lines[1].message.startswith("this line is stored in a form that cannot be read")


async def test_a_damaged_beat_is_renewed_by_who_lives_and_stops_no_claim(
    backend: RedisBackend, client: redis.Redis, prefix: str
) -> None:
    task, mine = a_task(owner=None), a_task()
    await beat_of(backend, ME)
    await put(backend, task, mine)
    client.hset(f"{{{prefix}}}:beats", ME, "zzz")
    assert [each.task_id for each in await claim(backend)] == [task.task_id]
    assert (await stored(backend, mine)).owner == ME
    await beat_of(backend, ME)
    assert {info.instance for info in await backend.instances() if info.living} == {ME, OTHER}


async def test_a_damaged_counter_begins_anew_and_loses_no_task(
    backend: RedisBackend, client: redis.Redis, prefix: str
) -> None:
    first, second = map(ended, tasks(2))
    await put(backend, first)
    for key in client.scan_iter(f"{{{prefix}}}:rollup:*"):
        client.hset(key, mapping=dict.fromkeys(client.hkeys(key), "zzz"))
    assert await backend.rollups(RollupQuery("minute")) == {}
    await put(backend, second)
    assert (await stored(backend, second)).status is TaskStatus.SUCCESS
    assert {value.n for value in (await backend.rollups(RollupQuery("minute"))).values()} == {1}


async def test_a_damaged_gauge_hides_no_other(
    backend: RedisBackend, client: redis.Redis, prefix: str
) -> None:
    await put(backend, a_task())
    gauges = {"zzz": 1, '["f","q","resting"]': 1, '["f","q","pending"]': "x"}
    client.hset(f"{{{prefix}}}:unfinished", mapping=gauges)
    assert list((await backend.unfinished()).values()) == [1]


async def work(number: int) -> None:
    """Do nothing."""


async def test_damaged_tasks_stop_nothing_but_themselves(
    url: str, prefix: str, backend: RedisBackend, spoil: Spoil
) -> None:
    chance = random.Random(11)  # noqa: S311  the same damage each time
    records = tasks(100, func_name="work", owner=None, persist=True, tags={"a": "b"})
    for number, record in enumerate(records):
        record.payload = TypedJsonCodec().encode(record.task_id, "work", work, (number,), {})
    await put(backend, *records)
    damaged = chance.sample(records, 50)
    for record in damaged:
        spoil(record, _mangled(to_text(record), chance))
    manager = TaskManager(snapshot_backend=RedisBackend(url, prefix=prefix))
    manager.task(persist=True)(work)
    await manager.startup()
    spoiled = {record.task_id for record in damaged}
    for record in records:
        if record.task_id not in spoiled:
            assert (await manager.wait(record.task_id, 20)).status is TaskStatus.SUCCESS
    shown = (await manager.history.query(Query(limit=200))).tasks
    for record in damaged:
        await manager.history.get(record.task_id)
    await manager.history.metrics()
    await manager.shutdown()
    unreadable = [task for task in shown if (task.error or "").startswith(UNREADABLE)]
    assert len(shown) == len(records)
    assert len(unreadable) > 10
    assert {task.status for task in unreadable} == {TaskStatus.FAILED}


def _mangled(text: bytes, chance: random.Random) -> bytes:
    """The text with something else in one place, or cut off there."""
    place = chance.randrange(len(text.split(b"\n")[0]) + 100)
    junk = chance.choice([b"", b"\n", b"\xff", b"]", b"{", b'"', b"null", b"7" * 30, b"\0"])
    return text[:place] if chance.random() < 0.2 else text[:place] + junk + text[place + 1 :]
