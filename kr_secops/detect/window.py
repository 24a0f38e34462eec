"""Correlations over time: how many, how many different, which together, in which order.

Everything runs in event time. A group (one address, one account …) keeps the matches it may still
need, sorted by time, so that logs may come in any order within a day. Memory is bounded: by
entries of a group, entries in all, and events kept as evidence. The state is JSON, so tonight's
scan goes on where last night's ended.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from kr_secops.detect.group import Entry, Group, values_of
from kr_secops.detect.measure import holds, least, most

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kr_secops.detect.group import GroupKey, Names
    from kr_secops.event import Event
    from kr_secops.rule.correlation import Correlation

VERSION: Final = 1
LATE: Final = 86_400.0
"""Seconds by which an event may come after newer ones of its group and still be counted."""
ALL_ENTRIES: Final = 50_000
GROUP_EVENTS, ALL_EVENTS = 16, 5_000
PASSED_ON: Final = 1_000
"""Ids of base events that one entry carries upwards to a correlation of correlations."""
EVIDENCE_PASSED_ON: Final = 3
"""Fewer than a finding keeps, so that what completes the row is among its evidence."""


@dataclass(frozen=True, slots=True)
class Fired:
    """A correlation came true, or goes on being true."""

    correlation: Correlation
    group: Group
    entity: dict[str, str]
    finding: str
    """Id of the finding."""
    window: str
    """Time stamp of the first event of the window; with rule and entity it names the finding."""
    first: float
    last: float
    sightings: list[str]
    """Base events not reported before."""
    events: list[bytes]


class Windows:
    """All correlations at work."""

    def __init__(
        self,
        correlations: Sequence[Correlation],
        stamp: Callable[[float], str],
        name: Callable[[int, dict[str, str], str], str],
    ) -> None:
        """Start empty.

        Args:
            correlations: each after those that it refers to.
            stamp: writes a POSIX time as a time stamp.
            name: gives the id of the finding of a rule about an entity in a window.
        """
        self._all = correlations
        self._stamp = stamp
        self._name = name
        self._groups: dict[GroupKey, Group] = {}
        self._entries = 0
        self._events = 0
        self.newest = 0.0
        """Time up to which the logs have been read; "fewer than" waits for it."""
        self.forgotten = 0
        """Matches given up because memory is bounded, while their window might still have counted."""
        self.wanted: dict[int, list[int]] = {}
        """Rule → places of the correlations that count it."""
        for place, correlation in enumerate(correlations):
            for rule in correlation.refers:
                self.wanted.setdefault(rule, []).append(place)
        self._most = [most(correlation) for correlation in correlations]
        self._fields = [
            {rule: _fields(correlation, rule) for rule in correlation.refers}
            for correlation in correlations
        ]
        self._same = [() if c.type.startswith("temporal") else c.refers for c in correlations]
        """The rules of which one event counts once, however many it is true of."""
        self._waits = [correlation.waits for correlation in correlations]
        self._least = [least(correlation) for correlation in correlations]

    def feed(
        self, rule: int, event: Event, time: float, key: str, evidence: Callable[[], bytes]
    ) -> list[Fired]:
        """Count a match of *rule* with *event* and return what came true by it.

        Args:
            rule: number of the rule.
            event: the event.
            time: its time.
            key: its id.
            evidence: gives its evidence, if that is to be kept.
        """
        fired: list[Fired] = []
        for place in self.wanted[rule]:
            keys, brings = self._fields[place][rule]
            group_key = values_of(event, keys)
            values = values_of(event, brings) if brings else ()
            if group_key is None or values is None:
                continue
            group = self._group(place, group_key)
            if group.has(self._same[place] or (rule,), key):
                continue
            entry = Entry(time, rule, key, values, [key])
            if self._events < ALL_EVENTS and group.shows(time, self._all[place].span, GROUP_EVENTS):
                entry.events = [evidence()]
            fired += self._add(place, group_key, group, entry)
        if self._entries > ALL_ENTRIES:
            self._forget_oldest()
        return fired

    def feed_fired(self, one: Fired) -> list[Fired]:
        """Count the coming true of a correlation in those that refer to it."""
        rule, finding = one.correlation.rule, one.finding
        if rule not in self.wanted:
            return []
        if one.group.above is None:
            one.group.above = [
                (place, key)
                for place in self.wanted[rule]
                if (key := values_of(one.entity, self._fields[place][rule][0])) is not None
            ]
        fired: list[Fired] = []
        for place, key in one.group.above:
            group = self._group(place, key)
            # A finding that goes on is one entry, which moves on in time with it.
            known = group.known.get((rule, finding))
            if known is None:
                values = values_of(one.entity, self._fields[place][rule][1])
                if values is None:
                    continue
                entry = Entry(one.last, rule, finding, values, one.sightings[:PASSED_ON])
                entry.events = one.events[:EVIDENCE_PASSED_ON]
                fired += self._add(place, key, group, entry)
            elif self._move(group, known, one) and not self._waits[place]:
                at = bisect_right(group.times, known.time) - 1
                if self._may_hold(place, group, at):
                    fired += self._judge(place, key, group, at)
        return fired

    def _move(self, group: Group, entry: Entry, one: Fired) -> bool:
        """Take *one* up into the *entry* of its finding; return whether that is worth a look."""
        if not entry.pending:
            group.new.append(entry)
        entry.pending += one.sightings[: PASSED_ON - len(entry.pending)]
        if one.events and len(entry.events) < EVIDENCE_PASSED_ON:
            before = len(entry.events)
            entry.events += one.events[: EVIDENCE_PASSED_ON - before]
            self._events += len(entry.events) - before
        if one.last <= entry.time:
            return False
        if group.entries[-1] is entry:
            entry.time = group.times[-1] = one.last
        else:
            at = group.entries.index(entry)
            del group.entries[at], group.times[at]
            entry.time = one.last
            at = bisect_right(group.times, entry.time)
            group.entries.insert(at, entry)
            group.times.insert(at, entry.time)
        return True

    def advance(self, time: float) -> None:
        """Note that the logs have been read up to *time*."""
        self.newest = max(self.newest, time)

    def expire(self, *, everything: bool = False) -> list[Fired]:
        """Judge the windows that have passed, of correlations that had to wait for that."""
        fired: list[Fired] = []
        if not any(self._waits):
            return fired
        for (place, key), group in list(self._groups.items()):
            correlation = self._all[place]
            if not self._waits[place]:
                continue
            while group.entries:
                end = group.times[0] + correlation.span
                if not everything and self.newest <= end:
                    break
                count = bisect_right(group.times, end)
                if holds(correlation, group.entries[:count]):
                    group.first = ""
                    fired.append(self._fire(place, key, group, 0, count))
                self._forget(group, range(count))
            if not group.entries:
                del self._groups[place, key]
        return fired

    def _group(self, place: int, key: tuple[str, ...]) -> Group:
        group = self._groups.get((place, key))
        if group is None:
            group = self._groups[place, key] = Group()
        return group

    def _add(self, place: int, key: tuple[str, ...], group: Group, entry: Entry) -> list[Fired]:
        correlation = self._all[place]
        at = group.insert(entry)
        self._entries += 1
        self._events += len(entry.events)
        oldest = group.times[-1] - correlation.span - LATE
        if group.times[0] < oldest or len(group.times) > self._most[place]:
            at = self._make_room(place, group, entry, oldest)
        if at < 0 or self._waits[place] or not self._may_hold(place, group, at):
            return []
        return self._judge(place, key, group, at)

    def _make_room(self, place: int, group: Group, entry: Entry, oldest: float) -> int:
        """Forget what came before *oldest*, and more if need be; return where *entry* is now."""
        self._forget(group, range(bisect_left(group.times, oldest)))
        surplus = len(group.times) > self._most[place]
        correlation = self._all[place]
        if surplus and correlation.type.startswith("temporal"):
            # Who floods a log with one sign of a row must not push out the others: of the sign
            # that is most frequent the first stays, and the latest.
            rule = max(group.rules, key=lambda number: group.rules[number])
            places = [i for i, one in enumerate(group.entries) if one.rule == rule]
            self._forget(group, places[1 : len(places) // 2])
        elif surplus:
            count = self._most[place] // 4
            if not group.first:  # else its finding goes on without them
                past = bisect_left(group.times, group.times[-1] - correlation.span)
                self.forgotten += max(0, count - past)
            self._forget(group, range(count))
        if group.entries and group.entries[-1] is entry:
            return len(group.entries) - 1
        return group.entries.index(entry) if (entry.rule, entry.key) in group.known else -1

    def _may_hold(self, place: int, group: Group, at: int) -> bool:
        """Return False where a look at the group as a whole says that no window can be true."""
        kind = self._all[place].type
        if kind == "event_count":
            return len(group.entries) >= self._least[place]
        if kind == "value_count":
            return len(group.values) >= self._least[place]
        if kind != "temporal_ordered" or self._all[place].expression:
            return True
        # Only the last of the rules can complete the row, unless an event came late.
        refers = self._all[place].refers
        if at == len(group.entries) - 1 and group.entries[at].rule != refers[-1]:
            return False
        return all(group.rules.get(rule) for rule in refers)

    def _forget(self, group: Group, places: Sequence[int]) -> None:
        self._events -= group.drop(places)
        self._entries -= len(places)

    def _judge(self, place: int, key: tuple[str, ...], group: Group, at: int) -> list[Fired]:
        """Judge every window that holds the entry at *at*; in order of time that is the last one."""
        correlation = self._all[place]
        times = group.times
        latest = times[at] + correlation.span
        counts = correlation.type in ("event_count", "value_count")
        # A row is complete with an event of its last rule; what follows is no part of it.
        row = correlation.type == "temporal_ordered" and not correlation.expression
        if counts and group.first and self._is_within(group, times[at], correlation.span):
            # One more event of windows known to be true: no need to count them all again.
            one = self._fire(place, key, group, at, at + 1)
            return [one] if one.sightings else []
        fired = []
        for end in range(at, len(times)):
            if times[end] > latest:
                break
            if row and group.entries[end].rule != correlation.refers[-1]:
                continue
            start = bisect_left(times, times[end] - correlation.span, 0, at + 1)
            if end - start + 1 < self._least[place] and counts:
                continue
            if holds(correlation, group.entries[start : end + 1]):
                fired.append(self._fire(place, key, group, start, end + 1))
        return [one for one in fired if one.sightings]

    def _is_within(self, group: Group, time: float, span: float) -> bool:
        """Return whether all that an event at *time* can be counted with is of one finding."""
        earliest = group.times[bisect_left(group.times, time - span)]
        latest = group.times[bisect_right(group.times, time + span) - 1]
        return latest <= group.last and group.first <= self._stamp(earliest)

    def _fire(self, place: int, key: tuple[str, ...], group: Group, start: int, end: int) -> Fired:
        correlation = self._all[place]
        first, last = group.times[start], group.times[end - 1]
        entity = dict(zip((name for name, _ in correlation.group_by), key, strict=True))
        window, finding = group.first, group.finding
        if window and last < group.last and self._stamp(last) < window:
            # It lies wholly before the window in course, so it came late, from another file: under
            # the later one's name it would stand at the later one's time.
            window = self._stamp(first)
            finding = self._name(correlation.rule, entity, window)
        elif not window or first > group.last:
            window = group.first = self._stamp(first)
            finding = group.finding = self._name(correlation.rule, entity, window)
            group.last = last
        elif last > group.last:
            group.last = last
        new = group.new
        if len(new) == 1 and first <= new[0].time <= last:  # as in an attack that goes on
            group.new = []
        else:
            new = sorted((e for e in group.new if first <= e.time <= last), key=_time)
            taken = {id(entry) for entry in new}
            group.new = [entry for entry in group.new if id(entry) not in taken]
        sightings = [one for entry in new for one in entry.pending]
        events = [one for entry in new for one in entry.events]
        for entry in new:
            entry.pending = []
        return Fired(
            correlation=correlation,
            group=group,
            entity=entity,
            finding=finding,
            window=window,
            first=first,
            last=last,
            sightings=sightings,
            events=events,
        )

    def _forget_oldest(self) -> None:
        by_age = sorted(self._groups, key=lambda key: (self._groups[key].times or [0.0])[-1])
        for key in by_age:
            if self._entries <= ALL_ENTRIES * 0.9:
                break
            group = self._groups.pop(key)
            until = self.newest - self._all[key[0]].span - LATE
            if group.times and group.times[-1] >= until:
                self.forgotten += len(group.entries)
            self._forget(group, range(len(group.entries)))

    def dump(self, ids: Callable[[int], str]) -> bytes:
        """Return the state; *ids* turns a rule's number into its id, which outlives an edit."""
        groups = []
        for (place, key), group in self._groups.items():
            if group.entries:
                rows = [entry.row(ids(entry.rule)) for entry in group.entries]
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
                group = self._group(place, tuple(map(str, key)))
                group.first, group.last = str(first), float(last)
                if group.first:
                    names = (name for name, _ in self._all[place].group_by)
                    entity = dict(zip(names, map(str, key), strict=True))
                    group.finding = self._name(self._all[place].rule, entity, group.first)
                for entry in _entries(rows, numbers):
                    group.insert(entry)
                    self._entries += 1
                    self._events += len(entry.events)
        except (ValueError, TypeError, KeyError, AttributeError):
            self._groups.clear()
            self._entries = self._events = 0


def _entries(rows: list[Any], numbers: dict[str, int]) -> Iterator[Entry]:
    for time, rule, key, values, pending, events in rows:
        if rule in numbers:
            ids = [str(one) for one in pending]
            kept = [str(event).encode() for event in events]
            yield Entry(float(time), numbers[rule], str(key), tuple(values), ids, kept)


def _time(entry: Entry) -> float:
    return entry.time


def _fields(correlation: Correlation, rule: int) -> tuple[list[Names], list[Names]]:
    """Return the fields of the group and of the values, as events of *rule* call them."""
    return (
        [fields.get(rule, (name,)) for name, fields in correlation.group_by],
        [fields.get(rule, ()) for fields in correlation.values],
    )
