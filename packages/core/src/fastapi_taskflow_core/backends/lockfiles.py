"""Files that the operating system unlocks when their process is gone. Not for Windows."""

from __future__ import annotations

import fcntl
import logging
import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, unquote
from uuid import uuid4
from weakref import WeakSet

logger = logging.getLogger(__name__)

_LOCKED, _FRESH = ".lock", ".new"
_OPEN = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
_LITTER = 86_400.0
"""Seconds after which a file that nobody locks tells nobody anything any more."""


class LockFiles:
    """A locked file for each living instance: it is free the moment its process is gone.

    Unlike a process id it is never given to another process, and it works between
    containers that share the folder. What the process starts or forks does not keep it
    locked. A file that is not there proves nothing, so where none can be made there are
    only the beats.

    Args:
        folder: Made for its owner alone when it is needed, if that above it is there.
        family: What the names of the files begin with. Those of other families are not seen.
        private: Others may write where the folder is: it is used only if it is no link,
            belongs to this user, and nobody else may enter it.
    """

    def __init__(self, folder: Path, family: str = "", *, private: bool = False) -> None:
        self._folder = folder
        self._family = family
        self._private = private
        self._held: dict[str, int] = {}
        _all_here.add(self)

    def hold(self, instance: str) -> None:
        """Lock the file of the instance. Twice is once, but a file that was removed is renewed."""
        try:
            with suppress(FileExistsError):
                self._folder.mkdir(mode=0o700)
            with self._opened() as folder:
                if not self._is_in_place(instance, folder):
                    fresh = _put_locked(folder, self._name(instance))
                    self._let_go(instance)
                    self._held[instance] = fresh
                    _tidy(folder)
        except OSError as error:
            logger.debug("only its beats show that %s lives: %s", instance, error)

    def release(self, instance: str) -> None:
        """Remove the file, whoever locked it. Twice is once."""
        self._remove(instance)
        self._let_go(instance)

    def release_all(self) -> None:
        """Let go of every file, as the end of the process would."""
        while self._held:
            _, fd = self._held.popitem()
            os.close(fd)

    def gone(self, instance: str) -> bool:
        """Whether the file is there and nobody locks it."""
        with suppress(OSError), self._opened() as folder:
            return instance not in self._held and _is_free(folder, self._name(instance))
        return False

    def all_gone(self) -> Sequence[str]:
        """Every instance whose file is there and locked by nobody."""
        with suppress(OSError), self._opened() as folder:
            return [
                instance
                for name in os.listdir(folder)  # noqa: PTH208  no path leads there for sure
                if (instance := self._instance(name)) is not None
                and instance not in self._held
                and _is_free(folder, name)
            ]
        return ()

    def forget(self, instance: str) -> None:
        """Remove the file of a dead instance."""
        if instance not in self._held:
            self._remove(instance)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """The folder. What is in it is reached through this alone, wherever its name leads then."""
        follow = os.O_NOFOLLOW if self._private else 0
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | follow)
        try:
            if self._private and not _is_private(os.fstat(folder)):
                raise PermissionError(f"{self._folder} is open to others")
            yield folder
        finally:
            os.close(folder)

    def _is_in_place(self, instance: str, folder: int) -> bool:
        if instance not in self._held:
            return False
        try:
            there = os.stat(self._name(instance), dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return os.path.samestat(there, os.fstat(self._held[instance]))

    def _let_go(self, instance: str) -> None:
        fd = self._held.pop(instance, None)
        if fd is not None:
            os.close(fd)

    def _remove(self, instance: str) -> None:
        with suppress(OSError), self._opened() as folder:
            os.unlink(self._name(instance), dir_fd=folder)

    def _name(self, instance: str) -> str:
        return f"{self._family}{quote(instance, safe='', errors='surrogatepass')}{_LOCKED}"

    def _instance(self, name: str) -> str | None:
        if not name.startswith(self._family) or not name.endswith(_LOCKED):
            return None
        quoted = name.removeprefix(self._family).removesuffix(_LOCKED)
        return unquote(quoted, errors="surrogatepass")


_all_here: WeakSet[LockFiles] = WeakSet()


def _leave_them_to_the_parent() -> None:
    for files in _all_here:
        files.release_all()


os.register_at_fork(after_in_child=_leave_them_to_the_parent)


def try_lock(fd: int, kind: int) -> bool:
    """Whether the file could be locked without waiting."""
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _put_locked(folder: int, name: str) -> int:
    """A new file in place of one of that name. It is never seen there without its lock."""
    fresh = f"{uuid4().hex}{_FRESH}"
    fd = os.open(fresh, _OPEN | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        os.rename(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        os.close(fd)
        with suppress(OSError):
            os.unlink(fresh, dir_fd=folder)
        raise
    return fd


def _is_free(folder: int, name: str) -> bool:
    try:
        fd = os.open(name, _OPEN, dir_fd=folder)
    except OSError:
        return False
    try:
        return try_lock(fd, fcntl.LOCK_SH)
    except OSError:
        return False
    finally:
        os.close(fd)


def _tidy(folder: int) -> None:
    """Remove what dead processes left that nobody buried here."""
    for name in os.listdir(folder):
        with suppress(OSError):
            age = time.time() - os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime
            if name.endswith((_LOCKED, _FRESH)) and age > _LITTER and _is_free(folder, name):
                os.unlink(name, dir_fd=folder)


def _is_private(folder: os.stat_result) -> bool:
    return folder.st_uid == os.geteuid() and not stat.S_IMODE(folder.st_mode) & 0o077
