"""The archive: every event, append-only, as zstd NDJSON segments per data set and day.

    archive/sshd/2026-11-17/000001-9f86d081.ndjson.zst

A segment is written as ``.part``, sealed (on disk, under its final name), and counts from the
checkpoint that records it in the manifest. What a killed run left without an entry is removed
when the next run begins to write: its records are read again.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson
import zstandard

from kr_secops.errors import KrSecopsError
from kr_secops.event import dumps, timestamp
from kr_secops.language import tr
from kr_secops.store import manifest
from kr_secops.store.files import explaining, settle
from kr_secops.store.manifest import Segment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from kr_secops.event import Event
    from kr_secops.store.manifest import Entry
    from kr_secops.store.sqlite import Store

SUFFIX: Final = ".ndjson.zst"
CHUNK: Final = 256 * 1024
"""Bytes of NDJSON compressed at once, as a frame of its own: a cut file is readable up to there,
and one compressor serves all open segments."""
LARGEST: Final = 64 * 1024 * 1024
"""Bytes of NDJSON in a segment."""
OPEN_AT_ONCE: Final = 64
"""Segments open at once; a log of many days closes the oldest."""
LEVEL: Final = 1
"""On our events level 1 packs as well as level 3 and is quicker."""

DATASET: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}")
DAY: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a part of the archive."""

    path: str
    """Below the archive."""
    problem: str


class _Writer:
    """One open segment."""

    __slots__ = (
        "count",
        "dataset",
        "day",
        "first",
        "hash",
        "last",
        "lines",
        "path",
        "size",
        "stream",
        "total",
        "waiting",
    )

    def __init__(self, path: Path, dataset: str, day: str) -> None:
        self.path = path
        self.dataset, self.day = dataset, day
        self.stream = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", 0)
        self.lines: list[bytes] = []
        self.waiting = self.total = self.size = self.count = 0
        self.first, self.last = "~", ""
        self.hash = hashlib.sha256()

    def flush(self, compressor: zstandard.ZstdCompressor) -> None:
        """Compress what waits into a frame."""
        if not self.lines:
            return
        self.count += len(self.lines)
        self.lines.append(b"")
        frame = compressor.compress(b"\n".join(self.lines))
        self.lines.clear()
        self.total += self.waiting
        self.waiting = 0
        self.size += len(frame)
        self.hash.update(frame)
        self.stream.write(frame)

    def seal(self, archive: Path) -> Segment:
        """Bring the file to the disk under its final name."""
        os.fsync(self.stream.fileno())
        self.stream.close()
        folder = self.path.parent
        digest = self.hash.hexdigest()
        taken = [int(p.name[:6]) for p in folder.glob(f"*{SUFFIX}") if p.name[:6].isdecimal()]
        final = folder / f"{max(taken, default=0) + 1:06}-{digest[:8]}{SUFFIX}"
        self.path.rename(final)
        return Segment(
            path=str(final.relative_to(archive)),
            dataset=self.dataset,
            day=self.day,
            sha256=digest,
            size=self.size,
            count=self.count,
            first=self.first,
            last=self.last,
        )


