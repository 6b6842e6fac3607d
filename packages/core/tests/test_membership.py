"""What the answer to a beat sets off, and how long this instance may trust in being believed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from fastapi_taskflow_core.backends.base import Beat, Capabilities, Pulse
from fastapi_taskflow_core.backends.guarded import GuardedBackend
from fastapi_taskflow_core.backends.memory import MemoryBackend
from fastapi_taskflow_core.engine.membership import Load, Membership
from fastapi_taskflow_core.surroundings import Surroundings
from fastapi_taskflow_testkit.builders import ME
from fastapi_taskflow_testkit.clock import NOON, VirtualClock


class Answering(MemoryBackend):
    """Shared; answers every beat as it is told to."""

    def __init__(self, answer: Pulse) -> None:
        super().__init__()
        self.answer = answer
        self.beats: list[Beat] = []

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(survives_restart=True, shared=True)

    def another(self) -> Answering:
        return self

    async def beat(self, beat: Beat) -> Pulse:
        self.beats.append(beat)
        return self.answer


class Member:
    """An instance that has joined, and what it heard."""

    def __init__(self, answer: Pulse) -> None:
        self.clock = VirtualClock()
        self.backend = Answering(answer)
        self.deaths = 0
        self.cancels: list[frozenset[str]] = []
        self.membership = Membership(
            GuardedBackend(self.backend),
            ME,
            3600,
            Surroundings(clock=self.clock),
            lambda: Load(running=2, waiting=5, draining=False),
            self.died,
            self.cancels.append,
        )

    def died(self) -> None:
        self.deaths += 1


@pytest.fixture
async def member(answer: Pulse) -> AsyncIterator[Member]:
    member = Member(answer)
    await member.membership.join()
    yield member
    await member.membership.leave()


@pytest.mark.parametrize("answer", [Pulse(NOON, alive=True, cancels=frozenset({"one", "two"}))])
async def test_what_others_want_cancelled_is_passed_on(member: Member) -> None:
    assert (member.cancels, member.deaths) == ([frozenset({"one", "two"})], 0)


@pytest.mark.parametrize("answer", [Pulse(NOON, alive=False)])
async def test_one_that_was_taken_for_dead_is_told(member: Member) -> None:
    assert member.deaths == 1


@pytest.mark.parametrize("answer", [Pulse(NOON, alive=True)])
async def test_it_tells_what_it_does(member: Member) -> None:
    (beat,) = member.backend.beats
    assert (beat.instance, beat.running, beat.waiting, beat.draining) == (ME, 2, 5, False)


@pytest.mark.parametrize("answer", [Pulse(NOON, alive=True)])
async def test_it_trusts_in_a_beat_for_two_thirds_of_the_lease(member: Member) -> None:
    member.clock.advance(2399)
    assert member.membership.trusted()
    member.clock.advance(1)
    assert not member.membership.trusted()


async def test_one_that_never_joined_is_believed_and_leaves_without_a_word() -> None:
    member = Member(Pulse(NOON, alive=True))
    assert member.membership.trusted()
    await member.membership.leave()
    assert member.backend.beats == []
