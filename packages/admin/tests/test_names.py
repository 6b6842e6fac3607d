"""Names of queues and schedules, whatever is in them, as parts of a path."""

import re
from html import unescape
from urllib.parse import quote

import pytest
from clients import local
from fake_manager import FakeManager
from fastapi import FastAPI

from fastapi_taskflow_core.engine.turns import Turns
from fastapi_taskflow_core.options import QueueConfig


@pytest.mark.parametrize("name", ["a/b", "/", "//x", '50%/é?#&"', "mail/pause", "a/pause/b"])
async def test_a_queue_of_any_name_is_paused_by_its_button(
    app: FastAPI, manager: FakeManager, name: str
) -> None:
    manager.turns = Turns({name: QueueConfig()}, {})
    async with local(app) as client:
        page = (await client.get("/tasks/dashboard/queues")).text
        paths = map(unescape, re.findall(r'data-path="([^"]+/pause)"', page))
        paused = [(await client.post(f"/tasks/{path}")).json() for path in paths]
        assert {each["name"] for each in paused if each["paused"]} == {name, "default"}
        found = await client.get(f"/tasks/queues/{quote(name, safe='')}")
    assert found.json()["name"] == name
