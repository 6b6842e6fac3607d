"""Where the marks of an axis stand, and what they say. Worked out without I/O."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi_taskflow_core.metrics import Window
from fastapi_taskflow_core.rollups import floor

from . import formats

_MOST_TIMES = 7
_MOST_VALUES = 4
_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 14400)
_DAY = timedelta(days=1)
_MOST_DURATIONS = 6
_ROUND = (1, 2, 5)
_DURATIONS = (
    *(base * 10.0**power for power in range(-7, 0) for base in _ROUND),
    *(base * unit for unit in (1, 60) for base in (1, 2, 5, 10, 15, 30)),
    *(base * 3_600 for base in (1, 2, 3, 6, 12)),
    *(base * 86_400 * 10**power for power in range(6) for base in _ROUND),
)
"""Seconds that people count in."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark; ``at`` is its place in percent, from the left or from the top."""

    at: float
    words: str


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to their height, as a share of 0..1 of the drawing."""

    height: Callable[[float], float]
    ticks: Sequence[Tick]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of time from its *start* on."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        """Its length, more than nothing."""
        return (self.end - self.start).total_seconds() or 1e-6

    def percent(self, moment: datetime) -> float:
        """How far along a moment is; at an end if it is beyond that."""
        share = (moment - self.start).total_seconds() / self.seconds
        return _percent(min(1.0, max(0.0, share)))

    def ticks(self) -> list[Tick]:
        """A few round durations since its start."""
        step = next(each for each in _DURATIONS if self.seconds <= each * _MOST_DURATIONS)
        return [
            Tick(_percent(n * step / self.seconds), formats.span(n * step))
            for n in range(int(self.seconds / step + 1e-9) + 1)
        ]


def linear(highest: float, words: Callable[[float], str], *, whole: bool = False) -> Scale:
    """From zero to a round value that is no less than *highest*."""
    step = next(each for each in _round_numbers(whole) if highest <= each * _MOST_VALUES)
    number = max(1, math.ceil(highest / step))
    top = number * step
    ticks = [Tick(_percent(1 - n / number), words(n * step)) for n in range(number + 1)]
    return Scale(lambda value: value / top, ticks)


def logarithmic(lowest: float, highest: float) -> Scale:
    """From one power of ten to another, for times of which some are a thousand times others."""
    foot = math.floor(math.log10(max(lowest, 1e-6)))
    head = max(foot + 1, math.ceil(math.log10(max(highest, 1e-6))))
    apart = math.ceil((head - foot) / _MOST_VALUES)
    powers = range(foot, head + 1, apart)
    ticks = [
        Tick(_percent(1 - (each - foot) / (head - foot)), _seconds(10.0**each)) for each in powers
    ]

    def height(value: float) -> float:
        place = (math.log10(max(value, 1e-9)) - foot) / (head - foot)
        return min(1.0, max(0.0, place))

    return Scale(height, ticks)


def times(shown: Window) -> list[Tick]:
    """A few round times of a window, UTC; days by their date."""
    length = shown.until - shown.since
    apart = next(
        step
        for step in (timedelta(minutes=minutes) for minutes in _MINUTES)
        if length <= step * _MOST_TIMES or step == timedelta(minutes=_MINUTES[-1])
    )
    ticks, at = [], floor(shown.since, apart) + apart
    while at < shown.until:
        ticks.append(Tick(_percent((at - shown.since) / length), _time(at)))
        at += apart
    return ticks


def _seconds(power: float) -> str:
    return f"{power:g} s" if power >= 1 else formats.duration(power)


def _time(moment: datetime) -> str:
    midnight = moment - floor(moment, _DAY) == timedelta(0)
    return f"{moment.day} {moment:%b}" if midnight else f"{moment:%H:%M}"


def _round_numbers(whole: bool) -> Iterator[float]:
    power = 1.0 if whole else 1e-3
    while True:
        yield from (power, 2 * power, 5 * power)
        power *= 10


def _percent(share: float) -> float:
    return round(100 * share, 2)
