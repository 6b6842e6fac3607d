"""Where the tasks of a test are kept.

``TASKFLOW_BACKENDS=sqlite,postgres`` chooses the backends that the faults are proved over;
sqlite unless told otherwise. The address of any other is in ``TASKFLOW_<NAME>_URL``, with
``{name}`` where the name of the test's own prefix or schema belongs.
"""

import os
from itertools import count
from pathlib import Path

_numbers = count()


def chosen() -> list[str]:
    """The backends to prove the faults over."""
    return os.environ.get("TASKFLOW_BACKENDS", "sqlite").split(",")


def address(backend: str, folder: Path) -> str:
    """A place of its own, of this backend, for one test."""
    if backend == "sqlite":
        return f"sqlite:///{folder / 'tasks.db'}"
    return os.environ[f"TASKFLOW_{backend.upper()}_URL"].format(
        name=f"taskflow_fault_{os.getpid()}_{next(_numbers)}"
    )
