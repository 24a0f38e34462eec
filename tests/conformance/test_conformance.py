"""Sigma 2.1, chapter by chapter: each case on the engine, on the full scan, and read once more.

A case of the tables is a rule, events that it matches and events that it does not, or what is said
where it is refused. ``known`` says what is amiss with a case that fails for now.
"""

from __future__ import annotations

import json
import uuid
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kr_secops.detect.engine import Engine
from kr_secops.detect.explain import explain
from kr_secops.detect.fullscan import FullScanEngine
from kr_secops.rule.ruleset import load
from tests.conformance.reference import is_true

if TYPE_CHECKING:
    from collections.abc import Callable

    from kr_secops.rule.ruleset import Ruleset

HERE = Path(__file__).parent
CHAPTERS = {
    path.stem: yaml.safe_load(path.read_text("utf-8")) for path in sorted(HERE.glob("*.yaml"))
}
ELSEWHERE = {"correlations", "filters"}
"""Chapters with a test of their own."""
SSHD = {"product": "linux", "service": "sshd"}
BASE = {"@timestamp": "2026-11-17T01:00:00.000Z", "event.dataset": "sshd"}

Case = dict[str, Any]


def cases(*chapters: str) -> list[Any]:
    """Return the cases of *chapters*, each knowing where it stands."""
    found = []
    for chapter in chapters:
        for section in CHAPTERS[chapter]:
            for case in section["cases"]:
                place = f"{chapter}/{section['section']}/{case['name']}"
                whole = {**section.get("each", {}), **case, "chapter": chapter, "place": place}
                marks = [pytest.mark.xfail(reason=case["known"])] if "known" in case else []
                found.append(pytest.param(whole, id=place, marks=marks))
    return found


def identity(place: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, place))


def document(case: Case) -> dict[str, Any]:
    """The rule of a case: about sshd in ECS, or what ``rule`` says."""
    detection = case.get("detection") or {"s": case.get("item"), "condition": "s"}
    if "condition" in case:
        detection = {**case["parts"], "condition": case["condition"]}
    rule = {
        "title": case["name"], "id": identity(case["place"]), "taxonomy": "ecs", "level": "low",
        "logsource": SSHD, "detection": detection, **case.get("rule", {}),
    }  # fmt: skip
    return {key: value for key, value in rule.items() if value is not None}


def fields(given: Any) -> dict[str, Any]:
    """An event's own fields; what is no mapping is the value of ``message``."""
    return given if isinstance(given, dict) else {"message": given}


def placeholders(chapter: str) -> dict[str, list[str]]:
    return {
        name: v for section in CHAPTERS[chapter] for name, v in section.get("lists", {}).items()
    }


@pytest.fixture(scope="module")
def chapter_rules(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Ruleset]:
    """All rules of a chapter as one set, so that they stand in each other's way if they can."""

    @cache
    def make(chapter: str) -> Ruleset:
        folder = tmp_path_factory.mktemp(chapter)
        (folder / "placeholders").mkdir()
        for name, values in placeholders(chapter).items():
            (folder / "placeholders" / f"{name}.txt").write_text("\n".join(values))
        rules = [document(case.values[0]) for case in cases(chapter)]
        text = "\n---\n".join(json.dumps(rule, ensure_ascii=False) for rule in rules)
        (folder / "rules.yml").write_text(text)
        return load([folder], cache_dir=folder / "compiled", skip_invalid=True)

    return make


@pytest.mark.parametrize("case", cases(*sorted(CHAPTERS.keys() - ELSEWHERE)))
def test_a_case(case: Case, chapter_rules: Callable[[str], Ruleset]) -> None:
    ruleset = chapter_rules(case["chapter"])
    mine = identity(case["place"])
    said = [one.complaint for one in ruleset.refused if one.rule_id == mine]
    if "refused" in case:
        assert any(case["refused"] in complaint for complaint in said), said
        assert mine not in {rule.id for rule in ruleset.rules}
        return
    assert said == []
    (number,) = [rule.number for rule in ruleset.rules if rule.id == mine]
    assert ruleset.rules[number].applies == case.get("applies", True)
    engines = Engine(ruleset), FullScanEngine(ruleset)
    for wanted, word in ((True, "matched"), (False, "unmatched")):
        for given in case[word]:
            event = {**case.get("base", BASE), **fields(given)}
            found = [mine in {match.rule.id for match in engine.feed(event)} for engine in engines]
            found.append(mine in {match.rule.id for match in engines[0].feed(event)})  # remembered
            found.append(any(explain(tree, event)["true"] for tree in ruleset.trees(number)))
            if case["chapter"] != "logsources":
                found.append(is_true(document(case)["detection"], event, lists(case)))
            assert found == [wanted] * len(found), (given, found)


def lists(case: Case) -> dict[str, list[str]]:
    kept = {}
    for name, values in placeholders(case["chapter"]).items():
        stripped = [value.strip() for value in values]
        kept[name] = [value for value in stripped if value and not value.startswith("#")]
    return kept
