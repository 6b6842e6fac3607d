"""Hearing at once that another instance changed something; where it cannot be heard, instances
look every few seconds, and where it can they do too: what is lost on the way is only late.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable


@runtime_checkable
class NewsStore(Protocol):
    """What a backend may be beside the contract. A knock tells nothing but that there is news."""

    async def knock(self) -> None:
        """Let all who listen know.

        Raises:
            BackendUnavailable: not reachable now.
        """

    async def listen(self, heard: Callable[[], object]) -> None:
        """Call *heard* for every knock from now on, its own too; several may become one.

        It returns never: it is cancelled, on the event loop it was called on.

        Raises:
            BackendUnavailable: not reachable, not any more, or whatever stands between hands
                nothing on.
        """
