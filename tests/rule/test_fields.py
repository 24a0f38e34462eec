"""Fields: by their names in events, with what authors wrote, whatever a pipeline makes of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from kr_secops import content
from kr_secops.rule.fields import log_source, used, written
from kr_secops.rule.logsource import Pipelines, find_pipelines
from kr_secops.rule.ruleset import load

if TYPE_CHECKING:
    from pathlib import Path

    from kr_secops.rule.ruleset import Ruleset

CREATION = {"product": "windows", "category": "process_creation"}
SSHD = {"product": "linux", "service": "sshd"}


def ruleset(folder: Path, *documents: dict[str, Any]) -> Ruleset:
    folder.mkdir(exist_ok=True)
    made = [
        {"title": f"r{i}", "id": f"11111111-2222-4333-8444-{i:012}", "level": "low", **document}
        for i, document in enumerate(documents)
    ]
    (folder / "r.yml").write_text("\n---\n".join(map(json.dumps, made)))
    return load([folder], cache_dir=folder.parent / "compiled")


@pytest.fixture
def pipelines() -> Pipelines:
    return Pipelines(find_pipelines(content.search_path("rules"), ()), {})


def plain(logsource: dict[str, str], selection: Any, **more: str) -> dict[str, Any]:
    detection = {"selection": selection, "condition": "selection"}
    return {"logsource": logsource, "detection": detection, **more}


@pytest.mark.parametrize(
    ("item", "field", "modifiers"),
    [
        ({"user.name": "root"}, "user.name", {"equals"}),
        ({"user.name|contains": ["a", "b"]}, "user.name", {"contains"}),
        ({"user.name": "*oo*"}, "user.name", {"contains"}),
        ({"user.name": "r*t"}, "user.name", {"wildcard"}),
        ({"user.name|re": "^r.+t$"}, "user.name", {"re"}),
        ({"user.name|cased": "Root"}, "user.name", {"cased"}),
        ({"user.name|exists": True}, "user.name", {"exists"}),
        ({"user.name": None}, "user.name", {"null"}),
        ({"user.name": ""}, "user.name", {"empty"}),
        ({"source.ip|cidr": "10.0.0.0/8"}, "source.ip", {"cidr"}),
        ({"source.port|gte": 1024}, "source.port", {"gte"}),
        (
            {"user.name|startswith": "r", "user.name|endswith": "t"},
            "user.name",
            {"startswith", "endswith"},
        ),
        (["segfault"], "*", {"contains"}),
    ],
)
def test_modifiers(tmp_path: Path, item: Any, field: str, modifiers: set[str]) -> None:
    rules = ruleset(tmp_path / "r", plain(SSHD, item, taxonomy="ecs"))
    found = used(rules, rules.rules)
    assert list(found) == [field]
    assert found[field].modifiers == modifiers
    assert found[field].sources == {"linux/sshd": 1}
    assert found[field].is_known


def test_both_fields_of_a_reference_count(tmp_path: Path) -> None:
    item = {"user.name|fieldref": "user.effective.name"}
    rules = ruleset(tmp_path / "r", plain(SSHD, item, taxonomy="ecs"))
    assert used(rules, rules.rules).keys() == {"user.name", "user.effective.name"}


def test_a_renamed_field_remembers_what_was_written(tmp_path: Path, pipelines: Pipelines) -> None:
    rules = ruleset(
        tmp_path / "r",
        plain(CREATION, [{"Image|endswith": "\\x.exe"}, {"CommandLine|contains|all": ["a", "b"]}]),
        plain(SSHD, {"user.name": "root"}, taxonomy="ecs"),
    )
    names = written(rules.rules, pipelines)
    assert names == {
        "winlog.event_data.Image": {"Image"},
        "winlog.event_data.NewProcessName": {"Image"},
        "winlog.event_data.CommandLine": {"CommandLine"},
    }
    found = used(rules, rules.rules)
    assert found.keys() == names.keys() | {"user.name"}
    assert found["winlog.event_data.Image"].rules == [0]


def test_what_picks_the_log_source_does_not_count(tmp_path: Path) -> None:
    rules = ruleset(tmp_path / "r", plain(CREATION, {"Image": "x"}))
    assert not {"winlog.channel", "event.code"} & used(rules, rules.rules).keys()


def test_a_field_of_no_schema_is_flagged(tmp_path: Path) -> None:
    rules = ruleset(tmp_path / "r", plain(SSHD, {"user.nmae": "root", "kr.x": "y"}, taxonomy="ecs"))
    found = used(rules, rules.rules)
    assert [name for name, use in found.items() if not use.is_known] == ["user.nmae"]


def test_correlations_count_what_they_group_by(tmp_path: Path) -> None:
    base = plain(SSHD, {"event.action": "ssh_login"}, taxonomy="ecs", name="base")
    counting = {
        "correlation": {
            "type": "value_count",
            "rules": ["base"],
            "group-by": ["source.ip"],
            "timespan": "1h",
            "condition": {"field": "user.name", "gte": 5},
        }
    }
    rules = ruleset(tmp_path / "r", base, counting)
    found = used(rules, [rule for rule in rules.rules if rule.kind == "correlation"])
    assert {name: use.modifiers for name, use in found.items()} == {
        "source.ip": {"group-by"},
        "user.name": {"value_count"},
    }


def test_the_definition_is_no_part_of_the_log_source(tmp_path: Path) -> None:
    rules = ruleset(tmp_path / "r", plain({"definition": "x", **CREATION}, {"Image": "x"}))
    assert log_source(rules.rules[0]) == "windows/process_creation"


def test_a_file_that_changed_since_is_no_reason_to_fail(
    tmp_path: Path, pipelines: Pipelines
) -> None:
    rules = ruleset(tmp_path / "r", plain(CREATION, {"Image": "x"}))
    (tmp_path / "r" / "r.yml").write_text("{")
    assert written(rules.rules, pipelines) == {}
