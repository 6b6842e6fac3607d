"""Names of two hundred letters: one line in a list, with the whole for who points at it."""

import pytest
from playwright.sync_api import Locator, Page, expect
from visits import LONG, PHONE, add, ended

from fastapi_taskflow_testkit.faults import AppServer

CUT = """(each) => {
    const style = getComputedStyle(each);
    return each.scrollWidth > each.clientWidth && style.textOverflow === "ellipsis"
        && each.getBoundingClientRect().height < 2 * parseFloat(style.lineHeight);
}"""


@pytest.fixture
def shop(empty_shop: AppServer) -> AppServer:
    return empty_shop


@pytest.fixture
def task_id(api) -> str:
    """A task that failed, of a function, in a queue and with a tag of such names."""
    made = add(api, "endless", 1)
    ended(api, made, "failed")
    return made


def is_cut(shown: Locator, words: str) -> None:
    expect(shown).to_have_text(words)
    assert shown.evaluate(CUT)
    shown.hover()
    expect(shown).to_have_attribute("title", words)


def narrow(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_a_row_of_long_names_is_as_high_as_others(look, api, task_id):
    ended(api, add(api, "charge", 1), "failed")
    page = look("/tasks")
    cells = page.locator(f"#task-{task_id} td")
    is_cut(cells.nth(2).locator("a"), LONG)
    is_cut(cells.nth(3), LONG)
    is_cut(cells.nth(8).locator(".tag"), f"kind={LONG}"[:39] + "…")
    heights = page.locator("#rows tr").evaluate_all("all => all.map(e => e.offsetHeight)")
    assert heights[0] == heights[1]


@pytest.mark.parametrize(
    ("path", "link"),
    [
        ("", "#attention a"),
        ("/failures", ".function a"),
        ("/functions", ".function a"),
        ("/queues", ".function a"),
    ],
)
def test_a_long_name_is_one_line_in_every_list(look, task_id, path, link):
    for size in (None, PHONE):
        page = look(path, size=size)
        is_cut(page.locator(link, has_text=LONG).first, LONG)
        assert narrow(page)


@pytest.mark.parametrize("path", ["/tasks/{}", f"/functions/{LONG}"])
def test_the_page_of_a_task_and_of_a_function_has_the_whole_name(look, task_id, path):
    for size in (None, PHONE):
        page = look(path.format(task_id), size=size)
        heading = page.locator("h1")
        expect(heading).to_have_text(LONG)
        assert heading.evaluate("e => e.scrollWidth <= e.clientWidth")
        assert narrow(page)


def test_a_task_on_a_phone_is_two_lines(look, api, task_id):
    add(api, "wait", 60)
    ended(api, add(api, "send", 1), "success")
    page = look("/tasks", size=PHONE)
    expect(page.locator("#rows .sub")).to_be_visible()
    heights = page.locator("#rows tr").evaluate_all("all => all.map(e => e.offsetHeight)")
    assert max(heights) < 90
    for name in ("send", "wait"):
        assert not page.locator("#rows a", has_text=name).evaluate(CUT)
    over = page.locator("#rows td").evaluate_all(
        "all => all.filter(e => e.getBoundingClientRect().right > innerWidth - 13).length"
    )
    assert over == 0


@pytest.mark.parametrize("width", [768, 900, 1024, 1200, 1280])
def test_the_actions_of_a_row_are_there_without_scrolling(look, task_id, width):
    page = look("/tasks", size={"width": width, "height": 860})
    more = page.locator(f"#task-{task_id}").get_by_role("button", name="More").bounding_box()
    assert more["x"] + more["width"] <= width - 24
    least = 160 if width > 1000 else 100
    assert page.locator(f"#task-{task_id} td").nth(9).bounding_box()["width"] > least


@pytest.mark.parametrize("width", [1242, 1280, 1440])
def test_a_schedule_of_fifteen_letters_is_read_in_full(look, api, task_id, width):
    made = api.post("/tasks/schedules/count_the_stock/run").json()["task_id"]
    ended(api, made, "success")
    page = look("/tasks", size={"width": width, "height": 860})
    expect(page.locator(f"#task-{made} .tag").first).to_have_text("schedule")
    link = page.locator(f"#task-{made} a")
    expect(link).to_have_text("count_the_stock")
    for each in (link, page.locator("#rows-list")):
        assert each.evaluate("e => e.scrollWidth <= e.clientWidth")


def test_long_words_of_a_running_task_stay_beside_it(look, api):
    api.post("/add/murmur", params={"argument": "word " * 60})
    page = look("")
    row = page.locator("#running li")
    expect(row.locator("progress + span")).to_contain_text("word")
    assert row.evaluate("e => e.offsetHeight") < 50
    page = look(f"/tasks/{api.get('/tasks').json()[0]['task_id']}")
    assert page.locator("#advance > span").count() == 1


@pytest.mark.parametrize("width", [1100, 1181, 1280, 1440])
def test_all_pages_can_be_read_beside_a_long_title_and_a_user(look, width):
    page = look("", size={"width": width, "height": 860})
    page.evaluate(
        """words => {
            document.querySelector(".brand span").textContent = words;
            document.getElementById("theme").insertAdjacentHTML(
                "beforebegin",
                `<div class="account"><span>${words}</span>` +
                '<button class="small">Sign out</button></div>');
        }""",
        "The background tasks of a company with a long name",
    )
    for part in (".pages", ".tools", ".account"):
        assert page.locator(part).evaluate("e => e.scrollWidth <= e.clientWidth")
    assert narrow(page)
