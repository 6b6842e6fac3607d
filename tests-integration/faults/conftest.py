import os
from collections.abc import Callable, Iterator

import httpx
import pytest
from fleet import Fleet

from places import Place, place


@pytest.fixture
async def client():
    async with httpx.AsyncClient(timeout=30) as client:
        yield client


CHOSEN = os.environ.get("TASKFLOW_BACKENDS", "sqlite").split(",")
"""The kinds of storage to prove the faults over."""


@pytest.fixture(params=CHOSEN)
def store(request) -> Iterator[Place]:
    """A storage of the test's own."""
    with place(request.param) as where:
        yield where


@pytest.fixture
def url(store) -> str:
    """The address of the test's own storage."""
    return store.url


@pytest.fixture
def sqlite() -> Iterator[str]:
    """A storage of the test's own in a SQLite file, whatever is chosen."""
    with place("sqlite") as where:
        yield where.url


@pytest.fixture
def fleets(tmp_path) -> Iterator[Callable[..., Fleet]]:
    """Makes fleets whose processes are gone at the end."""
    made: list[Fleet] = []

    def make(url: str, **settings: str) -> Fleet:
        made.append(Fleet(tmp_path, url, settings))
        return made[-1]

    yield make
    for each in made:
        each.end()


@pytest.fixture
def fleet(fleets, url) -> Callable[..., Fleet]:
    """Makes a fleet over the storage of the test."""
    return lambda **settings: fleets(url, **settings)
