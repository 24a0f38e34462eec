"""JSON lines that are events already: ours and other shippers', and Windows event records."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final

import orjson

from kr_secops import ecs
from kr_secops.collect.exports import as_tree
from kr_secops.collect.records import offsets_and_lines
from kr_secops.collect.windows import Record, WindowsError, normalise
from kr_secops.event import Rejected, flatten, moment, timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from kr_secops.collect.collector import Collector
    from kr_secops.collect.interface import Block, Outcome, Source
    from kr_secops.event import Event

LONGEST: Final = 16 << 20
"""A JSON document cut short is none."""


class JsonReader(ABC):
    """Reads one JSON object a line."""

    verbatim = False
    waiting: int | None = None

    def __init__(self, collector: Collector, source: Source, now: datetime) -> None:
        self.collector = collector
        self._source = source

    def events(self, block: Block, lines: Sequence[int] | None = None) -> Iterator[Outcome]:
        """Yield the events of *block*; see `kr_secops.collect.interface.Reader`."""
        loads = orjson.loads
        for offset, line in offsets_and_lines(block, lines, LONGEST):
            if not line or line.isspace():
                continue
            try:
                event = self._event(_an_object(loads(line)), line, offset)
            except (ValueError, RecursionError, WindowsError) as e:
                reason = str(e) or type(e).__name__
                yield Rejected(self._source.name, offset, reason, line[:8192].encode())
                continue
            yield event

    def finish(self) -> Iterator[Outcome]:
        """Yield nothing: no line waits for another."""
        yield from ()

    @abstractmethod
    def _event(self, document: dict[str, Any], line: str, offset: int) -> Event:
        """Return the event that *document* is."""


class EcsReader(JsonReader):
    """Passes ECS documents through, nested or dotted; what they say stays as it is."""

    def _event(self, document: dict[str, Any], line: str, offset: int) -> Event:
        del line
        event = flatten(document) if any(type(v) is dict for v in document.values()) else document
        stamp = event.get("@timestamp")
        if not isinstance(stamp, str):
            raise ValueError("@timestamp is missing")  # noqa: TRY004
        if len(stamp) != 24 or stamp[-1] != "Z":  # noqa: PLR2004
            event["@timestamp"] = _utc(stamp)
        for name in ("event.category", "event.type"):
            if isinstance(event.get(name), str):
                event[name] = [event[name]]
        event.setdefault("ecs.version", ecs.VERSION)
        event.setdefault("event.kind", "event")
        event.setdefault("log.file.path", self._source.name)
        event.setdefault("log.offset", offset)
        if self._source.host:
            event.setdefault("host.name", self._source.host)
        return event


class WindowsReader(JsonReader):
    """Reads Windows event records: EVTX as JSON, Winlogbeat's documents, flat ones."""

    def records(self, block: Block) -> Iterator[Record | Rejected]:
        """Yield the records of *block*, not yet made events."""
        loads, make = orjson.loads, self._from_tree
        for offset, line in offsets_and_lines(block, None, LONGEST):
            try:
                document = loads(line)
                if document.__class__ is dict:
                    yield Record(as_tree(document), line, offset, make)
                    continue
                reason = "no JSON object"
            except (ValueError, RecursionError) as e:
                if not line or line.isspace():
                    continue
                reason = str(e)
            yield Rejected(self._source.name, offset, reason, line[:8192].encode())

    def outcome(self, record: Record) -> Event | Rejected:
        """Return the event that *record* is, or why it is none."""
        try:
            return record.event()
        except (ValueError, RecursionError) as e:
            raw = record.line[:8192].encode()
            return Rejected(self._source.name, record.offset, str(e) or type(e).__name__, raw)

    def _event(self, document: dict[str, Any], line: str, offset: int) -> Event:
        return self._from_tree(as_tree(document), line, offset)

    def _from_tree(self, tree: dict[str, Any], line: str, offset: int) -> Event:
        event = normalise(tree)
        event["log.file.path"] = self._source.name
        # A record's number is its place in an EVTX file, whichever record reading began with.
        number = event.get("winlog.record_id", "")
        event["log.offset"] = int(number) if number.isdecimal() and len(number) < 19 else offset  # noqa: PLR2004
        event.setdefault("event.original", line)
        if self._source.host:
            event.setdefault("host.name", self._source.host)
        return event


def _an_object(document: Any) -> dict[str, Any]:
    if isinstance(document, dict):
        return document
    raise ValueError("no JSON object")


def _utc(stamp: str) -> str:
    try:
        found = moment(stamp)
    except ValueError:
        raise ValueError(f"@timestamp {stamp[:40]!r} is no RFC 3339 time") from None
    if found.tzinfo is None:
        raise ValueError(f"@timestamp {stamp[:40]!r} states no zone")
    return timestamp(found)
