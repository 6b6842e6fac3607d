"""What people may do: see, act on tasks, and change what concerns everyone."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from fastapi_taskflow_core import checks

Permission = Literal["view", "operate", "admin"]
Grant = Collection[str]
"""One name, or several of them."""

LEVELS: tuple[Permission, ...] = ("view", "operate", "admin")
EVERYTHING = frozenset(LEVELS)
NOTHING: frozenset[Permission] = frozenset()


def granted(name: str, value: object) -> frozenset[Permission]:
    """The permissions of a grant: each brings those before it in `LEVELS`.

    Args:
        name: What to call the value in an error.
        value: One name, or a set, list or tuple of names; an empty one grants nothing.

    Raises:
        TypeError: It is neither.
        ValueError: A name is unknown.
    """
    expected = "'view', 'operate' or 'admin', or a set of them"
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, set | frozenset | list | tuple):
        raise TypeError(checks.wrong(name, expected, value))
    for each in names:
        if not isinstance(each, str):
            raise TypeError(checks.wrong(name, expected, value))
        if each not in LEVELS:
            raise ValueError(checks.wrong(name, expected, value))
    return frozenset(LEVELS[: max((LEVELS.index(each) + 1 for each in names), default=0)])


class TaskUser:
    """Someone who uses the task admin.

    A FastAPI dependency given as ``TaskAdmin(auth=...)`` may return one to say who it let
    in and what they may do.

    Args:
        name: Shown in the dashboard and entered in the audit trail; empty is nobody known.
        permissions: ``"view"``, ``"operate"`` or ``"admin"``, or a set of them. Each brings
            those before it; the default is all.

    Raises:
        TypeError, ValueError: A permission of the wrong kind, or an unknown one.
    """

    __slots__ = ("name", "permissions")

    def __init__(self, name: str = "", permissions: Grant = EVERYTHING) -> None:
        if not isinstance(name, str):
            raise TypeError(checks.wrong("name", "a string", name))
        self.name = name
        self.permissions = granted("permissions", permissions)

    def may(self, permission: Permission) -> bool:
        """Whether the user has it."""
        return permission in self.permissions
