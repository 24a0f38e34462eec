"""An engine that counts what each rule finds and what it costs; the normal one pays nothing for it.

profile = Profile(ruleset)
for event in events: profile.add(event)
for figures in profile.figures.values():
    figures.rule, figures.matches, figures.false_rate, figures.nanoseconds

Every event is put to it, also of lines that a scan would pass over unparsed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kr_secops.detect.candidates import Alternatives
from kr_secops.detect.engine import DEFAULT_ENTITY, Engine
from kr_secops.detect.matcher import texts

if TYPE_CHECKING:
    from collections.abc import Callable

    from kr_secops.detect.matcher import Low, Test
    from kr_secops.event import Event
    from kr_secops.rule.container import Compiled
    from kr_secops.rule.metadata import Rule
    from kr_secops.rule.ruleset import Ruleset

ENTITIES_KEPT: Final = 10_000
"""Entities told apart per rule."""
ALL_ENTITIES_KEPT: Final = 500_000


@dataclass(slots=True)
class Figures:
    """What one rule found, and what it cost."""

    rule: Rule
    matches: int = 0
    first: str = ""
    """Time of the first event that it matched; empty if none."""
    last: str = ""
    entities: set[int] = field(default_factory=set)
    more_entities: bool = False
    """There were more than could be told apart."""
    candidates: int = 0
    """Events for which its condition was evaluated."""
    tested: int = 0
    """Evaluations: a rule with several alternatives may take several an event."""
    nanoseconds: int = 0
    """CPU time of the evaluations. Who asks for a value first pays for its lower-casing."""
    seen: int = -1
    """The last event for which it was a candidate."""

    @property
    def false_rate(self) -> float | None:
        """Share of the candidates that were none; None if there were no candidates."""
        return 1 - self.matches / self.candidates if self.candidates else None


class Profile(Engine):
    """The engine, with a clock before and behind each condition."""

    def __init__(self, ruleset: Ruleset) -> None:
        """Start; rules that only feed correlations are counted too."""
        super().__init__(ruleset, everything=True)
        self.events = 0
        self.figures: dict[int, Figures] = {}
        """Number of a rule → its figures, once it was looked at."""
        self._index.alternatives = _Timed(ruleset.compiled, self)
        self._room = ALL_ENTITIES_KEPT

    def of(self, number: int) -> Figures:
        """Return the figures of a rule."""
        if number not in self.figures:
            self.figures[number] = Figures(self._ruleset.rule(number))
        return self.figures[number]

    def add(self, event: Event) -> None:
        """Match *event* and count."""
        self.events += 1
        for match in self.match(event):
            figures = self.figures[match.rule.number]
            figures.matches += 1
            when = str(event.get("@timestamp", ""))
            figures.first = min(figures.first or when, when)
            figures.last = max(figures.last, when)
            self._count_entity(figures, event)

    def _count_entity(self, figures: Figures, event: Event) -> None:
        names = figures.rule.entity or DEFAULT_ENTITY
        entity = hash(tuple(tuple(texts(event.get(name))) for name in names))
        if entity in figures.entities:
            return
        if len(figures.entities) >= ENTITIES_KEPT or self._room <= 0:
            figures.more_entities = True
            return
        self._room -= 1
        figures.entities.add(entity)


class _Timed(Alternatives):
    """Gives each condition with a clock around it."""

    def __init__(self, compiled: Compiled, profile: Profile) -> None:
        super().__init__(compiled)
        self._profile = profile
        self._timed: dict[int, Test] = {}
        self._own = _own_time()

    def test(self, number: int) -> Test:
        """Return the function that decides, and counts."""
        timed = self._timed.get(number)
        if timed is None:
            timed = self._timed[number] = self._around(super().test(number), self.rule(number))
        return timed

    def _around(self, test: Test, rule: int) -> Test:
        profile, own = self._profile, self._own
        figures, clock = profile.of(rule), time.thread_time_ns

        def timed(low: Low, event: Event) -> bool:
            start = clock()
            true = test(low, event)
            spent = clock() - start - own
            figures.nanoseconds += max(spent, 0)
            figures.tested += 1
            if figures.seen != profile.events:
                figures.seen = profile.events
                figures.candidates += 1
            return true

        return timed


def _own_time(clock: Callable[[], int] = time.thread_time_ns) -> int:
    """Return what looking at the clock costs by itself."""
    return min(-clock() + clock() for _ in range(1000))
