"""An application whose users write markup wherever they may write anything."""

import asyncio
import os
from functools import partial
from itertools import count
from typing import Annotated

from fastapi import FastAPI, Header
from payloads import PAYLOADS

from fastapi_taskflow import QueueConfig, TaskAdmin, TaskManager, task_log, task_progress


def someone(x_payload: Annotated[int, Header()] = 0) -> str:
    """The application's own users may have any name."""
    return PAYLOADS[x_payload]


manager = TaskManager(
    snapshot_db=os.environ["DB"], queues={each: QueueConfig() for each in PAYLOADS}
)
app = FastAPI()
TaskAdmin(app, manager, title=PAYLOADS[2], auth=someone, display_func_args=True, poll_interval=2)


async def say(word: str) -> None:
    for each in PAYLOADS:
        task_log(each, **{each: each})
    task_progress(1, 2, word)
    raise ValueError(word + " ".join(PAYLOADS))


async def go_on(word: str) -> None:
    task_progress(1, 2, word)
    for number in count():
        task_log(PAYLOADS[number % len(PAYLOADS)], **{word: word})
        await asyncio.sleep(0.02)


TAGS = {f"tag {number}": each for number, each in enumerate(PAYLOADS)}
SAYING = [manager.task(name=each)(partial(say)) for each in PAYLOADS]
manager.task(name=f"go on {PAYLOADS[0]}")(go_on)


@app.post("/say")
async def write_everywhere() -> list[str]:
    """A failed task for each payload, with it in every field; the ids, in their order."""
    said = [
        await manager.enqueue(function, each, queue=each, tags=TAGS, idempotency_key=each)
        for function, each in zip(SAYING, PAYLOADS, strict=True)
    ]
    for each in said:
        await manager.wait(each)
    return said


@app.post("/go-on")
async def begin() -> str:
    """A task that does not end by itself."""
    return await manager.enqueue(go_on, PAYLOADS[0], queue=PAYLOADS[0])
