"""One entity as a correlation sees it: its matches so far, sorted by time."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Names: TypeAlias = tuple[str, ...]
"""What one field may be called, the first that is there counts."""

GroupKey: TypeAlias = tuple[int, tuple[str, ...]]
"""Place of the correlation, values of its group-by fields."""


@dataclass(slots=True, eq=False)
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
    number: float | None = None
    """The first of the values as a number, once it was asked for."""

    def row(self, rule_id: str) -> tuple[Any, ...]:
        """Return it as plain values, to be kept between runs."""
        events = [event.decode() for event in self.events]
        return self.time, rule_id, self.key, self.values, self.pending, events


@dataclass(slots=True)
class Group:
    """What one correlation knows about one entity."""

    entries: list[Entry] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    """Their times."""
    known: dict[tuple[int, str], Entry] = field(default_factory=dict)
    """Rule and key → entry, so that an event read twice counts once."""
    new: list[Entry] = field(default_factory=list)
    """Entries with something to report."""
    rules: dict[int, int] = field(default_factory=dict)
    """Rule → number of its entries."""
    values: dict[tuple[str, ...], int] = field(default_factory=dict)
    """Values that entries bring → number of such entries."""
    first: str = ""
    """Time stamp that names the finding in course; empty: none."""
    last: float = 0.0
    """Time of its newest event."""
    finding: str = ""
    """Its id."""
    above: list[GroupKey] | None = None
    """The groups that its coming true is counted in; None: not looked up yet."""
    since: float = 0.0
    """Time of the event that began the present turn of evidence."""
    shown: int = 0
    """Events of this turn."""

    def shows(self, time: float, span: float, most: int) -> bool:
        """Return whether an event at *time* is to keep its evidence: *most* do in each *span*."""
        if abs(time - self.since) > span:
            self.since, self.shown = time, 0
        self.shown += 1
        return self.shown <= most

    def has(self, rules: Sequence[int], key: str) -> bool:
        """Return whether the event *key* is counted for any of *rules*."""
        known = self.known
        for rule in rules:  # noqa: SIM110 (a loop: this is asked for every match)
            if (rule, key) in known:
                return True
        return False

    def insert(self, entry: Entry) -> int:
        """Add *entry* and return its place."""
        times = self.times
        at = len(times) if not times or entry.time >= times[-1] else bisect_right(times, entry.time)
        times.insert(at, entry.time)
        self.entries.insert(at, entry)
        self.known[entry.rule, entry.key] = entry
        self.rules[entry.rule] = self.rules.get(entry.rule, 0) + 1
        if entry.values:
            self.values[entry.values] = self.values.get(entry.values, 0) + 1
        if entry.pending:
            self.new.append(entry)
        return at

    def drop(self, places: Sequence[int]) -> int:
        """Forget the entries at *places*, ascending; return how many events they kept."""
        if not places:
            return 0
        gone = [self.entries[i] for i in places]
        if places[-1] - places[0] + 1 == len(places):  # mostly the oldest, all in a row
            del self.entries[places[0] : places[-1] + 1], self.times[places[0] : places[-1] + 1]
        else:
            left = set(range(len(self.entries))).difference(places)
            self.entries[:] = [self.entries[i] for i in sorted(left)]
            self.times[:] = [entry.time for entry in self.entries]
        events = 0
        for entry in gone:
            del self.known[entry.rule, entry.key]
            self.rules[entry.rule] -= 1
            if entry.values:
                self.values[entry.values] -= 1
                if not self.values[entry.values]:
                    del self.values[entry.values]
            events += len(entry.events)
        if self.new:
            dropped = {id(entry) for entry in gone}
            self.new = [entry for entry in self.new if id(entry) not in dropped]
        return events


def values_of(event: Mapping[str, Any], fields: list[Names]) -> tuple[str, ...] | None:
    """Return the value of each of *fields*; None if *event* lacks one."""
    found = []
    for names in fields:
        for name in names:
            value = event.get(name)
            if value.__class__ is str:
                found.append(value)
                break
            if value is not None and value != []:
                texts = map(str, value) if isinstance(value, list) else (str(value),)
                found.append(", ".join(texts))
                break
        else:
            return None
    return tuple(found)
