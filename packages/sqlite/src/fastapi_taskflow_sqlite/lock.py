"""Locks that the operating system gives back when a process is gone."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

if sys.platform == "win32":
    HAS_FLOCK = False
else:
    import fcntl

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
            if self._fd is None:
                self._fd = _open(self._path)
            if _try_lock(self._fd, fcntl.LOCK_EX):
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
            os.close(self._fd)
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
        os.close(self._fd)

    def _queue(self) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        with self._state:
            self._locked, self._passed = self._wanted, not self._wanted
            if self._passed:
                os.close(self._fd)
            self._state.notify_all()


class LockFiles:
    """A locked file for each living instance: it is free the moment its process is gone.

    Unlike a process id it is never given to another process, and it works between
    containers that share the folder. A process forked from the instance keeps it locked.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, int] = {}

    def hold(self, instance: str) -> None:
        """Lock the file of the instance. Twice is once."""
        if instance in self._held:
            return
        self._folder.mkdir(mode=0o700, exist_ok=True)
        fd = _open(self._path(instance))
        fcntl.flock(fd, fcntl.LOCK_EX)
        self._held[instance] = fd

    def release(self, instance: str) -> None:
        """Remove the file, whoever locked it. Twice is once."""
        self._remove(instance)
        fd = self._held.pop(instance, None)
        if fd is not None:
            os.close(fd)

    def release_all(self) -> None:
        """Let go of every file, as the end of the process would."""
        while self._held:
            _, fd = self._held.popitem()
            os.close(fd)

    def gone(self, instance: str) -> bool:
        """Whether the file is there and nobody locks it."""
        if instance in self._held:
            return False
        try:
            fd = os.open(self._path(instance), os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            return _try_lock(fd, fcntl.LOCK_SH)
        finally:
            os.close(fd)

    def forget(self, instance: str) -> None:
        """Remove the file of a dead instance."""
        if instance not in self._held:
            self._remove(instance)

    def _remove(self, instance: str) -> None:
        with suppress(FileNotFoundError, NotADirectoryError):
            self._path(instance).unlink()

    def _path(self, instance: str) -> Path:
        return self._folder / f"{quote(instance, safe='')}.lock"


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _try_lock(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
