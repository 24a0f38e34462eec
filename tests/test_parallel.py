"""Several processes say what one says: matches, findings, correlations, accounts, byte for byte."""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from kr_secops import parallel
from kr_secops.collect.interface import Skipped
from kr_secops.collect.reading import Options, choose, find_sources
from kr_secops.detect.engine import Engine
from kr_secops.errors import UsageError
from kr_secops.event import dumps
from kr_secops.finding import to_document
from kr_secops.pipeline import Account
from kr_secops.privacy.mask import Guard
from kr_secops.rule.ruleset import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kr_secops.detect.engine import Match
    from kr_secops.rule.ruleset import Ruleset

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

ESTATE = Path(__file__).parent / "estate"
NOW = datetime(2026, 11, 25, tzinfo=UTC)
KR_SECOPS = [sys.executable, "-m", "kr_secops"]


@pytest.fixture(scope="module")
def ruleset(compiled: Path) -> Ruleset:
    return load(None, cache_dir=compiled)


@pytest.fixture(scope="module")
def guard() -> Guard:
    return Guard(b"k" * 32)


def line(match: Match) -> bytes:
    return dumps({"rule.id": match.rule.id, **match.event}) + b"\n"


def result(
    paths: Sequence[str], ruleset: Ruleset, guard: Guard, jobs: int, stdin: bytes
) -> tuple[bytes, list[bytes], Account, Account]:
    """Matches, findings and both accounts."""

    def run() -> parallel.Run:
        options = Options(NOW, zone=ZoneInfo("Asia/Jakarta"), year=2026, stdin=io.BytesIO(stdin))
        return parallel.Run(
            options, choose(options), guard, Engine(ruleset, clock=NOW.timestamp), Account()
        )

    first, second = run(), run()
    sources = find_sources(paths)
    matches = b"".join(parallel.matches(sources, first, jobs, line))
    findings = parallel.detect(sources, second, jobs)
    return matches, [dumps(to_document(f)) for f in findings], first.account, second.account


def as_told(account: Account) -> list[Any]:
    """An account with the order in which it would be shown."""
    counts = (account.events, account.lines, account.rejections)
    return [*(list(one.items()) for one in counts), account.rejected, account.skipped]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_estate_in_any_order(ruleset: Ruleset, guard: Guard, tmp_path: Path, seed: int) -> None:
    """Text logs, a packed one, captures, standard input, the journal, and what cannot be read."""
    (tmp_path / "broken.json").write_text('{"@timestamp": "2026-11-17T01:00:00Z", "ecs":\n' * 3)
    (tmp_path / "events.ndjson").write_text(
        '{"@timestamp":"2026-11-17T01:00:00.000Z","ecs.version":"9.0.0","event.dataset":"sshd"}\n'
        '{"@timestamp":"never","ecs.version":"9.0.0"}\n'
    )
    (tmp_path / "nonsense.log").write_bytes(bytes(range(256)) * 40)
    names = [str(p) for p in ESTATE.rglob("*") if p.is_file() and "record" not in p.parts]
    names += [str(p) for p in tmp_path.iterdir()] + ["-", "journal", str(tmp_path / "absent")]
    random.Random(seed).shuffle(names)
    names = names[: 14 + seed * 10]
    stdin = (ESTATE / "web-izin/var/log/auth.log").read_bytes()
    alone = result(names, ruleset, guard, 1, stdin)
    shared_out = result(names, ruleset, guard, 2 + seed, stdin)
    assert shared_out[0] == alone[0]
    assert shared_out[1] == alone[1]
    assert as_told(shared_out[2]) == as_told(alone[2])
    assert as_told(shared_out[3]) == as_told(alone[3])
    assert alone[0]
    assert alone[1]
    assert any(isinstance(one, Skipped) for one in alone[2].skipped)


