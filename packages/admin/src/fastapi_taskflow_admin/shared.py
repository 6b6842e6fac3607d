"""What many viewers ask for at once is made once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

KEPT = 1.0
"""Seconds for which it is given to whoever asks for the same."""

MOST = 100
"""How much is kept at most."""


class Tagged(NamedTuple):
    """HTML, and the entity tag that whoever has it already sends."""

    html: str
    tag: str

    @classmethod
    def of(cls, html: str) -> Tagged:
        """With its tag."""
        return cls(html, f'"{sha256(html.encode()).hexdigest()[:32]}"')


@dataclass(slots=True, eq=False)
class _Made(Generic[T]):
    until: float
    part: T | None = None
    making: asyncio.Lock = field(default_factory=asyncio.Lock)


class Shared(Generic[T]):
    """The parts of pages that were just made.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._made: dict[Hashable, _Made[T]] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """What was made under this key a moment ago, or else is made now."""
        made = self._made.get(key)
        if made is None or made.until <= self._clock():
            made = self._begin(key)
        async with made.making:  # of those who wait here the next one tries, if one fails
            if made.part is None:
                made.part = await make()
        return made.part

    def clear(self) -> None:
        """Something was changed: nothing is good any more."""
        self._made.clear()

    def _begin(self, key: Hashable) -> _Made[T]:
        now = self._clock()
        self._made = {name: each for name, each in self._made.items() if each.until > now}
        if len(self._made) >= MOST:
            self._made.clear()
        self._made[key] = _Made(now + KEPT)
        return self._made[key]
