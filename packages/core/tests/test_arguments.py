"""What a task is called with comes back equal and of the same type, or is refused at once."""

from __future__ import annotations

import enum
import functools
import itertools
import math
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import MappingProxyType
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, TypedDict, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, RootModel, TypeAdapter

from fastapi_taskflow_core.arguments import ArgumentCodec, TypedJsonCodec
from fastapi_taskflow_core.errors import PayloadError, TaskArgumentError

T = TypeVar("T")
_counter = itertools.count()


class Colour(enum.Enum):
    RED = 1
    CRIMSON = 1
    BLUE = (0, 0, 255)


class Size(enum.StrEnum):
    SMALL = "small"


class Level(enum.IntEnum):
    HIGH = 3


class Right(enum.Flag):
    READ = enum.auto()
    WRITE = enum.auto()


@dataclass
class Line:
    name: str
    price: Any = 0


@dataclass
class Order:
    lines: list[Line]
    colour: Colour | None = None


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float = field(default=0.0, compare=False)


@dataclass
class Measured:
    width: int
    area: int = field(init=False)

    def __post_init__(self) -> None:
        self.area = self.width**2
        self.width += 1
        self.note = "not a field"


@dataclass
class Box(Generic[T]):
    content: T


class Address(BaseModel):
    street: str
    since: datetime | None = None


class Person(BaseModel):
    model_config = ConfigDict(extra="allow")
    name: str = Field(alias="fullName")
    address: Address | None = None
    friends: list[Person] = []
    _secret: int = PrivateAttr(default_factory=lambda: next(_counter))


def person(**more: Any) -> Person:
    return Person(fullName="Ada", **more)


class Tags(RootModel[list[Size]]):
    """A model that is a list."""


class Options(TypedDict):
    size: Size


class Pair(NamedTuple):
    left: int
    right: int


class MyInt(int):
    """An int that must not come back as a plain one."""


class Foreign:
    """A class that nobody announced."""

    def __repr__(self) -> str:
        return "Foreign()"


def anything(*values: Any, **named: Any) -> None:
    """A task without useful annotations."""


def shop(
    order: Order,
    people: Mapping[str, list[Person]],
    *rest: Tags | Size | Level | Right | Point | Measured | Box[Literal[Colour.RED]],
    **options: Any,
) -> Address:
    """A task that says what it takes."""
    raise NotImplementedError


@dataclass
class Cached:
    size: int

    @functools.cached_property
    def connection(self) -> Foreign:
        return Foreign()


class Page(BaseModel, Generic[T]):
    items: list[T]


Small = NewType("Small", Size)
L = TypeVar("L", bound=Level)


def ship(
    order: Cached, page: Page[Line] | None, size: Annotated[Small, "how large"], level: list[L]
) -> None:
    """A task whose annotations are spelled in many ways."""


