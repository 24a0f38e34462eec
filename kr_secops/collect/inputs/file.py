"""Log files: found by path, wildcard or folder, unpacked, cut into lines, resumed where left."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from kr_secops.collect.inputs.compression import DamagedError, chunks, compression
from kr_secops.collect.inputs.cut import cut_lines
from kr_secops.collect.inputs.evtx import FIRST_RECORD as EVTX_RECORD
from kr_secops.collect.inputs.evtx import MAGIC as EVTX
from kr_secops.collect.interface import Position, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kr_secops.collect.interface import Block, Source
    from kr_secops.event import Rejected

Lookup: TypeAlias = "Callable[[str, str], Position | None]"
"""``lookup(key, fingerprint)``: what is kept under the key, else of a file with the fingerprint."""

Cut: TypeAlias = "Callable[..., Iterator[Block | Skipped | Rejected]]"
"""`cut_lines`, or what else cuts a stream into blocks."""

HEAD: Final = 64 * 1024
"""Bytes read to find out what a file is."""
LARGEST: Final = 1024
FINGERPRINTS: Final = (LARGEST, 512, 256)
"""Bytes that a fingerprint covers; of a shorter file all, but then only the file itself is known
again and no copy of it: fewer first bytes may be alike in different files."""


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file that has been looked at, not yet read."""

    path: Path
    key: str
    head: bytes
    """Its first bytes, unpacked."""
    identity: bytes
    """Those by which it is known again."""
    compression: str | None
    size: int
    """In bytes, as it lies on the disk."""
    modified: float
    start: int = 0
    """Offset, in the unpacked stream, from which it is still to be read."""
    done: bool = False
    """Nothing has changed since it was read to its end."""


def look_at(path: Path, lookup: Lookup | None = None) -> LogFile | Skipped:
    """Return what *path* is and how much of it *lookup* says is done with; never blocks."""
    try:
        # A FIFO would block open(), a device could do anything: regular files only.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return Skipped(str(path), "no regular file")
            magic = file.read(6)
            kind = compression(magic)
            file.seek(0)
            # Of an EVTX file the first record is enough, and there are thousands of small ones.
            size = 2 * EVTX_RECORD if EVTX.startswith(magic) else HEAD
            head = _first(iter([file.read(size)]) if kind is None else chunks(file, kind), size)
    except DamagedError as e:
        return Skipped(str(path), f"damaged {kind} file: {e}")
    except OSError as e:
        return Skipped.of(str(path), e)
    key = f"file:{status.st_dev}:{status.st_ino}"
    identity = head[:LARGEST]
    if head.startswith(EVTX):  # its header counts the records; the first record stays as it is
        identity = head[EVTX_RECORD : EVTX_RECORD + LARGEST]
    found = LogFile(path, key, head, identity, kind, status.st_size, status.st_mtime)
    return _resume(found, lookup) if lookup else found


def _first(parts: Iterator[bytes], size: int) -> bytes:
    head = b""
    try:
        for part in parts:
            head += part
            if len(head) >= size:
                break
    except DamagedError:
        if not head:
            raise
    return head[:size]


def fingerprint(identity: bytes, most: int = LARGEST) -> str:
    """Return the fingerprint of a file known by *identity*: BLAKE2b, and of how many bytes."""
    size = next((n for n in FINGERPRINTS if n <= min(most, len(identity))), len(identity))
    return _fingerprint(identity, size)


def _fingerprint(identity: bytes, size: int) -> str:
    return f"{hashlib.blake2b(identity[:size], digest_size=16).hexdigest()}:{size}"


def _is_like(identity: bytes, known: str) -> bool:
    size = int(known.rpartition(":")[2] or 0)
    return len(identity) >= size and _fingerprint(identity, size) == known


def _resume(file: LogFile, lookup: Lookup) -> LogFile:
    """Return *file* with the start that fits what is known of it or of the file it is a copy of."""
    own = lookup(file.key, fingerprint(file.identity))
    # An inode is used again for a new file, and copytruncate empties a file in place: in both
    # cases the beginning is another, or there is less than was read.
    if own and own.key == file.key and _is_like(file.identity, own.fingerprint):
        if file.compression is None and file.size < own.offset:
            return file
        return replace(file, start=own.offset, done=own.cursor == seal(file))
    for size in FINGERPRINTS:
        if len(file.identity) < size:
            continue
        copied = lookup("", fingerprint(file.identity, size))
        if copied and (file.compression or file.size >= copied.offset):
            return replace(file, start=copied.offset)
    return file


def seal(file: LogFile) -> str:
    """Return what is kept of a compressed file read to its end: so it need not be unpacked again."""
    return f"read:{file.size}:{file.modified}"


class FileInput:
    """Reads one file."""

    def __init__(
        self, file: LogFile, source: Source, *, growing: bool = False, cut: Cut = cut_lines
    ) -> None:
        """Take *file* as *source*.

        Args:
            file: what `look_at` returned.
            source: what its blocks say they come from.
            growing: leave an unfinished last line for the next run.
            cut: cuts it into blocks.
        """
        self._cut = cut
        self._file = file
        self._source = source
        self._growing = growing and file.compression is None
        self._fingerprint = fingerprint(file.identity)

    def blocks(self) -> Iterator[Block | Skipped | Rejected]:
        """Yield the lines from the start on."""
        file = self._file
        if file.done:
            return
        try:
            with file.path.open("rb", buffering=0) as stream:
                skip = file.start
                if file.compression is None:
                    stream.seek(skip)
                    skip = 0
                parts = _beyond(chunks(stream, file.compression), skip)
                yield from self._cut(
                    parts, self._source, self._position, file.start, growing=self._growing
                )
        except OSError as e:
            yield Skipped.of(self._source.name, e)

    def _position(self, offset: int, *, last: bool) -> Position:
        file = self._file
        cursor = seal(file) if last and file.compression else ""
        return Position(file.key, offset, self._fingerprint, cursor, str(file.path))


def _beyond(parts: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Yield *parts* without their first *size* bytes."""
    for part in parts:
        if size >= len(part):
            size -= len(part)
            continue
        yield part[size:] if size else part
        size = 0
