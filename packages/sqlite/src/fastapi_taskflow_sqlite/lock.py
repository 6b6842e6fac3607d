"""Locks that the operating system gives back when a process is gone."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Protocol

if sys.platform == "win32":
    HAS_FLOCK = False
else:
    import fcntl

    from fastapi_taskflow_core.backends.lockfiles import try_lock

    HAS_FLOCK = True


class Lock(Protocol):
    """One writer at a time."""

    def acquire(self, timeout: float) -> bool:
        """Whether the lock is ours, after at most so many seconds."""

    def release(self) -> None:
        """Let the next one in."""

    def close(self) -> None:
        """Let go of what the lock needs."""


class ThreadLock:
    """A lock between threads, for what no other process sees."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def acquire(self, timeout: float) -> bool:
        """Whether the lock is ours, after at most so many seconds."""
        return self._lock.acquire(timeout=timeout)

    def release(self) -> None:
        """Let the next one in."""
        self._lock.release()

    def close(self) -> None:
        """Nothing to let go of."""


class FileLock:
    """A lock between processes that is given out in the order of asking.

    SQLite waits for its own lock by looking now and then, and one process can starve the
    others for seconds.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None
        self._turn: _Turn | None = None

    def acquire(self, timeout: float) -> bool:
        """Whether the lock is ours, after at most so many seconds."""
        if self._turn is None:
            if self._fd is None or self._fd not in _here:
                self._fd = _open(self._path)
            if try_lock(self._fd, fcntl.LOCK_EX):
                return True
            self._turn = _Turn(self._path)
        while (mine := self._turn.wait(timeout)) is None:
            self._turn = _Turn(self._path)
        return mine

    def release(self) -> None:
        """Let the next one in."""
        if self._turn is not None:
            self._turn.close()
            self._turn = None
        elif self._fd is not None:
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the file."""
        if self._fd is not None:
            _close(self._fd)
            self._fd = None


class _Turn:
    """A place in the queue. The call that waits cannot be broken off, so it has a thread."""

    def __init__(self, path: Path) -> None:
        self._fd = _open(path)
        self._state = threading.Condition()
        self._wanted = True
        self._locked = self._passed = False
        threading.Thread(target=self._queue, name="taskflow-lock", daemon=True).start()

    def wait(self, timeout: float) -> bool | None:
        """Whether our turn came; None if it came and went while nobody waited for it."""
        with self._state:
            self._wanted = True
            self._state.wait_for(lambda: self._locked or self._passed, timeout)
            self._wanted = self._locked
            return None if self._passed else self._locked

    def close(self) -> None:
        """Let the next one in."""
        _close(self._fd)

    def _queue(self) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        with self._state:
            self._locked, self._passed = self._wanted, not self._wanted
            if self._passed:
                _close(self._fd)
            self._state.notify_all()


_here: set[int] = set()
"""The descriptors of lock files. A lock lasts as long as one is left, in whatever process."""


def _open(path: Path) -> int:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    _here.add(fd)
    return fd


def _close(fd: int) -> None:
    if fd in _here:  # in a child the number may be another file's by now
        # A child that is just being forked off may have it too.
        fcntl.flock(fd, fcntl.LOCK_UN)
        _here.discard(fd)
        os.close(fd)


def _leave_them_to_the_parent() -> None:
    while _here:
        os.close(_here.pop())


if HAS_FLOCK:
    os.register_at_fork(after_in_child=_leave_them_to_the_parent)
