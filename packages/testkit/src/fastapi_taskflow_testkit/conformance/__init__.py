"""The conformance suite: what every backend must do, as tests.

A backend's whole conformance file imports everything from here and says how to make an
empty, opened backend::

    from fastapi_taskflow_testkit.conformance import *

    @pytest.fixture
    async def backend(tmp_path: Path) -> AsyncIterator[Backend]:
        backend = MyBackend(tmp_path / "tasks")
        await backend.open()
        yield backend
        await backend.close()

``second``, another connection to the same data, is ``backend.another()`` unless the file
has a fixture of that name. The tests are coroutines: pytest-asyncio must be in auto mode.
"""

from __future__ import annotations

from .cancelling import *  # noqa: F403
from .claiming import *  # noqa: F403
from .concurrency import *  # noqa: F403
from .fencing import *  # noqa: F403
from .fields import *  # noqa: F403
from .instances import *  # noqa: F403
from .keys import *  # noqa: F403
from .logs import *  # noqa: F403
from .metrics import *  # noqa: F403
from .opening import *  # noqa: F403
from .querying import *  # noqa: F403
from .retention import *  # noqa: F403
from .second import *  # noqa: F403
from .takeover import *  # noqa: F403
from .writing import *  # noqa: F403

__all__ = ["second"]
__all__ += [name for name in dir() if name.startswith("test_")]
