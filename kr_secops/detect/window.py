"""Correlations over time: how many, how many different, which together, in which order.

Everything runs in event time. A group (one address, one account …) keeps the matches it may still
need, sorted by time, so that logs may come in any order within a day. Memory is bounded: by
entries of a group, entries in all, and events kept as evidence. The state is JSON, so tonight's
scan goes on where last night's ended.
"""

from __future__ import annotations

import bisect
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kr_secops.event import Event
    from kr_secops.rule.correlation import Correlation, Expression

VERSION: Final = 1
LATE: Final = 86_400.0
"""Seconds by which an event may come after newer ones of its group and still be counted."""
GROUP_ENTRIES: Final = 256
"""Matches that a group keeps; more only if a condition counts further."""
ALL_ENTRIES: Final = 50_000
GROUP_EVENTS: Final = 16
ALL_EVENTS: Final = 5_000
SIGHTINGS: Final = 1_000
"""Ids that one entry carries upwards to a correlation of correlations."""

GroupKey: TypeAlias = tuple[int, tuple[str, ...]]
"""Place of the correlation, values of its group-by fields."""


@dataclass(slots=True)
class Entry:
    """One match of a rule that a correlation refers to."""

    time: float
    rule: int
    key: str
    """Id of the event, or of the finding for a correlation of correlations."""
    values: tuple[str, ...]
    pending: list[str]
    """Ids of base events not yet reported."""
    events: list[bytes] = field(default_factory=list)
    """Their evidence, as JSON, for the first few."""


@dataclass(slots=True)
class Group:
    """What one correlation knows about one entity."""

    entries: list[Entry] = field(default_factory=list)
    first: str = ""
    """Time stamp that names the finding in course; empty: none."""
    last: float = 0.0
    """Time of its newest event."""


@dataclass(frozen=True, slots=True)
class Fired:
    """A correlation came true, or goes on being true."""

    correlation: Correlation
    entity: dict[str, str]
    window: str
    """Time stamp of the first event of the window; with rule and entity it names the finding."""
    first: float
    last: float
    sightings: list[str]
    """Base events not reported before."""
    events: list[bytes]


