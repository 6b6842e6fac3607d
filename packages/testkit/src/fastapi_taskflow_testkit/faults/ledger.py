"""What really happened, whatever became of process and database: lines in a file."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path


class Ledger:
    """A file to which any number of processes append lines of a word and a number.

    Each line is written at once and whole, so that it is there if its writer is killed right
    after.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def note(self, what: str, number: int) -> None:
        """Append a line."""
        if self._fd is None:
            flags = os.O_APPEND | os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC
            self._fd = os.open(self._path, flags, 0o600)
        os.write(self._fd, f"{what} {number}\n".encode())

    def counts(self) -> Counter[tuple[str, int]]:
        """How often each line is there, by word and number."""
        text = self._path.read_text() if self._path.exists() else ""
        lines = (line.split() for line in text.splitlines())
        return Counter((what, int(number)) for what, number in lines)

    def numbers(self, what: str) -> set[int]:
        """The numbers noted with a word."""
        return {number for word, number in self.counts() if word == what}

    def close(self) -> None:
        """Let go of the file. Twice is once."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
