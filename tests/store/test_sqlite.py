from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from kr_secops.errors import KrSecopsError
from kr_secops.event import Position, Rejected
from kr_secops.store import sqlite
from kr_secops.store.sqlite import Store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.store.conftest import Clock


def test_positions_come_back(store: Store) -> None:
    first = Position("file:1:2", 500, "aa:1024", "", "/var/log/auth.log")
    store.checkpoint(positions=[first, Position("journal", cursor="s=1")])
    store.checkpoint(positions=[Position("file:1:9", 700, "aa:1024", "", "/var/log/auth.log.1")])
    assert store.position("file:1:2") == first
    assert store.position("file:1:3") is None
    assert store.find_by_fingerprint("aa:1024") == Position(
        "file:1:9", 700, "aa:1024", "", "/var/log/auth.log.1"
    )
    assert store.find_by_fingerprint("bb") is None
    store.checkpoint(positions=[Position("file:1:2", 900, "aa:1024", "", "/var/log/auth.log")])
    assert [p.offset for p in store.positions()] == [0, 900, 700]


def test_windows_stay_until_replaced(store: Store) -> None:
    assert store.windows() is None
    store.checkpoint(windows=b"\x00state")
    store.checkpoint()
    assert store.windows() == b"\x00state"


def test_rejections_add_up_and_the_newest_are_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "REJECTED_KEPT", 3)
    for n in range(3):
        records = [Rejected("a.log", n * 10 + k, "no time", b"\xff") for k in range(2)]
        store.checkpoint(rejected=records, rejections={"a.log": 5, "b.log": n})
    assert store.rejections() == {"a.log": 15, "b.log": 3}
    assert [record.offset for record in store.rejected()] == [21, 20, 11]


def test_a_failure_in_the_middle_keeps_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        store.checkpoint(
            positions=[Position("journal", cursor="s=1")],
            windows=b"x",
            segments=(1 / 0 for _ in "a"),  # type: ignore[misc]
        )
    assert (store.positions(), store.windows()) == ([], None)


def test_a_run_that_never_ended_was_killed(store: Store, clock: Clock) -> None:
    store.run_started("scan")
    clock.pass_days(1)
    number = store.run_started("scan")
    store.run_finished(number, "clean", {"events": 3})
    last, first = store.runs()
    assert (last.outcome, last.counts, last.ended) == (
        "clean",
        {"events": 3},
        "2026-11-18T03:00:00.000Z",
    )
    assert (first.outcome, first.counts) == ("killed", {})


def test_one_run_at_a_time(store: Store, tmp_path: Path) -> None:
    with store.lock(), Store.open(tmp_path / "state") as other:
        expected = rf"process {os.getpid()}, since 2026-11-17T03:00:00\.000Z"
        with pytest.raises(KrSecopsError, match=expected), other.lock():
            pass
        with other.lock("ship"):
            other.run_started("reading, settling and shipping go on meanwhile")
    with store.lock():
        pass


def test_the_lock_of_a_killed_run_is_free(store: Store, tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from kr_secops.store.sqlite import Store\n"
        "with Store.open(pathlib.Path(sys.argv[1])).lock():\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "state")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(KrSecopsError, match=f"process {holder.pid}"), store.lock():
            pass
        holder.send_signal(signal.SIGKILL)
    with store.lock():
        pass
