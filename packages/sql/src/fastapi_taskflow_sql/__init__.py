"""What the SQL backends of fastapi-taskflow share."""

from .backend import SqlBackend
from .connection import BeatsOnly, Clock, Connection, Connections, Presence, Tick
from .dialect import Dialect
from .lane import Terms
from .migrations import is_current, migrate, refuse_newer
from .server import Limits, ServerClock, ServerConnections
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
    "Limits",
    "Presence",
    "ServerClock",
    "ServerConnections",
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
