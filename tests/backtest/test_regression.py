"""SigmaHQ's regression data, in its old form and in its new one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kr_secops.backtest.corpus import find
from kr_secops.backtest.regression import read
from kr_secops.backtest.run import Runner
from kr_secops.errors import ContentError
from kr_secops.privacy.mask import Guard
from kr_secops.rule.ruleset import load

if TYPE_CHECKING:
    from kr_secops.rule.ruleset import Ruleset

ID = "0f06a3a5-6a09-413f-8743-e6cf35561297"
INFO = f"""\
id: 656bc011-29f1-4319-91f6-beeb530324e3
rule_metadata:
  - id: {ID}
    title: stale
regression_tests_info:
  - name: Positive Detection Test
    type: ndjson
    match_count: 2
    path: regression_data/rules/x/{ID}.json
"""
RULE = f"""\
title: Bucket emptied
id: {ID}
level: high
logsource: {{product: aws, service: cloudtrail}}
detection:
  s: {{eventName: DeleteBucket}}
  condition: s
"""
EVENTS = [{"eventName": "DeleteBucket", "awsRegion": r} for r in ("a", "b")] + [{"eventName": "x"}]


@pytest.fixture
def info(tmp_path: Path) -> Path:
    folder = tmp_path / "regression_data" / "rules" / "x"
    folder.mkdir(parents=True)
    (folder / "info.yml").write_text(INFO)
    (folder / f"{ID}.json").write_text("\n".join(map(json.dumps, EVENTS)))
    return folder / "info.yml"


@pytest.fixture(scope="module")
def ruleset(tmp_path_factory: pytest.TempPathFactory) -> Ruleset:
    folder = tmp_path_factory.mktemp("rules")
    (folder / "r.yml").write_text(RULE)
    return load([folder], cache_dir=folder / "c")


@pytest.fixture
def runner(ruleset: Ruleset) -> Runner:
    return Runner(ruleset, Guard(b"k"), Path(ruleset.rules[0].path).parent / "c")


def problem(info: Path, runner: Runner) -> str:
    (result,) = runner.run(read(info))
    return result.problem


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", ""),
        ("match_count: 2", "match_count: 1", ""),
        ("match_count: 2", "match_count: 3", "2 events, not at least 3"),
        ("    match_count: 2\n", "", ""),
        ("type: ndjson", "type: json", ""),
        (ID + "\n    title", "1" + ID[1:] + "\n    title", "no rule has this id, name or title"),
    ],
)
def test_counts(info: Path, runner: Runner, old: str, new: str, expected: str) -> None:
    info.write_text(INFO.replace(old, new))
    assert problem(info, runner).startswith(expected)
    assert bool(problem(info, runner)) == bool(expected)


def test_pipelines_name_the_fields(info: Path, tmp_path: Path, runner: Runner) -> None:
    events = [{"raw": {"name": "DeleteBucket"}, "n": n} for n in range(2)]
    (info.parent / f"{ID}.json").write_text(json.dumps(events, indent=1))
    assert problem(info, runner) == "0 events, not at least 2"
    (tmp_path / "regression_data" / "p.yml").write_text(
        "name: p\npriority: 1\ntransformations:\n"
        "  - {id: a, type: field_name_mapping, mapping: {eventName: raw.name}}\n"
    )
    info.write_text(INFO + "    pipelines: [regression_data/p.yml]\n")
    assert problem(info, runner) == ""


def test_filters_need_no_reason_here(info: Path, tmp_path: Path, runner: Runner) -> None:
    (tmp_path / "regression_data" / "f.yml").write_text(
        "title: f\nlogsource: {product: aws, service: cloudtrail}\n"
        f"filter:\n  rules: [{ID}]\n  s: {{awsRegion: a}}\n  condition: not s\n"
    )
    info.write_text(INFO + "    filters: [regression_data/f.yml]\n")
    assert problem(info, runner) == "1 events, not at least 2"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [\n", "f.yml:2:1: "),
        ("- a\n", "f.yml:1:1: a Sigma rule is a mapping"),
        (
            f"title: f\nlogsource: {{product: aws}}\nfilter: {{rules: [{ID}], s: {{a|x: b}}, condition: not s}}\n",
            "f.yml:3:61: a|x: 'x' is not a modifier",
        ),
        (
            f"title: f\nlogsource: {{product: aws}}\nfilter: {{rules: [{ID}], s: {{a|expand: '%b%'}}, condition: not s}}\n",
            "nothing says what %b% stands for",
        ),
    ],
)
def test_no_test_runs_without_its_filter(
    info: Path, tmp_path: Path, runner: Runner, text: str, said: str
) -> None:
    (tmp_path / "regression_data" / "f.yml").write_text(text)
    info.write_text(INFO + "    filters: [regression_data/f.yml]\n")
    assert said in problem(info, runner)
    assert str(tmp_path) in problem(info, runner)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("type: ndjson", "type: ndjsn", ":7:5: type: 'ndjsn' is no type (did you mean 'ndjson'?)"),
        ("match_count: 2", "match_count: two", ":8:5: match_count: must be a number"),
        (f"x/{ID}", f"y/{ID}", ":9:5: path: there is no regression_data/rules/y/"),
        (
            f"    path: regression_data/rules/x/{ID}.json\n",
            "",
            ":6:5: regression_tests_info: path: is missing",
        ),
        (f"  - id: {ID}\n    title: stale\n", "  []\n", "rule_metadata: must name the rule's id"),
    ],
)
def test_mistakes(info: Path, old: str, new: str, complaint: str) -> None:
    info.write_text(INFO.replace(old, new))
    with pytest.raises(ContentError, match=r"info\.yml") as caught:
        read(info)
    assert complaint in str(caught.value)


def test_a_broken_sample_breaks_its_own_case_only(info: Path, runner: Runner) -> None:
    (info.parent / f"{ID}.json").write_text('{"eventName": "DeleteBucket"}\n{"eventNa')
    assert ":2:2: Unterminated string" in problem(info, runner)
    (info.parent / f"{ID}.json").write_text("[" * 100_000)
    assert "recursion" in problem(info, runner)


def test_commented_out_tests_are_none(info: Path) -> None:
    info.write_text(INFO.partition("regression_tests_info")[0])
    assert read(info) == []


@pytest.mark.slow
def test_all_of_sigmahq_in_one_go(shared: Path, compiled: Path, tmp_path: Path) -> None:
    root = shared / "data" / "sigma"
    folders = [root / name for name in ("rules", "rules-emerging-threats", "rules-threat-hunting")]
    ruleset = load(folders, cache_dir=compiled, skip_invalid=True)
    results = list(Runner(ruleset, Guard(b"k"), tmp_path / "c").run(find([root])))
    assert len(results) == len(list(root.rglob("info.yml"))) > 100
    assert [result for result in results if not result.passed] == []
