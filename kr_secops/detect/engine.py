"""The engine: events in, matches out, findings when asked for.

engine = Engine(ruleset, windows=store.windows())
for event in events:
    for match in engine.feed(event): ...
for finding in engine.findings(): ...
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import orjson

from kr_secops.detect.candidates import Index
from kr_secops.detect.explain import explain
from kr_secops.detect.matcher import Low, texts
from kr_secops.detect.window import Windows
from kr_secops.event import event_id, moment, timestamp
from kr_secops.finding import EVIDENCE_KEPT, Evidence, Finding, finding_id, keep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kr_secops.collect.interface import Shape
    from kr_secops.collect.windows import Record
    from kr_secops.detect.prefilter import Prefilter
    from kr_secops.detect.window import Fired
    from kr_secops.event import Event
    from kr_secops.rule.metadata import Rule
    from kr_secops.rule.ruleset import Ruleset

DEFAULT_ENTITY: Final = ("host.name", "source.ip", "user.name")
Matched: TypeAlias = "Mapping[int, int]"
"""Rules, each with the first of its alternatives that is true."""
_NOTHING: Final[dict[int, int]] = {}
_AHEAD: Final = 86_400.0
"""Seconds that an event may lie in the future and still move the time read up to."""


@dataclass(frozen=True, slots=True)
class Match:
    """A rule and an event that makes it true."""

    rule: Rule
    event: Event
    _tree: Callable[[], Any] = field(repr=False, compare=False)

    def explain(self) -> dict[str, Any]:
        """Return why: the condition as a tree with the values it met; see `explain`."""
        return explain(self._tree(), self.event)


@dataclass(slots=True)
class _Pending:
    """A finding since it was last drained."""

    rule: Rule
    entity: dict[str, str]
    first: str
    last: str
    sightings: set[str] = field(default_factory=set)
    evidence: list[Evidence] = field(default_factory=list)


class Engine:
    """Matches events against a rule set and keeps what becomes of it."""

    def __init__(
        self,
        ruleset: Ruleset,
        *,
        windows: bytes | None = None,
        clock: Callable[[], float] = time.time,
        everything: bool = False,
    ) -> None:
        """Start.

        Args:
            ruleset: the rules.
            windows: what `windows` gave at the end of an earlier run.
            clock: the present, so that a record from the future cannot end all windows.
            everything: report rules that only feed correlations too; for tests of rules.
        """
        self._ruleset = ruleset
        self._index = Index(ruleset.compiled)
        self._rules: dict[int, Rule] = {}
        self._silent = frozenset(() if everything else ruleset.compiled.head["silent"])
        self._windows: Windows | None = None
        self._pending: dict[str, _Pending] = {}
        self._ids: dict[tuple[Any, ...], str] = {}
        self._latest = clock() + _AHEAD
        self._prefilters: dict[str, Prefilter] = {}
        self._expected: tuple[Event | None, Matched] = (None, _NOTHING)
        self.pending = 0
        """Sightings since the last drain; whoever feeds the engine drains it in good time."""
        if ruleset.correlations:
            self._windows = Windows(ruleset.correlations, _stamp, self._name)
        if windows and self._windows is not None:
            numbers = {rule.id: rule.number for rule in ruleset.rules}
            self._windows.restore(windows, numbers)

    def choose(
        self, collector_key: str, shapes: tuple[Shape, ...], data: bytes
    ) -> list[int] | None:
        """Return where the lines of *data* begin that any rule could match; None: take all.

        Args:
            collector_key: names the collector and its version; its shapes never change.
            shapes: how its records can look; empty: nothing is known.
            data: whole lines.
        """
        prefilter = self._prefilter(collector_key, shapes)
        return None if prefilter is None else prefilter.lines(data)

    def wants_privacy(self, collector_key: str, shapes: tuple[Shape, ...]) -> bool:
        """Return whether a rule that fits *shapes* asks for personal data (``kr.pii.*``).

        `choose` takes it for granted that lines with personal data are read anyway where this is
        so: what is masked in a line is found by privacy, not by rules.
        """
        prefilter = self._prefilter(collector_key, shapes)
        return prefilter is None or prefilter.wants_privacy

    def wants_privacy_in(self, dataset: str) -> bool:
        """Return whether a rule for events of *dataset* asks for personal data (``kr.pii.*``)."""
        return not {None, dataset}.isdisjoint(self._ruleset.compiled.head["privacy"])

    def _prefilter(self, collector_key: str, shapes: tuple[Shape, ...]) -> Prefilter | None:
        if not shapes:
            return None
        if collector_key not in self._prefilters:
            from kr_secops.detect.prefilter import load

            self._prefilters[collector_key] = load(self._ruleset, collector_key, shapes)
        return self._prefilters[collector_key]

    def spoken(self, data: bytes) -> set[int] | None:
        """Return where the lines of *data* begin whose Windows record may hold a keyword.

        None: any may. For `wants`.
        """
        return self._index.spoken(data)

    def look(self, record: Record, *, spoken: bool) -> Matched:
        """Return what matches the Windows *record*, without making it an event.

        Args:
            record: see `kr_secops.collect.windows.Record`.
            spoken: whether it may hold a keyword.
        """
        found = self._index.candidates(record) if spoken else self._index.look(record)
        return self._decide(found, Low.of(record)) if found else _NOTHING

    def expect(self, event: Event, matched: Matched) -> None:
        """Let what `look` said of a record hold for the *event* made of it, if that comes next."""
        self._expected = (event, matched)

    def match(self, event: Event) -> list[Match]:
        """Return every rule that *event* makes true, and keep nothing of it."""
        return [match for match in self._true(event) if match.rule.number not in self._silent]

    def touches(self, event: Event) -> bool:
        """Return whether any rule matches *event*, one that only feeds correlations too."""
        return bool(self._matched(event))

    def feed(self, event: Event) -> list[Match]:
        """Match *event* against every rule, count it, and let the correlations know."""
        found = self._true(event)
        if not found:
            return found
        identity, when = event_id(event), _time(event)
        matches: list[Match] = []
        for match in found:
            number = match.rule.number
            if number not in self._silent:
                matches.append(match)
                self._sight(match, identity, when)
            if self._windows is not None and number in self._windows.wanted:
                self._correlate(match, identity, when)
        return matches

    def _true(self, event: Event) -> list[Match]:
        matched = self._matched(event)
        if not matched:
            return []
        alternatives = self._index.alternatives
        return [
            Match(self._rule(number), event, partial(alternatives.named_tree, matched[number]))
            for number in sorted(matched)
        ]

    def _matched(self, event: Event) -> Matched:
        """Return the rules that *event* makes true, each with the first alternative that is."""
        expected, matched = self._expected
        if expected is event:
            return matched
        found = self._index.candidates(event)
        return self._decide(found, Low(event)) if found else _NOTHING

    def _decide(self, found: tuple[int, ...], low: Low) -> Matched:
        alternatives = self._index.alternatives
        test, event = alternatives.test, low.event
        matched: dict[int, int] = {}
        for number in set(found) if len(found) > 1 else found:
            if test(number)(low, event):
                rule = alternatives.rule(number)
                matched[rule] = min(number, matched.get(rule, number))
        return matched

    def _rule(self, number: int) -> Rule:
        if number not in self._rules:
            self._rules[number] = self._ruleset.rule(number)
        return self._rules[number]

    def _name(self, number: int, entity: dict[str, str], window: str) -> str:
        return finding_id(self._rule(number).id, entity, window)

    def _sight(self, match: Match, identity: str, when: float) -> None:
        rule, event = match.rule, match.event
        entity = _entity(event, rule.entity or DEFAULT_ENTITY)
        stamp = _stamp(when)
        known = (rule.number, stamp[:10], *entity.items())
        key = self._ids.get(known)
        if key is None:
            key = self._ids[known] = finding_id(rule.id, entity, stamp[:10])
        pending = self._note(key, rule, entity, (stamp, stamp), [identity])
        if len(pending.evidence) < EVIDENCE_KEPT:
            pending.evidence.append(Evidence(event, match.explain()))

    def _note(
        self,
        key: str,
        rule: Rule,
        entity: dict[str, str],
        seen: tuple[str, str],
        sightings: list[str],
    ) -> _Pending:
        first, last = seen
        pending = self._pending.get(key)
        if pending is None:
            pending = self._pending[key] = _Pending(rule, entity, first, last)
        pending.first = min(pending.first, first)
        pending.last = max(pending.last, last)
        before = len(pending.sightings)
        pending.sightings.update(sightings)
        self.pending += len(pending.sightings) - before
        return pending

    def _correlate(self, match: Match, identity: str, when: float) -> None:
        windows = self._windows
        assert windows is not None
        if when <= self._latest:
            windows.advance(when)

        def evidence() -> bytes:
            return orjson.dumps([match.event, match.explain()], default=str)

        self._fired(windows.feed(match.rule.number, match.event, when, identity, evidence))

    def _fired(self, fired: list[Fired]) -> None:
        windows = self._windows
        assert windows is not None
        while fired:
            one = fired.pop(0)
            rule = self._rule(one.correlation.rule)
            if rule.number not in self._silent:
                brought = [Evidence(*orjson.loads(raw)) for raw in one.events]
                # The window of a chain begins where its first link came true; its story earlier.
                begins = [str(e.event["@timestamp"]) for e in brought if "@timestamp" in e.event]
                seen = (min(one.window, _stamp(one.first), *begins), _stamp(one.last))
                pending = self._note(one.finding, rule, one.entity, seen, one.sightings)
                if brought:
                    pending.evidence = list(keep(pending.evidence, brought))
            fired += windows.feed_fired(one)

    def close(self) -> None:
        """Judge every window that still waits ("fewer than …"), as if all logs had been read."""
        if self._windows is not None:
            self._fired(self._windows.expire(everything=True))

    def findings(self) -> Iterator[Finding]:
        """Yield the findings that changed since the last call, each with its count since then."""
        if self._windows is not None:
            self._fired(self._windows.expire())
        drained = sorted(
            self._pending.items(), key=lambda item: (item[1].first, item[1].rule.id, item[0])
        )
        self._pending = {}
        self._ids = {}
        self.pending = 0
        for key, pending in drained:
            yield _finding(key, pending)

    @property
    def forgotten(self) -> int:
        """Matches that correlations gave up because memory is bounded, while they still mattered."""
        return 0 if self._windows is None else self._windows.forgotten

    def windows(self) -> bytes:
        """Return the state of the correlations, to be given to the next run's engine."""
        if self._windows is None:
            return b""
        return self._windows.dump(lambda number: self._rule(number).id)


def _finding(key: str, pending: _Pending) -> Finding:
    rule = pending.rule
    return Finding(
        id=key,
        rule_id=rule.id,
        rule_name=rule.title,
        level=rule.level,
        first_seen=pending.first,
        last_seen=pending.last,
        count=len(pending.sightings),
        entity=pending.entity,
        evidence=tuple(pending.evidence),
        sightings=frozenset(pending.sightings),
        text=rule.text(),
        tags=rule.tags,
        references=rule.references,
        falsepositives=rule.falsepositives,
        controls=rule.controls,
    )


def _entity(event: Event, names: tuple[str, ...]) -> dict[str, str]:
    entity = {}
    for name in names:
        value = event.get(name)
        if value.__class__ is str:
            entity[name] = value
        elif value not in (None, []):
            entity[name] = ", ".join(texts(value))
    return entity


@lru_cache(4096)
def _posix(text: str) -> float:
    when = moment(text)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _time(event: Event) -> float:
    """Return the event's time; one without a readable time stamp counts as the epoch."""
    try:
        return _posix(str(event.get("@timestamp")))
    except (ValueError, OverflowError):
        return 0.0


@lru_cache(4096)
def _stamp(when: float) -> str:
    return timestamp(datetime.fromtimestamp(when, UTC))