class Archive:
    """The events kept in the state folder of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.directory = store.archive
        self._compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
        self._open: dict[tuple[str, str], _Writer] = {}
        self._finished: list[_Writer] = []
        self._recovered = False

    def write(self, event: Event, line: bytes | None = None) -> None:
        """Add *event*; *line* is its NDJSON, without the line end, where that is at hand.

        The first call of a run removes what a killed run left; it needs `Store.lock`.
        """
        try:
            moment = event["@timestamp"]
            writer = self._open.get((event["event.dataset"], moment[:10]))
        except (KeyError, TypeError):
            moment, writer = str(event.get("@timestamp", "")), None
        if writer is None:
            writer = self._begin(event.get("event.dataset"), moment[:10])
        if line is None:
            line = dumps(event)
        writer.lines.append(line)
        writer.waiting += len(line) + 1
        writer.last = max(writer.last, moment)
        writer.first = min(writer.first, moment)
        if writer.waiting >= CHUNK:
            self._flush(writer)

    def _begin(self, dataset: Any, day: str) -> _Writer:
        """Open a segment; what cannot be the name of a folder goes to ``unknown``."""
        if not self._recovered:
            self.recover()
        name = dataset if isinstance(dataset, str) and DATASET.fullmatch(dataset) else "unknown"
        date = day if DAY.fullmatch(day) else "0000-00-00"
        if (writer := self._open.get((name, date))) is not None:
            return writer
        if len(self._open) >= OPEN_AT_ONCE:
            self._finish(next(iter(self._open.values())))
        folder = self.directory / name / date
        with explaining(folder):
            folder.parent.mkdir(mode=0o700, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            path = folder / f"{os.urandom(8).hex()}.part"
            writer = self._open[name, date] = _Writer(path, name, date)
        return writer

    def _flush(self, writer: _Writer) -> None:
        with explaining(writer.path):
            writer.flush(self._compressor)
        if writer.total >= LARGEST:
            self._finish(writer)

    def _finish(self, writer: _Writer) -> None:
        del self._open[writer.dataset, writer.day]
        self._finished.append(writer)
        with explaining(writer.path):
            writer.flush(self._compressor)

    def seal(self) -> list[Segment]:
        """Bring everything written to the disk; give the result to `Store.checkpoint`."""
        if not self._recovered:
            self.recover()
        for writer in list(self._open.values()):
            self._finish(writer)
        with explaining(self.directory):
            segments = [writer.seal(self.directory) for writer in self._finished]
            folders = {writer.path.parent for writer in self._finished}
            for folder in {*folders, *(folder.parent for folder in folders), self.directory}:
                settle(folder)
        self._finished.clear()
        return segments

    def recover(self) -> None:
        """Remove what no entry of the manifest names, and mend the exported manifest.

        If the database was lost or put back from a backup, the exported manifest knows more: what
        it adds is taken over.
        """
        self._recovered = True
        with explaining(self.directory):
            self.directory.mkdir(mode=0o700, exist_ok=True)
            exported = manifest.read(self._store.manifest_file)
            entries = self._store.entries()
            surplus = exported[len(entries) :]
            if surplus and exported[: len(entries)] == entries and not [*manifest.broken(exported)]:
                self._store.adopt(surplus)
                entries = exported
            known = {entry.segment.path for entry in (*entries, *exported)}
            for path in self._files():
                if str(path.relative_to(self.directory)) not in known:
                    path.unlink()
            for path in self.directory.glob("*/*/*.part"):
                path.unlink()
            manifest.export(entries, self._store.manifest_file)

    def _files(self) -> Iterator[Path]:
        return self.directory.glob(f"*/*/*{SUFFIX}")

    def entries(self) -> list[Entry]:
        """Return the manifest: every segment, in the order of its sealing."""
        return self._store.entries()

    def read(
        self,
        dataset: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Iterator[Event]:
        """Yield the events of *dataset* from *since* until before *until*, by day.

        Raises:
            KrSecopsError: after all that could be read, if a segment is damaged.
        """
        low = timestamp(since) if since else ""
        high = timestamp(until) if until else "~"
        damaged = []
        segments = [entry.segment for entry in self._store.entries()]
        for segment in sorted(segments, key=lambda one: (one.day, one.first)):
            if dataset in (None, segment.dataset) and segment.first < high and segment.last >= low:
                try:
                    for line in self.lines(segment):
                        event = orjson.loads(line)
                        if low <= str(event.get("@timestamp", "")) < high:
                            yield event
                except (DamagedSegmentError, ValueError, AttributeError):
                    damaged.append(segment.path)
        if damaged:
            raise DamagedSegmentError(
                tr("damaged, see `kr-secops archive verify`: {paths}", paths=", ".join(damaged))
            )

    def lines(self, segment: Segment) -> Iterator[bytes]:
        """Yield the lines of *segment*; DamagedSegmentError if they are not as many as sealed."""
        path = self.directory / segment.path
        count = 0
        try:
            with path.open("rb") as file:
                reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
                for line in io.BufferedReader(reader, CHUNK):
                    count += 1
                    yield line.rstrip(b"\n")
        except (OSError, zstandard.ZstdError) as e:
            raise DamagedSegmentError(tr("{path}: {problem}", path=path, problem=e)) from None
        if count != segment.count:
            raise DamagedSegmentError(tr("{path}: events are missing", path=path))

    def verify(self) -> Iterator[Problem]:
        """Yield everything that was edited, deleted, swapped, cut or added since it was sealed."""
        files = sorted(str(path.relative_to(self.directory)) for path in self._files())
        exported = manifest.read(self._store.manifest_file)
        entries = self._store.entries()
        for entry, problem in manifest.broken(entries):
            yield Problem(entry.segment.path, problem)
        for entry in entries:
            problem = examine(self.directory / entry.segment.path, entry.segment)
            if problem:
                yield Problem(entry.segment.path, problem)
        # Asked again, because a run may have sealed and recorded a segment meanwhile.
        known = {entry.segment.path for entry in self._store.entries()}
        for name in files:
            if name not in known:
                yield Problem(
                    name, tr("not in the manifest: left by a run that was killed, or put there")
                )
        yield from self._verify_exported(entries, exported)

    def _verify_exported(self, entries: list[Entry], exported: list[Entry]) -> Iterator[Problem]:
        name = self._store.manifest_file.name
        for ours, theirs in zip(entries, exported, strict=False):
            if ours != theirs:
                yield Problem(name, tr("entry {n} differs from the database", n=ours.number))
        if len(exported) < len(entries):
            exported = manifest.read(self._store.manifest_file)
        if len(exported) < len(entries):
            count = len(exported)
            yield Problem(
                name, tr("ends after {count} of {all} entries", count=count, all=len(entries))
            )
        elif len(exported) > len(self._store.entries()):
            yield Problem(name, tr("goes on after the {all} entries there are", all=len(entries)))


class DamagedSegmentError(KrSecopsError):
    """A segment of the archive cannot be read, or not to its end."""


def examine(path: Path, segment: Segment) -> str:
    """Return what is wrong with the file *path* of *segment*, or nothing."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return tr("deleted")
    except OSError as e:
        return e.strerror or str(e)
    if size < segment.size:
        return tr("truncated: {size} of {all} bytes", size=size, all=segment.size)
    if digest != segment.sha256:
        return tr("edited: the content is not what was sealed")
    return ""
