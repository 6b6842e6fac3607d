"""Text as PostgreSQL takes it: there it may hold any character but NUL.

NUL is spelled with DLE, the control character that Unicode has for escaping: DLE and ``0``
stand for NUL, two DLE for one. Text that holds neither, so nearly all, is stored as it is.
"""

from __future__ import annotations

import re

_NUL, _DLE = "\0", "\x10"
_SPELLED_NUL = _DLE + "0"
_SPELLED = re.compile(f"{_DLE}(.)", re.DOTALL)


def spelled(text: str) -> str:
    """The text without NUL."""
    if _NUL in text or _DLE in text:
        return text.replace(_DLE, _DLE + _DLE).replace(_NUL, _SPELLED_NUL)
    return text


def plain(text: str) -> str:
    """The text that `spelled` was given."""
    return _SPELLED.sub(_meant, text) if _DLE in text else text


def _meant(spelling: re.Match[str]) -> str:
    return _NUL if spelling[1] == "0" else spelling[1]
