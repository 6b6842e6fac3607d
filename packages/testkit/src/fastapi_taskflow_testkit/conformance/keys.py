"""Idempotency keys: one task per key that is not lost, and the others are its aliases."""

from __future__ import annotations

import asyncio

import pytest

from fastapi_taskflow_core.backends.base import Backend, Batch, Written
from fastapi_taskflow_core.records import FINISHED, TaskStatus

from ..builders import (
    HOUR,
    ME,
    OTHER,
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
    several,
    started,
    stored,
    update,
)

KEY = "order 7"
RELEASING = sorted(status for status in FINISHED if not status.holds_key)
DIFFERENT = {
    "case": ("Order", "order"),
    "accent": ("cafe", "café"),
    "normal form": ("caf\u00e9", "cafe\u0301"),
    "trailing space": ("key", "key "),
    "leading space": ("key", " key"),
    "width": ("a", "ａ"),
    "sharp s": ("strasse", "straße"),
    "emoji": ("👩‍🚀", "👩‍🔬"),
    "the last of 10,000 characters": ("x" * 9_999 + "a", "x" * 9_999 + "b"),
    "NUL": ("key", "key\x00"),
}


async def test_the_second_task_with_a_key_is_a_duplicate(backend: Backend) -> None:
    first, other = a_task(idempotency_key=KEY), a_task(idempotency_key=KEY)
    assert await put(backend, first) == Written()
    assert await put(backend, other) == Written(duplicates={other.task_id: first.task_id})
    assert await all_ids(backend) == [first.task_id]


async def test_of_two_in_one_batch_the_first_holds_the_key(backend: Backend) -> None:
    first, other = a_task(idempotency_key=KEY), a_task(idempotency_key=KEY)
    assert (await put(backend, first, other)).duplicates == {other.task_id: first.task_id}


async def test_a_duplicate_does_not_keep_the_rest_of_its_batch_out(backend: Backend) -> None:
    first, other, free = a_task(idempotency_key=KEY), a_task(idempotency_key=KEY), a_task()
    await put(backend, first)
    assert (await put(backend, other, free)).duplicates == {other.task_id: first.task_id}
    assert set(await all_ids(backend)) == {first.task_id, free.task_id}


async def test_of_64_at_once_one_is_stored_and_the_others_are_its_aliases(
    backend: Backend,
) -> None:
    records = [a_task(idempotency_key=KEY, owner=f"i-{i}") for i in range(64)]
    async with several(backend, 4) as connections:
        answers = await asyncio.gather(
            *(put(connections[i % 4], task, instance=f"i-{i}") for i, task in enumerate(records))
        )
    (winner,) = await all_ids(backend)
    duplicates = {k: v for written in answers for k, v in written.duplicates.items()}
    assert duplicates == {t.task_id: winner for t in records if t.task_id != winner}
    for task in records:
        assert (await stored(backend, task)).task_id == winner


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT.keys())
async def test_keys_differ_by_every_byte(backend: Backend, one: str, other: str) -> None:
    records = [a_task(idempotency_key=one), a_task(idempotency_key=other)]
    assert await put(backend, *records) == Written()
    assert [(await stored(backend, task)).idempotency_key for task in records] == [one, other]


@pytest.mark.parametrize("status", [TaskStatus.PENDING, TaskStatus.RUNNING, TaskStatus.SUCCESS])
async def test_a_task_holds_its_key(backend: Backend, status: TaskStatus) -> None:
    task = a_task(idempotency_key=KEY)
    await put(backend, task)
    await update(backend, changed(task, status=status))
    again = a_task(idempotency_key=KEY)
    assert (await put(backend, again)).duplicates == {again.task_id: task.task_id}


@pytest.mark.parametrize("status", RELEASING)
async def test_a_task_that_came_to_nothing_releases_its_key(
    backend: Backend, status: TaskStatus
) -> None:
    task = a_task(idempotency_key=KEY)
    await put(backend, task)
    await update(backend, ended(task, status))
    again = a_task(idempotency_key=KEY)
    assert await put(backend, again) == Written()
    third = a_task(idempotency_key=KEY)
    assert (await put(backend, third)).duplicates == {third.task_id: again.task_id}
    assert await stored(backend, task) == ended(task, status)


@pytest.mark.parametrize("status", RELEASING)
async def test_a_task_stored_when_it_had_come_to_nothing_holds_no_key(
    backend: Backend, status: TaskStatus
) -> None:
    await put(backend, ended(a_task(idempotency_key=KEY), status))
    assert await put(backend, a_task(idempotency_key=KEY)) == Written()


async def test_a_withdrawn_task_releases_its_key(backend: Backend) -> None:
    task = a_task(idempotency_key=KEY)
    await put(backend, task)
    await backend.write(Batch(ME, withdrawn=[task]))
    assert await put(backend, a_task(idempotency_key=KEY)) == Written()


