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


def test_every_button_of_a_list_says_what_it_is_about(look, api):
    failed, running = add(api, "charge", 1), add(api, "wait", 60)
    ended(api, failed, "failed")
    ended(api, running, "running")
    page = look("/tasks")
    for name in (f"Retry charge {failed[-6:]}", f"More on charge {failed[-6:]}"):
        expect(page.locator(f"#task-{failed}").get_by_role("button", name=name)).to_be_visible()
    for name in (f"Cancel wait {running[-6:]}", f"More on wait {running[-6:]}"):
        expect(page.locator(f"#task-{running}").get_by_role("button", name=name)).to_be_visible()
    for path, names in {
        "/failures": ["Retry charge: ValueError", "Latest of charge: ValueError"],
        "/queues": ["Limits of mail", "Pause mail"],
        "/schedules": ["Run now: tidy", "Pause tidy"],
    }.items():
        page = look(path)
        for name in names:
            role = "link" if name.startswith("Latest") else "button"
            expect(page.get_by_role(role, name=name, exact=True)).to_be_visible()


def test_colours_of_the_system_go_before_the_chosen_theme(chromium, dashboard, api):
    """On black, the dark words of our light theme would not be seen."""
    add(api, "send", 1)
    window = chromium.new_context(color_scheme="dark", forced_colors="active")
    window.add_init_script("localStorage.setItem('taskflow-theme', 'light')")
    page = window.new_page()
    page.goto(dashboard)
    asked = "getComputedStyle(document.querySelector('.values text')).fill"
    seen = "getComputedStyle(document.querySelector('h1')).color"
    assert page.evaluate(asked) == page.evaluate(seen)
    window.close()
