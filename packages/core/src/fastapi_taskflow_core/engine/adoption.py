"""From a claimed record to a task that is live here, and runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import Context

from ..records import TaskRecord
from ..registry import Registry
from .journal import Journal
from .ledger import Ledger
from .live import LiveTask
from .patience import Patience
from .setbacks import Setbacks


class Adoption:
    """Takes in tasks that the backend has handed to this instance.

    Args:
        patience: Over when the engine drains: then they are given away again.
        begin: Called with each task that may run.
    """

    def __init__(
        self,
        registry: Registry,
        journal: Journal,
        ledger: Ledger,
        setbacks: Setbacks,
        patience: Patience,
        begin: Callable[[LiveTask], None],
    ) -> None:
        self._registry = registry
        self._journal = journal
        self._ledger = ledger
        self._setbacks = setbacks
        self._patience = patience
        self._begin = begin

    def take(self, claimed: Sequence[TaskRecord]) -> None:
        """These are ours from now on."""
        self._journal.adopt(claimed)
        for record in claimed:
            function = self._registry[record.func_name]
            record.executor = function.executor  # it may have been another when it was added
            task = LiveTask(record, function, None, Context())
            task.confirmed = True
            self._ledger.adopt(task)
            if self._patience.over:
                self._setbacks.give_away(task)
            else:
                self._begin(task)
