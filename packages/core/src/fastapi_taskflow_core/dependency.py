"""``Depends(task_manager.get_tasks)``: the task list for applications without installation.

Where the middleware is installed it gives the request's list. Where it is not, FastAPI's
own means do its work: a dependency commits before the response is sent, FastAPI's list runs
ours, and when all dependencies of the request are closed, what is left is run and awaited.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Annotated

from fastapi import BackgroundTasks, Depends, HTTPException
from starlette.requests import HTTPConnection

from .background import ManagedBackgroundTasks
from .errors import BackendUnavailable
from .injection import current_request
from .middleware import RETRY_AFTER

_Lists = dict[object, ManagedBackgroundTasks]
_KEY = "fastapi_taskflow.lists"


def _lists(connection: HTTPConnection) -> _Lists:
    lists: _Lists = connection.scope.setdefault(_KEY, {})
    return lists


async def _finish_last(connection: HTTPConnection, tasks: ManagedBackgroundTasks) -> None:
    # What is open already is closed before: a retry that waits must not hold a session.
    stack: AsyncExitStack = connection.scope["fastapi_inner_astack"]
    opened = stack.pop_all()
    stack.push_async_callback(tasks.finish)
    await stack.enter_async_context(opened)


async def _commit_before_response(connection: HTTPConnection) -> AsyncIterator[None]:
    try:
        yield
    except BaseException:
        for tasks in _lists(connection).values():
            tasks.discard()
        raise
    for tasks in _lists(connection).values():
        try:
            await tasks.commit()
        except BackendUnavailable as error:
            raise HTTPException(
                503,
                "The request was not accepted: its background tasks could not be stored.",
                headers={"Retry-After": str(RETRY_AFTER)},
            ) from error


def task_list_dependency(
    owner: object, new_list: Callable[[], ManagedBackgroundTasks]
) -> Callable[..., object]:
    """The dependency for the manager *owner*, whose lists *new_list* makes."""

    async def get_tasks(
        connection: HTTPConnection,
        background_tasks: BackgroundTasks,
        _commit: Annotated[None, Depends(_commit_before_response, scope="function")],
    ) -> ManagedBackgroundTasks:
        installed = current_request.get()
        if installed is not None and installed.owner is owner:
            return installed.task_list()
        lists = _lists(connection)
        tasks = lists.get(owner)
        if tasks is None:
            tasks = lists[owner] = new_list()
            await _finish_last(connection, tasks)
            if connection.scope["type"] == "websocket":
                tasks.run()
            elif not isinstance(background_tasks, ManagedBackgroundTasks):
                background_tasks.add_task(tasks)
        return tasks

    return get_tasks
