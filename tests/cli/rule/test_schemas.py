"""``rule schema``: for rules, their cases and backtests; each fits what is shipped or shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import pytest
import yaml
from jsonschema import Draft202012Validator

from kr_secops import content

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run


@pytest.mark.parametrize("kind", ["rule", "test", "backtest"])
def test_each_is_a_schema(run: Run, tmp_path: Path, kind: str) -> None:
    target = tmp_path / "s.json"
    assert run("rule", "schema", kind, "-o", target).code == 0
    made = orjson.loads(target.read_bytes())
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(made)


def test_the_cases_of_shipped_rules_fit(run: Run) -> None:
    validator = Draft202012Validator(orjson.loads(run("rule", "schema", "test").out))
    files = sorted(content.shipped("rules").rglob("*.test.yaml"))
    assert len(files) > 50
    wrong = [
        f"{path}: {error.json_path}: {error.message}"
        for path in files
        for error in validator.iter_errors(yaml.load(path.read_text(), yaml.CSafeLoader))
    ]
    assert wrong == []
    assert not validator.is_valid([{"name": "x", "expect": "mtach", "lines": ["a"]}])
    assert not validator.is_valid([{"name": "x", "expect": "match"}])


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("inputs: [a.log]\nexpect: {x: 1, y: {min: 2}}\nothers: none", True),
        ("inputs: []", False),
        ("inputs: [a.log]\nothers: some", False),
        ("inputs: [{pth: a}]", False),
    ],
)
def test_backtests(run: Run, text: str, valid: bool) -> None:
    validator = Draft202012Validator(orjson.loads(run("rule", "schema", "backtest").out))
    assert validator.is_valid(yaml.safe_load(text)) is valid


def test_an_unknown_kind(run: Run) -> None:
    ran = run("rule", "schema", "rules")
    assert (ran.code, ran.out) == (2, b"")
    assert "known: rule, test, backtest" in ran.err
