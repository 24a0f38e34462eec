"""Events: their form and their identity."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kr_secops.event import dumps, event_id, flatten, moment, timestamp


def test_time_stamps_are_utc_with_milliseconds() -> None:
    wib = timezone(timedelta(hours=7))
    assert timestamp(datetime(2026, 11, 17, 8, 5, 9, 123999, wib)) == "2026-11-17T01:05:09.123Z"


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_stamp_names_its_moment(when: datetime) -> None:
    assert abs(moment(timestamp(when)) - when) < timedelta(milliseconds=1)


def test_nested_documents_are_flattened() -> None:
    nested = {"source": {"ip": "192.0.2.1", "geo": {}}, "tags": [{"a": 1}], "x.y": 2}
    assert flatten(nested) == {"source.ip": "192.0.2.1", "tags": [{"a": 1}], "x.y": 2}


def test_one_line_whatever_the_text() -> None:
    line = dumps({"message": "a\nb\u2028\x00"})
    assert b"\n" not in line
    assert orjson.loads(line) == {"message": "a\nb\u2028\x00"}


BASE = {"@timestamp": "t", "host.name": "h", "event.dataset": "sshd", "log.offset": 7}


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({"log.file.path": "/elsewhere"}, True),
        ({"related.ip": ["192.0.2.1"]}, True),
        ({"log.offset": 8}, False),
        ({"host.name": "g"}, False),
        ({"event.original": "another"}, False),
    ],
)
def test_identity_follows_the_record_not_its_path(other: dict[str, object], same: bool) -> None:
    base = BASE | {"event.original": "line"}
    assert (event_id(base) == event_id(base | other)) is same


def test_an_event_without_text_is_known_by_all_of_it() -> None:
    assert event_id(BASE) != event_id(BASE | {"source.ip": "192.0.2.1"})
