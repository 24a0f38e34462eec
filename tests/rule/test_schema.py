"""The schema for editors says what the code says: no rule more, no rule less."""

from __future__ import annotations

import copy
import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from kr_secops import content
from kr_secops.document import examine
from kr_secops.rule import schema
from kr_secops.rule.lint import KEYS, check
from kr_secops.rule.source import Attributes, find_files

if TYPE_CHECKING:
    from pathlib import Path

RULE: dict[str, Any] = {
    "title": "t",
    "id": "9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f10",
    "taxonomy": "ecs",
    "status": "test",
    "level": "low",
    "logsource": {"product": "linux"},
    "detection": {"s": {"user.name|contains|all": ["a", "b"], "process.pid": 1}, "condition": "s"},
    "kr": {"title": "j", "recommendation": {"en": "e", "id": "i"}},
}
CORRELATION: dict[str, Any] = {
    "title": "c",
    "id": "9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f11",
    "correlation": {
        "type": "event_count",
        "rules": ["9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f10"],
        "group-by": ["user.name"],
        "timespan": "5m",
        "condition": {"gte": 2, "lt": 9},
    },
}
FILTER: dict[str, Any] = {
    "title": "f",
    "id": "9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f12",
    "logsource": {"product": "linux"},
    "filter": {"rules": "any", "s": {"user.name": "a"}, "condition": "not s"},
    "kr": {"reason": "r", "expires": date(2026, 12, 31)},
}
MISSING = "(missing)"
CHANGES: list[tuple[dict[str, Any], tuple[str, ...], Any]] = [
    (RULE, (), RULE),
    (RULE, ("title",), MISSING),
    (RULE, ("id",), MISSING),
    (RULE, ("id",), "nope"),
    (RULE, ("id",), "9f3a6f0e60b04a3c8e7e2d3a3b1c0f10"),
    (RULE, ("level",), "hgih"),
    (RULE, ("level",), MISSING),
    (RULE, ("status",), "tset"),
    (RULE, ("status",), "deprecated"),
    (RULE, ("date",), date(2026, 11, 25)),
    (RULE, ("date",), "2026/11/25"),
    (RULE, ("date",), "25.11.2026"),
    (RULE, ("modified",), "yesterday"),
    (RULE, ("tags",), ["attack.t1110"]),
    (RULE, ("tags",), ["attack"]),
    (RULE, ("tags",), "attack.t1110"),
    (RULE, ("references",), "https://example.org"),
    (RULE, ("fields",), "a"),
    (RULE, ("falsepositives",), {"a": 1}),
    (RULE, ("author",), ["a", "b"]),
    (RULE, ("description",), 5),
    (RULE, ("license",), ["MIT"]),
    (RULE, ("scope",), "server"),
    (RULE, ("name",), 5),
    (RULE, ("related",), [{"id": RULE["id"], "type": "derived"}]),
    (RULE, ("related",), [{"id": RULE["id"], "type": "cousin"}]),
    (RULE, ("related",), [{"id": "x", "type": "derived"}]),
    (RULE, ("related",), {"id": RULE["id"]}),
    (RULE, ("logsource",), MISSING),
    (RULE, ("logsource",), {}),
    (RULE, ("logsource",), "linux"),
    (RULE, ("logsource",), {"definition": "x"}),
    (RULE, ("logsource", "service"), ["a"]),
    (RULE, ("detection",), MISSING),
    (RULE, ("detection",), []),
    (RULE, ("detection", "condition"), MISSING),
    (RULE, ("detection", "condition"), ["s", "not s"]),
    (RULE, ("detection", "s"), ["word", "other"]),
    (RULE, ("detection", "s"), [{"user.name": "a"}, {"user.name": "b"}]),
    (RULE, ("detection", "s"), "word"),
    (RULE, ("detection", "s"), {"user.name": None}),
    (RULE, ("detection", "s"), {"user.name": {"is": "a"}}),
    (RULE, ("detection", "s"), {"user.name": ["a", ["b"]]}),
    (RULE, ("detection", "s"), {"user.name|contians": "a"}),
    (RULE, ("detection", "s"), {"user.name|utf16le|base64": "a"}),
    (RULE, ("detection", "s"), {"|all": ["a", "b"]}),
    (RULE, ("detection", "s"), {"event.duration|gte": 5}),
    (RULE, ("detection", "s"), {"event.duration": 1.5}),
    (RULE, ("detection", "s"), {"user.name": True}),
    (RULE, ("kr", "titel"), "x"),
    (RULE, ("kr", "recommendation"), {"en": "e"}),
    (RULE, ("kr", "entity"), ["host.name"]),
    (RULE, ("kr", "entity"), "host.name"),
    (RULE, ("kr",), []),
    (RULE, ("unheard",), "of"),
    (CORRELATION, ("correlation", "type"), "event_cuont"),
    (CORRELATION, ("correlation", "type"), MISSING),
    (CORRELATION, ("correlation", "timespan"), "1x"),
    (CORRELATION, ("correlation", "timespan"), "0m"),
    (CORRELATION, ("correlation", "rules"), "9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f10"),
    (CORRELATION, ("correlation", "rules"), {"a": 1}),
    (CORRELATION, ("correlation", "group-by"), "user.name"),
    (CORRELATION, ("correlation", "condition"), {"most": 3}),
    (CORRELATION, ("correlation", "condition"), {"gte": 1}),
    (CORRELATION, ("correlation", "generate"), "yes"),
    (CORRELATION, ("correlation",), []),
    (CORRELATION, (), CORRELATION),
    (FILTER, (), FILTER),
    (FILTER, ("kr", "reason"), MISSING),
    (FILTER, ("kr", "expires"), MISSING),
    (FILTER, ("kr", "expires"), "soon"),
    (FILTER, ("kr",), MISSING),
    (FILTER, ("logsource",), MISSING),
    (FILTER, ("filter", "rules"), MISSING),
    (FILTER, ("filter", "rules"), []),
    (FILTER, ("filter", "rules"), 5),
    (FILTER, ("filter", "condition"), MISSING),
    (FILTER, ("filter", "condition"), ["not s"]),
    (FILTER, ("filter", "s"), {"user.name|contians": "a"}),
]


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    made = schema.rule_schema()
    Draft202012Validator.check_schema(made)
    return Draft202012Validator(made, format_checker=Draft202012Validator.FORMAT_CHECKER)


