"""Masking: the values of arguments in texts."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from fastapi_taskflow_encryption.masking import ValueMask

SECRET = "s3cret-w0rd"


@dataclass
class Card:
    number: str


class Order(BaseModel):
    card: str
    token: SecretStr = SecretStr("unused")


class Level(Enum):
    HIGH = SECRET


@pytest.mark.parametrize(
    "value",
    [
        SECRET,
        SECRET.encode(),
        [1, (SECRET,)],
        {"a": {"b": SECRET}},
        {SECRET},
        Card(SECRET),
        Order(card=SECRET),
        Order(card="", token=SecretStr(SECRET)),
        Level.HIGH,
        Path(SECRET),
    ],
)
def test_a_value_is_hidden_wherever_it_stands(value: object) -> None:
    hide = ValueMask(((), {"x": value}))
    assert hide(f"could not pay with {SECRET!r}, {SECRET}!") == "could not pay with '***', ***!"


@pytest.mark.parametrize(
    "number", [4111111111111111, -123456, 1234.56, Decimal("123456.7"), UUID(int=2**80)]
)
def test_long_numbers_are_hidden(number: object) -> None:
    assert ValueMask([number])(f"card {number} refused") == "card *** refused"


@pytest.mark.parametrize("short", ["abc", 12345, 3.14, True, None, ""])
def test_what_is_short_is_left(short: object) -> None:
    assert ValueMask([short])(f"it was {short} here") == f"it was {short} here"


def test_the_longest_value_is_hidden_first() -> None:
    assert ValueMask(["pass", "password"])("password pass") == "*** ***"


def test_quoted_forms_are_hidden_too() -> None:
    value = 'tab\t"quote" \\ ünï'
    import json

    for form in (value, repr(value), json.dumps(value)):
        assert "ünï" not in ValueMask([value])(form)
        assert "quote" not in ValueMask([value])(form)


@given(st.lists(st.text(min_size=4), min_size=1), st.text(), st.text())
def test_no_value_is_left_in_any_text(values: list[str], before: str, after: str) -> None:
    hidden = ValueMask(values)(before + values[0] + after)
    # One with a star may come about anew, by what stood around.
    assert not [value for value in values if value in hidden and "*" not in value]
