"""The report itself: order, what it is made from, and the digest over its findings."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kr_secops.event import moment
from kr_secops.finding import Level
from kr_secops.report.interface import WRITERS, Report, writer

if TYPE_CHECKING:
    from collections.abc import Callable


def test_every_format_has_a_writer() -> None:
    assert all(callable(writer(name)) for name in WRITERS)


def test_the_worst_and_newest_come_first(sample: Callable[..., Report]) -> None:
    findings = sample().findings
    assert len(findings) == 16
    keys = [(f.level, moment(f.last_seen)) for f in findings]
    assert keys == sorted(keys, reverse=True)
    assert findings[0].level == Level.critical


def test_one_finding_told_twice_is_merged(
    sample: Callable[..., Report], findings: list[bytes]
) -> None:
    once = {f.id: f.count for f in sample().findings}
    twice = {f.id: f.count for f in sample(findings * 2).findings}
    assert twice == {key: 2 * count for key, count in once.items()}


def test_period_and_hosts_are_derived_or_given(sample: Callable[..., Report]) -> None:
    report = sample()
    assert report.period == (moment("2026-11-16T09:14:00Z"), moment("2026-11-18T23:00:01Z"))
    assert report.hosts == ("PC-KEU-07", "db-izin", "gw-diskominfo", "web-izin")
    given_period = (moment("2026-11-01T00:00:00Z"), moment("2026-11-30T00:00:00Z"))
    report = sample(period=given_period, hosts=["web-izin", "db-izin", "web-izin"])
    assert (report.period, report.hosts) == (given_period, ("db-izin", "web-izin"))


def changed(line: bytes, **changes: Any) -> bytes:
    return orjson.dumps(orjson.loads(line) | changes)


DEEP: dict[str, Any] = {}
for _ in range(100):
    DEEP = {"of": [DEEP]}


@pytest.mark.parametrize(
    "changes",
    [
        {"kr.finding.level": "grave"},
        {"kr.finding.status": "lost"},
        {"kr.finding.count": "many"},
        {"kr.finding.count": -1},
        {"kr.finding.first_seen": "yesterday"},
        {"kr.finding.first_seen": "2026-11-17T00:00:00"},
        {"kr.finding.last_seen": "0001-01-01T00:00:00+14:00"},
        {"kr.finding.last_seen": 5},
        {"kr.finding.expires": "some day"},
        {"kr.finding.id": 7},
        {"kr.finding.entity": ["web"]},
        {"kr.finding.entity": {"source.port": 22}},
        {"kr.finding.text": {"id": "text"}},
        {"kr.finding.text": {"id": {"title": 3}}},
        {"kr.finding.tags": [None]},
        {"kr.finding.evidence": [{"event": "line"}]},
        {"kr.finding.evidence": [{"event": {}, "explanation": DEEP}]},
        {"rule.name": None},
    ],
    ids=repr,
)
def test_an_unsound_finding_is_counted(
    sample: Callable[..., Report], findings: list[bytes], changes: dict[str, Any]
) -> None:
    report = sample([changed(findings[0], **changes), findings[1]])
    assert (len(report.findings), report.malformed) == (1, 1)


@given(st.lists(st.binary(max_size=60) | st.sampled_from([b"{}", b"[]", b"null", b"\xff", b"\n"])))
def test_any_lines_make_a_report(lines: list[bytes]) -> None:
    report = Report.from_documents(lines, generated=moment("2026-11-19T02:00:00Z"))
    assert report.findings == ()
    assert report.malformed == sum(bool(line.strip()) for line in lines)


def test_the_digest_is_over_the_canonical_findings(
    sample: Callable[..., Report], findings: list[bytes]
) -> None:
    report = sample()
    canonical = report.canonical()
    assert report.digest() == hashlib.sha256(canonical).hexdigest()
    assert canonical.isascii()
    assert not set(b"<>&\n\x7f") & set(canonical)
    assert len(json.loads(canonical)) == 16
    assert sample(findings[::-1]).digest() == report.digest()
    assert sample(findings[1:]).digest() != report.digest()
