"""The manager: it builds the parts, hands them to each other, and delegates."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from fastapi import FastAPI

from . import checks
from .announcer import announce
from .arguments import ArgumentCodec, TypedJsonCodec
from .backends.audit import AuditStore
from .backends.base import Backend
from .backends.guarded import GuardedBackend
from .backends.memory import MemoryBackend
from .backends.scheduling import Later
from .backends.settings import SettingStore
from .background import ManagedBackgroundTasks
from .collector import Collector
from .dependency import task_list_dependency
from .display import shown_arguments
from .engine.awaiting import wait_for_end
from .engine.engine import Engine, EngineSettings
from .engine.feed import Feed
from .engine.queues import QueueStats
from .errors import CommitTimeout, TaskStateError
from .health import Health, health_of
from .injection import hook_into_fastapi
from .middleware import LifespanMiddleware, TaskListMiddleware, installed
from .observers import FileLogger, FileMode, ObserverChain, TaskObserver
from .options import UNCHANGED, QueueConfig, TaskOptions, Unchanged
from .plugins import backend_from_url, has_scheduler, scheduler, sealer
from .records import DEFAULT_QUEUE, RETRYABLE, ExecutorKind, TaskRecord
from .registry import Registry
from .resealing import keys_needed, reseal_held, reseal_stored
from .results import result_of
from .retry import RetryPolicy
from .sealing import Sealer, with_words_opened
from .surroundings import Surroundings

if TYPE_CHECKING:
    from .history import History
    from .schedules import Misfire, Overlap, Scheduler

Keys = str | bytes | Sequence[str | bytes] | Callable[[], str | bytes | Sequence[str | bytes]]
P = ParamSpec("P")
R = TypeVar("R")


class TaskManager:
    """Runs the background tasks of one application, and remembers them.

    Args:
        snapshot_db: Path of a SQLite file; short for ``snapshot_backend=SqliteBackend(path)``.
        snapshot_backend: Where tasks are kept: a backend, or a URL such as
            ``"redis://localhost"``. None keeps them in memory.
        snapshot_interval: Finished tasks reach the backend after this many seconds at most.
        requeue_pending: Every task survives a restart, as with ``persist=True``.
        drain_timeout: Seconds that running tasks get at a stop, and the last commit what they
            leave of them.
        commit_timeout: Seconds a response waits for its tasks to be stored before it
            becomes a 503.
        lease: Seconds without a sign of life after which other instances take over.
        max_crashes: A task during which its process died this often is FAILED.
        max_concurrent_tasks: Most ``async def`` tasks that run at once; None is any number.
        max_sync_threads: Most ``def`` tasks that run at once; None is 40.
        max_process_workers: Most tasks with ``executor="process"`` that run at once, each in
            a process of its own; None is the number of processors.
        process_shutdown_timeout: Seconds that idle worker processes get to end at a stop.
        queues: The named queues and their limits, such as
            ``{"email": QueueConfig(concurrency=30, max_size=500)}``. Limits are those of
            each process.
        max_size: How many tasks may wait in the default queue; None is any number.
        history_limit: Finished tasks kept by the backend in memory.
        freeze_gc: What is loaded at the start is taken out of the garbage collector's sight
            until the stop (``gc.freeze``), and garbage is looked for less often, unless the
            application has frozen something itself or has switched the collector off.
            Thresholds that the application has set stay.
        loggers: Observers of log lines and status changes.
        log_file: Short for a ``FileLogger`` on this path, with the four options that follow.
        log_file_max_bytes: See ``FileLogger``.
        log_file_backup_count: See ``FileLogger``.
        log_file_mode: See ``FileLogger``.
        log_lifecycle: See ``FileLogger``.
        arguments: How arguments are stored.
        encrypt_args_key: A Fernet key, a list of them of which the first encrypts and all
            decrypt, or a callable that returns either. Arguments are encrypted as soon as a
            task is added; errors, tracebacks and results before they are stored.
        surroundings: Clock, ids and randomness, for tests.

    Raises:
        TypeError, ValueError: An argument of the wrong kind, or one that makes no sense.
        MissingExtra: The backend of the URL, or the encryption, is not installed.
    """

    def __init__(
        self,
        *,
        snapshot_db: str | os.PathLike[str] | None = None,
        snapshot_backend: Backend | str | None = None,
        snapshot_interval: float = 60.0,
        requeue_pending: bool = False,
        drain_timeout: float = 8.0,
        commit_timeout: float = 5.0,
        lease: float = 15.0,
        max_crashes: int = 3,
        max_concurrent_tasks: int | None = None,
        max_sync_threads: int | None = None,
        max_process_workers: int | None = None,
        process_shutdown_timeout: float = 30.0,
        queues: Mapping[str, QueueConfig] | None = None,
        max_size: int | None = None,
        history_limit: int = 10_000,
        freeze_gc: bool = True,
        loggers: Sequence[TaskObserver] = (),
        log_file: str | os.PathLike[str] | None = None,
        log_file_max_bytes: int = 10 * 1024 * 1024,
        log_file_backup_count: int = 5,
        log_file_mode: FileMode = "rotate",
        log_lifecycle: bool = False,
        arguments: ArgumentCodec | None = None,
        encrypt_args_key: Keys | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        self._settings = EngineSettings(
            drain_timeout=checks.seconds("drain_timeout", drain_timeout),
            commit_timeout=checks.seconds("commit_timeout", commit_timeout, zero=False),
            lease=checks.seconds("lease", lease, zero=False),
            max_crashes=checks.whole("max_crashes", max_crashes, least=1),
            max_concurrent_tasks=_at_least_one("max_concurrent_tasks", max_concurrent_tasks),
            max_sync_threads=_at_least_one("max_sync_threads", max_sync_threads),
            max_process_workers=_at_least_one("max_process_workers", max_process_workers),
            process_shutdown_timeout=checks.seconds(
                "process_shutdown_timeout", process_shutdown_timeout
            ),
            queues=_queues(queues, max_size),
            persist_all=checks.flag("requeue_pending", requeue_pending),
            write_within=checks.seconds("snapshot_interval", snapshot_interval, zero=False),
        )
        self._surroundings = surroundings or Surroundings()
        self._backend = GuardedBackend(
            _backend(snapshot_db, snapshot_backend, history_limit, self._surroundings)
        )
        self._collector = Collector(checks.flag("freeze_gc", freeze_gc))
        self._registry = Registry()
        self._codec: ArgumentCodec = arguments or TypedJsonCodec()
        self._sealer: Sealer | None = None
        if encrypt_args_key is not None:
            self._sealer = sealer(encrypt_args_key)
            self._codec = self._sealer.codec(self._codec)
        observers = [*loggers]
        if log_file is not None:
            observers.append(
                FileLogger(
                    log_file,
                    max_bytes=log_file_max_bytes,
                    backup_count=log_file_backup_count,
                    mode=log_file_mode,
                    log_lifecycle=log_lifecycle,
                )
            )
        self._observers = ObserverChain(observers)
        self.feed = Feed()
        announce(self.feed, self._observers, self._surroundings.clock)
        self._keep: timedelta | None = None
        self._keep_arguments = False
        self._engine = self._new_engine()
        self._running = False
        self.fresh = True
        """Whether it was never started."""
        self._scheduler: Scheduler | None = None
        self._starting = asyncio.Lock()
        self.get_tasks = task_list_dependency(self, self.new_list)
        """A dependency: ``Depends(task_manager.get_tasks)`` is the request's task list."""
        self.background_tasks = self.get_tasks
        """The same under another name."""

    @cached_property
    def history(self) -> History:
        """All tasks that were and are, of all instances: to get, list and count."""
        from .history import History  # noqa: PLC0415  figures and charts take long to import

        return History(self._backend, self._backend, self._flush, self._surroundings.clock)

    @property
    def settings(self) -> SettingStore:
        """Small texts by name in the backend, shared by all instances."""
        return self._backend

    @property
    def audit(self) -> AuditStore:
        """The audit trail in the backend."""
        return self._backend

    def task(
        self,
        *,
        retries: int = 0,
        delay: float = 0.0,
        backoff: float = 1.0,
        persist: bool = False,
        name: str | None = None,
        requeue_on_interrupt: bool = False,
        eager: bool = False,
        priority: int | None = None,
        queue: str | None = None,
        executor: ExecutorKind | None = None,
        timeout: float | None = None,
        keep_result: bool = False,
        max_delay: float | None = None,
        jitter: float = 0.0,
        retry_on: type[BaseException] | tuple[type[BaseException], ...] = Exception,
        no_retry_on: type[BaseException] | tuple[type[BaseException], ...] = (),
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Say how a function runs as a task; the function itself is returned unchanged.

        Args:
            retries: Further attempts after the first failure; 0 is none.
            delay: Seconds before the first retry.
            backoff: The delay is multiplied by this for each further retry.
            persist: The task survives a restart.
            name: The name shown and stored; None is the function's own.
            requeue_on_interrupt: Run again from the start if cut off in the middle; for
                functions that may run twice.
            eager: Start at ``add_task``, before the response is sent.
            priority: Higher runs first; None runs in the request's order.
            queue: A named queue.
            executor: ``"async"``, ``"thread"`` or ``"process"``; None goes by the function.
            timeout: Seconds one attempt may take; None is no limit.
            keep_result: Store what the function returns, up to 64 KiB; see `result_of`.
            max_delay: Cap on the delay, in seconds.
            jitter: Random share, 0 to 1, taken off or added to each delay.
            retry_on: Exception types worth another attempt.
            no_retry_on: Exception types that are not.

        Raises:
            TypeError, ValueError: An option of the wrong kind, one that makes no sense, or a
                name that another function has.
        """
        options = TaskOptions(
            retry=RetryPolicy(
                retries,
                delay,
                backoff,
                max_delay,
                jitter,
                checks.exceptions("retry_on", retry_on),
                checks.exceptions("no_retry_on", no_retry_on),
            ),
            persist=persist,
            requeue_on_interrupt=requeue_on_interrupt,
            eager=eager,
            priority=priority,
            queue=queue,
            executor=executor,
            timeout=timeout,
            keep_result=keep_result,
        )

        def register(func: Callable[P, R]) -> Callable[P, R]:
            self._registry.register(func, options, name)
            return func

        return register

    def schedule(
        self,
        *,
        every: float | None = None,
        cron: str | None = None,
        timezone: str = "UTC",
        retries: int = 0,
        delay: float = 0.0,
        backoff: float = 1.0,
        name: str | None = None,
        run_on_startup: bool = False,
        queue: str | None = None,
        executor: ExecutorKind | None = None,
        jitter: float = 0.0,
        misfire: Misfire = "latest",
        misfire_grace: float | None = None,
        overlap: Overlap = "allow",
        start: datetime | None = None,
        end: datetime | None = None,
        requeue_on_interrupt: bool = False,
        priority: int | None = None,
        timeout: float | None = None,
        keep_result: bool = False,
        max_delay: float | None = None,
        retry_on: type[BaseException] | tuple[type[BaseException], ...] = Exception,
        no_retry_on: type[BaseException] | tuple[type[BaseException], ...] = (),
    ) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Run a function by itself, now and then; it is returned unchanged.

        It is an ordinary task too, and may be added by hand. Over all instances that share a
        backend each slot fires once, and what it fires survives a restart.

        Args:
            every: Seconds between slots, which are its multiples since the Unix epoch.
            cron: Minute, hour, day, month and weekday, or ``@daily`` and the like.
            timezone: IANA name of the zone that ``cron`` speaks of.
            retries: See `task`, as for the other options not described here.
            delay: See `task`.
            backoff: See `task`.
            name: The name of task and schedule; None is the function's own.
            run_on_startup: Run when the application starts, too: once for all instances
                that start within ten seconds.
            queue: See `task`.
            executor: See `task`.
            jitter: Each slot is late by up to so many seconds, the same on every instance.
            misfire: Of the slots missed while nothing ran, run ``"latest"``, ``"all"`` (at
                most 1,000) or, by ``"skip"``, none.
            misfire_grace: Seconds after which a missed slot is given up; None is never, and
                5 seconds for ``"skip"``.
            overlap: While the run before is not over, ``"allow"`` runs all the same,
                ``"skip"`` skips the slot and ``"queue"`` waits.
            start: No slot before this time (aware).
            end: No slot after this time (aware).
            requeue_on_interrupt: See `task`.
            priority: See `task`.
            timeout: See `task`.
            keep_result: See `task`.
            max_delay: See `task`.
            retry_on: See `task`.
            no_retry_on: See `task`.

        Raises:
            TypeError, ValueError: An option of the wrong kind, one that makes no sense, or a
                function that needs arguments.
            MissingExtra: The scheduler, or croniter for ``cron``, is not installed.
        """
        from .schedules import ScheduleOptions, check_callable_alone  # noqa: PLC0415  as history

        follow = self.schedules.plan(
            ScheduleOptions(
                every=every,
                cron=cron,
                timezone=timezone,
                jitter=jitter,
                misfire=misfire,
                misfire_grace=misfire_grace,
                overlap=overlap,
                start=start,
                end=end,
                run_on_startup=run_on_startup,
            )
        )
        as_task = TaskOptions(
            retry=RetryPolicy(
                retries,
                delay,
                backoff,
                max_delay,
                retry_on=checks.exceptions("retry_on", retry_on),
                no_retry_on=checks.exceptions("no_retry_on", no_retry_on),
            ),
            requeue_on_interrupt=requeue_on_interrupt,
            priority=priority,
            queue=queue,
            executor=executor,
            timeout=timeout,
            keep_result=keep_result,
        )

        def register(func: Callable[P, R]) -> Callable[P, R]:
            check_callable_alone(func)
            follow(self._registry.register(func, as_task, name))
            return func

        return register

    @property
    def schedules(self) -> Scheduler:
        """The schedules: to list, pause, resume and run them.

        Raises:
            MissingExtra: The scheduler is not installed.
        """
        if self._scheduler is None:
            self._scheduler = scheduler(
                self._backend, self._surroundings, lambda: self._engine if self._running else None
            )
        return self._scheduler

    async def schedule_once(
        self,
        func: Callable[..., Any],
        *args: Any,
        run_at: datetime,
        run_key: str,
        **kwargs: Any,
    ) -> str:
        """Run a function once, at a time to come; return the task's id once it is durable.

        A call that waits under the same key is replaced by this one. ``priority``, ``queue``
        and ``tags`` may stand among the keyword arguments as with ``add_task``.

        Args:
            func: What to call.
            args: With these arguments,
            kwargs: and these.
            run_at: Not before this time (aware); one that is past is as soon as possible.
            run_key: Names the call, for replacing and cancelling it.

        Raises:
            RuntimeError: There is no backend that would keep it, or it is not open.
            TaskArgumentError: An argument cannot be stored.
            BackendUnavailable: It could not be stored.
        """
        from .schedules import OneOff  # noqa: PLC0415  as history

        return await self.schedules.put_later(OneOff(func, run_at, run_key, args, kwargs))

    async def cancel_scheduled(self, run_key: str) -> bool:
        """Cancel the call that waits under this key; False if none does.

        Raises:
            RuntimeError: There is no backend that would keep it, or it is not open.
        """
        return await self.schedules.drop_later(run_key)

    async def list_scheduled(self, before: datetime | None = None) -> Sequence[Later]:
        """The first 200 calls that wait for their time, due before then, the soonest first.

        Raises:
            RuntimeError: There is no backend that would keep them, or it is not open.
        """
        return await self.schedules.later(before)

    def install(self, app: FastAPI) -> None:
        """Make every ``BackgroundTasks`` of *app* a list of this manager, and start and stop
        with it. Before the application's first request; twice is once.

        Raises:
            ValueError: Another manager is installed in *app*.
        """
        others = installed(app, TaskListMiddleware)
        if self in others:
            return
        if others:
            raise ValueError("another TaskManager is installed in this application")
        hook_into_fastapi()
        app.add_middleware(TaskListMiddleware, self)

    def init_app(self, app: FastAPI) -> None:
        """Start and stop with *app*, whatever lifespan it has. Twice is once."""
        if self not in installed(app, LifespanMiddleware) + installed(app, TaskListMiddleware):
            app.add_middleware(LifespanMiddleware, self)

    async def startup(self) -> None:
        """Open the backend and start running tasks. Twice is once.

        A backend that cannot be reached now is opened as soon as it can.

        Raises:
            BackendMisconfigured: The backend will not work as it is configured.
        """
        async with self._starting:
            if self._running:
                return
            engine = self._new_engine()
            engine.queue_limits.carry_on(self._engine.queue_limits.unsaved)
            await self._observers.startup()
            try:
                await engine.start()
            except BaseException:
                await self._observers.close(1.0)
                raise
            self._engine, self._running, self.fresh = engine, True, False
            if has_scheduler():
                self.schedules.start()
            self._collector.ease()

    async def shutdown(self) -> None:
        """Drain for ``drain_timeout`` seconds, write what is left and close. Twice is once."""
        async with self._starting:
            if not self._running:
                return
            self._running = False
            self._collector.give_back()
            self._engine.drain()
            if self._scheduler is not None:
                await self._scheduler.stop()
            await self._engine.stop()
            await self._observers.close(max(1.0, self._settings.drain_timeout / 4))
            self._engine = self._new_engine()

    def new_list(self) -> ManagedBackgroundTasks:
        """A task list, as each request gets one."""
        return ManagedBackgroundTasks(self._engine)

    async def enqueue(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
        """Run a task from anywhere; return its id once it is durable, if it is to survive.

        Options stand among the keyword arguments as with ``add_task``.

        Raises:
            BackendUnavailable: It could not be stored within ``commit_timeout``, and will
                not run.
            TaskArgumentError: The task must be stored, and an argument cannot be.
        """
        tasks = self.new_list()
        task_id = tasks.add_task(func, *args, **kwargs)
        await tasks.commit()
        tasks.run()
        return task_id

    async def retry(self, task_id: str) -> str:
        """Run a finished task again, as a new one whose id is returned; the old one stays.

        Raises:
            TaskNotFound: No task has this id.
            TaskStateError: It is not FAILED, INTERRUPTED or REJECTED, or its arguments
                could not be kept.
            FunctionUnknown: Its function is not registered in this process.
            PayloadError: Its arguments cannot be read, as without the key they are encrypted with.
            QueueFullError: Its queue has no room; the new task is recorded as REJECTED.
            BackendUnavailable: The new task could not be stored.
        """
        original = await self.history.get(task_id, logs=False)
        if original.status not in RETRYABLE:
            raise TaskStateError(task_id, original.status, "retry")
        function = self._registry[original.func_name]
        if original.payload is None:
            raise TaskStateError(task_id, "without stored arguments", "retry")
        tasks = self.new_list()
        new_id = tasks.repeat(function, original)
        await tasks.commit()
        tasks.run()
        return new_id

    async def cancel(self, task_id: str) -> TaskRecord:
        """Cancel an unfinished task, on whichever instance it is.

        One that waits never starts. A running async task gets ``CancelledError``; one in a
        thread is told through its context, and is CANCELLED when it returns.

        Returns:
            The record as it stands now.

        Raises:
            TaskNotFound: No task has this id.
            TaskStateError: It is finished.
        """
        return await self._engine.cancel(task_id)

    async def wait(self, task_id: str, timeout: float | None = None) -> TaskRecord:
        """Wait until a task is finished, whichever instance runs it.

        Args:
            task_id: The task's id.
            timeout: Seconds to wait; None is without end.

        Returns:
            The finished record.

        Raises:
            TimeoutError: It is not finished in time; it goes on.
            TaskNotFound: No task has this id.
        """
        limit = None if timeout is None else checks.seconds("timeout", timeout)
        return await wait_for_end(task_id, self.feed, self._read, limit)

    def result_of(self, record: TaskRecord) -> Any:
        """What the function of a finished task returned, equal and of the same type.

        Raises:
            PayloadError: The task is without ``keep_result=True``, or the result was too
                large or of a kind that cannot be stored.
            FunctionUnknown: Its function is not registered in this process.
        """
        return result_of(self._codec, record, self._registry)

    def queue_stats(self) -> dict[str, QueueStats]:
        """The queues of this process by name: limits, and what runs and waits in them."""
        return self._engine.turns.stats()

    def options_of(self, name: str) -> TaskOptions | None:
        """How the function of this name runs; None where this process does not know it."""
        return self._registry[name].options if name in self._registry else None

    def update_queue_config(
        self,
        name: str,
        *,
        concurrency: int | Unchanged | None = UNCHANGED,
        max_size: int | Unchanged | None = UNCHANGED,
    ) -> None:
        """Change the limits of a queue: here at once, elsewhere within seconds, and lastingly.

        What runs or waits already stays. The change is in the backend within a moment.

        Args:
            name: The queue; ``"default"`` is one too.
            concurrency: How many of its tasks run at once; None is any number.
            max_size: How many may wait; None is any number.

        Raises:
            LookupError: There is no such queue.
            TypeError, ValueError: A limit of the wrong kind, or one that makes no sense.
        """
        self._engine.queue_limits.change(name, concurrency=concurrency, max_size=max_size)
        self._engine.queues_changed()

    def pause_queue(self, name: str) -> None:
        """Let nothing more of a queue begin, on any instance, until it is resumed.

        Raises:
            LookupError: There is no such queue.
        """
        self._engine.queue_limits.change(name, paused=True)
        self._engine.queues_changed()

    def resume_queue(self, name: str) -> None:
        """Let the tasks of a paused queue begin again.

        Raises:
            LookupError: There is no such queue.
        """
        self._engine.queue_limits.change(name, paused=False)
        self._engine.queues_changed()

    @property
    def stopping(self) -> bool:
        """Whether nothing new starts here any more, since this process is told to stop."""
        return self._engine.draining

    def health(self) -> Health:
        """How the task storage is doing."""
        return health_of(
            self._engine.journal,
            self._surroundings.clock,
            available=self._backend.available,
            patience=self._settings.commit_timeout,
        )

    def arguments(self, record: TaskRecord) -> dict[str, str] | None:
        """The arguments of a task by name, as text to show; None if they are not stored."""
        return shown_arguments(self._codec, self._registry, record, hidden=self._sealer is not None)

    def keep_arguments(self) -> None:
        """Store the arguments of all tasks, where that is possible, so that they can be shown."""
        self._keep_arguments = True
        self._engine.dispatch.keep_arguments = True

    async def decrypted(self, task_id: str) -> TaskRecord:
        """A task with error, traceback and the message of its progress in plain text.

        For code only: pages, API and observers never get to see it.

        Raises:
            TaskNotFound: No task has this id.
            PayloadError: They are encrypted, and no configured key fits.
        """
        record = await self.history.get(task_id, logs=False, shown=False)
        return record if self._sealer is None else with_words_opened(record, self._sealer)

    async def encryption_keys(self) -> dict[str, int]:
        """How many tasks that wait, run or can be retried need each key, by the key's name.

        The name is eight hexadecimal digits of the key's SHA-256; arguments that are not
        encrypted count under ``"none"``. A key that is not named here can be retired.

        Raises:
            ValueError: There is no ``encrypt_args_key``.
        """
        await self._flush()
        return await keys_needed(self._backend, self._needs_sealer())

    async def reencrypt(self) -> int:
        """Encrypt with the first key the arguments of tasks that wait for any instance, or can
        be retried; those that an instance holds run soon, or are its own to encrypt again.

        Returns:
            How many tasks that was.

        Raises:
            ValueError: There is no ``encrypt_args_key``.
        """
        sealer = self._needs_sealer()
        reseal_held(self._engine.live, self._engine.journal, sealer)
        await self._flush()
        return await reseal_stored(self._backend, self._backend, sealer)

    def _needs_sealer(self) -> Sealer:
        if self._sealer is None:
            raise ValueError("there is nothing to encrypt with: set encrypt_args_key")
        return self._sealer

    def keep_history(self, days: float) -> None:
        """Remove tasks that finished more than so many days ago, from now on."""
        self._keep = timedelta(days=checks.number("days", days, least=0))
        self._engine.retention.age = self._keep

    async def _read(self, task_id: str) -> TaskRecord:
        return await self.history.get(task_id, logs=False)

    async def _flush(self) -> None:
        try:
            await self._engine.journal.flush(self._settings.commit_timeout)
        except CommitTimeout:
            return  # what can be read is better than nothing; health tells of the rest

    def _new_engine(self) -> Engine:
        engine = Engine(
            self._backend,
            self._registry,
            self._codec,
            self.feed,
            self._surroundings,
            self._settings,
            self._sealer,
        )
        engine.dispatch.keep_arguments = self._keep_arguments
        engine.retention.age = self._keep
        return engine


def _at_least_one(name: str, value: int | None) -> int | None:
    return None if value is None else checks.whole(name, value, least=1)


def _queues(
    queues: Mapping[str, QueueConfig] | None, max_size: int | None
) -> dict[str, QueueConfig]:
    named = dict(queues or {})
    for name, config in named.items():
        checks.text("queues", name)
        if not isinstance(config, QueueConfig):
            raise TypeError(checks.wrong(f"queues[{name!r}]", "a QueueConfig", config))
    if max_size is not None:
        if DEFAULT_QUEUE in named:
            raise ValueError("give max_size or queues['default'], not both")
        named[DEFAULT_QUEUE] = QueueConfig(max_size=max_size)
    return named


def _backend(
    path: str | os.PathLike[str] | None,
    backend: Backend | str | None,
    history_limit: int,
    surroundings: Surroundings,
) -> Backend:
    if path is not None and backend is not None:
        raise ValueError("give snapshot_db or snapshot_backend, not both")
    if path is not None:
        if not isinstance(path, str | os.PathLike):
            raise TypeError(checks.wrong("snapshot_db", "a path", path))
        return backend_from_url(f"sqlite:///{os.fspath(path)}")
    if isinstance(backend, str):
        return backend_from_url(backend)
    if backend is None:
        return MemoryBackend(history_limit, surroundings.clock)
    if not callable(getattr(backend, "write", None)):
        raise TypeError(checks.wrong("snapshot_backend", "a backend or a URL", backend))
    return backend
