"""Signing in and out over HTTP."""

import asyncio
import logging
import re
from http.cookies import SimpleCookie

import httpx
import pytest
from clients import local, sign_in
from fake_manager import FakeManager, task
from fastapi import FastAPI
from fastapi.testclient import TestClient
from people import PASSWORDS, guarded

from fastapi_taskflow_admin import TaskAdmin, hash_password
from fastapi_taskflow_admin.auth.passwords import Cost
from fastapi_taskflow_core.records import TaskStatus

SECRET = "sixteen and more characters"


@pytest.fixture
def app(manager: FakeManager) -> FastAPI:
    return guarded(manager)


async def enter(client: httpx.AsyncClient, name: str = "ada") -> httpx.Response:
    """Sign in as somebody whose password is right."""
    return await sign_in(client, name, PASSWORDS[name])


def with_cookie(name: str, value: str) -> dict[str, str]:
    """The header of a browser that has this cookie and no other."""
    return {"Cookie": f"{name}={value}"}


def cookie_of(response: httpx.Response) -> tuple[str, dict[str, str]]:
    """Name and attributes of the cookie that a response sets."""
    [(name, morsel)] = SimpleCookie(response.headers["Set-Cookie"]).items()
    return name, {key: str(value) for key, value in morsel.items() if value}


@pytest.mark.parametrize("name", PASSWORDS)
async def test_who_signs_in_is_let_in(client: httpx.AsyncClient, name: str) -> None:
    answer = await enter(client, name)
    assert (answer.status_code, answer.headers["Location"]) == (303, "../dashboard")
    assert (await client.get("/tasks")).status_code == 200
    page = (await client.get("/tasks/dashboard")).text
    assert f"<span>{name}</span>" in page
    assert 'action="./auth/logout"' in page


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ada", "wrong"),
        ("ada", ""),
        ("ada", PASSWORDS["olaf"]),
        ("nobody", PASSWORDS["ada"]),
        ("Ada", PASSWORDS["ada"]),
        ("ada ", PASSWORDS["ada"]),
        ("", ""),
        ("a\0b", "x"),
        ("x" * 201, "x"),
        ("€" * 200, "ü" * 500),
        ("ada", "x" * 2_000),
    ],
)
async def test_nobody_else_is(client: httpx.AsyncClient, name: str, password: str) -> None:
    answer = await sign_in(client, name, password)
    assert answer.status_code == 401
    assert "The name or the password is wrong." in answer.text
    assert "Set-Cookie" not in answer.headers
    assert (await client.get("/tasks")).status_code == 401


async def test_the_cookie_is_only_for_us(client: httpx.AsyncClient) -> None:
    name, attributes = cookie_of(await enter(client))
    assert re.fullmatch(r"taskflow-[0-9a-f]{8}", name)
    assert attributes == {
        "httponly": "True",
        "max-age": "86400",
        "path": "/tasks",
        "samesite": "lax",
    }


async def test_over_https_the_cookie_is_secure_in_name_and_deed(app: FastAPI) -> None:
    async with local(app, "192.0.2.1", "tasks.example", "https") as client:
        name, attributes = cookie_of(await enter(client))
        assert name.startswith("__Secure-taskflow-")
        assert attributes["secure"]
        assert (await client.get("/tasks")).status_code == 200


async def test_a_cookie_of_http_is_not_taken_over_https(app: FastAPI) -> None:
    async with local(app, "192.0.2.1", "tasks.example") as client:
        name, _ = cookie_of(await enter(client))
        value = client.cookies[name]
    async with local(app, "192.0.2.1", "tasks.example", "https") as client:
        assert (await client.get("/tasks", headers=with_cookie(name, value))).status_code == 401


