"""What tests of applications and backends need: a conformance suite, a clock, builders."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(f"{__name__}.builders", f"{__name__}.conformance")
