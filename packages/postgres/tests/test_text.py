"""Any text can be stored in a place that knows no NUL."""

from hypothesis import example, given
from hypothesis import strategies as st

from fastapi_taskflow_postgres.text import plain, spelled

texts = st.text(st.sampled_from("\0\x100\n1a") | st.characters(exclude_categories=["Cs"]))


@given(texts)
@example("\x10\0\x100")
def test_text_comes_back_equal_and_is_without_nul_meanwhile(text: str) -> None:
    assert "\0" not in spelled(text)
    assert plain(spelled(text)) == text


@given(texts, texts)
def test_no_two_texts_are_spelled_alike(one: str, other: str) -> None:
    assert (spelled(one) == spelled(other)) == (one == other)
