"""The timeline counts every finding once, in few enough steps, and stays within its frame."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kr_secops.event import timestamp
from kr_secops.finding import Finding, Level
from kr_secops.report.chart import HEIGHT, MARKS, MOST, timeline
from kr_secops.report.interface import Report

if TYPE_CHECKING:
    from kr_secops.report.chart import Chart

START = datetime(2026, 11, 17, 1, 5, tzinfo=UTC)


def chart(*ages: tuple[timedelta, Level]) -> Chart | None:
    finding = Finding("", "r", "Rule", Level.low, "", "", 1, {})
    findings = []
    for i, (age, level) in enumerate(ages):
        seen = timestamp(START + age)
        findings.append(replace(finding, id=str(i), level=level, first_seen=seen, last_seen=seen))
    return timeline(Report.of(findings, generated=START))


@pytest.mark.parametrize(
    ("span", "caption"),
    [
        (timedelta(0), "per jam"),
        (timedelta(hours=60), "per jam"),
        (timedelta(hours=62), "per hari"),
        (timedelta(days=60), "per hari"),
        (timedelta(days=62), "per 2 hari"),
        (timedelta(days=366), "per 6 hari"),
    ],
)
def test_the_step_fits_the_span(span: timedelta, caption: str) -> None:
    drawn = chart((timedelta(0), Level.low), (span, Level.high))
    assert drawn is not None
    assert caption in drawn.caption


def test_nothing_to_draw() -> None:
    assert chart() is None


@given(
    st.lists(
        st.tuples(st.timedeltas(timedelta(0), timedelta(days=9000)), st.sampled_from(Level)),
        min_size=1,
        max_size=40,
    )
)
def test_any_findings_fit(ages: list[tuple[timedelta, Level]]) -> None:
    drawn = chart(*ages)
    assert drawn is not None
    assert sum(sum(step.counts) for step in drawn.steps) == len(ages)
    assert len(drawn.steps) <= MOST + 1
    assert len(drawn.times) <= MARKS + 1
    for bar in drawn.bars:
        assert 0 <= float(bar.x[:-1]) <= 100 - float(bar.width[:-1])
        assert bar.y >= 0
        assert bar.y + bar.height <= HEIGHT + 0.02
