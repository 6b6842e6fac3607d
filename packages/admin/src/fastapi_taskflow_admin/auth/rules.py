"""What each route needs, and what it is called in the audit trail: the one table."""

from __future__ import annotations

from typing import NamedTuple

from .guard import SAFE_METHODS
from .permissions import Permission


class Rule(NamedTuple):
    """The permission that a route needs, and the name of what it does."""

    permission: Permission
    action: str


RULES = {
    "retry_task": Rule("operate", "retry"),
    "cancel_task": Rule("operate", "cancel"),
    "bulk_retry": Rule("operate", "bulk-retry"),
    "bulk_cancel": Rule("operate", "bulk-cancel"),
    "retry_failed": Rule("operate", "retry-failed"),
    "delete_history": Rule("admin", "delete-history"),
    "change_queue": Rule("admin", "change-queue"),
    "pause_queue": Rule("admin", "pause-queue"),
    "resume_queue": Rule("admin", "resume-queue"),
    "run_schedule": Rule("admin", "run-schedule"),
    "pause_schedule": Rule("admin", "pause-schedule"),
    "resume_schedule": Rule("admin", "resume-schedule"),
    "list_audit": Rule("admin", "audit"),
    "audit_page": Rule("admin", "audit"),
}
"""By the name of the route's function."""


def rule_for(function: str, method: str) -> Rule:
    """The rule of a route; where none is written, reading needs ``view``, the rest ``admin``."""
    written = RULES.get(function)
    if written is not None:
        return written
    return Rule("view" if method in SAFE_METHODS else "admin", function)
