"""What is done now and then, and at once when another instance has something to tell."""

from __future__ import annotations

from collections.abc import Callable

from ..backends.guarded import GuardedBackend
from ..resealing import warn_of_missing_keys
from ..sealing import Sealer
from ..service import Periodic
from .membership import Membership
from .news import News
from .patience import Patience
from .queue_limits import QueueLimits
from .retention import Retention
from .takeover import Takeover

_SWEEP = 2.0
_PRUNE = 60.0
_LIMITS = 5.0
_KEYS = 3600.0


class Upkeep:
    """The services that run beside the tasks from the start to the drain.

    Args:
        patience: Over when the engine drains: then nothing more is claimed.
        random: Chance in [0, 1): instances are not to claim all at once.
        sealer: Encrypts arguments; None where they are not.
    """

    def __init__(
        self,
        store: GuardedBackend,
        membership: Membership,
        takeover: Takeover,
        queue_limits: QueueLimits,
        retention: Retention,
        patience: Patience,
        random: Callable[[], float],
        sealer: Sealer | None,
    ) -> None:
        self._store = store
        self._membership = membership
        self._takeover = takeover
        self._patience = patience
        self._random = random
        self._sealer = sealer
        self._news = News(store.listen, self._came)
        self._sweeping = Periodic("taking over due tasks", self._until_sweep, self._sweep)
        self._pruning = Periodic("removing old history", lambda: _PRUNE, retention.prune)
        self._limiting = Periodic(
            "sharing the limits of queues", lambda: _LIMITS, queue_limits.share
        )
        self._counting_keys = Periodic(
            "counting tasks by encryption key", lambda: _KEYS, self._count_keys
        )

    async def start(self) -> None:
        """Begin with all that the backend and the configuration give a reason for."""
        lasting = self._store.capabilities.survives_restart
        if lasting:
            await self._sweeping.start()
        if self._store.tells:
            await self._news.start()
        await self._pruning.start()
        await self._limiting.start()
        if lasting and self._sealer is not None:
            await self._counting_keys.start()

    async def stop(self) -> None:
        """Return when nothing of it runs any more. Safe before `start`, and twice."""
        await self._news.stop()
        await self._sweeping.stop()
        await self._pruning.stop()
        await self._limiting.stop()
        await self._counting_keys.stop()

    async def sweep_now(self) -> None:
        """Claim what waits for anyone without waiting for the next sweep."""
        if not self._patience.over:
            await self._sweeping.start()
            self._sweeping.hurry()

    def share_limits(self) -> None:
        """Let other instances know the limits of queues that were changed here."""
        self._limiting.hurry()

    def _came(self) -> None:
        self._sweeping.hurry()
        self._limiting.hurry()
        self._membership.hurry()

    async def _sweep(self) -> None:
        await self._membership.be_seen()
        await self._takeover.sweep()

    def _until_sweep(self) -> float:
        return _SWEEP * (0.9 + 0.2 * self._random())

    async def _count_keys(self) -> None:
        assert self._sealer is not None
        await warn_of_missing_keys(self._store, self._sealer)
