"""What changes on an open page by itself, and what its visitor does to many tasks at once."""

import csv
import io
import re

import pytest
from playwright.sync_api import expect
from visits import add, all_ended, ended, moment


def test_a_stream_says_what_happens_and_goes_on_where_it_was_cut(shop, api):
    with api.stream("GET", "/tasks/dashboard/stream") as stream:
        lines = stream.iter_lines()
        assert "event: hello" in (next(lines), next(lines), next(lines))
        task_id = add(api, "send", 1)
        named = next(line for line in lines if task_id[-12:] in line)
        last = next(line for line in reversed(named.splitlines()))
        assert len(last) < 4_096
        ids = re.findall(r'"id":"([^"]+)"', api_hello(api))
        missed = add(api, "send", 2)
        assert any(missed[-12:] in line for line in lines)
    with api.stream("GET", "/tasks/dashboard/stream", headers={"Last-Event-ID": ids[0]}) as stream:
        assert any(missed[-12:] in line for line in stream.iter_lines())
    with api.stream("GET", "/tasks/dashboard/stream?last=gone-7") as stream:
        assert any(line == "event: reset" for line in stream.iter_lines())


def api_hello(api) -> str:
    with api.stream("GET", "/tasks/dashboard/stream") as stream:
        return next(line for line in stream.iter_lines() if line.startswith("data:"))


def test_one_task_is_watched_while_it_runs(look, api, tmp_path):
    over = tmp_path / "over"
    task_id = add(api, "advance", over)
    page = look(f"/tasks/{task_id}")
    expect(page.locator(".title .badge")).to_have_text("running")
    progress = page.locator("#advance progress")
    first = float(progress.get_attribute("value"))
    expect(page.locator("#advance")).to_contain_text("on its way")
    while float(progress.get_attribute("value")) <= first + 20:
        page.wait_for_timeout(100)
    over.touch()
    expect(page.locator(".title .badge")).to_have_text("success")


def test_the_attempts_of_a_task_are_drawn_as_they_were(look, api):
    task_id = add(api, "flaky", 7)
    ended(api, task_id, "failed")
    task = api.get(f"/tasks/{task_id}").json()
    page = look(f"/tasks/{task_id}")
    drawing = page.locator(".waterfall li")
    expect(drawing.locator("rect.failed")).to_have_count(3)
    expect(drawing.locator("line.gap")).to_have_count(2)
    expect(drawing.locator("use.warning")).to_have_count(3)
    pixels = drawing.locator("svg").first.evaluate("e => e.getBoundingClientRect().width")
    whole = (moment(task["end_time"]) - moment(task["created_at"])) or 1
    for bar, attempt in zip(drawing.locator("rect.failed").all(), task["attempts"], strict=True):
        assert abs(bar.bounding_box()["width"] - pixels * attempt["duration"] / whole) <= 2
    page.get_by_text("As a table").click()
    expect(page.locator("#attempts tbody tr")).to_have_count(3)
    page.wait_for_timeout(1500)
    expect(page.locator("#attempts tbody tr").first).to_be_visible()  # a refresh leaves it open


def test_a_log_is_followed_and_stays_small(look, api):
    task_id = add(api, "chatter", 900)
    page = look(f"/tasks/{task_id}#log")  # it may have failed by now, and show its error first
    logs = page.locator("#logs")
    expect(logs).to_contain_text("Attempt 4")
    ended(api, task_id, "failed")
    expect(logs.locator("li.info").last).to_contain_text("line 899")
    assert page.locator("*").count() <= 6_000
    at_end = (
        "(l => l.scrollHeight - l.scrollTop - l.clientHeight < 30)(document.getElementById('logs'))"
    )
    assert page.evaluate(at_end)
    whole = page.get_by_role("link", name="The whole log")
    assert page.request.get(whole.evaluate("a => a.href")).text().count("\n") == 3_600
    logs.evaluate("l => l.scrollTo(0, 0)")
    expect(page.get_by_label("Follow")).not_to_be_checked()
    page.get_by_label("Words in a line").fill("line 77")
    expect(logs.locator("li.info:visible").first).to_contain_text("line 77")
    page.get_by_label("Words in a line").fill("")
    page.get_by_label("Follow").check()
    assert page.evaluate(at_end)


def test_chosen_rows_outlive_refreshes_and_new_tasks_wait_behind_a_button(look, api):
    first = add(api, "charge", 1)
    ended(api, first, "failed")
    page = look("/tasks")
    box = page.locator(f"#task-{first} input[type=checkbox]")
    box.check()
    for number in range(3):
        ended(api, add(api, "send", number), "success")
    expect(page.locator("#unseen")).to_have_text("3 new tasks")
    expect(page.locator("#rows tr")).to_have_count(1)
    expect(box).to_be_checked()
    page.locator("#unseen").click()
    expect(page.locator("#rows tr")).to_have_count(4)
    expect(box).not_to_be_checked()


def test_only_tasks_that_the_list_would_show_wait_behind_the_button(look, api):
    first = add(api, "charge", 1)
    ended(api, first, "failed")
    page = look("/tasks?status=failed")
    page.locator(f"#task-{first} input[type=checkbox]").check()
    ended(api, add(api, "send", 1), "success")
    ended(api, add(api, "charge", 2), "failed")
    expect(page.locator("#unseen")).to_have_text("1 new task")
    api.post("/fill", params={"number": 60, "name": "charge"})
    expect(page.locator("#unseen")).to_have_text("50+ new tasks")
    expect(page.locator("#rows tr")).to_have_count(1)


