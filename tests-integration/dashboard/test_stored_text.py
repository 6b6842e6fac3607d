"""What users write into names, tags, logs, errors, arguments and the rest is shown, never run."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from payloads import PAYLOADS
from playwright.sync_api import Page, expect
from visits import PAGES, PHONE

from fastapi_taskflow_testkit.faults import AppServer

HERE = Path(__file__).parent
FOREIGN = """() => [...document.querySelectorAll(
    "img, iframe, object, embed, base, style, template, math, animate, body body,"
    + "[style]:not(.plot > i),"
    + "meta[http-equiv], link:not([href*='/assets/'], [rel=icon]), script:not([src*='/assets/']),"
    + "form[action^='//'], a[href^='javascript'], use:not([href^='#'])")]
    .concat([...document.querySelectorAll("*")].filter((each) =>
        [...each.attributes].some(({name}) => name.startsWith("on"))))
    .map((each) => each.outerHTML.slice(0, 200))"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[AppServer]:
    environment = {"DB": str(tmp_path / "graffiti.db")}
    with AppServer.of("graffiti:app", HERE, environment, output=tmp_path) as server:
        yield server.wait_until_it_answers()


def harmless(page: Page, text: str | None = None) -> None:
    """Nothing of it became a part of the page; whether it ran, `look` hears by the policy."""
    expect(page.locator("main")).to_be_visible()
    assert page.title() != "owned"
    assert page.evaluate(FOREIGN) == []
    if text is not None:
        assert text in page.locator("main").text_content()


def test_a_name_may_hold_anything(look, api: httpx.Client):
    said = api.post("/say").json()
    for number in range(0, len(PAYLOADS), 8):  # as names of users, in the audit trail
        assert api.post(
            f"/tasks/{said[number]}/retry", headers={"X-Payload": str(number)}
        ).is_success
    page = look("/tasks")
    for path in (f"{each}?limit=100" for each in PAGES):
        page.goto(f"{page.url.partition('/dashboard')[0]}/dashboard{path}")
        harmless(page)
        if path.startswith(("/tasks", "/functions", "/queues", "/failures")):
            shown = page.locator("main").text_content()
            assert [each for each in PAYLOADS if each not in shown] == [], path
    harmless(look(f"/tasks/{said[1]}"), "".join(PAYLOADS[1]))
    page = look(f"/tasks/{said[2]}?status=failed")
    for each in PAYLOADS:
        harmless(page, each)


def test_what_scripts_put_into_a_page_is_text_too(look, api: httpx.Client):
    task_id = api.post("/go-on").json()
    page = look(f"/tasks/{task_id}")
    for each in PAYLOADS:
        expect(page.locator("#logs .message", has_text=each).first).to_be_attached()
    harmless(page)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_contain_text(PAYLOADS[0])
    harmless(page)
    page.get_by_role("button", name="Cancel the task").click()
    expect(page.locator(".title .badge")).to_have_text("cancelled")
    page = look("/queues")
    page.locator("[data-action=limits]").nth(2).click()
    expect(page.get_by_role("dialog")).to_contain_text("Limits of")
    harmless(page)
    page.keyboard.press("Escape")
    page.locator("[data-action=post]").nth(2).click()
    expect(page.locator("#toasts")).to_contain_text("is paused")
    harmless(page)


def test_long_names_of_users_fit_a_phone(look, api: httpx.Client):
    said = api.post("/say").json()
    headers = {"X-Payload": "16"}  # of one word
    assert api.post(f"/tasks/{said[0]}/retry", headers=headers).is_success
    page = look("/audit", size=PHONE)
    page.set_extra_http_headers(headers)
    page.reload()
    expect(page.locator(".account")).to_contain_text(PAYLOADS[16])
    cells = page.locator("td[data-name=Who]")
    expect(cells).to_have_text([PAYLOADS[16]])
    assert cells.evaluate("e => e.scrollWidth <= e.clientWidth")
    for link in ("Audit", "Tasks"):
        page.get_by_role("navigation", name="Pages").get_by_role("link", name=link).click()
        expect(page.locator("h1")).to_have_text(link)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
