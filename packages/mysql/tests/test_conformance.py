"""The suite that every backend passes."""

from fastapi_taskflow_testkit.conformance import *  # noqa: F403
