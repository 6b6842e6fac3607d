"""How often somebody may guess: per user and address, and in all."""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TypeVar

from fastapi_taskflow_core.backends.settings import SettingChange, SettingStore
from fastapi_taskflow_core.errors import BackendUnavailable

FREE = 5
"""Failures without a wait."""
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(minutes=15)
MEMORY = timedelta(minutes=15)
"""Failures are forgotten when there was no further one so long after the wait."""
IN_ALL = 100
"""Failures a minute in one process, whoever they are of."""
PAIRS_KEPT = 10_000
"""Users and addresses that one process remembers; the backend has them all."""
KNOWN_KEPT = 1_000
"""Users and addresses that one process has seen succeed."""

T = TypeVar("T")

_PREFIX = "admin:login:"
_MINUTE = timedelta(minutes=1)
_RACES = 10
_NOT_NOW = timedelta(seconds=1)
_NO_WAIT = timedelta()


@dataclass(frozen=True, slots=True)
class Failures:
    """What went wrong for one user at one address."""

    count: int
    last: datetime

    @property
    def penalty(self) -> timedelta:
        """The wait after the last one: from the fifth on a minute, then twice as long each."""
        if self.count < FREE:
            return _NO_WAIT
        doublings = min(self.count - FREE, 10)
        return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)

    def wait(self, now: datetime) -> timedelta:
        """How long the next attempt has to wait."""
        return max(_NO_WAIT, min(self.last + self.penalty - now, LONGEST_WAIT))

    def forgotten(self, now: datetime) -> bool:
        """Whether they do not count any more."""
        return now >= self.last + self.penalty + MEMORY

    def one_more(self, now: datetime) -> Failures:
        """With another one, now."""
        return Failures(1 if self.forgotten(now) else self.count + 1, now)

    def text(self) -> str:
        """For storage."""
        return json.dumps([self.count, self.last.timestamp()])

    @classmethod
    def of(cls, text: str) -> Failures:
        """From storage."""
        count, last = json.loads(text)
        return cls(count, datetime.fromtimestamp(last, UTC))


NONE = Failures(0, datetime(1970, 1, 1, tzinfo=UTC))


class Throttle:
    """Counts failed logins in the backend, so that all processes count together.

    An attempt counts as failed until it has succeeded: of many at once no more get through
    than one after the other. Without the backend each process counts alone. Whoever has
    succeeded before at the same address is not kept out by the failures of others.
    """

    def __init__(self, store: SettingStore, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._here: OrderedDict[str, Failures] = OrderedDict()
        self._recent: deque[datetime] = deque(maxlen=IN_ALL)
        self._known: OrderedDict[str, None] = OrderedDict()

    def knows(self, username: str, address: str) -> bool:
        """Whether this user has succeeded at this address: what others do counts no more."""
        return _key(username, address) in self._known

    async def attempt(self, username: str, address: str) -> timedelta:
        """Note an attempt; return how long it has to wait, nothing if it may be made."""
        now, key = self._now(), _key(username, address)
        known = key in self._known
        in_all = _NO_WAIT if known else self._wait_in_all(now)
        wait = max(in_all, self._here.get(key, NONE).wait(now))
        if wait:
            return wait
        if not known:
            self._recent.append(now)
        _keep(self._here, key, self._here.get(key, NONE).one_more(now), PAIRS_KEPT)
        try:
            return await self._share(key, now)
        except BackendUnavailable:
            return _NO_WAIT

    async def succeeded(self, username: str, address: str) -> None:
        """Forget the failures of this user at this address."""
        key = _key(username, address)
        self._here.pop(key, None)
        if key not in self._known and self._recent:
            self._recent.pop()
        _keep(self._known, key, None, KNOWN_KEPT)
        try:
            await self._store.change_setting(SettingChange(key, None))
        except BackendUnavailable:
            return  # they are forgotten by themselves

    def _wait_in_all(self, now: datetime) -> timedelta:
        if len(self._recent) < IN_ALL:
            return _NO_WAIT
        return max(_NO_WAIT, self._recent[0] + _MINUTE - now)

    async def _share(self, key: str, now: datetime) -> timedelta:
        for _ in range(_RACES):
            setting = (await self._store.settings(key)).get(key)
            known = NONE if setting is None else Failures.of(setting.value)
            if wait := known.wait(now):
                _keep(self._here, key, known, PAIRS_KEPT)
                return wait
            more = known.one_more(now)
            version = 0 if setting is None else setting.version
            lifetime = more.penalty + MEMORY
            change = SettingChange(key, more.text(), version=version, lifetime=lifetime)
            if await self._store.change_setting(change):
                _keep(self._here, key, more, PAIRS_KEPT)
                return _NO_WAIT
        return _NOT_NOW


def _keep(kept: OrderedDict[str, T], key: str, value: T, most: int) -> None:
    """The latest of all; the oldest go."""
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > most:
        kept.popitem(last=False)


def _key(username: str, address: str) -> str:
    told = json.dumps([username, network(address)])
    return _PREFIX + sha256(told.encode()).hexdigest()


def network(address: str) -> str:
    """The address, or for IPv6 the network of 64 bits that one customer has."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((int(parsed) >> 64 << 64, 64)))
    return address
