"""The runner of rule tests: it must be able to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kr_secops import content
from kr_secops.errors import ContentError
from kr_secops.rule.ruleset import load
from kr_secops.selftest import run, untested

if TYPE_CHECKING:
    from pathlib import Path

    from kr_secops.selftest import Result

RULE = """\
title: root by password
id: 9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f10
taxonomy: ecs
logsource: {product: linux, service: sshd}
detection:
  s: {event.action: ssh_login, user.name: root, kr.ssh.method: password}
  condition: s
"""
LINE = "'Nov 17 09:14:02 web sshd[1]: Accepted password for root from 203.0.113.9 port 4 ssh2'"


def outcome(folder: Path, tests: str) -> list[Result]:
    folder.mkdir(exist_ok=True)
    (folder / "a.yml").write_text(RULE)
    (folder / "a.test.yaml").write_text(tests)
    ruleset = load([folder], cache_dir=folder.parent / "compiled")
    return list(run([folder], ruleset))


@pytest.mark.parametrize(
    ("case", "problem"),
    [
        (f"expect: match, lines: [{LINE}]", ""),
        (f"expect: match, count: 1, lines: [{LINE}]", ""),
        (f"expect: match, count: 2, lines: [{LINE}]", "matched 1 events, not 2"),
        (f"expect: none, lines: [{LINE}]", "matched 1 events"),
        (f"expect: match, rule: root by password, lines: [{LINE}]", ""),
        (f"expect: match, rule: root by pasword, lines: [{LINE}]", "did you mean"),
        ("expect: match, lines: ['Nov 17 09:14:02 web sshd[1]: hello']", "no rule did"),
        ("expect: none, lines: ['Nov 17 09:14:02 web sshd[1]: hello']", ""),
        (
            (
                "expect: match, events: [{'@timestamp': '2026-11-17T01:00:00Z', event.dataset: sshd,"
                " event.action: ssh_login, user.name: root, kr.ssh.method: password}]"
            ),
            "",
        ),
    ],
)
def test_outcomes(case: str, problem: str, tmp_path: Path) -> None:
    (result,) = outcome(tmp_path / "rules", f"- {{name: probe, {case}}}\n")
    assert result.passed == (not problem)
    assert problem in result.problem
    assert result.path == f"{tmp_path}/rules/a.test.yaml:1:3"


@pytest.mark.parametrize(
    ("tests", "complaint"),
    [
        ("name: x\n", "a test file is a list of cases"),
        ("- {name: x, expect: match}\n", "1:3: a case has either lines or events"),
        ("- {name: x, expect: maybe, lines: [a]}\n", "expect: 'maybe' is not known"),
        ("- {name: x, expect: match, lnes: [a]}\n", "lnes: unknown key (did you mean 'lines'?)"),
    ],
)
def test_a_wrong_test_file(tests: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(ContentError) as raised:
        outcome(tmp_path / "rules", tests)
    assert any(complaint in line for line in raised.value.complaints), raised.value.complaints


def test_every_shipped_rule_has_tests_and_passes_them(tmp_path: Path) -> None:
    folder = content.shipped("rules")
    assert untested([folder]) == []
    results = list(run([folder], load([folder], cache_dir=tmp_path)))
    assert len(results) > 300
    assert [f"{r.path}: {r.name}: {r.problem}" for r in results if not r.passed] == []
