"""Correlations case by case: in one run, by full scan, and over as many runs as there are events."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from kr_secops.detect.engine import Engine
from kr_secops.detect.fullscan import FullScanEngine
from kr_secops.event import timestamp
from kr_secops.rule.ruleset import load
from tests.conformance.test_conformance import SSHD, cases, identity

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from kr_secops.finding import Finding
    from kr_secops.rule.ruleset import Ruleset

Case = dict[str, Any]
CASES = cases("correlations")
BASE = {"a": ["a"], "b": ["b"], "c": ["c"], "d": ["d"], "even": ["a", "c"]}
UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}
GUESSED = {"type": "event_count", "rules": ["a"], "timespan": "10m", "condition": {"gte": 3}}


def named(value: Any) -> Any:
    """Put ids for ``@name``."""
    if isinstance(value, dict):
        return {named(key): named(one) for key, one in value.items()}
    if isinstance(value, list):
        return [named(one) for one in value]
    return identity(value[1:]) if isinstance(value, str) and value.startswith("@") else value


def simple(name: str, detection: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": name, "id": identity(name), "name": name, "taxonomy": "ecs", "logsource": SSHD,
        "detection": detection,
    }  # fmt: skip


def correlation(case: Case) -> dict[str, Any]:
    keys = ("type", "rules", "group-by", "timespan", "condition", "aliases", "generate")
    spec = {key: named(case[key]) for key in keys if case.get(key) is not None}
    name = {"name": case["name_itself"]} if "name_itself" in case else {}
    return {"title": case["name"], "id": identity(case["place"]), "correlation": spec, **name}


@pytest.fixture(scope="module")
def ruleset(tmp_path_factory: pytest.TempPathFactory) -> Ruleset:
    folder = tmp_path_factory.mktemp("correlations")
    documents = [
        *(simple(n, {"s": {"event.action": v}, "condition": "s"}) for n, v in BASE.items()),
        simple("broken", {"s": {"event.action|no": "x"}, "condition": "s"}),
        *(
            {"title": n, "id": identity(n), "name": n, "correlation": {**GUESSED, "group-by": [by]}}
            for n, by in (("guessed", "source.ip"), ("guessed_by_user", "user.name"))
        ),
        *(correlation(one.values[0]) for one in CASES),
    ]
    (folder / "rules.yml").write_text("\n---\n".join(map(json.dumps, documents)))
    return load([folder], cache_dir=folder / "compiled", skip_invalid=True)


def happening(case: Case, at: int, spec: dict[str, Any]) -> dict[str, Any]:
    (action, after), *_ = spec.items()
    start = datetime.fromisoformat(case.get("start", "2026-11-17T01:00:00Z"))
    when = start + timedelta(**{UNITS[after[-1]]: float(after[:-1])})
    event = {
        "@timestamp": timestamp(when), "event.dataset": "sshd", "event.action": action,
        "source.ip": "203.0.113.9", "message": f"line {at}", **spec,
    }  # fmt: skip
    del event[action]
    return event


def of(case: Case, findings: Iterable[Finding]) -> list[Finding]:
    mine = [one for one in findings if one.rule_id == identity(case["place"])]
    return sorted(mine, key=lambda one: one.first_seen)


@pytest.mark.parametrize("case", CASES)
def test_a_case(case: Case, ruleset: Ruleset) -> None:
    mine = identity(case["place"])
    said = [one.complaint for one in ruleset.refused if one.rule_id == mine]
    if "refused" in case:
        assert any(case["refused"] in complaint for complaint in said), said
        return
    assert said == []
    events = [happening(case, at, spec) for at, spec in enumerate(case["events"])]
    for engine in (Engine(ruleset), FullScanEngine(ruleset)):
        for event in events:
            engine.feed(event)
        engine.close()
        found = of(case, engine.findings())
        assert [one.count for one in found] == case["findings"]
        if "about" in case:
            assert [one.entity for one in found] == case["about"]
    counts: dict[str, int] = {}
    state = b""
    for event in events:
        engine = Engine(ruleset, windows=state)
        engine.feed(event)
        if event is events[-1]:
            engine.close()
        for one in of(case, engine.findings()):
            counts[one.id] = counts.get(one.id, 0) + one.count
        state = engine.windows()
    assert list(counts.values()) == case["findings"]


def test_a_name_stands_once(tmp_path: Path) -> None:
    first = simple("same", {"s": {"event.action": "a"}, "condition": "s"})
    second = {**first, "id": identity("second")}
    (tmp_path / "rules.yml").write_text("\n---\n".join(map(json.dumps, (first, second))))
    ruleset = load([tmp_path], cache_dir=tmp_path / "compiled", skip_invalid=True)
    assert [rule.id for rule in ruleset.rules] == [first["id"]]
    (refusal,) = ruleset.refused
    assert refusal.rule_id == second["id"]
    assert "name: the rule at" in refusal.complaint
