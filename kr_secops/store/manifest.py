"""The manifest of the archive: one entry a segment, each bound to the one before by its hash.

    entry.hash = sha256(canonical JSON of the segment, its number and the previous entry's hash)

Whoever edits, deletes or swaps a segment must rewrite every later entry, in the database and in
``archive/manifest.ndjson``; a copy of the last hash kept elsewhere tells even that.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

import orjson

from kr_secops.language import tr
from kr_secops.store.files import append, explaining

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

BEGINNING: Final = "0" * 64
"""What the first entry names as the hash before it."""

LONGEST_LINE: Final = 4096


@dataclass(frozen=True, slots=True)
class Segment:
    """One sealed file of the archive: events of one data set and one day (UTC)."""

    path: str
    """Below the archive: ``sshd/2026-11-17/000001-9f86d081.ndjson.zst``."""
    dataset: str
    day: str
    sha256: str
    """Of the file as it lies there."""
    size: int
    """Bytes of the file."""
    count: int
    """Events in it."""
    first: str
    """Earliest ``@timestamp``."""
    last: str
    """Latest ``@timestamp``."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A segment's place in the chain."""

    number: int
    segment: Segment
    previous: str
    hash: str

    def line(self) -> bytes:
        """Return the entry as it stands in ``manifest.ndjson``, with the line end."""
        row = {"number": self.number, **asdict(self.segment)}
        row |= {"previous": self.previous, "hash": self.hash}
        return orjson.dumps(row) + b"\n"


def parse(line: bytes) -> Entry:
    """Return the entry that `Entry.line` wrote; raises ValueError, KeyError or TypeError if none."""
    row = orjson.loads(line)
    number, previous, own = row.pop("number"), row.pop("previous"), row.pop("hash")
    return Entry(number, Segment(**row), previous, own)


def link(segments: Iterable[Segment], last: Entry | None) -> Iterator[Entry]:
    """Yield the entries of *segments* that follow *last*."""
    number, previous = (last.number, last.hash) if last else (0, BEGINNING)
    for segment in segments:
        number += 1
        entry = Entry(number, segment, previous, _hash(number, segment, previous))
        yield entry
        previous = entry.hash


def broken(entries: Sequence[Entry]) -> Iterator[tuple[Entry, str]]:
    """Yield the entries at which the chain does not hold, with what is wrong."""
    number, previous = 0, BEGINNING
    for entry in entries:
        number += 1
        if entry.number != number:
            yield entry, tr("entry {number} of the manifest is missing", number=number)
            number = entry.number
        elif entry.previous != previous:
            yield entry, tr("entry {number} does not follow the one before it", number=number)
        if entry.hash != _hash(entry.number, entry.segment, entry.previous):
            yield entry, tr("entry {number} of the manifest was edited", number=number)
        previous = entry.hash


def _hash(number: int, segment: Segment, previous: str) -> str:
    content = {"number": number, **asdict(segment), "previous": previous}
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def export(entries: Sequence[Entry], path: Path) -> None:
    """Bring the file *path* up to *entries*, by appending if it is the beginning of them.

    A file that says something else is left alone: verifying the archive reports it.
    """
    wanted = b"".join(entry.line() for entry in entries)
    with explaining(path):
        present = path.read_bytes() if path.exists() else b""
    if wanted.startswith(present) and wanted != present:
        append(path, wanted[len(present) :])


def extend(entries: Sequence[Entry], path: Path) -> None:
    """Append *entries* to the file *path* if it ends where they begin; else `export` mends it."""
    if _last_hash(path) == entries[0].previous:
        append(path, b"".join(entry.line() for entry in entries))


def _last_hash(path: Path) -> str:
    with explaining(path):
        if not path.exists():
            return BEGINNING
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LONGEST_LINE))
            *_, end = file.read().rpartition(b'"hash":"')
    return end.removesuffix(b'"}\n').decode("ascii", "replace") or BEGINNING


def read(path: Path) -> list[Entry]:
    """Return the entries of the file *path*, up to the first line that is none."""
    entries: list[Entry] = []
    if path.exists():
        for line in path.read_bytes().splitlines():
            try:
                entries.append(parse(line))
            except (ValueError, KeyError, TypeError):
                break
    return entries
