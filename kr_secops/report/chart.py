"""The timeline: findings counted in even steps of time, and where each bar stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from kr_secops.report.phrases import voice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from kr_secops.report.interface import Report
    from kr_secops.report.phrases import Voice

MOST: Final = 62
"""Steps a chart may have; more, and the bars are hairs."""
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)

HEIGHT: Final = 150
"""Of the plot, in CSS pixels; widths are per cent, so that text keeps its size on any screen."""
MARKS: Final = 6
"""Words the foot has room for on the narrowest screen."""
EDGE: Final = 6
"""Per cent from either side where a word must not be centred."""
_EVERY: Final = ((1, 2, 7, 14, 31), (1, 2, 3, 6, 12, 24))
"""Steps from word to word: days, hours."""


@dataclass(frozen=True, slots=True)
class Bar:
    """The findings of one severity in one step."""

    level: str
    x: str
    width: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Step:
    """One step of time with its counts, worst severity first."""

    start: datetime
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A word on an axis."""

    text: str
    at: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Chart:
    """All that the drawing needs."""

    caption: str
    levels: tuple[str, ...]
    """Severities that occur, worst first."""
    steps: tuple[Step, ...]
    bars: tuple[Bar, ...]
    times: tuple[Mark, ...]
    """Along the foot."""
    lines: tuple[Mark, ...]
    """Grid lines; `at` in pixels from the top."""


def timeline(report: Report) -> Chart | None:
    """Return the chart of *report*, or None where there is nothing to draw."""
    if report.period is None or not report.findings:
        return None
    v = voice(report)
    levels = sorted({f.level for f in report.findings}, reverse=True)
    starts = [v.local(f.first_seen) for f in report.findings]
    first = min(v.local(report.period[0]), *starts)
    last = max(v.local(report.period[1]), *starts)
    step = _step(last - first)
    first = first.replace(minute=0, second=0, microsecond=0)
    if step >= DAY:
        first = first.replace(hour=0)
    counts = [[0] * len(levels) for _ in range((last - first) // step + 1)]
    for start, finding in zip(starts, report.findings, strict=True):
        counts[(start - first) // step][levels.index(finding.level)] += 1
    steps = [Step(first + i * step, tuple(row)) for i, row in enumerate(counts)]
    names = tuple(level.name for level in levels)
    top = _ceiling(max(sum(row) for row in counts))
    key = {HOUR: "timeline_hour", DAY: "timeline_day"}.get(step, "timeline_days")
    return Chart(
        caption=v.say(key, n=step.days),
        levels=names,
        steps=tuple(step for step in steps if any(step.counts)),
        bars=tuple(_bars(steps, names, top)),
        times=tuple(_times(v, first, len(steps), step)),
        lines=tuple(Mark(v.number(top * i // 2), str(HEIGHT - HEIGHT * i // 2)) for i in (1, 2)),
    )


def _step(span: timedelta) -> timedelta:
    if span < MOST * HOUR:
        return HOUR
    return DAY * max(1, -(-span // (DAY * (MOST - 1))))


def _ceiling(n: int) -> int:
    """Return the least of 2, 4, 6, 10, 20, 40 … that is at least *n*."""
    unit = 1
    while True:
        for factor in (2, 4, 6, 10):
            if factor * unit >= n:
                return factor * unit
        unit *= 10


def _bars(steps: Iterable[Step], levels: tuple[str, ...], top: int) -> Iterator[Bar]:
    """Yield the bars, the worst severity at the foot, where it can be compared along the line."""
    steps = list(steps)
    slot = 100 / len(steps)
    width = f"{slot * 0.78:.3f}%"
    for i, step in enumerate(steps):
        foot = float(HEIGHT)
        for level, count in zip(levels, step.counts, strict=True):
            height = HEIGHT * count / top
            foot -= height
            if count:
                x = f"{(i + 0.11) * slot:.3f}%"
                yield Bar(level, x, width, round(foot, 2), round(height, 2))


def _times(v: Voice, first: datetime, steps: int, step: timedelta) -> Iterator[Mark]:
    """Yield the words along the foot: full hours of the clock, days, or months."""
    every = next((n for n in _EVERY[step == HOUR] if steps <= n * MARKS), steps)
    for i in range(steps):
        moment = first + i * step
        place = moment.hour if step == HOUR else i
        if place % every == 0:
            at = 100 * i / steps
            anchor = "start" if at < EDGE else "end" if at > 100 - EDGE else "middle"
            yield Mark(_time(v, moment, step), f"{at:.3f}%", anchor)


def _time(v: Voice, moment: datetime, step: timedelta) -> str:
    if step == HOUR and moment.hour:
        return f"{moment:%H:%M}"
    if step > 5 * DAY:
        return v.month(moment)
    return f"{moment.day} {v.month(moment)[:3]}"
