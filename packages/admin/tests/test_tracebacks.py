"""Tracebacks as parts, from what Python really writes."""

from __future__ import annotations

import json
import traceback

from fastapi_taskflow_admin.pages.tracebacks import Frame, parts


def chained() -> str:
    def parse() -> None:
        json.loads("{")

    try:
        try:
            try:
                parse()
            except ValueError as error:
                raise RuntimeError("two\nlines") from error
        except RuntimeError:
            raise KeyError("last")  # noqa: B904  the one during the other is wanted
    except KeyError:
        return traceback.format_exc()


def test_the_last_error_is_first_and_its_causes_follow() -> None:
    last, second, first = parts(chained())
    assert (last.relation, last.error) == ("", "KeyError: 'last'")
    assert (second.relation, second.error) == ("While handling", "RuntimeError: two\nlines")
    assert first.relation == "Caused by"
    assert first.error.startswith("json.decoder.JSONDecodeError: Expecting property name")


def test_frames_of_libraries_stand_apart() -> None:
    first = parts(chained())[-1]
    own, library = first.blocks
    assert not own.library
    assert [frame.function for frame in own.frames] == ["chained", "parse"]
    assert own.frames[-1].code == 'json.loads("{")'
    assert library.library
    assert {frame.function for frame in library.frames} >= {"loads", "decode"}


def test_the_marks_into_the_code_are_left_out() -> None:
    stack = (
        "Traceback (most recent call last):\n"
        '  File "/app/pay.py", line 3, in pay\n'
        "    total = 1 / rate\n"
        "            ~~^~~~~~\n"
        "ZeroDivisionError: division by zero\n"
    )
    [only] = parts(stack)
    assert [frame.code for frame in only.frames] == ["total = 1 / rate"]
    assert [frame.place for frame in only.frames] == ["…/app/pay.py"]


def test_a_short_path_is_shown_whole() -> None:
    assert [Frame(path, 1, "f", "").place for path in ("pay.py", "app/pay.py", "<string>")] == [
        "pay.py",
        "app/pay.py",
        "<string>",
    ]


def test_other_forms_are_left_as_they_are() -> None:
    try:
        raise ExceptionGroup("two", [ValueError("a"), ValueError("b")])
    except ExceptionGroup:
        grouped = traceback.format_exc()
    for text in ("", "encrypted", "File x", "Traceback (most recent call last):", grouped):
        assert parts(text) == []


def test_one_that_was_cut_at_its_beginning_is_left_as_it_is() -> None:
    assert parts(chained()[60:]) == []
