"""What happens to the tasks of one request, whatever route, middleware and client do."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest
from fastapi import (
    BackgroundTasks,
    Depends,
    FastAPI,
    HTTPException,
    Request,
    Response,
    WebSocket,
)
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.testclient import TestClient
from starlette.background import BackgroundTask

from fastapi_taskflow_core import ManagedBackgroundTasks, TaskManager, TaskRecord

Kept = Callable[[], list[TaskRecord]]
Next = Callable[[Request], Awaitable[Response]]


async def fails() -> None:
    raise ValueError("no")


async def set_on_loop(event: asyncio.Event) -> None:
    event.set()


def test_tasks_run_after_the_route_in_the_order_they_were_added(
    app: FastAPI, client: TestClient
) -> None:
    steps: list[str] = []

    async def slow(name: str) -> None:
        await asyncio.sleep(0.01)
        steps.append(name)

    @app.post("/")
    def route(background_tasks: BackgroundTasks) -> None:
        background_tasks.add_task(slow, "first")
        background_tasks.add_task(steps.append, "second")
        background_tasks.add_task(slow, name="third")
        steps.append("route")

    client.post("/")
    assert steps == ["route", "first", "second", "third"]


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1), asyncio.CancelledError()])
@pytest.mark.parametrize("in_thread", [True, False])
def test_a_failing_task_does_not_stop_the_next(
    app: FastAPI, client: TestClient, kept: Kept, error: BaseException, in_thread: bool
) -> None:
    def plain() -> None:
        raise error

    async def coroutine() -> None:
        raise error

    @app.post("/")
    def route(background_tasks: BackgroundTasks) -> None:
        background_tasks.add_task(plain if in_thread else coroutine)
        background_tasks.add_task(asyncio.sleep, 0)

    assert client.post("/").status_code == 200
    assert [task.status for task in kept()] == ["failed", "success"]
    assert (kept()[0].error or "").startswith(type(error).__name__)


def test_retries_are_over_when_the_test_client_returns(
    app: FastAPI, client: TestClient, manager: TaskManager, kept: Kept
) -> None:
    calls: list[int] = []

    @manager.task(retries=3, delay=0.01, backoff=2)
    def flaky() -> None:
        calls.append(1)
        if len(calls) < 3:
            raise ValueError(f"attempt {len(calls)}")

    @app.post("/")
    def route(background_tasks: BackgroundTasks) -> None:
        background_tasks.add_task(flaky)

    client.post("/")
    (task,) = kept()
    assert (task.status, task.retries_used, task.error) == ("success", 2, None)
    assert [each.error for each in task.attempts] == [
        "ValueError: attempt 1",
        "ValueError: attempt 2",
        None,
    ]


def test_a_waiting_retry_lets_the_next_task_begin_and_is_seen_to_wait(
    app: FastAPI, client: TestClient, manager: TaskManager
) -> None:
    seen: list[TaskRecord] = []
    ids: list[str] = []

    @manager.task(retries=1, delay=0.05)
    async def flaky() -> None:
        if not seen:
            raise ValueError("not yet")

    async def look() -> None:
        seen.append(await manager.history.get(ids[0]))

    @app.post("/")
    def route(background_tasks: ManagedBackgroundTasks) -> None:
        ids.append(background_tasks.add_task(flaky))
        background_tasks.add_task(look)

    client.post("/")
    (waiting,) = seen
    assert (waiting.status, waiting.retries_used) == ("pending", 1)
    assert waiting.error == "ValueError: not yet"
    assert waiting.run_at is not None
    assert waiting.run_at > waiting.created_at
    assert waiting.start_time is None


def refuse() -> None:
    raise HTTPException(418)


def crash() -> None:
    raise ValueError("no")


@pytest.mark.parametrize("end", [refuse, crash])
def test_tasks_of_a_route_that_raises_do_not_run_and_leave_no_record(
    app: FastAPI, client: TestClient, kept: Kept, end: Callable[[], None]
) -> None:
    ran: list[int] = []

    @app.post("/")
    def route(background_tasks: BackgroundTasks) -> None:
        background_tasks.add_task(ran.append, 1)
        end()

    assert client.post("/").status_code >= 400
    assert (ran, kept()) == ([], [])


def test_tasks_of_a_route_whose_answer_does_not_fit_its_model_never_were(
    app: FastAPI, client: TestClient, kept: Kept
) -> None:
    @app.post("/")
    def route(background_tasks: BackgroundTasks) -> int:
        background_tasks.add_task(fails)
        return "not an int"  # type: ignore[return-value]

    assert client.post("/").status_code == 500
    assert kept() == []


def test_tasks_of_a_request_that_does_not_validate_never_were(
    app: FastAPI, client: TestClient, kept: Kept
) -> None:
    def dependency(background_tasks: BackgroundTasks) -> None:
        background_tasks.add_task(fails)

    @app.post("/")
    def route(number: int, _: Annotated[None, Depends(dependency)]) -> None:
        """Needs a number."""

    assert client.post("/").status_code == 422
    assert kept() == []


def test_an_error_answer_that_is_returned_runs_its_tasks(app: FastAPI, client: TestClient) -> None:
    ran: list[int] = []

    @app.post("/")
    def route(background_tasks: BackgroundTasks) -> Response:
        background_tasks.add_task(ran.append, 1)
        return JSONResponse({"detail": "later"}, status_code=404)

    assert client.post("/").status_code == 404
    assert ran == [1]


def test_tasks_beside_a_background_of_the_response_run(app: FastAPI, client: TestClient) -> None:
    ran: list[str] = []

    @app.post("/")
    def route(background_tasks: BackgroundTasks) -> Response:
        background_tasks.add_task(ran.append, "task")
        return JSONResponse({}, background=BackgroundTask(ran.append, "own"))

    client.post("/")
    assert sorted(ran) == ["own", "task"]


@pytest.mark.parametrize("scope", ["function", "request"])
def test_tasks_added_after_the_yield_of_a_dependency_run(
    app: FastAPI, client: TestClient, scope: Any
) -> None:
    ran: list[int] = []

    def dependency(background_tasks: BackgroundTasks) -> Iterator[None]:
        yield
        background_tasks.add_task(ran.append, 1)

    @app.post("/")
    def route(_: Annotated[None, Depends(dependency, scope=scope)]) -> None:
        """The dependency adds."""

    client.post("/")
    assert ran == [1]


def test_tasks_of_a_websocket_run_while_it_is_open(app: FastAPI, client: TestClient) -> None:
    done = threading.Event()

    @app.websocket("/")
    async def endpoint(websocket: WebSocket, background_tasks: BackgroundTasks) -> None:
        await websocket.accept()
        background_tasks.add_task(done.set)
        await websocket.receive_text()

    with client.websocket_connect("/") as websocket:
        assert done.wait(30)
        websocket.send_text("bye")


def test_tasks_added_while_the_body_streams_run(app: FastAPI, client: TestClient) -> None:
    ran: list[str] = []

    @app.post("/{kind}")
    def route(kind: str, background_tasks: BackgroundTasks) -> StreamingResponse:
        def in_threads() -> Iterator[bytes]:
            yield b"one"
            background_tasks.add_task(ran.append, kind)

        async def on_the_loop() -> AsyncIterator[bytes]:
            yield b"one"
            background_tasks.add_task(ran.append, kind)

        return StreamingResponse(in_threads() if kind == "def" else on_the_loop())

    client.post("/def")
    client.post("/async")
    assert ran == ["def", "async"]


def test_a_body_that_breaks_off_does_not_lose_tasks(app: FastAPI, client: TestClient) -> None:
    ran: list[int] = []

    def body() -> Iterator[bytes]:
        yield b"one"
        raise ConnectionResetError

    @app.post("/")
    def route(background_tasks: BackgroundTasks) -> StreamingResponse:
        background_tasks.add_task(ran.append, 1)
        return StreamingResponse(body())

    with pytest.raises(ConnectionResetError):
        TestClient(app).post("/")
    assert ran == [1]


def passing_through(app: FastAPI) -> None:
    @app.middleware("http")
    async def middleware(request: Request, call_next: Next) -> Response:
        return await call_next(request)


def zipping(app: FastAPI) -> None:
    app.add_middleware(GZipMiddleware, minimum_size=1)


@pytest.mark.parametrize("add", [passing_through, zipping])
@pytest.mark.parametrize("inside", [True, False])
def test_middleware_changes_nothing(
    manager: TaskManager, kept: Kept, add: Callable[[FastAPI], None], inside: bool
) -> None:
    app = FastAPI()
    ran: list[int] = []
    if inside:
        add(app)
    manager.install(app)
    if not inside:
        add(app)

    @app.post("/ok")
    def ok(background_tasks: BackgroundTasks) -> str:
        background_tasks.add_task(ran.append, 1)
        background_tasks.add_task(fails)
        background_tasks.add_task(ran.append, 2)
        return "x" * 1000

    @app.post("/refused")
    def refused(background_tasks: BackgroundTasks) -> None:
        background_tasks.add_task(ran.append, 3)
        raise HTTPException(418)

    client = TestClient(app)
    assert client.post("/ok").json() == "x" * 1000
    assert client.post("/refused").status_code == 418
    assert ran == [1, 2]
    assert [task.status for task in kept()] == ["success", "failed", "success"]


@pytest.mark.parametrize("add", [None, passing_through])
async def test_a_client_that_disconnects_changes_nothing(
    app: FastAPI, manager: TaskManager, add: Callable[[FastAPI], None] | None
) -> None:
    if add is not None:
        add(app)
    second_ran = asyncio.Event()

    @app.post("/")
    def route(background_tasks: BackgroundTasks) -> None:
        background_tasks.add_task(asyncio.sleep, 0.01)
        background_tasks.add_task(set_on_loop, second_ran)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "headers": [],
        "client": ("test", 1),
        "server": ("test", 80),
        "state": {},
    }
    messages = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        return next(messages, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            raise OSError("the client is gone")

    try:
        await app(scope, receive, send)
    except Exception as error:  # what the server sees of it is not our subject
        assert "gone" in repr(error) or "Disconnect" in repr(error)
    async with asyncio.timeout(30):
        await second_ran.wait()
    await manager.shutdown()  # a scope with a ``spec_version`` is a server's, and starts it


async def test_a_request_that_is_cancelled_lets_its_tasks_run_on(manager: TaskManager) -> None:
    begun, finished = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        begun.set()
        await asyncio.sleep(0.01)
        finished.set()

    tasks = manager.new_list()
    tasks.add_task(slow)
    request = asyncio.ensure_future(tasks())
    await begun.wait()
    request.cancel()
    await asyncio.wait([request])
    async with asyncio.timeout(30):
        await finished.wait()
    assert request.cancelled()


@pytest.mark.parametrize("by", ["decorator", "call"])
@pytest.mark.parametrize("kind", ["def", "async"])
def test_an_eager_task_starts_before_the_response(
    app: FastAPI, client: TestClient, manager: TaskManager, by: str, kind: str
) -> None:
    started = threading.Event()

    @manager.task(eager=by == "decorator")
    def work() -> None:
        started.set()

    options = {"eager": True} if by == "call" else {}

    @app.post("/def")
    def route(background_tasks: ManagedBackgroundTasks) -> bool:
        background_tasks.add_task(work, **options)
        return started.wait(30)

    @app.post("/async")
    async def async_route(background_tasks: ManagedBackgroundTasks) -> bool:
        background_tasks.add_task(work, **options)
        return await asyncio.to_thread(started.wait, 30)

    assert client.post(f"/{kind}").json() is True


def test_a_call_may_take_eager_back(app: FastAPI, client: TestClient, manager: TaskManager) -> None:
    steps: list[str] = []

    @manager.task(eager=True)
    async def work() -> None:
        steps.append("task")

    @app.post("/")
    async def route(background_tasks: ManagedBackgroundTasks) -> None:
        background_tasks.add_task(work, eager=False)
        await asyncio.sleep(0.01)
        steps.append("route")

    client.post("/")
    assert steps == ["route", "task"]


def test_a_waiting_retry_holds_no_dependency_open(
    app: FastAPI, client: TestClient, manager: TaskManager
) -> None:
    steps: list[str] = []

    def session() -> Iterator[None]:
        yield
        steps.append("session closed")

    @manager.task(retries=1, delay=0.01)
    def flaky() -> None:
        steps.append("attempt")
        if len(steps) == 1:
            raise ValueError

    @app.post("/")
    def route(_: Annotated[None, Depends(session)], background_tasks: BackgroundTasks) -> None:
        background_tasks.add_task(flaky)

    client.post("/")
    assert steps == ["attempt", "session closed", "attempt"]


def test_the_context_variables_of_the_route_are_seen_by_the_task(
    app: FastAPI, client: TestClient
) -> None:
    span: ContextVar[str] = ContextVar("span", default="none")
    seen: list[str] = []

    def in_thread() -> None:
        seen.append(span.get())

    async def on_loop() -> None:
        seen.append(span.get())

    @app.post("/")
    def route(background_tasks: BackgroundTasks) -> None:
        span.set("of the request")
        background_tasks.add_task(in_thread)
        background_tasks.add_task(on_loop)

    client.post("/")
    assert seen == ["of the request", "of the request"]


def test_tags_priority_and_queue_are_recorded(
    app: FastAPI, client: TestClient, manager: TaskManager, kept: Kept
) -> None:
    @manager.task(priority=1, queue="mail")
    def work() -> None:
        """Nothing."""

    @app.post("/")
    def route(background_tasks: ManagedBackgroundTasks) -> None:
        background_tasks.add_task(work)
        background_tasks.add_task(work, priority=9, queue="urgent", tags={"tenant": "acme", "n": 1})

    client.post("/")
    plain, special = sorted(kept(), key=lambda task: task.priority or 0)
    assert (plain.priority, plain.queue, plain.tags) == (1, "mail", None)
    assert (special.priority, special.queue) == (9, "urgent")
    assert special.tags == {"tenant": "acme", "n": "1"}


def test_a_parameter_of_the_function_wins_over_the_option_of_that_name(
    app: FastAPI, client: TestClient, kept: Kept
) -> None:
    got: list[object] = []

    def label(tags: list[str], queue: str = "none") -> None:
        got.append((tags, queue))

    @app.post("/")
    def route(background_tasks: ManagedBackgroundTasks) -> None:
        background_tasks.add_task(label, tags=["a"])
        labelled = background_tasks.options(tags={"tenant": "acme"}, queue="labels")
        labelled.add_task(label, tags=["b"], queue="mine")

    client.post("/")
    assert sorted(got, key=str) == [(["a"], "none"), (["b"], "mine")]
    records = sorted(kept(), key=lambda task: task.task_id)
    assert [(task.tags, task.queue) for task in records] == [
        (None, "default"),
        ({"tenant": "acme"}, "labels"),
    ]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"priority": "high"}, TypeError),
        ({"eager": 1}, TypeError),
        ({"queue": ""}, ValueError),
        ({"queue": 7}, TypeError),
        ({"tags": ["a"]}, TypeError),
        ({"tags": {"a": None}}, TypeError),
        ({"tags": {"a=b": "c"}}, ValueError),
        ({"tags": {str(n): "" for n in range(33)}}, ValueError),
        ({"idempotency_key": ""}, ValueError),
        ({"idempotency_key": 7}, TypeError),
        ({"idempotency_key": "\ud800"}, ValueError),
        ({"run_at": "tomorrow"}, TypeError),
        ({"run_at": datetime(2030, 1, 1)}, ValueError),  # noqa: DTZ001  naive on purpose
    ],
)
async def test_a_wrong_option_is_named_at_the_call(
    manager: TaskManager, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error, match=next(iter(options))):
        manager.new_list().add_task(fails, **options)


async def test_options_refuses_names_it_does_not_know(manager: TaskManager) -> None:
    with pytest.raises(TypeError, match="prio"):
        manager.new_list().options(prio=1)


def test_a_task_for_later_does_not_hold_the_request(app: FastAPI) -> None:
    ran: list[int] = []

    @app.post("/")
    def route(background_tasks: ManagedBackgroundTasks) -> None:
        background_tasks.add_task(ran.append, 1, run_at=datetime(2999, 1, 1, tzinfo=UTC))
        background_tasks.add_task(ran.append, 2, run_at=datetime(2000, 1, 1, tzinfo=UTC))

    with TestClient(app) as client:
        assert client.post("/").status_code == 200
        assert ran == [2]


async def test_nothing_is_left_of_finished_tasks(manager: TaskManager) -> None:
    @manager.task(retries=1)
    async def sometimes(number: int) -> None:
        if number % 3 == 0:
            raise ValueError

    await manager.startup()
    try:
        tasks = manager.new_list()
        for number in range(1000):
            tasks.add_task(sometimes, number, idempotency_key=str(number))
        await tasks.finish()
        figures = (await manager.history.metrics()).overall
        assert figures.finished == 1000
        assert manager.health().buffered == 0
    finally:
        await manager.shutdown()
