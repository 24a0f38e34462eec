"""``rule visibility`` and ``rule stats`` as a user runs them, over the sample estate."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import ESTATE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

YEAR = ("--year", "2026", "--zone", "Asia/Jakarta")
AUTH = ESTATE / "web-izin" / "var" / "log" / "auth.log"

RULES = """\
title: "=cmd|' /C calc'!A0"
id: 11111111-2222-4333-8444-000000000001
taxonomy: ecs
level: high
logsource: {product: linux, service: sshd}
detection: {s: {event.action: ssh_login}, condition: s}
---
title: "never\\e[2J filled"
id: 11111111-2222-4333-8444-000000000002
taxonomy: ecs
level: low
logsource: {product: linux, service: sshd}
detection: {s: {user.email: x}, condition: s}
---
title: elsewhere
id: 11111111-2222-4333-8444-000000000003
level: low
logsource: {product: windows, category: process_creation}
detection: {s: {CommandLine|contains: x}, condition: s}
---
title: quiet
id: 11111111-2222-4333-8444-000000000004
taxonomy: ecs
level: low
logsource: {product: linux, service: sshd}
detection: {s: {user.name: no-such-user}, condition: s}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "r.yml").write_text(RULES)
    return tmp_path / "own"


def test_visibility_of_each_rule(run: Run, rules: Path) -> None:
    ran = run("rule", "visibility", AUTH, *YEAR, "--rules", rules, "-f", "ndjson")
    assert ran.code == 0
    found = {row["rule.id"][-1]: row for row in ran.rows()}
    assert [found[n]["sight"] for n in "1234"] == ["seen", "blind", "blind", "seen"]
    assert found["2"]["missing"] == ["user.email"]
    assert found["2"]["reason"] == "no field"
    assert found["3"]["reason"] == "no log source"
    assert "security 4688" in found["3"]["wants"]
    assert b"\x1b" not in ran.out


def test_visibility_as_a_table(run: Run, rules: Path) -> None:
    text = run("rule", "visibility", AUTH, *YEAR, "--rules", rules).out.decode()
    assert "4 rules: 2 seen, 2 blind" in text
    assert "audit policy: Process Creation" in text
    assert "user.email" in text
    assert "\x1b" not in text


def test_visibility_as_one_document(run: Run, rules: Path) -> None:
    ran = run("rule", "visibility", AUTH, *YEAR, "--rules", rules, "-f", "json")
    document = json.loads(ran.out)
    total = len(AUTH.read_bytes().splitlines())
    assert document["events"] == total == sum(one["events"] for one in document["sources"])
    assert total == sum(one["events"] for one in document["records"])
    fields = {row["field"]: row for row in document["fields"]}
    assert fields["event.dataset"]["share"] == 1
    assert 0 < fields["user.name"]["share"] <= 1


@pytest.mark.slow
def test_the_archive_is_read_like_any_other_input(run: Run, tmp_path: Path) -> None:
    assert run("scan", AUTH, *YEAR, "--exit-zero").code == 0
    archive = tmp_path / "state" / "archive"
    ran = run("rule", "visibility", archive, "-f", "json")
    assert ran.code == 0
    assert json.loads(ran.out)["events"] == len(AUTH.read_bytes().splitlines())


@pytest.mark.slow
@pytest.mark.parametrize(
    "log", [AUTH, ESTATE / "web-izin" / "var" / "log" / "nginx", ESTATE / "db-izin"]
)
def test_totals_are_those_of_detect(run: Run, log: Path) -> None:
    told = Counter(row["rule.id"] for row in run("detect", log, *YEAR, "--matches").rows())
    found = {row["rule.id"]: row for row in run("rule", "stats", log, *YEAR, "-f", "ndjson").rows()}
    counted = {
        name: row["matches"]
        for name, row in found.items()
        if row["matches"] and not row["only_counted"]
    }
    assert counted == told
    assert told
    # Who matched was seen.
    assert all(row["sight"] != "blind" for row in found.values() if row["matches"])
    for row in found.values():
        assert row["matches"] <= row["candidates"] <= row["tested"]


