"""Which server the tests of a backend use, and what happens where there is none."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import NoReturn

import pytest

from .private import PrivateServer, Recipe


def missing(what: str, advice: str) -> NoReturn:
    """Skip the test because *what* is not there; fail it if ``TASKFLOW_REQUIRE`` names it.

    Args:
        what: A name such as ``redis`` or ``chromium``.
        advice: What to install or to set.
    """
    required = os.environ.get("TASKFLOW_REQUIRE", "").split(",")
    said = f"{what} is not available: {advice}"
    if what in required or "all" in required:
        pytest.fail(f"{said} (TASKFLOW_REQUIRE asks for it)")
    pytest.skip(said)


@contextmanager
def server_url(
    name: str,
    standard: str,
    answers: Callable[[str], bool],
    recipe: Recipe,
    program: str,
) -> Iterator[str]:
    """The address of a server to test with: of one that runs, else of a private one.

    Args:
        name: The backend; the variable ``TASKFLOW_<NAME>_URL`` overrides everything.
        standard: Where such a server usually is.
        answers: Whether the server of an address can be used.
        recipe: How to start a private one.
        program: The server's program; where it is not installed the test is skipped.
    """
    given = os.environ.get(f"TASKFLOW_{name.upper()}_URL")
    if given or answers(standard):
        yield given or standard
        return
    if which(program) is None:
        missing(name, f"install {program} or set TASKFLOW_{name.upper()}_URL")
    with (
        TemporaryDirectory(prefix=f"taskflow-{name}-") as folder,
        PrivateServer(recipe, Path(folder)) as server,
    ):
        yield server.url
