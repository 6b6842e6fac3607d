"""Whatever happens in whatever order, no promise is broken.

The engine on a clock that stands still, over a storage that fails when it is told to, before an
operation takes effect or after it has.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from fastapi_taskflow_core import (
    BackendUnavailable,
    TaskManager,
    TaskRecord,
    TaskStateError,
    TaskStatus,
    get_task_context,
)
from fastapi_taskflow_core.backends.base import Capabilities
from fastapi_taskflow_core.backends.memory import MemoryBackend
from fastapi_taskflow_core.engine import journal
from fastapi_taskflow_core.surroundings import Surroundings
from fastapi_taskflow_testkit.clock import VirtualClock
from fastapi_taskflow_testkit.faults import ExposedBackend, Fail, Moment, Weather

T = TypeVar("T")
KINDS = ("once", "again", "unkept")
KEYS = (None, None, "a", "b")
NUMBERS = st.integers(0, 11)
"""Which one of those there are. What there is depends on the time that things take, too: what is
drawn, and which rules there are to choose from, must not.
"""


class Lasting(MemoryBackend):
    """Outlives the managers that use it, one after the other."""

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(survives_restart=True, shared=False)


class Machine(RuleBasedStateMachine):
    """Tasks are added, end well or badly, are cancelled and retried; the storage fails and heals;
    the application stops and starts.
    """

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.clock = VirtualClock()
        self.weather = Weather()
        self.store = Lasting(10_000, self.clock)
        self.starts = Counter[str]()
        self.kinds: dict[str, str] = {}
        self.running: dict[str, asyncio.Future[bool]] = {}
        self.seen: dict[str, TaskStatus] = {}
        self.start()

    def start(self) -> None:
        manager = TaskManager(
            snapshot_backend=ExposedBackend(self.store, self.weather),
            drain_timeout=0.01,
            commit_timeout=2,
            surroundings=Surroundings(clock=self.clock, random=lambda: 0.0),
        )

        async def work() -> None:
            context = get_task_context()
            assert context is not None
            self.starts[context.task_id] += 1
            end = self.running[context.task_id] = asyncio.get_running_loop().create_future()
            try:
                if not await end:
                    raise ValueError("badly")
            finally:
                self.running.pop(context.task_id, None)

        self.functions = {
            "once": manager.task(name="once", persist=True, retries=1, delay=5)(_copy(work)),
            "again": manager.task(name="again", persist=True, requeue_on_interrupt=True)(
                _copy(work)
            ),
            "unkept": manager.task(name="unkept")(_copy(work)),
        }
        self.manager = manager
        self.run(manager.startup())

    def run(self, what: Coroutine[Any, Any, T]) -> T:
        """The answer, however many turns of the loop and seconds of the clock it takes."""

        async def patient() -> T:
            asked = asyncio.ensure_future(what)
            for turn in range(2_000):
                if asked.done():
                    break
                await asyncio.sleep(0 if turn % 10 else 0.001)
                if turn % 100 == 99:
                    self.clock.advance(0.5)
            return await asyncio.wait_for(asked, 30)

        return self.loop.run_until_complete(patient())

    def settle(self, seconds: float = 0.0) -> None:
        """Let so many seconds pass, and whatever follows from that happen."""

        async def turns() -> None:
            self.clock.advance(seconds)
            for _ in range(30):
                await asyncio.sleep(0)

        self.loop.run_until_complete(turns())

    @rule(kind=st.sampled_from(KINDS), key=st.sampled_from(KEYS))
    def add(self, kind: str, key: str | None) -> None:
        call = self.functions[kind]
        try:
            task_id = self.run(self.manager.enqueue(call, idempotency_key=key))
        except BackendUnavailable:
            return
        self.kinds.setdefault(task_id, kind)

    @rule(number=NUMBERS, well=st.booleans())
    def end(self, number: int, well: bool) -> None:
        for task_id in chosen(self.running, number):
            if not self.running[task_id].done():
                self.running[task_id].set_result(well)
        self.settle()

    @rule(number=NUMBERS)
    def cancel(self, number: int) -> None:
        for task_id in chosen(self.kinds, number):
            self.ask(self.manager.cancel(task_id))

    @rule(number=NUMBERS)
    def retry(self, number: int) -> None:
        for original in chosen(self.kinds, number):
            new = self.ask(self.manager.retry(original))
            if new is not None:
                self.kinds[new] = self.kinds[original]

    def ask(self, what: Coroutine[Any, Any, T]) -> T | None:
        try:
            return self.run(what)
        except (BackendUnavailable, TaskStateError, LookupError):
            return None

    @rule(seconds=st.sampled_from([0.1, 1.0, 6.0, 60.0]))
    def wait(self, seconds: float) -> None:
        self.settle(seconds)

    @rule(times=st.integers(1, 4), moment=st.sampled_from(Moment))
    def storm(self, times: int, moment: Moment) -> None:
        self.weather.bring(Fail(moment), "write", times=times)

    @rule()
    def restart(self) -> None:
        self.run(self.manager.shutdown())
        self.running.clear()
        self.start()

    @invariant()
    def nothing_that_must_not_has_started_twice(self) -> None:
        if not hasattr(self, "kinds"):
            return
        for task_id, kind in self.kinds.items():
            # One further start is the retry that "once" asked for, after an end of its own.
            assert kind != "once" or self.starts[task_id] <= 2
            assert kind != "unkept" or self.starts[task_id] <= 1

    @invariant()
    def what_has_ended_stays_as_it_is(self) -> None:
        for task_id in getattr(self, "kinds", ()):
            record = self.stored(task_id)
            if record is None:
                continue
            before = self.seen.get(record.task_id)
            if before is not None and before.finished:
                assert record.status is before, f"{before} became {record.status}"
            self.seen[record.task_id] = record.status

    def stored(self, task_id: str) -> TaskRecord | None:
        return self.loop.run_until_complete(self.store.get(task_id))

    def teardown(self) -> None:
        if not hasattr(self, "kinds"):
            return
        self.weather.clear()
        for _ in range(3):
            for _ in range(20):
                for end in list(self.running.values()):
                    if not end.done():
                        end.set_result(True)
                self.settle(3)
            self.restart()
        records = {task_id: self.stored(task_id) for task_id in self.kinds}
        for task_id, kind in self.kinds.items():
            self.check(task_id, kind, records[task_id])
        held = [it for it in records.values() if it and it.idempotency_key and it.status.holds_key]
        holders = {(it.idempotency_key, it.task_id) for it in held}
        assert len(holders) == len({key for key, _ in holders}), "two tasks hold one key"
        self.run(self.manager.shutdown())
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    def check(self, task_id: str, kind: str, record: TaskRecord | None) -> None:
        """What was accepted came to an end that it may have."""
        assert record is not None, f"{task_id} ({kind}) was accepted, and is lost"
        assert record.status.finished, f"{task_id} ({kind}) is still {record.status}"
        if record.status is TaskStatus.SUCCESS:
            assert self.starts[record.task_id] >= 1
        if record.status is TaskStatus.INTERRUPTED and kind != "unkept":
            assert kind == "once"
            assert self.starts[record.task_id] >= 1, "it had not started, so it could have run"


def chosen(ids: Mapping[str, object], number: int) -> list[str]:
    """One of the ids, or none where there is none."""
    return sorted(ids)[number % len(ids) :][:1] if ids else []


def _copy(func: Any) -> Any:
    """Another function that does the same, so that each has a name of its own."""

    async def copied() -> None:
        await func()

    return copied


def test_no_order_of_events_breaks_a_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "BACKOFF", (0.001, 0.002))
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=100,
            stateful_step_count=25,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
