"""A chunk of a Windows event log: its records as JSON, and what can be saved where it is damaged.

An EVTX file is a header and chunks of 64 KiB, each complete in itself. The parser ends a chunk at
the first record whose frame is broken; mended, the chunk lets it go on behind that record.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE: Final = 1 << 16
MAGIC: Final = b"ElfChnk\x00"
RECORDS: Final = 512
"""Offset of the first record."""

_EMPTY: Final = bytes(SIZE)
_RECORD: Final = b"**\x00\x00"
_FRAME: Final = 28
"""Bytes of a record without content: magic, size, number, time, size."""
_MOST: Final = (SIZE - RECORDS) // _FRAME
_FILLER: Final = struct.Struct("<4sIQQ")


def _file_header() -> bytes:
    fields = (b"ElfFile\x00", 0, 0, 1, 128, 1, 3, 4096, 1)
    header = struct.pack("<8sQQQIHHHH", *fields).ljust(120, b"\x00")
    return (header + struct.pack("<II", 0, zlib.crc32(header))).ljust(4096, b"\x00")


_FILE_HEADER: Final = _file_header()
"""Of a file of one chunk; what the file's own says does not matter then."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What came of one."""

    lines: list[str]
    """Its records, one JSON object each."""
    lost: int = 0
    """Records that it says it has, or that are seen to be there, and cannot be read."""
    unreadable: bool = False
    """There is something that is no chunk."""


def read_chunk(data: bytes) -> Chunk:
    """Return what *data*, 64 KiB or the beginning of that, holds."""
    if len(data) < SIZE:
        data = data.ljust(SIZE, b"\x00")
    if data.startswith(MAGIC):
        lines, failed = _parse(data)
        said = _count(data)
        if not failed and len(lines) >= said:
            return Chunk(lines)
    elif data == _EMPTY:
        return Chunk([])
    else:
        lines, failed, said = [], 0, 0
    frames = list(_frames(data))
    seen = sum(sound for _, _, sound in frames)
    if seen:
        mended, failed_still = _parse(_mend(data, frames))
        if len(mended) >= len(lines):
            lines, failed = mended, failed_still
    lost = max(max(said, seen) - len(lines), failed)
    return Chunk(lines, lost, unreadable=not lines and not lost)


def _parse(data: bytes) -> tuple[list[str], int]:
    """Return the records of a chunk and how many the parser complained about."""
    from evtx import PyEvtxParser

    lines: list[str] = []
    failed = 0
    try:
        parser = PyEvtxParser(io.BytesIO(_FILE_HEADER + data), number_of_threads=1)
        records: Iterator[Any] = iter(parser.records_json())
        while failed <= _MOST:
            try:
                for record in records:
                    # The library indents its JSON; inside strings it escapes line ends.
                    lines.append(record["data"].replace("\n", ""))  # noqa: PERF401 (kept if it raises)
            except (OSError, RuntimeError, ValueError):
                failed += 1
            else:
                break
    except (OSError, RuntimeError, ValueError):
        failed += 1
    return lines, failed


def _count(data: bytes) -> int:
    """Return how many records the chunk says it has; 0 if that cannot be."""
    first, last = struct.unpack_from("<QQ", data, 8)
    count: int = last - first + 1
    return count if 0 < count <= _MOST else 0


def _frames(data: bytes) -> Iterator[tuple[int, int, bool]]:
    """Yield begin and end of each record, and of each stretch of broken ones between them."""
    at = RECORDS
    while at + _FRAME <= SIZE:
        size = _frame(data, at)
        if size:
            yield at, at + size, True
            at += size
            continue
        next_ = data.find(_RECORD, at + _FRAME)
        while next_ != -1 and not _frame(data, next_):
            next_ = data.find(_RECORD, next_ + 1)
        if next_ == -1:
            if data[at:] != _EMPTY[at:]:
                yield at, SIZE, False
            return
        yield at, next_, False
        at = next_


def _frame(data: bytes, at: int) -> int:
    """Return the size of the record at *at*, 0 if none is there."""
    if not data.startswith(_RECORD, at) or at + _FRAME > SIZE:
        return 0
    (size,) = struct.unpack_from("<I", data, at + 4)
    end = at + size
    if not _FRAME <= size <= SIZE - at:
        return 0
    again = data[end - 4 : end] == data[at + 4 : at + 8]
    return size if again or data.startswith(_RECORD, end) else 0


def _mend(data: bytes, frames: list[tuple[int, int, bool]]) -> bytes:
    """Return the chunk with a sound header, and with broken records framed as unreadable ones."""
    mended = bytearray(data)
    last = free = RECORDS
    for start, end, sound in frames:
        if not sound and end == SIZE:
            mended[start:] = bytes(SIZE - start)
            break
        if not sound:
            _FILLER.pack_into(mended, start, _RECORD, end - start, 0, 0)
            mended[start + _FILLER.size : end] = b"\xff" * (end - start - _FILLER.size)
        last, free = start, end
    mended[:8] = MAGIC
    struct.pack_into("<III", mended, 40, 128, last, free)
    # Tables of names and templates: the records point to these themselves, and some may be broken.
    mended[128:RECORDS] = bytes(RECORDS - 128)
    return bytes(mended)
