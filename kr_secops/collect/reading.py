"""Turns paths into readers with their blocks: the door through which the pipeline comes.

for item in read(["/var/log"], Options(now=now)):
    match item:
        case Reading():   # item.events() → Event | Rejected | Skipped, in order
        case Skipped():   # a source that could not be read
        case Rejected():  # a record too long to be one
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, TypeAlias

from kr_secops.collect import captures
from kr_secops.collect.catalog import load
from kr_secops.collect.documents import WindowsReader
from kr_secops.collect.inputs import evtx, journal
from kr_secops.collect.inputs.cut import cut_lines
from kr_secops.collect.inputs.file import FileInput, LogFile, fingerprint, look_at, seal
from kr_secops.collect.inputs.find import find_files
from kr_secops.collect.inputs.joined import cutter
from kr_secops.collect.inputs.stdin import StdinInput
from kr_secops.collect.interface import Block, Position, Skipped, Source
from kr_secops.collect.recognise import is_binary, recognise
from kr_secops.document import did_you_mean
from kr_secops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import tzinfo

    from kr_secops.collect.collector import Collector
    from kr_secops.collect.inputs.file import Cut, Lookup
    from kr_secops.collect.inputs.find import Seen
    from kr_secops.collect.interface import Outcome, Reader, Shape
    from kr_secops.event import Rejected

STDIN: Final = "-"
JOURNAL: Final = "journal"


@dataclass(frozen=True, slots=True)
class Options:
    """How paths are to be read."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    collector: str | None = None
    """Id of the collector for all of them; None: found out by content."""
    host: str | None = None
    """Host of records that name none."""
    zone: tzinfo | None = None
    """Zone of time stamps that state none."""
    year: int | None = None
    """Year of the first time stamp of each file, where time stamps state none."""
    lookup: Lookup | None = None
    """Asks what was read before; None: everything is read from its beginning."""
    growing: bool = False
    """Leave the unfinished last line of a plain file for the next run."""
    stdin: BinaryIO | None = None
    """What ``-`` reads; None: the process's own."""
    cache_dir: Path | None = None
    """A folder of our own where collectors found right are kept; None: they are read anew."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A block and the reader that makes events of it; a source's readings come in order."""

    reader: Reader
    block: Block
    last: bool = False
    """The source ends here: `events` also gives what was waiting for more lines."""

    @property
    def key(self) -> str:
        """Return the id of the collector: what `shapes` are shapes of."""
        return self.reader.collector.id

    @property
    def verbatim(self) -> bool:
        """Return whether `events` may be asked for chosen lines only."""
        return self.reader.verbatim

    def shapes(self) -> tuple[Shape, ...]:
        """Return how a line can look, for the prefilter; empty if not `verbatim`."""
        return self.reader.collector.shapes() if self.verbatim else ()

    @property
    def windows(self) -> WindowsReader | None:
        """Return the reader if it reads Windows records, which need not all become events."""
        return self.reader if isinstance(self.reader, WindowsReader) else None

    def events(self, lines: Sequence[int] | None = None) -> Iterator[Outcome]:
        """Yield the events of the block, all or of the lines that begin at these offsets in it."""
        yield from self.reader.events(self.block, lines)
        if self.last:
            yield from self.reader.finish()

    @property
    def position(self) -> Position:
        """Return where to resume once the events were dealt with: ask when they are."""
        position, waiting = self.block.position, self.reader.waiting
        if self.last or waiting is None:
            return position
        return Position(position.key, waiting, position.fingerprint, "", position.path)


Item: TypeAlias = "Reading | Skipped | Rejected"


def read(paths: Iterable[str], options: Options) -> Iterator[Item]:
    """Yield the readings of *paths* in order: files, folders, wildcards, ``journal``, ``-``.

    All files are looked at before the first is read, so that a copy of a file is known for one
    whatever becomes of the positions kept meanwhile.

    Raises:
        UsageError: there is no such collector.
        ContentError: a collector's file is wrong.
    """
    choice = choose(options)
    for plan in [_look(source, choice, options) for source in find_sources(paths)]:
        yield from _read(plan, choice, options)


Found: TypeAlias = "Path | Skipped | str"
"""A file, why there is none, or `STDIN` or `JOURNAL`."""


def find_sources(paths: Iterable[str]) -> list[Found]:
    """Return what *paths* mean, in order, each file once."""
    found: list[Found] = []
    seen: Seen = set()
    for path in paths:
        if path == STDIN or (path == JOURNAL and not Path(path).exists()):
            found.append(path)
        else:
            found += find_files([path], seen)
    return found


def read_source(source: Found, choice: Choice, options: Options) -> Iterator[Item]:
    """Yield the readings of one source alone, as `read` would in its turn."""
    yield from _read(_look(source, choice, options), choice, options)


@dataclass(frozen=True, slots=True)
class Choice:
    """The collectors to choose from."""

    all: Mapping[str, Collector]
    chosen: Collector | None
    """The one for everything."""


