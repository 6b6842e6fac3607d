"""Whatever is asked of the API: its document says what may come back, and it is never a 500."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from fastapi_taskflow import QueueConfig, TaskAdmin, TaskManager

SOAK = bool(os.environ.get("TASKFLOW_SOAK"))
EXAMPLES = 300 if SOAK else 15
BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=not SOAK,
    suppress_health_check=list(HealthCheck),
)
NOT_IN_A_SCHEMA = [positive_data_acceptance, negative_data_rejection]
"""A time or an age, a cursor, one of two in a body; and that an empty filter is none."""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """An application in this process."""
    folder: Path = tmp_path_factory.mktemp("fuzz")
    manager = TaskManager(
        snapshot_db=folder / "tasks.db", queues={"mail": QueueConfig(concurrency=2)}
    )

    @manager.task()
    async def charge(order: int) -> None:
        raise ValueError(f"order {order} was refused")

    @manager.schedule(every=3600)
    async def tidy() -> None: ...

    app = FastAPI()
    TaskAdmin(app, manager, display_func_args=True)

    @app.post("/charge", include_in_schema=False)
    async def add() -> None:
        await manager.wait(await manager.enqueue(charge, 1))

    with TestClient(app, raise_server_exceptions=False) as started:
        yield started


def sent(client: TestClient, case: schemathesis.Case) -> httpx.Response:
    """The answer to what is made for another library, which has other names for a body."""
    request = case.as_transport_kwargs(base_url="http://testserver")
    request.pop("cookies")
    if not isinstance(request.get("data"), dict):
        request["content"] = request.pop("data", None)
    return client.request(**request)


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")
@pytest.mark.timeout(3_600 if SOAK else 120)
@pytest.mark.parametrize("mode", GenerationMode)
def test_answers_are_as_the_document_says(client: TestClient, mode: GenerationMode) -> None:
    """Of requests that the document allows, and of those that it does not."""
    document = schemathesis.openapi.from_dict(client.get("/openapi.json").json())
    client.post("/charge")
    known = {"name": "mail", "task_id": client.get("/tasks").json()[0]["task_id"]}
    asked: Counter[str] = Counter()

    def ask(case: schemathesis.Case, named: bool) -> None:
        if named:
            case.path_parameters.update({name: known[name] for name in case.path_parameters})
        asked[case.operation.label] += 1
        case.validate_response(sent(client, case), excluded_checks=NOT_IN_A_SCHEMA)

    for found in document.get_all_operations():
        cases = found.ok().as_strategy(generation_mode=mode)
        with suppress(Unsatisfiable):  # nothing can be wrong about a request without parameters
            BOUNDED(given(case=cases, named=st.booleans())(ask))()
    assert len(asked) >= 20
    assert asked["GET /tasks"] >= EXAMPLES
