"""The process ends at each moment that matters: what was accepted is not lost, and what must
not start twice does not.
"""

import asyncio
import os
import random
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial

import pytest
from deaths import AFTER_ANSWER, AFTER_COMMIT, AFTER_TAKEOVER, BEFORE_COMMIT, POINTS
from fleet import Accepted, at_rest, eventually

SOAK = os.environ.get("TASKFLOW_SOAK") == "1"
DEATHS_AT_EACH, CLAIMERS = (200, 50) if SOAK else (1, 2)
CLIENTS = 8
KINDS = ("once", "again")
NOTHING_HAS_RUN = {BEFORE_COMMIT, AFTER_COMMIT, AFTER_ANSWER}
"""Where a process dies before it has started any task."""


@dataclass
class Tally:
    """What became of the tasks that were asked for in the processes that died at one point."""

    deaths: int = 0
    asked: set[tuple[str, int]] = field(default_factory=set)
    accepted: set[tuple[str, int]] = field(default_factory=set)

    def told(self, ran, cut_off) -> dict[str, int]:
        """The figures of this point."""
        return {
            "deaths": self.deaths,
            "accepted": len(self.accepted),
            "done": sum(ran[f"{kind}-done", number] > 0 for kind, number in self.accepted),
            "interrupted": len(self.accepted & cut_off),
            "ran unpromised": sum(ran[task] > 0 for task in self.asked - self.accepted),
            "once started twice": sum(ran[task] > 1 for task in self.asked if task[0] == "once"),
            "again started twice": sum(ran[task] > 1 for task in self.asked if task[0] == "again"),
        }


@pytest.mark.timeout(7200 if SOAK else 180)
async def test_a_process_may_die_at_any_point(fleet, client):
    ships = fleet(LEASE="2", CRASHES="1000")
    living = ships.start()
    points = list(POINTS) * DEATHS_AT_EACH
    random.shuffle(points)
    tallies: dict[str, Tally] = defaultdict(Tally)
    accepted = Accepted()
    for place, point in enumerate(points):
        dying = ships.start(DIES=point)
        tasks = [(KINDS[n % 2], place * CLIENTS + n) for n in range(CLIENTS)]
        await asyncio.gather(*(accepted.add(client, dying.url, *task) for task in tasks))
        assert await asyncio.to_thread(dying.ended) == 9, f"it did not die {point}"
        tallies[point].deaths += 1
        tallies[point].asked |= set(tasks)
        tallies[point].accepted |= set(tasks) & accepted.ids.keys()

    await eventually(
        partial(at_rest, client, living), "the living instance has put everything in order"
    )
    statuses = await accepted.statuses(client, living)
    cut_off = {task for task, status in statuses.items() if status == "interrupted"}
    ran = ships.ran()
    for point, tally in tallies.items():
        figures = tally.told(ran, cut_off)
        lost = {task for task in tally.accepted - cut_off if not ran[f"{task[0]}-done", task[1]]}
        print(f"{point}: lost {len(lost)}, {figures}")
        assert lost == set()
        assert figures["once started twice"] == 0
        if point in NOTHING_HAS_RUN:
            assert figures["again started twice"] == figures["interrupted"] == 0
            assert len(tally.accepted) == (tally.deaths if point == AFTER_ANSWER else 0)
        else:
            assert figures["again started twice"] + figures["interrupted"] > 0
        if point == BEFORE_COMMIT:
            assert figures["ran unpromised"] == 0
    assert cut_off <= {task for task in accepted.ids if task[0] == "once"}


@pytest.mark.timeout(600 if SOAK else 180)
async def test_whoever_takes_over_may_die_of_it(fleet, client):
    ships, accepted = fleet(LEASE="2", CRASHES="1000", AT_ONCE="4"), Accepted()
    first = ships.start()
    tasks = [(KINDS[number % 2], number) for number in range(40)]
    for task in tasks:
        await accepted.add(client, first.url, *task, seconds=0.3)
    first.kill()
    for _ in range(CLAIMERS):
        claimer = ships.start(answers=False, DIES=AFTER_TAKEOVER)
        assert await asyncio.to_thread(claimer.ended) == 9
    last = ships.start()
    await eventually(partial(at_rest, client, last), "the last one has put everything in order")
    statuses = await accepted.statuses(client, last)
    ran = ships.ran()
    interrupted = {task for task in tasks if statuses[task] == "interrupted"}
    lost = {(kind, n) for kind, n in set(tasks) - interrupted if not ran[f"{kind}-done", n]}
    twice = [task for task in tasks if task[0] == "once" and ran[task] > 1]
    print(
        f"accepted {len(accepted.ids)}, deaths {1 + CLAIMERS}, lost {len(lost)},"
        f" interrupted {len(interrupted)}, started twice {len(twice)}"
    )
    assert accepted.ids.keys() == set(tasks)
    assert lost == set()
    assert twice == []
    assert {kind for kind, _ in interrupted} <= {"once"}
    assert len(interrupted) <= 4 * (1 + CLAIMERS)
