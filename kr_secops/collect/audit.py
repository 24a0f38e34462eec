"""The Linux audit log: records are gathered by serial number until their event is whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from kr_secops import ecs
from kr_secops.collect.following import Addresses, relate
from kr_secops.collect.parsers.auditd import assemble, may_go_on, parse
from kr_secops.collect.records import offsets_and_lines
from kr_secops.event import Rejected, timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kr_secops.collect.collector import Collector
    from kr_secops.collect.interface import Block, Outcome, Source
    from kr_secops.collect.parsers.auditd import Record
    from kr_secops.event import Event

WAITING: Final = 64
"""Events gathered at a time; then the oldest is given out as it is."""
PATIENCE: Final = 2
"""Seconds, by the log's own clock, after which an event gets no more records."""
RECORDS: Final = 512
"""Records of one event; what is more is left out."""


@dataclass(slots=True)
class _Gathering:
    """The records of one event so far."""

    start: int
    records: list[Record]
    whole: bool = False


class AuditReader:
    """Reads audit records; an event is given out when its last record was seen."""

    verbatim = False

    def __init__(self, collector: Collector, source: Source, now: datetime) -> None:
        del now  # audit records state seconds since 1970
        self.collector = collector
        self._source = source
        self._gathered: dict[tuple[str | None, int], _Gathering] = {}
        self._addresses = Addresses()

    @property
    def waiting(self) -> int | None:
        """Offset of the first record whose event is not given out yet."""
        return next((found.start for found in self._gathered.values()), None)

    def events(self, block: Block, lines: Sequence[int] | None = None) -> Iterator[Outcome]:
        """Yield the events of *block* that are surely whole."""
        for offset, line in offsets_and_lines(block, lines):
            if not line or line.isspace():
                continue
            record = parse(line)
            if record is None:
                yield Rejected(self._source.name, offset, "no audit record", line[:8192].encode())
                continue
            yield from self._take(record, offset)

    def finish(self) -> Iterator[Outcome]:
        """Yield the events that still waited for records."""
        while self._gathered:
            yield self._oldest()

    def _take(self, record: Record, offset: int) -> Iterator[Event]:
        """Add *record* to its event; yield the events, oldest first, that are whole now."""
        gathered = self._gathered
        key = (record.node, record.serial)
        found = gathered.get(key)
        if found is None:
            found = gathered[key] = _Gathering(offset, [])
        if len(found.records) < RECORDS:
            found.records.append(record)
        # The kernel sends PROCTITLE last (EOE is seldom logged); what user space says is whole.
        if record.type in ("PROCTITLE", "EOE") or not may_go_on(record.type):
            found.whole = True
        while gathered:
            oldest = next(iter(gathered.values()))
            late = record.seconds - oldest.records[0].seconds > PATIENCE
            if not (oldest.whole or late or len(gathered) > WAITING):
                return
            yield self._oldest()

    def _oldest(self) -> Event:
        found = self._gathered.pop(next(iter(self._gathered)))
        return self._event(found.start, found.records)

    def _event(self, start: int, records: list[Record]) -> Event:
        first = records[0]
        moment = datetime.fromtimestamp(first.seconds, UTC)
        event: Event = {
            "@timestamp": f"{timestamp(moment)[:19]}.{first.millis:03d}Z",
            "ecs.version": ecs.VERSION,
            "event.kind": "event",
            "event.dataset": self.collector.dataset,
            **self.collector.description.set,
            "event.sequence": first.serial,
            "event.original": "\n".join(record.raw for record in records),
            "log.file.path": self._source.name,
            "log.offset": start,
        }
        event |= assemble(records)
        host = first.node or self._source.host
        if host:
            event["host.name"] = host
            event["related.hosts"] = [host]
        relate(event, self._addresses)
        return event
