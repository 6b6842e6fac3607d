"""Work in a transaction, and what becomes of transactions that meet."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from psycopg2.extensions import TransactionRollbackError

from fastapi_taskflow_sql import Connection

from .session import Session

_PAUSES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Most seconds before a transaction that met another is tried again."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Transaction(Generic[T]):
    """What is to be done in one transaction, until a deadline of the monotonic clock."""

    work: Callable[[Connection], T]
    beginning: str
    deadline: float

    @property
    def late(self) -> bool:
        """Whether there is no time left to begin."""
        return time.monotonic() > self.deadline

    def run(self, session: Session) -> T:
        """Do the work; again if the server chose it to give way in a deadlock."""
        for pause in _PAUSES:
            try:
                return self._try(session)
            except TransactionRollbackError:
                session.roll_back()
                time.sleep(random.uniform(0, pause))  # noqa: S311  no secret
        return self._try(session)

    def _try(self, session: Session) -> T:
        session.begin(self.beginning, self.deadline)
        result = self.work(session)
        session.commit()
        return result