@pytest.mark.parametrize(
    ("root", "referer", "path"),
    [
        ("", None, "/tasks"),
        ("/api/v1", None, "/api/v1/tasks"),
        ("", "http://testserver/x/tasks/auth/login?next=dashboard", "/x/tasks"),
        ("", "http://testserver/tasks/auth/login", "/tasks"),
        ("", "http://evil.example/x/tasks/auth/login", "/tasks"),
        ("", "http://testserver/x/tasks/dashboard", "/tasks"),
        ("", "http://testserver/a;b/tasks/auth/login", "/"),
        ("", "http://[", "/tasks"),
        ("/a b", None, "/a%20b/tasks"),
    ],
)
def test_the_cookie_is_for_the_path_that_the_browser_sees(
    app: FastAPI, root: str, referer: str | None, path: str
) -> None:
    client = TestClient(app, root_path=root, follow_redirects=False)
    form = {"username": "ada", "password": PASSWORDS["ada"]}
    headers = {} if referer is None else {"Referer": referer}
    answer = client.post("/tasks/auth/login", data=form, headers=headers)
    assert cookie_of(answer)[1]["path"] == path


def test_a_login_works_in_a_mounted_application(app: FastAPI) -> None:
    outer = FastAPI()
    outer.mount("/inner", app)
    with TestClient(outer) as client:
        sent = client.get("/inner/tasks/dashboard/tasks/one?x=1")
        assert sent.url.path == "/inner/tasks/auth/login"
        form = {"username": "ada", "password": PASSWORDS["ada"], "next": sent.url.params["next"]}
        back = client.post("/inner/tasks/auth/login", data=form)
    assert str(back.url) == "http://testserver/inner/tasks/dashboard/tasks/one?x=1"
    assert back.history[0].cookies


async def test_the_login_page_lets_only_us_know_where_it_is(client: httpx.AsyncClient) -> None:
    page = await client.get("/tasks/auth/login")
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert (await client.get("/tasks/auth/other")).headers.get("Referrer-Policy") is None


@pytest.mark.parametrize(
    ("page", "login"),
    [
        ("/tasks/dashboard", "./auth/login?next=dashboard"),
        (
            "/tasks/dashboard?status=failed&q=a%20b",
            "./auth/login?next=dashboard%3Fstatus%3Dfailed%26q%3Da%2520b",
        ),
        ("/tasks/dashboard/tasks/one", "../../auth/login?next=dashboard%2Ftasks%2Fone"),
        ("/tasks/dashboard/tasks/a%20b", "../../auth/login?next=dashboard%2Ftasks%2Fa%2520b"),
        ("/tasks/dashboard/audit", "../auth/login?next=dashboard%2Faudit"),
    ],
)
async def test_a_page_leads_to_the_login_and_back(
    client: httpx.AsyncClient, page: str, login: str
) -> None:
    sent = await client.get(page)
    assert (sent.status_code, sent.headers["Location"]) == (303, login)
    form = (await client.get(f"/tasks/auth/login{login[login.index('?') :]}")).text
    found = re.search(r'name="next" value="([^"]*)"', form)
    assert found is not None
    back = found[1].replace("&amp;", "&")
    answer = await sign_in(client, "ada", PASSWORDS["ada"], back)
    assert answer.headers["Location"] == f"..{page.removeprefix('/tasks')}"


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "dashboard/../../../evil",
        "dashboard/..",
        "dashboard\\..\\evil",
        "dashboardevil",
        "dashboard//evil.example",
        "javascript:alert(1)",
        "dashboard\r\nSet-Cookie: x=1",
        "dashboard?a\n",
        "x" * 4_000,
        "",
    ],
)
async def test_a_login_leads_nowhere_else(client: httpx.AsyncClient, back: str) -> None:
    answer = await sign_in(client, "ada", PASSWORDS["ada"], back)
    assert answer.headers["Location"] == "../dashboard"


@pytest.mark.parametrize("path", ["/tasks", "/tasks/health", "/tasks/one", "/tasks/dashboard/rows"])
async def test_api_and_fragments_say_401_instead_of_leading_elsewhere(
    client: httpx.AsyncClient, path: str
) -> None:
    assert (await client.get(path)).status_code == 401


