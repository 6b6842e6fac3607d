"""Listening ends with the server, and begins again with it."""

from __future__ import annotations

import asyncio

import pytest

from fastapi_taskflow_core.errors import BackendUnavailable
from fastapi_taskflow_postgres import PostgresBackend
from fastapi_taskflow_testkit.patience import insist, opened
from fastapi_taskflow_testkit.servers import PrivateServer


async def test_who_listens_to_a_server_that_dies_is_told(private: PrivateServer) -> None:
    heard = asyncio.Event()
    async with opened(PostgresBackend(private.url)) as backend:
        for _ in range(2):
            heard.clear()
            listening = asyncio.ensure_future(backend.listen(heard.set))
            await asyncio.wait_for(heard.wait(), 30)
            await asyncio.to_thread(private.kill)
            with pytest.raises(BackendUnavailable):
                await asyncio.wait_for(listening, 30)
            with pytest.raises(BackendUnavailable):
                await backend.listen(heard.set)
            await asyncio.to_thread(private.start)
            await insist(backend.knock)


async def test_other_schemas_are_not_heard(url: str, schema: str) -> None:
    heard = asyncio.Queue[None]()
    async with (
        opened(PostgresBackend(url, schema=schema)) as backend,
        opened(PostgresBackend(url, schema=schema, prefix="other_")) as other,
    ):
        mine = asyncio.ensure_future(backend.listen(lambda: heard.put_nowait(None)))
        await heard.get()
        await other.knock()
        await backend.knock()
        await heard.get()
        assert heard.empty()
        mine.cancel()
        await asyncio.wait([mine])
