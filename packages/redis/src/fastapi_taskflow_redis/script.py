"""The scripts: one file for each operation, sent once and called by its digest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha1
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua program and the name Redis gives it."""

    text: str
    digest: str


@cache
def script(name: str) -> Script:
    """The script ``<name>.lua``, with the part that all share before it."""
    folder = files(__package__) / "scripts"
    text = "\n".join((folder / f"{each}.lua").read_text("utf-8") for each in ("tasks", name))
    # The digest is a name, not a proof.
    return Script(text, sha1(text.encode(), usedforsecurity=False).hexdigest())
