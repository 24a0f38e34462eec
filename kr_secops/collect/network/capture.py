"""Frames of a capture file, classic or next generation, packed or not, as far as it can be read."""

from __future__ import annotations

import gzip
import logging
import zlib
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from kr_secops.collect.interface import Skipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GZIP: Final = b"\x1f\x8b"
READ_LIMIT: Final = 4 << 20
"""No block of a sane capture is longer; a damaged length must not ask for gigabytes."""
RECORD_HEADER: Final = 16
"""Nothing where a record would begin is the end of the file, not damage."""
LATEST: Final = (1 << 63) - 1
"""Nanoseconds: the year 2262, beyond which a time stamp is damage."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One captured frame."""

    number: int
    """From 1, as packet analysers count."""
    time: int
    """Nanoseconds since 1970, UTC."""
    link: int
    """Link type: 1 is Ethernet."""
    data: bytes
    length: int
    """Bytes on the wire; more than ``len(data)`` if the capture kept only the beginning."""


class _Stream:
    """A file that never raises: it ends early instead and remembers why."""

    def __init__(self, file: BinaryIO | gzip.GzipFile) -> None:
        self._file = file
        self.fault: str | None = None

    def read(self, count: int) -> bytes:
        try:
            data = self._file.read(min(count, READ_LIMIT))
        except (OSError, EOFError, zlib.error) as e:
            self.fault = str(e) or "the compressed data is damaged"
            return b""
        if len(data) < count and (data or count > RECORD_HEADER):
            self.fault = self.fault or "it ends in the middle of a record"
        return data

    def close(self) -> None:
        self._file.close()


def frames(path: Path) -> Iterator[Frame | Skipped]:
    """Yield the frames of the capture at *path*, and one `Skipped` if it cannot be read to its end."""
    try:
        file = path.open("rb")
    except OSError as e:
        yield Skipped.of(str(path), e)
        return
    with file:
        packed = file.read(2) == GZIP
        file.seek(0)
        stream = _Stream(gzip.GzipFile(fileobj=file) if packed else file)
        with closing(stream):
            yield from _read(str(path), stream)


def _read(name: str, stream: _Stream) -> Iterator[Frame | Skipped]:
    from scapy.error import Scapy_Exception
    from scapy.utils import RawPcapReader

    # Scapy talks about damage on standard error; we say it once, as a value.
    logging.getLogger("scapy").setLevel(logging.CRITICAL)
    try:
        reader = RawPcapReader(stream)  # type: ignore[arg-type]  # any object that reads will do
    except Scapy_Exception as e:
        yield Skipped(name, stream.fault or f"no packet capture: {e}")
        return
    number, time = 0, 0
    for number, (data, meta) in enumerate(reader, 1):  # used after the loop
        link, time = _link_and_time(reader, meta, time)
        yield Frame(number, time, link & 0xFFFF, data, max(meta.wirelen, len(data)))
    if stream.fault is None and stream.read(1):
        stream.fault = "a block is damaged"
    if stream.fault:
        yield Skipped(name, f"read up to frame {number} only: {stream.fault}")


def _link_and_time(reader: Any, meta: Any, before: int) -> tuple[int, int]:
    """Return the link type and the time; a simple block of pcapng has no time of its own."""
    if not hasattr(meta, "tshigh"):
        time = meta.sec * 1_000_000_000 + meta.usec * (1 if reader.nano else 1000)
        return reader.linktype, min(time, LATEST)
    if meta.tshigh is None:
        return meta.linktype, before
    ticks = meta.tshigh << 32 | meta.tslow
    return meta.linktype, min(ticks * 1_000_000_000 // meta.tsresol, LATEST)
