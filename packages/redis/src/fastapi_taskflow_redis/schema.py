"""The version of what is stored, and the steps from one to the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import uuid4

from fastapi_taskflow_core.errors import BackendUnavailable, SchemaTooNew

from .connection import Server
from .keys import Keys

Step = Callable[[Server, Keys], Awaitable[None]]
"""One step. It may be repeated where it was cut off, and never changes after its release."""

STEPS: Sequence[Step] = ()
"""The first one leads from version 1 to version 2."""

_LOCKED_FOR = 30_000
_PAUSE = 0.1


async def migrate(server: Server, keys: Keys, steps: Sequence[Step] = STEPS) -> None:
    """Note the version, or bring what is older up to date; of many who come, one does.

    Raises:
        SchemaTooNew: written by a newer version; nothing was touched.
        BackendUnavailable: another has been at it for long.
    """
    known = 1 + len(steps)
    found = await _version(server, keys)
    if found == 0:
        await server.send(("SET", keys("schema"), known, "NX"))
        found = await _version(server, keys)
    if found > known:
        raise SchemaTooNew(f"{server.name} ({keys.prefix})", found, known)
    if found < known:
        await _climb(server, keys, steps)


async def _climb(server: Server, keys: Keys, steps: Sequence[Step]) -> None:
    token = uuid4().hex
    for _ in range(int(2 * _LOCKED_FOR / 1000 / _PAUSE)):
        locked = ("SET", keys("migrating"), token, "NX", "PX", _LOCKED_FOR)
        (mine,) = await server.send(locked)
        if mine:
            break
        await asyncio.sleep(_PAUSE)
        if await _version(server, keys) > len(steps):
            return
    else:
        raise BackendUnavailable(f"{server.name}: another process is migrating {keys.prefix!r}")
    try:
        for number in range(await _version(server, keys), 1 + len(steps)):
            await steps[number - 1](server, keys)
            await server.send(("SET", keys("schema"), number + 1))
    finally:
        await server.run("unlock", token)


async def _version(server: Server, keys: Keys) -> int:
    (found,) = await server.send(("GET", keys("schema")))
    return int(found or 0)
