"""Where a database is: a path, a URL, or nowhere but in memory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote
from uuid import uuid4

_MEMORY = ":memory:"
_SCHEME = "sqlite://"


@dataclass(frozen=True, slots=True)
class Location:
    """The place of a database: a file, or, if that is None, memory under a name."""

    file: Path | None
    memory: str = ""

    @classmethod
    def parse(cls, place: str | os.PathLike[str]) -> Location:
        """Read a path, ``sqlite:///relative``, ``sqlite:////absolute`` or ``:memory:``."""
        if isinstance(place, Location):
            return place
        text = os.fspath(place)
        if text.startswith(_SCHEME):
            text = unquote(text.removeprefix(_SCHEME).removeprefix("/")) or _MEMORY
        if not text:
            raise ValueError("the path of a SQLite database is empty")
        if text == _MEMORY:
            return cls(None, f"taskflow-{uuid4().hex}")
        return cls(Path(text).absolute())

    def __fspath__(self) -> str:
        return _MEMORY if self.file is None else str(self.file)

    def uri(self, mode: str) -> str:
        """What SQLite opens; *mode* is ``ro`` or ``rw``."""
        if self.file is None:
            return f"file:{self.memory}?mode=memory&cache=shared"
        return f"{self.file.as_uri()}?mode={mode}"

    def beside(self, suffix: str) -> Path:
        """A path that belongs to the file, by whatever links it is reached."""
        if self.file is None:
            raise ValueError("a database in memory has no files")
        return Path(os.path.realpath(self.file) + suffix)
