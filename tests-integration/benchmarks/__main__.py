"""``hatch run bench``: prints a table and writes ``benchmarks.json``.

Over HTTP each mode has a server, and all take turns of 0.4 s. A share of plain
``BackgroundTasks`` is the median over the turns, so that a machine whose speed drifts compares
like with like; percentiles are those of all turns together.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from places import KINDS, place

from . import budgets, dashboard, in_process, running, stores, tables
from .load import REQUESTS, Load, load, percentile, serving
from .tables import Figures

MODES = tuple(tables.NAMES)
ROUTES = ("bare", "signup")
CONNECTIONS = 32
TURN = 0.4
"""Seconds."""
ROOT = Path(__file__).parent.parent.parent
PUBLISHED = ROOT / "docs" / "benchmarks.json"
PAGES = [ROOT / "README.md", ROOT / "docs" / "benchmarks.md"]


def over_http(turns: int, folder: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Requests per second and latencies by route and mode, and their ratio to plain."""
    with ExitStack() as servers:
        ports = {mode: servers.enter_context(serving(mode, folder)) for mode in MODES}
        return {route: _of_route(REQUESTS[route], ports, turns) for route in ROUTES}


def _of_route(request: bytes, ports: dict[str, int], turns: int) -> dict[str, dict[str, float]]:
    seen: dict[str, list[Load]] = {mode: [] for mode in ports}
    for _ in range(1 + turns):
        for mode, port in ports.items():
            seen[mode].append(asyncio.run(load(port, request, CONNECTIONS, TURN)))
    warm = {mode: loads[1:] for mode, loads in seen.items()}
    return {mode: _figures(loads, warm["plain"]) for mode, loads in warm.items()}


def _figures(loads: list[Load], plain: list[Load]) -> dict[str, float]:
    shares = [each.rate / base.rate for each, base in zip(loads, plain, strict=True)]
    p99 = percentile(loads, 99)
    return {
        "requests_per_second": round(statistics.median(each.rate for each in loads)),
        "share_of_plain": round(statistics.median(shares), 3),
        "p50_ms": round(percentile(loads, 50), 2),
        "p99_ms": round(p99, 2),
        "p99_to_plain": round(p99 / percentile(plain, 99), 2),
    }


def in_one_process(count: int, folder: Path) -> dict[str, float]:
    """Tasks per second by mode."""
    return {
        "memory": round(asyncio.run(in_process.memory_rate(count))),
        "history": round(asyncio.run(in_process.history_rate(count, folder))),
        "durable": round(asyncio.run(in_process.durable_rate(count // 5, folder))),
    }


def over_stores(kinds: list[str], count: int, rows: int) -> dict[str, dict[str, float]]:
    """Persisted tasks per second, and milliseconds of reads, by kind of storage."""
    figures = {}
    for kind in kinds:
        with place(kind) as where:
            rate = asyncio.run(stores.persisted_rate(where.url, count))
        with place(kind) as where:
            reads = asyncio.run(stores.reads(where.url, rows))
        figures[kind] = {"persisted_per_second": round(rate), **reads}
        print(kind, json.dumps(figures[kind]), flush=True)
    return figures


def whole(options: argparse.Namespace) -> Figures:
    """What concerns the application's process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return {
            "tasks_per_second": in_one_process(options.count, folder),
            "memory_growth_mb": round(asyncio.run(in_process.memory_growth(options.grow)), 1),
            "memory_growth_tasks": options.grow,
            "gain_of_processes": round(running.gain_of_processes(), 2),
            "ping": running.pings(folder, options.seconds),
            "http": over_http(round(options.rounds * options.seconds / TURN), folder),
        }


def of_dashboard(options: argparse.Namespace) -> None:
    """The budgets of the dashboard, and whether they are kept."""
    with tempfile.TemporaryDirectory() as folder:
        found = dashboard.measure(
            options.rows, options.seconds, options.rounds, Path(folder), long=options.long
        )
    print(f"\nOver {options.rows:,} finished tasks in SQLite\n\n{budgets.as_table(found)}")
    told = {**_machine(), "rows": options.rows, "figures": budgets.as_json(found)}
    if options.publish:
        figures = json.loads(PUBLISHED.read_text()) | {"dashboard": told}
        _publish(figures)
    else:
        options.json.write_text(json.dumps(told, indent=2) + "\n")


def _machine() -> Figures:
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    return {"python": platform.python_version(), "machine": machine}


def _publish(figures: Figures) -> None:
    PUBLISHED.write_text(json.dumps(figures, indent=2) + "\n")
    tables.publish(figures, PAGES)


def main() -> None:
    """Run everything, or what is asked for, and report it."""
    options = _options()
    if options.dashboard:
        of_dashboard(options)
        return
    figures = _machine()
    parts = []
    if options.publish or not options.stores:
        figures |= whole(options)
        parts += [tables.in_process, tables.over_http, tables.besides]
    if options.publish or options.stores:
        kinds = (options.stores or ",".join(KINDS)).split(",")
        stored = over_stores(kinds, options.count // 5, options.rows)
        figures |= {"rows": options.rows, "stores": stored}
        parts += [tables.by_store]
    print(f"\nPython {figures['python']} on {figures['machine']}")
    for part in parts:
        print(f"\n{part(figures)}")
    if options.publish:
        kept = json.loads(PUBLISHED.read_text())["dashboard"]  # has a run of its own
        _publish(figures | {"dashboard": kept})
    else:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hatch run bench", description=__doc__)
    parser.add_argument("--count", type=int, default=200_000, help="tasks in one process")
    parser.add_argument("--grow", type=int, default=1_000_000, help="tasks for memory growth")
    parser.add_argument("--rounds", type=int, default=3, help="rounds that compare")
    parser.add_argument("--seconds", type=float, default=3.0, help="seconds of a measurement")
    parser.add_argument("--stores", help=f"only these: {','.join(KINDS)}")
    parser.add_argument("--rows", type=int, default=1_000_000, help="finished tasks to read over")
    parser.add_argument("--dashboard", action="store_true", help="only that, with its budgets")
    parser.add_argument("--long", action="store_true", help="with it, pages open for 10 minutes")
    parser.add_argument("--publish", action="store_true", help="into the documentation")
    parser.add_argument("--json", type=Path, default=Path("benchmarks.json"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
