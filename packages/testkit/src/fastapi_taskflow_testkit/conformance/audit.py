"""The audit trail: entries are appended and read, newest first."""

from __future__ import annotations

from typing import Any

from fastapi_taskflow_core.backends.audit import AuditEntry, AuditQuery
from fastapi_taskflow_core.backends.base import Backend

from ..builders import MICROSECOND, now


def entries(number: int, **changes: Any) -> list[AuditEntry]:
    """Entries in the order of their ids."""
    start = now()
    said = {
        "actor": "ann",
        "address": "127.0.0.1",
        "action": "retry",
        "target": "task 7",
        "result": "ok",
    }
    return [
        AuditEntry(f"{i:08x}", start + i * MICROSECOND, **{**said, **changes})
        for i in range(number)
    ]


async def test_entries_are_read_by_others_newest_first(backend: Backend, second: Backend) -> None:
    noted = entries(3, actor="\u00e5nn", target="a" * 5_000, result="<no>")
    for entry in noted:
        await backend.note(entry)
    assert list(await second.audit(AuditQuery())) == noted[::-1]


async def test_an_entry_noted_twice_is_there_once(backend: Backend) -> None:
    (entry,) = entries(1)
    await backend.note(entry)
    await backend.note(entry)
    assert list(await backend.audit(AuditQuery())) == [entry]


async def test_entries_are_chosen_by_actor_and_action(backend: Backend) -> None:
    made = entries(4)
    made[1] = entries(2, actor="bob")[1]
    made[2] = entries(3, action="cancel")[2]
    for entry in made:
        await backend.note(entry)
    assert list(await backend.audit(AuditQuery(actor="bob"))) == [made[1]]
    assert list(await backend.audit(AuditQuery(action="cancel"))) == [made[2]]
    assert list(await backend.audit(AuditQuery("ann", "retry"))) == [made[3], made[0]]


async def test_pages_follow_each_other(backend: Backend) -> None:
    made = entries(5)
    for entry in made:
        await backend.note(entry)
    first = await backend.audit(AuditQuery(limit=2))
    then = await backend.audit(AuditQuery(limit=9, before=first[-1].entry_id))
    assert [*first, *then] == made[::-1]
