"""Threads with connections of their own, for work of one kind on a server."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from .connection import Connection
from .threads import Threads

_PAUSES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Most seconds before a transaction that met another is tried again."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a transaction: in how many seconds it is over, and what begins it."""

    seconds: float
    beginning: str


class Session(Connection, Protocol):
    """A connection to a server, used by one thread at a time. Deadlines are moments of the
    monotonic clock, in seconds; what takes longer raises `TimeoutError`.
    """

    @property
    def usable(self) -> bool:
        """Whether the connection is there and rests between two transactions."""

    def begin(self, statement: str, deadline: float) -> None:
        """Be in a transaction from the next statement on; *statement* begins it."""

    def commit(self) -> None:
        """End the transaction, if there was a statement in it."""

    def roll_back(self) -> None:
        """Undo the transaction, if there was a statement in it."""

    def close(self) -> None:
        """Let go of the connection. Twice is once."""


class Driver(Protocol):
    """What differs from one driver to the next."""

    def connect(self, deadline: float) -> Session:
        """A new connection, made until the deadline."""

    def met_another(self, error: BaseException) -> bool:
        """Whether a transaction failed because of another one, and may be tried again."""

    def out_of_place(self, error: BaseException) -> bool:
        """Whether a new connection may find a better server."""


class Lane:
    """Runs transactions, at most so many at once, and keeps what they connected with.

    Args:
        name: Of the threads.
        count: How many threads, and connections.
        driver: How to connect, and what errors mean.
    """

    def __init__(self, name: str, count: int, driver: Driver) -> None:
        self._threads = Threads(name, count)
        self._driver = driver
        self._resting: deque[Session] = deque()
        self._open = False

    def start(self) -> None:
        """Take work from now on. Twice is once."""
        self._open = True
        self._threads.start()

    def stop(self) -> None:
        """Take no more work, and close connections once they rest. Twice is once."""
        self._open = False
        self._threads.stop()
        self._close_resting()

    async def run(self, work: Callable[[Connection], T], terms: Terms) -> T:
        """Do *work* in one transaction on these terms; waiting for its turn counts.

        A transaction that met another one in a deadlock is tried again.
        """
        deadline = time.monotonic() + terms.seconds
        transaction = partial(self._transact, work, terms.beginning, deadline)
        return await self._threads.run(partial(self._lend, transaction, deadline))

    def _lend(self, transaction: Callable[[Session], T], deadline: float) -> T:
        if time.monotonic() > deadline:
            raise TimeoutError("all connections are busy")
        with self._session(deadline) as session:
            return transaction(session)

    @contextmanager
    def _session(self, deadline: float) -> Iterator[Session]:
        session = self._rested() or self._driver.connect(deadline)
        try:
            yield session
        except BaseException as error:
            if self._driver.out_of_place(error):
                session.close()
            with suppress(Exception):  # the first error tells more
                session.roll_back()
            raise
        finally:
            self._give_back(session)

    def _rested(self) -> Session | None:
        with suppress(IndexError):
            while True:
                session = self._resting.pop()
                if session.usable:
                    return session
                session.close()
        return None

    def _give_back(self, session: Session) -> None:
        if session.usable:
            self._resting.append(session)
        else:
            session.close()
        if not self._open:
            self._close_resting()

    def _close_resting(self) -> None:
        with suppress(IndexError):
            while True:
                self._resting.pop().close()

    def _transact(
        self, work: Callable[[Connection], T], beginning: str, deadline: float, session: Session
    ) -> T:
        for pause in _PAUSES:
            try:
                return _try(work, beginning, deadline, session)
            except Exception as error:
                if not self._driver.met_another(error):
                    raise
                session.roll_back()
                time.sleep(random.uniform(0, pause))  # noqa: S311  no secret
        return _try(work, beginning, deadline, session)


def _try(work: Callable[[Connection], T], beginning: str, deadline: float, session: Session) -> T:
    session.begin(beginning, deadline)
    result = work(session)
    session.commit()
    return result