async def test_a_script_that_reads_a_page_is_not_led_elsewhere(client: httpx.AsyncClient) -> None:
    headers = {"Sec-Fetch-Dest": "empty"}
    assert (await client.get("/tasks/dashboard", headers=headers)).status_code == 401


async def test_a_session_ends_after_its_time(manager: FakeManager) -> None:
    async with local(guarded(manager, token_expiry=100)) as client:
        name, attributes = cookie_of(await enter(client))
        cookie = with_cookie(name, client.cookies[name])
        assert attributes["max-age"] == "100"
        manager.clock.turn(seconds=99)
        assert (await client.get("/tasks", headers=cookie)).status_code == 200
        manager.clock.turn(seconds=1)
        assert (await client.get("/tasks", headers=cookie)).status_code == 401


async def test_signing_out_ends_the_session_for_all_who_have_the_cookie(
    client: httpx.AsyncClient,
) -> None:
    name, _ = cookie_of(await enter(client))
    cookie = with_cookie(name, client.cookies[name])
    answer = await client.post("/tasks/auth/logout")
    assert (answer.status_code, answer.headers["Location"]) == (303, "login")
    assert name not in client.cookies
    assert (await client.get("/tasks", headers=cookie)).status_code == 401


async def test_signing_out_is_a_post(client: httpx.AsyncClient) -> None:
    await enter(client)
    assert (await client.get("/tasks/auth/logout")).status_code == 405
    assert (await client.get("/tasks")).status_code == 200


