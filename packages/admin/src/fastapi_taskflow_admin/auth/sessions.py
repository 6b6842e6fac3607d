"""Sessions: a signed cookie, and a list in the backend of those that were ended."""

from __future__ import annotations

import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from fastapi_taskflow_core.backends.settings import SettingChange, SettingStore
from fastapi_taskflow_core.errors import BackendUnavailable

LONGEST_COOKIE = 4_096

_KEY = "admin:session-key"
_ENDED = "admin:ended:"
_ENDED_KEPT = 10_000


class Session(NamedTuple):
    """Somebody signed in. ``expires`` is seconds since 1970, UTC."""

    session_id: str
    username: str
    expires: float
    path: str
    """Of the cookie."""
    fingerprint: str
    """Of the password, so that a new one ends the session."""


class Sessions:
    """The sessions of one admin.

    Args:
        store: Where all processes find what they share.
        now: The time, aware UTC.
        lifetime: How long a session lasts.
        audience: What the sessions are for; those of another one are not valid here.
        secret: Signs them; None is a random one that is kept in the store.
    """

    def __init__(
        self,
        store: SettingStore,
        now: Callable[[], datetime],
        lifetime: timedelta,
        audience: str,
        secret: str | None = None,
    ) -> None:
        self.lifetime = lifetime
        self._store = store
        self._now = now
        self._audience = audience
        self._shared = secret is None
        self._secret = secret
        self._ended: OrderedDict[str, None] = OrderedDict()

    async def begin(self, username: str, password: bytes, path: str) -> str:
        """The cookie of a new session.

        Raises:
            BackendUnavailable: The secret is kept in the store, which is away.
        """
        expires = (self._now() + self.lifetime).timestamp()
        key = await self._key(fresh=True)
        new = Session(
            secrets.token_urlsafe(18), username, expires, path, fingerprint(key, password)
        )
        told = json.dumps(new._asdict(), ensure_ascii=False).encode()
        return f"{_text(told)}.{_text(_mac(key, told))}"

    async def find(self, cookie: str, password: Callable[[str], bytes]) -> Session | None:
        """The session of a cookie, None if it was not made here, is over or was ended.

        Args:
            cookie: What the browser sent.
            password: The fingerprint of a user's password now.

        Raises:
            BackendUnavailable: As above.
        """
        read = await self._read(cookie)
        if read is None:
            return None
        key, session = read
        unchanged = hmac.compare_digest(
            session.fingerprint, fingerprint(key, password(session.username))
        )
        over = session.expires <= self._now().timestamp()
        if over or not unchanged or await self._was_ended(session):
            return None
        return session

    async def end(self, session: Session) -> None:
        """End a session, for all processes.

        Raises:
            BackendUnavailable: Only this process knows of it.
        """
        self._ended[session.session_id] = None
        if len(self._ended) > _ENDED_KEPT:
            self._ended.popitem(last=False)
        left = timedelta(seconds=max(1.0, session.expires - self._now().timestamp()))
        name = _ENDED + session.session_id
        await self._store.change_setting(SettingChange(name, session.username, lifetime=left))

    async def _was_ended(self, session: Session) -> bool:
        if session.session_id in self._ended:
            return True
        name = _ENDED + session.session_id
        try:
            return name in await self._store.settings(name)
        except BackendUnavailable:
            return False  # what can be seen without the storage is how it is doing

    async def _read(self, cookie: str) -> tuple[bytes, Session] | None:
        if len(cookie) > LONGEST_COOKIE or not cookie.isascii():
            return None
        payload, _, signature = cookie.partition(".")
        try:
            told, mac = _binary(payload), _binary(signature)
        except ValueError:
            return None
        for fresh in (False, True):
            key = await self._key(fresh=fresh)
            if hmac.compare_digest(mac, _mac(key, told)):
                return key, Session(**json.loads(told))
        return None

    async def _key(self, *, fresh: bool) -> bytes:
        """The key; a *fresh* one from the store, where another process may have made it."""
        if self._secret is None or (fresh and self._shared):
            self._secret = await self._shared_secret()
        return hmac.digest(self._secret.encode(), f"session:{self._audience}".encode(), "sha256")

    async def _shared_secret(self) -> str:
        while (known := (await self._store.settings(_KEY)).get(_KEY)) is None:
            new = SettingChange(_KEY, secrets.token_urlsafe(32), version=0)
            await self._store.change_setting(new)
        return known.value


def fingerprint(key: bytes, password: bytes) -> str:
    """Tells passwords apart and says nothing about them."""
    return hmac.digest(key, b"password:" + password, "sha256").hex()[:32]


def _mac(key: bytes, told: bytes) -> bytes:
    return hmac.digest(key, told, "sha256")


def _text(binary: bytes) -> str:
    return urlsafe_b64encode(binary).decode().rstrip("=")


def _binary(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
