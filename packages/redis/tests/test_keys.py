"""What is in the database: keys of one hash tag, and nothing that outlives its task."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections import Counter
from datetime import timedelta
from pathlib import Path

import redis

from fastapi_taskflow_core.backends.audit import AuditEntry
from fastapi_taskflow_core.backends.base import Batch, Query
from fastapi_taskflow_core.backends.scheduling import Slot, SlotOutcome
from fastapi_taskflow_core.backends.settings import SettingChange
from fastapi_taskflow_core.records import TaskStatus
from fastapi_taskflow_redis import RedisBackend
from fastapi_taskflow_testkit.builders import (
    HOUR,
    ME,
    OTHER,
    a_beat,
    a_full_task,
    a_line,
    a_task,
    all_ids,
    changed,
    claim,
    die,
    ended,
    now,
    put,
    say,
    started,
    tasks,
    update,
)

TASK_KEYS = ("task", "logs", "by", "finished", "owned", "cancels", "ready", "due", "unfinished")
MORE_TASK_KEYS = ("keys", "aliases", "aliases_of", "run_keys", "run_key_of", "later", "owners")


async def use_everything(backend: RedisBackend) -> None:
    """Let tasks of all kinds come, change hands and end."""
    full = a_full_task()
    waiting = changed(full, status=TaskStatus.PENDING, start_time=None, end_time=None)
    await put(backend, waiting, a_task(idempotency_key="order 7"), a_task(persist=True))
    await say(backend, full.task_id, [a_line()])
    await update(backend, full)
    await backend.request_cancel(full.task_id, now())
    await update(backend, ended(full))
    await put(backend, a_task(owner=None, run_at=now() + HOUR), started(a_task()))
    await backend.put_later("k", a_task(owner=None, run_at=now() + HOUR), now())
    await backend.put_later("k", a_task(owner=None, run_at=now() - HOUR), now())
    await backend.put_later("j", a_task(owner=None), now())
    await backend.drop_later("j", now())
    await die(backend, ME)
    for task in await claim(backend, OTHER):
        await update(backend, ended(started(task), TaskStatus.FAILED), instance=OTHER)
    await backend.write(Batch(ME, withdrawn=[waiting]))
    await backend.fire(Slot("report", now(), SlotOutcome.FIRED), a_task(owner=None))
    await backend.change_setting(SettingChange("x", "1", lifetime=timedelta(hours=1)))
    await backend.note(AuditEntry("1", now(), "ann", "::1", "retry", "7", "ok"))
    await backend.query(Query(text="nothing", statuses=frozenset(TaskStatus)))
    await backend.beat(a_beat(OTHER))


def parts(client: redis.Redis, prefix: str) -> Counter[str]:
    """How many keys there are of each kind."""
    keys = (key.decode() for key in client.scan_iter(f"*{prefix}*", count=10_000))
    return Counter(key.removeprefix(f"{{{prefix}}}:").partition(":")[0] for key in keys)


async def test_every_key_begins_with_the_one_hash_tag(
    own: RedisBackend, master: redis.Redis
) -> None:
    await use_everything(own)
    keys = [key.decode() for key in master.scan_iter(count=10_000)]
    assert len(keys) > 30
    assert [key for key in keys if not key.startswith("{taskflow}:")] == []


async def test_no_command_walks_over_all_keys(own: RedisBackend, master: redis.Redis) -> None:
    await use_everything(own)
    used = master.info("commandstats").keys()
    assert "cmdstat_evalsha" in used
    assert used & {"cmdstat_keys", "cmdstat_scan", "cmdstat_randomkey", "cmdstat_eval"} == set()


async def test_deleted_tasks_leave_nothing_behind(
    backend: RedisBackend, client: redis.Redis, prefix: str
) -> None:
    await use_everything(backend)
    for task in [each for each in (await backend.query(Query())).tasks if not each.status.finished]:
        await backend.request_cancel(task.task_id, now())
    assert await backend.unfinished() == {}
    assert await backend.delete(now() + HOUR, 100) > 5
    assert await all_ids(backend) == []
    left = parts(client, prefix)
    assert {name: left[name] for name in (*TASK_KEYS, *MORE_TASK_KEYS) if left[name]} == {}


async def test_lines_of_a_task_that_never_comes_are_not_kept_for_ever(
    backend: RedisBackend, client: redis.Redis, prefix: str
) -> None:
    lost, found = a_task(), a_task()
    await say(backend, lost.task_id, [a_line()])
    await say(backend, found.task_id, [a_line()])
    await put(backend, found)
    logs = f"{{{prefix}}}:logs:"
    assert 0 < client.ttl(logs + lost.task_id) <= 86_400
    assert client.ttl(logs + found.task_id) == -1


async def test_old_steps_expire_and_the_sum_of_all_time_stays(
    backend: RedisBackend, client: redis.Redis, prefix: str
) -> None:
    await put(backend, ended(a_task()))
    lives = {
        key.decode().split(":")[2]: client.ttl(key)
        for key in client.scan_iter(f"{{{prefix}}}:rollup:*", count=10_000)
    }
    assert lives["all"] == -1
    assert 25 * 3600 < lives["minute"] < lives["hour"]
    assert 31 * 86_400 < lives["hour"]


async def test_a_large_batch_goes_in_pieces_and_is_written_at_once(
    backend: RedisBackend, client: redis.Redis, prefix: str
) -> None:
    records = tasks(9, payload=bytes(4_000_000))
    lines = [(records[0].task_id, a_line())]
    await backend.write(Batch(ME, inserts=[ended(task) for task in records], logs=lines))
    repeated = await backend.write(Batch(ME, inserts=[ended(task) for task in records]))
    assert not repeated.refused
    assert len(await all_ids(backend)) == 9
    assert parts(client, prefix)["staged"] == 0
    await backend.delete(now() + HOUR, 100)


async def test_four_processes_put_and_claim_twenty_thousand_tasks_once_each(
    url: str, prefix: str
) -> None:
    rival = Path(__file__).with_name("rival.py")
    rivals = [
        await asyncio.create_subprocess_exec(
            sys.executable, rival, url, prefix, f"rival-{n}", stdin=PIPE, stdout=PIPE, limit=2**22
        )
        for n in range(4)
    ]
    said = [(await rival.stdout.readline()).decode().split() for rival in rivals]
    for rival in rivals:
        await rival.communicate(b"")
    assert [rival.returncode for rival in rivals] == [0] * 4
    times = Counter(task_id for claimed in said for task_id in claimed)
    assert len(times) == 20_000
    assert set(times.values()) == {1}
