"""Windows event log files (EVTX), as one JSON object a record."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final

from kr_secops.collect.inputs.chunk import SIZE, read_chunk
from kr_secops.collect.interface import Block, Position, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kr_secops.collect.interface import Source
    from kr_secops.event import Rejected

MAGIC: Final = b"ElfFile\x00"
HEADER: Final = 4096
FIRST_RECORD: Final = HEADER + 512
"""Offset of the first record, behind the headers of the file and of its first chunk."""
BLOCK: Final = 1 << 20


class EvtxInput:
    """Reads one EVTX file; what is damaged in it is left out and counted."""

    def __init__(self, path: Path, source: Source, position: Position) -> None:
        """Take *path* as *source*; records up to *position*'s offset (a count) are done with."""
        self._path = path
        self._source = source
        self._position = position

    def blocks(self) -> Iterator[Block | Skipped | Rejected]:
        """Yield the records, then what could not be read."""
        number = size = 0
        lines: list[str] = []
        damage = _Damage()
        try:
            for found in damage.chunks(self._path):
                number += len(found)
                new = found[max(0, self._position.offset - number + len(found)) :]
                lines += new
                size += sum(map(len, new))
                if size >= BLOCK:
                    yield self._block(lines, number)
                    lines, size = [], 0
        except OSError as e:
            yield Skipped.of(self._source.name, e)
        yield self._block(lines, number)
        if reason := damage.reason():
            yield Skipped(self._source.name, reason)

    def _block(self, lines: list[str], number: int) -> Block:
        data = "\n".join([*lines, ""]).encode("utf-8", "replace")
        position = Position(
            self._position.key, number, self._position.fingerprint, path=str(self._path)
        )
        return Block(self._source, number - len(lines), data, position)


class _Damage:
    """Goes through the chunks of a file and counts what is not to be had of them."""

    def __init__(self) -> None:
        self._cut = False
        self._lost = 0
        self._unreadable = 0
        self._missing = 0

    def chunks(self, path: Path) -> Iterator[list[str]]:
        """Yield the records of each chunk."""
        with path.open("rb") as file:
            header = file.read(HEADER)
            self._cut = len(header) < HEADER
            used, place = _used(header), 0
            while data := file.read(SIZE):
                chunk = read_chunk(data)
                # Space is set aside in zeros; among the chunks in use there were others once.
                empty = place < used and data.startswith(bytes(8)) and not chunk.lines
                self._unreadable += chunk.unreadable or empty
                self._lost += chunk.lost
                place += 1
                yield chunk.lines
            self._missing = max(0, used - place)

    def reason(self) -> str:
        """Return what is wrong with the file, empty if nothing is."""
        counts = {
            "records lost": self._lost,
            "chunks of 64 KiB unreadable": self._unreadable,
            "chunks of 64 KiB cut off": self._missing,
        }
        parts = [f"{count} {what}" for what, count in counts.items() if count]
        if self._cut:
            parts.append("cut off in its header")
        return f"damaged: {', '.join(parts)}" if parts else ""


def _used(header: bytes) -> int:
    """Return how many chunks the header says are in use; 0 if it is not to be believed."""
    if len(header) < HEADER or struct.unpack_from("<I", header, 124)[0] != zlib.crc32(header[:120]):
        return 0
    used: int = struct.unpack_from("<H", header, 42)[0]
    return used
