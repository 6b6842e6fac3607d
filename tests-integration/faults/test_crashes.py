"""SIGKILL: what was accepted is not lost, and what must not start twice does not."""

import asyncio
import itertools
import os
import random
from collections import Counter
from functools import partial

import httpx
from fleet import Accepted, at_rest, eventually

SOAK = os.environ.get("TASKFLOW_SOAK") == "1"
TASKS, KILLS, CLIENTS = (5_000, 10, 24) if SOAK else (1_500, 4, 24)


async def test_killed_under_load_nothing_accepted_is_lost_and_nothing_starts_twice(fleet, client):
    ships = fleet(CRASHES="1000")  # these crashes are no task's fault
    server = ships.start()
    accepted, numbers = Accepted(), iter(range(TASKS))

    async def customer() -> None:
        async with httpx.AsyncClient(timeout=5) as client:
            for number in numbers:
                kind = random.choice(("once", "again"))
                for attempt in itertools.count():
                    # One that was not promised may run all the same: ask for another.
                    other = number + attempt * TASKS
                    if await accepted.add(client, server.url, kind, other, seconds=0.05):
                        break
                    await asyncio.sleep(0.05)

    customers = [asyncio.create_task(customer()) for _ in range(CLIENTS)]
    for _ in range(KILLS):
        await asyncio.sleep(random.uniform(0.3, 0.8))
        server.kill()
        server = await asyncio.to_thread(ships.start)
    await asyncio.gather(*customers)

    # One that was killed between the record of its start and the call never ran, and says so.
    cut_off: set[int] = set()

    async def all_done() -> bool:
        ran = ships.ran()
        missing = {number for number in accepted.numbers("once") if not ran["once", number]}
        for number in missing - cut_off:
            answer = await client.get(f"{server.url}/tasks/{accepted.ids['once', number]}")
            if answer.json()["status"] == "interrupted":
                cut_off.add(number)
        return missing <= cut_off and all(
            ran["again-done", number] for number in accepted.numbers("again")
        )

    await eventually(all_done, "every accepted task has run")
    ran = ships.ran()
    twice = [number for (what, number), times in ran.items() if what == "once" and times > 1]
    repeated = sum(times > 1 for (what, _), times in ran.items() if what == "again")
    print(
        f"accepted {len(accepted.ids)}, done {len(accepted.ids) - len(cut_off)}, lost 0,"
        f" kills {KILLS}, cut off before the call {len(cut_off)},"
        f" started twice {len(twice)}, of those that may: {repeated}"
    )
    assert len(accepted.ids) == TASKS
    assert twice == []
    assert len(cut_off) <= KILLS * CLIENTS


async def test_another_instance_takes_over_what_a_killed_one_leaves(fleet, client):
    ships, accepted = fleet(AT_ONCE="100"), Accepted()
    dying, living = ships.start(), ships.start()
    for numbers, seconds in ((range(50), 5), (range(50, 100), 0.05)):
        await asyncio.gather(
            *(
                accepted.add(client, dying.url, kind, number, seconds=seconds)
                for number in numbers
                for kind in ("once", "again")
            )
        )
    await eventually(lambda: ships.ran().total() == 100, "half of them run, and half wait")
    dying.kill()
    await eventually(partial(at_rest, client, living), "the other instance has taken over")
    seen = (await client.get(f"{living.url}/tasks/metrics")).json()
    ran = ships.ran()
    print(
        f"accepted {len(accepted.ids)}, done {seen['success']},"
        f" interrupted {seen['interrupted']}, lost 0"
    )
    assert (seen["success"], seen["interrupted"]) == (150, 50)
    assert all(ran["once", number] == 1 for number in range(100))
    assert all(ran["once-done", number] == 1 for number in range(50, 100))
    assert all(ran["again-done", number] == 1 for number in range(100))


async def test_a_task_that_kills_its_process_fails_in_the_end_and_the_others_run(fleet, client):
    ships = fleet(LEASE="2")
    accepted = Accepted()
    server = ships.start()
    await accepted.add(client, server.url, "poison", 1)
    await eventually(partial(getattr, server, "gone"), "the first death")
    task: dict = {}

    async def given_up() -> bool:
        nonlocal server, task
        if server.gone:
            server = ships.start(answers=False)
        try:
            answer = await client.get(f"{server.url}/tasks/{accepted.ids['poison', 1]}")
        except httpx.HTTPError:
            return False
        task = answer.json()
        return task.get("status") == "failed"

    await eventually(given_up, "the task is given up")
    assert await accepted.add(client, server.url, "again", 2)
    await eventually(lambda: ships.ran()["again-done", 2] == 1, "another task runs")
    deaths = ships.ran()["poison", 1]
    print(f"accepted 2, done 1, given up after {deaths} deaths: {task['error']}")
    assert task["status"] == "failed"
    assert "3 times" in task["error"]
    assert deaths in {3, 4}


async def test_failures_just_before_a_death_are_in_the_history(fleet, client):
    ships, accepted = fleet(), Accepted()
    first = ships.start()
    await asyncio.gather(
        *(accepted.add(client, first.url, "failing", number) for number in range(100))
    )
    await asyncio.sleep(0.05)  # of which some have failed, and some of those are on record
    first.kill()
    last = ships.start()
    await eventually(partial(at_rest, client, last), "the next process has put all in order")
    seen = Counter((await accepted.statuses(client, last)).values())
    ran = ships.ran()
    print(f"accepted {len(accepted.ids)}, {dict(seen)}, started twice {max(ran.values()) - 1}")
    assert seen.keys() <= {"failed", "interrupted"}
    assert seen.total() == 100
    assert set(ran.values()) == {1}
