"""For the tests of every package: no clock decides what a property test says, what backends
leave in the temporary directory, when they are closed as by the end of a process, goes, and
nothing that a test starts runs on in the next one.
"""

import gc
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from fastapi_taskflow_core.backends import presence

settings.register_profile("timeless", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("timeless")


@pytest.fixture(scope="module", autouse=True)
def temporary_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where instances of this process show each other that they live."""
    folder = tmp_path_factory.mktemp("host")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(presence, "gettempdir", lambda: str(folder))
        yield


@pytest.fixture(autouse=True)
def managers_are_stopped() -> Iterator[None]:
    """A manager that runs on keeps the garbage collector from what the next tests look at."""
    yield
    left = gc.get_freeze_count() > 1_000
    gc.unfreeze()
    assert not left, "a manager was started and not stopped"
