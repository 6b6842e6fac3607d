"""``hatch run screenshots [SECONDS]``: the pictures of the dashboard in ``docs/images``.

The demo runs for so many seconds first, 300 if not said otherwise, so that there is life to see.
Needs Chromium: ``TASKFLOW_CHROMIUM`` is its path, or it is found as ``chromium``.
"""

import io
import os
import subprocess
import sys
import tempfile
import time
from itertools import chain
from pathlib import Path
from shutil import which
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
PORT = "8765"
ADMIN = f"http://127.0.0.1:{PORT}/tasks"
PAGES = {
    "overview": "?range=15m",
    "tasks": "/tasks",
    "task": "/tasks/{failed}",
    "running": "/tasks/{running}",
    "failures": "/failures",
    "functions": "/functions?range=15m",
    "function": "/functions/send_email?range=15m",
    "queues": "/queues",
    "schedules": "/schedules",
    "instances": "/instances",
    "audit": "/audit",
}
SIZES = {"": {"width": 1280, "height": 860}, "-phone": {"width": 390, "height": 844}}
WIDE = 1200
"""From this width on a task is shown beside the list, in a picture of its own."""
COMMON, OTHERS = 64, 128
"""Colours of a picture: the most frequent as they are, and what stands for all others."""


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
            live_a_little()
            take()
        finally:
            demo.terminate()
            demo.wait(30)


def live_a_little() -> None:
    """What only people do, so that the audit trail has something to tell."""
    httpx.patch(f"{ADMIN}/queues/email", json={"concurrency": 6}).raise_for_status()
    httpx.post(f"{ADMIN}/schedules/count_the_stock/run").raise_for_status()
    httpx.post(f"{ADMIN}/{latest(status='failed')}/retry").raise_for_status()


def latest(**wanted: str) -> str:
    """The id of the latest task with these properties, as soon as there is one."""
    while not (found := httpx.get(ADMIN, params={"limit": 1, **wanted}).json()):
        time.sleep(0.5)
    return str(found[0]["task_id"])


def take() -> None:
    """Every page in both themes, as a desktop and as a phone shows it."""
    program = which(os.environ.get("TASKFLOW_CHROMIUM", "chromium"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            for kind, size in SIZES.items():
                take_all(browser, f"{kind}-{scheme}", scheme, size)
        browser.close()


def take_all(browser: Browser, ending: str, scheme: str, size: dict[str, int]) -> None:
    """Every page in one theme and one size."""
    page = browser.new_page(viewport=size, color_scheme=scheme, device_scale_factor=1)
    for name, path in PAGES.items():
        failed = latest(status="failed", func_name="charge_card") if "{failed}" in path else ""
        running = latest(status="running", func_name="build_report") if "{run" in path else ""
        page.goto(f"{ADMIN}/dashboard{path.format(failed=failed, running=running)}")
        page.wait_for_timeout(1200)
        write(page.screenshot(), IMAGES / f"{name}{ending}.png")
    if size["width"] >= WIDE:
        page.goto(f"{ADMIN}/dashboard/tasks?func_name=charge_card")
        page.locator("#rows tr", has_text="ValueError").locator("a").first.click()
        page.locator("aside h1").wait_for()
        page.mouse.move(0, 0)
        page.wait_for_timeout(300)
        write(page.screenshot(), IMAGES / f"beside{ending}.png")
    page.close()


def write(picture: bytes, path: Path) -> None:
    """Keep a picture in few colours and few bytes."""
    seen = Image.open(io.BytesIO(picture)).convert("RGB")
    counted = sorted(seen.getcolors(seen.width * seen.height), reverse=True)
    palette = Image.new("P", (1, 1))
    others = seen.quantize(OTHERS, Image.Quantize.MAXCOVERAGE).getpalette()
    palette.putpalette([*chain(*(colour for _, colour in counted[:COMMON])), *others])
    few = seen.quantize(palette=palette, dither=Image.Dither.NONE)
    few.putpalette(exact(few, [colour for _, colour in counted[:COMMON]]))
    few.save(path, optimize=True)


def exact(few: Image.Image, common: list[Any]) -> list[int]:
    """The palette of a picture with its most frequent colours as they were, the first of all.

    Pillow takes a colour that is nearly the nearest: white would be a grey.
    """
    strip = Image.new("RGB", (len(common), 1))
    strip.putdata(common)
    places = strip.quantize(palette=few, dither=Image.Dither.NONE).tobytes()
    palette = few.getpalette() or []
    for place, colour in reversed(list(zip(places, common, strict=True))):
        palette[3 * place : 3 * place + 3] = colour
    return palette


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 300.0)
