"""Signing in and out, and who it is that comes back with a cookie."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from fastapi_taskflow_core.wording import storable

from .backend import LONGEST_NAME, Users
from .crowd import Crowd
from .permissions import TaskUser
from .sessions import Session, Sessions
from .throttle import Throttle
from .trail import Trail

SIGN_IN, SIGN_OUT = "login", "logout"

CROWDED = 5
"""Seconds after which somebody may try again who came when too many did."""


class Refusal(NamedTuple):
    """A login that failed. ``wait`` 0: the name or the password is wrong; else: too many
    attempts, so many seconds until the next one.
    """

    wait: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Login:
    """The login of one admin: all that happens is in its trail."""

    users: Users
    sessions: Sessions
    throttle: Throttle
    trail: Trail
    crowd: Crowd = field(default_factory=Crowd)

    async def sign_in(self, username: str, password: str, address: str, path: str) -> str | Refusal:
        """The cookie of a new session, for *path*, or why there is none.

        Raises:
            BackendUnavailable: The trail cannot be written, or the users not be asked.
        """
        if self.crowd.full and not self.throttle.knows(username, address):
            return Refusal(CROWDED)
        with self.crowd.joined():
            return await self._try(username, password, address, path)

    async def _try(self, username: str, password: str, address: str, path: str) -> str | Refusal:
        wait = await self.throttle.attempt(username, address)
        if wait:
            return Refusal(max(1, math.ceil(wait.total_seconds())))
        if not (nameable(username) and await self.users.check(username, password)):
            await self.trail.note(username, address, SIGN_IN, "", "refused")
            return Refusal()
        await self.throttle.succeeded(username, address)
        cookie = await self.sessions.begin(username, self.users.fingerprint(username), path)
        await self.trail.note(username, address, SIGN_IN, "", "ok")
        return cookie

    async def session(self, cookie: str | None) -> Session | None:
        """The session of a cookie, None without a valid one."""
        if not cookie:
            return None
        return await self.sessions.find(cookie, self.users.fingerprint)

    async def user(self, cookie: str | None) -> TaskUser | None:
        """Who it is, None without a valid session."""
        session = await self.session(cookie)
        if session is None:
            return None
        return TaskUser(session.username, await self.users.permissions(session.username))

    async def sign_out(self, session: Session, address: str) -> None:
        """End a session, for all processes.

        Raises:
            BackendUnavailable: Only this process knows of it.
        """
        await self.sessions.end(session)
        await self.trail.note(session.username, address, SIGN_OUT, "", "ok")

    @property
    def lifetime(self) -> timedelta:
        """How long a session lasts."""
        return self.sessions.lifetime


def nameable(username: str) -> bool:
    """Whether anybody may have this name: 1 to 200 characters that can be stored."""
    fit = "\0" not in username and storable(username) == username
    return fit and 1 <= len(username) <= LONGEST_NAME