class Windows:
    """All correlations at work."""

    def __init__(self, correlations: Sequence[Correlation], stamp: Callable[[float], str]) -> None:
        """Start empty.

        Args:
            correlations: each after those that it refers to.
            stamp: writes a POSIX time as a time stamp.
        """
        self._all = correlations
        self._stamp = stamp
        self._groups: dict[GroupKey, Group] = {}
        self._entries = 0
        self._events = 0
        self.newest = 0.0
        """Time up to which the logs have been read; "fewer than" waits for it."""
        self.dropped = 0
        """Entries forgotten because memory is bounded."""
        self.wanted: dict[int, list[int]] = {}
        """Rule → places of the correlations that count it."""
        for place, correlation in enumerate(correlations):
            for rule in correlation.refers:
                self.wanted.setdefault(rule, []).append(place)

    def feed(
        self, rule: int, event: Event, time: float, key: str, evidence: Callable[[], bytes]
    ) -> list[Fired]:
        """Count a match of *rule* with *event* and return what came true by it.

        Args:
            rule: number of the rule.
            event: the event, or what stands for the finding of a correlation.
            time: its time.
            key: its id.
            evidence: gives its evidence, if that is to be kept.
        """
        fired: list[Fired] = []
        for place in self.wanted.get(rule, ()):
            correlation = self._all[place]
            group_key = _group_key(correlation, rule, event)
            values = _values(correlation, rule, event)
            if group_key is None or values is None:
                continue
            entry = Entry(time, rule, key, values, [key])
            fired += self._add(place, group_key, entry, evidence)
        if self._entries > ALL_ENTRIES:
            self._forget_oldest()
        return fired

    def feed_fired(self, one: Fired, finding: str) -> list[Fired]:
        """Count the coming true of a correlation in those that refer to it."""
        fired: list[Fired] = []
        rule = one.correlation.rule
        for place in self.wanted.get(rule, ()):
            correlation = self._all[place]
            group_key = _group_key(correlation, rule, dict(one.entity))
            values = _values(correlation, rule, dict(one.entity))
            if group_key is None or values is None:
                continue
            group = self._groups.get((place, group_key))
            known = next((e for e in group.entries if e.key == finding), None) if group else None
            entry = Entry(one.last, rule, finding, values, one.sightings[:SIGHTINGS])
            if known is not None and group is not None:
                group.entries.remove(known)
                self._entries -= 1
                self._events -= len(known.events)
                entry.time = max(known.time, one.last)
                entry.pending = (known.pending + entry.pending)[:SIGHTINGS]
                entry.events = known.events
                self._events += len(known.events)
            room = max(0, 5 - len(entry.events))
            entry.events = entry.events + one.events[:room]
            self._events += len(one.events[:room])
            fired += self._add(place, group_key, entry, None)
        return fired

    def advance(self, time: float) -> None:
        """Note that the logs have been read up to *time*."""
        self.newest = max(self.newest, time)

    def expire(self, *, everything: bool = False) -> list[Fired]:
        """Judge the windows that have passed, of correlations that had to wait for that."""
        fired: list[Fired] = []
        for (place, key), group in list(self._groups.items()):
            correlation = self._all[place]
            if not correlation.waits:
                continue
            while group.entries:
                end = group.entries[0].time + correlation.span
                if not everything and self.newest <= end:
                    break
                count = bisect.bisect_right(group.entries, end, key=_time)
                inside = group.entries[:count]
                if _holds(correlation, inside):
                    group.first = ""
                    fired.append(self._fire(place, key, group, inside))
                self._drop(group, count)
            if not group.entries:
                del self._groups[place, key]
        return fired

    def _add(
        self,
        place: int,
        key: tuple[str, ...],
        entry: Entry,
        evidence: Callable[[], bytes] | None,
    ) -> list[Fired]:
        group = self._groups.get((place, key))
        if group is None:
            group = self._groups[place, key] = Group()
        entries = group.entries
        at = bisect.bisect_right(entries, entry.time, key=_time)
        if evidence is not None:
            if _is_known(entries, at, entry):
                return []
            if self._events < ALL_EVENTS and (
                len(entries) < GROUP_EVENTS or sum(bool(e.events) for e in entries) < GROUP_EVENTS
            ):
                entry.events = [evidence()]
                self._events += 1
        entries.insert(at, entry)
        self._entries += 1
        at -= self._trim(place, group)
        if at < 0 or self._all[place].waits:
            return []
        return self._judge(place, key, group, at)

    def _trim(self, place: int, group: Group) -> int:
        """Forget what is too old or too much, from the oldest on; return how many."""
        correlation = self._all[place]
        entries = group.entries
        most = max(GROUP_ENTRIES, *(int(n) * 2 for _, n in correlation.bounds), 0)
        oldest = entries[-1].time - correlation.span - LATE
        count = max(bisect.bisect_left(entries, oldest, key=_time), len(entries) - most)
        if count:
            self._drop(group, count)
        return count

    def _drop(self, group: Group, count: int) -> None:
        self._events -= sum(len(entry.events) for entry in group.entries[:count])
        self._entries -= len(group.entries[:count])
        del group.entries[:count]

    def _judge(self, place: int, key: tuple[str, ...], group: Group, at: int) -> list[Fired]:
        """Judge every window that holds the entry at *at*; in order of time that is the last one."""
        correlation = self._all[place]
        entries = group.entries
        latest = entries[at].time + correlation.span
        fired = []
        for end in range(at, len(entries)):
            if entries[end].time > latest:
                break
            start = bisect.bisect_left(entries, entries[end].time - correlation.span, key=_time)
            inside = entries[start : end + 1]
            if _holds(correlation, inside):
                fired.append(self._fire(place, key, group, inside))
        return [one for one in fired if one.sightings]

    def _fire(
        self, place: int, key: tuple[str, ...], group: Group, inside: list[Entry]
    ) -> Fired:
        correlation = self._all[place]
        if not group.first or inside[0].time > group.last:
            group.first = self._stamp(inside[0].time)
            group.last = inside[-1].time
        group.last = max(group.last, inside[-1].time)
        new = [entry for entry in inside if entry.pending]
        sightings = [one for entry in new for one in entry.pending]
        events = [one for entry in new for one in entry.events]
        for entry in new:
            entry.pending = []
        names = [name for name, _ in correlation.group_by]
        return Fired(
            correlation=correlation,
            entity=dict(zip(names, key, strict=True)),
            window=group.first,
            first=(new or inside)[0].time,
            last=inside[-1].time,
            sightings=sightings,
            events=events,
        )

    def _forget_oldest(self) -> None:
        by_age = sorted(self._groups, key=lambda key: _age(self._groups[key]))
        for key in by_age:
            if self._entries <= ALL_ENTRIES * 0.9:
                break
            group = self._groups.pop(key)
            self.dropped += len(group.entries)
            self._drop(group, len(group.entries))

    def dump(self, ids: Callable[[int], str]) -> bytes:
        """Return the state; *ids* turns a rule's number into its id, which outlives an edit."""
        groups = []
        for (place, key), group in self._groups.items():
            if not group.entries:
                continue
            rows = [
                (e.time, ids(e.rule), e.key, e.values, e.pending, [x.decode() for x in e.events])
                for e in group.entries
            ]
            groups.append((ids(self._all[place].rule), key, group.first, group.last, rows))
        return orjson.dumps({"version": VERSION, "newest": self.newest, "groups": groups})

    def restore(self, state: bytes, numbers: dict[str, int]) -> None:
        """Take up *state*; what belongs to rules that are gone, or cannot be read, is left out."""
        try:
            document = orjson.loads(state)
            if document["version"] != VERSION:
                return
            places = {c.rule: place for place, c in enumerate(self._all)}
            self.newest = float(document["newest"])
            for rule, key, first, last, rows in document["groups"]:
                place = places.get(numbers.get(rule, -1))
                if place is None or len(key) != len(self._all[place].group_by):
                    continue
                group = Group(list(_entries(rows, numbers)), str(first), float(last))
                self._groups[place, tuple(map(str, key))] = group
                self._entries += len(group.entries)
                self._events += sum(len(entry.events) for entry in group.entries)
        except (ValueError, TypeError, KeyError, AttributeError):
            self._groups.clear()
            self._entries = self._events = 0


