"""Connections to one server: scripts and reads go through here, and nothing else."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError, ResponseError

from fastapi_taskflow_core.errors import BackendMisconfigured, BackendUnavailable

from .address import Address
from .durability import Promise, ServerInfo
from .script import Script, script
from .translation import translated

logger = logging.getLogger(__name__)

Argument = str | bytes | int | float
_OLDEST = (6, 2)
_LISTENS = 30.0
"""Seconds after which a connection that says nothing is looked at again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections, and how many seconds each operation may take."""

    pool_size: int
    timeout: float


class Server:
    """One server, as one backend uses it, on one event loop.

    Args:
        tag: The hash tag, which scripts get as their only key.
        announce: Whether to say in the log what the server promises.

    Raises:
        TypeError: redis-py does not know an option of the address.
    """

    def __init__(self, address: Address, tag: str, limits: Limits, *, announce: bool) -> None:
        self.name = address.name
        self.promise = Promise.NOTHING
        self._options = address.options
        self._tag = tag
        self._limits = limits
        self._announce = announce
        self._client: Redis | None = None
        self._pid = 0
        self._pool().make_connection()  # type: ignore[no-untyped-call]  # it does not connect, but knows what it may be told

    async def open(self) -> None:
        """Connect, and see whether the server will do. Twice is once.

        Raises:
            BackendUnavailable: not reachable now.
            BackendMisconfigured: wrong credentials, rights, version or eviction policy.
        """
        if self._client is not None:
            return
        self._client = Redis(connection_pool=self._pool())
        self._pid = os.getpid()
        try:
            await self._inspect()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go of every connection."""
        client, self._client = self._client, None
        if client is not None and self._pid == os.getpid():
            with suppress(RedisError, OSError):
                await client.connection_pool.disconnect()

    async def run(self, name: str, *arguments: Argument, durable: bool = False) -> Any:
        """The answer of a script. *durable*: it has synced what it wrote, if it can be asked."""
        client, called = self._opened(), script(name)
        call = (self._tag, *arguments)
        with translated(self.name, self._limits.timeout):
            async with asyncio.timeout(self._limits.timeout):
                if durable and self.promise is Promise.ASKED:
                    return await self._run_and_sync(client, called, call)
                return await self._run(client, called, call)

    async def send(self, *commands: Sequence[Argument], together: bool = True) -> list[Any]:
        """The answers to several commands. *together*: nothing of others comes between."""
        client = self._opened()
        with translated(self.name, self._limits.timeout):
            async with asyncio.timeout(self._limits.timeout):
                pipeline = client.pipeline(transaction=together)
                for command in commands:
                    pipeline.execute_command(*command)
                return await pipeline.execute()

    async def listen(self, channel: bytes, heard: Callable[[], object]) -> None:
        """Call *heard* for what is published on the channel, on a connection of its own.

        Raises:
            BackendUnavailable: the server is away.
            BackendMisconfigured: this user may not subscribe.
        """
        client = Redis(connection_pool=self._pool())
        try:
            async with client.pubsub(ignore_subscribe_messages=True) as subscription:
                with translated(self.name, self._limits.timeout):
                    await subscription.subscribe(channel)
                    while True:
                        if await subscription.get_message(timeout=_LISTENS) is None:
                            await subscription.ping()
                        else:
                            heard()
        finally:
            with suppress(RedisError, OSError):
                await client.connection_pool.disconnect()

    def _opened(self) -> Redis:
        if self._client is None:
            raise BackendUnavailable(f"{self.name} is not open")
        if self._pid != os.getpid():  # two processes on one connection get each other's answers
            raise BackendUnavailable(
                f"{self.name} was opened before this process was forked off:"
                " open it in the process that uses it"
            )
        return self._client

    def _pool(self) -> BlockingConnectionPool:
        # Whether to try again is for those to say who know what was asked.
        return BlockingConnectionPool(
            **{
                "socket_connect_timeout": self._limits.timeout,
                "socket_timeout": self._limits.timeout,
                **self._options,
                "max_connections": self._limits.pool_size,
                "timeout": self._limits.timeout,
                "protocol": 2,
                "decode_responses": False,
                "retry": Retry(NoBackoff(), 0),
            }
        )

    async def _inspect(self) -> None:
        (info,) = await self.send(("INFO",), together=False)
        server = ServerInfo.read(_read_info(info), await self._appendfsync())
        if server.version < _OLDEST:
            found = ".".join(map(str, server.version))
            raise BackendMisconfigured(
                f"{self.name}: Redis {found} is too old: 6.2 or newer is needed"
            )
        if server.eviction != "noeviction":
            raise BackendMisconfigured(
                f"{self.name}: Redis would drop tasks when its memory is full:"
                f" set maxmemory-policy to noeviction, it is {server.eviction}"
            )
        self.promise = server.promise
        if self._announce:
            self._announce = False
            level = logging.INFO if self.promise.kept else logging.WARNING
            logger.log(level, "%s: %s", self.name, self.promise.value)

    async def _appendfsync(self) -> str | None:
        """The setting; None where it may not be asked for, as on many hosted servers."""
        try:
            (answer,) = await self.send(("CONFIG", "GET", "appendfsync"), together=False)
        except BackendMisconfigured:
            return None
        found = list(answer.values() if isinstance(answer, dict) else answer[1::2])
        return _text(found[0]) if found else None

    async def _run(self, client: Redis, called: Script, call: Sequence[Argument]) -> Any:
        try:
            return await client.evalsha(called.digest, 1, *call)
        except NoScriptError:
            await client.script_load(called.text)
            return await client.evalsha(called.digest, 1, *call)

    async def _run_and_sync(self, client: Redis, called: Script, call: Sequence[Argument]) -> Any:
        # The wait is for what this connection has written, so it must be the same one.
        milliseconds = max(1, int(self._limits.timeout * 1000))
        for _ in range(2):
            pipeline = client.pipeline(transaction=False)
            pipeline.evalsha(called.digest, 1, *call)
            pipeline.execute_command("WAITAOF", 1, 0, milliseconds)
            answer, synced = await pipeline.execute(raise_on_error=False)
            if not isinstance(answer, NoScriptError):
                break
            await client.script_load(called.text)
        for each in (answer, synced):
            if isinstance(each, ResponseError):
                raise each
        if synced[0] < 1:
            raise BackendUnavailable(f"{self.name}: what was written is not on its disk yet")
        return answer


def _read_info(info: Any) -> dict[str, Any]:
    if isinstance(info, dict):
        return info
    lines = _text(info).splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
