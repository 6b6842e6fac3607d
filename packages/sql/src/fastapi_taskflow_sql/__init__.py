"""What the SQL backends of fastapi-taskflow share."""

from .backend import SqlBackend
from .connection import BeatsOnly, Clock, Connection, Connections, Presence, Tick
from .dialect import Dialect
from .lane import Driver, Lane, Session, Terms
from .migrations import is_current, migrate, refuse_newer
from .statements import Statements
from .threads import Threads

__all__ = [
    "BeatsOnly",
    "Clock",
    "Connection",
    "Connections",
    "Dialect",
    "Driver",
    "Lane",
    "Presence",
    "Session",
    "SqlBackend",
    "Statements",
    "Terms",
    "Threads",
    "Tick",
    "is_current",
    "migrate",
    "refuse_newer",
]
