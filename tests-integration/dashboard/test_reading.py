"""What a page tells those who point at it, and how it is looked through. One shop for all."""

import re

import pytest
from playwright.sync_api import expect
from visits import PHONE, add, all_ended, ended

from fastapi_taskflow_testkit.faults import AppServer


@pytest.fixture
def shop(shared_shop: AppServer) -> AppServer:
    """A shop in which a few things happened."""
    return shared_shop


@pytest.fixture(autouse=True)
def life(api) -> None:
    """Six tasks, two of which fail, from the first test on."""
    if not api.get("/tasks/count").json()["count"]:
        api.post("/fill", params={"number": 6})
        all_ended(api, 2, "success")
        all_ended(api, 4, "failed")


def last_step(page) -> tuple[float, float]:
    """Where the latest step of the first chart that has anything is."""
    at = page.evaluate(
        "[...document.getElementById('panel-rows').rows]"
        ".findLastIndex(row => row.cells[1].textContent !== '0')"
    )
    number = page.locator("#panel-rows tr").count()
    box = page.locator("#chart-throughput .plot").bounding_box()
    return box["x"] + (at + 0.5) * box["width"] / number, box["y"] + box["height"] / 2


def test_a_step_that_is_pointed_at_tells_its_figures_in_every_chart(look):
    page = look("?range=1h")
    legend = page.locator("#chart-throughput .legend")
    expect(legend).to_have_text("succeeded 2failed 4")
    whole = page.locator("#chart-throughput h2").inner_text()
    page.mouse.move(*last_step(page))
    expect(page.locator("#chart-throughput h2")).to_contain_text("UTC")
    for chart in ("run-time", "failure-rate"):
        expect(page.locator(f"#chart-{chart} .cursor")).to_be_visible()
        expect(page.locator(f"#chart-{chart} h2")).to_contain_text("UTC")
    page.mouse.move(5, 5)
    expect(page.locator("#chart-throughput h2")).to_have_text(whole)
    expect(legend).to_have_text("succeeded 2failed 4")


def test_a_click_on_a_step_lists_its_tasks(look):
    page = look("?range=24h")
    page.mouse.click(*last_step(page))
    expect(page).to_have_url(re.compile(r"dashboard/tasks\?since=.*&until="))
    expect(page.locator("#rows tr")).to_have_count(6)
    expect(page.locator("#chips .chip")).to_have_count(2)


def test_a_drag_zooms_into_a_time_and_a_chip_leads_back(look):
    page = look("?range=1h")
    plot = page.locator("#chart-run-time .plot")
    box = plot.bounding_box()
    middle = box["y"] + 50
    while "whole range" in plot.get_attribute("aria-valuetext"):  # until the chart is listening
        page.mouse.move(box["x"] + 0.25 * box["width"] - 1, middle)
        page.mouse.move(box["x"] + 0.25 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.55 * box["width"], middle)
    expect(page.locator("#chart-run-time .zoom")).to_be_visible()
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"range=1h&since=.*&until="))
    assert 15 <= page.locator("#panel-rows tr").count() <= 22
    expect(page.locator("#ranges [aria-current]")).to_have_count(0)
    page.locator("#head .chip").click()
    expect(page.locator("#ranges [aria-current]")).to_have_text("1 hour")


