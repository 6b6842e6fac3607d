"""Limits of queues that were changed at run time: kept in the backend, shared by all instances."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping

from ..backends.settings import SettingChange, SettingStore
from ..options import UNCHANGED, QueueConfig, Unchanged
from .turns import Turns

logger = logging.getLogger(__name__)

_PREFIX = "queue:"


class QueueLimits:
    """Brings the queues here and what is stored of them to the same state."""

    def __init__(self, store: SettingStore, turns: Turns) -> None:
        self._store = store
        self._turns = turns
        self._unsaved: dict[str, str] = {}
        self._seen: dict[str, int] = {}

    def change(
        self,
        name: str,
        *,
        concurrency: int | Unchanged | None = UNCHANGED,
        max_size: int | Unchanged | None = UNCHANGED,
        paused: bool | None = None,
    ) -> None:
        """Other limits for a queue, in force at once and stored with the next `share`.

        Raises:
            LookupError: There is no such queue.
            TypeError, ValueError: A limit of the wrong kind, or one that makes no sense.
        """
        queue = self._turns.queue(name)
        now = queue.stats()
        limits = QueueConfig(
            now.concurrency if isinstance(concurrency, Unchanged) else concurrency,
            now.max_size if isinstance(max_size, Unchanged) else max_size,
        )
        paused = now.paused if paused is None else paused
        queue.configure(limits, paused=paused)
        self._unsaved[name] = json.dumps(
            {
                "concurrency": limits.concurrency,
                "max_size": limits.max_size,
                "paused": paused,
            }
        )

    @property
    def unsaved(self) -> Mapping[str, str]:
        """What was changed here and is not stored yet, by queue."""
        return self._unsaved

    def carry_on(self, unsaved: Mapping[str, str]) -> None:
        """Take over what was changed before there was anything to store it in."""
        for name, value in unsaved.items():
            self._apply(name, value)
            self._unsaved[name] = value

    async def share(self) -> None:
        """Store what was changed here, and take over what was changed elsewhere."""
        for name, value in list(self._unsaved.items()):
            await self._store.change_setting(SettingChange(_PREFIX + name, value))
            if self._unsaved.get(name) == value:
                del self._unsaved[name]
        for key, setting in (await self._store.settings(_PREFIX)).items():
            name = key.removeprefix(_PREFIX)
            if name not in self._unsaved and self._seen.get(name) != setting.version:
                self._seen[name] = setting.version
                self._apply(name, setting.value)

    def _apply(self, name: str, value: str) -> None:
        try:
            queue = self._turns.queue(name)
            said = json.loads(value)
            queue.configure(
                QueueConfig(said["concurrency"], said["max_size"]), paused=bool(said["paused"])
            )
        except LookupError:
            return  # another version of the application has it
        except (TypeError, ValueError) as error:
            logger.warning("the stored limits of queue %r cannot be used: %s", name, error)
        else:
            self._turns.call_soon()
