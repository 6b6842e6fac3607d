"""Who is told what happens to tasks, and the observers that come with the package."""

from __future__ import annotations

from .base import Event, ImmediateObserver, LifecycleEvent, LogEvent, TaskObserver
from .bridge import LoggingBridge
from .chain import ObserverChain, ObserverHealth
from .file import FileLogger, FileMode
from .memory import InMemoryLogger
from .stdout import StdoutLogger

__all__ = [
    "Event",
    "FileLogger",
    "FileMode",
    "ImmediateObserver",
    "InMemoryLogger",
    "LifecycleEvent",
    "LogEvent",
    "LoggingBridge",
    "ObserverChain",
    "ObserverHealth",
    "StdoutLogger",
    "TaskObserver",
]
