"""The shipped rules: whole, in both languages, right in every case beside them and on a real day."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from kr_secops import content, document, selftest
from kr_secops.collect.reading import Options, Reading, read
from kr_secops.detect.engine import Engine
from kr_secops.event import moment
from kr_secops.privacy.mask import Guard
from kr_secops.report.attack import TACTICS
from kr_secops.rule.ruleset import load

if TYPE_CHECKING:
    from kr_secops.finding import Finding
    from kr_secops.rule.ruleset import Ruleset

ROOT = content.shipped("rules")
ESTATE = Path(__file__).parent / "estate"
TRUTH = document.read(ESTATE / "truth.yml")[0].value
CONTENT_OF_OTHER_KINDS = {"identifiers", "pipelines", "placeholders", "controls"}
FILES = [
    path
    for path in sorted(ROOT.rglob("*.yml"))
    if path.relative_to(ROOT).parts[0] not in CONTENT_OF_OTHER_KINDS
]
DOCUMENTS = {path: [one.value for one in document.read(path)] for path in FILES}
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
    cases = document.read(path.with_name(f"{path.stem}.test.yaml"))[0].value
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


def test_what_is_only_counted_stays_silent() -> None:
    """With `generate` in every correlation that names it, such a rule would make findings."""
    correlations = [
        rule["correlation"]
        for rules in DOCUMENTS.values()
        for rule in rules
        if "correlation" in rule
    ]
    silenced = {
        name for one in correlations if not one.get("generate", False) for name in one["rules"]
    }
    counted = {
        rule["name"] for rules in DOCUMENTS.values() for rule in rules if is_counted_only(rule)
    }
    assert counted - silenced == set()


def test_the_folders_that_the_documentation_names_hold_rules() -> None:
    folders = {path.relative_to(ROOT).parts[0] for path in FILES}
    assert {"threats", "privacy", "correlation"} <= folders


@pytest.fixture(scope="module")
def ruleset(compiled: Path) -> Ruleset:
    return load([ROOT], cache_dir=compiled)


def test_every_case_beside_a_rule_comes_out(ruleset: Ruleset) -> None:
    results = list(selftest.run([ROOT], ruleset))
    assert len(results) > 2 * len(FILES)
    assert [f"{r.path}: {r.name}: {r.problem}" for r in results if not r.passed] == []


@pytest.fixture(scope="module")
def day(ruleset: Ruleset) -> list[Finding]:
    """What the rules find in the recorded day of the estate."""
    engine, guard = Engine(ruleset), Guard(b"a key for tests, known to all")
    zone = timezone(timedelta(hours=7))
    for host in ("web-izin", "db-izin"):
        options = Options(now=datetime(2026, 11, 18, tzinfo=zone), host=host, zone=zone, year=2026)
        for item in read([str(ESTATE / host / "var")], options):
            if isinstance(item, Reading):
                for event in item.events():
                    assert isinstance(event, dict), event
                    engine.feed(guard.protect(event))
    engine.close()
    return list(engine.findings())


DAY = {
    "content-discovery": {"Sweep for pages that do not exist", "Vulnerability scanner"},
    "ssh-brute-force": {"SSH password guessing from one address", "SSH password guessed"},
    "privilege-escalation": {
        "Program run with sudo so that it gives a shell",
        "Guessed account became root",
        "Account made after a guessed password",
        "Account added to a group with root's power",
    },
    "log-deletion": {"Logs deleted or emptied", "Logs deleted after a break-in"},
    "sqlmap": {"SQL injection attempt", "Many database errors in an application"},
    "sqlmap-in-database": {"Many faulty queries in a short time"},
    "sql-injection-by-hand": {"SQL injection attempt"},
    "sql-injection-by-hand-in-database": {"Injected query failed in the database"},
    "web-shell": {
        "Script uploaded to an application",
        "Script answered from a folder for uploads or pictures",
        "Command sent to a web shell",
        "Web server started a shell or a spying command",
    },
    "gambling-links": {
        "Gambling page served from this site",
    },
    "leaked-spreadsheet": {"File with residents' data downloaded"},
    "nik-in-url": {"Identity number in a web address"},
    "database-export": {
        "Password guessing at PostgreSQL",
        "Table written to a file by query",
        "Table copied out after the database password was guessed",
    },
    "dns-tunnel": {"Tool that opens a tunnel out of the network"},
}
"""Attack of the estate's `truth.yml` → rules that see it in logs, within its hours."""


@pytest.mark.parametrize("attack", DAY)
def test_an_attack_of_the_recorded_day_is_found(attack: str, day: list[Finding]) -> None:
    truth = next(one for one in TRUTH["attacks"] if one["id"] == attack)
    begin, end = moment(truth["from"]), moment(truth["to"])
    seen = {
        f.rule_name for f in day if begin <= moment(f.last_seen) and moment(f.first_seen) <= end
    }
    assert seen >= DAY[attack]


def test_the_ordinary_work_of_the_recorded_day_is_silent(day: list[Finding]) -> None:
    ordinary = TRUTH["ordinary"]
    loud = [
        (finding.rule_name, dict(finding.entity))
        for finding in day
        for seen in (finding.entity, *(evidence.event for evidence in finding.evidence))
        if seen.get("source.ip") in ordinary["source.ip"]
        or seen.get("user.name") in ordinary["user.name"]
        or seen.get("user_agent.original") in ordinary["user_agent.original"]
    ]
    assert loud == []
