"""Tasks whose arguments are encrypted, from the adding to the record."""

from __future__ import annotations

import gc
import weakref
from dataclasses import dataclass

import pytest
from cryptography.fernet import Fernet

from fastapi_taskflow_core import (
    InMemoryLogger,
    PayloadError,
    TaskArgumentError,
    TaskManager,
    TaskRecord,
    task_log,
    task_progress,
)
from fastapi_taskflow_core.backends.base import Capabilities
from fastapi_taskflow_core.backends.memory import MemoryBackend

SECRET = "4111-1111-1111-1111"


async def run(manager: TaskManager, func: object, *args: object, **options: object) -> TaskRecord:
    return await manager.wait(await manager.enqueue(func, *args, **options), 30)


async def raw(backend: MemoryBackend, task_id: str) -> TaskRecord:
    found = await backend.get(task_id)
    assert found is not None
    return found


async def test_the_function_gets_what_was_given(manager: TaskManager) -> None:
    got = []

    async def pay(card: str, *, amount: int) -> None:
        got.append((card, amount))

    await run(manager, pay, SECRET, amount=7)
    assert got == [(SECRET, 7)]


async def test_nothing_that_is_kept_has_the_arguments(key: str) -> None:
    backend = MemoryBackend()
    manager = TaskManager(encrypt_args_key=key, snapshot_backend=backend)

    @manager.task(retries=1, keep_result=True)
    async def pay(card: str) -> str:
        task_log(f"paying with {card}", card=card, nested={"cards": [card]}, n=3)
        task_progress(1, 2, f"asking the bank about {card}")
        if not manager.history:
            return card
        raise ValueError(f"refused: {card}")

    task = await run(manager, pay, SECRET)
    record = await raw(backend, task.task_id)
    record.logs = tuple(await backend.logs(task.task_id))
    assert SECRET not in repr(record)
    assert SECRET not in repr(task)
    assert task.error == "ValueError: encrypted"
    assert task.earlier[0].error == "ValueError: encrypted"
    assert task.stacktrace == "encrypted"
    assert task.progress is not None
    assert (task.progress.done, task.progress.message) == (1, "encrypted")
    line = record.logs[0]
    assert line.message == "paying with ***"
    assert line.extra == {"card": "***", "nested": {"cards": ["***"]}, "n": 3}
    assert manager.arguments(task) == {"arguments": "encrypted"}


async def test_code_may_read_what_is_encrypted(manager: TaskManager) -> None:
    async def pay(card: str) -> None:
        task_progress(1, None, f"with {card}")
        raise ValueError(f"refused: {card}")

    task = await run(manager, pay, SECRET)
    plain = await manager.decrypted(task.task_id)
    assert plain.error == f"ValueError: refused: {SECRET}"
    assert f"refused: {SECRET}" in str(plain.stacktrace)
    assert plain.progress is not None
    assert plain.progress.message == f"with {SECRET}"
    assert plain.attempts[0].error == plain.error


async def test_a_result_is_encrypted_and_comes_back(key: str) -> None:
    backend = MemoryBackend()
    manager = TaskManager(encrypt_args_key=key, snapshot_backend=backend)

    @manager.task(keep_result=True)
    async def echo(card: str) -> dict[str, str]:
        return {"card": card}

    task = await run(manager, echo, SECRET)
    assert SECRET not in str((await raw(backend, task.task_id)).result)
    assert manager.result_of(task) == {"card": SECRET}


async def test_observers_are_told_without_the_values(key: str) -> None:
    heard = InMemoryLogger()
    manager = TaskManager(encrypt_args_key=key, loggers=[heard])
    await manager.startup()

    async def pay(card: str) -> None:
        task_log(f"paying with {card}")
        raise ValueError(f"refused: {card} for good")

    await run(manager, pay, SECRET)
    await manager.shutdown()
    told = repr(vars(heard))
    assert SECRET not in told
    assert "paying with ***" in told
    assert "refused: *** for good" in told


async def test_every_attempt_and_a_retry_by_hand_get_the_arguments(manager: TaskManager) -> None:
    got = []

    @manager.task(retries=2)
    async def pay(card: str) -> None:
        got.append(card)
        raise ValueError

    task = await run(manager, pay, SECRET)
    again = await manager.wait(await manager.retry(task.task_id), 30)
    assert got == [SECRET] * 6
    assert again.retry_of == task.task_id