def _entries(rows: list[Any], numbers: dict[str, int]) -> Iterator[Entry]:
    for time, rule, key, values, pending, events in rows:
        if rule in numbers:
            yield Entry(
                float(time),
                numbers[rule],
                str(key),
                tuple(values),
                [str(p) for p in pending],
                [e.encode() for e in events],
            )


def _time(entry: Entry) -> float:
    return entry.time


def _age(group: Group) -> float:
    return group.entries[-1].time if group.entries else 0.0


def _is_known(entries: list[Entry], at: int, entry: Entry) -> bool:
    """Return whether the same event stands already among those of its time."""
    while at and entries[at - 1].time == entry.time:
        at -= 1
        if entries[at].key == entry.key and entries[at].rule == entry.rule:
            return True
    return False


def _first(event: Event, names: tuple[str, ...]) -> str | None:
    for name in names:
        value = event.get(name)
        if value is not None and value != []:
            return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return None


def _group_key(correlation: Correlation, rule: int, event: Event) -> tuple[str, ...] | None:
    key = []
    for name, fields in correlation.group_by:
        value = _first(event, fields.get(rule, (name,)))
        if value is None:
            return None
        key.append(value)
    return tuple(key)


def _values(correlation: Correlation, rule: int, event: Event) -> tuple[str, ...] | None:
    found = []
    for fields in correlation.values:
        value = _first(event, fields.get(rule, ()))
        if value is None:
            return None
        found.append(value)
    return tuple(found)


def _holds(correlation: Correlation, inside: list[Entry]) -> bool:
    if correlation.expression:
        return _is_true(correlation.expression, {entry.rule for entry in inside}) and (
            correlation.type != "temporal_ordered" or _in_order(correlation, inside, seen_only=True)
        )
    if correlation.type == "temporal_ordered":
        return _in_order(correlation, inside)
    measured = _measure(correlation, inside)
    return measured is not None and all(
        _COMPARE[op](measured, number) for op, number in correlation.bounds
    )


def _measure(correlation: Correlation, inside: list[Entry]) -> float | None:
    kind = correlation.type
    if kind == "event_count":
        return len(inside)
    if kind == "value_count":
        return len({entry.values for entry in inside})
    if kind == "temporal":
        return len({entry.rule for entry in inside})
    numbers = sorted(_numbers(inside))
    if not numbers:
        return None
    if kind == "value_sum":
        return sum(numbers)
    if kind == "value_avg":
        return statistics.fmean(numbers)
    return _percentile(numbers, 50 if kind == "value_median" else correlation.percentile)


def _numbers(inside: list[Entry]) -> Iterator[float]:
    for entry in inside:
        try:
            yield float(entry.values[0])
        except ValueError:
            continue


def _percentile(numbers: list[float], percent: float) -> float:
    """Return the value below which *percent* of the sorted *numbers* lie, between two if need be."""
    place = (len(numbers) - 1) * percent / 100
    low = int(place)
    high = min(low + 1, len(numbers) - 1)
    return numbers[low] + (numbers[high] - numbers[low]) * (place - low)


def _in_order(correlation: Correlation, inside: list[Entry], *, seen_only: bool = False) -> bool:
    seen = {entry.rule for entry in inside}
    wanted = [rule for rule in correlation.refers if not seen_only or rule in seen]
    at = 0
    for entry in inside:
        if at < len(wanted) and entry.rule == wanted[at]:
            at += 1
    return at == len(wanted)


def _is_true(expression: Expression, seen: set[int]) -> bool:
    op, rest = expression
    if op == "rule":
        return rest in seen
    if op == "not":
        return not _is_true(rest, seen)
    parts = (_is_true(part, seen) for part in rest)
    return all(parts) if op == "and" else any(parts)


_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "eq": lambda a, b: a == b,
    "neq": lambda a, b: a != b,
}
