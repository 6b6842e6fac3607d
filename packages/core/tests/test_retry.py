"""When a failed attempt is followed by another, and after how long."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastapi_taskflow_core import AbortTask, RetryTask
from fastapi_taskflow_core.retry import RetryPolicy, next_attempt

A_YEAR = 365 * 86_400.0
MIDDLE = 0.5


@pytest.mark.parametrize(
    ("policy", "delays"),
    [
        (RetryPolicy(3), [0, 0, 0]),
        (RetryPolicy(3, delay=5), [5, 5, 5]),
        (RetryPolicy(4, delay=1, backoff=2), [1, 2, 4, 8]),
        (RetryPolicy(3, delay=8, backoff=0.5), [8, 4, 2]),
        (RetryPolicy(3, delay=2, backoff=0), [2, 0, 0]),
        (RetryPolicy(4, delay=1, backoff=10, max_delay=50), [1, 10, 50, 50]),
        (RetryPolicy(2, delay=9, max_delay=0), [0, 0]),
    ],
)
def test_delays_follow_their_series(policy: RetryPolicy, delays: list[float]) -> None:
    assert [policy.wait(retry, MIDDLE) for retry in range(len(delays))] == delays


@pytest.mark.parametrize(("chance", "delay"), [(0.0, 5.0), (0.5, 10.0), (0.999999, 15.0)])
def test_jitter_takes_off_or_adds_its_share(chance: float, delay: float) -> None:
    assert RetryPolicy(1, delay=10, jitter=0.5).wait(0, chance) == pytest.approx(delay, abs=0.01)


@given(
    st.floats(0, 1e300),
    st.floats(0, 1e300),
    st.none() | st.floats(0, 1e300),
    st.floats(0, 1),
    st.integers(0, 10_000),
    st.floats(0, 1, exclude_max=True),
)
def test_a_delay_is_never_negative_nor_above_its_cap_nor_beyond_the_calendar(
    delay: float, backoff: float, cap: float | None, jitter: float, retry: int, chance: float
) -> None:
    wait = RetryPolicy(1, delay, backoff, cap, jitter).wait(retry, chance)
    assert 0 <= wait <= A_YEAR
    assert cap is None or wait <= cap


@pytest.mark.parametrize("backoff", [1e300, 10**300])
def test_no_delay_stays_none_however_it_is_multiplied(backoff: float) -> None:
    assert RetryPolicy(9, delay=0, backoff=backoff).wait(8, MIDDLE) == 0


def test_retries_are_counted_from_the_first_attempt() -> None:
    policy, error = RetryPolicy(2, delay=1), ValueError()
    waits = [next_attempt(policy, attempt, error, MIDDLE) for attempt in range(4)]
    assert waits == [1, 1, None, None]


@pytest.mark.parametrize(
    ("policy", "error", "again"),
    [
        (RetryPolicy(1), ValueError(), True),
        (RetryPolicy(1), KeyboardInterrupt(), False),
        (RetryPolicy(1, retry_on=(OSError,)), ConnectionError(), True),
        (RetryPolicy(1, retry_on=(OSError,)), ValueError(), False),
        (RetryPolicy(1, retry_on=(SystemExit,)), SystemExit(), True),
        (RetryPolicy(1, no_retry_on=(LookupError,)), KeyError(), False),
        (RetryPolicy(1, retry_on=(OSError,), no_retry_on=(TimeoutError,)), TimeoutError(), False),
        (RetryPolicy(1, retry_on=()), ValueError(), False),
        (RetryPolicy(1), AbortTask("pointless"), False),
        (RetryPolicy(1, retry_on=(AbortTask,)), AbortTask(), False),
        (RetryPolicy(1, retry_on=()), RetryTask(), True),
        (RetryPolicy(1, no_retry_on=(Exception,)), RetryTask(), True),
        (RetryPolicy(0), RetryTask(), False),
    ],
)
def test_only_errors_worth_it_are_followed_by_another_attempt(
    policy: RetryPolicy, error: BaseException, again: bool
) -> None:
    assert (next_attempt(policy, 0, error, MIDDLE) is not None) is again


@pytest.mark.parametrize(
    ("after", "waits"), [(None, 7.0), (0, 0), (2.5, 2.5), (math.inf, A_YEAR), (1e300, A_YEAR)]
)
def test_a_task_may_say_when_it_wants_to_be_tried_again(after: float | None, waits: float) -> None:
    assert next_attempt(RetryPolicy(1, delay=7), 0, RetryTask(after), MIDDLE) == waits


@pytest.mark.parametrize("after", [-1, math.nan])
def test_a_task_cannot_be_tried_again_in_the_past(after: float) -> None:
    with pytest.raises(ValueError, match="after"):
        RetryTask(after)
