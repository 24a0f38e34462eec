"""Findings: who they are about, what they count, what they show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kr_secops.detect.engine import Engine
from kr_secops.finding import EVIDENCE_KEPT, Level
from tests.detect.conftest import rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from kr_secops.rule.ruleset import Ruleset

ATTRIBUTES = {
    "title": "Contoh",
    "description": "Penjelasan",
    "recommendation": {"en": "Look.", "id": "Lihat."},
    "entity": ["host.name", "related.ip"],
    "controls": ["uu-pdp:35"],
}


def event(i: int, **fields: Any) -> dict[str, Any]:
    return {
        "@timestamp": f"2026-11-17T23:59:{i:02}.000Z", "event.dataset": "sshd",
        "user.name": "root", "host.name": "web", "message": f"line {i}", **fields,
    }  # fmt: skip


@pytest.fixture
def ruleset(make_rules: Callable[..., Ruleset]) -> Ruleset:
    detection = {"s": {"user.name": "root"}, "condition": "s"}
    more = {
        "kr": ATTRIBUTES,
        "level": "high",
        "tags": ["attack.t1110"],
        "references": ["https://a"],
    }
    return make_rules(rule(detection, **more))


def test_a_finding_says_everything(ruleset: Ruleset) -> None:
    engine = Engine(ruleset)
    for i in range(9):
        engine.feed(event(i, **{"related.ip": ["10.0.0.1", "10.0.0.2"]}))
    assert engine.pending == 9
    (finding,) = engine.findings()
    assert (finding.count, len(finding.sightings), finding.level) == (9, 9, Level.high)
    assert finding.entity == {"host.name": "web", "related.ip": "10.0.0.1, 10.0.0.2"}
    assert (finding.first_seen[-9:], finding.last_seen[-9:]) == ("9:00.000Z", "9:08.000Z")
    assert finding.text["id"] == {
        "title": "Contoh", "description": "Penjelasan", "recommendation": "Lihat.",
    }  # fmt: skip
    assert finding.text["en"] == {"title": "probe", "recommendation": "Look."}
    assert finding.controls == ("uu-pdp:35",)
    assert [e.event["message"] for e in finding.evidence] == [
        f"line {i}" for i in range(EVIDENCE_KEPT)
    ]
    assert finding.evidence[0].explanation["true"] is True
    assert engine.pending == 0
    assert list(engine.findings()) == []


def test_the_same_event_twice_is_one_sighting_and_the_id_stays(ruleset: Ruleset) -> None:
    ids = set()
    for _ in range(2):
        engine = Engine(ruleset)
        engine.feed(event(1))
        engine.feed(event(1))
        (finding,) = engine.findings()
        assert finding.count == 1
        ids.add(finding.id)
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("change", "findings"),
    [
        ({}, 1),
        ({"host.name": "db"}, 2),
        ({"related.ip": ["10.0.0.9"]}, 2),
        ({"user.name": "ROOT"}, 1),
        ({"@timestamp": "2026-11-18T00:00:00.000Z"}, 2),
        ({"@timestamp": "2026-11-18T06:00:00.000+07:00"}, 1),
        ({"@timestamp": "yesterday"}, 2),
        ({"@timestamp": None}, 2),
    ],
)
def test_what_makes_a_finding_of_its_own(
    change: dict[str, Any], findings: int, ruleset: Ruleset
) -> None:
    engine = Engine(ruleset)
    engine.feed(event(1))
    engine.feed(event(2, **change))
    assert len(list(engine.findings())) == findings


def test_no_entity_given_means_host_address_and_user(make_rules: Callable[..., Ruleset]) -> None:
    engine = Engine(make_rules(rule({"s": {"user.name": "root"}, "condition": "s"})))
    engine.feed(event(1))
    (finding,) = engine.findings()
    assert finding.entity == {"host.name": "web", "user.name": "root"}
    assert engine.windows() == b""
