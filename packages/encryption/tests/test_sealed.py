"""Payloads: what comes back, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from hypothesis import assume, given
from hypothesis import strategies as st

from fastapi_taskflow_core import PayloadError, TaskRecord
from fastapi_taskflow_core.arguments import TypedJsonCodec
from fastapi_taskflow_encryption import FernetSealer
from fastapi_taskflow_testkit.builders import a_task

KEY, OTHER = Fernet.generate_key(), Fernet.generate_key()
SEALER = FernetSealer(KEY)
CODEC = SEALER.codec(TypedJsonCodec())


def function(*args: Any, **kwargs: Any) -> None:
    """Takes anything."""


def sealed(task: TaskRecord, *args: Any) -> bytes:
    return CODEC.encode(task.task_id, task.func_name, function, args, {})


def opened(task: TaskRecord, payload: bytes) -> tuple[Any, ...]:
    return CODEC.decode(task.task_id, task.func_name, function, payload)[0]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values)
def test_arguments_and_results_come_back_equal(value: object) -> None:
    task = a_task()
    assert opened(task, sealed(task, value)) == (value,)
    result = CODEC.encode_value(task.task_id, task.func_name, function, value)
    assert CODEC.decode_value(task.task_id, task.func_name, function, result) == value


@given(st.text())
def test_words_come_back_equal_and_stand_in_one_word(text: str) -> None:
    task = a_task()
    word = SEALER.seal(task, "error", text)
    assert word.isascii() and len(word.split()) == 1
    assert SEALER.unseal(task, "error", word) == text


def test_the_same_arguments_are_never_the_same_bytes() -> None:
    task = a_task()
    assert sealed(task, "secret") != sealed(task, "secret")


def test_a_payload_moved_to_another_task_or_function_or_field_is_refused() -> None:
    task = a_task()
    payload = sealed(task, "secret")
    elsewhere = [a_task(), a_task(task_id=task.task_id, func_name="other")]
    for other in elsewhere:
        with pytest.raises(PayloadError, match="belong to another task"):
            opened(other, payload)
    with pytest.raises(PayloadError, match="belong to another task"):
        CODEC.decode_value(task.task_id, task.func_name, function, payload)


@given(st.binary(max_size=200))
def test_garbage_is_refused_as_damaged(garbage: bytes) -> None:
    assume(not garbage.startswith(b"{"))  # as what was stored before there was a key
    task = a_task()
    for payload in (garbage, b"sealed:1:" + garbage, sealed(task)[:-20] + garbage):
        with pytest.raises(PayloadError):
            opened(task, payload)


def test_a_pickle_is_not_unpickled() -> None:
    task = a_task()
    pickle = b"cos\nsystem\n(S'touch pwned'\ntR."
    for payload in (pickle, SEALER.close(task.task_id, task.func_name, "arguments", pickle)):
        with pytest.raises(PayloadError):
            opened(task, payload)


def test_what_was_stored_before_there_was_a_key_is_read() -> None:
    task = a_task()
    plain = TypedJsonCodec().encode(task.task_id, task.func_name, function, ("x",), {})
    assert opened(task, plain) == ("x",)
    assert SEALER.key_of(plain) is None


def test_the_key_of_a_payload_is_known_without_opening_it() -> None:
    task = a_task()
    assert SEALER.key_of(sealed(task, 1)) == SEALER.keys()[0]
    assert SEALER.key_of(b"plain") is None


def test_sealing_again_takes_the_first_key() -> None:
    task = a_task()
    task.payload = sealed(task, "secret")
    both = FernetSealer([OTHER, KEY])
    task.payload = both.reseal(task)
    assert both.key_of(task.payload) == both.keys()[0]
    with pytest.raises(PayloadError, match="no configured key fits"):
        opened(task, task.payload)


def test_without_an_encryption_a_sealed_payload_says_what_is_missing() -> None:
    task = a_task()
    with pytest.raises(PayloadError, match="no configured key fits .set encrypt_args_key"):
        TypedJsonCodec().decode(task.task_id, task.func_name, function, sealed(task))


def test_the_repr_shows_no_key() -> None:
    assert KEY.decode() not in repr(SEALER) + repr(vars(SEALER))
