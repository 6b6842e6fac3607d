"""What else has to hold in a real browser: first paint, tabs, phones, restarts, odd clicks."""

import io
import re
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, Route, expect
from visits import PHONE, add, all_ended, ended

from fastapi_taskflow_testkit.faults import AppServer

HERE = Path(__file__).parent
LISTEN = """window.said = []; new MutationObserver(() => {
    const words = document.getElementById("live-text")?.textContent;
    if (words && words !== window.said.at(-1)) window.said.push(words);
}).observe(document, { subtree: true, childList: true, characterData: true })"""
DARK = (14, 17, 22)


def colour(page: Page) -> tuple[int, ...]:
    """Of the page's ground, as it is seen."""
    seen = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    return tuple(seen.getpixel((5, seen.height - 5)))


def test_dark_is_dark_before_any_script_has_run(chromium, shop: AppServer):
    window = chromium.new_context(color_scheme="dark", java_script_enabled=False)
    page = window.new_page()
    page.goto(f"{shop.url}/tasks/dashboard")
    assert colour(page) == DARK
    window.close()


def test_a_chosen_theme_is_there_before_the_page_is_drawn(look):
    page = look("/tasks")
    page.get_by_role("button", name="Light or dark").click()
    page.route("**/main.js", lambda route: None)  # it never comes
    page.goto(page.url, wait_until="commit")
    expect(page.get_by_role("heading", name="No tasks yet")).to_be_visible()
    assert colour(page) == DARK
    page.unroute_all(behavior="ignoreErrors")


def test_on_a_phone_a_task_is_on_the_first_screen_and_everything_can_be_hit(look, api):
    add(api, "wait", 60)
    ended(api, add(api, "charge", 1), "failed")
    page = look("/tasks", size=PHONE)
    row = page.locator("#rows tr").first.bounding_box()
    assert row["y"] + row["height"] <= PHONE["height"]
    small = page.evaluate(
        "[...document.querySelectorAll('button, select, input, .button, nav a, summary')]"
        ".filter((e) => e.getClientRects().length)"
        ".map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])"
        ".filter(([, box]) => box.width < 24 || box.height < 24)"
    )
    assert small == []


def hide(page: Page, hidden: bool) -> None:
    page.evaluate(
        f"Object.defineProperty(document, 'hidden', {{value: {str(hidden).lower()},"
        " configurable: true}); document.dispatchEvent(new Event('visibilitychange'))"
    )


def test_the_eighth_tab_of_a_browser_is_live_like_the_first(look, api):
    """A browser has six connections to a server: tabs that nobody sees let go of theirs."""
    first = look("/tasks")
    tabs = [first] + [first.context.new_page() for _ in range(6)]
    for tab in tabs:
        tab.clock.install()
        tab.goto(first.url)
        expect(tab.locator("#live-text")).to_have_text("Live")
        with tab.expect_event("requestfailed", lambda it: "stream" in it.url):
            hide(tab, hidden=True)
            tab.clock.fast_forward(11_000)
    last = first.context.new_page()
    last.goto(first.url)
    expect(last.locator("#live-text")).to_have_text("Live")
    task_id = add(api, "send", 1)
    expect(last.locator(f"#task-{task_id}")).to_be_visible()


def test_after_a_crash_and_a_restart_the_page_goes_on_by_itself(look, api, shop, tmp_path):
    ended(api, add(api, "send", 1), "success")
    page = look("/tasks")
    page.clock.install()
    page.reload()
    expect(page.locator("#live-text")).to_have_text("Live")
    page.evaluate("window.same = true")
    shop.kill()
    expect(page.locator("#live-text")).to_contain_text("Reconnecting in")
    # Seconds are counted down for the eyes alone.
    expect(page.locator("#live-text [role=status]")).to_have_text("Reconnecting")
    page.clock.fast_forward(6_000)
    expect(page.locator("#live-text")).to_contain_text("Disconnected since")
    expect(page.locator("#banner")).to_contain_text("Showing data from")
    environment = {"DB": str(tmp_path / "shop.db")}
    with AppServer.of("shop:app", HERE, environment, output=tmp_path, port=shop.port) as server:
        server.wait_until_it_answers()
        page.clock.fast_forward(40_000)
        expect(page.locator("#live-text")).to_have_text("Live")
        expect(page.locator("#banner")).to_have_count(0)
        expect(page.locator("#toasts")).to_have_text("The server has restarted.")
        task_id = add(api, "send", 2)
        page.clock.resume()
        expect(page.locator(f"#task-{task_id} .badge")).to_have_text("success")
        assert page.evaluate("window.same")


