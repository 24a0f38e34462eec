"""Events against the Elastic Common Schema."""

from __future__ import annotations

import pytest

from kr_secops import ecs

GOOD = {
    "@timestamp": "2026-11-17T01:05:09.000Z",
    "ecs.version": "9.4.0",
    "event.kind": "event",
    "event.category": ["authentication"],
    "event.type": ["start"],
    "source.ip": "203.0.113.9",
    "source.port": 4022,
    "related.ip": ["203.0.113.9"],
    "labels.site": "web",
    "kr.pii.count": 2,
}


def test_a_good_event_passes() -> None:
    assert ecs.check(GOOD) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"event.kind": "evnt"}, "event.kind: 'evnt' is not one of the allowed values"),
        ({"source.ip": "host.example"}, "source.ip: 'host.example' is no ip"),
        ({"source.port": "22"}, "source.port: '22' is no long"),
        ({"source.port": True}, "source.port: 'True' is no long"),
        ({"related.ip": "203.0.113.9"}, "related.ip must be a list"),
        ({"source.address": ["a"]}, "source.address must be one value"),
        ({"src.ip": "203.0.113.9"}, "src.ip is no ECS field"),
        ({"@timestamp": "2026-11-17 01:05"}, "@timestamp: '2026-11-17 01:05' is no date"),
        ({"event.type": ["user"]}, "event.type: 'user' does not go with category authentication"),
    ],
)
def test_a_breach_is_named(change: dict[str, object], problem: str) -> None:
    assert ecs.check(GOOD | change) == [problem]


def test_an_event_needs_its_time() -> None:
    assert ecs.check({"event.kind": "event"}) == ["@timestamp is missing"]


def test_the_version_is_that_of_the_table() -> None:
    table = ecs.schema()
    assert len(table.types) > 1500
    assert table.types["process.command_line"] == "wildcard"
    first = (ecs.files("kr_secops") / "ecs.tsv").read_text().splitlines()[0]
    assert first == f"#version\t{ecs.VERSION}"
