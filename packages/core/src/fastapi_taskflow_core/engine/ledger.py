"""Where a task's events are entered: status, journal and feed, always together."""

from __future__ import annotations

import traceback
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from ..lifecycle import Event, transition
from ..progress import remembered
from ..records import LogEntry, LogLevel, Progress, ProgressMark
from ..surroundings import Surroundings
from ..wording import storable
from .feed import Change, Feed, Moved, Said
from .journal import Journal
from .live import Live, LiveTask

_HERE = str(Path(__file__).parent.parent)
_ERROR_LENGTH, _STACK_LENGTH = 32_768, 65_536
_LINE_LENGTH, _LINES_PER_ATTEMPT = 8_192, 1_000


class Ledger:
    """Keeps record, storage and listeners of this instance's tasks in step."""

    def __init__(
        self, live: Live, journal: Journal, feed: Feed, surroundings: Surroundings
    ) -> None:
        self._live = live
        self._journal = journal
        self._feed = feed
        self._clock = surroundings.clock

    def open(self, task: LiveTask) -> None:
        """A new task is ours."""
        self._live.add(task)
        self._journal.put(task.record)
        if self._feed.subscribers:
            self._feed.publish(Change(task.record, None))

    def adopt(self, task: LiveTask) -> None:
        """A task that the backend has is ours from now on."""
        self._live.add(task)
        if self._feed.subscribers:
            self._feed.publish(Change(task.record, task.record.status))

    def enter(self, task: LiveTask, event: Event, error: str | None = None) -> None:
        """The event happens to the task now; *error* is what to tell of it, if not the record's."""
        record = task.record
        previous = record.status
        transition(record, event, self._clock.now())
        self._journal.put(record)
        if self._feed.subscribers:
            self._feed.publish(Change(record, previous, error))
        if record.status.finished:
            self._live.remove(task)

    def fail(self, task: LiveTask, error: BaseException) -> None:
        """The attempt ended with *error*, and there is no further one."""
        self.enter(task, Event.FAIL, self._note(task, error))

    def retry(self, task: LiveTask, error: BaseException, after: float) -> None:
        """The attempt ended with *error*; the next one is *after* seconds away."""
        told = self._note(task, error)
        task.record.run_at = self._clock.now() + timedelta(seconds=after)
        self.enter(task, Event.RETRY, told)

    def release(self, task: LiveTask) -> None:
        """The waiting task is anybody's: whoever is next runs it."""
        task.gone = True
        task.record.owner = None
        self._journal.put(task.record)
        self._live.remove(task)

    def withdraw(self, task: LiveTask) -> None:
        """The task was never meant to be."""
        task.gone = True
        self._journal.withdraw(task.record)
        self._live.remove(task)

    def reaffirm(self) -> None:
        """Put every task once more: the backend refuses those that others own by now."""
        for task in self._live:
            self._journal.put(task.record)

    def log(
        self, task: LiveTask, time: datetime, level: LogLevel, message: str, extra: object
    ) -> None:
        """The task says something; beyond a thousand lines an attempt only that they were many."""
        task.log_lines += 1
        if task.log_lines > _LINES_PER_ATTEMPT:
            if task.log_lines > _LINES_PER_ATTEMPT + 1:
                return
            level, message, extra = "warning", "further lines of this attempt are not kept", None
        task.log_seq += 1
        entry = LogEntry(
            task.log_seq,
            time,
            task.record.attempt,
            level,
            storable(message[:_LINE_LENGTH]),
            extra if isinstance(extra, dict) else None,
        )
        self._journal.log(task.record.task_id, entry)
        if self._feed.subscribers:
            self._feed.publish(Said(task.record, entry))

    def progress(self, task: LiveTask, time: datetime, progress: Progress) -> None:
        """The task says how far it is."""
        if not task.record.status.finished:
            told = task.record.progress
            new = ProgressMark(task.record.attempt, time, progress.done)
            marks = remembered(() if told is None else told.marks, new)
            task.record.progress = replace(progress, marks=marks)
            self._journal.put(task.record)
            if self._feed.subscribers:
                self._feed.publish(Moved(task.record))

    def _note(self, task: LiveTask, error: BaseException) -> str | None:
        """Put the error on record; what to tell of it, if that is something else."""
        record, veil = task.record, task.veil
        sentence = storable(_sentence(error)[:_ERROR_LENGTH])
        stack = storable(_stack(error)[-_STACK_LENGTH:])
        if veil is None:
            record.error, record.stacktrace = sentence, stack
            return None
        task.veil = None
        record.error = veil.sealed_error(record, error, sentence)
        record.stacktrace = veil.sealed(record, "stack", stack)
        return veil.masked(sentence)


def _sentence(error: BaseException) -> str:
    name = type(error).__name__
    try:
        text = str(error)
    except Exception as failure:  # noqa: BLE001  it is the user's __str__
        return f"{name} (which cannot be shown: {type(failure).__name__})"
    return f"{name}: {text}" if text else name


def _stack(error: BaseException) -> str:
    """The traceback from the task's own function on, without the frames that called it."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(_HERE):
        frames = frames.tb_next
    return "".join(traceback.TracebackException(type(error), error, frames).format())