async def test_an_argument_that_cannot_be_encrypted_is_named(manager: TaskManager) -> None:
    async def pay(card: object) -> None: ...

    with pytest.raises(TaskArgumentError, match="argument 'card' of type object"):
        await manager.enqueue(pay, object())


async def test_with_a_wrong_key_the_task_fails_and_a_retry_with_the_right_one_works(
    key: str, caplog: pytest.LogCaptureFixture
) -> None:
    backend = MemoryBackend()
    writer = TaskManager(encrypt_args_key=key, snapshot_backend=backend)
    got = []

    async def pay(card: str) -> None:
        got.append(card)
        raise ValueError

    for manager in (writer,):
        manager.task(name="pay")(pay)
    task = await run(writer, pay, SECRET)
    stranger = TaskManager(encrypt_args_key=Fernet.generate_key(), snapshot_backend=backend)
    stranger.task(name="pay")(pay)
    with pytest.raises(PayloadError, match="^cannot decrypt: no configured key fits$"):
        await stranger.retry(task.task_id)
    with pytest.raises(PayloadError, match="no configured key fits"):
        await stranger.decrypted(task.task_id)
    assert (await raw(backend, task.task_id)).payload is not None
    await writer.wait(await writer.retry(task.task_id), 30)
    assert got == [SECRET, SECRET]


async def test_keys_are_counted_and_tasks_encrypted_anew(key: str) -> None:
    backend, new = MemoryBackend(), Fernet.generate_key()

    async def pay(card: str) -> None:
        raise ValueError

    old = TaskManager(encrypt_args_key=key, snapshot_backend=backend)
    task = await run(old, pay, SECRET)
    (old_name,) = await old.encryption_keys()
    manager = TaskManager(encrypt_args_key=[new, key], snapshot_backend=backend)
    manager.task(name="pay")(pay)
    assert await manager.encryption_keys() == {old_name: 1}
    assert await manager.reencrypt() == 1
    assert await manager.reencrypt() == 0
    (new_name,) = await manager.encryption_keys()
    assert new_name != old_name
    only_new = TaskManager(encrypt_args_key=new, snapshot_backend=backend)
    only_new.task(name="pay")(pay)
    await only_new.wait(await only_new.retry(task.task_id), 30)


async def test_without_a_key_there_is_nothing_to_encrypt_anew() -> None:
    for call in (TaskManager().reencrypt, TaskManager().encryption_keys):
        with pytest.raises(ValueError, match="set encrypt_args_key"):
            await call()


class Surviving(MemoryBackend):
    """Outlives the managers that use it, as a database does."""

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(survives_restart=True, shared=False)


async def test_a_waiting_task_under_another_key_fails_alone_and_can_be_retried(key: str) -> None:
    backend, got = Surviving(), []

    async def pay(card: str) -> None:
        got.append(card)

    def manager(*keys: str | bytes) -> TaskManager:
        made = TaskManager(encrypt_args_key=list(keys), snapshot_backend=backend, drain_timeout=1)
        made.task(persist=True)(pay)
        return made

    first = manager(key)
    await first.startup()
    first.pause_queue("default")
    left = await first.enqueue(pay, SECRET)
    await first.shutdown()  # it is anybody's now
    stored = (await raw(backend, left)).payload

    other = manager(Fernet.generate_key())
    await other.startup()
    other.resume_queue("default")
    failed = await other.wait(left, 30)
    assert failed.error == "PayloadError: cannot decrypt: no configured key fits"
    assert failed.payload == stored
    await other.wait(await other.enqueue(pay, "another card"), 30)
    await other.shutdown()

    back = manager(key)
    await back.startup()
    await back.wait(await back.retry(left), 30)
    await back.shutdown()
    assert got == ["another card", SECRET]


@dataclass
class Card:
    number: str


async def test_nobody_holds_the_arguments_of_a_task_that_waits(manager: TaskManager) -> None:
    got = []

    async def pay(card: Card) -> None:
        got.append(card.number)

    manager.pause_queue("default")
    card = Card(SECRET)
    gone = weakref.ref(card)
    task_id = await manager.enqueue(pay, card)
    del card
    gc.collect()
    assert gone() is None
    manager.resume_queue("default")
    await manager.wait(task_id, 30)
    assert got == [SECRET]
