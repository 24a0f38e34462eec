"""Kills a run at every step it takes, lets the next one finish, and looks at what is kept.

A step is a statement given to SQLite, or a call that brings a file to the disk. Run as a program
of its own, because it forks: ``python crash.py FOLDER`` prints how many steps were tried.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from kr_secops.event import Position, event_id
from kr_secops.finding import Evidence, Finding, Level
from kr_secops.store.archive import Archive
from kr_secops.store.sqlite import Store

EVENTS = 40
STEP = 10
"""Events between two checkpoints."""


def event(n: int) -> dict[str, Any]:
    return {
        "@timestamp": f"2026-11-{17 + n % 2}T00:00:{n:02}.000Z",
        "event.dataset": "sshd",
        "log.offset": n,
        "event.original": f"line {n}",
    }


def finding(events: list[dict[str, Any]]) -> Finding:
    return Finding(
        id="a1",
        rule_id="r1",
        rule_name="Every line",
        level=Level.low,
        first_seen=events[0]["@timestamp"],
        last_seen=events[-1]["@timestamp"],
        count=len(events),
        entity={},
        evidence=tuple(map(Evidence, events)),
        sightings=frozenset(map(event_id, events)),
    )


def run(folder: Path, die_at: int | None) -> None:
    """Do what a scan does, from where the last one got to; die without a word at a step."""
    steps = 0

    def step(*_: object) -> None:
        nonlocal steps
        steps += 1
        if steps == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("open", "fsync", "rename", "unlink"):
        original = getattr(os, name)
        setattr(os, name, lambda *a, original=original, **k: (step(), original(*a, **k), step())[1])
    with Store.open(folder) as store, store.lock():
        store._database.connection.set_trace_callback(step)
        archive = Archive(store)
        position = store.position("log")
        for start in range(position.offset if position else 0, EVENTS, STEP):
            events = [event(n) for n in range(start, start + STEP)]
            for one in events:
                archive.write(one)
            store.checkpoint(
                findings=[finding(events)],
                positions=[Position("log", start + STEP)],
                windows=str(start + STEP).encode(),
                segments=archive.seal(),
                rejections={"log": 1},
            )
        store.checkpoint(segments=archive.seal())


def fork(folder: Path, die_at: int | None) -> bool:
    """Run in a child; return whether it was killed."""
    child = os.fork()
    if not child:
        try:
            run(folder, die_at)
        except BaseException as e:  # noqa: BLE001 - the parent must hear of anything
            sys.stderr.write(f"{e!r}\n")
            os._exit(1)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def ensure_exact(folder: Path, die_at: int) -> None:
    with Store.open(folder) as store:
        archive = Archive(store)
        kept = store.get("a1")
        numbers = sorted(one["log.offset"] for one in archive.read())
        assert numbers == list(range(EVENTS)), (die_at, numbers)
        assert kept.count == EVENTS, (die_at, kept.count)
        shown = [one.event["log.offset"] for one in kept.evidence]
        assert shown == [0, 2, 4, 6, EVENTS - 1], (die_at, shown)
        assert store.windows() == str(EVENTS).encode(), die_at
        assert store.rejections() == {"log": EVENTS // STEP}, die_at
        problems = list(archive.verify())
        assert problems == [], (die_at, problems)
        assert not list(archive.directory.rglob("*.part")), die_at


def main() -> None:
    base = Path(sys.argv[1])
    die_at = 1
    while True:
        folder = base / str(die_at)
        killed = fork(folder, die_at)
        if killed:
            # The next run is killed too, a little further on, before one may finish.
            fork(folder, die_at + 7)
        fork(folder, None)
        ensure_exact(folder, die_at)
        shutil.rmtree(folder)
        if not killed:
            break
        die_at += 1
    sys.stdout.write(f"{die_at - 1}\n")


if __name__ == "__main__":
    main()
