"""What the package offers by name."""

from __future__ import annotations

import fastapi_taskflow_sql


def test_every_name_that_is_offered_is_there() -> None:
    offered = fastapi_taskflow_sql.__all__
    assert offered == sorted(offered)
    assert [name for name in offered if not hasattr(fastapi_taskflow_sql, name)] == []
