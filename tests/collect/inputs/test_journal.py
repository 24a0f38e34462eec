"""The journal, read from files that systemd itself wrote."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kr_secops.collect.inputs.journal import JournalInput
from kr_secops.collect.interface import Block, Skipped, Source
from kr_secops.collect.reading import Options, Reading, read

if TYPE_CHECKING:
    from kr_secops.collect.interface import Position

REMOTE = next(
    (
        path
        for path in (shutil.which("systemd-journal-remote"), "/lib/systemd/systemd-journal-remote")
        if path and Path(path).exists()
    ),
    None,
)
ENTRY = """__REALTIME_TIMESTAMP={time}
_HOSTNAME=web-izin
SYSLOG_IDENTIFIER={program}
_PID=812
_BOOT_ID=0123456789abcdef0123456789abcdef
MESSAGE={message}

"""


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    if REMOTE is None or shutil.which("journalctl") is None:
        pytest.skip("needs systemd-journal-remote and journalctl")
    messages = [
        ("sshd", "Failed password for sari from 203.0.113.66 port 41001 ssh2"),
        ("CRON", "(root) CMD (true)"),
        ("app", "plain"),
    ]
    text = "".join(
        ENTRY.format(time=1794875700123456 + i * 1_000_000, program=program, message=message)
        for i, (program, message) in enumerate(messages)
    )
    path = tmp_path / "test.journal"
    subprocess.run([REMOTE, f"--output={path}", "-"], input=text.encode(), check=True)
    return path


def test_entries_go_to_the_collector_of_their_program(journal: Path) -> None:
    events = [
        event
        for item in read([str(journal)], Options())
        if isinstance(item, Reading)
        for event in item.events()
        if isinstance(event, dict)
    ]
    assert [(e["event.dataset"], e.get("event.action")) for e in events] == [
        ("sshd", "ssh_login"),
        ("cron", "cron_command"),
        ("syslog", None),
    ]
    assert events[0]["@timestamp"] == "2026-11-17T00:35:00.123Z"
    assert events[0]["host.name"] == "web-izin"
    assert events[0]["process.pid"] == 812


def test_goes_on_behind_its_cursor(journal: Path) -> None:
    def blocks(position: Position | None) -> list[Block]:
        found = JournalInput(Source("journal"), position, [str(journal)]).blocks()
        return [block for block in found if isinstance(block, Block)]

    (first,) = blocks(None)
    assert first.data.count(b"\n") == 3
    (second,) = blocks(first.position)
    assert second.data == b""
    assert second.offset == len(first.data)


def test_a_journal_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    if shutil.which("journalctl") is None:
        found = list(JournalInput(Source("journal")).blocks())
        assert found == [Skipped("journal", "journalctl: no such file or directory")]
        return
    path = tmp_path / "broken.journal"
    path.write_bytes(b"LPKSHHRH" + b"\xff" * 500)
    *_, last = JournalInput(Source("journal"), None, [str(path)]).blocks()
    assert isinstance(last, Skipped)
    assert last.reason.startswith("journalctl: ")