@pytest.mark.slow
def test_windows_logs_with_the_rules_of_sigma(shared: Path, guard: Guard, compiled: Path) -> None:
    parts = ("rules", "rules-emerging-threats", "rules-threat-hunting")
    folders = [shared / "data/sigma" / name for name in parts]
    ruleset = load(folders, cache_dir=compiled, skip_invalid=True)
    root = shared / "data/evtx-attack-samples"
    names = [str(path) for path in root.rglob("*.evtx")]
    random.Random(7).shuffle(names)
    names = [*names[:60], str(ESTATE / "web-izin/var/log/audit/audit.log")]
    alone = result(names, ruleset, guard, 1, b"")
    assert result(names, ruleset, guard, 3, b"")[:2] == alone[:2]
    assert alone[0].count(b"\n") > 100


def test_a_large_portion_is_sent_in_parts(
    ruleset: Ruleset, guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "PORTION", 2000)
    names = [str(ESTATE / "web-izin/var/log/auth.log"), str(ESTATE / "db-izin/var/log/auth.log")]
    assert result(names, ruleset, guard, 2, b"")[:2] == result(names, ruleset, guard, 1, b"")[:2]


def test_findings_are_taken_out_at_the_same_places(
    ruleset: Ruleset, guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kr_secops.pipeline.DRAINED", 10)
    names = [str(ESTATE / f"{host}-izin/var/log/auth.log") for host in ("web", "db")] * 2
    assert result(names, ruleset, guard, 2, b"")[1] == result(names, ruleset, guard, 1, b"")[1]


@pytest.mark.parametrize(
    ("sizes", "jobs", "expected"),
    [
        ([30, 30, 30], "2", 2),
        ([30, 30, 30], "8", 3),
        ([30, 30, 30], "1", 1),
        ([90, 1, 1], "4", 1),
        ([1] * 10, "4", 1),
        ([], "4", 1),
    ],
)
def test_workers_start_only_where_there_is_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: list[int], jobs: str, expected: int
) -> None:
    for i, size in enumerate(sizes):
        with (tmp_path / f"{i}.log").open("wb") as file:
            file.truncate(size << 20)
    sources = [*tmp_path.iterdir(), "-"]
    monkeypatch.setattr(os, "listdir", lambda _: ["this thread"])
    assert parallel.processes(jobs, sources) == expected


@pytest.mark.parametrize("asked", ["0", "-1", "", "many", "1.5", "9999"])
def test_a_number_of_jobs_is_a_number(asked: str) -> None:
    with pytest.raises(UsageError):
        parallel.processes(asked, [])


@pytest.fixture
def busy(tmp_path: Path) -> list[str]:
    """Logs that keep two workers busy for some seconds: every line is a failed login."""
    folder = tmp_path / "logs"
    folder.mkdir()
    text = "".join(
        f"2026-11-17T{i // 3600 % 24:02}:{i // 60 % 60:02}:{i % 60:02}+07:00 web-izin sshd[81]: "
        f"Failed password for root from 203.0.113.{i % 200} port {40000 + i % 9999} ssh2\n"
        for i in range(100_000)
    )
    for i in range(4):
        (folder / f"auth-{i}.log").write_text(text)
    return ["detect", str(folder), "--jobs", "2", "--zone", "Asia/Jakarta", "-f", "ndjson"]


def children(process: subprocess.Popen[bytes]) -> list[int]:
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    for _ in range(600):
        found = path.read_text().split()
        if len(found) == 2:
            return [int(one) for one in found]
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError("no workers")


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
def test_a_killed_worker_is_one_clear_error(busy: list[str], tmp_path: Path) -> None:
    target = tmp_path / "findings.ndjson"
    process = subprocess.Popen(
        [*KR_SECOPS, *busy, "-o", str(target)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    os.kill(children(process)[0], signal.SIGKILL)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out == b""
    (told,) = err.decode().splitlines()
    assert "auth-" in told
    assert "SIGKILL" in told
    assert not target.exists()


@pytest.mark.slow
def test_an_interrupt_ends_every_process(busy: list[str]) -> None:
    process = subprocess.Popen(
        # A shell lets what it runs in the background ignore interrupts, these tests for example.
        ["env", "--default-signal=INT", *KR_SECOPS, *busy],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    workers = children(process)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert not any(is_running(pid) for pid in workers)
