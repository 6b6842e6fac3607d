"""What a real Chromium feels of the dashboard."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from shutil import which

import httpx
from playwright.async_api import Browser, Page, async_playwright

from .budgets import Figure
from .viewers import DASHBOARD, pace

WATCH = """() => {
  window.longest = 0;
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) window.longest = Math.max(window.longest, each.duration);
  }).observe({ type: "longtask", buffered: true });
}"""
SEEN = """() => {
  const painted = performance.getEntriesByName("first-contentful-paint")[0].startTime;
  return document.querySelectorAll("#rows tr").length === 50 ? painted : Infinity;
}"""
LOADED = """() => performance.getEntriesByType("resource")
  .filter((each) => each.initiatorType !== "fetch" && each.transferSize > 0).length + 1"""

NODES = "document.querySelectorAll('*').length"


async def figures(url: str, seconds: float) -> list[Figure]:
    """How soon rows are seen, and how busy a page is at a thousand events a second."""
    async with started() as chromium:
        if chromium is None:
            return []
        window = await chromium.new_context()
        page = await window.new_page()
        seen, requests = [], []
        for _ in range(5):
            await page.goto(f"{url}{DASHBOARD}/tasks")
            await page.wait_for_selector("#rows tr")
            seen.append(await page.evaluate(SEEN))
            requests.append(await page.evaluate(LOADED))
        await page.evaluate(WATCH)
        async with httpx.AsyncClient(timeout=300) as client:
            before = await heap(page)
            await client.post(f"{url}{pace(seconds)}")
            await asyncio.sleep(1)
            after = await heap(page)
        longest = await page.evaluate("window.longest")
        nodes = await page.evaluate(NODES)
    return [
        Figure("first rows visible, first visit", seen[0], "ms", 500),
        Figure("first rows visible, later", sorted(seen[1:])[2], "ms", 500),
        Figure("requests of a first load", requests[0], "", 12),
        Figure("requests of a second load", requests[-1], "", 2),
        Figure("longest task of the page", longest, "ms", 50),
        Figure("nodes of the page", nodes, "", 3_000),
        Figure("heap of the page, growth", (after - before) / 1e6, "MB", 5),
    ]


@asynccontextmanager
async def started() -> AsyncIterator[Browser | None]:
    """A Chromium; None where there is none."""
    program = which(os.environ.get("TASKFLOW_CHROMIUM", "chromium"))
    if program is None:
        print("no Chromium: apt-get install chromium, or set TASKFLOW_CHROMIUM to its path")
        yield None
        return
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        await chromium.close()


async def heap(page: Page) -> float:
    """Bytes that the page's scripts hold, after a collection of garbage."""
    session = await page.context.new_cdp_session(page)
    await session.send("HeapProfiler.collectGarbage")
    used = await session.send("Runtime.getHeapUsage")
    await session.detach()
    return float(used["usedSize"])
