"""The table of types without parts: how each is written in JSON and read back.

JSON knows ``None``, ``bool``, ``str``, finite ``float`` and ``int``; every other value is
written ``{"$": tag, "v": ...}`` with a tag of this table.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic_core import TzInfo

from .refusal import Refusal

Json = Any
Moment = TypeVar("Moment", datetime, time)


class Leaf(NamedTuple):
    """One line of the table. ``load`` may raise anything where the stored form is damaged."""

    tag: str
    kind: type
    dump: Callable[[Any], Json]
    load: Callable[[Json], object]


def text(value: str) -> str:
    """The string itself, or `Refusal` where UTF-8 cannot hold it."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        hint = f"character {error.start} is a lone surrogate, which is not valid Unicode"
        raise Refusal(value, hint) from None
    return value


def _dump_moment(moment: datetime | time) -> Json:
    zone = moment.tzinfo
    extra: dict[str, Json] = {"fold": 1} if moment.fold else {}
    if type(zone) is ZoneInfo:
        extra["zone"] = _key(zone)
        moment = moment.replace(tzinfo=None)
    elif type(zone) is timezone:
        name = zone.tzname(None)
        if name != timezone(zone.utcoffset(None)).tzname(None):
            extra["name"] = text(name)
    elif zone is not None and type(zone) is not TzInfo:
        raise Refusal(zone, "only datetime.timezone and zoneinfo.ZoneInfo time zones are kept")
    return {"at": moment.isoformat(), **extra} if extra else moment.isoformat()


def _key(zone: ZoneInfo) -> str:
    if zone.key is None:
        raise Refusal(zone, "a ZoneInfo made from a file has no IANA key to find it by")
    return zone.key


def _moment_loader(kind: type[Moment]) -> Callable[[Json], Moment]:
    def load(stored: Json) -> Moment:
        if isinstance(stored, str):
            return kind.fromisoformat(stored)
        moment = kind.fromisoformat(stored["at"])
        zone: tzinfo | None = moment.tzinfo
        if "zone" in stored:
            zone = ZoneInfo(stored["zone"])
        elif "name" in stored and zone is not None:
            zone = timezone(zone.utcoffset(None) or timedelta(), stored["name"])
        return moment.replace(tzinfo=zone, fold=stored.get("fold", 0))

    return load


def _dump_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _load_bytes(stored: str) -> bytes:
    return base64.b64decode(stored, validate=True)


def _dump_timedelta(value: timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


def _load_timedelta(stored: list[int]) -> timedelta:
    days, seconds, microseconds = stored
    return timedelta(days, seconds, microseconds)


LEAVES = (
    # Digits beyond sys.get_int_max_str_digits() cannot be written in base ten.
    Leaf("int", int, hex, lambda stored: int(stored, 16)),
    # JSON has no NaN and no infinities.
    Leaf("float", float, repr, float),
    Leaf("bytes", bytes, _dump_bytes, _load_bytes),
    Leaf("datetime", datetime, _dump_moment, _moment_loader(datetime)),
    Leaf("date", date, date.isoformat, date.fromisoformat),
    Leaf("time", time, _dump_moment, _moment_loader(time)),
    Leaf("timedelta", timedelta, _dump_timedelta, _load_timedelta),
    Leaf("uuid", UUID, str, UUID),
    Leaf("decimal", Decimal, str, Decimal),
    Leaf("path", type(Path()), str, Path),
    Leaf("posixpath", PurePosixPath, str, PurePosixPath),
    Leaf("windowspath", PureWindowsPath, str, PureWindowsPath),
)