def changed(base: dict[str, Any], route: tuple[str, ...], value: Any) -> dict[str, Any]:
    document = copy.deepcopy(base)
    if not route:
        return document
    inner = document
    for step in route[:-1]:
        inner = inner[step]
    if value is MISSING:
        del inner[route[-1]]
    else:
        inner[route[-1]] = value
    return document


def as_json(value: Any) -> Any:
    return json.loads(json.dumps(value, default=str))


@pytest.mark.parametrize(
    "change",
    CHANGES,
    ids=[f"{base['title']}:{'.'.join(route)}={str(value)[:30]}" for base, route, value in CHANGES],
)
def test_the_schema_agrees_with_the_code(
    validator: Draft202012Validator,
    tmp_path: Path,
    change: tuple[dict[str, Any], tuple[str, ...], Any],
) -> None:
    document = changed(*change)
    path = tmp_path / "x.yml"
    path.write_text(yaml.safe_dump(document))
    said = [str(remark) for remark in check([path]) if remark.weight == "error"]
    found = [error.message for error in validator.iter_errors(as_json(document))]
    assert bool(said) == bool(found), (said, found)


def test_every_key_is_explained() -> None:
    assert schema.WORDS.keys() == KEYS
    assert schema.ATTRIBUTES.keys() == Attributes.model_fields.keys()


def test_ecs_fields_are_suggested(validator: Draft202012Validator) -> None:
    suggested = validator.schema["$defs"]["ecs_item"]["properties"]
    assert {"user.name", "source.ip", "process.command_line"} <= suggested.keys()


def wrong(validator: Draft202012Validator, folders: list[Path]) -> list[str]:
    return [
        f"{document.place()}: {error.json_path}: {error.message[:200]}"
        for path, _ in find_files(folders)
        for document in examine(path)[0]
        for error in validator.iter_errors(as_json(document.value))
    ]


def test_every_shipped_rule_is_valid(validator: Draft202012Validator) -> None:
    assert wrong(validator, [content.shipped("rules")]) == []


@pytest.mark.slow
def test_every_rule_of_sigmahq_is_valid(validator: Draft202012Validator, shared: Path) -> None:
    names = ("rules", "rules-emerging-threats", "rules-threat-hunting")
    assert wrong(validator, [shared / "data" / "sigma" / name for name in names]) == []
