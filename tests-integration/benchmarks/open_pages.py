"""Pages that stay open for long in a real Chromium, beside a thousand events a second."""

import asyncio
import json

import httpx
from playwright.async_api import Browser, Page

from .browser import NODES, heap, started
from .budgets import Figure
from .viewers import DASHBOARD, pace

MINUTE = 60.0
MOST_NODES = {"overview": 3_000, "tasks": 3_000, "log": 6_000}


async def held_open(url: str, seconds: float) -> list[Figure]:
    """What the pages have grown by after so many seconds, and how many nodes they have."""
    async with started() as chromium, httpx.AsyncClient(base_url=url, timeout=None) as client:
        if chromium is None:
            return []
        pages = await _opened(chromium, url, await _talking(client, seconds))
        before = {name: await heap(page) for name, page in pages.items()}
        running = asyncio.create_task(client.post(pace(seconds)))
        passed = 0.0
        while not running.done():
            await asyncio.wait([running], timeout=MINUTE)
            passed += MINUTE
            grown = await _grown(pages, before)
            print(f"after {min(passed, seconds):,g} s, MB: {json.dumps(grown)}", flush=True)
        (await running).raise_for_status()
        nodes = {name: await page.evaluate(NODES) for name, page in pages.items()}
    return [
        figure
        for name in pages
        for figure in (
            Figure(f"{name}, {seconds:,g} s open, growth of its heap", grown[name], "MB", 5),
            Figure(f"{name}, {seconds:,g} s open, nodes", nodes[name], "", MOST_NODES[name]),
        )
    ]


async def _talking(client: httpx.AsyncClient, seconds: float) -> str:
    started = await client.post("/talk", params={"seconds": seconds})
    task_id: str = started.raise_for_status().json()
    return task_id


async def _opened(chromium: Browser, url: str, task_id: str) -> dict[str, Page]:
    """Each in a window of its own, as somebody has it open who looks at it."""
    paths = {"overview": "", "tasks": "/tasks", "log": f"/tasks/{task_id}#log"}
    pages = {}
    for name, path in paths.items():
        pages[name] = await (await chromium.new_context()).new_page()
        await pages[name].goto(f"{url}{DASHBOARD}{path}")
        await pages[name].wait_for_selector("#live[data-state=live]")
    return pages


async def _grown(pages: dict[str, Page], before: dict[str, float]) -> dict[str, float]:
    return {name: round((await heap(page) - before[name]) / 1e6, 3) for name, page in pages.items()}
