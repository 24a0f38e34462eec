"""``rule check`` and ``rule test``: whatever way a path is written, and never half of a set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Run

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "rules/threats/linux/ssh-root-password-login.yml"
RULE = """\
title: programs
id: 9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f70
description: programs that somebody starts
status: test
level: low
logsource: {product: linux}
detection:
  s: {process.name|expand: '%tools%'}
  condition: s
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own folder of rules."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("KR_SECOPS_STATE_DIR", str(tmp_path / "state"))
    folder = tmp_path / "kr-secops" / "rules"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize("folder", [ROOT, SHIPPED.parent, SHIPPED.parents[2] / "privacy"])
def test_shipped_rules_by_a_relative_path(
    folder: Path, site: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    ran = run("rule", "test", os.path.relpath(SHIPPED))
    assert (ran.code, ran.out) == (0, b"4 cases, 0 failed\n")


def test_what_only_loading_shows_is_named_by_a_relative_path_once(
    site: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = RULE.replace("|expand: '%tools%'", "|re: '(?<=a)b[[:alpha:]]'")
    (site / "bad.yml").write_text(text)
    (site / "bad.yml.other.yml").write_text(text.replace("0f70", "0f71"))
    monkeypatch.chdir(site)
    ran = run("rule", "check", "bad.yml")
    lines = ran.out.decode().splitlines()
    assert ran.code == 3
    assert lines
    assert all(line.startswith("bad.yml:") for line in lines)
    assert len(lines) == len(set(lines))


def test_a_rule_that_waits_for_a_list_is_no_error(site: Path, run: Run) -> None:
    (site / "waits.yml").write_text(RULE)
    ran = run("rule", "check", site)
    assert ran.code == 0
    (line,) = (line for line in ran.out.decode().splitlines() if "%tools%" in line)
    assert line.endswith("(placeholders/tools.txt) (waits for a list)")
    assert run("rule", "test", site).code == 0
    assert run("rule", "list", "-f", "ndjson").code == 0


def test_a_folder_without_rules_is_no_clean_bill(site: Path, run: Run, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    event = tmp_path / "event.ndjson"
    event.write_text('{"event.dataset": "sshd", "user.name": "root"}\n')
    for words in (
        ("rule", "check", tmp_path / "none"),
        ("rule", "test", tmp_path / "none"),
        ("detect", event, "--rules", tmp_path / "none"),
        ("scan", event, "--rules", tmp_path / "none"),
        ("rule", "list", "--rules", tmp_path / "none"),
    ):
        ran = run(*words)
        assert ran.code == 2
        assert ran.err == f"{tmp_path}/none: holds no rules\n"


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("S", "7:3: condition: Detection 'S' not defined in detections"),
        ("s AND s", "found 'AND'; and, or, not are written in small letters"),
        ("5 of them", "7:3: condition: "),
        ("s | count() > 5", "7:3: condition: "),
        ("1 of (s or s)", "7:3: condition: "),
        ("s s", "7:3: condition: "),
        ("not " * 900 + "s", "7:3: condition: is nested too deeply"),
    ],
)
def test_a_condition_that_cannot_be_read(site: Path, run: Run, condition: str, said: str) -> None:
    head = RULE.partition("description")[0] + "logsource: {product: linux}\ndetection:\n"
    (site / "bad.yml").write_text(
        f"{head}  s: {{process.name: a}}\n  \n  condition: {condition!r}\n"
    )
    ran = run("rule", "check", site)
    assert ran.code == 3
    (line,) = (
        text
        for text in ran.out.decode().splitlines()
        if "condition: " in text and "advice" not in text
    )
    assert said in line
    assert "at char" not in line


def test_no_library_writes_between(site: Path, run: Run) -> None:
    (site / "bad.yml").write_text(RULE.replace("|expand: '%tools%'", "|re: '(?#'"))
    ran = run("rule", "check", site)
    assert ran.err == "1 errors, 0 pieces of advice\n"
    assert b"bad.yml:8:7: process.name|re: " in ran.out
    assert b"is invalid: invalid perl operator: (?#\n" in ran.out


def test_what_is_left_out_is_named_however_quiet(site: Path, run: Run, tmp_path: Path) -> None:
    (site / "waits.yml").write_text(RULE)
    (site / "bad.yml").write_text(RULE.replace("level: low", "level: lwo").replace("0f70", "0f71"))
    event = tmp_path / "event.ndjson"
    event.write_text('{"event.dataset": "sshd", "user.name": "nobody-in-particular"}\n')
    for command in ("detect", "scan"):
        assert run(command, event, "-q").code == 3
        ran = run(command, event, "-q", "--skip-invalid")
        assert ran.code == 0
        assert "bad.yml:5:1: level: 'lwo' is not a level" in ran.err
        assert "waits.yml" not in ran.err


def test_no_title_steers_a_terminal(site: Path, run: Run) -> None:
    title = "\\e[2J \\x9b31m \\u202egnp.exe"
    (site / "a.yml").write_text(
        RULE.replace("title: programs", f'title: "{title}"').replace("|expand", "")
    )
    (site / "b.yml").write_text(
        RULE.replace("level: low", f'level: "{title}"').replace("0f70", "0f71")
    )
    for words in (
        ("list", "--skip-invalid"),
        ("list", "--skip-invalid", "-f", "ndjson"),
        ("check", site),
        ("check", site, "-f", "ndjson"),
        ("show", "0b0f70"),
    ):
        ran = run("rule", *words)
        said = ran.out.decode() + ran.err
        assert said
        assert not {"\x1b", "\x9b", "\u202e"} & set(said)


def test_a_broken_rule_is_not_passed_over_by_tests(
    site: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (site / "bad.yml").write_text(RULE.replace("level: low", "level: lwo"))
    monkeypatch.chdir(site)
    for words in ((), (site,), (".",), ("bad.yml",)):
        ran = run("rule", "test", *words)
        assert ran.code == 3
        assert "bad.yml:5:1: level: 'lwo' is not a level" in ran.err
    assert run("rule", "test", SHIPPED).code == 0
