"""Who has a password: people listed in the code, or whoever the application says."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple, Protocol

from fastapi_taskflow_core import checks
from fastapi_taskflow_core.errors import BackendUnavailable

from .passwords import NOBODY, Cost, Stored, matches, stored
from .permissions import EVERYTHING, NOTHING, Grant, Permission, granted

logger = logging.getLogger(__name__)

LONGEST_NAME = 200


class TaskAuthBackend(Protocol):
    """Checks passwords with the application's own users.

    It may also have ``permissions(username)``, which returns ``"view"``, ``"operate"`` or
    ``"admin"``, or a set of them; without it everyone may do everything. It is asked with
    every request, so that a change has effect at once; an empty set shuts the user out.

    Both may be ``async def``; plain functions are called in a thread.
    """

    def authenticate_user(self, username: str, password: str) -> bool | Awaitable[bool]:
        """Whether this is the user's password."""


class Users(Protocol):
    """What a login asks about people."""

    async def check(self, username: str, password: str) -> bool:
        """Whether this is the user's password."""

    async def permissions(self, username: str) -> frozenset[Permission]:
        """What the user may do now; nothing for someone unknown."""

    def fingerprint(self, username: str) -> bytes:
        """Changes when the password does, as far as that is known here."""


class Member(NamedTuple):
    """Someone listed in the code."""

    password: Stored
    permissions: frozenset[Permission]


class Members:
    """The people listed in the code, by name."""

    def __init__(self, members: dict[str, Member]) -> None:
        self._members = members
        costs = {each.password.cost: None for each in members.values()}
        self._costs: tuple[Cost, ...] = tuple(cost for cost in costs if cost is not None)
        self._thread = _guessers(1)

    async def check(self, username: str, password: str) -> bool:
        """See `Users.check`. Takes as long for an unknown user as for a known one."""
        member = self._members.get(username)
        compared = partial(matches, password, member.password if member else NOBODY, self._costs)
        if not self._costs:
            return compared()
        return await asyncio.get_running_loop().run_in_executor(self._thread, compared)

    async def permissions(self, username: str) -> frozenset[Permission]:
        """See `Users.permissions`."""
        member = self._members.get(username)
        return member.permissions if member else NOTHING

    def fingerprint(self, username: str) -> bytes:
        """See `Users.fingerprint`."""
        member = self._members.get(username)
        return member.password.digest if member else b""


class ApplicationUsers:
    """The users of a `TaskAuthBackend`. If it fails, that is a 503 and a line in the log."""

    def __init__(self, backend: TaskAuthBackend) -> None:
        self._authenticate = backend.authenticate_user
        self._permissions: Callable[[str], Grant | Awaitable[Grant]] | None = getattr(
            backend, "permissions", None
        )
        self._threads = _guessers(2)

    async def check(self, username: str, password: str) -> bool:
        """See `Users.check`."""
        with _failures_told():
            return bool(await _called(self._threads, self._authenticate, username, password))

    async def permissions(self, username: str) -> frozenset[Permission]:
        """See `Users.permissions`."""
        if self._permissions is None:
            return EVERYTHING
        with _failures_told():
            answer = await _called(None, self._permissions, username)
            return granted(f"permissions({username!r})", answer)

    def fingerprint(self, username: str) -> bytes:  # noqa: ARG002  only the backend knows
        """See `Users.fingerprint`."""
        return b""


@contextmanager
def _failures_told() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        logger.exception("the TaskAuthBackend failed")
        raise BackendUnavailable("the users cannot be looked up now") from error


async def _called(threads: Executor | None, function: Callable[..., Any], *arguments: str) -> Any:
    """What a plain function says in a thread, or an async one on the loop."""
    if inspect.iscoroutinefunction(function):
        answer = function(*arguments)
    else:
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(threads, function, *arguments)
    return await answer if inspect.isawaitable(answer) else answer


def _guessers(threads: int) -> Executor:
    """Threads for passwords only: many logins at once must not take those of the application."""
    return ThreadPoolExecutor(threads, "taskflow-passwords")


def listed(auth: Sequence[object]) -> Members:
    """The people of ``auth=(user, password)``, or of a list of such.

    Raises:
        TypeError: Something is of the wrong kind; it is named, without passwords.
        ValueError: A name or password is empty, a name is there twice, or nobody is.
    """
    one = isinstance(auth, tuple) and bool(auth) and isinstance(auth[0], str)
    people = {"auth": auth} if one else {f"auth[{i}]": each for i, each in enumerate(auth)}
    if not people:
        raise ValueError("auth must name at least one (user, password), got an empty list")
    members: dict[str, Member] = {}
    for where, person in people.items():
        name, member = _member(where, person)
        if name in members:
            raise ValueError(f"{where}: the user {name!r} is there already")
        members[name] = member
    return Members(members)


def _member(where: str, person: object) -> tuple[str, Member]:
    expected = "(user, password) or (user, password, permissions)"
    if not isinstance(person, tuple):
        raise TypeError(f"{where} must be a tuple {expected}, got {type(person).__name__}")
    if len(person) not in {2, 3}:
        raise ValueError(f"{where} must be a tuple {expected}, got {len(person)} elements")
    name = checks.text(f"the user of {where}", person[0], longest=LONGEST_NAME)
    what = f"the permissions of {where}"
    permissions = granted(what, person[2]) if len(person) == 3 else EVERYTHING
    if not permissions:
        raise ValueError(f"{what} must be at least one of view, operate, admin, got none")
    return name, Member(stored(f"the password of {where}", person[1]), permissions)
