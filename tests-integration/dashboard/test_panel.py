"""A task beside the list: how it is opened, kept fresh and left."""

import re

import pytest
from playwright.sync_api import Page, Route, expect
from visits import PHONE, add, ended

from fastapi_taskflow_testkit.faults import AppServer

NARROW = {"width": 1199, "height": 860}
LISTEN = """window.addEventListener("click", (event) => {
    window.left = !event.defaultPrevented;
    event.preventDefault();
})"""
CUT = """() => {
    const fetched = window.fetch;
    window.fetch = async (...asked) => {
        const answer = await fetched(...asked);
        const text = () => Promise.reject(new Error("cut off"));
        if (window.cut && asked[0] === location.pathname) answer.text = text;
        return answer;
    };
}"""
LOW = {"width": 1280, "height": 420}


def side(page: Page):
    return page.get_by_role("complementary", name="Task")


def current(page: Page) -> str:
    """The id of the task whose row is marked."""
    row = page.locator("#rows [aria-current=true]")
    expect(row).to_have_count(1)
    return row.get_attribute("id").removeprefix("task-")


@pytest.fixture
def shop(empty_shop: AppServer) -> AppServer:
    return empty_shop


@pytest.fixture
def tasks(api) -> list[str]:
    """Three that failed, the newest first."""
    ids = [add(api, name, 1) for name in ("charge", "flaky", "charge")]
    for each in ids:
        ended(api, each, "failed")
    return ids[::-1]


def open_one(page: Page, task_id: str) -> None:
    page.locator(f"#task-{task_id} a").first.click()
    expect(side(page).locator("#the-id")).to_have_text(task_id)


def test_a_click_opens_a_task_beside_the_list_and_back_closes_it(look, dashboard, tasks):
    page = look("/tasks?status=failed")
    page.evaluate("window.same = true")
    open_one(page, tasks[1])
    expect(page).to_have_url(f"{dashboard}/tasks/{tasks[1]}")
    expect(page).to_have_title(re.compile("^flaky"))
    expect(side(page).get_by_role("heading", name="flaky")).to_be_focused()
    expect(side(page).locator(".waterfall rect")).to_have_count(3)
    expect(page.locator("#rows td:visible")).to_have_count(3 * 5)
    assert current(page) == tasks[1]
    open_one(page, tasks[2])
    assert current(page) == tasks[2]
    page.go_back()
    expect(page).to_have_url(f"{dashboard}/tasks?status=failed")
    expect(side(page)).to_have_count(0)
    expect(page.locator(f"#task-{tasks[2]} a").first).to_be_focused()
    expect(page.locator("#tab-failed")).to_have_attribute("aria-current", "page")
    expect(page).to_have_title(re.compile("^Tasks"))
    page.go_forward()
    expect(side(page).locator("#the-id")).to_have_text(tasks[2])
    assert page.evaluate("window.same")


def test_who_goes_on_and_back_before_the_task_is_there_stays_at_the_list(look, dashboard, tasks):
    page = look("/tasks")
    open_one(page, tasks[0])
    page.go_back()
    expect(side(page)).to_have_count(0)
    held = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(f"**/{tasks[0]}", hold)
    with page.expect_request(f"**/{tasks[0]}"):
        page.evaluate("history.forward()")
    page.evaluate("history.back()")
    expect(page).to_have_url(f"{dashboard}/tasks")
    with page.expect_response(f"**/{tasks[0]}"):
        held[0].continue_()
    page.evaluate("new Promise((done) => setTimeout(done, 200))")
    expect(side(page)).to_have_count(0)
    expect(page).to_have_title(re.compile("^Tasks"))


def test_the_address_of_an_open_task_is_its_page_and_back_is_the_list(look, dashboard, tasks):
    page = look("/tasks?status=failed")
    open_one(page, tasks[0])
    page.reload()
    expect(side(page)).to_have_count(0)
    expect(page.locator("main h1")).to_have_text("charge")
    page.go_back()
    expect(page).to_have_url(f"{dashboard}/tasks?status=failed")
    expect(page.locator("#rows tr")).to_have_count(3)
    page.go_forward()
    expect(side(page).locator("#the-id")).to_have_text(tasks[0])
    side(page).get_by_role("link", name="Open as a page").click()
    expect(page.locator("main h1")).to_have_text("charge")


def test_links_and_choices_of_the_list_mean_what_they_did(look, api, dashboard, tasks):
    """They are relative to the list, though the address is the task's."""
    other = add(api, "charge", 2)
    ended(api, other, "failed")
    page = look("/tasks?func_name=flaky")
    open_one(page, tasks[1])
    ended(api, add(api, "flaky", 2), "failed")
    expect(page.locator("#rows tr")).to_have_count(2)
    page.locator("#select-page").check()
    page.get_by_role("button", name="Select all that match").click()
    expect(page.locator("#bulk output")).to_have_text("All 2 tasks that match")
    page.get_by_role("button", name="Clear", exact=True).click()
    page.locator("#tab-failed").click()
    expect(page).to_have_url(re.compile(rf"{dashboard}/tasks\?func_name=flaky&status=failed"))
    open_one(page, tasks[1])
    page.get_by_label("Search").fill("order")
    page.get_by_label("Search").press("Enter")
    expect(page).to_have_url(re.compile(r"dashboard/tasks\?status=failed&q=order"))
    open_one(page, tasks[1])
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Queues").click()
    expect(page).to_have_url(f"{dashboard}/queues")


