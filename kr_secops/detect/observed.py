"""What events hold, counted: their log sources, and the fields that each source fills.

seen = Observed(names of fields that rules look at)
for event in events: seen.add(event)
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kr_secops.event import Event

SOURCE: Final = (
    *("event.dataset", "winlog.channel", "event.code", "winlog.provider_name"),
    *("event.category", "event.type"),
)
"""Fields that say which log an event came from and which kind of record it is."""
SOURCES_KEPT: Final = 2048
NAMES_KEPT: Final = 200_000
"""Names kept of all sources together, beside those that rules look at: anyone may invent some."""

Key: TypeAlias = "tuple[str | tuple[str, ...] | None, ...]"
"""Values of `SOURCE`."""


@dataclass(slots=True)
class Seen:
    """The events of one log source."""

    key: Key
    events: int = 0
    filled: Counter[str] = field(default_factory=Counter)
    """Field → events in which it has a value; 0 where it was only ever empty."""

    @property
    def label(self) -> str:
        """How people name it: channel and number, or data set and category."""
        return label(self.key)

    def event(self) -> Event:
        """Return the least that every such event holds."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in zip(SOURCE, self.key, strict=True)
            if value is not None
        }


def label(key: Key) -> str:
    """Return how people name the log source *key*."""
    dataset, channel, code, _, category, _ = key
    parts = (channel, code) if channel else (dataset, category)
    return " ".join(_text(part) for part in parts if part) or "-"


def _text(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else "+".join(value)


class Observed:
    """Counts events by source and the fields they fill; memory ends somewhere."""

    def __init__(self, wanted: Iterable[str] = ()) -> None:
        """Start; the names *wanted* are counted whatever else the events hold."""
        self.sources: dict[Key, Seen] = {}
        self.events = 0
        self.names_left_out = 0
        """Values of fields that were not counted because there were too many names."""
        self.events_left_out = 0
        """Events whose source was not counted because there were too many."""
        self._wanted = frozenset(wanted)
        self._room = NAMES_KEPT

    def add(self, event: Event) -> None:
        """Count *event*."""
        self.events += 1
        get = event.get
        key = tuple(_part(get(name)) for name in SOURCE)
        seen = self.sources.get(key)
        if seen is None:
            if len(self.sources) >= SOURCES_KEPT:
                self.events_left_out += 1
                return
            seen = self.sources[key] = Seen(key)
        seen.events += 1
        filled = seen.filled
        for name, value in event.items():
            if name in filled or self._admit(name):
                filled[name] += value not in (None, "", [])

    def _admit(self, name: str) -> bool:
        if name in self._wanted:
            return True
        if self._room <= 0:
            self.names_left_out += 1
            return False
        self._room -= 1
        return True

    def filled(self) -> Counter[str]:
        """Return field → events of all sources in which it has a value."""
        total: Counter[str] = Counter()
        for seen in self.sources.values():
            total.update(seen.filled)
        return total


def _part(value: Any) -> str | tuple[str, ...] | None:
    if value is None or value.__class__ is str:
        return value
    if value.__class__ is list:
        return tuple(sorted(str(item) for item in value if item is not None))
    return str(value)
