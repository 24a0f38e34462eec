"""The systemd journal, through journalctl, written out as syslog lines."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from kr_secops.collect.interface import Block, Position, Skipped
from kr_secops.event import Rejected, timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kr_secops.collect.interface import Source

BLOCK: Final = 1 << 20
LONGEST_MESSAGE: Final = 1 << 20
MAGIC: Final = b"LPKSHHRH"
FIELDS: Final = (
    "MESSAGE,SYSLOG_IDENTIFIER,SYSLOG_PID,_PID,_COMM,_HOSTNAME,_SOURCE_REALTIME_TIMESTAMP"
)


class JournalInput:
    """Reads the machine's journal or journal files.

    Its entries become RFC 3339 syslog lines, so the collectors of syslog programs read them
    whichever way a program's messages went.
    """

    def __init__(
        self, source: Source, position: Position | None = None, files: Sequence[str] = ()
    ) -> None:
        """Take the journal (or *files*) as *source*, from behind *position* on."""
        self._source = source
        self._files = files
        self._position = position or Position("journal")

    def blocks(self) -> Iterator[Block | Skipped | Rejected]:
        """Yield the entries; Skipped where there is no journal or it may not be read."""
        command = ["journalctl", "--output=json", "--no-pager", "--quiet", "--all"]
        command += [f"--output-fields={FIELDS}", *(f"--file={name}" for name in self._files)]
        if self._position.cursor:
            command.append(f"--after-cursor={self._position.cursor}")
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except OSError as e:
            yield Skipped.of(self._source.name, e, "journalctl: ")
            return
        try:
            yield from self._read(process)
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def _read(self, process: subprocess.Popen[bytes]) -> Iterator[Block | Skipped | Rejected]:
        assert process.stdout is not None, "it was given a pipe"
        assert process.stderr is not None, "it was given a pipe"
        lines: list[bytes] = []
        size = 0
        offset, cursor = self._position.offset, self._position.cursor
        for record in process.stdout:
            entry = _parse(record)
            line = entry and _line(entry)
            if not entry or not line:
                yield Rejected(self._source.name, offset, "no journal entry", record[:8192])
                continue
            cursor = str(entry.get("__CURSOR", cursor))
            lines.append(line)
            size += len(line)
            if size >= BLOCK:
                yield self._block(lines, offset, offset + size, cursor)
                offset += size
                lines, size = [], 0
        yield self._block(lines, offset, offset + size, cursor)
        # Its stderr is short: with --quiet it says only why it stopped.
        said = process.stderr.read().decode("utf-8", "replace").strip()
        if process.wait() != 0:
            yield Skipped(self._source.name, f"journalctl: {said[:300] or 'failed'}")

    def _block(self, lines: list[bytes], start: int, end: int, cursor: str) -> Block:
        position = Position(self._position.key, end, cursor=cursor, path=self._source.name)
        return Block(self._source, start, b"".join(lines), position)


def _parse(record: bytes) -> dict[str, Any] | None:
    try:
        entry = orjson.loads(record)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _line(entry: dict[str, Any]) -> bytes | None:
    """Return *entry* as one syslog line; None if it lacks a time."""
    try:
        micros = int(entry.get("_SOURCE_REALTIME_TIMESTAMP") or entry["__REALTIME_TIMESTAMP"])
        when = datetime.fromtimestamp(micros / 1_000_000, UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    program = _text(entry.get("SYSLOG_IDENTIFIER") or entry.get("_COMM") or "unknown")
    pid = _text(entry.get("SYSLOG_PID") or entry.get("_PID") or "")
    tag = f"{program}[{pid}]" if pid.isdecimal() else program
    host = _text(entry.get("_HOSTNAME") or "localhost")
    # One entry is one line, as rsyslog writes it: control characters as #ooo.
    message = _text(entry.get("MESSAGE"))[:LONGEST_MESSAGE].rstrip("\n")
    message = message.replace("\n", "#012").replace("\r", "#015")
    tag = tag.replace(" ", "_").replace(":", "_")
    return f"{timestamp(when)} {host} {tag}: {message}\n".encode("utf-8", "replace")


def _text(value: Any) -> str:
    """Return a journal field as text: journalctl gives bytes that are no text as a list."""
    if isinstance(value, list):
        if all(isinstance(item, int) and 0 <= item < 256 for item in value):  # noqa: PLR2004
            return bytes(value).decode("utf-8", "replace")
        return _text(value[0]) if value else ""  # the field was given several times
    return "" if value is None else str(value)