def test_a_chart_is_read_by_keyboard(look):
    page = look("?range=24h")
    plot = page.get_by_role("slider", name="Throughput over time")
    whole = re.compile(r"succeeded \d+ failed \d+ in the whole range")  # other tests add tasks
    expect(plot).to_have_attribute("aria-valuetext", whole)
    plot.focus()
    page.keyboard.press("End")
    expect(plot).to_have_attribute("aria-valuenow", "24")
    page.keyboard.press("ArrowLeft")
    expect(plot).to_have_attribute("aria-valuenow", "23")
    expect(plot).to_have_attribute("aria-valuetext", re.compile(r"\d+:00: succeeded \d, failed \d"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("since="))


def test_a_key_of_the_legend_hides_its_kind_and_refreshes_leave_it_hidden(look, api):
    page = look("?range=15m")
    key = page.locator("#chart-throughput .key.failed")
    key.click()
    expect(key).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#chart-throughput .plot .failed")).to_be_hidden()
    before = page.locator("#tile-2 .note").inner_text()
    ended(api, add(api, "charge", 1), "failed")
    expect(page.locator("#tile-2 .note")).not_to_have_text(before)
    expect(page.locator("#chart-throughput .plot .failed")).to_be_hidden()
    key.click()
    expect(page.locator("#chart-throughput .plot .failed")).to_be_visible()


def test_an_error_shows_the_application_first_and_what_it_was_caused_by(look, api):
    task_id = add(api, "parse", "{")
    ended(api, task_id, "failed")
    page = look(f"/tasks/{task_id}")
    error = page.locator("#error")
    expect(error.locator("h2")).to_have_text("RuntimeError: the answer cannot be read")
    expect(error).to_contain_text("Caused by")
    expect(error.locator(".reason")).to_contain_text("JSONDecodeError")
    expect(error.locator(".call:visible")).to_have_count(2)
    folded = error.get_by_text(re.compile(r"\d frames of libraries"))
    folded.click()
    expect(error.locator(".call:visible").nth(3)).to_contain_text("json")


def test_a_very_long_line_of_a_log_is_folded_whoever_writes_it(look, api):
    api.post("/tasks/queues/mail/pause")
    task_id = add(api, "send", "a" * 8_000)
    page = look(f"/tasks/{task_id}")
    expect(page.locator("#live-text")).to_have_text("Live")
    api.post("/tasks/queues/mail/resume")
    line = page.locator("#logs .message")
    for _ in range(2):  # first by a script, then by the server
        expect(line.locator("summary")).to_have_text("3\u202f912 more characters")
        assert len(line.text_content().replace("3\u202f912 more characters", "")) == 8_008
        assert page.locator("#logs").evaluate("e => e.scrollHeight") < 900
        page.reload()
    line.locator("summary").click()
    assert page.locator("#logs").evaluate("e => e.scrollHeight") > 1_000


def test_parts_of_a_task_are_shown_one_at_a_time(look, api):
    task_id = add(api, "parse", "[")
    ended(api, task_id, "failed")
    page = look(f"/tasks/{task_id}")
    expect(page.locator(".part:visible")).to_have_attribute("id", "error")
    page.keyboard.press("l")
    expect(page.locator(".part:visible")).to_have_attribute("id", "log")
    page.get_by_role("navigation", name="Parts").get_by_role("link", name="Arguments").click()
    expect(page.locator(".part:visible")).to_contain_text("text")
    page.reload()
    expect(page.locator(".part:visible")).to_have_attribute("id", "arguments")
    page.keyboard.press("e")
    expect(page.locator("#part-tabs [aria-current]")).to_have_text("Error")


def test_an_id_is_copied(look, api):
    task_id = add(api, "send", 1)
    page = look(f"/tasks/{task_id}")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy id").click()
    expect(page.locator("#toasts")).to_contain_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == task_id


def test_columns_of_ones_own_choice_are_kept(look):
    page = look("/tasks")
    page.get_by_role("button", name="Columns").click()
    page.get_by_label("Instance").check()
    page.get_by_label("Id", exact=True).check()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Columns")).to_be_focused()
    expect(page.locator("#rows-list th", has_text="Instance")).to_be_visible()
    page.reload()
    row = page.locator("#rows tr").first
    expect(row).to_contain_text(row.get_attribute("id").removeprefix("task-"))
    assert page.evaluate("Object.keys(localStorage)") == ["taskflow-columns"]


def test_a_row_has_a_menu_that_outlives_refreshes(look, api):
    page = look("/tasks?func_name=charge")
    row = page.locator("#rows tr").first
    more = page.locator(f"#{row.get_attribute('id')}").get_by_role("button", name="More")
    more.click()
    expect(page.locator(".menu a").first).to_be_focused()
    new = add(api, "charge", 2)
    expect(page.locator(f"#task-{new}")).to_be_visible()
    expect(page.locator(".menu")).to_be_visible()
    expect(more).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(page.locator(".menu")).to_have_count(0)
    page.locator("#rows tr").first.get_by_role("button", name="More").click()
    page.locator(".menu").get_by_text("About this function").click()
    expect(page.locator("h1")).to_have_text("charge")
    expect(page.locator("#latest li").first).to_contain_text("failed")
    expect(page.locator("nav.pages [aria-current]")).to_have_text("Functions")


def test_a_box_says_which_task_it_selects(look, api):
    task_id = add(api, "charge", 5)
    page = look("/tasks?func_name=charge")
    page.get_by_role("checkbox", name=f"Select charge {task_id[-6:]}").check()
    expect(page.locator("#bulk output")).to_have_text("1 selected")


def test_whoever_is_at_a_row_by_keyboard_reads_the_moment_itself(look, api):
    ended(api, add(api, "send", 1), "success")
    page = look("/tasks")
    first, second = (page.locator("#rows tr").nth(n).locator("time") for n in (0, 1))
    expect(first).to_have_text(re.compile("ago|now"))
    width = page.locator("#rows-list th").nth(4).bounding_box()["width"]
    moment = first.get_attribute("datetime")[11:19]
    page.keyboard.press("j")
    expect(first).to_have_text(f"{moment} UTC")
    expect(first).to_have_attribute("title", re.compile(f"^2.* {moment} UTC$"))
    assert page.locator("#rows-list th").nth(4).bounding_box()["width"] == width
    page.keyboard.press("j")
    expect(first).to_have_text(re.compile("ago"))
    expect(second).to_have_text(re.compile("UTC"))
    page.locator("h1").click()
    expect(second).to_have_text(re.compile("ago"))
    page.locator("#rows input").first.click()  # with a mouse one points at what one wants to know
    expect(first).to_have_text(re.compile("ago"))


def test_filters_become_chips_that_take_themselves_away(look):
    page = look("/tasks?status=failed")
    page.get_by_text("Filter", exact=True).click()
    page.get_by_role("button", name="Show").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Function")).to_be_hidden()  # it would cover what has the focus
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("Function").fill("charge")
    page.get_by_label("Created").select_option("1h")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("status=failed.*func_name=charge.*since=1h"))
    expect(page.locator("#chips .chip")).to_have_count(2)
    page.locator("#chips .chip", has_text="charge").click()
    expect(page.locator("#chips .chip")).to_have_count(1)
    expect(page.locator("#tab-failed")).to_have_attribute("aria-current", "page")


