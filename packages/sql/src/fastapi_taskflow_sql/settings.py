"""Settings: small texts by name, changed only by who knows what they are now."""

from __future__ import annotations

from fastapi_taskflow_core.backends.settings import Setting, SettingChange

from . import statements
from .bulk import insert
from .connection import Clock, Connection, Contended
from .schema import SETTINGS
from .statements import Statements

_BEHIND_ALL = "\U0010ffff"


class Settings:
    """The settings of one database."""

    def __init__(self, sql: Statements, clock: Clock) -> None:
        self._sql = sql
        self._clock = clock

    def change(self, connection: Connection, change: SettingChange) -> bool:
        """Make the change if the version is as it says.

        Raises:
            Contended: another changed it meanwhile; nothing may be committed.
        """
        now = self._clock.now(connection)
        connection.execute(self._sql.render(statements.FORGET_SETTINGS), (now,))
        found = connection.fetch(self._sql.render(statements.SETTING), (change.name,))
        version = int(found[0][0]) if found else 0
        if change.version not in {None, version}:
            return False
        if change.value is None:
            connection.execute(self._sql.render(statements.DROP_SETTING), (change.name,))
            return True
        expires = None
        if change.lifetime is not None:
            expires = now + int(change.lifetime.total_seconds() * 1e6)
        if found:
            new = (change.value, version + 1, expires, change.name, version)
            changed = connection.execute(self._sql.render(statements.SET_SETTING), new)
        else:
            row = (change.name, change.value, 1, expires)
            changed = insert(self._sql, connection, SETTINGS, [row])
        if not changed:
            raise Contended
        return True

    def read(self, connection: Connection, prefix: str) -> dict[str, Setting]:
        """Every living setting whose name begins with *prefix*."""
        rows = connection.fetch(
            self._sql.render(statements.SETTINGS),
            (prefix, prefix + _BEHIND_ALL, self._clock.now(connection)),
        )
        return {name: Setting(value, version) for name, value, version in rows}
