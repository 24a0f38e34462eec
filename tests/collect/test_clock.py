from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kr_secops.collect.clock import Moments
from kr_secops.collect.interface import Source
from kr_secops.event import moment, timestamp

NOW = datetime(2026, 11, 25, tzinfo=UTC)
WIB = timezone(timedelta(hours=7))


def convert(form: str, text: str, *, zone: object = UTC, **source: object) -> str:
    return Moments(form, Source("x", zone=zone, **source), NOW)[text]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("syslog", "Nov 17 06:25:01", "2026-11-17T06:25:01.000Z"),
        ("syslog", "Nov  7 06:25:01", "2026-11-07T06:25:01.000Z"),
        ("syslog_year", "Nov 17 2019 06:25:01", "2019-11-17T06:25:01.000Z"),
        ("iso", "2026-11-17T06:25:01Z", "2026-11-17T06:25:01.000Z"),
        ("iso", "2026-11-17T06:25:01.304557+07:00", "2026-11-16T23:25:01.304Z"),
        ("iso", "1986-04-26T01:23:45.101+0400", "1986-04-25T21:23:45.101Z"),
        ("iso", "2026-11-17 06:25:01.5 WITA", "2026-11-16T22:25:01.500Z"),
        ("iso", "2026-11-17 06:25:01 WIT", "2026-11-16T21:25:01.000Z"),
        ("iso", "2026-11-17 06:25:01,25", "2026-11-17T06:25:01.250Z"),
        ("iso", "2026-11-17 06:25:01 XYZ", "2026-11-17T06:25:01.000Z"),
        ("iso", "2026-11-17  6:25:01", "2026-11-17T06:25:01.000Z"),
        ("compact", "20261117 06:25:01", "2026-11-17T06:25:01.000Z"),
        ("iso", "2016-12-31T23:59:60Z", "2016-12-31T23:59:59.000Z"),
        ("clf", "17/Nov/2026:07:01:00 +0700", "2026-11-17T00:01:00.000Z"),
        ("clf", "17/Nov/2026:07:01:00 -0330", "2026-11-17T10:31:00.000Z"),
        ("asctime", "Tue Nov 17 09:15:00.015009 2026", "2026-11-17T09:15:00.015Z"),
        ("asctime", "Tue Nov  7 09:15:00 2017", "2017-11-07T09:15:00.000Z"),
    ],
)
def test_converts(form: str, text: str, expected: str) -> None:
    assert convert(form, text) == expected


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("syslog", "Feb 30 06:25:01"),
        ("syslog", "Foo 17 06:25:01"),
        ("syslog", "Nov 17 24:25:01"),
        ("syslog", "Nov 17 06:25:61"),
        ("syslog", "Nov 17 06:25:0\u0661"),
        ("iso", "2026-13-17T06:25:01Z"),
        ("iso", "0000-01-01T00:00:00Z"),
        ("iso", "0001-01-01T00:00:00+14:00"),
        ("iso", ""),
        ("compact", "2026117 06:25:01"),
        ("clf", "17/Nov/2026:07:01:00 +9900"),
    ],
)
def test_refuses(form: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        convert(form, text)


@pytest.mark.parametrize(
    ("text", "now", "year"),
    [
        ("Nov 24 10:00:00", "2026-11-25", 2026),
        ("Dec 31 23:59:59", "2026-11-25", 2025),
        ("Dec 31 23:59:59", "2027-01-01", 2026),
        ("Jan  1 00:00:01", "2027-01-01", 2027),
        ("Feb 29 00:00:01", "2027-01-01", 2024),
    ],
)
def test_the_year_is_the_newest_that_is_not_in_the_future(text: str, now: str, year: int) -> None:
    moments = Moments("syslog", Source("x", zone=UTC), datetime.fromisoformat(f"{now}T00:00:05Z"))
    assert moments[text].startswith(str(year))


def test_an_old_file_has_old_years() -> None:
    modified = datetime(2021, 3, 1, tzinfo=UTC).timestamp()
    assert convert("syslog", "Feb 28 10:00:00", modified=modified).startswith("2021-02-28")
    assert convert("syslog", "Mar 28 10:00:00", modified=modified).startswith("2020-03-28")


def test_a_given_year_follows_the_lines_over_new_year_and_back() -> None:
    moments = Moments("syslog", Source("x", zone=UTC, year=2018), NOW)
    lines = ["Mar 01 10:00:00", "Dec 31 10:00:00", "Jan 01 10:00:00", "Dec 31 11:00:00"]
    assert [moments[line][:4] for line in lines] == ["2018", "2018", "2019", "2018"]


def test_zones_with_summer_time() -> None:
    paris = ZoneInfo("Europe/Paris")
    assert convert("iso", "2026-07-01 12:00:00", zone=paris) == "2026-07-01T10:00:00.000Z"
    assert convert("iso", "2026-01-01 12:00:00", zone=paris) == "2026-01-01T11:00:00.000Z"


@given(
    st.datetimes(
        min_value=datetime(1971, 1, 1),  # noqa: DTZ001
        max_value=datetime(2100, 1, 1),  # noqa: DTZ001
        timezones=st.just(WIB),
    )
)
def test_what_a_log_writes_is_read_back(when: datetime) -> None:
    milliseconds = when.replace(microsecond=when.microsecond // 1000 * 1000)
    whole = when.replace(microsecond=0)
    assert convert("iso", when.isoformat(timespec="microseconds")) == timestamp(milliseconds)
    assert convert("clf", when.strftime("%d/%b/%Y:%H:%M:%S %z")) == timestamp(whole)
    assert convert("asctime", when.strftime("%a %b %d %H:%M:%S.%f %Y"), zone=WIB) == timestamp(
        milliseconds
    )


@given(st.text(max_size=40), st.sampled_from(["syslog", "syslog_year", "iso", "clf", "asctime"]))
def test_any_text_is_a_time_or_refused(text: str, form: str) -> None:
    try:
        found = convert(form, text)
    except ValueError:
        return
    assert moment(found).tzinfo is not None
