"""An application that tells three listeners what its tasks do.

Run it with ``hatch run uvicorn observability:app --app-dir examples``: a log file that rotates,
lines on standard output, and a class of our own that counts for ``GET /metrics`` in the text
format that Prometheus reads.
"""

import os
from collections import Counter, defaultdict

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from fastapi_taskflow import (
    FileLogger,
    LifecycleEvent,
    LogEvent,
    ManagedBackgroundTasks,
    StdoutLogger,
    TaskAdmin,
    TaskManager,
    TaskObserver,
    task_log,
)


class Metrics(TaskObserver):
    """Counts what tasks become, and adds up how long they ran."""

    def __init__(self) -> None:
        self.ended: Counter[tuple[str, str]] = Counter()
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.lines: Counter[str] = Counter()

    async def on_lifecycle(self, event: LifecycleEvent) -> None:
        """Called once for every change of a task's status."""
        if event.status.finished:
            self.ended[event.func_name, event.status] += 1
            self.seconds[event.func_name] += event.duration or 0

    async def on_log(self, event: LogEvent) -> None:
        """Called once for every line of ``task_log``."""
        self.lines[event.level] += 1

    def text(self) -> str:
        """What Prometheus reads."""
        rows = [
            f'tasks_total{{function="{name}",status="{status}"}} {n}'
            for (name, status), n in sorted(self.ended.items())
        ]
        rows += [
            f'task_seconds_total{{function="{name}"}} {n:.6f}'
            for name, n in sorted(self.seconds.items())
        ]
        rows += [f'task_lines_total{{level="{lvl}"}} {n}' for lvl, n in sorted(self.lines.items())]
        return "\n".join(rows) + "\n"


metrics = Metrics()
task_manager = TaskManager(
    loggers=[
        metrics,
        StdoutLogger(),
        FileLogger(os.environ.get("OBSERVABILITY_LOG", "tasks.log"), log_lifecycle=True),
    ]
)
app = FastAPI()
TaskAdmin(app, task_manager, auto_install=True)


@task_manager.task(retries=1)
async def divide(number: int) -> None:
    task_log("dividing", by=number)
    task_log(f"the result is {12 / number}", level="warning" if number > 5 else "info")


@app.post("/divide/{number}")
async def ask(number: int, tasks: ManagedBackgroundTasks) -> str:
    return tasks.add_task(divide, number)


@app.get("/metrics")
async def read() -> PlainTextResponse:
    return PlainTextResponse(metrics.text())