def test_a_long_task_says_how_long_it_will_take(look, api):
    page = look(f"/tasks/{add(api, 'wait', 20)}")
    words = re.compile(r"of 100 waiting, about \d+ s left")
    expect(page.locator("#advance")).to_contain_text(words)
    expect(page.locator(".waterfall rect.running + use.step")).to_be_visible()
    expect(page.locator(".waterfall .step").nth(4)).to_be_visible()
    page.locator("#attempts-table summary").click()
    expect(page.locator("#attempts-table td").nth(5)).to_have_text(re.compile(r"\d+ of 100"))


def test_icons_are_there_and_take_the_colour_of_their_words(look):
    page = look("/tasks?status=failed")
    icon = "getComputedStyle(document.querySelector('#rows .badge'), '::before')"
    assert page.evaluate(f"{icon}.backgroundColor") == "rgb(168, 27, 27)"
    drawn = "new Promise(done => Object.assign(new Image(), {onload() { done(this.width); }, src}))"
    source = f'{icon}.maskImage.match(/"(.*)"/)[1]'
    assert page.evaluate(f"(src => {drawn})({source})") > 100


def test_the_first_row_is_on_the_first_screen_of_a_phone(look):
    page = look("/tasks", size=PHONE)
    box = page.locator("#rows tr").nth(1).bounding_box()
    assert box["y"] + box["height"] < PHONE["height"]


def test_history_is_cleared_after_its_word_was_typed(look, api):
    page = look("/tasks")
    page.get_by_role("button", name="Clear history").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("At most 0 tasks, gone for good")
    dialog.get_by_label("Tasks that finished").select_option("90")
    dialog.get_by_role("button", name="Clear history").click()
    expect(dialog).to_be_visible()  # without the word nothing happens
    dialog.get_by_label("Type clear to confirm").fill("clear")
    dialog.get_by_role("button", name="Clear history").click()
    toast = page.locator(".toast")
    expect(toast).to_contain_text("0 tasks removed")
    toast.get_by_role("button", name="Close").click()
    expect(toast).to_have_count(0)
    assert api.get("/tasks/audit").json()[0]["action"] == "delete-history"


def test_who_leaves_a_menu_by_tab_goes_on_from_its_row(look):
    page = look("/tasks?func_name=charge")
    first, second = (page.locator("#rows tr").nth(n) for n in (0, 1))
    first.get_by_role("button", name="More").press("Enter")
    expect(page.locator(".menu a").first).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator(".menu")).to_have_count(0)
    expect(second.get_by_role("checkbox")).to_be_focused()


def test_a_chosen_dark_theme_is_light_on_paper(look):
    page = look("/tasks")
    page.keyboard.press("t")
    words = "getComputedStyle(document.body).color"
    assert page.evaluate(words) == "rgb(231, 235, 240)"
    page.emulate_media(media="print")
    assert page.evaluate(words) == "rgb(21, 25, 31)"


def test_a_dialog_leaves_a_margin_on_a_phone(look):
    page = look("/tasks", size=PHONE)
    page.get_by_role("button", name="Keyboard").click()
    box = page.get_by_role("dialog").bounding_box()
    assert 12 <= box["x"] == PHONE["width"] - box["x"] - box["width"]


def test_a_retry_whose_time_has_come_is_not_said_to_be_past(look):
    page = look("/tasks")
    page.keyboard.press("p")
    expect(page.locator("#live-text")).to_contain_text("Paused")
    page.locator("#rows tr td:nth-child(3)").first.evaluate(
        """e => e.insertAdjacentHTML("beforeend",
            "<span class=sub>retry <time datetime=2026-01-01T00:00:00Z></time></span>")"""
    )
    expect(page.locator("#rows .sub", has_text="retry")).to_have_text("retry now")
