"""A real Chromium, and pages that fail a test by whatever the browser complains about."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import which

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright
from visits import PATIENCE

from fastapi_taskflow_testkit.faults import AppServer
from fastapi_taskflow_testkit.servers import missing

HERE = Path(__file__).parent
DESKTOP = {"width": 1280, "height": 860}
expect.set_options(timeout=PATIENCE * 1_000)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser of this machine, for one file: while it is there, its event loop runs, and
    tests with one of their own could not.
    """
    program = which(os.environ.get("TASKFLOW_CHROMIUM", "chromium"))
    if program is None:
        missing("chromium", "apt-get install chromium, or set TASKFLOW_CHROMIUM to its path")
    with sync_playwright() as playwright:
        # As root, which the machines of CI often are, it has no sandbox to offer.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[AppServer]:
    """The application whose dashboard is looked at."""
    environment = {"DB": str(tmp_path / "shop.db")}
    with AppServer.of("shop:app", HERE, environment, output=tmp_path) as server:
        yield server.wait_until_it_answers()


@pytest.fixture(scope="module")
def shared_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """The same, one for all tests of a file."""
    folder = tmp_path_factory.mktemp("shop")
    environment = {"DB": str(folder / "shop.db")}
    with AppServer.of("shop:app", HERE, environment, output=folder) as server:
        yield server.wait_until_it_answers()


@pytest.fixture
def empty_shop(shared_shop: AppServer) -> AppServer:
    """The one for all tests of a file, in which no task is left."""
    httpx.post(f"{shared_shop.url}/forget", timeout=PATIENCE).raise_for_status()
    return shared_shop


@pytest.fixture
def api(shop: AppServer) -> Iterator[httpx.Client]:
    """A client beside the browser."""
    with httpx.Client(base_url=shop.url, timeout=PATIENCE) as client:
        yield client


Look = Callable[..., Page]
UNHEARD = "net::ERR_"
"""What the console says, by itself, of requests to a server that is gone."""


@pytest.fixture
def dashboard(shop: AppServer) -> str:
    """Where the dashboard is."""
    return f"{shop.url}/tasks/dashboard"


@pytest.fixture
def look(chromium: Browser, shop: AppServer, dashboard: str) -> Iterator[Look]:
    """Opens a page of the dashboard, in a window of its own, light or dark, large or small.

    At the end there must have been no complaint in the console, no violation of the policy
    and no request to anybody else.
    """
    with looking(chromium, dashboard, shop.url) as open_page:
        yield open_page


@contextmanager
def looking(chromium: Browser, dashboard: str, origin: str) -> Iterator[Look]:
    """See `look`."""
    complaints: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((origin, "data:")):
            complaints.append(f"asked {request.url}")

    def hear(said: ConsoleMessage) -> None:
        if said.type == "error" and UNHEARD not in said.text:
            complaints.append(said.text)

    with ExitStack() as windows:

        def open_page(
            path: str = "", *, scheme: str = "light", size: dict[str, int] | None = None
        ) -> Page:
            window = chromium.new_context(color_scheme=scheme, viewport=size or DESKTOP)
            windows.callback(window.close)
            page = window.new_page()
            page.set_default_timeout(PATIENCE * 1_000)
            page.on("console", hear)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("request", note)
            page.goto(f"{dashboard}{path}")
            return page

        yield open_page
    assert complaints == []
