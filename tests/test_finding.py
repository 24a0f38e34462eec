"""Findings: identity, merging, and the document they are written as."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kr_secops.finding import (
    Evidence,
    Finding,
    Level,
    Status,
    finding_id,
    from_document,
    merge,
    to_document,
)

ENTITY = {"host.name": "web-izin", "source.ip": "203.0.113.9"}


def finding(**changes: object) -> Finding:
    event = {"@timestamp": "2026-11-17T01:00:00.000Z", **ENTITY, "user.name": "operator"}
    whole = Finding(
        id=finding_id("rule-1", ENTITY, "2026-11-17"),
        rule_id="rule-1",
        rule_name="SSH brute force",
        level=Level.high,
        first_seen="2026-11-17T01:00:00.000Z",
        last_seen="2026-11-17T01:05:00.000Z",
        count=40,
        entity=ENTITY,
        evidence=(Evidence(event, {"op": "and"}),),
        text={"id": {"title": "Tebak sandi SSH"}},
        tags=("attack.t1110",),
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def test_the_id_names_rule_entity_and_window() -> None:
    same = finding_id("rule-1", dict(reversed(ENTITY.items())), "2026-11-17")
    assert same == finding().id
    others = {
        finding_id("rule-2", ENTITY, "2026-11-17"),
        finding_id("rule-1", {"host.name": "db"}, "2026-11-17"),
        finding_id("rule-1", ENTITY, "2026-11-18"),
    }
    assert len(others | {same}) == 4


def test_merging_adds_counts_and_keeps_the_office_s_word() -> None:
    old = finding(status=Status.acknowledged, reason="drill")
    new = finding(count=2, level=Level.critical, first_seen="2026-11-17T00:59:00+00:00")
    both = merge(old, new)
    assert (both.count, both.level, both.status, both.reason) == (
        42,
        Level.critical,
        Status.acknowledged,
        "drill",
    )
    assert (both.first_seen, both.last_seen) == (
        "2026-11-17T00:59:00+00:00",
        "2026-11-17T01:05:00.000Z",
    )


def proof(minute: int) -> Evidence:
    return Evidence({"@timestamp": f"2026-11-17T01:{minute:02}:00.000Z", "message": str(minute)})


def test_evidence_is_the_first_and_the_last_however_it_comes() -> None:
    early = finding(evidence=tuple(proof(minute) for minute in range(5)))
    late = finding(evidence=tuple(proof(minute) for minute in range(3, 9)))
    both = merge(early, late)
    assert [one.event["message"] for one in both.evidence] == ["0", "1", "2", "3", "8"]
    assert merge(late, early).evidence == both.evidence
    assert merge(both, early).evidence == both.evidence


def test_the_document_carries_the_contract_s_fields_and_comes_back() -> None:
    document = to_document(finding())
    for name, value in {
        "rule.id": "rule-1",
        "rule.name": "SSH brute force",
        "host.name": "web-izin",
        "source.ip": "203.0.113.9",
        "user.name": "operator",
        "kr.finding.level": "high",
        "kr.finding.count": 40,
        "kr.finding.first_seen": "2026-11-17T01:00:00.000Z",
        "kr.finding.last_seen": "2026-11-17T01:05:00.000Z",
    }.items():
        assert document[name] == value
    assert from_document(json.loads(json.dumps(document))) == finding()


def test_context_is_shown_only_where_all_evidence_agrees() -> None:
    event = finding().evidence[0].event
    two = finding(evidence=(Evidence(event), Evidence(event | {"user.name": "root"})))
    assert "user.name" not in to_document(two)


def test_another_document_is_no_finding() -> None:
    with pytest.raises(KeyError):
        from_document({"@timestamp": "t"})