def choose(options: Options) -> Choice:
    """Return the collectors; raises what `read` raises."""
    collectors = load(options.cache_dir)
    if options.collector is None:
        return Choice(collectors, None)
    if options.collector not in collectors:
        hint = did_you_mean(options.collector, collectors)
        raise UsageError(f"no collector {options.collector!r}{hint}")
    return Choice(collectors, collectors[options.collector])


@dataclass(frozen=True, slots=True)
class _Plan:
    """A file and who is to read it."""

    file: LogFile
    collector: Collector
    cut: Cut


def _look(source: Found, choice: Choice, options: Options) -> _Plan | Skipped | str:
    file = look_at(source, options.lookup) if isinstance(source, Path) else source
    return _plan(file, choice.chosen, choice.all) if isinstance(file, LogFile) else file


def _read(plan: _Plan | Skipped | str, choice: Choice, options: Options) -> Iterator[Item]:
    if isinstance(plan, Skipped):
        yield plan
    elif isinstance(plan, _Plan):
        yield from _read_file(plan, options)
    elif plan == JOURNAL:
        yield from _read_journal(choice.chosen or choice.all["syslog"], options)
    else:
        yield from _read_stdin(choice.chosen, choice.all, options)


def _plan(
    file: LogFile, chosen: Collector | None, collectors: Mapping[str, Collector]
) -> _Plan | Skipped:
    name = str(file.path)
    collector = chosen
    if file.head.startswith(captures.MAGIC):
        collector = collectors["network"]
    elif file.head.startswith(journal.MAGIC):
        collector = chosen or collectors["syslog"]
    elif file.head.startswith(evtx.MAGIC) and file.compression:
        return Skipped(name, f"an EVTX file packed by {file.compression}: unpack it first")
    collector = collector or recognise(file.head, name, collectors)
    if collector is None and file.head:
        return Skipped(name, _unknown(file.head))
    # Thousands of files may wait for their turn: what they were recognised by is let go.
    cut = cut_lines if file.head.startswith(evtx.MAGIC) else cutter(file.head)
    return _Plan(replace(file, head=file.head[:16]), collector or collectors["syslog"], cut)


def _source(name: str, options: Options, modified: float | None = None) -> Source:
    return Source(name, options.host, options.zone, options.year, modified)


def _read_file(plan: _Plan, options: Options) -> Iterator[Item]:
    file, name = plan.file, str(plan.file.path)
    source = _source(name, options, file.modified)
    if file.done or not file.size:
        return
    known = fingerprint(file.identity)
    blocks: Iterable[Block | Skipped | Rejected]
    if file.head.startswith(captures.MAGIC):
        position = Position(file.key, file.size, known, seal(file), name)
        blocks = [Block(source, 0, b"", position)]
    elif file.head.startswith(journal.MAGIC):
        kept = options.lookup(file.key, known) if options.lookup else None
        position = kept or Position(file.key, fingerprint=known, path=name)
        blocks = journal.JournalInput(source, position, [name]).blocks()
    elif file.head.startswith(evtx.MAGIC):
        position = Position(file.key, file.start, known, path=name)
        blocks = evtx.EvtxInput(file.path, source, position).blocks()
    else:
        blocks = FileInput(file, source, growing=options.growing, cut=plan.cut).blocks()
    yield from _readings(blocks, plan.collector, source, options)


def _unknown(head: bytes) -> str:
    return "binary, no log" if is_binary(head) else "no collector recognises it"


def _readings(
    blocks: Iterable[Block | Skipped | Rejected],
    collector: Collector,
    source: Source,
    options: Options,
) -> Iterator[Item]:
    reader = collector.reader(source, options.now)
    before: Block | None = None
    for item in blocks:
        if not isinstance(item, Block):
            yield item
            continue
        if before is not None:
            yield Reading(reader, before)
        before = item
    if before is not None:
        yield Reading(reader, before, last=True)


def _read_stdin(
    chosen: Collector | None, collectors: Mapping[str, Collector], options: Options
) -> Iterator[Item]:
    source = _source(STDIN, options)
    blocks = StdinInput(options.stdin or sys.stdin.buffer, source).blocks()
    for item in blocks:
        if not isinstance(item, Block):
            yield item
            continue
        if not item.data:
            yield Skipped(STDIN, "empty")
            return
        collector = chosen or recognise(item.data[: 64 * 1024], STDIN, collectors)
        if collector is None:
            yield Skipped(STDIN, _unknown(item.data))
            return
        yield from _readings(_chain(item, blocks), collector, source, options)
        return


def _chain(
    first: Block, rest: Iterator[Block | Skipped | Rejected]
) -> Iterator[Block | Skipped | Rejected]:
    yield first
    yield from rest


def _read_journal(collector: Collector, options: Options) -> Iterator[Item]:
    source = _source(JOURNAL, options)
    known = options.lookup(JOURNAL, "") if options.lookup else None
    yield from _readings(journal.JournalInput(source, known).blocks(), collector, source, options)
