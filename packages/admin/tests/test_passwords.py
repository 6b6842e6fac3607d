"""Passwords: what is configured, and comparing it."""

import io
import subprocess
import sys

import pytest

from fastapi_taskflow_admin import hash_password
from fastapi_taskflow_admin.auth import passwords
from fastapi_taskflow_admin.auth.passwords import NOBODY, Cost, matches, stored

CHEAP = Cost(16, 1, 1)
PASSWORDS = ["x", "correct horse", "pässwörd €", "🔑" * 100, "a$b$c", "nul\0inside", "\ud800"]


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_hash_admits_its_password_and_no_other(password: str) -> None:
    kept = stored("password", hash_password(password, CHEAP))
    assert matches(password, kept, (CHEAP,))
    assert not matches(password + "x", kept, (CHEAP,))
    assert not matches("", kept, (CHEAP,))


@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("costs", [(), (CHEAP,)])
def test_a_plain_password_admits_itself_and_no_other(
    password: str, costs: tuple[Cost, ...]
) -> None:
    kept = stored("password", password)
    assert matches(password, kept, costs)
    assert not matches(password + "x", kept, costs)


def test_two_hashes_of_one_password_differ() -> None:
    assert hash_password("same", CHEAP) != hash_password("same", CHEAP)


def test_a_hash_says_how_it_was_made() -> None:
    assert hash_password("x", CHEAP).startswith("scrypt$16$1$1$")
    assert Cost().memory > 32 * 1024 * 1024


def test_what_is_kept_does_not_show_the_password() -> None:
    assert "secret" not in repr(stored("password", "secret"))


@pytest.mark.parametrize("expected", [NOBODY, stored("p", "plain"), stored("p", "x" * 9)])
def test_every_attempt_makes_one_hash_of_each_cost(
    expected: passwords.Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Cost] = []
    monkeypatch.setattr(Cost, "digest", lambda cost, *_: made.append(cost) or b"no")
    costs = (CHEAP, Cost(32, 1, 1))
    matches("x", expected, costs)
    assert made == [*costs]


def test_a_password_of_a_megabyte_is_refused_without_a_hash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(Cost, "digest")
    assert not matches("x" * 1_000_000, stored("p", "right"), (CHEAP,))


@pytest.mark.parametrize(
    ("password", "kind"), [("", ValueError), ("x" * 1_025, ValueError), (5, TypeError)]
)
def test_what_cannot_be_a_password_is_not_hashed(password: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="password must"):
        hash_password(password)


@pytest.mark.parametrize(
    ("n", "r", "p"), [(1, 1, 1), (15, 1, 1), (16, 0, 1), (16, 1, 0), (16, 1, 17), (2**25, 8, 1)]
)
def test_a_cost_that_makes_no_sense_is_refused(n: int, r: int, p: int) -> None:
    with pytest.raises(ValueError):
        Cost(n, r, p)


def test_an_error_about_a_password_does_not_repeat_it() -> None:
    for wrong in (f"scrypt${'hunter2' * 3}", "hunter2" * 1_000, "$argon2id$hunter2"):
        with pytest.raises(ValueError) as told:
            stored("the password of auth", wrong)
        assert "hunter2" not in str(told.value)


def test_the_command_prints_a_hash_of_the_line_it_reads() -> None:
    command = [sys.executable, "-m", "fastapi_taskflow_admin", "hash-password"]
    done = subprocess.run(command, input="pä$$\n", capture_output=True, text=True, check=True)
    kept = stored("password", done.stdout.strip())
    assert kept.cost is not None
    assert matches("pä$$", kept, (kept.cost,))


def test_the_command_says_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from fastapi_taskflow_admin import __main__ as command

    monkeypatch.setattr(sys, "argv", ["x", "hash-password"])
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))
    assert command.main() == 1
    assert "1 to 1,024 bytes" in capsys.readouterr().err