def test_stats_of_each_rule(run: Run, rules: Path) -> None:
    ran = run("rule", "stats", AUTH, *YEAR, "--rules", rules, "-f", "json")
    document = json.loads(ran.out)
    found = {row["rule.id"][-1]: row for row in document["rules"]}
    first = found["1"]
    assert document["matches"] == first["matches"] > 0
    assert first["first"] <= first["last"]
    assert first["entities"] > 0
    assert first["false_rate"] == 0
    assert (document["dead"], document["never_looked_at"]) == (1, 1)
    assert found["4"]["candidates"] == 0


def test_stats_as_a_table(run: Run, rules: Path) -> None:
    text = run("rule", "stats", AUTH, *YEAR, "--rules", rules).out.decode()
    for head in ("Most matches:", "Costliest:", "Dead, for a field is never filled:"):
        assert head in text
    assert "1 rules could fire and were never looked at" in text
    assert "\x1b" not in text


def test_a_cell_is_no_formula(run: Run, rules: Path) -> None:
    out = run("rule", "stats", AUTH, *YEAR, "--rules", rules, "-f", "csv").out.decode("utf-8-sig")
    head, *lines = csv.reader(io.StringIO(out))
    assert len(lines) == 4
    assert all(len(line) == len(head) for line in lines)
    assert not any(cell.startswith(("=", "+", "@")) for line in lines for cell in line)


def test_only_the_costliest(run: Run, rules: Path) -> None:
    ran = run("rule", "stats", AUTH, *YEAR, "--rules", rules, "-f", "ndjson", "--slowest", "1")
    assert [row["rule.id"][-1] for row in ran.rows()] == ["1"]


@pytest.mark.parametrize("command", ["visibility", "stats"])
@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 2),
        (["-f", "xml", AUTH], 2),
        ([AUTH, "--collector", "nonsense"], 2),
        ([AUTH, "--rules", "/nowhere"], 2),
        (["/nowhere/at/all.log"], 4),
    ],
)
def test_exit_codes(run: Run, command: str, words: list[str], code: int) -> None:
    ran = run("rule", command, *words)
    assert ran.code == code
    assert ran.out == b"" or code == 2


@pytest.mark.parametrize("command", ["visibility", "stats"])
def test_broken_rules_stop_it(run: Run, rules: Path, command: str) -> None:
    (rules / "broken.yml").write_text("title: x\ndetection: {s: {a|conatins: b}, condition: s}\n")
    assert run("rule", command, AUTH, *YEAR, "--rules", rules).code == 3
    assert run("rule", command, AUTH, *YEAR, "--rules", rules, "--skip-invalid").code == 0


@pytest.mark.parametrize("command", ["visibility", "stats"])
def test_hostile_events_are_counted_and_steer_nothing(
    run: Run, rules: Path, tmp_path: Path, command: str
) -> None:
    log = tmp_path / "events.ndjson"
    evil = "\x1b]0;x\x07=1+1\u202e"
    events = [
        {
            "@timestamp": "2026-11-17T01:00:00Z",
            "event.dataset": evil,
            "event.code": evil,
            "winlog.channel": f"{evil}{i}",
            evil: evil,
        }
        for i in range(40)
    ]
    events.append({"@timestamp": "2026-11-17T01:00:00Z", "event.dataset": "sshd"})
    log.write_text("\n".join(map(json.dumps, events)))
    for form in ("table", "ndjson", "json"):
        ran = run("rule", command, log, "--rules", rules, "-f", form)
        assert ran.code == 0
        for bad in ("\x1b", "\x07", "\u202e"):
            assert bad not in ran.out.decode()
            assert bad not in ran.err


@pytest.mark.parametrize("lang", ["en", "id"])
@pytest.mark.parametrize("command", ["coverage", "fields", "visibility", "stats"])
def test_help_in_both_languages(run: Run, command: str, lang: str) -> None:
    ran = run("rule", command, "--help", "--lang", lang)
    assert ran.code == 0
    assert b"--rules" in ran.out
    assert (b"Bawaan: table." in ran.out) == (lang == "id")
