"""The dashboard as people use it."""

import re

import pytest
from playwright.sync_api import expect
from visits import PAGES, PHONE, add, ended


def test_the_first_visit_says_how_to_begin(look):
    page = look("/tasks")
    expect(page.get_by_role("heading", name="No tasks yet")).to_be_visible()
    for place, words in [
        ("Overview", "No tasks yet"),
        ("Failures", "No failures"),
        ("Functions", "No function ran yet"),
        ("Queues", "mail"),
        ("Schedules", "tidy"),
        ("Instances", "living"),
        ("Audit", "Nothing yet"),
    ]:
        page.get_by_role("navigation", name="Pages").get_by_role("link", name=place).click()
        expect(page.locator("main")).to_contain_text(words)
        expect(page.locator("nav.pages [aria-current=page]")).to_have_text(place)


def test_a_task_appears_runs_and_ends_without_a_reload(look, api, tmp_path):
    page, over = look("/tasks"), tmp_path / "over"
    task_id = add(api, "advance", over)
    row = page.locator(f"#task-{task_id}")
    expect(row.locator(".badge")).to_have_text("running")
    expect(row).to_contain_text("on its way")
    over.touch()
    expect(row.locator(".badge")).to_have_text("success")


def test_a_failed_task_is_read_and_retried_by_keyboard_alone(look, api):
    task_id = add(api, "charge", 7)
    ended(api, task_id, "failed")
    page = look("/tasks?status=failed")
    link = page.locator(f"#task-{task_id} a").first
    link.focus()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.locator(".failure")).to_contain_text("ValueError: order 7 was refused")
    page.get_by_role("button", name="Retry").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Runs again as")
    again = page.locator("#toasts a").inner_text()
    ended(api, again, "failed")
    assert api.get(f"/tasks/{again}").json()["retry_of"] == task_id


def test_a_running_task_is_cancelled_after_a_question(look, api):
    task_id = add(api, "wait", 60)
    page = look("/tasks")
    cancel = page.locator(f"#task-{task_id}").get_by_role("button", name="Cancel")
    cancel.click()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    assert api.get(f"/tasks/{task_id}").json()["status"] == "running"
    cancel.click()
    page.get_by_role("button", name="Cancel the task").click()
    expect(page.locator(f"#task-{task_id} .badge")).to_have_text("cancelled")


def test_failures_of_one_cause_are_one_group(look, api):
    for order in range(5):
        ended(api, add(api, "charge", order), "failed")
    page = look("/failures")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr td").first).to_have_text("5")
    page.get_by_role("link", name="charge", exact=True).click()
    expect(page.locator("#rows tr")).to_have_count(5)


def test_a_queue_is_paused_resumed_and_given_other_limits(look, api):
    page = look("/queues")
    row = page.locator("tr", has=page.get_by_role("link", name="mail", exact=True))
    row.get_by_role("button", name="Pause").click()
    expect(row.locator(".badge")).to_have_text("paused")
    waiting = add(api, "send", "ada")
    expect(row.locator("td").nth(3)).to_contain_text("1 of 500")
    row.get_by_role("button", name="Resume").click()
    ended(api, waiting, "success")
    row.get_by_role("button", name="Limits").click()
    page.get_by_label("Tasks that run at once").fill("9")
    page.get_by_label("Tasks that may wait").fill("")
    page.keyboard.press("Enter")
    expect(row.locator("td").nth(2)).to_contain_text("0 of 9")
    assert api.get("/tasks/queues/mail").json()["max_size"] is None
    actions = [entry["action"] for entry in api.get("/tasks/audit").json()]
    assert actions == ["change-queue", "resume-queue", "pause-queue"]


def test_a_schedule_is_run_now_and_paused(look, api):
    page = look("/schedules")
    row = page.locator("tr", has=page.get_by_role("link", name="tidy"))
    expect(row).to_contain_text("hour")
    row.get_by_role("button", name="Run now").click()
    expect(page.locator("#toasts")).to_contain_text("tidy runs")
    ended(api, page.locator("#toasts a").inner_text(), "success")
    row.get_by_role("button", name="Pause").click()
    expect(row.locator(".badge")).to_have_text("paused")


