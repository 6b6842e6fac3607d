"""The figures as Markdown tables: for the terminal, for README.md and for docs/benchmarks.md."""

import re
from pathlib import Path
from typing import Any

NAMES = {
    "plain": "plain `BackgroundTasks`",
    "memory": "no backend",
    "history": "SQLite, as history",
    "durable": "SQLite, persisted (`synchronous=FULL`)",
    "thawed": "the same, with `freeze_gc=False`",
}
READS = {
    "persisted_per_second": "persisted tasks a second",
    "list_ms": "the latest 50 tasks, ms",
    "failed_ms": "the latest 50 failed, ms",
    "function_ms": "the latest 50 of a function, ms",
    "metrics_ms": "metrics, ms",
    "chart_24h_ms": "chart of 24 hours, ms",
    "unfinished_ms": "all unfinished tasks, ms",
    "no_such_text_ms": "search for a text that is nowhere, ms",
}
STORES = {"sqlite": "SQLite", "postgres": "PostgreSQL", "mysql": "MariaDB", "redis": "Redis"}
Figures = dict[str, Any]


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table: text to the left in the first column, figures to the right."""
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *rows])


def in_short(figures: Figures) -> str:
    """What README.md shows: the cost for a route that reads and answers JSON."""
    rates = figures["tasks_per_second"]
    rows = [
        [
            NAMES[mode],
            f"{rates[mode]:,}" if mode in rates else "",
            f"{seen['share_of_plain']:.2f}",
            f"{seen['p99_to_plain']:.1f}",
        ]
        for mode, seen in figures["http"]["signup"].items()
    ]
    head = ["", "tasks/s in one process", "requests/s, of plain", "p99 latency, times plain"]
    return table(head, rows)


def in_process(figures: Figures) -> str:
    """Tasks a second in one process."""
    rows = [[NAMES[mode], f"{rate:,}"] for mode, rate in figures["tasks_per_second"].items()]
    return table(["", "tasks/s"], rows)


def over_http(figures: Figures) -> str:
    """Requests a second and latencies, by route and mode."""
    rows = [
        [
            f"`{route}`, {NAMES[mode]}",
            f"{seen['requests_per_second']:,}",
            f"{seen['share_of_plain']:.2f}",
            f"{seen['p50_ms']:.1f}",
            f"{seen['p99_ms']:.1f}",
            f"{seen['p99_to_plain']:.1f}",
        ]
        for route, modes in figures["http"].items()
        for mode, seen in modes.items()
    ]
    head = ["", "requests/s", "of plain", "p50 ms", "p99 ms", "p99, times plain"]
    return table(head, rows)


def besides(figures: Figures) -> str:
    """Processes, waiting tasks and memory."""
    ping = figures["ping"]
    rows = [
        ["8 busy calls in 2 processes, times as fast", f"{figures['gain_of_processes']:.2f}"],
        ["p99 of `GET /ping`, idle, ms", f"{ping['idle_p99_ms']:.2f}"],
        ["the same beside 10,000 tasks of 5 ms, ms", f"{ping['waiting_p99_ms']:.2f}"],
        [
            f"memory after {figures['memory_growth_tasks']:,} tasks, MB",
            f"{figures['memory_growth_mb']:+.1f}",
        ],
    ]
    return table(["", ""], rows)


def by_store(figures: Figures) -> str:
    """Persisted tasks a second and reads over a long history, by kind of storage."""
    seen = figures["stores"]
    head = [f"over {figures['rows']:,} finished tasks", *(STORES[kind] for kind in seen)]
    rows = [[name, *(f"{by[key]:,}" for by in seen.values())] for key, name in READS.items()]
    return table(head, rows)


def of_dashboard(figures: Figures) -> str:
    """What the dashboard costs, beside its budgets."""
    seen = figures["dashboard"]
    rows = [[each["name"], _measured(each), each["budget"]] for each in seen["figures"]]
    return table([f"over {seen['rows']:,} finished tasks", "measured", "budget"], rows)


def _measured(figure: Figures) -> str:
    missed = "" if figure["kept"] else ", missed"
    return f"{figure['value']:,.4g} {figure['unit']}".rstrip() + missed


PARTS = (in_short, in_process, over_http, besides, by_store, of_dashboard)
ALL = {each.__name__: each for each in PARTS}


def filled(page: str, figures: Figures) -> str:
    """The page with each table between its two marks made anew."""

    def made(found: re.Match[str]) -> str:
        return f"{found[1]}\n{ALL[found[2]](figures)}\n{found[3]}"

    return re.sub(r"(<!-- figures: (\w+) -->)\n.*?(<!-- end -->)", made, page, flags=re.DOTALL)


def publish(figures: Figures, pages: list[Path]) -> None:
    """Put the figures into the pages."""
    for page in pages:
        page.write_text(filled(page.read_text(), figures))
