"""A traceback as parts to look at: the last error first, the application's frames before others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

_START = "Traceback (most recent call last):"
_FRAME = re.compile(r'  File "(?P<file>.*)", line (?P<line>\d+)(?:, in (?P<function>.*))?')
_LINKS = {
    "The above exception was the direct cause of the following exception:": "Caused by",
    "During handling of the above exception, another exception occurred:": "While handling",
}
_LIBRARY = re.compile(r"[/\\]((site|dist)-packages[/\\]|lib[/\\]python\d)|^<|fastapi_taskflow_")

_SHOWN = 2
"""Parts of a path."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A call in a traceback."""

    file: str
    line: int
    function: str
    code: str

    @property
    def library(self) -> bool:
        """Whether it is not the application's own."""
        return _LIBRARY.search(self.file) is not None

    @property
    def place(self) -> str:
        """The end of its path, which is what tells files apart."""
        parts = re.split(r"[/\\]", self.file)
        return self.file if len(parts) <= _SHOWN else "…/" + "/".join(parts[-_SHOWN:])


@dataclass(frozen=True, slots=True)
class Block:
    """Frames that follow each other, all of libraries or all of the application."""

    library: bool
    frames: Sequence[Frame]


@dataclass(slots=True)
class Raised:
    """One exception; ``relation`` says what it has to do with the one shown before it."""

    relation: str = ""
    error: str = ""
    frames: list[Frame] = field(default_factory=list)

    @property
    def blocks(self) -> list[Block]:
        """Its frames, those of libraries apart."""
        return [
            Block(library, list(frames))
            for library, frames in groupby(self.frames, lambda frame: frame.library)
        ]


def parts(stacktrace: str) -> list[Raised]:
    """The exceptions of a traceback, the last one first; none if it is of another form."""
    lines = stacktrace.rstrip().splitlines()
    if any(line.startswith(("  + ", "  | ", "  +-")) for line in lines):
        return []  # an exception group, which is a tree
    found, links = _read(lines)
    if not found or any(not each.error for each in found):
        return []
    for each, link in zip(found, links, strict=False):
        each.relation = link
    return found[::-1]


def _read(lines: Iterable[str]) -> tuple[list[Raised], list[str]]:
    found: list[Raised] = []
    links: list[str] = []
    code: list[str] | None = None
    for line in lines:
        if line == _START:
            found.append(Raised())
            code = None
        elif line in _LINKS:
            links.append(_LINKS[line])
        elif not found:
            return [], []
        elif frame := _FRAME.fullmatch(line):
            code = []
            found[-1].frames.append(_frame(frame, ""))
        elif line.startswith("    ") and code is not None and not found[-1].error:
            code.append(line[4:])
            last = found[-1].frames.pop()
            found[-1].frames.append(
                Frame(last.file, last.line, last.function, "\n".join(_plain(code)))
            )
        elif not line.startswith("  ") or found[-1].error:
            found[-1].error = f"{found[-1].error}\n{line}".strip()
    return found, links


def _frame(match: re.Match[str], code: str) -> Frame:
    return Frame(match["file"], int(match["line"]), match["function"] or "", code)


def _plain(code: Sequence[str]) -> Iterator[str]:
    """The code without the marks that point into it."""
    return (line for line in code if line.strip(" ^~"))
