from datetime import UTC, datetime, timedelta, timezone
from functools import partial

import pytest

from fastapi_taskflow_core.surroundings import Clock
from fastapi_taskflow_testkit import VirtualClock

SECOND = timedelta(seconds=1)


def test_it_is_a_clock_of_the_package() -> None:
    clock: Clock = VirtualClock()
    assert clock.now().utcoffset() == timedelta(0)


def test_no_time_passes_by_itself() -> None:
    clock = VirtualClock()
    assert (clock.now(), clock.monotonic()) == (clock.now(), clock.monotonic())


def test_both_clocks_advance_together() -> None:
    clock = VirtualClock()
    start = clock.now()
    clock.advance(1.5)
    clock.advance(1)
    assert (clock.now() - start, clock.monotonic()) == (2.5 * SECOND, 2.5)


def test_timers_fire_in_order_each_at_its_time() -> None:
    clock = VirtualClock()
    fired: list[tuple[str, float]] = []

    def note(name: str) -> None:
        fired.append((name, clock.monotonic()))

    for name, seconds in (("c", 3), ("a", 1), ("b1", 2), ("b2", 2), ("late", 9)):
        clock.call_later(seconds, partial(note, name))
    clock.advance(3)
    assert fired == [("a", 1.0), ("b1", 2.0), ("b2", 2.0), ("c", 3.0)]
    assert (clock.monotonic(), clock.pending) == (3.0, 1)


def test_timers_made_by_timers_fire_if_they_fall_due() -> None:
    clock = VirtualClock()
    fired: list[float] = []

    def again() -> None:
        fired.append(clock.monotonic())
        clock.call_later(1, again)

    clock.call_later(1, again)
    clock.advance(3.5)
    assert fired == [1.0, 2.0, 3.0]


def test_a_timer_without_delay_fires_with_the_next_step() -> None:
    clock = VirtualClock()
    fired: list[float] = []
    clock.call_later(0, lambda: fired.append(1))
    assert fired == []
    clock.advance(0)
    assert fired == [1]


def test_a_cancelled_timer_never_fires() -> None:
    clock = VirtualClock()
    fired: list[float] = []
    timer = clock.call_later(1, lambda: fired.append(1))
    timer.cancel()
    timer.cancel()
    clock.advance(2)
    assert (fired, clock.pending) == ([], 0)


def test_the_wall_clock_jumps_alone() -> None:
    clock = VirtualClock()
    fired: list[float] = []
    clock.call_later(10, lambda: fired.append(1))
    clock.set_wall(datetime(2030, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))))
    assert (clock.monotonic(), fired) == (0.0, [])
    clock.advance(5)
    assert clock.now() == datetime(2030, 1, 1, 0, 0, 5, tzinfo=UTC)


def test_time_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="seconds must be 0 or more"):
        VirtualClock().advance(-1)


def test_a_wall_clock_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="wall must be an aware datetime"):
        VirtualClock(datetime(2026, 1, 1))  # noqa: DTZ001  that is the point
