"""Filters case by case: what a rule still finds, and that a wrong filter takes no rule with it."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from kr_secops.detect.engine import Engine
from kr_secops.detect.fullscan import FullScanEngine
from kr_secops.rule.ruleset import load
from tests.conformance.test_conformance import BASE, SSHD, cases, identity

if TYPE_CHECKING:
    from pathlib import Path

Case = dict[str, Any]
CASES = cases("filters")
NEEDLE = {"s": {"message": "needle"}, "condition": "s"}


def documents(case: Case) -> list[dict[str, Any]]:
    rules = [
        {"title": name, "id": identity(name), "name": name, "taxonomy": "ecs", "logsource": SSHD,
         "detection": detection}
        for name, detection in (
            ("r", case.get("detection", NEEDLE)),
            ("other", {"s": {"user.name": "nobody"}, "condition": "s"}),
        )
    ]  # fmt: skip
    spec = dict(case["filter"])
    if case["rules"] is not None:
        spec["rules"] = [identity("r")] if case["rules"] == ["@r"] else case["rules"]
    found = {
        "title": case["name"],
        "id": identity(case["place"]),
        "logsource": case.get("logsource", SSHD),
        "filter": spec,
        "kr": case.get("kr", {"reason": "known", "expires": "2026-12-31"}),
    }
    return [*rules, {key: value for key, value in found.items() if value is not None}]


@pytest.mark.parametrize("case", CASES)
def test_a_case(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "rules.yml"
    path.write_text("\n---\n".join(map(json.dumps, documents(case))))
    ruleset = load([path], cache_dir=tmp_path, skip_invalid=True, today=date(2026, 11, 25))
    assert [rule.name for rule in ruleset.rules] == ["r", "other"]
    said = [one.complaint for one in ruleset.refused]
    given = [(fields, True) for fields in case.get("matched", [])]
    given += [(fields, False) for fields in case.get("unmatched", [])]
    if "refused" in case:
        assert any(case["refused"] in complaint for complaint in said), said
        given = [({"message": "needle", "user.name": "x"}, True)]
    else:
        assert said == []
    for engine in (Engine(ruleset), FullScanEngine(ruleset)):
        for fields, wanted in given:
            found = {match.rule.name for match in engine.feed({**BASE, **fields})}
            assert ("r" in found) == wanted, fields
