"""How often somebody may guess."""

import asyncio
from datetime import timedelta

import pytest
from fake_manager import NOON, Cuttable, StoppedClock

from fastapi_taskflow_admin.auth import throttle
from fastapi_taskflow_admin.auth.throttle import Failures, Throttle, network

NOTHING = timedelta()


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def store(clock: StoppedClock) -> Cuttable:
    return Cuttable(clock=clock)


@pytest.fixture
def gate(store: Cuttable, clock: StoppedClock) -> Throttle:
    return Throttle(store, clock.now)


async def fail(gate: Throttle, times: int, user: str = "ann", address: str = "10.0.0.1") -> None:
    for _ in range(times):
        assert await gate.attempt(user, address) == NOTHING


@pytest.mark.parametrize(
    ("count", "seconds"),
    [(0, 0), (4, 0), (5, 60), (6, 120), (7, 240), (8, 480), (9, 900), (50, 900), (10**9, 900)],
)
def test_the_wait_doubles_from_the_fifth_failure_up_to_a_quarter_of_an_hour(
    count: int, seconds: int
) -> None:
    assert Failures(count, NOON).wait(NOON) == timedelta(seconds=seconds)


async def test_the_sixth_attempt_has_to_wait(gate: Throttle) -> None:
    await fail(gate, 5)
    assert await gate.attempt("ann", "10.0.0.1") == timedelta(minutes=1)


async def test_attempts_during_the_wait_do_not_lengthen_it(
    gate: Throttle, clock: StoppedClock
) -> None:
    await fail(gate, 5)
    clock.turn(seconds=59)
    assert await gate.attempt("ann", "10.0.0.1") == timedelta(seconds=1)
    clock.turn(seconds=1)
    await fail(gate, 1)
    assert await gate.attempt("ann", "10.0.0.1") == timedelta(minutes=2)


@pytest.mark.parametrize(("user", "address"), [("bob", "10.0.0.1"), ("ann", "10.0.0.2")])
async def test_others_do_not_wait(gate: Throttle, user: str, address: str) -> None:
    await fail(gate, 5)
    assert await gate.attempt(user, address) == NOTHING


async def test_success_forgets_the_failures(gate: Throttle) -> None:
    await fail(gate, 5)
    await gate.succeeded("ann", "10.0.0.1")
    await fail(gate, 5)


async def test_failures_are_forgotten_in_the_end(gate: Throttle, clock: StoppedClock) -> None:
    await fail(gate, 4)
    clock.turn(minutes=15)
    await fail(gate, 5)


async def test_processes_count_together(store: Cuttable, clock: StoppedClock) -> None:
    first, second = Throttle(store, clock.now), Throttle(store, clock.now)
    await fail(first, 3)
    await fail(second, 2)
    assert await first.attempt("ann", "10.0.0.1") == timedelta(minutes=1)


async def test_of_many_attempts_at_once_five_get_through(
    store: Cuttable, clock: StoppedClock
) -> None:
    gates = [Throttle(store, clock.now) for _ in range(3)]
    waits = await asyncio.gather(
        *(gate.attempt("ann", "10.0.0.1") for _ in range(100) for gate in gates)
    )
    assert sum(wait == NOTHING for wait in waits) == 5


async def test_without_the_backend_each_process_counts_alone(
    gate: Throttle, store: Cuttable
) -> None:
    store.away = True
    await fail(gate, 5)
    assert await gate.attempt("ann", "10.0.0.1") == timedelta(minutes=1)
    await gate.succeeded("ann", "10.0.0.1")
    await fail(gate, 5)


async def test_a_hundred_failures_a_minute_are_enough_for_a_process(
    gate: Throttle, clock: StoppedClock
) -> None:
    for number in range(100):
        await fail(gate, 1, user=f"user {number}")
    assert await gate.attempt("somebody else", "10.9.9.9") == timedelta(minutes=1)
    clock.turn(minutes=1)
    await fail(gate, 1, user="somebody else")


async def test_successes_do_not_count_among_the_hundred(gate: Throttle) -> None:
    for number in range(101):
        await fail(gate, 1, user=f"user {number}")
        await gate.succeeded(f"user {number}", "10.0.0.1")


async def test_who_has_succeeded_before_waits_for_no_failures_but_their_own(
    gate: Throttle,
) -> None:
    await fail(gate, 1)
    await gate.succeeded("ann", "10.0.0.1")
    for number in range(100):
        await fail(gate, 1, user=f"user {number}")
    await fail(gate, 5)
    assert await gate.attempt("ann", "10.0.0.1") == timedelta(minutes=1)
    assert await gate.attempt("ann", "10.0.0.2") == timedelta(minutes=1)


async def test_of_those_who_have_succeeded_the_latest_are_known(
    gate: Throttle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "KNOWN_KEPT", 2)
    for user in ("ann", "bob", "cid"):
        await gate.succeeded(user, "10.0.0.1")
    assert [gate.knows(user, "10.0.0.1") for user in ("ann", "bob", "cid")] == [False, True, True]


async def test_the_memory_of_a_process_is_bounded(
    gate: Throttle, store: Cuttable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "PAIRS_KEPT", 10)
    store.away = True
    await fail(gate, 5)
    for number in range(10):
        await fail(gate, 1, user=f"user {number}")
    await fail(gate, 5)


async def test_what_is_stored_does_not_name_the_user_and_goes_by_itself(
    gate: Throttle, store: Cuttable, clock: StoppedClock
) -> None:
    await fail(gate, 1, user="ann")
    [name] = await store.settings()
    assert "ann" not in name
    clock.turn(minutes=15)
    assert await store.settings() == {}


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_addresses_of_one_ipv6_network_count_as_one(address: str, counted: str) -> None:
    assert network(address) == counted
