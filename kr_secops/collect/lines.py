"""Logs whose records are lines, or lines with others that continue them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from kr_secops import ecs
from kr_secops.collect.builder import NUMBERS, Recipe
from kr_secops.collect.clock import Moments
from kr_secops.collect.dispatch import KEY, Dispatch, Maker
from kr_secops.collect.following import Addresses, relate
from kr_secops.collect.parsers.csv import columns
from kr_secops.collect.pattern import compile_pattern
from kr_secops.collect.records import offsets_and_lines
from kr_secops.event import Rejected

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from kr_secops.collect.builder import Trial
    from kr_secops.collect.collector import Collector, Kind, Memory
    from kr_secops.collect.interface import Block, Outcome, Source
    from kr_secops.event import Event

Column: TypeAlias = "tuple[re.Pattern[str] | None, tuple[str, ...]]"
"""A pattern (None: the whole value) and the fields that it names."""

REMEMBERED: Final = 4096

LONGEST: Final = 256 * 1024
"""Characters of a record of many lines; what is more is cut off."""


class LinesReader:
    """Reads logs of which every line is a record."""

    verbatim = True
    waiting: int | None = None

    def __init__(self, collector: Collector, source: Source, now: datetime) -> None:
        self.collector = collector
        self._source = source
        self._moments = Moments(collector.description.time or "iso", source, now)
        ignore = collector.description.ignore or r"\s*$"
        self._ignore = compile_pattern(ignore).regex.match
        make = Maker(source, "line")
        self._lines = [self._compile(form, make) for form in collector.forms()]
        kinds = [(collector, kind) for kind in collector.kinds()]
        self._cases = [
            (field, dict.fromkeys(values, case.set))
            for case in collector.description.cases
            for field, values in case.when.items()
        ]
        self._addresses = Addresses()
        self._remembered: dict[Any, Event] = {}
        adds = kinds or self._cases or collector.description.remember
        self._messages = Dispatch(kinds, None, Maker(source, "message")) if adds else None

    def _compile(self, form: Kind, make: Maker) -> tuple[Trial, int]:
        pattern = form.pattern()
        build = make.build(Recipe.of(pattern, form.constants, "line"))
        return (pattern.regex.match, build), pattern.fields.index("@timestamp")

    def events(self, block: Block, lines: Sequence[int] | None = None) -> Iterator[Outcome]:
        """Yield the events of *block*; see `kr_secops.collect.interface.Reader`."""
        return self._parse(offsets_and_lines(block, lines))

    def finish(self) -> Iterator[Outcome]:
        """Yield nothing: no line waits for another."""
        yield from ()

    def _parse(self, records: Iterable[tuple[int, str]]) -> Iterator[Outcome]:
        moments, messages = self._moments, self._messages
        (match, build), stamp = self._lines[0]
        for offset, line in records:
            found = match(line)
            if found is None:
                found = self._other_form(line)
                if found is None:
                    if line and not line.isspace() and not self._ignore(line):
                        yield self._reject(offset, line, "no pattern matches")
                    continue
                (match, build), stamp = self._lines[0]
            groups = found.groups()
            try:
                when = moments[groups[stamp]]
            except ValueError as e:
                yield self._reject(offset, line, str(e))
                continue
            event = build(groups, line, None, when, offset, None, None, None)
            if messages is not None:
                self._add(event, messages)
            yield event

    def _other_form(self, line: str) -> re.Match[str] | None:
        """Return the first form that *line* has; it is tried first from now on."""
        for i, ((match, _), _) in enumerate(self._lines):
            if found := match(line):
                self._lines.insert(0, self._lines.pop(i))
                return found
        return None

    def _add(self, event: Event, messages: Dispatch) -> None:
        """Add to *event* what follows from its fields and from its message."""
        for field, values in self._cases:
            event.update(values.get(event.get(field, ""), {}))
        message = event.get("message", "")
        for match, build in messages[message[:KEY]]:
            if found := match(message):
                event.update(build(found.groups(), *[None] * 7))
                break
        if memory := self.collector.description.remember:
            self._remember(event, memory)
        relate(event, self._addresses)

    def _remember(self, event: Event, memory: Memory) -> None:
        """Keep what *event* states, or add to it what an earlier one did."""
        key = event.get(memory.by)
        stated = {name: event[name] for name in memory.fields if name in event}
        if stated:
            if len(self._remembered) >= REMEMBERED:
                self._remembered.pop(next(iter(self._remembered)))
            self._remembered[key] = stated
        elif key is not None:
            event.update(self._remembered.get(key, {}))

    def _reject(self, offset: int, line: str, reason: str) -> Rejected:
        return Rejected(self._source.name, offset, reason, line[:8192].encode())


class RecordsReader(LinesReader):
    """Reads logs of which a record may go on over lines: stack traces, statements."""

    verbatim = False

    def __init__(self, collector: Collector, source: Source, now: datetime) -> None:
        super().__init__(collector, source, now)
        assert collector.description.begins is not None, "the collector's schema wants it"
        self._begins = compile_pattern(collector.description.begins).regex.match
        self._waiting: list[str] = []
        self._size = 0

    def events(self, block: Block, lines: Sequence[int] | None = None) -> Iterator[Outcome]:
        """Yield the events of *block* that are surely whole."""
        assert lines is None, "lines may be chosen only of a verbatim reader"
        return self._parse(self._records(block))

    def finish(self) -> Iterator[Outcome]:
        """Yield the last record, which no other followed."""
        if self.waiting is not None:
            yield from self._parse([(self.waiting, self._take())])
        self.waiting = None

    def _records(self, block: Block) -> Iterator[tuple[int, str]]:
        begins = self._begins
        for offset, line in offsets_and_lines(block):
            if self.waiting is None or begins(line):
                if self.waiting is not None:
                    yield self.waiting, self._take()
                self.waiting = offset
                self._waiting = [line]
                self._size = len(line)
            elif self._size < LONGEST:
                self._waiting.append(line)
                self._size += len(line) + 1

    def _take(self) -> str:
        record = "\n".join(self._waiting)[:LONGEST].rstrip("\r\n")
        self._waiting = []
        return record


class CsvReader(RecordsReader):
    """Reads comma-separated values; a quoted column may go on over lines."""

    def __init__(self, collector: Collector, source: Source, now: datetime) -> None:
        super().__init__(collector, source, now)
        self._columns: list[Column] = [
            (compile_pattern(name).regex, compile_pattern(name).fields)
            if "(?P<" in name
            else (None, (name,))
            for name in collector.description.columns
        ]

    def _parse(self, records: Iterable[tuple[int, str]]) -> Iterator[Outcome]:
        for offset, record in records:
            values = columns(record)
            if values is None or len(values) < len(self._columns) // 2:
                yield self._reject(offset, record, "no such columns")
                continue
            event = self._base(offset, record)
            try:
                event |= self._fields(values)
            except ValueError as e:
                yield self._reject(offset, record, str(e))
                continue
            if self._messages is not None:
                self._add(event, self._messages)
            yield event

    def _fields(self, values: list[str]) -> Event:
        found: Event = {}
        types = ecs.schema().types
        for (pattern, names), value in zip(self._columns, values, strict=False):
            parts: tuple[str | None, ...] = (value,)
            if pattern is not None:
                match = pattern.fullmatch(value)
                parts = match.groups() if match else ()
            for name, part in zip(names, parts, strict=False):
                if name and part:
                    found[name] = int(part) if types.get(name) in NUMBERS else part
        found["@timestamp"] = self._moments[found.get("@timestamp", "")]
        return found

    def _base(self, offset: int, record: str) -> Event:
        event: Event = {
            "ecs.version": ecs.VERSION,
            "event.kind": "event",
            **self.collector.constants,
            "event.original": record,
            "log.file.path": self._source.name,
            "log.offset": offset,
        }
        if self._source.host:
            event |= {"host.name": self._source.host, "related.hosts": [self._source.host]}
        return event
