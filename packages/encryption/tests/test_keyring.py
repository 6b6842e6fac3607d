"""Keys: what is one, which encrypts, and asking for them again."""

from __future__ import annotations

import re

import pytest
from cryptography.fernet import Fernet

from fastapi_taskflow_core import PayloadError, TaskManager
from fastapi_taskflow_encryption import Keyring

KEYS = [Fernet.generate_key() for _ in range(3)]


@pytest.mark.parametrize("malformed", ["", "secret-secret", "x" * 44, b"\xff" * 44, "é" * 32])
def test_a_malformed_key_is_refused_and_not_quoted(malformed: str | bytes) -> None:
    with pytest.raises(
        ValueError, match=r"encrypt_args_key\[0\] is malformed: .*generate_key"
    ) as e:
        TaskManager(encrypt_args_key=malformed)
    assert not malformed or str(malformed) not in str(e.value)
    assert e.value.__cause__ is None


@pytest.mark.parametrize("wrong", [7, {"a": "b"}, [7], [None], object()])
def test_something_else_than_a_key_is_a_type_error(wrong: object) -> None:
    with pytest.raises(TypeError, match="encrypt_args_key"):
        Keyring(wrong)


def test_no_key_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="empty list"):
        Keyring([])


def test_the_place_of_the_malformed_key_is_said() -> None:
    with pytest.raises(ValueError, match=r"encrypt_args_key\[1\]"):
        Keyring([KEYS[0], "nonsense"])


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    old = Keyring(KEYS[0])
    name, token = old.encrypt(b"secret")
    both = Keyring([KEYS[1], KEYS[0]])
    assert both.decrypt(name, token) == b"secret"
    assert both.encrypt(b"x")[0] == both.names[0] != name == both.names[1]


def test_a_key_has_the_same_name_as_text_and_as_bytes() -> None:
    assert Keyring(KEYS[0]).names == Keyring(KEYS[0].decode()).names
    assert re.fullmatch("[0-9a-f]{8}", Keyring(KEYS[0]).names[0])


def test_a_missing_key_is_said_to_be_missing() -> None:
    with pytest.raises(PayloadError, match="^cannot decrypt: no configured key fits$"):
        Keyring(KEYS[1]).decrypt(*Keyring(KEYS[0]).encrypt(b"secret"))


def test_damaged_bytes_are_said_to_be_damaged() -> None:
    ring = Keyring(KEYS[0])
    name, token = ring.encrypt(b"secret")
    for damaged in (b"", token[:-5], token[::-1], b"\xff\n", token.replace(token[20:21], b"A")):
        if damaged != token:
            with pytest.raises(PayloadError, match="damaged"):
                ring.decrypt(name, damaged)


def test_no_key_shows_in_the_repr() -> None:
    shown = repr(Keyring(KEYS))
    assert not any(key.decode() in shown for key in KEYS)


class Vault:
    """Returns the keys that it has now."""

    def __init__(self) -> None:
        self.keys = [KEYS[0]]
        self.asked = 0

    def __call__(self) -> list[bytes]:
        self.asked += 1
        if not self.keys:
            raise RuntimeError("secret words")
        return list(self.keys)


def test_a_callable_is_asked_again_for_a_key_it_did_not_return(
    caplog: pytest.LogCaptureFixture,
) -> None:
    vault, now = Vault(), 0.0
    ring = Keyring(vault, lambda: now)
    name, token = Keyring(KEYS[1]).encrypt(b"secret")
    vault.keys = [KEYS[1], KEYS[0]]
    with pytest.raises(PayloadError, match="no configured key fits"):
        ring.decrypt(name, token)
    now = 30.0
    assert ring.decrypt(name, token) == b"secret"
    assert (vault.asked, ring.names[0]) == (2, name)
    vault.keys, now = [], 60.0
    with pytest.raises(PayloadError):
        ring.decrypt("00000000", token)
    assert "RuntimeError" in caplog.text
    assert "secret words" not in caplog.text
    assert ring.decrypt(name, token) == b"secret"


def test_what_a_callable_returns_is_looked_at_like_a_key() -> None:
    with pytest.raises(ValueError, match="malformed"):
        Keyring(lambda: "nonsense")
