"""Limits of queues that were changed at run time: kept in the backend, shared by all instances."""

from __future__ import annotations

import json
import logging

from ..backends.settings import Setting, SettingChange, SettingStore
from ..options import QueueConfig
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

    def change(self, name: str, limits: QueueConfig, *, paused: bool) -> None:
        """Other limits for a queue, in force at once and stored with the next `share`.

        Raises:
            LookupError: There is no such queue.
        """
        self._turns.queue(name).configure(limits, paused=paused)
        self._unsaved[name] = json.dumps(
            {
                "concurrency": limits.concurrency,
                "max_size": limits.max_size,
                "paused": paused,
            }
        )

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
                self._take_over(name, setting)

    def _take_over(self, name: str, setting: Setting) -> None:
        try:
            queue = self._turns.queue(name)
            said = json.loads(setting.value)
            queue.configure(
                QueueConfig(said["concurrency"], said["max_size"]), paused=bool(said["paused"])
            )
        except LookupError:
            return  # another version of the application has it
        except (TypeError, ValueError) as error:
            logger.warning("the stored limits of queue %r cannot be used: %s", name, error)
        else:
            self._turns.call_soon()