def test_all_that_match_are_run_again_after_their_number_is_told(look, api):
    api.post("/fill", params={"number": 1_200, "name": "charge"}, timeout=60)
    all_ended(api, 1_200, "failed")
    page = look("/tasks?status=failed")
    page.locator("#select-page").check()
    expect(page.locator("#bulk output")).to_have_text("50 selected")
    many = {"count": 10_000, "more": True}
    page.route("**/tasks/count*", lambda route: route.fulfill(json=many), times=1)
    page.get_by_role("button", name="Select all that match").click()
    expect(page.locator("#toasts")).to_contain_text("More than 10\u202f000 tasks match")
    expect(page.locator("#bulk output")).to_have_text("50 selected")
    page.get_by_role("button", name="Select all that match").click()
    expect(page.locator("#bulk output")).to_have_text("All 1\u202f200 tasks that match")
    page.locator("#bulk").get_by_role("button", name="Retry").click()
    expect(page.get_by_role("dialog")).to_contain_text("Run 1\u202f200 tasks again?")
    page.get_by_role("button", name="Run them again").click()
    expect(page.locator("#toasts")).to_contain_text("1\u202f200 tasks run again")
    all_ended(api, 2_400, "failed")
    actions = [entry["action"] for entry in api.get("/tasks/audit").json()]
    assert actions == ["bulk-retry"]


def test_failures_of_one_cause_are_run_again_once(look, api):
    for order in range(3):
        ended(api, add(api, "charge", order), "failed")
    ended(api, add(api, "flaky", 1), "failed")
    page = look("/failures?since=1h")
    row = page.locator("tbody tr", has_text="charge")
    row.get_by_role("button", name="Retry").click()
    expect(page.get_by_role("dialog")).to_contain_text("Run 3 failed tasks again?")
    page.get_by_role("button", name="Run them again").click()
    expect(page.locator("#toasts")).to_contain_text("3 tasks run again")
    expect(row.locator("td").first).to_have_text("6")
    row.get_by_role("button", name="Retry").click()
    page.get_by_role("button", name="Run them again").click()
    expect(page.locator("#toasts")).to_contain_text("3 skipped: already retried")


def test_what_the_filters_let_through_can_be_taken_along(look, api):
    for order in range(3):
        ended(api, add(api, "charge", order), "failed")
    ended(api, add(api, "send", 1), "success")
    page = look("/tasks?status=failed")
    with page.expect_download() as wanted:
        page.get_by_role("link", name="CSV").click()
    rows = list(csv.DictReader(io.StringIO(wanted.value.path().read_text())))
    assert {row["func_name"] for row in rows} == {"charge"}
    assert len(rows) == 3
    with page.expect_download() as wanted:
        page.get_by_role("link", name="JSON").click()
    assert wanted.value.suggested_filename == "tasks.json"


def test_the_theme_is_chosen_and_kept(look):
    page = look("/tasks")
    background = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(background) == "rgb(246, 247, 249)"
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate(background) == "rgb(14, 17, 22)"
    page.reload(wait_until="commit")
    page.wait_for_selector("h1", state="attached")
    assert page.evaluate(background) == "rgb(14, 17, 22)"


def test_letters_do_what_the_mouse_does(look, api):
    ids = [add(api, "charge", number) for number in range(3)]
    for each in ids:
        ended(api, each, "failed")
    page = look("/tasks")
    expect(page.locator("#rows tr")).to_have_count(3)
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#bulk output")).to_have_text("1 selected")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    expect(page.locator("#bulk output")).to_have_text("3 selected")
    page.keyboard.press("Escape")
    expect(page.locator("#bulk")).to_be_hidden()
    page.keyboard.press("r")
    expect(page.locator("#toasts")).to_contain_text("Runs again as")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Keyboard")
    expect(page.get_by_role("dialog").get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type("gf")
    expect(page.get_by_label("Search")).to_have_value("gf")
    page.keyboard.press("Tab")
    page.locator("h1").evaluate("e => document.activeElement.blur()")
    page.keyboard.press("g")
    page.keyboard.press("f")
    expect(page).to_have_url(re.compile("dashboard/failures"))


def test_who_goes_on_as_a_dialog_closes_is_not_called_back(look):
    page = look("/tasks")
    page.get_by_role("button", name="Keyboard").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.evaluate("document.querySelector('dialog').close(); document.getElementById('q').focus()")
    page.locator("dialog").wait_for(state="detached")
    expect(page.get_by_label("Search")).to_be_focused()


def test_a_page_that_nobody_sees_lets_go_of_its_stream(look, api):
    page = look("/tasks")
    page.clock.install()
    page.reload()
    expect(page.locator("#live-text")).to_have_text("Live")
    with page.expect_event("requestfailed", lambda it: "stream" in it.url):
        page.evaluate(
            "Object.defineProperty(document, 'hidden', {value: true, configurable: true});"
            "document.dispatchEvent(new Event('visibilitychange'))"
        )
        page.clock.fast_forward(11_000)
    task_id = add(api, "send", 1)
    ended(api, task_id, "success")
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {value: false, configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    expect(page.locator(f"#task-{task_id} .badge")).to_have_text("success")


@pytest.mark.parametrize("path", ["/tasks", "", "/failures"])
def test_going_back_finds_the_filters_again(look, api, path):
    ended(api, add(api, "charge", 1), "failed")
    page = look(path)
    link = {"/tasks": "#tab-failed", "": "text=24 hours", "/failures": "text=last hour"}[path]
    before = page.url
    page.locator(link).first.click()
    page.wait_for_url(lambda url: url != before)
    after = page.url
    page.reload()
    assert page.url == after
    page.go_back()
    assert page.url == before
    assert page.evaluate("Object.keys(localStorage)") == []
