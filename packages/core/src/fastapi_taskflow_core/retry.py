"""When a failed attempt is followed by another: a pure decision."""

from __future__ import annotations

from dataclasses import dataclass

from . import checks
from .errors import AbortTask, RetryTask

_FOREVER = 365 * 86_400.0
"""Seconds; no delay is longer than this."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and after how long a task is tried again.

    ``retries=3, delay=1, backoff=2`` waits 1, 2 and 4 seconds.

    Args:
        retries: Further attempts after the first; 0 means none.
        delay: Seconds before the first retry.
        backoff: Factor on the delay for each further retry, 0 or more.
        max_delay: Cap on the delay in seconds, None for none.
        jitter: Random share, 0 to 1, taken off or added to each delay.
        retry_on: Exception types worth another attempt.
        no_retry_on: Exception types that are not, even if in ``retry_on``.
    """

    retries: int = 0
    delay: float = 0.0
    backoff: float = 1.0
    max_delay: float | None = None
    jitter: float = 0.0
    retry_on: tuple[type[BaseException], ...] = (Exception,)
    no_retry_on: tuple[type[BaseException], ...] = ()

    def __post_init__(self) -> None:
        checks.whole("retries", self.retries, least=0)
        checks.seconds("delay", self.delay)
        checks.number("backoff", self.backoff, least=0)
        if self.max_delay is not None:
            checks.seconds("max_delay", self.max_delay)
        checks.number("jitter", self.jitter, least=0, most=1)

    def wait(self, retry: int, chance: float) -> float:
        """Seconds before the retry of this number (from 0); *chance* in [0, 1) is the jitter."""
        longest = _FOREVER if self.max_delay is None else min(self.max_delay, _FOREVER)
        try:
            base = self.delay and self.delay * self.backoff**retry
        except OverflowError:
            base = _FOREVER
        return min(min(base, longest) * (1 + self.jitter * (2 * chance - 1)), longest)


def next_attempt(
    policy: RetryPolicy, attempt: int, error: BaseException, chance: float
) -> float | None:
    """Seconds until the attempt after the one (numbered from 0) that ended with *error*.

    None: there is none, the task has failed.
    """
    if isinstance(error, AbortTask) or attempt >= policy.retries:
        return None
    if isinstance(error, RetryTask):
        wanted = policy.wait(attempt, chance) if error.after is None else error.after
        return min(wanted, _FOREVER)
    if isinstance(error, policy.no_retry_on) or not isinstance(error, policy.retry_on):
        return None
    return policy.wait(attempt, chance)
