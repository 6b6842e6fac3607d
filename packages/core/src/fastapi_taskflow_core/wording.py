"""Text from anywhere, made fit for storage and JSON."""

from __future__ import annotations


def storable(text: str) -> str:
    """The text, with lone surrogates spelled out, as in a file name that is not UTF-8.

    They are the one thing a Python string may hold that UTF-8 cannot: left as they are, no
    database and no JSON answer would take them.
    """
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