@pytest.mark.parametrize("click", [{"modifiers": ["Control"]}, {"button": "middle"}])
def test_a_click_with_control_or_the_middle_button_opens_a_tab(look, dashboard, tasks, click):
    page = look("/tasks")
    with page.context.expect_page() as tab:
        page.locator(f"#task-{tasks[0]} a").first.click(**click)
    expect(tab.value).to_have_url(f"{dashboard}/tasks/{tasks[0]}")
    expect(tab.value.locator("main h1")).to_have_text("charge")
    expect(page).to_have_url(f"{dashboard}/tasks")
    expect(side(page)).to_have_count(0)


@pytest.mark.parametrize("click", [{"modifiers": [key]} for key in ("Shift", "Alt", "Meta")])
def test_other_clicks_are_left_to_the_browser(look, tasks, click):
    page = look("/tasks")
    page.evaluate(LISTEN)
    page.locator(f"#task-{tasks[0]} a").first.click(**click)
    assert page.evaluate("window.left") is True
    expect(side(page)).to_have_count(0)


def test_a_click_opens_a_page_where_there_is_no_room_for_both(look, tasks):
    page = look("/tasks", size=NARROW)
    page.locator(f"#task-{tasks[0]} a").first.click()
    expect(page.locator("main h1")).to_have_text("charge")
    expect(side(page)).to_have_count(0)


@pytest.mark.parametrize("leave", ["Escape", "button"])
def test_who_leaves_is_at_the_row_again(look, dashboard, tasks, leave):
    page = look("/tasks")
    open_one(page, tasks[1])
    if leave == "Escape":
        side(page).get_by_role("button", name="Retry").focus()
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(side(page)).to_be_visible()  # it closes one thing at a time
        page.keyboard.press("Escape")
    else:
        side(page).get_by_role("button", name="Close").click()
    expect(side(page)).to_have_count(0)
    expect(page).to_have_url(f"{dashboard}/tasks")
    expect(page.locator(f"#task-{tasks[1]} a").first).to_be_focused()


def test_escape_closes_the_task_as_soon_as_the_dialog_before_it_is_closed(look, tasks):
    page = look("/tasks")
    open_one(page, tasks[1])
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    # A dialog that is closed is in the document until it hears of that, one turn later.
    page.evaluate(
        """() => {
            document.querySelector("dialog").close();
            const pressed = new KeyboardEvent("keydown", {key: "Escape", bubbles: true});
            document.activeElement.dispatchEvent(pressed);
        }"""
    )
    expect(side(page)).to_have_count(0)


