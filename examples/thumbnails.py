"""An application that takes pictures and makes thumbnails of them, and says how far it is.

Run it with ``hatch run uvicorn thumbnails:app --app-dir examples``. It needs Pillow, and
python-multipart for uploads. The upload is kept as a file, and the task gets its path: arguments
are for small things.
"""

import os
from pathlib import Path
from uuid import uuid4

from fastapi import FastAPI, HTTPException, UploadFile
from fastapi.responses import FileResponse
from PIL import Image

from fastapi_taskflow import (
    AbortTask,
    ManagedBackgroundTasks,
    TaskAdmin,
    TaskManager,
    task_progress,
)

FOLDER = Path(os.environ.get("THUMBNAILS_FOLDER", "pictures"))
FOLDER.mkdir(exist_ok=True)
SIZES = (64, 128, 256)
task_manager = TaskManager(snapshot_db=FOLDER / "tasks.db")
app = FastAPI()
TaskAdmin(app, task_manager, auto_install=True)


@task_manager.task(persist=True, requeue_on_interrupt=True, retries=2, delay=1)
def make_thumbnails(picture: Path) -> None:
    """In a thread; from the start again if it is cut off, as writing a file twice is no harm."""
    try:
        with Image.open(picture) as image:
            image.load()
    except OSError as error:
        raise AbortTask(f"this is no picture: {error}") from error
    for number, size in enumerate(SIZES):
        task_progress(number, len(SIZES), f"{size} pixels")
        small = image.copy()
        small.thumbnail((size, size))
        small.convert("RGB").save(picture.with_suffix(f".{size}.jpg"))
    task_progress(len(SIZES), len(SIZES))


@app.post("/pictures")
async def upload(file: UploadFile, tasks: ManagedBackgroundTasks) -> dict[str, str]:
    """Keep the upload, and answer before anything is made of it."""
    picture = FOLDER / f"{uuid4()}.upload"
    picture.write_bytes(await file.read())
    task_id = tasks.add_task(make_thumbnails, picture, tags={"file": file.filename or ""})
    return {"task_id": task_id, "picture": picture.stem}


@app.get("/pictures/{picture}/{size}")
async def thumbnail(picture: str, size: int) -> FileResponse:
    path = FOLDER / f"{Path(picture).name}.{size}.jpg"
    if not path.exists():
        raise HTTPException(404, "not yet, or never: see /tasks")
    return FileResponse(path)
