"""What tests of applications and backends need: a conformance suite, a clock, builders."""

from __future__ import annotations

import pytest

from .clock import VirtualClock, VirtualTimer

__all__ = ["VirtualClock", "VirtualTimer"]

# Before they are imported, so that a failing assertion tells what it saw.
pytest.register_assert_rewrite(
    f"{__name__}.builders", f"{__name__}.conformance", f"{__name__}.outages"
)
