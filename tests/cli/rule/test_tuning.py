"""``rule tune``: from two logs to a filter that is loaded by ``detect``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import yaml

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Ran, Run

RULE = """\
title: Editor as root
id: 9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f10
taxonomy: ecs
level: low
logsource: {product: linux, service: sudo}
detection: {s: {process.command_line|contains: vim}, condition: s}
---
title: Many editors
id: 9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f11
correlation:
  type: event_count
  rules: [9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f10]
  group-by: [host.name]
  timespan: 1h
  condition: {gte: 5}
  generate: true
"""
WINDOWS = """\
title: Tool
id: 9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f20
level: low
logsource: {product: windows, category: process_creation}
detection: {s: {CommandLine|contains: tool}, condition: s}
"""
LATER = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()


def sudo(user: str, command: str, minute: int) -> str:
    return (
        f"Nov 17 09:{minute:02}:02 web-izin sudo: {user} : TTY=pts/0 ; PWD=/srv ; USER=root ; "
        f"COMMAND={command}\n"
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "r.yml").write_text(RULE)
    (tmp_path / "rules" / "w.yml").write_text(WINDOWS)
    (tmp_path / "false.log").write_text(
        sudo("backup", "/usr/bin/vim /etc/rsyncd.conf", 1)
        + sudo("backup", "/usr/bin/vim /etc/rsyncd.conf", 2)
        + sudo("admin", "/usr/bin/apt update", 3)
    )
    (tmp_path / "true.log").write_text(sudo("sari", "/usr/bin/vim -c :!sh", 4))
    return tmp_path


def tune(run: Run, site: Path, *words: str | Path, rule: str = "Editor as root") -> Ran:
    return run("rule", "tune", rule, "--rules", site / "rules", *words)


def test_a_filter_that_works(run: Run, site: Path) -> None:
    words = ("--false", site / "false.log", "--true", site / "true.log")
    ran = tune(run, site, *words, "--reason", "edits by the backup", "--expires", LATER)
    assert ran.code == 0, ran.err
    made = yaml.safe_load(ran.out)
    assert made["filter"] == {
        "rules": ["9f3a6f0e-60b0-4a3c-8e7e-2d3a3b1c0f10"],
        "selection": {"user.name": "backup"},
        "condition": "not selection",
    }
    assert made["kr"]["reason"] == "edits by the backup"
    assert made["kr"]["expires"].isoformat() == LATER
    assert b"selection:  # 2 of 2 false, 0 of 1 true matches" in ran.out
    assert "false positives 2 before, 0 after; true matches 1 before and after" in ran.err
    assert "2 of the 4 events of the log source in these inputs meet it (50.0 %)" in ran.err
    assert "No reason" not in ran.err

    (site / "rules" / "f.yml").write_bytes(ran.out)
    assert run("rule", "check", site / "rules").code == 0
    rows = run("detect", site / "false.log", site / "true.log", "--rules", site / "rules").rows()
    assert [row["kr.finding.count"] for row in rows] == [1]


@pytest.mark.parametrize("side", ["--false", "--true"])
def test_an_input_that_is_not_there_is_no_empty_one(run: Run, site: Path, side: str) -> None:
    other = {"--false": "--true", "--true": "--false"}[side]
    ran = tune(run, site, side, site / "nowhere.log", other, site / "false.log")
    assert ran.code == 4
    assert ran.out == b""
    assert "nowhere.log was not read: " in ran.err


def test_what_is_not_proven_is_said(run: Run, site: Path) -> None:
    ran = tune(run, site, "--false", site / "false.log", "-o", site / "f.yml")
    assert ran.code == 0
    assert "No true match was given to keep" in ran.err
    assert "No reason was given" in ran.err
    expires = yaml.safe_load((site / "f.yml").read_text())["kr"]["expires"]
    assert expires == datetime.now(UTC).date() + timedelta(days=90)


@pytest.mark.parametrize(
    ("rule", "words", "code", "said"),
    [
        ("Editor as root", ["--true", "{}/false.log"], 1, "are those of true matches too"),
        ("Tool", [], 1, "'Tool' is true nowhere in the false positives given"),
        ("Many editors", [], 2, "is a correlation; tune what it counts: 'Editor as root'"),
        ("Nothing", [], 2, "no rule is called 'Nothing'"),
        ("Editor as root", ["--expires", "2020-01-01"], 2, "2020-01-01 is past"),
        ("Editor as root", ["--expires", "soon"], 2, "'soon' is no day"),
        ("Editor as root", ["--true", "-"], 2, "standard input can be read once"),
    ],
)
def test_refusals(run: Run, site: Path, rule: str, words: list[str], code: int, said: str) -> None:
    target = site / "f.yml"
    more = [word.format(site) for word in words]
    ran = tune(run, site, "--false", site / "false.log", "-o", target, *more, rule=rule)
    assert (ran.code, ran.out) == (code, b"")
    assert said in ran.err
    assert not target.exists()


def record(number: int, image: str, command: str) -> dict[str, Any]:
    return {
        "@timestamp": f"2026-11-17T01:{number:02}:09.000Z",
        "event.dataset": "windows",
        "winlog.channel": "Microsoft-Windows-Sysmon/Operational",
        "winlog.provider_name": "Microsoft-Windows-Sysmon",
        "winlog.event_id": "1",
        "event.code": "1",
        "winlog.record_id": str(number),
        "host.name": "pc",
        "winlog.event_data.Image": image,
        "winlog.event_data.CommandLine": command,
        "winlog.event_data.User": "DESA\\budi",
    }


def test_fields_are_called_as_the_rule_calls_them(run: Run, site: Path) -> None:
    false = [record(i, f"C:\\Apps\\Suite\\tool{i}.exe", "tool") for i in range(3)]
    true = [record(9, "C:\\Users\\budi\\tool.exe", "tool -x")]
    for name, events in (("f.ndjson", false), ("t.ndjson", true)):
        (site / name).write_bytes(b"\n".join(map(orjson.dumps, events)) + b"\n")
    ran = tune(run, site, "--false", site / "f.ndjson", "--true", site / "t.ndjson", rule="Tool")
    assert ran.code == 0, ran.err
    made = yaml.safe_load(ran.out)
    assert made["filter"]["selection"] == {"Image|startswith": "C:\\Apps\\Suite\\"}
    assert "taxonomy" not in made
    assert "false positives 3 before, 0 after; true matches 1 before and after" in ran.err
