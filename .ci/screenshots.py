"""``hatch run screenshots [SECONDS]``: the pictures of the dashboard in ``docs/images``.

The demo runs for so many seconds first, 300 if not said otherwise, so that there is life to see.
Needs Chromium: ``TASKFLOW_CHROMIUM`` is its path, or it is found as ``chromium``.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from shutil import which

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
PORT = "8765"
PAGES = {
    "overview": "/overview?range=15m",
    "tasks": "",
    "failures": "/failures",
    "schedules": "/schedules",
}


def main(seconds: float) -> None:
    """Run the demo, look at it, write what is seen."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PORT": PORT, "DEMO_DB": f"{folder}/demo.db"}
        demo = subprocess.Popen(
            [sys.executable, str(ROOT / "examples" / "demo.py")], env=environment
        )
        try:
            time.sleep(seconds)
            take()
        finally:
            demo.terminate()
            demo.wait(30)


def take() -> None:
    """Every page in both themes."""
    program = which(os.environ.get("TASKFLOW_CHROMIUM", "chromium"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            page = browser.new_page(
                viewport={"width": 1280, "height": 800}, color_scheme=scheme, device_scale_factor=1
            )
            for name, path in PAGES.items():
                page.goto(f"http://127.0.0.1:{PORT}/tasks/dashboard{path}")
                page.wait_for_timeout(1000)
                page.screenshot(path=IMAGES / f"{name}-{scheme}.png")
        browser.close()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 300.0)
