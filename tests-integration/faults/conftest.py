from collections.abc import Callable, Iterator

import httpx
import pytest
from fleet import Fleet
from stores import address, chosen


@pytest.fixture
async def client():
    async with httpx.AsyncClient(timeout=20) as client:
        yield client


@pytest.fixture(params=chosen())
def url(request, tmp_path) -> str:
    """A storage of the test's own."""
    return address(request.param, tmp_path)


@pytest.fixture
def sqlite(tmp_path) -> str:
    """A storage of the test's own in a SQLite file."""
    if "sqlite" not in chosen():
        pytest.skip("sqlite is not among TASKFLOW_BACKENDS")
    return address("sqlite", tmp_path)


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
