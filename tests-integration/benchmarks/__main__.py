"""``hatch run bench``: prints a table and writes ``benchmarks.json``.

Each HTTP figure is the median over rounds in which all modes take turns, and is shown as a
share of plain ``BackgroundTasks`` in the same round, so that a machine whose speed drifts
compares like with like.
"""

import argparse
import asyncio
import json
import platform
import statistics
import sys
import tempfile
from pathlib import Path

from places import KINDS, place

from . import in_process, running, stores
from .load import REQUESTS, Load, load, serving

MODES = ("plain", "memory", "history", "durable")
NAMES = {
    "plain": "plain BackgroundTasks",
    "memory": "no backend",
    "history": "SQLite history",
    "durable": "SQLite, persisted (FULL)",
}
ROUTES = ("bare", "signup")
CONNECTIONS = 32


def over_http(rounds: int, seconds: float, folder: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Requests per second and latencies by route and mode, and their ratio to plain."""
    seen: dict[str, dict[str, list[Load]]] = {
        route: {mode: [] for mode in MODES} for route in ROUTES
    }
    for _ in range(rounds):
        for mode in MODES:
            with serving(mode, folder) as port:
                for route in ROUTES:
                    request = REQUESTS[route]
                    asyncio.run(load(port, request, CONNECTIONS, 0.5))
                    measured = asyncio.run(load(port, request, CONNECTIONS, seconds))
                    seen[route][mode].append(measured)
    return {
        route: {mode: _figures(loads, by_mode["plain"]) for mode, loads in by_mode.items()}
        for route, by_mode in seen.items()
    }


def _figures(loads: list[Load], plain: list[Load]) -> dict[str, float]:
    pairs = list(zip(loads, plain, strict=True))
    return {
        "requests_per_second": round(statistics.median(each.rate for each in loads)),
        "share_of_plain": round(
            statistics.median(each.rate / base.rate for each, base in pairs), 3
        ),
        "p50_ms": round(statistics.median(each.p50 for each in loads), 2),
        "p99_ms": round(statistics.median(each.p99 for each in loads), 2),
        "p99_to_plain": round(statistics.median(each.p99 / base.p99 for each, base in pairs), 2),
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


def main() -> None:
    """Run everything, or what is asked for, and report it."""
    options = _options()
    if options.stores:
        figures = over_stores(options.stores.split(","), options.count // 5, options.rows)
        options.json.write_text(json.dumps({"rows": options.rows, **figures}, indent=2) + "\n")
        _print_stores(figures, options.rows)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures = {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "tasks_per_second": in_one_process(options.count, folder),
            "memory_growth_mb": round(asyncio.run(in_process.memory_growth(options.grow)), 1),
            "memory_growth_tasks": options.grow,
            "gain_of_processes": round(running.gain_of_processes(), 2),
            "ping": running.pings(folder, options.seconds),
            "http": over_http(options.rounds, options.seconds, folder),
        }
    _print(figures)
    options.json.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"written to {options.json}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hatch run bench", description=__doc__)
    parser.add_argument("--count", type=int, default=200_000, help="tasks in one process")
    parser.add_argument("--grow", type=int, default=1_000_000, help="tasks for memory growth")
    parser.add_argument("--rounds", type=int, default=3, help="rounds over HTTP")
    parser.add_argument("--seconds", type=float, default=3.0, help="seconds a mode and round")
    parser.add_argument("--stores", help=f"only these: {','.join(KINDS)}")
    parser.add_argument("--rows", type=int, default=1_000_000, help="finished tasks to read over")
    parser.add_argument("--json", type=Path, default=Path("benchmarks.json"))
    return parser.parse_args()


def _print_stores(figures: dict, rows: int) -> None:
    names = list(next(iter(figures.values())))
    print(f"\nreads over {rows:,} finished tasks\n{'':24}" + "".join(f"{k:>12}" for k in figures))
    for name in names:
        print(f"{name:24}" + "".join(f"{seen[name]:>12,}" for seen in figures.values()))


def _print(figures: dict) -> None:
    print(f"\nPython {figures['python']} on {figures['machine']}\n\nin one process, tasks/s")
    for mode, rate in figures["tasks_per_second"].items():
        print(f"  {NAMES[mode]:26}{rate:>10,}")
    for route, by_mode in figures["http"].items():
        print(f"\nover HTTP, {CONNECTIONS} connections, route {route!r}")
        print(
            f"  {'':26}{'requests/s':>10}{'of plain':>10}{'p50 ms':>9}{'p99 ms':>9}{'of plain':>10}"
        )
        for mode, seen in by_mode.items():
            print(
                f"  {NAMES[mode]:26}{seen['requests_per_second']:>10,}"
                f"{seen['share_of_plain']:>10.2f}{seen['p50_ms']:>10.2f}{seen['p99_ms']:>10.2f}{seen['p99_to_plain']:>10.2f}"
            )
    ping = figures["ping"]
    print(f"\n8 busy calls: {figures['gain_of_processes']:.2f} times as fast in 2 processes")
    print(
        f"GET /ping, p99: idle {ping['idle_p99_ms']:.2f} ms, with 10,000 tasks of 5 ms that wait"
        f" and run {ping['waiting_p99_ms']:.2f} ms"
    )
    grown = figures["memory_growth_mb"]
    print(f"\nmemory after {figures['memory_growth_tasks']:,} tasks: {grown:+.1f} MB")


if __name__ == "__main__":
    sys.exit(main())
