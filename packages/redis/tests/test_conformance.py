"""Redis keeps the contract of a backend; the fixture is in ``conftest.py``."""

from fastapi_taskflow_testkit.conformance import *  # noqa: F403  the suite is the point
