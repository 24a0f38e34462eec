"""``rule coverage`` and ``rule fields`` as a user runs them."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

RULES = """\
title: "=2+3 guessed"
id: 11111111-2222-4333-8444-000000000001
taxonomy: ecs
level: high
logsource: {product: linux, service: sshd}
tags: [attack.t1110.001, attack.credential-access]
detection: {s: {user.name: root, source.ipp|contains: "10."}, condition: s}
---
title: "old\\e[2Jname"
id: 11111111-2222-4333-8444-000000000002
level: low
logsource: {product: windows, category: process_creation}
tags: [attack.t1562.001]
detection: {s: {Image|endswith: x.exe}, condition: s}
---
title: untagged
id: 11111111-2222-4333-8444-000000000003
level: low
logsource: {product: windows, category: process_creation}
detection: {s: {CommandLine|contains: x}, condition: s}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "r.yml").write_text(RULES)
    return tmp_path / "own"


def test_the_table_names_all(run: Run, folder: Path) -> None:
    ran = run("rule", "coverage", folder)
    text = ran.out.decode()
    assert ran.code == 0
    assert "Credential Access: 1 of " in text
    assert "1  T1110.001  Brute Force: Password Guessing" in text
    assert "T1562.001 Disable or Modify Tools is retired -> T1685 (1):" in text
    assert "Without a technique (1):\n  untagged" in text
    assert "\x1b" not in text
    assert "Rules: 3, ATT&CK: 1" in ran.err


def test_the_layer_is_a_file_of_its_own(run: Run, folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "layer.json"
    ran = run("rule", "coverage", folder, "-f", "navigator", "-o", target)
    assert (ran.code, ran.out) == (0, b"")
    made = json.loads(target.read_text())
    assert [one["techniqueID"] for one in made["techniques"]] == ["T1110", "T1110.001"]
    assert "T1562.001" in ran.err


def test_json_and_csv_agree(run: Run, folder: Path) -> None:
    document = json.loads(run("rule", "coverage", "--rules", folder, "-f", "json").out)
    assert document["untagged"] == ["untagged"]
    assert list(document["retired"]) == ["T1562.001"]
    techniques = [t for tactic in document["tactics"] for t in tactic["techniques"]]
    text = run("rule", "coverage", "--rules", folder, "-f", "csv").out.decode("utf-8-sig")
    head, *lines = csv.reader(io.StringIO(text))
    assert head == ["Tactic", "Technique", "Name", "Number", "Rules"]
    assert lines == [
        ["credential-access", "T1110.001", "Brute Force: Password Guessing", "1", "'=2+3 guessed"]
    ]
    assert [t["by"] for t in techniques] == [["=2+3 guessed"]]


def test_findings_colour_too(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "auth.log"
    log.write_text(
        "Nov 17 09:14:02 web-izin sshd[2203]: Accepted password for root from 203.0.113.66 "
        "port 51234 ssh2\n"
    )
    assert run("scan", log, "--year", "2026", "--zone", "Asia/Jakarta", "--exit-zero").code == 0
    document = json.loads(run("rule", "coverage", "--findings", "-f", "json").out)
    assert document["counted"] >= 1
    assert any(tactic["techniques"] for tactic in document["tactics"])


def test_fields_of_a_folder(run: Run, folder: Path) -> None:
    rows = {row["field"]: row for row in run("rule", "fields", folder, "-f", "ndjson").rows()}
    assert rows["winlog.event_data.Image"]["written"] == ["Image"]
    assert rows["winlog.event_data.CommandLine"]["modifiers"] == ["contains"]
    assert not rows["source.ipp"]["known"]
    ran = run("rule", "fields", folder)
    assert "unknown" in ran.out.decode()
    assert "5 fields in 3 rules; ECS does not know 1" in ran.err
    text = run("rule", "fields", folder, "-f", "csv").out.decode("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(text)))) == 1 + len(rows)


@pytest.mark.parametrize("command", ["coverage", "fields"])
def test_only_below_the_path(run: Run, folder: Path, command: str) -> None:
    # A folder whose name begins alike is another folder.
    other = folder.parent / "own2"
    other.mkdir()
    (other / "r.yml").write_text(RULES.replace("8444-", "8445-").replace("user.name", "group.name"))
    ran = run("rule", command, folder, "--rules", folder, "--rules", other)
    assert "3" in ran.err
    assert "6" not in ran.err.replace("ATT&CK: 1", "")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["coverage", "/nowhere"], 2),
        (["coverage", "--rules", "/nowhere"], 2),
        (["coverage", "-f", "xml"], 2),
        (["coverage", "--findings", "."], 2),
        (["fields", "-f", "json"], 2),
        (["fields", "/nowhere"], 2),
    ],
)
def test_usage(run: Run, words: list[str], code: int) -> None:
    assert run("rule", *words).code == code


@pytest.mark.parametrize("command", ["coverage", "fields"])
def test_a_broken_rule_stops_or_is_left_out(run: Run, folder: Path, command: str) -> None:
    (folder / "broken.yml").write_text("title: x\ndetection: {s: {a|conatins: b}, condition: s}\n")
    ran = run("rule", command, folder)
    assert ran.code == 3
    assert "broken.yml:2:" in ran.err
    ran = run("rule", command, folder, "--skip-invalid")
    assert ran.code == 0
    assert "broken.yml:2:" in ran.err
