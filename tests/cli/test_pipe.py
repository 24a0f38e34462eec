"""``collect | detect | report``: the stations as processes of a pipe."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Run

ESTATE = Path(__file__).parents[1] / "estate"
KR_SECOPS = [sys.executable, "-m", "kr_secops"]
AUTH = ESTATE / "web-izin" / "var" / "log" / "auth.log"
YEAR = ["--year", "2026", "--zone", "Asia/Jakarta"]


def test_the_pipe_writes_a_report(tmp_path: Path) -> None:
    target = tmp_path / "r.html"
    collect = subprocess.Popen(
        [*KR_SECOPS, "collect", "sshd", "--from", str(AUTH), *YEAR], stdout=subprocess.PIPE
    )
    detect = subprocess.Popen(
        [*KR_SECOPS, "detect", "-"], stdin=collect.stdout, stdout=subprocess.PIPE
    )
    report = subprocess.run(
        [*KR_SECOPS, "report", "-f", "html", "-o", str(target)], stdin=detect.stdout, check=False
    )
    for process in (collect, detect):
        assert process.stdout
        process.stdout.close()
    assert (collect.wait(), detect.wait(), report.returncode) == (0, 14, 0)
    page = target.read_text()
    assert "203.0.113.66" in page
    assert "Sandi SSH berhasil ditebak" in page


def test_the_pipe_says_what_one_process_says(run: Run) -> None:
    alone = run("detect", AUTH, *YEAR, "--collector", "sshd").rows()
    events = run("collect", "sshd", "--from", AUTH, *YEAR).out
    piped = run("detect", "-", stdin=events).rows()
    names = ("kr.finding.id", "kr.finding.count", "kr.finding.level", "kr.finding.first_seen")
    assert [[row[n] for n in names] for row in piped] == [[row[n] for n in names] for row in alone]
    assert alone


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1, 2])
def test_a_killed_process_leaves_no_half_written_report(tmp_path: Path, victim: int) -> None:
    target = tmp_path / "r.html"
    big = tmp_path / "auth.log"
    with big.open("wb") as stream:
        for _ in range(400):
            stream.write(AUTH.read_bytes())
    commands = [
        ["collect", "auto", "--from", str(big), *YEAR],
        ["detect", "-", "-f", "ndjson"],
        ["report", "-f", "html", "-o", str(target)],
    ]
    processes: list[subprocess.Popen[bytes]] = []
    for words in commands:
        source = processes[-1].stdout if processes else None
        sink = subprocess.DEVNULL if words[0] == "report" else subprocess.PIPE
        processes.append(
            subprocess.Popen(
                [*KR_SECOPS, *words], stdin=source, stdout=sink, stderr=subprocess.DEVNULL
            )
        )
    for process in processes:
        if process.stdout:
            process.stdout.close()
    time.sleep(0.7)
    assert processes[victim].poll() is None
    processes[victim].send_signal(signal.SIGKILL)
    for process in processes:
        process.wait(60)
    state = Path(os.environ["KR_SECOPS_STATE_DIR"])
    assert not list(state.glob("state.db*"))
    assert not list(tmp_path.glob(".*.part"))
    if target.exists():
        assert target.read_text().rstrip().endswith("</html>")


def test_collect_prints_events_in_input_order(run: Run) -> None:
    rows = run("collect", "auto", "--from", AUTH, *YEAR).rows()
    offsets = [row["log.offset"] for row in rows]
    assert offsets == sorted(offsets)
    assert {row["host.name"] for row in rows} == {"web-izin"}
    assert len(rows) == len(AUTH.read_bytes().splitlines())


def test_collect_pcap(run: Run) -> None:
    rows = run("collect", "pcap", ESTATE / "network" / "dns-tunnel.pcap.gz").rows()
    assert {row["event.dataset"] for row in rows} >= {"network.dns", "network.flow"}
    assert all("network.community_id" in row for row in rows if "source.ip" in row)


def test_matches_are_one_object_each(run: Run) -> None:
    ran = run("detect", AUTH, *YEAR, "--matches")
    assert ran.code == 0
    for row in ran.rows():
        assert {"@timestamp", "rule.id", "rule.name", "log.file.path", "log.offset"} <= row.keys()
    assert len(ran.rows()) > 5
    assert orjson.loads(ran.out.splitlines()[0])["log.file.path"] == str(AUTH)


def test_own_rules_replace_the_shipped_ones(run: Run, tmp_path: Path) -> None:
    (tmp_path / "r.yml").write_text(
        "title: Cron\nid: 11111111-2222-4333-8444-555555555555\nstatus: test\nlevel: low\n"
        "logsource: {product: linux, service: cron}\ntaxonomy: ecs\n"
        "detection:\n  job:\n    event.action: cron_command\n  condition: job\n"
    )
    log = ESTATE / "db-izin" / "var" / "log" / "cron.log"
    rows = run("detect", log, "--rules", tmp_path).rows()
    assert {row["rule.name"] for row in rows} == {"Cron"}
    (tmp_path / "bad.yml").write_text("title: [\n")
    refused = run("detect", log, "--rules", tmp_path)
    assert (refused.code, refused.out) == (3, b"")
    assert f"{tmp_path}/bad.yml:" in refused.err
    run_on = run("detect", log, "--rules", tmp_path, "--skip-invalid")
    assert run_on.code == 11
    assert f"{tmp_path}/bad.yml:" in run_on.err