def test_who_opens_a_task_while_the_server_is_away_keeps_the_list(look, api, shop):
    ended(api, add(api, "send", 1), "success")
    page = look("/tasks")
    page.clock.install()
    page.reload()
    expect(page.locator("#live-text")).to_have_text("Live")
    shop.kill()
    page.clock.fast_forward(6_000)
    expect(page.locator("#banner")).to_contain_text("Showing data from")
    page.locator("#rows a").first.click()
    expect(page.locator("#toasts")).to_have_text("The server does not answer.")
    expect(page.locator("#rows tr")).to_have_count(1)


def test_the_name_of_the_dashboard_stands_beside_a_lost_server_on_a_phone(look, shop):
    page = look("/tasks", size=PHONE)
    page.clock.install()
    page.reload()
    expect(page.locator("#live-text")).to_have_text("Live")
    shop.kill()
    page.clock.fast_forward(6_000)
    expect(page.locator("#live-text")).to_contain_text("Disconnected since")
    brand, dot = page.locator(".brand .mark").bounding_box(), page.locator(".dot").bounding_box()
    assert brand["x"] + brand["width"] + 8 <= dot["x"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_two_clicks_are_one_retry(look, api):
    task_id = add(api, "charge", 1)
    ended(api, task_id, "failed")
    page, asked = look("/tasks"), []
    page.on("request", lambda it: asked.append(it.url) if "/retry" in it.url else None)
    page.locator(f"#task-{task_id}").get_by_role("button", name="Retry").dblclick()
    expect(page.locator("#toasts")).to_contain_text("Runs again as")
    all_ended(api, 2, "failed")
    assert len(asked) == 1
    assert api.get("/tasks/count").json()["count"] == 2


def patient(route: Route) -> None:
    """Let a page think that it need not ask again, unless something happens."""
    route.fulfill(body=re.sub('data-poll="[^"]+"', 'data-poll="600"', route.fetch().text()))


def test_a_thread_is_asked_to_end_and_does_when_it_returns(look, api, tmp_path):
    over = tmp_path / "over"
    task_id = add(api, "stubborn", over)
    page = look(f"/tasks/{task_id}")
    expect(page.locator(".title .badge")).to_have_text("running")
    page.route(page.url, patient)
    page.reload()
    ran = page.locator(".waterfall .words")
    for _ in range(2):  # once it may be for its start; after that nothing happens, and it grows
        expect(ran).not_to_have_text(ran.inner_text())
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel the task").click()
    expect(page.locator(".title")).to_contain_text("cancel requested")
    over.touch()
    expect(page.locator(".title .badge")).to_have_text("cancelled")
    expect(page.locator(".title")).not_to_contain_text("cancel requested")


def test_the_address_is_all_there_is_of_a_state(look, api):
    path = "?status=failed&func_name=charge"
    for order in range(2):
        ended(api, add(api, "charge", order), "failed")
    first = look(path)
    first.keyboard.press("t")
    second = look(path)
    assert first.evaluate("Object.keys(localStorage)") == ["taskflow-theme"]
    assert words(first) == words(second)


def words(page: Page) -> str:
    """What a page says, but for the ages of things."""
    expect(page.locator("#live-text")).to_have_text("Live")
    return re.sub(r"\d+ ?(s|min) ago|just now|now", "", page.locator("main").inner_text())


def test_a_stream_that_is_to_be_renewed_is_asked_for_again_and_nobody_sees_it(look, api):
    page = look("/tasks")
    expect(page.locator("#live-text")).to_have_text("Live")
    told = 'event: hello\ndata: {"id":""}\n\nevent: bye\ndata: {"reason":"renew"}\n\n'
    page.route(
        "**/dashboard/stream*",
        lambda route: route.fulfill(content_type="text/event-stream", body=told),
        times=1,
    )
    page.add_init_script(LISTEN)
    page.reload()
    expect(page.locator("#live-text")).to_have_text("Live")
    task_id = add(api, "send", 1)
    expect(page.locator(f"#task-{task_id}")).to_be_visible()
    assert page.evaluate("window.said") == ["Connecting", "Live"]


def test_another_process_that_answers_is_no_restart(look, api):
    """Of several, any may answer: it has restarted if it began after what was heard last."""
    page = look("/tasks")
    hello = '{"id":"%s-7","t":"2999-01-01T10:00:%s+00:00","since":"2999-01-01T09:00:00+00:00"}'
    answers = [hello % ("a", "00"), hello % ("b", "05")]  # then the shop, which began long before

    def answer(route: Route) -> None:
        hello = f"event: hello\ndata: {answers.pop(0)}\n\n"
        told = hello + 'event: bye\ndata: {"reason":"renew"}\n\n'
        route.fulfill(content_type="text/event-stream", body=told)

    page.route("**/dashboard/stream*", answer, times=2)
    page.reload()
    expect(page.locator("#live-text")).to_have_text("Live")
    task_id = add(api, "send", 1)
    expect(page.locator(f"#task-{task_id}")).to_be_visible()
    assert answers == []
    expect(page.locator("#toasts")).to_be_empty()