def round_trip(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    codec: ArgumentCodec = TypedJsonCodec()
    payload = codec.encode("id", "shop", function, args, kwargs)
    return codec.decode("id", "shop", function, payload)


def text_of(value: Any) -> str:
    """A text to sort by, which a huge int has only in base sixteen."""
    return hex(value) if type(value) is int else repr(value)


def same(one: Any, other: Any) -> bool:
    """Equal and of the same type, all the way down; NaN is itself, -0.0 is not 0.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same(list(one.items()), list(other.items()))
    if isinstance(one, set | frozenset):
        return same(sorted(one, key=text_of), sorted(other, key=text_of))
    if is_dataclass(one):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    if isinstance(one, float | Decimal | datetime | time):
        return repr(one) == repr(other)
    return bool(one == other)


def fixed_zones() -> st.SearchStrategy[tzinfo]:
    minutes = st.integers(-1439, 1439)
    return minutes.map(lambda offset: timezone(timedelta(minutes=offset)))


def scalars() -> st.SearchStrategy[Any]:
    zones = st.none() | st.timezones() | fixed_zones()
    folds = st.integers(0, 1)
    return (
        st.none()
        | st.booleans()
        | st.integers()
        | st.integers(-5000, 5000).map(lambda n: n * 10**5000)
        | st.floats()
        | st.text()
        | st.binary()
        | st.builds(lambda at, fold: at.replace(fold=fold), st.datetimes(timezones=zones), folds)
        | st.dates()
        | st.builds(lambda at, fold: at.replace(fold=fold), st.times(timezones=zones), folds)
        | st.timedeltas()
        | st.uuids()
        | st.decimals().filter(lambda number: not number.is_snan())
        | st.sampled_from([*Colour, *Size, *Level, Right(0), Right(3), Right.READ])
        | st.sampled_from([Path("a/b"), PurePosixPath("/x"), PureWindowsPath("c:\\y")])
        | st.builds(Point, st.floats(allow_nan=False), st.just(0.0))
    )


def values() -> st.SearchStrategy[Any]:
    keys = scalars()
    return st.recursive(
        keys | st.frozensets(keys, max_size=3) | st.sets(keys, max_size=3),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.lists(inner, max_size=3).map(tuple)
            | st.dictionaries(keys | st.just("$"), inner, max_size=4)
            | st.dictionaries(st.text(max_size=3), inner, max_size=4)
            | st.builds(Line, st.text(), inner)
        ),
        max_leaves=12,
    )


def known_codec() -> TypedJsonCodec:
    codec = TypedJsonCodec()
    for kind in (Colour, Size, Level, Right, Point, Line):
        codec.register(kind)
    return codec


@given(values(), st.dictionaries(st.text(max_size=3), values(), max_size=2))
@settings(max_examples=150)
def test_every_value_comes_back_equal_and_of_the_same_type(
    value: Any, named: dict[str, Any]
) -> None:
    codec = known_codec()
    payload = codec.encode("id", "task", anything, (value,), named)
    args, kwargs = codec.decode("id", "task", anything, payload)
    assert same(args, (value,))
    assert same(kwargs, named)
    stored = codec.encode_value("id", "task", anything, value)
    assert same(codec.decode_value("id", "task", anything, stored), value)


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        -math.inf,
        -0.0,
        1e22,
        10**5000,
        -(2**64),
        b"\x00\xff",
        "\0 \N{GRINNING FACE} \u2028",
        {"$": "datetime", "v": "no date"},
        {1: "a", "1": "b", (1, 2): "c", None: "d"},
        {True: 1.0},
        frozenset({1, "a"}),
        datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
        datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1), "Here")),
        datetime(2026, 1, 1, microsecond=1, tzinfo=UTC),
        time(1, 2, fold=1),
        time(1, 2, tzinfo=ZoneInfo("Asia/Tokyo")),
        date(1, 1, 1),
        timedelta.min,
        UUID(int=5),
        Decimal("-0.10"),
        Decimal("sNaN123"),
        Path("/etc") / "file",
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_builtin_value_needs_no_annotation(value: Any) -> None:
    args, kwargs = round_trip(anything, value, name=[value])
    assert same((args, kwargs), ((value,), {"name": [value]}))


@pytest.mark.parametrize(
    "value",
    [
        Order([Line("a", Decimal("1.5")), Line("b", [Colour.BLUE])], Colour.CRIMSON),
        Person(fullName="Ada", address=Address(street="S", since=datetime(2026, 1, 1, tzinfo=UTC))),
        person(friends=[person()], nickname=(1, 2)),
        Tags([Size.SMALL]),
        Size.SMALL,
        Level.HIGH,
        Right.READ | Right.WRITE,
        Right(0),
        Point(1.0, 2.0),
        Box(Colour.RED),
        Address(street="from the return annotation"),
    ],
    ids=repr,
)
def test_classes_in_the_annotations_come_back(value: Any) -> None:
    args, kwargs = round_trip(shop, value, x={"deep": [value]})
    assert (args, kwargs) == ((value,), {"x": {"deep": [value]}})
    assert type(args[0]) is type(value)


def test_a_dataclass_is_restored_without_running_its_init_again() -> None:
    ((back,), _) = round_trip(shop, Measured(3))
    assert (back.width, back.area, back.note) == (4, 9, "not a field")


def test_a_model_keeps_what_was_set_and_what_is_private() -> None:
    ada = person(nickname="A")
    ((back,), _) = round_trip(shop, ada)
    assert back == ada
    assert (back.model_fields_set, back.model_extra) == ({"name", "nickname"}, {"nickname": "A"})


def test_times_parsed_by_pydantic_keep_their_offset() -> None:
    parsed = TypeAdapter(datetime).validate_python("2026-01-01T12:00:00+02:00")
    ((back,), _) = round_trip(anything, parsed)
    assert back == parsed
    assert back.utcoffset() == timedelta(hours=2)


class Robot:
    def __call__(self, order: Order) -> None: ...

    def method(self, order: Order) -> None: ...


@functools.wraps(shop)
def wrapped(*args: Any) -> None: ...


def typed_dict(options: Options) -> None: ...


@pytest.mark.parametrize(
    ("function", "value"),
    [
        (functools.partial(shop, people={}), Order([])),
        (Robot(), Order([])),
        (Robot().method, Order([])),
        (wrapped, Order([])),
        (typed_dict, {"size": Size.SMALL}),
    ],
)
def test_annotations_are_found_behind_other_callables(
    function: Callable[..., Any], value: Any
) -> None:
    assert round_trip(function, value)[0] == (value,)


def test_one_annotation_that_cannot_be_resolved_spoils_no_other() -> None:
    def task(size: Size, missing: Missing) -> None:  # type: ignore[name-defined]  # noqa: F821
        ...

    assert round_trip(task, Size.SMALL)[0] == (Size.SMALL,)


def test_a_registered_class_needs_no_annotation() -> None:
    codec = TypedJsonCodec()
    codec.register(Colour)
    payload = codec.encode("id", "task", anything, (Colour.BLUE,), {})
    assert codec.decode("id", "task", anything, payload) == ((Colour.BLUE,), {})


def test_any_class_can_be_registered_with_a_way_there_and_back() -> None:
    codec = TypedJsonCodec()
    codec.register(complex, dump=lambda value: (value.real, value.imag), load=lambda v: complex(*v))
    payload = codec.encode("id", "task", anything, (), {"z": 1 + 2j})
    assert codec.decode("id", "task", anything, payload) == ((), {"z": 1 + 2j})


def test_a_registered_way_that_fails_is_a_refusal() -> None:
    codec = TypedJsonCodec()
    codec.register(Foreign, dump=lambda value: 1 / 0, load=lambda stored: Foreign())
    with pytest.raises(TaskArgumentError, match="dump raised ZeroDivisionError"):
        codec.encode("id", "task", anything, (Foreign(),), {})


def test_keyword_arguments_may_be_any_mapping_with_any_names() -> None:
    codec = TypedJsonCodec()
    named = MappingProxyType({"$": "uuid", "v": [UUID(int=1)]})
    payload = codec.encode("id", "task", anything, (), named)
    assert codec.decode("id", "task", anything, payload) == ((), dict(named))


def test_what_can_be_computed_again_is_not_stored() -> None:
    order = Cached(2)
    assert order.connection is not None
    ((back,), _) = round_trip(ship, order)
    assert vars(back) == {"size": 2}


def test_annotations_mention_classes_through_every_kind_of_alias() -> None:
    assert round_trip(ship, Cached(1), Page[Line](items=[Line("a")]), Size.SMALL, Level.HIGH) == (
        (Cached(1), Page[Line](items=[Line("a")]), Size.SMALL, Level.HIGH),
        {},
    )


@pytest.mark.parametrize(
    ("error", "arguments"),
    [
        (TypeError, {"kind": "Colour"}),
        (TypeError, {"kind": Foreign}),
        (ValueError, {"kind": Foreign, "dump": str}),
    ],
)
def test_a_registration_that_makes_no_sense_is_refused(
    error: type[Exception], arguments: dict[str, Any]
) -> None:
    with pytest.raises(error, match=r"register\(\)"):
        TypedJsonCodec().register(**arguments)


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (MyInt(3), "pass int"),
        (defaultdict(list), "pass dict"),
        (OrderedDict(), "pass dict"),
        (Pair(1, 2), "pass tuple"),
        (Foreign(), "pass an id"),
        (Foreign, "functions and classes"),
        (print, "functions and classes"),
        (bytearray(b"x"), "pass an id"),
        (1j, "pass an id"),
        (Colour.RED, "annotate the parameter"),
        (Line("a"), "annotate the parameter"),
        (Address(street="a"), "annotate the parameter"),
        ("\ud800", "lone surrogate"),
        ({"\ud800": 1}, "lone surrogate"),
        (Path("\udc80"), "lone surrogate"),
    ],
    ids=repr,
)
def test_what_would_not_come_back_the_same_is_refused(value: Any, hint: str) -> None:
    codec = TypedJsonCodec()
    with pytest.raises(TaskArgumentError, match=hint):
        codec.encode("id", "task", anything, (value,), {})
    with pytest.raises(TaskArgumentError, match=r"argument 'result.*" + hint):
        codec.encode_value("id", "task", anything, value)


class Nowhere(tzinfo):
    """A time zone that no text stands for."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        return timedelta()

    def dst(self, moment: datetime | None) -> timedelta:
        return timedelta()

    def tzname(self, moment: datetime | None) -> str:
        return "nowhere"


def test_a_time_zone_of_ones_own_is_refused() -> None:
    with pytest.raises(TaskArgumentError, match=r"zoneinfo\.ZoneInfo"):
        round_trip(anything, datetime(2026, 1, 1, tzinfo=Nowhere()))


@pytest.mark.parametrize(
    ("args", "kwargs", "path"),
    [
        ((Order([Line("a"), Line("b", 1j)]),), {}, "order.lines[1].price"),
        ((Order([]), {"a b": [1, 1j]}), {}, "people['a b'][1]"),
        ((Order([]), {}, 1, 1j), {}, "rest[1]"),
        ((Order([]), {("k",): 1j}), {}, "people[('k',)]"),
        ((Order([]), {1j: 1}), {}, "people.keys()"),
        ((Order([]), {}), {"more": ({1j},)}, "more[0]"),
        ((person(nick=1j),), {}, "order.nick"),
        (("fine", ["\ud800"]), {}, "people[0]"),
        (({10**5000: 1j},), {}, "order[...]"),
    ],
)
def test_the_error_names_the_value_as_python_would(
    args: tuple[Any, ...], kwargs: dict[str, Any], path: str
) -> None:
    with pytest.raises(TaskArgumentError) as caught:
        round_trip(shop, *args, **kwargs)
    assert caught.value.path == path


def test_an_argument_beyond_the_signature_is_named_by_its_place() -> None:
    def nothing() -> None: ...

    with pytest.raises(TaskArgumentError, match=r"'args\[1\]'"):
        round_trip(nothing, 1, 1j)


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_fifty_levels_are_kept_and_one_more_is_refused() -> None:
    assert round_trip(anything, nested(50))[0] == (nested(50),)
    with pytest.raises(TaskArgumentError, match="deeper than 50"):
        round_trip(anything, nested(51))


def test_a_value_that_contains_itself_is_refused() -> None:
    cycle: dict[str, Any] = {}
    cycle["me"] = [cycle]
    with pytest.raises(TaskArgumentError, match="in itself"):
        round_trip(anything, cycle)


def test_a_value_that_repeats_without_end_is_refused_early() -> None:
    value: list[Any] = []
    for _ in range(40):
        value = [value] * 10
    with pytest.raises(TaskArgumentError, match="larger than"):
        round_trip(anything, value)


def test_the_largest_argument_is_named_when_all_are_too_large() -> None:
    codec = TypedJsonCodec(max_bytes=1000)
    with pytest.raises(TaskArgumentError, match=r"'text'.*limit is 1000"):
        codec.encode("id", "task", anything, (1,), {"small": 1, "text": "x" * 1000})
    with pytest.raises(TaskArgumentError, match="'result'"):
        codec.encode_value("id", "task", anything, "x" * 1000)


@pytest.mark.parametrize("limit", [{"max_bytes": 0}, {"max_depth": 0}, {"max_depth": 101}])
def test_limits_out_of_range_are_refused(limit: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(limit))):
        TypedJsonCodec(**limit)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"args":{},"kwargs":{}}',
        b'{"args":[NaN],"kwargs":{}}',
        b'{"args":[' + b"[" * 100_000,
        b'{"args":[' + b'{"$":"tuple","v":[' * 400 + b"]}" * 400 + b'],"kwargs":{}}',
        b'{"args":[' + b"1" * 5000 + b'],"kwargs":{}}',
        *(
            b'{"args":[' + tagged + b'],"kwargs":{}}'
            for tagged in (
                b'{"$":"os.system","v":"true"}',
                b'{"$":["list"]}',
                b'{"$":"uuid"}',
                b'{"$":"uuid","v":5}',
                b'{"$":"bytes","v":"?"}',
                b'{"$":"datetime","v":{"at":"2026-01-01","zone":"No/Where"}}',
                b'{"$":"set","v":[[]]}',
                b'{"$":"dict","v":[[[],1]]}',
                b'{"$":"enum","c":"os.system","v":"x"}',
                b'{"$":"enum","c":"NAME.Size","v":"GONE"}',
                b'{"$":"enum","c":"NAME.Order","v":"x"}',
                b'{"$":"dataclass","c":"NAME.Size","v":{}}',
                b'{"$":"dataclass","c":"NAME.Order","v":{}}',
                b'{"$":"model","c":"NAME.Size","v":{}}',
                b'{"$":"model","c":"NAME.Address","v":{"fields":{},"set":[]}}',
                b'{"$":"registered","c":"NAME.Size","v":1}',
            )
        ),
    ],
    ids=lambda payload: payload[:70],
)
def test_a_payload_that_makes_no_sense_is_a_payload_error(payload: bytes) -> None:
    with pytest.raises(PayloadError, match=r"the stored arguments of 'task'"):
        TypedJsonCodec().decode("id", "task", shop, payload.replace(b"NAME", __name__.encode()))


@given(st.data())
@settings(max_examples=150)
def test_damaged_bytes_raise_nothing_but_a_payload_error(data: st.DataObject) -> None:
    codec = known_codec()
    value = [Order([Line("a", Decimal(1))]), {(1,): {b"x"}}, datetime(2026, 1, 1, tzinfo=UTC)]
    payload = bytearray(codec.encode("id", "task", shop, (value,), {"k": Right.READ}))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(payload) - 1))
        payload[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=2))
    try:
        codec.decode("id", "task", shop, bytes(payload))
    except PayloadError as error:
        assert "'task'" in str(error)


def test_a_field_added_since_then_gets_its_default() -> None:
    codec = TypedJsonCodec()
    order = codec.encode("id", "task", shop, (Order([]), Address(street="a")), {})
    older = order.replace(b',"colour":null', b"").replace(b',"since":null', b"")
    assert len(older) < len(order)
    args, _ = codec.decode("id", "task", shop, older)
    assert args == (Order([]), Address(street="a"))
