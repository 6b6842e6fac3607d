"""What the SQL backends of fastapi-taskflow share."""

from fastapi_taskflow_core.backends.presence import BeatsOnly, Presence

from .backend import SqlBackend
from .connection import Clock, Connection, Connections, Tick
from .dialect import Dialect
from .lane import Driver, Lane, Session, Terms
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
