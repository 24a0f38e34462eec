"""Every log source of SigmaHQ that we collect: its rules find our events, and no one else's."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from kr_secops.detect.engine import Engine
from kr_secops.rule.absent import why_absent
from kr_secops.rule.ruleset import load

if TYPE_CHECKING:
    from kr_secops.rule.ruleset import Ruleset

ROWS: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("taxonomy.yaml").read_text())
NAMES = [f"{i} {row['source']} {row['field'] or 'keyword'}" for i, row in enumerate(ROWS)]


def logsource(source: str) -> dict[str, str]:
    parts = zip(("product", "category", "service"), source.split("/"), strict=True)
    return {name: value for name, value in parts if value}


def rule_id(number: int) -> str:
    return str(uuid.UUID(int=number))


def rule(number: int, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": NAMES[number],
        "id": rule_id(number),
        "level": "low",
        "logsource": logsource(row["source"]),
        "detection": {
            "selection": {row["field"]: "marker"} if row["field"] else ["marker"],
            "condition": "selection",
        },
    }


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("rules")
    documents = [json.dumps(rule(i, row)) for i, row in enumerate(ROWS)]
    (folder / "rules.yml").write_text("\n---\n".join(documents))
    return Engine(load([folder], cache_dir=tmp_path_factory.mktemp("compiled")))


def found(engine: Engine, event: dict[str, Any]) -> set[str]:
    whole = {"@timestamp": "2026-11-17T01:00:00.000Z", "event.original": "x", **event}
    return {match.rule.title for match in engine.feed(whole)}


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_finds_its_event(engine: Engine, name: str) -> None:
    event = ROWS[NAMES.index(name)]["event"]
    matched = found(engine, event)
    assert name in matched
    # A rule about one product never finds another's events.
    product = logsource(name.split()[1]).get("product")
    strangers = {logsource(other.split()[1]).get("product") for other in matched} - {product, None}
    assert product is None or strangers <= (SEARCHED if product in SEARCHED else set())


SEARCHED = {
    "linux",
    "django",
    "sql",
    "ruby_on_rails",
    "spring",
    "python",
    "jvm",
    "nodejs",
    "velocity",
}
"""What applications write to syslog is searched by rules about syslog and about applications."""


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_finds_no_event_from_elsewhere(engine: Engine, name: str) -> None:
    event = ROWS[NAMES.index(name)]["event"]
    moved = {
        **event,
        "event.dataset": "elsewhere",
        "winlog.channel": "Elsewhere" if "winlog.channel" in event else None,
    }
    assert name not in found(engine, {k: v for k, v in moved.items() if v is not None})


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ({"product": "aws", "service": "cloudtrail"}, "cloud"),
        ({"product": "azure", "service": "signinlogs"}, "cloud"),
        ({"product": "macos", "category": "process_creation"}, "macOS"),
        ({"product": "windows", "category": "file_access"}, "kernel trace"),
        ({"product": "fortigate", "service": "event"}, "fortigate"),
        ({"product": "acme"}, "no pipeline"),
        ({}, "no pipeline"),
    ],
)
def test_what_is_not_collected_has_its_reason(source: dict[str, str], reason: str) -> None:
    assert reason in why_absent(source)


def test_every_rule_of_sigma_applies_or_says_why(
    shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("rules")
    sources: dict[str, dict[str, str]] = {}
    for path in (shared / "data/sigma").glob("rules*/**/*.yml"):
        for document in yaml.load_all(path.read_text(), yaml.CSafeLoader):
            source = document.get("logsource") or {}
            kept = {k: source[k] for k in ("product", "category", "service") if k in source}
            sources[json.dumps(kept)] = kept
    rows = [
        {"title": str(i), "id": rule_id(i), "level": "low", "logsource": source,
         "detection": {"a": {"b": "c"}, "condition": "a"}}
        for i, source in enumerate(sources.values())
    ]  # fmt: skip
    (folder / "rules.yml").write_text("\n---\n".join(map(json.dumps, rows)))
    ruleset: Ruleset = load([folder], cache_dir=tmp_path_factory.mktemp("compiled"))
    unexplained = [
        dict(one.logsource)
        for one in ruleset.rules
        if not one.applies and "no pipeline" in why_absent(one.logsource)
    ]
    assert unexplained == []
