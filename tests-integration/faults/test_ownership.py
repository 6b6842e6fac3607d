"""Several instances over one file: each task has one owner at a time."""

import asyncio
import signal
from functools import partial

from fleet import Accepted, at_rest, eventually


async def test_a_frozen_instance_that_comes_back_changes_nothing(fleet, client):
    ships = fleet(LEASE="2")
    frozen, living = ships.start(), ships.start()
    accepted = Accepted()
    for number in range(20):
        await accepted.add(client, frozen.url, "once", number, seconds=4)
        await accepted.add(client, frozen.url, "again", number, seconds=4)
    await eventually(lambda: ships.ran().total() == 40, "the tasks run")
    frozen.signal(signal.SIGSTOP)

    async def statuses() -> dict[tuple[str, int], str]:
        listed = (await client.get(f"{living.url}/tasks?limit=100")).json()
        by_id = {task["task_id"]: task["status"] for task in listed}
        return {which: by_id[task_id] for which, task_id in accepted.ids.items()}

    async def taken_over() -> bool:
        seen = await statuses()
        return all(
            status == ("interrupted" if kind == "once" else "success")
            for (kind, _), status in seen.items()
        )

    await eventually(taken_over, "the living instance has taken over")
    before = await statuses()
    frozen.signal(signal.SIGCONT)

    async def noticed() -> bool:
        listed = (await client.get(f"{frozen.url}/tasks/instances")).json()
        return all(each["running"] + each["waiting"] == 0 for each in listed)

    await eventually(noticed, "the frozen instance has dropped what was its own")
    after, ran = await statuses(), ships.ran()
    twice = [number for number in range(20) if ran["once", number] > 1]
    print(f"accepted 40, taken over 20, interrupted 20, lost 0, started twice {len(twice)}")
    assert after == before
    assert twice == []
    assert all(ran["again", number] == 2 for number in range(20))


async def test_a_clean_stop_leaves_the_tasks_of_others_alone(fleet, client):
    ships = fleet()
    leaving, staying = ships.start(), ships.start()
    accepted = Accepted()
    for number in range(10):
        await accepted.add(client, staying.url, "once", number, seconds=3)
    await eventually(lambda: ships.ran().total() == 10, "the tasks run")
    leaving.signal(signal.SIGTERM)
    leaving.ended()
    await eventually(
        lambda: all(ships.ran()["once-done", number] for number in range(10)),
        "the tasks of the other instance have finished",
    )
    answer = await client.get(f"{staying.url}/tasks/metrics")
    assert answer.status_code == 200, answer.text
    seen = answer.json()
    print(f"accepted 10, done {seen['success']}, lost 0, run twice 0")
    assert seen["success"] == 10


async def test_of_64_calls_with_one_key_in_four_processes_one_runs(fleet, client):
    ships = fleet()
    servers = [ships.start() for _ in range(4)]
    accepted = Accepted()
    added = await asyncio.gather(
        *(
            accepted.add(client, servers[number % 4].url, "again", number, seconds=0.5, key="one")
            for number in range(64)
        )
    )
    assert all(added), accepted.refused
    await eventually(
        lambda: any(what == "again-done" for what, _ in ships.ran()), "one of them has run"
    )
    named = {
        (await client.get(f"{servers[0].url}/tasks/{task_id}")).json()["task_id"]
        for task_id in set(accepted.ids.values())
    }
    runs = sum(times for (what, _), times in ships.ran().items() if what == "again")
    print(f"callers 64, ids {len(set(accepted.ids.values()))}, tasks {len(named)}, runs {runs}")
    assert len(named) == 1
    assert named <= set(accepted.ids.values())
    assert runs == 1


async def test_each_of_twenty_orders_to_run_a_task_again_makes_one_new_task(fleet, client):
    ships, accepted = fleet(), Accepted()
    servers = [ships.start(), ships.start()]
    await accepted.add(client, servers[0].url, "failing", 1)
    original = accepted.ids["failing", 1]

    async def failed() -> bool:
        return (await accepted.statuses(client, servers[1]))["failing", 1] == "failed"

    await eventually(failed, "the other instance sees it failed")
    again = await asyncio.gather(
        *(
            client.post(
                f"{servers[n % 2].url}/tasks/{original}/retry",
                headers={"X-Requested-With": "a test"},
            )
            for n in range(20)
        )
    )
    ids = {each.json()["task_id"] for each in again}
    await eventually(partial(at_rest, client, servers[0]), "all have run")
    listed = (await client.get(f"{servers[0].url}/tasks", params={"limit": 50})).json()
    print(f"orders 20, new tasks {len(ids)}, runs {ships.ran().total()}")
    assert len(ids) == 20
    assert {task["task_id"] for task in listed} == {original, *ids}
    assert {task["retry_of"] for task in listed} == {original, None}
    assert ships.ran() == {("failing", 1): 21}
    assert await failed()
