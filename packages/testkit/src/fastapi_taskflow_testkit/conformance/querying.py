"""Lists: newest first, filtered, in pages that stay whole while tasks come in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any, Literal

import pytest

from fastapi_taskflow_core.backends.audit import AuditQuery
from fastapi_taskflow_core.backends.base import Backend, Cursor, Query, Unfinished
from fastapi_taskflow_core.records import TaskRecord, TaskStatus

from ..builders import (
    HOUR,
    MICROSECOND,
    SECOND,
    a_full_task,
    a_line,
    a_task,
    all_ids,
    changed,
    ended,
    now,
    put,
    say,
    started,
    tasks,
    update,
)


async def _read(backend: Backend, query: Query, direction: str) -> list[list[str]]:
    """The ids of every page from *query* on."""
    pages: list[list[str]] = []
    while True:
        page = await backend.query(query)
        pages.append([task.task_id for task in page.tasks])
        cursor = page.next if direction == "older" else page.previous
        if cursor is None:
            return pages
        assert len(pages) < 100, "the pages do not come to an end"
        query = replace(query, cursor=cursor)


async def test_the_newest_task_comes_first(backend: Backend) -> None:
    records = tasks(5)
    await put(backend, *records[::2], *records[1::2])
    assert await all_ids(backend) == [task.task_id for task in records[::-1]]


async def test_of_tasks_created_together_the_greater_id_comes_first(backend: Backend) -> None:
    moment = now()
    await put(backend, *(a_task(task_id=name, created_at=moment) for name in "bca"))
    assert await all_ids(backend) == ["c", "b", "a"]


async def test_a_list_shows_tasks_with_all_but_their_logs(backend: Backend) -> None:
    task = a_full_task()
    await put(backend, task)
    await say(backend, task.task_id, [a_line()])
    assert list((await backend.query(Query())).tasks) == [task]


async def test_finished_and_unfinished_tasks_stand_in_one_list(backend: Backend) -> None:
    records = tasks(4)
    await put(backend, records[0], ended(records[1]), started(records[2]))
    await put(backend, ended(records[3], TaskStatus.FAILED))
    assert await all_ids(backend) == [task.task_id for task in records[::-1]]


async def test_a_list_that_fits_on_a_page_has_no_cursors(backend: Backend) -> None:
    await put(backend, *tasks(3))
    page = await backend.query(Query(limit=3))
    assert (page.next, page.previous) == (None, None)


async def test_an_empty_list_has_no_cursors(backend: Backend) -> None:
    page = await backend.query(Query())
    assert (list(page.tasks), page.next, page.previous) == ([], None, None)


@pytest.mark.parametrize("together", [False, True], ids=["one by one", "created together"])
async def test_pages_towards_older_tasks_show_each_once(backend: Backend, together: bool) -> None:
    records = tasks(11, created_at=now()) if together else tasks(11)
    await put(backend, *records)
    ids = [task.task_id for task in records[::-1]]
    pages = await _read(backend, Query(limit=4), "older")
    assert pages == [ids[:4], ids[4:8], ids[8:]]


@pytest.mark.parametrize("together", [False, True], ids=["one by one", "created together"])
async def test_pages_towards_newer_tasks_show_each_once(backend: Backend, together: bool) -> None:
    records = tasks(11, created_at=now()) if together else tasks(11)
    await put(backend, *records)
    ids = [task.task_id for task in records[::-1]]
    start = Cursor(records[0].created_at, records[0].task_id, "newer")
    pages = await _read(backend, Query(limit=4, cursor=start), "newer")
    assert pages == [ids[6:10], ids[2:6], ids[:2]]


async def test_a_last_page_that_is_full_leads_nowhere(backend: Backend) -> None:
    await put(backend, *tasks(8))
    pages = await _read(backend, Query(limit=4), "older")
    assert [len(page) for page in pages] == [4, 4]


async def test_a_page_in_the_middle_leads_both_ways(backend: Backend) -> None:
    records = tasks(9)
    await put(backend, *records)
    first = await backend.query(Query(limit=3))
    second = await backend.query(Query(limit=3, cursor=first.next))
    assert second.next is not None
    assert second.previous is not None
    back = await backend.query(Query(limit=3, cursor=second.previous))
    assert list(back.tasks) == list(first.tasks)
    assert back.previous is None


async def test_pages_of_what_has_a_text_lead_both_ways(backend: Backend) -> None:
    records = tasks(9)
    await put(backend, *(changed(task, error="needle") for task in records[1::2]))
    await put(backend, *records[::2])
    ids = [task.task_id for task in records[7::-2]]
    query = Query(text="needle", limit=1)
    assert await _read(backend, query, "older") == [[each] for each in ids]
    last = Cursor(records[1].created_at, records[1].task_id, "newer")
    pages = await _read(backend, replace(query, cursor=last), "newer")
    assert pages == [[each] for each in ids[2::-1]]


async def test_pages_stay_whole_while_tasks_come_in(backend: Backend) -> None:
    old = tasks(9)
    await put(backend, *old)
    seen: list[str] = []
    query = Query(limit=2)
    while True:
        page = await backend.query(query)
        seen += [task.task_id for task in page.tasks]
        await put(backend, a_task(created_at=now() + SECOND))
        if page.next is None:
            break
        query = Query(limit=2, cursor=page.next)
    assert seen == [task.task_id for task in old[::-1]]


async def test_pages_stay_whole_while_tasks_change(backend: Backend) -> None:
    records = tasks(6)
    await put(backend, *records)
    page = await backend.query(Query(limit=3))
    await update(backend, *(ended(task) for task in records))
    rest = await backend.query(Query(limit=3, cursor=page.next))
    assert [t.task_id for t in rest.tasks] == [t.task_id for t in records[2::-1]]


async def test_a_cursor_works_when_its_task_is_gone(backend: Backend) -> None:
    records = tasks(6)
    await put(backend, ended(records[3]), *(t for t in records if t is not records[3]))
    page = await backend.query(Query(limit=3))
    assert page.tasks[-1].task_id == records[3].task_id
    await backend.delete(now() + SECOND, 1)
    rest = await backend.query(Query(limit=3, cursor=page.next))
    assert [t.task_id for t in rest.tasks] == [t.task_id for t in records[2::-1]]


async def test_filters_hold_on_every_page(backend: Backend) -> None:
    records = [changed(task, queue=f"q{i % 2}") for i, task in enumerate(tasks(10))]
    await put(backend, *records)
    pages = await _read(backend, Query(limit=2, queue="q1"), "older")
    ids = [task.task_id for task in records[::-1] if task.queue == "q1"]
    assert pages == [ids[:2], ids[2:4], ids[4:]]


WANTED: dict[str, Any] = {
    "func_name": "refund",
    "queue": "mail",
    "source": "scheduled",
    "tags": {"tenant": "acme"},
    "error": "Card DECLINED",
    "retry_of": "the original",
    "status": TaskStatus.FAILED,
}
FILTERS: dict[str, dict[str, Any]] = {
    "func_name": {"func_name": "refund"},
    "queue": {"queue": "mail"},
    "source": {"source": "scheduled"},
    "tags": {"tag": "tenant=acme"},
    "error": {"text": "declined"},
    "retry_of": {"retry_of": "the original"},
    "status": {"statuses": frozenset({TaskStatus.FAILED, TaskStatus.CANCELLED})},
}


@pytest.mark.parametrize("name", FILTERS)
async def test_a_filter_admits_only_what_it_names(backend: Backend, name: str) -> None:
    wanted, other = a_task(**{name: WANTED[name]}), a_task()
    await put(backend, wanted, other)
    assert await all_ids(backend, **FILTERS[name]) == [wanted.task_id]


async def test_filters_combine_by_and(backend: Backend) -> None:
    wanted = a_task(**WANTED)
    default = a_task()
    near = [a_task(**{**WANTED, name: getattr(default, name)}) for name in WANTED]
    await put(backend, wanted, *near)
    together = {key: value for one in FILTERS.values() for key, value in one.items()}
    assert await all_ids(backend, **together) == [wanted.task_id]


@pytest.mark.parametrize("status", TaskStatus)
async def test_a_status_admits_its_tasks_alone(backend: Backend, status: TaskStatus) -> None:
    await put(backend, *(a_task(task_id=each.value, status=each) for each in TaskStatus))
    assert await all_ids(backend, statuses=frozenset({status})) == [status.value]


async def test_an_owner_admits_the_unfinished_tasks_that_it_has(backend: Backend) -> None:
    theirs = tasks(6, owner="them")
    ids = [task.task_id for task in theirs]
    await put(backend, a_task(), started(a_task()), a_task(owner=None))
    await put(backend, theirs[0], started(theirs[1]), ended(theirs[2]), *theirs[3:5])
    await put(backend, started(theirs[5]))
    assert await all_ids(backend, owner="them") == [ids[n] for n in (5, 4, 3, 1, 0)]
    pages = await _read(backend, Query(owner="them", limit=2), "older")
    assert pages == [[ids[5], ids[4]], [ids[3], ids[1]], [ids[0]]]
    some = frozenset({TaskStatus.RUNNING, TaskStatus.SUCCESS})
    assert await all_ids(backend, owner="them", statuses=some) == [ids[5], ids[1]]
    ended_ones = frozenset({TaskStatus.SUCCESS, TaskStatus.FAILED})
    assert await all_ids(backend, owner="them", statuses=ended_ones) == []
    assert await all_ids(backend, owner="nobody") == []


async def test_since_is_included_and_until_is_not(backend: Backend) -> None:
    records = tasks(4)
    await put(backend, *records)
    ids = await all_ids(backend, since=records[1].created_at, until=records[3].created_at)
    assert ids == [records[2].task_id, records[1].task_id]


async def test_since_and_until_count_microseconds(backend: Backend) -> None:
    task = a_task()
    await put(backend, task)
    assert await all_ids(backend, since=task.created_at + MICROSECOND) == []
    assert await all_ids(backend, until=task.created_at) == []
    assert await all_ids(backend, until=task.created_at + MICROSECOND) == [task.task_id]


async def test_times_in_other_zones_mean_the_same(backend: Backend) -> None:
    task = a_task()
    await put(backend, task)
    abroad = timezone(timedelta(hours=5, minutes=30))
    assert await all_ids(backend, since=task.created_at.astimezone(abroad)) == [task.task_id]


async def _texts(backend: Backend, word: str, *errors: str) -> list[str]:
    await put(backend, *(a_task(error=error, func_name="f") for error in errors))
    page = await backend.query(Query(text=word, limit=100))
    return sorted(task.error or "" for task in page.tasks)


@pytest.mark.parametrize(
    ("word", "found", "missed"),
    [
        ("100%", "at 100% now", "at 1000 now"),
        ("a_b", "see a_b", "see axb"),
        ("c:\\x", "in c:\\x", "in c:x"),
        ("\\", "a \\ b", "a / b"),
        ("%", "50 %", "50 p.c."),
        ("_", "snake_case", "snake case"),
        ("[a]", "list[a]", "list a"),
        ("*", "a * b", "a b"),
        ("?", "why?", "why!"),
        ("'", "it's", "its"),
        ('"', 'a "b"', "a b"),
        ("ü", "über", "uber"),
        ("👩", "by 👩", "by 👨"),
    ],
)
async def test_text_is_looked_for_as_it_stands(
    backend: Backend, word: str, found: str, missed: str
) -> None:
    assert await _texts(backend, word, found, missed) == [found]


async def test_text_is_looked_for_without_regard_to_letter_case(backend: Backend) -> None:
    errors = ["TimeOut of x", "timeout of y", "a TIMEOUT", "time out"]
    assert await _texts(backend, "tIMEoUT", *errors) == sorted(errors[:3])


async def test_text_is_looked_for_in_function_name_error_and_id(backend: Backend) -> None:
    await put(
        backend,
        a_task(task_id="1", func_name="send_Needle"),
        a_task(task_id="2", error="a needle!"),
        a_task(task_id="needle-3"),
        a_task(task_id="4", result="needle", stacktrace="needle", queue="needle"),
    )
    assert sorted(await all_ids(backend, text="needle")) == ["1", "2", "needle-3"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"error": "timeout"}, ["Ab-1", "b-2"]),
        ({"error": "50%"}, ["b-2"]),
        ({"error": "timeout", "text": "gone"}, ["Ab-1"]),
        ({"error": "send"}, []),
        ({"id_start": "aB"}, ["Ab-1", "ab_3"]),
        ({"id_start": "ab_"}, ["ab_3"]),
        ({"id_start": "b-2", "error": "TimeOut"}, ["b-2"]),
        ({"id_start": "%"}, []),
        ({"id_start": "-"}, []),
    ],
)
async def test_an_error_or_the_beginning_of_an_id_is_looked_for_alone(
    backend: Backend, filters: dict[str, Any], found: list[str]
) -> None:
    await put(
        backend,
        a_task(task_id="Ab-1", error="TimeoutError: gone"),
        a_task(task_id="b-2", error="a timeout of 50% of ab"),
        a_task(task_id="ab_3", func_name="send_timeout"),
    )
    assert sorted(await all_ids(backend, **filters)) == found


@pytest.mark.parametrize(
    ("tag", "found"),
    [
        ("tenant", ["acme", "other"]),
        ("tenant=acme", ["acme"]),
        ("tenant=", []),
        ("empty", ["acme"]),
        ("empty=", ["acme"]),
        ("formula=a=b", ["other"]),
        ("ten", []),
        ("tenant=acm", []),
        ("tenant=ACME", []),
        ("tenant=%", []),
        ("t_nant", []),
        ("名=値", ["acme"]),
        ('quoted="x\\', ["other"]),
    ],
)
async def test_tags_are_found_by_name_or_by_name_and_value(
    backend: Backend, tag: str, found: list[str]
) -> None:
    await put(
        backend,
        a_task(task_id="acme", tags={"tenant": "acme", "empty": "", "名": "値"}),
        a_task(task_id="other", tags={"tenant": "b", "formula": "a=b", "quoted": '"x\\'}),
        a_task(task_id="none"),
        a_task(task_id="no tags", tags={}),
    )
    assert sorted(await all_ids(backend, tag=tag)) == found


@pytest.mark.parametrize("name", ["func_name", "queue", "retry_of"])
async def test_names_are_compared_by_every_byte(backend: Backend, name: str) -> None:
    values = ["mail", "Mail", "mail ", "máil"]
    await put(backend, *(a_task(**{name: value}) for value in values))
    wanted: dict[str, Any] = {name: "mail"}
    page = await backend.query(Query(**wanted))
    assert [getattr(task, name) for task in page.tasks] == ["mail"]


async def test_ids_are_compared_by_every_byte(backend: Backend) -> None:
    await put(backend, a_task(task_id="abc"))
    assert await backend.get("ABC") is None
    assert await backend.get("abc ") is None


async def test_unfinished_tasks_are_counted_by_function_queue_and_status(
    backend: Backend, second: Backend
) -> None:
    def a(func_name: str, queue: str = "default") -> TaskRecord:
        return a_task(func_name=func_name, queue=queue)

    await put(backend, a("f"), a("f"), started(a("f")), a("f", "mail"), a("g"), ended(a("f")))
    assert dict(await second.unfinished()) == {
        Unfinished("f", "default", TaskStatus.PENDING): 2,
        Unfinished("f", "default", TaskStatus.RUNNING): 1,
        Unfinished("f", "mail", TaskStatus.PENDING): 1,
        Unfinished("g", "default", TaskStatus.PENDING): 1,
    }


@pytest.mark.parametrize("limit", [0, -1, -7])
@pytest.mark.parametrize("direction", ["older", "newer"])
async def test_a_limit_below_one_admits_nothing(
    backend: Backend, limit: int, direction: Literal["older", "newer"]
) -> None:
    some = [ended(task) for task in tasks(5)]
    await put(backend, *some)
    await say(backend, some[0].task_id, [a_line(1), a_line(2)])
    place = min(some, key=lambda task: (task.created_at, task.task_id))
    if direction == "older":
        place = max(some, key=lambda task: (task.created_at, task.task_id))
    cursor = Cursor(place.created_at, place.task_id, direction)
    for query in (Query(limit=limit), Query(limit=limit, cursor=cursor)):
        assert list((await backend.query(query)).tasks) == []
    assert list(await backend.logs(some[0].task_id, limit=limit)) == []
    assert list(await backend.audit(AuditQuery(limit=limit))) == []
    assert await backend.delete(now() + HOUR, limit) == 0
    assert len(await all_ids(backend)) == 5
