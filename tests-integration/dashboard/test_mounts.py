"""The dashboard under any path, behind any proxy and through middleware that compresses."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from html import unescape
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Error, Route, expect
from visits import PATIENCE

from fastapi_taskflow_testkit.faults import AppServer

HERE = Path(__file__).parent
PLACES = {
    "admin": "/admin/of/all-tasks",
    "api": "/api/v1/tasks",
    "old": "/old/tasks",
    "own": "/own/tasks",
    "quiet": "/quiet/x/tasks",
    "sub": "/sub/app/tasks",
    "zip": "/zip/tasks",
}
ADA = {"username": "ada", "password": "secret"}
HTTPS = {"X-Forwarded-Proto": "https"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    folder = tmp_path_factory.mktemp("mounts")
    with AppServer.of("mounts:app", HERE, {"FOLDER": str(folder)}, output=folder) as started:
        yield started.wait_until_it_answers()


@pytest.fixture
def shop(server: AppServer) -> AppServer:
    return server


@pytest.fixture(params=["admin", "api", "quiet", "sub"])
def place(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def dashboard(server: AppServer, place: str) -> str:
    return f"{server.url}{PLACES[place]}/dashboard"


@contextmanager
def signed_in(server: AppServer, name: str) -> Iterator[httpx.Client]:
    """A client that has signed in as a browser does, which says where it saw the form."""
    login = f"{server.url}{PLACES[name]}/auth/login"
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        assert client.post(login, data=ADA, headers={"Referer": login}).status_code == 303
        yield client


def test_everything_works_under_any_mount(look, api: httpx.Client, dashboard: str, place: str):
    page = look("?range=1h")
    expect(page).to_have_url(re.compile(f"{PLACES[place]}/auth/login"))
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{dashboard}?range=1h")
    [cookie] = page.context.cookies()
    assert (cookie["path"], cookie["httpOnly"], cookie["secure"]) == (PLACES[place], True, False)

    with page.expect_response(lambda it: "/dashboard/stream" in it.url) as stream:
        page.get_by_role("link", name="Tasks", exact=True).click()
    assert stream.value.headers["content-type"].startswith("text/event-stream")
    assert page.evaluate("getComputedStyle(document.querySelector('.bar')).display") == "flex"
    task_id = api.post(f"/charge/{place}").json()
    row = page.locator(f"#task-{task_id}")
    expect(row.locator(".badge")).to_have_text("failed")  # by the stream: nothing is reloaded

    row.locator("a").first.click()
    beside = page.get_by_role("complementary", name="Task")
    expect(beside.locator("#the-id")).to_have_text(task_id)
    expect(page).to_have_url(f"{dashboard}/tasks/{task_id}")
    other = api.post(f"/charge/{place}").json()
    expect(page.locator(f"#task-{other} .badge")).to_have_text("failed")  # the list goes on
    beside.get_by_role("link", name="Related").click()
    beside.get_by_role("link", name="Its failures").click()
    expect(page).to_have_url(f"{dashboard}/tasks?func_name=charge&status=failed")
    page.go_back()
    page.get_by_role("link", name="Tasks", exact=True).click()
    row.locator("a").first.click()
    expect(beside).to_be_visible()

    page.locator("#tab-failed").click()
    expect(page).to_have_url(f"{dashboard}/tasks?status=failed")
    row.get_by_role("button", name="Retry").click()
    link = page.locator("#toasts a")
    again = link.inner_text()
    link.click()
    expect(page).to_have_url(f"{dashboard}/tasks/{again}")
    expect(page.locator("#related")).to_contain_text(task_id)

    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile(f"{PLACES[place]}/auth/login"))
    page.goto(dashboard)
    expect(page).to_have_url(re.compile(f"{PLACES[place]}/auth/login"))


@pytest.mark.parametrize("place", ["sub"], indirect=True)
def test_who_signs_out_waits_for_nothing_any_more(look, dashboard: str):
    """Of what a page asks, some is under way when its session ends; none of it is refused then."""
    page = look("/tasks")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#live-text")).to_have_text("Live")
    asked: list[Route] = []

    def hold(route: Route) -> None:
        asked.append(route)

    page.route(f"{dashboard}/rows", hold)
    with page.expect_request(f"{dashboard}/rows"):
        page.evaluate("document.dispatchEvent(new Event('taskflow:changed'))")

    def sign_out(route: Route) -> None:
        headers = {**route.request.headers, "Sec-Fetch-Site": "same-origin"}
        assert route.fetch(headers=headers, max_redirects=0).status == 303
        [refresh] = asked
        with suppress(Error):  # nobody waits for it any more
            refresh.continue_()
        page.wait_for_timeout(1_500)  # nor comes a refresh because the stream has ended
        route.continue_()

    page.route("**/auth/logout", sign_out)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Password")).to_be_visible()


def test_who_signs_out_elsewhere_is_told_and_led_to_the_login(chromium, server: AppServer):
    window = chromium.new_context()  # not one that minds what the console says of a 401
    page, other = window.new_page(), window.new_page()
    for each in (page, other):
        each.goto(f"{server.url}{PLACES['sub']}/dashboard/tasks")
        if "login" in each.url:
            each.get_by_label("Name").fill("ada")
            each.get_by_label("Password").fill("secret")
            each.get_by_role("button", name="Sign in").click()
        expect(each.locator("#live-text")).to_have_text("Live")
    other.get_by_role("button", name="Sign out").click()
    expect(other).to_have_url(re.compile("login"))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # it refreshes
    expect(page.locator("#live-text")).to_have_text("Signed out")
    expect(page.locator("#banner")).to_contain_text("no longer kept up to date")
    page.evaluate("new Promise((done) => setTimeout(done, 1_500))")  # a state is told each second
    expect(page.locator("#live-text")).to_have_text("Signed out")
    page.locator("#banner").get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Name")).to_be_visible()
    window.close()


@pytest.mark.parametrize("name", PLACES)
def test_every_link_and_asset_of_every_page_is_there(server: AppServer, name: str):
    with signed_in(server, name) as client:
        client.post(f"/charge/{name}")
        pages, seen = [f"{server.url}{PLACES[name]}/dashboard"], set()
        while pages:
            page = client.get(pages.pop())
            assert page.status_code == 200, page.url
            links = re.findall(r'(?:href|src)="([^"#?:]+)["?]', page.text)
            found = {str(page.url.join(unescape(each))) for each in links} - seen
            assert all(each.startswith(f"{server.url}{PLACES[name]}") for each in found)
            seen |= found
            pages += found
    assert len(seen) > 12


@pytest.mark.parametrize("name", ["zip", "quiet", "sub"])
def test_frames_are_not_held_back(server: AppServer, name: str):
    with signed_in(server, name) as client:
        page = client.get(f"{PLACES[name]}/dashboard")
        assert page.headers.get("content-encoding") == ("gzip" if name == "zip" else None)
        with client.stream("GET", f"{PLACES[name]}/dashboard/stream") as stream:
            lines = stream.iter_lines()
            assert any(line == "event: hello" for line in lines)
            task_id = client.post(f"/charge/{name}").json()
            assert any(task_id[-12:] in line for line in lines)


def test_behind_a_proxy_that_speaks_https_the_cookie_is_secure(server: AppServer):
    with httpx.Client(base_url=server.url, timeout=PATIENCE, headers=HTTPS) as client:
        answer = client.post("/api/v1/tasks/auth/login", data=ADA)
    name, _, attributes = answer.headers["Set-Cookie"].partition("=")
    assert name.startswith("__Secure-taskflow-")
    assert {"Secure", "HttpOnly", "Path=/api/v1/tasks"} <= set(attributes.split("; "))


@pytest.mark.parametrize("name", sorted(PLACES.keys() - {"quiet"}))
def test_links_to_further_pages_of_the_api_lead_there(server: AppServer, name: str):
    with signed_in(server, name) as client:
        ids = [client.post(f"/charge/{name}").json() for _ in range(2)]
        first = client.get(f"{PLACES[name]}?limit=1")
        [after] = re.findall(r'<([^>]+)>; rel="next"', first.headers["Link"])
        second = client.get(after)
    assert [each["task_id"] for each in [*first.json(), *second.json()]] == ids[::-1]
