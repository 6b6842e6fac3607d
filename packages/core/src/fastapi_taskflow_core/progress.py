"""Which of all that a task says about its progress is remembered. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from .records import ProgressMark

MOST = 20
"""Marks of one task, over all its attempts."""


def remembered(marks: Sequence[ProgressMark], new: ProgressMark) -> tuple[ProgressMark, ...]:
    """The marks with the latest one. The longer a task goes on, the further they are apart.

    They are a part of the record, which is written with every report anyway, so there must be
    few of them, however many reports there are.
    """
    kept = list(marks)
    if len(kept) > 1 and _close(kept[-2], new, kept[0]):
        kept.pop()
    kept.append(new)
    if len(kept) > MOST:
        del kept[1:-1:2]
    return tuple(kept)


def _close(before: ProgressMark, new: ProgressMark, first: ProgressMark) -> bool:
    """Whether what lies between two marks of an attempt tells little beside them."""
    near = (new.time - before.time) * MOST < 2 * (new.time - first.time)
    return near and before.attempt == new.attempt
