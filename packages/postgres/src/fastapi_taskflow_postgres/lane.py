"""Threads with connections of their own, for work of one kind."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TypeVar

import psycopg2
from psycopg2.errors import ReadOnlySqlTransaction

from fastapi_taskflow_sql import Connection, Threads

from .session import Session
from .terms import Terms
from .transaction import Transaction

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
        """Do *work* in one transaction on these terms; waiting for its turn counts."""
        deadline = time.monotonic() + terms.seconds
        transaction = Transaction(work, terms.beginning, deadline)
        return await self._threads.run(partial(self._run, transaction))

    def _run(self, transaction: Transaction[T]) -> T:
        if transaction.late:
            raise TimeoutError("all connections are busy")
        with self._session(transaction.deadline) as session:
            return transaction.run(session)

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
