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

from .audit import *
from .cancelling import *
from .claiming import *
from .concurrency import *
from .fencing import *
from .fields import *
from .instances import *
from .keys import *
from .later import *
from .logs import *
from .metrics import *
from .opening import *
from .payloads import *
from .querying import *
from .retention import *
from .second import *
from .settings import *
from .slots import *
from .takeover import *
from .writing import *

__all__ = ["second"]
__all__ += [name for name in dir() if name.startswith("test_")]
