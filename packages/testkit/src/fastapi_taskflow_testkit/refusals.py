"""What a start must say when a server refuses: why, in one line, and never the password."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable

import pytest

from fastapi_taskflow_core.errors import BackendError

SECRET = "p4ss:w/o@rd"  # noqa: S105  it opens nothing
SECRET_IN_URL = "p4ss:w%2Fo%40rd"  # noqa: S105
_PARTS = (SECRET, SECRET_IN_URL, "p4ss")


async def check_refusal(
    start: Callable[[], Awaitable[object]],
    kind: type[BackendError],
    reason: str,
    server: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """See that *start* raises just this kind of error, which says why and names the server, and
    that the password, which is `SECRET`, is shown nowhere.
    """
    with caplog.at_level(logging.DEBUG), pytest.raises(BackendError, match=reason) as caught:
        await start()
    assert type(caught.value) is kind
    said = str(caught.value)
    assert "\n" not in said
    assert server in said
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert not [part for part in _PARTS if part in shown]