async def test_signing_out_without_a_session_does_nothing(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    assert (await client.post("/tasks/auth/logout")).status_code == 303
    assert "logout" not in [entry.action for entry in await manager.entries()]


async def test_signing_in_again_ends_the_earlier_session(client: httpx.AsyncClient) -> None:
    name, _ = cookie_of(await enter(client, "vera"))
    earlier = client.cookies[name]
    await enter(client)
    assert client.cookies[name] != earlier
    answer = await client.get("/tasks", headers=with_cookie(name, earlier))
    assert answer.status_code == 401


async def test_the_sixth_bad_login_waits_and_the_right_one_works_after_that(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    for _ in range(5):
        assert (await sign_in(client, "ada", "wrong")).status_code == 401
    refused = await enter(client)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    assert "Try again in a minute." in refused.text
    manager.clock.turn(seconds=60)
    assert (await enter(client)).status_code == 303


async def test_of_many_logins_at_once_none_is_an_error(
    client: httpx.AsyncClient,
) -> None:
    answers = await asyncio.gather(*(sign_in(client, "ada", f"{n}") for n in range(1_000)))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(401), statuses.count(429)) == (5, 995)


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"username=ada&password=" + b"x" * 1_000_000, None, 413),
        (b"username=ada&password=x", "text/plain", 415),
        (b'{"username": "ada", "password": "x"}', "application/json", 415),
        (b"", None, 401),
        (b"a=1&" * 100, None, 400),
        (b"username=%ff%fe&password=%00%ed%a0%80", None, 401),
        ("username=ädä&password=ö".encode("latin-1"), None, 401),
        (b"username=ada&username=bob&password=x", None, 401),
    ],
)
async def test_a_form_that_is_not_right_is_refused_not_an_error(
    client: httpx.AsyncClient, content: bytes, kind: str | None, status: int
) -> None:
    headers = {"Content-Type": kind or "application/x-www-form-urlencoded"}
    answer = await client.post("/tasks/auth/login", content=content, headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize("path", ["/tasks/auth/login", "/tasks/auth/logout"])
async def test_another_site_signs_nobody_in_or_out(client: httpx.AsyncClient, path: str) -> None:
    await enter(client)
    form = {"username": "ada", "password": PASSWORDS["ada"]}
    answer = await client.post(path, data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers
    assert (await client.get("/tasks")).status_code == 200


async def test_without_passwords_there_is_no_login(manager: FakeManager) -> None:
    app = FastAPI()
    TaskAdmin(app, manager)
    async with local(app) as client:
        assert (await client.get("/tasks/auth/login")).status_code == 404
        assert "Sign out" not in (await client.get("/tasks/dashboard")).text


async def test_a_hashed_password_admits_its_owner(manager: FakeManager) -> None:
    kept = hash_password("right", Cost(16, 1, 1))
    app = guarded(manager, auth=[("ann", kept), ("bob", "plain")])
    for name, password, status in [
        ("ann", "right", 303),
        ("bob", "plain", 303),
        ("ann", kept, 401),
    ]:
        async with local(app) as client:
            assert (await sign_in(client, name, password)).status_code == status


async def test_a_changed_password_ends_the_sessions(manager: FakeManager) -> None:
    async with local(guarded(manager, secret_key=SECRET)) as client:
        name, _ = cookie_of(await enter(client))
        cookie = with_cookie(name, client.cookies[name])
    for password, status in [(PASSWORDS["ada"], 200), ("a new one", 401)]:
        app = guarded(manager, secret_key=SECRET, auth=("ada", password))
        async with local(app) as client:
            assert (await client.get("/tasks", headers=cookie)).status_code == status


async def test_a_session_of_one_admin_is_none_of_another(manager: FakeManager) -> None:
    app = guarded(manager)
    TaskAdmin(app, manager, path="/other", auth=("ada", PASSWORDS["ada"]))
    form = {"username": "ada", "password": PASSWORDS["ada"]}
    async with local(app) as client:
        name, _ = cookie_of(await enter(client))
        other, _ = cookie_of(await client.post("/other/auth/login", data=form))
        wrong = await client.get("/other", headers=with_cookie(other, client.cookies[name]))
        right = await client.get("/other", headers=with_cookie(other, client.cookies[other]))
    assert (wrong.status_code, right.status_code) == (401, 200)


async def test_without_the_storage_nobody_signs_in(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    manager.backend.away = True
    answer = await enter(client)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert not client.cookies


async def test_while_the_storage_is_away_its_health_can_be_seen(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await enter(client)
    manager.backend.away = True
    assert (await client.get("/tasks/health")).status_code == 200


async def test_signing_out_while_the_storage_is_away_says_what_was_done(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await enter(client)
    manager.backend.away = True
    answer = await client.post("/tasks/auth/logout")
    assert answer.status_code == 503
    assert "This browser is signed out" in answer.text
    assert not client.cookies


def test_a_secret_that_can_be_guessed_is_told(
    manager: FakeManager, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        guarded(manager, secret_key="secret")
    assert caplog.messages == ["secret_key has fewer than 16 characters: it can be guessed"]


async def test_the_name_that_was_typed_is_never_markup(client: httpx.AsyncClient) -> None:
    attack = '"><script>alert(1)</script>'
    page = (await sign_in(client, attack, "x", attack)).text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


async def test_the_error_is_tied_to_its_fields(client: httpx.AsyncClient) -> None:
    page = (await sign_in(client, "ada", "wrong")).text
    assert page.count('aria-describedby="error"') == 2
    assert 'role="alert"' in page
    assert 'autocomplete="current-password"' in page
    assert "wrong" not in re.findall(r'value="([^"]*)"', page)


async def test_the_buttons_of_a_task_are_for_those_who_may_press_them(
    client: httpx.AsyncClient, manager: FakeManager
) -> None:
    await manager.hold(task(1, TaskStatus.FAILED))
    for name, shown in [("vera", False), ("olaf", True), ("ada", True)]:
        await enter(client, name)
        for page in ("/tasks/dashboard/tasks", "/tasks/dashboard/tasks/task-0001"):
            assert ("data-action" in (await client.get(page)).text) is shown
