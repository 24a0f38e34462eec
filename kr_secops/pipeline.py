"""The only place where stations meet: collect → mask → detect → store.

items = read(paths, options)                 # Reading | Skipped | Rejected
events(items, guard, account)                # every event, masked
matches(items, guard, engine, account)       # only lines that a rule could match are parsed
scan(items, guard, engine, keeper, account)  # every event archived, matched and kept
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from kr_secops.collect.interface import Skipped
from kr_secops.event import Rejected
from kr_secops.finding import merge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kr_secops.collect.documents import WindowsReader
    from kr_secops.collect.interface import Outcome
    from kr_secops.collect.reading import Item, Reading
    from kr_secops.collect.windows import Record
    from kr_secops.detect.engine import Engine, Match, Matched
    from kr_secops.event import Event, Position
    from kr_secops.finding import Finding
    from kr_secops.privacy.mask import Guard
    from kr_secops.store.archive import Archive
    from kr_secops.store.sqlite import Store

REJECTED_KEPT: Final = 1000
"""Rejected records kept whole between two checkpoints; the rest is counted."""
CHECKPOINT: Final = 64 * 1024 * 1024
"""Bytes of records after which everything done so far is kept."""
DRAINED: Final = 100_000
"""Sightings after which findings are taken out of the engine, so that memory ends somewhere."""


@dataclass(slots=True)
class Account:
    """What a run read, and what it could not read."""

    events: Counter[str] = field(default_factory=Counter)
    """Data set → events made."""
    lines: Counter[str] = field(default_factory=Counter)
    """Source → lines read."""
    rejections: Counter[str] = field(default_factory=Counter)
    """Source → records that could not become events."""
    rejected: list[Rejected] = field(default_factory=list)
    """The first of them, masked."""
    skipped: list[Skipped] = field(default_factory=list)

    def leave_out(self, record: Rejected | Skipped, guard: Guard) -> None:
        """Count *record*, and keep it, masked, while there is room."""
        if isinstance(record, Skipped):
            self.skipped.append(record)
            return
        self.rejections[record.source] += 1
        if len(self.rejected) < REJECTED_KEPT:
            text = guard.text(record.record.decode("utf-8", "replace"))
            self.rejected.append(replace(record, record=text.encode()))

    def add(self, other: Account) -> None:
        """Add what *other* counts, as if it had been counted here after everything else."""
        self.events.update(other.events)
        self.lines.update(other.lines)
        self.rejections.update(other.rejections)
        self.rejected += other.rejected[: max(0, REJECTED_KEPT - len(self.rejected))]
        self.skipped += other.skipped


def events(items: Iterable[Item], guard: Guard, account: Account) -> Iterator[Event]:
    """Yield every event of *items*, masked, in input order."""
    for item in items:
        if isinstance(item, Skipped | Rejected):
            account.leave_out(item, guard)
            continue
        suspects = guard.lines(item.block.data)
        yield from _masked(item, item.events(), suspects, guard, account)
        account.lines[item.block.source.name] += _count_lines(item)


def matches(
    items: Iterable[Item], guard: Guard, engine: Engine, account: Account
) -> Iterator[Match]:
    """Yield each match of a rule with an event; lines that no rule could match stay unparsed."""
    for item in items:
        for event in matchable(item, guard, engine, account):
            yield from engine.match(event)


def detect(items: Iterable[Item], guard: Guard, engine: Engine, account: Account) -> list[Finding]:
    """Return the findings of *items*, with what waits in the correlations judged at the end."""

    def steps() -> Iterator[None]:
        for item in items:
            for event in matchable(item, guard, engine, account):
                engine.feed(event)
            yield

    return conclude(steps(), engine)


def conclude(steps: Iterable[None], engine: Engine) -> list[Finding]:
    """Return the findings of *engine*, which each of *steps* feeds with the events of an item."""
    found: dict[str, Finding] = {}

    def drain() -> None:
        for finding in engine.findings():
            bare = replace(finding, sightings=frozenset())
            found[bare.id] = merge(found[bare.id], bare) if bare.id in found else bare

    for _ in steps:
        if engine.pending >= DRAINED:
            drain()
    engine.close()
    drain()
    return list(found.values())


def matchable(item: Item, guard: Guard, engine: Engine, account: Account) -> Iterator[Event]:
    """Yield the events of *item* that a rule could match, masked; no other need be made at all."""
    if isinstance(item, Skipped | Rejected):
        account.leave_out(item, guard)
        return
    if item.windows is not None:
        yield from _matchable_records(item, item.windows, guard, engine, account)
    else:
        data = item.block.data
        lines = engine.choose(item.key, item.shapes(), data) if item.verbatim else None
        if lines is None or engine.wants_privacy(item.key, item.shapes()):
            suspects = guard.lines(data)
            if lines is not None:
                lines = sorted({*lines, *suspects})
        else:
            suspects = _suspects(data, lines, guard)
        yield from _masked(item, item.events(lines), suspects, guard, account)
    account.lines[item.block.source.name] += _count_lines(item)


def _matchable_records(
    item: Reading, reader: WindowsReader, guard: Guard, engine: Engine, account: Account
) -> Iterator[Event]:
    data, base = item.block.data, item.block.offset
    private = set(guard.lines(data)) if engine.wants_privacy_in("windows") else set()
    spoken = engine.spoken(data)
    wanted: list[tuple[Record, Matched]] = []
    count = 0
    for record in reader.records(item.block):
        if isinstance(record, Rejected):
            account.leave_out(record, guard)
            continue
        count += 1
        line = record.offset - base
        try:
            matched = engine.look(record, spoken=spoken is None or line in spoken)
        except (ValueError, RecursionError):  # it is no event; why, its outcome says
            wanted.append((record, {}))
            continue
        if matched or line in private:
            wanted.append((record, matched))
    account.events["windows"] += count
    suspects = set(_suspects(data, [record.offset - base for record, _ in wanted], guard))
    for record, matched in wanted:
        event = reader.outcome(record)
        if isinstance(event, Rejected):
            account.events["windows"] -= 1
            account.leave_out(event, guard)
        elif record.offset - base in suspects:
            yield guard.protect(event)
        else:
            engine.expect(event, matched)
            yield event


@dataclass(slots=True)
class Keeper:
    """Keeps what a scan has done, a checkpoint at a time."""

    store: Store
    archive: Archive
    loud: list[str] = field(default_factory=list)
    """Ids of findings that a person should hear of: new, risen, or seen again after closing."""
    seen: set[str] = field(default_factory=set)
    """Ids of all findings of this run."""
    _told: Counter[str] = field(default_factory=Counter)
    """Source → rejected records that a checkpoint has counted."""

    def checkpoint(self, engine: Engine, positions: Iterable[Position], account: Account) -> None:
        """Keep findings, positions, windows, archive and rejected records in one transaction."""
        found = list(engine.findings())
        self.seen.update(finding.id for finding in found)
        self.loud += self.store.checkpoint(
            findings=found,
            positions=positions,
            windows=engine.windows(),
            segments=self.archive.seal(),
            rejected=account.rejected,
            rejections=account.rejections - self._told,
        )
        self._told = account.rejections.copy()
        account.rejected.clear()


def scan(
    items: Iterable[Item], guard: Guard, engine: Engine, keeper: Keeper, account: Account
) -> None:
    """Archive every event of *items*, match it, and keep what comes of it.

    A crash loses nothing: what no checkpoint has kept is read again by the next run.
    """
    positions: dict[str, Position] = {}
    since = 0
    for item in items:
        if isinstance(item, Skipped | Rejected):
            account.leave_out(item, guard)
            continue
        _scan_block(item, guard, engine, keeper.archive, account)
        position = item.position
        positions[position.key] = position
        since += len(item.block.data)
        if since >= CHECKPOINT or engine.pending >= DRAINED:
            keeper.checkpoint(engine, positions.values(), account)
            positions.clear()
            since = 0
    keeper.checkpoint(engine, positions.values(), account)


def _scan_block(
    item: Reading, guard: Guard, engine: Engine, archive: Archive, account: Account
) -> None:
    data = item.block.data
    chosen = engine.choose(item.key, item.shapes(), data) if item.verbatim else None
    suspects = guard.lines(data)
    if chosen is None:
        for event in _masked(item, item.events(), suspects, guard, account):
            archive.write(event)
            engine.feed(event)
    else:
        base = item.block.offset
        wanted = {base + line for line in (*chosen, *suspects)}
        for event in _masked(item, item.events(), suspects, guard, account):
            archive.write(event)
            if event["log.offset"] in wanted:
                engine.feed(event)
    account.lines[item.block.source.name] += _count_lines(item)


def _masked(
    item: Reading,
    outcomes: Iterable[Outcome],
    suspects: Sequence[int],
    guard: Guard,
    account: Account,
) -> Iterator[Event]:
    """Yield the events among *outcomes*, masked where their line may hold personal data."""
    base = item.block.offset
    at = {base + line for line in suspects}
    # Where a record is more than its line, or is read from elsewhere, every event is looked at.
    every = not item.verbatim and (
        bool(at) or not item.block.data or item.reader.waiting is not None
    )
    made = account.events
    for outcome in outcomes:
        if outcome.__class__ is not dict:
            assert isinstance(outcome, Skipped | Rejected)
            account.leave_out(outcome, guard)
            continue
        event: Event = outcome
        if every or (at and event.get("log.offset") in at):
            event = guard.protect(event)
        made[event.get("event.dataset", "")] += 1
        yield event


def _suspects(data: bytes, lines: Sequence[int], guard: Guard) -> list[int]:
    """Return those of *lines* that may hold personal data, looking at no others."""
    parts: list[bytes] = []
    starts: dict[int, int] = {}
    length = 0
    for line in lines:
        end = data.find(b"\n", line) + 1 or len(data)
        starts[length] = line
        parts.append(data[line:end])
        length += end - line
    return [starts[start] for start in guard.lines(b"".join(parts)) if start in starts]


def _count_lines(item: Reading) -> int:
    data = item.block.data
    return data.count(b"\n") + (bool(data) and not data.endswith(b"\n"))
