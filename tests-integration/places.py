"""Storage of one test alone, of each kind: a file, or a server of its own with its folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from fastapi_taskflow_testkit.servers import (
    REDIS_PROGRAM,
    MySQLRecipe,
    PostgresRecipe,
    PrivateServer,
    Recipe,
    RedisRecipe,
    missing,
    mysql_program,
    postgres_program,
)

KINDS = ("sqlite", "postgres", "mysql", "redis")


@dataclass
class Place:
    """Where tasks are kept. ``server`` is None for a file."""

    url: str
    folder: Path
    server: PrivateServer | None = None

    def close(self) -> None:
        """Nobody writes there any more: what is kept is in the files of ``folder``."""
        if self.server is not None:
            self.server.stop()

    def holds(self, words: bytes) -> list[Path]:
        """The files that have these words in them."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return [path for path in files if words in path.read_bytes()]


@contextmanager
def place(kind: str, environment: Mapping[str, str] | None = None) -> Iterator[Place]:
    """A new place of this kind; nothing of it is left. A server gets the *environment*."""
    # Not below pytest's own folder, where a server that is another user has no way in.
    with TemporaryDirectory(prefix=f"taskflow-{kind}-") as name:
        folder = Path(name)
        if kind == "sqlite":
            yield Place(f"sqlite:///{folder / 'tasks.db'}", folder)
            return
        recipe, program = _recipe(kind)
        if which(program) is None:
            missing(kind, f"install {program}")
        with PrivateServer(recipe, folder, environment) as server:
            yield Place(server.url, folder, server)


def _recipe(kind: str) -> tuple[Recipe, str]:
    match kind:
        case "postgres":
            return PostgresRecipe(), postgres_program("postgres")
        case "mysql":
            return MySQLRecipe(), mysql_program()
        case "redis":
            return RedisRecipe(), REDIS_PROGRAM
        case _:
            raise LookupError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
