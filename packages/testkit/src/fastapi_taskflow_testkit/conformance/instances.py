"""Signs of life: who is there, and what they are told."""

from __future__ import annotations

from datetime import timedelta

from fastapi_taskflow_core.backends.base import Backend

from ..builders import (
    HOUR,
    ME,
    OTHER,
    SECOND,
    a_beat,
    a_task,
    beat_of,
    claim,
    die,
    now,
    put,
)


async def test_a_beat_tells_the_time_of_the_store(backend: Backend) -> None:
    pulse = await backend.beat(a_beat())
    assert pulse.now.utcoffset() == timedelta(0)
    again = await backend.beat(a_beat())
    assert again.now >= pulse.now


async def test_a_beat_finds_a_new_instance_alive(backend: Backend) -> None:
    assert (await backend.beat(a_beat())).alive


async def test_who_was_declared_dead_is_told_once(backend: Backend, second: Backend) -> None:
    await put(backend, a_task(persist=True))
    await die(backend, ME)
    await claim(second, OTHER)
    assert not (await backend.beat(a_beat(ME))).alive
    assert (await backend.beat(a_beat(ME))).alive


async def test_who_is_late_but_was_not_missed_is_alive(backend: Backend) -> None:
    await die(backend, ME)
    assert (await backend.beat(a_beat(ME))).alive


async def test_who_left_and_comes_back_is_alive(backend: Backend) -> None:
    await beat_of(backend, ME)
    await backend.leave(ME)
    assert (await backend.beat(a_beat(ME))).alive


async def test_leaving_twice_is_leaving_once(backend: Backend) -> None:
    await beat_of(backend, ME, OTHER)
    await backend.leave(ME)
    await backend.leave(ME)
    assert [info.instance for info in await backend.instances()] == [OTHER]


async def test_instances_are_listed_with_what_they_said_last(
    backend: Backend, second: Backend
) -> None:
    start = now() - HOUR
    await backend.beat(a_beat())
    await backend.beat(
        a_beat(
            host="höst",
            pid=2**31 - 1,
            version="2.0",
            started_at=start,
            running=3,
            waiting=4,
            loop_lag=0.25,
            draining=True,
        )
    )
    (info,) = await second.instances()
    assert (info.instance, info.host, info.pid) == (ME, "höst", 2**31 - 1)
    assert (info.version, info.started_at) == ("2.0", start)
    assert (info.running, info.waiting, info.loop_lag) == (3, 4, 0.25)
    assert (info.living, info.draining, info.lease) == (True, True, 3_600)


async def test_the_age_of_a_beat_is_counted_in_seconds(backend: Backend) -> None:
    await backend.beat(a_beat(started_at=now() - HOUR))
    (info,) = await backend.instances()
    assert 0 <= info.beat_age < 60


async def test_who_is_late_is_listed_as_not_living(backend: Backend) -> None:
    await beat_of(backend, OTHER)
    await die(backend, ME)
    living = {info.instance: info.living for info in await backend.instances()}
    assert living == {ME: False, OTHER: True}


async def test_the_longest_started_instance_is_listed_first(backend: Backend) -> None:
    start = now()
    for name, age in (("young", 1), ("old", 3), ("middle", 2)):
        await backend.beat(a_beat(name, started_at=start - age * SECOND))
    assert [info.instance for info in await backend.instances()] == ["old", "middle", "young"]
