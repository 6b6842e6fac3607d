"""Threads with connections of their own, for work of one kind."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TypeVar

import psycopg2
from psycopg2.errors import ReadOnlySqlTransaction
from psycopg2.extensions import TransactionRollbackError

from fastapi_taskflow_sql import Connection, Threads

from .session import Session
from .terms import Terms

_PAUSES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Most seconds before a transaction that met another is tried again."""
T = TypeVar("T")


class Lane:
    """Runs transactions, at most so many at once, and keeps what they connected with.

    Args:
        name: Of the threads.
        count: How many threads, and connections.
        connect: Makes a connection until a deadline of the monotonic clock.
    """

    def __init__(self, name: str, count: int, connect: Callable[[float], Session]) -> None:
        self._threads = Threads(name, count)
        self._connect = connect
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
        transaction = partial(_transact, work, terms.beginning, deadline)
        return await self._threads.run(partial(self._lend, transaction, deadline))

    def _lend(self, transaction: Callable[[Session], T], deadline: float) -> T:
        if time.monotonic() > deadline:
            raise TimeoutError("all connections are busy")
        with self._session(deadline) as session:
            return transaction(session)

    @contextmanager
    def _session(self, deadline: float) -> Iterator[Session]:
        session = self._rested() or self._connect(deadline)
        try:
            yield session
        except ReadOnlySqlTransaction:
            # The server has become a standby: a new connection may find its successor.
            session.close()
            raise
        except BaseException:
            with suppress(psycopg2.Error, TimeoutError):
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
    work: Callable[[Connection], T], beginning: str, deadline: float, session: Session
) -> T:
    for pause in _PAUSES:
        try:
            return _try(work, beginning, deadline, session)
        except TransactionRollbackError:
            session.roll_back()
            time.sleep(random.uniform(0, pause))  # noqa: S311  no secret
    return _try(work, beginning, deadline, session)


def _try(work: Callable[[Connection], T], beginning: str, deadline: float, session: Session) -> T:
    session.begin(beginning, deadline)
    result = work(session)
    session.commit()
    return result
