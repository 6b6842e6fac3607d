"""Sessions: cookies that nobody else can make, and that end."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta

import pytest
from fake_manager import Cuttable, StoppedClock

from fastapi_taskflow_admin.auth.sessions import Session, Sessions
from fastapi_taskflow_core.backends.settings import SettingChange
from fastapi_taskflow_core.errors import BackendUnavailable

DAY = timedelta(days=1)
SECRET = "a secret that is long enough"


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def store(clock: StoppedClock) -> Cuttable:
    return Cuttable(clock=clock)


@pytest.fixture
def sessions(store: Cuttable, clock: StoppedClock) -> Sessions:
    return Sessions(store, clock.now, DAY, "/tasks")


def password(username: str) -> bytes:
    return f"the password of {username}".encode()


async def begun(sessions: Sessions, username: str = "ann") -> str:
    return await sessions.begin(username, password(username), "/tasks")


async def found(sessions: Sessions, cookie: str) -> Session | None:
    return await sessions.find(cookie, password)


@pytest.mark.parametrize("username", ["ann", "Jörg", "名前", "🔑" * 200, "a.b"])
async def test_a_session_is_found_by_its_cookie(sessions: Sessions, username: str) -> None:
    cookie = await begun(sessions, username)
    session = await found(sessions, cookie)
    assert session is not None
    assert (session.username, session.path) == (username, "/tasks")
    assert len(cookie) < 2_000
    assert cookie.isascii()


async def test_no_two_sessions_are_the_same(sessions: Sessions) -> None:
    assert await begun(sessions) != await begun(sessions)


async def test_a_session_is_over_after_its_time(sessions: Sessions, clock: StoppedClock) -> None:
    cookie = await begun(sessions)
    clock.turn(seconds=86_399)
    assert await found(sessions, cookie)
    clock.turn(seconds=1)
    assert await found(sessions, cookie) is None


async def test_every_changed_character_is_noticed(sessions: Sessions) -> None:
    cookie = await begun(sessions)
    for place in range(0, len(cookie) - 1, 3):
        other = "A" if cookie[place] != "A" else "B"
        forged = cookie[:place] + other + cookie[place + 1 :]
        assert await found(sessions, forged) is None, place


@pytest.mark.parametrize(
    "forged",
    ["", ".", "x", "x.y", "€", "é.é", "e30.", "." * 4_000, "A" * 5_000, "e30.e30", "[" * 3_000],
)
async def test_rubbish_is_no_session(sessions: Sessions, forged: str) -> None:
    await begun(sessions)
    assert await found(sessions, forged) is None


async def test_what_was_signed_cannot_be_exchanged(sessions: Sessions) -> None:
    payload, signature = (await begun(sessions)).split(".")
    told = json.loads(urlsafe_b64decode(payload + "=="))
    told["username"] = "root"
    changed = urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")
    assert await found(sessions, f"{changed}.{signature}") is None


async def test_all_processes_share_the_secret(store: Cuttable, clock: StoppedClock) -> None:
    first = Sessions(store, clock.now, DAY, "/tasks")
    second = Sessions(store, clock.now, DAY, "/tasks")
    assert await found(second, await begun(first))
    assert await found(first, await begun(second))


async def test_a_secret_made_before_the_storage_was_open_is_given_up(clock: StoppedClock) -> None:
    early, real = Cuttable(clock=clock), Cuttable(clock=clock)
    first = Sessions(early, clock.now, DAY, "/tasks")
    other = Sessions(real, clock.now, DAY, "/tasks")
    await begun(first)
    cookie = await begun(other)
    for name, setting in (await real.settings()).items():
        await early.change_setting(SettingChange(name, setting.value))
    assert await found(first, cookie)


async def test_a_given_secret_is_not_stored(store: Cuttable, clock: StoppedClock) -> None:
    await begun(Sessions(store, clock.now, DAY, "/tasks", SECRET))
    assert await store.settings() == {}


@pytest.mark.parametrize(
    ("audience", "secret"), [("/other", SECRET), ("/tasks", SECRET + "!"), ("/tasks", None)]
)
async def test_sessions_of_another_admin_are_not_valid(
    store: Cuttable, clock: StoppedClock, audience: str, secret: str | None
) -> None:
    ours = Sessions(store, clock.now, DAY, "/tasks", SECRET)
    theirs = Sessions(store, clock.now, DAY, audience, secret)
    assert await found(ours, await begun(theirs)) is None


async def test_a_session_that_was_ended_is_over_for_all_processes(
    sessions: Sessions, store: Cuttable, clock: StoppedClock
) -> None:
    cookie, other = await begun(sessions), await begun(sessions)
    session = await found(sessions, cookie)
    assert session is not None
    await sessions.end(session)
    elsewhere = Sessions(store, clock.now, DAY, "/tasks")
    assert await found(sessions, cookie) is None
    assert await found(elsewhere, cookie) is None
    assert await found(elsewhere, other)


async def test_what_was_ended_is_remembered_until_it_would_be_over(
    sessions: Sessions, store: Cuttable, clock: StoppedClock
) -> None:
    session = await found(sessions, await begun(sessions))
    assert session is not None
    await sessions.end(session)
    assert len(await store.settings("admin:ended:")) == 1
    clock.turn(seconds=86_400)
    assert await store.settings("admin:ended:") == {}


async def test_while_the_storage_is_away_this_process_knows_what_it_ended(
    sessions: Sessions, store: Cuttable
) -> None:
    cookie, other = await begun(sessions), await begun(sessions)
    session = await found(sessions, cookie)
    assert session is not None
    store.away = True
    with pytest.raises(BackendUnavailable):
        await sessions.end(session)
    assert await found(sessions, cookie) is None
    assert await found(sessions, other)


async def test_a_new_password_ends_the_sessions_of_the_old_one(sessions: Sessions) -> None:
    cookie = await begun(sessions)
    assert await sessions.find(cookie, lambda _: b"another") is None


async def test_a_cookie_says_nothing_about_the_password(sessions: Sessions) -> None:
    payload = (await begun(sessions)).partition(".")[0]
    told = json.loads(urlsafe_b64decode(payload + "=="))
    assert told.keys() == {"session_id", "username", "expires", "path", "fingerprint"}
    assert password("ann").hex()[:16] not in told["fingerprint"]
