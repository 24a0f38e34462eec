"""The shipped rules: whole, in both languages, tagged, and right in every case beside them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from kr_secops import content
from kr_secops.document import read
from kr_secops.report.attack import TACTICS

if TYPE_CHECKING:
    from pathlib import Path

ROOT = content.shipped("rules")
CONTENT_OF_OTHER_KINDS = {"identifiers", "pipelines", "placeholders", "controls"}
FILES = [
    path
    for path in sorted(ROOT.rglob("*.yml"))
    if path.relative_to(ROOT).parts[0] not in CONTENT_OF_OTHER_KINDS
]
DOCUMENTS = {path: [document.value for document in read(path)] for path in FILES}
RULES = [
    pytest.param(rule, id=f"{path.relative_to(ROOT)}:{rule.get('title')}")
    for path, rules in DOCUMENTS.items()
    for rule in rules
]
TECHNIQUE = re.compile(r"t\d{4}(\.\d{3})?\Z")
CONTROL = re.compile(r"[a-z0-9-]+:[A-Za-z0-9.()-]+\Z")


def is_counted_only(rule: dict[str, Any]) -> bool:
    """Whether correlations name *rule* and it says nothing by itself."""
    return rule["level"] == "informational" and "kr" not in rule


def referred_to() -> set[str]:
    return {
        name
        for rules in DOCUMENTS.values()
        for rule in rules
        for name in rule.get("correlation", {}).get("rules", [])
    }


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_says_what_it_is(rule: dict[str, Any]) -> None:
    assert UUID(rule["id"]).version == 4
    assert {"title", "description", "status", "author", "date", "tags", "level"} <= rule.keys()
    assert "correlation" in rule or rule["taxonomy"] == "ecs"
    for namespace, _, name in (tag.partition(".") for tag in rule["tags"]):
        assert namespace in {"attack", "privacy", "cve", "hardening"}
        assert namespace != "attack" or TECHNIQUE.match(name) or name in TACTICS, name
    assert any(tag.startswith(("attack.t", "privacy.", "hardening.")) for tag in rule["tags"]), (
        "no technique and no subject of privacy"
    )


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_makes_findings_speaks_both_languages(rule: dict[str, Any]) -> None:
    if is_counted_only(rule):
        assert rule["name"] in referred_to(), "nothing counts it"
        return
    assert rule["falsepositives"]
    assert all(url.startswith("https://") for url in rule["references"])
    own = rule["kr"]
    assert own["title"] != rule["title"]
    assert own["description"] != rule["description"]
    assert all(own["recommendation"][language] for language in ("en", "id"))
    assert own["entity"]
    assert all(CONTROL.match(control) for control in own["controls"])


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_rule_has_cases_that_match_and_cases_that_do_not(path: Path) -> None:
    cases = read(path.with_name(f"{path.stem}.test.yaml"))[0].value
    titles = {rule["title"] for rule in DOCUMENTS[path]}
    ids = {rule["id"] for rule in DOCUMENTS[path]}
    last = DOCUMENTS[path][-1]["title"]
    assert {case["expect"] for case in cases} == {"match", "none"}
    assert {case.get("rule", last) for case in cases} <= titles | ids
    speaking = {rule["title"] for rule in DOCUMENTS[path] if not is_counted_only(rule)}
    proven = {case.get("rule", last) for case in cases if case["expect"] == "match"}
    assert speaking <= proven, f"never shown to match: {speaking - proven}"


@pytest.mark.parametrize("key", ["id", "name", "title"])
def test_no_two_rules_share_it(key: str) -> None:
    values = [
        rule[key] for rules in DOCUMENTS.values() for rule in rules if rule.get(key) is not None
    ]
    assert sorted(values) == sorted(set(values))


def test_correlations_name_rules_that_exist() -> None:
    known = {
        rule.get(key) for rules in DOCUMENTS.values() for rule in rules for key in ("id", "name")
    }
    assert referred_to() <= known


def test_the_folders_that_the_documentation_names_hold_rules() -> None:
    folders = {path.relative_to(ROOT).parts[0] for path in FILES}
    assert {"threats", "privacy", "correlation"} <= folders