def test_the_overview_agrees_with_the_api(look, api):
    for number in range(4):
        ended(
            api,
            add(api, "charge" if number == 3 else "send", number),
            "failed" if number == 3 else "success",
        )
    metrics = api.get("/tasks/metrics").json()
    series = api.get("/tasks/metrics/series?range=15m").json()["buckets"]
    assert sum(each["failed"] for each in series) == metrics["failed"] == 1
    page = look("?range=15m")
    expect(page.locator("#tile-3 b")).to_have_text("1")
    expect(page.locator("#tile-4 b")).to_have_text("75.0 %")
    expect(page.locator("#chart-throughput h2")).to_contain_text("4 ended")
    page.locator("#panel-table summary").click()
    cells = page.locator("#panel-rows tr td:nth-child(2)").all_inner_texts()
    assert sum(map(int, cells)) == 3
    page.get_by_role("link", name="24 hours").click()
    expect(page).to_have_url(re.compile("range=24h"))
    expect(page.locator("#attention")).to_contain_text("charge")


def test_a_pause_holds_the_page_still(look, api):
    ended(api, add(api, "send", 1), "success")
    page = look("/tasks")
    expect(page.locator("#live-text")).to_have_text("Live")
    page.get_by_role("button", name="Pause").click()
    ended(api, add(api, "send", 2), "success")
    expect(page.locator("#live-text")).to_contain_text("Paused (+")
    page.wait_for_timeout(1500)
    expect(page.locator("#rows tr")).to_have_count(1)
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#rows tr")).to_have_count(2)


def test_half_typed_words_and_focus_outlive_refreshes(look, api):
    ended(api, add(api, "send", 1), "success")
    page = look("/tasks")
    page.get_by_label("Search").type("hal")
    for number in range(3):
        ended(api, add(api, "send", number), "success")
        expect(page.locator("#rows tr")).to_have_count(number + 2)
    page.keyboard.type("f")
    expect(page.get_by_label("Search")).to_have_value("half")


def test_nothing_that_users_write_is_executed(look, api):
    task_id = add(api, "attack", "<script>document.title='owned'</script>")
    ended(api, task_id, "failed")
    for path in [*PAGES, f"/tasks/{task_id}"]:
        page = look(path)
        expect(page.locator("main")).to_be_visible()
        assert page.title() != "owned"
        assert page.locator("img[src=x]").count() == 0
    expect(look(f"/tasks/{task_id}").locator("h1")).to_contain_text("<img src=x")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_a_phone_in_both_themes(look, api, scheme):
    api.post("/fill", params={"number": 60})
    add(api, "wait", 60)
    for path in PAGES:
        page = look(path, scheme=scheme, size=PHONE)
        expect(page.locator("main")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        small = page.evaluate(
            "[...document.querySelectorAll('button, select, input, nav a')].filter(e =>"
            " e.getClientRects().length && e.getBoundingClientRect().height < 24).length"
        )
        assert small == 0, path
    background = page.evaluate("getComputedStyle(document.body.parentElement).backgroundColor")
    assert background == ("rgb(246, 247, 249)" if scheme == "light" else "rgb(14, 17, 22)")


def test_a_server_that_freezes_is_told_and_found_again(look, api, shop):
    ended(api, add(api, "send", 1), "success")
    page = look("/tasks")
    page.clock.install()
    page.reload()
    expect(page.locator("#live-text")).to_have_text("Live")
    shop.freeze()
    page.clock.fast_forward(16_000)  # nothing is heard, where every ten seconds something is
    page.clock.fast_forward(6_000)
    expect(page.locator("#live-text")).to_contain_text("Disconnected since")
    expect(page.locator("#banner")).to_contain_text("Showing data from")
    shop.thaw()
    page.clock.fast_forward(40_000)
    expect(page.locator("#live-text")).to_have_text("Live")
    expect(page.locator("#banner")).to_have_count(0)
    expect(page.locator("#rows tr")).to_have_count(1)


def test_a_page_is_small_and_asks_for_little(look, api):
    api.post("/fill", params={"number": 120})
    page = look("/tasks")
    expect(page.locator("#rows tr")).to_have_count(50)
    html = api.get("/tasks/dashboard").text
    assert len(html) <= 45_000
    loaded = page.evaluate(
        "performance.getEntriesByType('resource').filter(e => e.initiatorType != 'fetch')"
        ".map(e => [e.name, e.decodedBodySize])"
    )
    print(
        f"{len(html):,} bytes of HTML, {len(loaded)} requests, {sum(n for _, n in loaded):,} bytes"
    )
    assert len(loaded) + 1 <= 12
    assert sum(size for name, size in loaded if name.endswith(".js")) <= 150_000
    assert sum(size for name, size in loaded if name.endswith(".css")) <= 30_000
