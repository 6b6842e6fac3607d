"""Schedules for fastapi-taskflow: every so many seconds, by cron patterns, and once."""

from __future__ import annotations

from .cron import Cron
from .every import Every
from .scheduler import Scheduler
from .slots import Trigger

__all__ = ["Cron", "Every", "Scheduler", "Trigger"]
