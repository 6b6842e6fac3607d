"""What axe-core, the checker of browsers' accessibility, says of every page: nothing."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect
from visits import PAGES, PHONE, add, ended

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
OF_COLOURS = ["color-contrast", "link-in-text-block"]
ASK = """async (rules) => (await axe.run({runOnly: rules})).violations.map((each) =>
    `${each.id}: ${each.nodes.map((node) => node.html.slice(0, 200)).join(" | ")}`)"""


def violations(page: Page) -> list[str]:
    """Of WCAG 2.2, levels A and AA, in both themes, with the elements that they are of.

    Themes differ in nothing but colours.
    """
    page.evaluate(AXE_SCRIPT)
    found = []
    for scheme, rules in (("dark", OF_COLOURS), ("light", LEVELS)):
        page.emulate_media(color_scheme=scheme)
        found += [f"{scheme} {page.url} {each}" for each in page.evaluate(ASK, rules)]
    return found


def of_all(page: Page, paths: list[str]) -> list[str]:
    """The violations of so many pages of the dashboard, opened one after the other."""
    found = []
    for path in paths:
        page.goto(f"{page.url.partition('/dashboard')[0]}/dashboard{path}")
        found += violations(page)
    return found


def of_dialogs(page: Page) -> list[str]:
    """The violations of every dialog that a page opens, one after the other."""
    found = []
    for opener in page.locator("#keys, [data-action=limits], [data-action=cancel]").all():
        opener.click()
        page.get_by_role("dialog").wait_for()
        found += violations(page)
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="hidden")
        assert opener.evaluate("e => e === document.activeElement")
    return found


def test_axe_finds_nothing_on_any_page_in_any_theme(look, api):
    running = add(api, "wait", 60)
    failed = add(api, "flaky", 1)
    ended(api, failed, "failed")
    ended(api, add(api, "attack", 1), "failed")
    api.post("/fill", params={"number": 3})
    paths = [*PAGES, f"/tasks/{running}", f"/tasks/{failed}", "?status=cancelled"]
    assert of_all(look("/tasks"), paths) == []
    assert of_all(look("/tasks", size=PHONE), ["", "/failures"]) == []


def test_axe_finds_nothing_while_a_task_is_shown_beside_the_list(look, api):
    failed, running = add(api, "flaky", 1), add(api, "wait", 60)
    ended(api, failed, "failed")
    page = look("/tasks")
    for each in (failed, running):
        page.locator(f"#task-{each} a").first.click()
        expect(page.locator("aside #the-id")).to_have_text(each)
        assert violations(page) == []


def test_axe_finds_nothing_in_an_empty_dashboard(look):
    assert of_all(look("/tasks"), PAGES) == []


def test_axe_finds_nothing_while_a_dialog_is_open_and_escape_leads_back(look, api):
    add(api, "wait", 60)
    assert of_dialogs(look("/tasks")) == []
    assert of_dialogs(look("/queues")) == []
