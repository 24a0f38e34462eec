"""Correlations across files and runs: in event time, whatever order the files are read in."""

from __future__ import annotations

import json
import os
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kr_secops.store.sqlite import Store

if TYPE_CHECKING:
    from tests.cli.conftest import Run

COUNTED = "22222222-2222-4222-8222-222222222222"
ORDERED = "33333333-3333-4333-8333-333333333333"


def base(name: str, action: str) -> dict[str, Any]:
    return {
        "title": name, "name": name, "level": "informational", "taxonomy": "ecs",
        "id": f"11111111-1111-4111-8111-1111111111{len(name):02}",
        "logsource": {"product": "linux", "service": "sshd"},
        "detection": {"s": {"event.action": "ssh_login", "event.outcome": action}, "condition": "s"},
    }  # fmt: skip


def correlation(title: str, id_: str, **what: Any) -> dict[str, Any]:
    return {
        "title": title, "id": id_, "level": "high",
        "correlation": {"group-by": ["source.ip"], "timespan": "10m", **what},
    }  # fmt: skip


RULES = [
    base("failed", "failure"),
    base("came in", "success"),
    correlation("many", COUNTED, type="event_count", rules=["failed"], condition={"gte": 6}),
    correlation("and then", ORDERED, type="temporal_ordered", rules=["failed", "came in"]),
]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yml"
    path.write_text("\n---\n".join(map(json.dumps, RULES)))
    return path


def attempt(second: int, word: str = "Failed", address: str = "203.0.113.9") -> str:
    stamp = f"2026-11-17T10:{second // 60:02}:{second % 60:02}+07:00"
    return (
        f"{stamp} web-izin sshd[812]: {word} password for budi from {address} port {40000 + second}"
        " ssh2\n"
    )


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three files of one attack, interleaved in time; none holds enough of it alone."""
    texts = {
        "auth.log": attempt(0) + attempt(30) + attempt(200),
        "secure": attempt(10) + attempt(40) + attempt(5, address="198.51.100.7"),
        "messages": attempt(20) + attempt(50) + attempt(90, "Accepted"),
    }
    found = []
    for name, text in texts.items():
        path = tmp_path / "logs" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        found.append(path)
    return found


def gist(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What a finding says, without the file that its first evidence came from."""
    return sorted(
        (
            row["rule.id"],
            row["kr.finding.count"],
            row["kr.finding.first_seen"],
            row["kr.finding.last_seen"],
            row["source.ip"],
            tuple(one["event"]["@timestamp"] for one in row["kr.finding.evidence"]),
        )
        for row in rows
    )


def test_the_order_of_files_does_not_matter(run: Run, rules: Path, files: list[Path]) -> None:
    found = [
        gist(run("detect", *order, "--rules", rules, "-f", "ndjson").rows())
        for order in permutations(files)
    ]
    assert all(one == found[0] for one in found)
    assert [(rule, count) for rule, count, *_ in found[0]] == [(COUNTED, 7), (ORDERED, 7)]


def test_nor_does_the_run_they_come_in(run: Run, rules: Path, files: list[Path]) -> None:
    together = gist(run("detect", *files, "--rules", rules, "-f", "ndjson").rows())
    for order in permutations(files):
        state = Path(os.environ["KR_SECOPS_STATE_DIR"])
        for i, path in enumerate(order):
            ran = run("scan", path, "--rules", rules, "-f", "ndjson")
            assert ran.code in (0, 13), ran.err
            with Store.open(state) as store:
                assert store.windows()
            if i < len(order) - 1:
                assert COUNTED not in {row["rule.id"] for row in ran.rows()}
        with Store.open(state) as store:
            kept = {finding.rule_id: finding for finding in store.findings()}
        assert kept[COUNTED].count == 7
        expected = {one[0]: one for one in together}
        for id_, finding in kept.items():
            assert (finding.first_seen, finding.last_seen) == expected[id_][2:4]
        os.environ["KR_SECOPS_STATE_DIR"] = str(state.with_name(f"{state.name}x"))


def test_what_there_is_no_room_for_is_counted_and_told(
    run: Run, rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kr_secops.detect.window.ALL_ENTRIES", 50)
    log = tmp_path / "auth.log"
    log.write_text("".join(attempt(i, address=f"203.0.113.{i}") for i in range(200)))
    words = ("matches were forgotten by correlations",)
    ran = run("detect", log, "--rules", rules)
    assert all(word in ran.err for word in words)
    ran = run("scan", log, "--rules", rules)
    assert all(word in ran.err for word in words)
    with Store.open(Path(os.environ["KR_SECOPS_STATE_DIR"])) as store:
        (last,) = store.runs(1)
        assert last.counts["forgotten"] > 100
        assert len(json.loads(store.windows() or b"{}")["groups"]) <= 60
    assert "forgotten=" in run("status", "-f", "table").out.decode()
    log.write_text(attempt(0))
    assert "forgotten" not in run("detect", log, "--rules", rules).err
