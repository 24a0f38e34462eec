"""``scan``: what it prints, keeps, resumes, survives and leaves alone."""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from kr_secops.store.archive import Archive
from kr_secops.store.sqlite import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Run

KR_SECOPS = [sys.executable, "-m", "kr_secops"]
HOUR = "2026-11-17T{hour:02}:{minute:02}:{second:02}+07:00 web-izin"


def line(second: int, text: str, program: str = "sshd[812]") -> str:
    hour, rest = divmod(second, 3600)
    stamp = HOUR.format(hour=hour, minute=rest // 60, second=rest % 60)
    return f"{stamp} {program}: {text}\n"


def guessing(start: int, count: int, address: str = "203.0.113.9") -> str:
    return "".join(
        line(start + i, f"Failed password for root from {address} port {40000 + i} ssh2")
        for i in range(count)
    )


def quiet(start: int, count: int) -> str:
    return "".join(line(start + i, f"(root) CMD (true {i})", f"CRON[{i}]") for i in range(count))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "logs" / "auth.log"
    path.parent.mkdir()
    path.write_text(quiet(0, 50) + guessing(3600, 30) + quiet(7200, 50))
    return path


def kept() -> tuple[dict[str, int], int]:
    """What the state folder holds: finding → count, and the number of archived events."""
    with Store.open(Path(os.environ["KR_SECOPS_STATE_DIR"])) as store:
        archive = Archive(store)
        assert list(archive.verify()) == []
        found = {finding.id: finding.count for finding in store.findings()}
        return found, sum(1 for _ in archive.read())


def test_findings_carry_what_the_contract_says(run: Run, log: Path) -> None:
    ran = run("scan", log.parent, "-f", "ndjson")
    rows = ran.rows()
    assert ran.code == 10 + {"medium": 2, "high": 3, "critical": 4}[rows[0]["kr.finding.level"]]
    (found,) = [row for row in rows if "guessing from one address" in row["rule.name"]]
    assert found["kr.finding.count"] == 30
    assert found["host.name"] == "web-izin"
    assert found["source.ip"] == "203.0.113.9"
    assert found["user.name"] == "root"
    assert found["log.file.path"] == str(log)
    assert found["kr.finding.first_seen"] == "2026-11-16T18:00:00.000Z"
    assert found["kr.finding.last_seen"] == "2026-11-16T18:00:29.000Z"
    assert found["kr.finding.id"] in kept()[0]
    assert kept()[1] == 130


def test_a_second_run_reads_only_what_is_new(run: Run, log: Path) -> None:
    run("scan", log.parent)
    before = kept()
    again = run("scan", log.parent)
    assert (again.code, again.out) == (0, b"")
    assert kept() == before
    with log.open("a") as stream:
        stream.write(guessing(36000, 10, "203.0.113.77"))
    rows = run("scan", log.parent).rows()
    assert {row["source.ip"] for row in rows} == {"203.0.113.77"}
    assert kept()[1] == before[1] + 10


def test_rotation_and_compression_are_seen_through(run: Run, log: Path) -> None:
    run("scan", log.parent)
    before = kept()
    rotated = log.with_name("auth.log.1")
    log.rename(rotated)
    log.write_text(quiet(40000, 5))
    run("scan", log.parent)
    assert kept() == (before[0], before[1] + 5)
    with gzip.open(log.with_name("auth.log.2.gz"), "wb") as stream:
        stream.write(rotated.read_bytes())
    rotated.unlink()
    run("scan", log.parent)
    assert kept() == (before[0], before[1] + 5)


def test_reading_again_counts_nothing_twice(run: Run, log: Path) -> None:
    run("scan", log.parent)
    findings, events = kept()
    run("scan", "--again", log.parent)
    assert kept() == (findings, 2 * events)


def test_quiet_prints_only_what_is_new(run: Run, log: Path) -> None:
    first = run("scan", "--quiet", log.parent)
    assert first.rows()
    assert first.err == ""
    assert run("scan", "--quiet", log.parent).out == b""
    with log.open("a") as stream:
        stream.write(guessing(3640, 4))
    more = run("scan", "--quiet", log.parent)
    assert (more.code, more.out) == (0, b"")
    assert max(kept()[0].values()) >= 34


def test_the_window_of_yesterday_goes_on(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "auth.log"
    log.write_text(guessing(0, 5))
    assert run("scan", log).rows() == []
    with log.open("a") as stream:
        stream.write(guessing(60, 5))
    (row, *_) = run("scan", log).rows()
    assert row["kr.finding.count"] == 10


def test_levels_and_exit_codes(run: Run, log: Path) -> None:
    assert run("detect", log, "--fail-on", "critical").code == 0
    assert run("detect", log, "--exit-zero").code == 0
    assert run("detect", log).code in (12, 13)


def test_a_host_may_be_named_for_lines_that_do_not_say(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(
        '203.0.113.9 - - [17/Nov/2026:09:00:00 +0700] "GET /x.php?id=-1%27%20union%20select%20nik,nama%20from%20penduduk--%20 '
        'HTTP/1.1" 200 9 "-" "Mozilla/5.0"\n'
    )
    rows = run("scan", "--host", "web-izin", log).rows()
    assert {row["host.name"] for row in rows} == {"web-izin"}


def test_a_run_beside_another_is_told_so(run: Run, log: Path) -> None:
    state = Path(os.environ["KR_SECOPS_STATE_DIR"])
    with Store.open(state) as store, store.lock():
        ran = run("scan", log.parent, stdin=b"")
    assert ran.code == 1
    assert f"process {os.getpid()}" in ran.err


def test_what_may_not_be_read_is_named_and_the_rest_is_read(run: Run, log: Path) -> None:
    del run
    if not shutil.which("setpriv"):
        pytest.skip("needs setpriv (util-linux)")
    secret = log.with_name("secret.log")
    secret.write_text(guessing(0, 30, "192.0.2.1"))
    secret.chmod(0o000)
    # Root without its capabilities is as powerless as an ordinary user before this file.
    command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*command, *KR_SECOPS, "scan", "-f", "ndjson", str(log.parent)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"skipped {secret}: " in done.stderr
    assert {orjson.loads(row)["source.ip"] for row in done.stdout.splitlines()} == {"203.0.113.9"}


def test_a_log_that_may_be_read_no_more_is_told_and_an_idle_one_is_not(run: Run, log: Path) -> None:
    if not shutil.which("setpriv"):
        pytest.skip("needs setpriv (util-linux)")
    command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []

    def scan() -> subprocess.CompletedProcess[str]:
        words = [*command, *KR_SECOPS, "scan", "-q", str(log.parent)]
        return subprocess.run(words, capture_output=True, text=True, check=False)

    run("scan", log.parent)
    secret = log.with_name("secret.log")
    secret.write_text(quiet(0, 3))
    secret.chmod(0o000)
    idle = scan()
    assert (idle.returncode, idle.stdout) == (0, "")
    assert f"skipped {secret}: permission denied" in idle.stderr
    log.chmod(0o000)
    blind = scan()
    assert (blind.returncode, blind.stdout) == (4, "")
    assert f"skipped {log}: permission denied" in blind.stderr


def test_bad_lines_are_counted_and_kept_masked(run: Run, log: Path) -> None:
    nik = "6112015708900003"
    with log.open("ab") as stream:
        stream.write(b"\x00\xff garbage \x1b[2J NIK " + nik.encode() + b"\n")
        stream.write(guessing(50000, 9, "203.0.113.50").encode())
    ran = run("scan", log.parent)
    assert "203.0.113.50" in {row.get("source.ip") for row in ran.rows()}
    state = Path(os.environ["KR_SECOPS_STATE_DIR"])
    for path in state.rglob("*"):
        if path.is_file():
            assert nik.encode() not in path.read_bytes()


def test_a_few_nuls_hide_no_log(run: Run, log: Path) -> None:
    text = log.read_bytes()
    log.write_bytes(text[:1000] + b"\0\0\0\0\n" + text[1000:])
    rows = run("scan", log.parent).rows()
    assert {row["source.ip"] for row in rows} == {"203.0.113.9"}


def test_a_suppressed_finding_is_silent(run: Run, log: Path) -> None:
    for row in run("scan", log.parent).rows():
        words = ["--reason", "drill", "--until", "2099-01-01"]
        assert run("findings", "suppress", row["kr.finding.id"], *words).code == 0
    ran = run("scan", "--again", log.parent)
    assert (ran.code, ran.out) == (0, b"")


def test_a_planted_link_is_not_followed(run: Run, log: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / ".r.html.part").symlink_to(victim)
    run("scan", log.parent)
    assert run("report", "--kept", "-o", tmp_path / "r.html").code == 0
    assert victim.read_text() == "mine"
    assert (tmp_path / "r.html").stat().st_mode & 0o777 == 0o600


def test_the_report_tells_what_was_read(run: Run, log: Path) -> None:
    run("scan", log.parent, log.parent / "none.log")
    told = orjson.loads(run("report", "--kept", "-f", "json").out)["report"]["collected"]
    assert told["lines"] == {str(log): 130}
    assert [one["source"] for one in told["skipped"]] == [str(log.parent / "none.log")]


def test_printed_events_steer_no_terminal(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "auth.log"
    log.write_text(line(1, "hello \x9b31m \u202e dlrow \x7f"))
    out = run("collect", "auto", "--from", log).out
    assert b"\\u009b31m \\u202e dlrow \\u007f" in out


def test_nothing_is_written_outside_the_state_folder(run: Run, log: Path, tmp_path: Path) -> None:
    before = sorted(path for path in tmp_path.rglob("*") if "state" not in path.parts)
    run("scan", log.parent)
    assert sorted(path for path in tmp_path.rglob("*") if "state" not in path.parts) == before


@pytest.mark.slow
def test_killed_anywhere_nothing_is_lost_or_doubled(
    tmp_path: Path, not_the_first_run: Callable[[Path], None]
) -> None:
    """kill -9 after ever longer times, then one run to the end, against a run left alone."""
    log = tmp_path / "auth.log"
    with log.open("w") as stream:
        for block in range(60):
            stream.write(quiet(block * 400, 300) + guessing(block * 400 + 300, 60))

    def environment(name: str) -> dict[str, str]:
        return {**os.environ, "KR_SECOPS_STATE_DIR": str(tmp_path / name)}

    def state(name: str) -> Any:
        with Store.open(tmp_path / name) as store:
            archive = Archive(store)
            assert list(archive.verify()) == []
            found = {f.id: (f.count, f.first_seen, f.last_seen) for f in store.findings()}
            return found, sum(1 for _ in archive.read())

    not_the_first_run(tmp_path / "whole")
    not_the_first_run(tmp_path / "killed")
    command = [*KR_SECOPS, "scan", "-q", "-f", "ndjson", str(log)]
    subprocess.run(command, env=environment("whole"), stdout=subprocess.DEVNULL, check=False)
    whole = state("whole")
    assert whole[1] == 21_600
    kills = 0
    for attempt in range(40):
        process = subprocess.Popen(command, env=environment("killed"), stdout=subprocess.DEVNULL)
        time.sleep(0.05 + attempt * 0.05)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        if process.wait() >= 0:
            break
    assert kills > 3
    subprocess.run(command, env=environment("killed"), stdout=subprocess.DEVNULL, check=False)
    assert state("killed") == whole