def test_letters_go_through_the_list_and_enter_opens(look, tasks):
    page = look("/tasks")
    for key in ("j", "j", "Enter"):
        page.keyboard.press(key)
    expect(side(page).locator("#the-id")).to_have_text(tasks[1])
    expect(side(page).get_by_role("heading", name="flaky")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(side(page).locator("#the-id")).to_have_text(tasks[2])
    assert current(page) == tasks[2]
    expect(side(page).locator("h1")).to_be_focused()
    page.keyboard.press("l")
    expect(side(page).locator(".part:visible")).to_have_attribute("id", "log")
    expect(page).to_have_url(re.compile("#log$"))
    page.keyboard.press("Escape")
    expect(side(page)).to_have_count(0)


def test_a_task_beside_the_list_is_live_by_the_stream_of_the_list(look, api, tmp_path):
    over = tmp_path / "over"
    task_id = add(api, "advance", over)
    page = look("/tasks")
    expect(page.locator("#live-text")).to_have_text("Live")
    streams = []
    page.on("request", lambda it: streams.append(it.url) if "stream" in it.url else None)
    open_one(page, task_id)
    expect(side(page).locator(".title .badge")).to_have_text("running")
    expect(side(page).locator("#advance")).to_contain_text("on its way")
    over.touch()
    expect(side(page).locator(".title .badge")).to_have_text("success")
    expect(side(page).locator("#no-logs")).to_contain_text("It logged nothing")
    assert current(page) == task_id
    assert streams == []


def test_its_log_goes_on_until_another_task_is_shown(look, api):
    first, second = add(api, "chatter", 900), add(api, "wait", 60)
    page = look("/tasks")
    open_one(page, first)
    page.keyboard.press("l")
    expect(side(page).locator("#logs")).to_contain_text("Attempt 4")
    ended(api, first, "failed")
    expect(side(page).locator("#logs li.info").last).to_contain_text("line 899")
    asked = []
    open_one(page, second)
    page.on("request", lambda it: asked.append(it.url) if f"{first}/logs" in it.url else None)
    progress = side(page).locator("#advance progress")
    before = progress.get_attribute("value")
    expect(progress).not_to_have_attribute("value", before)
    assert asked == []


def test_a_task_that_is_gone_says_so_beside_the_list(chromium, dashboard, tasks):
    window = chromium.new_context()  # not one that minds what the console says of a 404
    page = window.new_page()
    page.goto(f"{dashboard}/tasks")
    page.route(f"**/{tasks[0]}", lambda route: route.continue_(url=f"{route.request.url}x"))
    page.locator(f"#task-{tasks[0]} a").first.click()
    expect(side(page).get_by_role("heading", name="No such task")).to_be_focused()
    expect(side(page)).to_contain_text("until somebody clears the history")
    expect(page).to_have_url(f"{dashboard}/tasks/{tasks[0]}")
    page.keyboard.press("Escape")
    expect(side(page)).to_have_count(0)
    window.close()


def test_a_task_that_goes_while_it_is_shown_says_so(chromium, api, dashboard, tasks):
    window = chromium.new_context()
    page = window.new_page()
    page.goto(f"{dashboard}/tasks")
    open_one(page, tasks[0])
    page.route(f"**/{tasks[0]}", lambda route: route.continue_(url=f"{route.request.url}x"))
    add(api, "send", 1)
    expect(side(page).get_by_role("heading", name="No such task")).to_be_visible()
    window.close()


def test_a_server_that_is_gone_is_no_dead_click(look, api, shop: AppServer, tasks):
    page = look("/tasks")
    open_one(page, tasks[0])
    page.route(f"**/tasks/{tasks[1]}", lambda route: route.abort())
    page.locator(f"#task-{tasks[1]} a").first.click()
    expect(side(page).locator("h1")).to_have_text("This task cannot be shown")
    expect(side(page)).to_contain_text("does not answer")
    page.unroute_all()
    side(page).get_by_role("button", name="Try again").click()
    expect(side(page).locator("#the-id")).to_have_text(tasks[1])


@pytest.mark.parametrize("refuse", [lambda route: route.abort(), lambda _: None])
def test_a_panel_that_cannot_be_fetched_is_a_page(look, tasks, refuse):
    page = look("/tasks")
    page.clock.install()
    page.route("**/panel.js", refuse)
    with page.expect_request("**/panel.js"):
        page.locator(f"#task-{tasks[0]} a").first.click()
    page.clock.fast_forward(6_000)
    expect(page.locator("main h1")).to_have_text("charge")
    page.unroute_all(behavior="ignoreErrors")


def test_a_server_that_lets_one_wait_is_told(look, tasks):
    page = look("/tasks")
    held = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/retry", hold)
    page.clock.install()
    with page.expect_request("**/retry"):
        page.locator(f"#task-{tasks[0]}").get_by_role("button", name="Retry").click()
    page.clock.fast_forward(6_000)
    expect(page.locator("#toasts")).to_contain_text("has not answered yet")
    held[0].continue_()
    expect(page.locator("#toasts")).to_contain_text("Runs again as")


def test_the_row_that_was_clicked_stays_where_it_is(look, api):
    api.post("/fill", params={"number": 60, "name": "charge"})
    page = look("/tasks", size=LOW)
    expect(page.locator("#rows tr")).to_have_count(50)
    row = page.locator("#rows tr").nth(30)
    row.scroll_into_view_if_needed()
    before = row.bounding_box()["y"]
    row.locator("a").first.click()
    expect(side(page)).to_be_visible()
    assert abs(row.bounding_box()["y"] - before) <= 1
    page.go_back()
    expect(side(page)).to_have_count(0)
    expect(row.locator("a").first).to_be_focused()
    assert abs(row.bounding_box()["y"] - before) <= 1
    page.go_forward()
    expect(side(page)).to_be_visible()
    page.reload()
    page.go_back()
    expect(row.locator("a").first).to_be_focused()
    expect(row).to_be_in_viewport()


def test_a_window_that_gets_narrower_shows_the_task_and_one_that_gets_wider_both(look, api):
    api.post("/fill", params={"number": 60, "name": "charge"})
    page = look("/tasks", size=LOW)
    row = page.locator("#rows tr").nth(30)
    row.locator("a").first.click()
    expect(side(page).locator("h1")).to_be_focused()
    page.set_viewport_size(NARROW)
    expect(side(page).locator("h1")).to_be_in_viewport()
    expect(page.locator("main")).to_be_hidden()
    page.set_viewport_size(LOW)
    expect(row).to_be_in_viewport()
    page.set_viewport_size(PHONE)
    expect(side(page).locator("h1")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    side(page).get_by_role("button", name="Close").click()
    expect(row.locator("a").first).to_be_focused()
    expect(row).to_be_in_viewport()


def test_an_answer_that_is_cut_off_in_the_middle_is_told_and_asked_for_again(look, api):
    task_id = add(api, "wait", 60)
    page = look("/tasks")
    open_one(page, task_id)
    page.evaluate(CUT)
    page.evaluate("window.cut = true")
    expect(page.locator("#side-banner")).to_contain_text("Could not refresh: no answer")
    page.evaluate("window.cut = false")
    expect(page.locator("#side-banner")).to_have_count(0)