async def test_a_withdrawn_task_that_another_was_accepted_as_is_anybodys(
    backend: Backend, second: Backend
) -> None:
    holder, accepted = a_task(idempotency_key=KEY), a_task(idempotency_key=KEY)
    await put(backend, holder)
    await put(second, accepted, instance=OTHER)
    for _ in range(2):
        assert await backend.write(Batch(ME, withdrawn=[holder])) == Written()
    found = await stored(second, accepted)
    assert (found.task_id, found.status, found.owner) == (holder.task_id, TaskStatus.PENDING, None)
    (claimed,) = await claim(second, OTHER)
    assert (claimed.task_id, claimed.owner) == (holder.task_id, OTHER)
    await update(second, ended(claimed), instance=OTHER)
    assert (await stored(second, accepted)).status is TaskStatus.SUCCESS


async def test_who_is_accepted_while_another_withdraws_has_a_task(
    backend: Backend, second: Backend
) -> None:
    for round_ in range(20):
        key = f"{KEY} {round_}"
        mine = a_task(idempotency_key=key)
        accepted = a_task(idempotency_key=key, owner=OTHER)
        await put(backend, mine)
        await asyncio.gather(
            backend.write(Batch(ME, withdrawn=[mine])), put(second, accepted, instance=OTHER)
        )
        found = await stored(backend, accepted)
        assert found.owner == (OTHER if found.task_id == accepted.task_id else None)


async def test_a_cancelled_task_releases_its_key(backend: Backend) -> None:
    task = a_task(idempotency_key=KEY, owner=None)
    await put(backend, task)
    await backend.request_cancel(task.task_id, now())
    assert await put(backend, a_task(idempotency_key=KEY)) == Written()


async def test_a_task_interrupted_by_the_death_of_its_owner_releases_its_key(
    backend: Backend,
) -> None:
    await put(backend, started(a_task(idempotency_key=KEY)))
    await die(backend, ME)
    await claim(backend, OTHER)
    assert await put(backend, a_task(idempotency_key=KEY)) == Written()


async def test_a_deleted_task_releases_its_key(backend: Backend) -> None:
    task = ended(a_task(idempotency_key=KEY))
    await put(backend, task)
    await backend.delete(now() + HOUR, 10)
    assert await put(backend, a_task(idempotency_key=KEY)) == Written()


async def test_an_alias_answers_as_the_holder(backend: Backend, second: Backend) -> None:
    holder, alias = a_task(idempotency_key=KEY), a_task(idempotency_key=KEY)
    await put(backend, holder)
    await put(second, alias, instance=OTHER)
    lines = [a_line(1), a_line(2)]
    await say(backend, holder.task_id, lines)
    assert (await stored(second, alias)).task_id == holder.task_id
    assert await second.logs(alias.task_id) == lines
    assert await second.logs(alias.task_id, after=1) == lines[1:]


async def test_cancelling_an_alias_cancels_the_holder(backend: Backend) -> None:
    holder, alias = a_task(idempotency_key=KEY, owner=None), a_task(idempotency_key=KEY)
    await put(backend, holder, alias)
    answer = await backend.request_cancel(alias.task_id, now())
    assert answer is not None
    assert (answer.task_id, answer.status) == (holder.task_id, TaskStatus.CANCELLED)
    assert (await stored(backend, holder)).status is TaskStatus.CANCELLED


async def test_an_alias_outlives_the_key(backend: Backend) -> None:
    holder, alias = a_task(idempotency_key=KEY), a_task(idempotency_key=KEY)
    await put(backend, holder, alias)
    await update(backend, ended(holder, TaskStatus.FAILED))
    await put(backend, a_task(idempotency_key=KEY))
    assert (await stored(backend, alias)).task_id == holder.task_id


async def test_repeating_a_duplicate_gives_the_same_answer(backend: Backend) -> None:
    holder, other = a_task(idempotency_key=KEY), a_task(idempotency_key=KEY)
    await put(backend, holder)
    first = await put(backend, other)
    assert await put(backend, other) == first
    await update(backend, ended(holder, TaskStatus.FAILED))
    assert await put(backend, other) == first, "an alias became a task of its own"


async def test_repeating_the_holder_is_no_duplicate(backend: Backend) -> None:
    task = a_task(idempotency_key=KEY)
    await put(backend, task)
    assert await put(backend, task) == Written()


async def test_an_alias_cannot_be_updated(backend: Backend) -> None:
    holder, alias = a_task(idempotency_key=KEY), a_task(idempotency_key=KEY)
    await put(backend, holder, alias)
    assert await update(backend, ended(alias)) == Written(refused=frozenset({alias.task_id}))
    assert (await stored(backend, holder)).status is TaskStatus.PENDING
