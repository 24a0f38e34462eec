"""Which rules could fire on the events that are collected, and what the others would need.

for verdict in judge(ruleset, rules, observed):
    verdict.rule, verdict.sight, verdict.missing

A rule needs a field only where its condition cannot be true without it: one side of an "or" is
enough, and a filter needs nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from kr_secops.detect.matcher import Low, holds, texts
from kr_secops.detect.observed import SOURCE
from kr_secops.rule.tree import field_names, plain
from kr_secops.rule.witness import KEYS, key_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from kr_secops.detect.observed import Observed, Seen
    from kr_secops.rule.correlation import Correlation
    from kr_secops.rule.metadata import Rule
    from kr_secops.rule.ruleset import Ruleset
    from kr_secops.rule.tree import Node


class Sight(StrEnum):
    """What a rule can see, the least first."""

    blind = "blind"
    partly = "partly"
    seen = "seen"


class Reason(StrEnum):
    """Why a rule is blind."""

    none = ""
    no_collector = "no collector"
    """No log source of ours carries such events."""
    no_source = "no log source"
    """No event of its log source came."""
    no_field = "no field"
    """Events of its log source came, and none fills a field it needs."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule can see."""

    rule: Rule
    sight: Sight
    reason: Reason = Reason.none
    missing: tuple[str, ...] = ()
    """Fields that no event of its log source fills: needed if it is blind, of use if partly."""
    at: str = ""
    """The log source that misses the fewest of them."""
    wants: tuple[str, ...] = ()
    """Log sources that would do, where none of them came; as `observed.label`, lower-cased."""


@dataclass(slots=True)
class Source:
    """One log source in the eyes of the rules."""

    label: str
    events: int = 0
    could: set[int] = field(default_factory=set)
    """Numbers of the rules that could fire on it, in whole or in part."""
    cannot: set[int] = field(default_factory=set)
    """Numbers of the rules for it that can fire nowhere: a field they need is never filled."""
    missing: Counter[str] = field(default_factory=Counter)
    """Field → rules blind or half blind that need or would use the field here."""


@dataclass(frozen=True, slots=True)
class Visibility:
    """The verdicts on all rules, and the log sources that came."""

    verdicts: tuple[Verdict, ...]
    sources: tuple[Source, ...]
    """The most events first."""

    def unseen(self) -> Counter[str]:
        """Return log source that never came → rules blind without it."""
        return Counter(wanted for verdict in self.verdicts for wanted in verdict.wants)


COMPUTED: Final = "kr.pii."
"""Facts that privacy adds where there is something to tell: their absence is no blindness."""

_PRESENCE: Final = ("exists", "empty", "null", "ref")
"""Leaves that the value of a field alone does not settle."""
_FILLED: Final = ("lit", "cidr", "cmp", "part")
"""Leaves that are never true of an empty value."""

_NOTHING: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Chance:
    """Whether a part of a tree can be what it should be."""

    possible: bool
    missing: frozenset[str] = _NOTHING
    """Possible: fields that would give it more ways. Not: fields it needs; none: wrong source."""

    @property
    def rank(self) -> tuple[int, int]:
        """The better the greater."""
        if self.possible:
            return (3 if not self.missing else 2, -len(self.missing))
        return (1 if self.missing else 0, -len(self.missing))


_YES: Final = Chance(True)
_WRONG: Final = Chance(False)


class Judge:
    """Asks trees what they could be true of, given what one log source fills."""

    def __init__(self, seen: Seen) -> None:
        self.filled = seen.filled
        self.low = Low(seen.event())

    def chance(self, node: Node, want: bool = True) -> Chance:
        """Return whether *node* can be *want* of any event of the source."""
        op = node[0]
        if op == "name":
            return self.chance(node[2], want)
        if op == "not":
            return self.chance(node[1], not want)
        if op in ("and", "or"):
            parts = [self.chance(child, want) for child in node[1]]
            return _all(parts) if (op == "and") == want else _any(parts)
        return self.leaf(node, want)

    def leaf(self, leaf: Node, want: bool) -> Chance:
        """Return whether one test can come out as *want*."""
        op = leaf[0]
        if op in ("word", "words") or leaf[1].startswith(COMPUTED):
            return _YES
        name = leaf[1]
        if name in SOURCE and op not in _PRESENCE:
            return _YES if holds(leaf, self.low) == want else _WRONG
        is_about_absence = op == "null" or (op == "exists" and not leaf[2])
        if want == is_about_absence:
            return _YES  # what is there today may be absent tomorrow
        needed = [name, leaf[2]] if op == "ref" else [name]
        # An expression may be true of an empty text; a text or a number is not.
        there = self.filled.__getitem__ if op in _FILLED else self.filled.__contains__
        missing = frozenset(name for name in needed if not there(name))
        if missing and name in SOURCE:
            return _WRONG
        return Chance(False, missing) if missing else _YES


def _all(parts: Sequence[Chance]) -> Chance:
    impossible = [part for part in parts if not part.possible]
    if any(not part.missing for part in impossible):
        return _WRONG
    missing = frozenset().union(*(part.missing for part in impossible or parts))
    return Chance(not impossible, missing) if missing else _YES


def _any(parts: Sequence[Chance]) -> Chance:
    if any(part.possible for part in parts):
        return Chance(True, frozenset().union(*(part.missing for part in parts)))
    return max(parts, key=lambda part: part.rank, default=_WRONG)


def judge(ruleset: Ruleset, rules: Iterable[Rule], observed: Observed) -> Visibility:
    """Return what each of *rules* can see of the events *observed*."""
    court = _Court(ruleset, observed)
    correlations = {one.rule: one for one in ruleset.correlations}
    verdicts = tuple(
        court.correlation(correlations[rule.number], rule, correlations)
        if rule.number in correlations
        else court.rule(rule)
        for rule in rules
    )
    sources = sorted(court.sources.values(), key=lambda one: (-one.events, one.label))
    return Visibility(verdicts, tuple(sources))


def wanted(ruleset: Ruleset, rules: Iterable[Rule]) -> set[str]:
    """Return the fields that *rules* look at."""
    return {
        name for rule in rules for tree in ruleset.trees(rule.number) for name in field_names(tree)
    }


_ORDER: Final = list(Sight)
_ALL_OF: Final = ("temporal", "temporal_ordered")


class _Court:
    def __init__(self, ruleset: Ruleset, observed: Observed) -> None:
        self.ruleset = ruleset
        self.sources: dict[str, Source] = {}
        self.verdicts: dict[int, Verdict] = {}
        self.judges: dict[tuple[frozenset[str], ...], list[tuple[str, Judge]]] = {}
        """Values of `KEYS`, lower-cased → the sources that have them."""
        for seen in observed.sources.values():
            source = self.sources.setdefault(seen.label, Source(seen.label))
            source.events += seen.events
            event = seen.event()
            key = tuple(frozenset(map(str.lower, texts(event.get(name)))) for name in KEYS)
            self.judges.setdefault(key, []).append((seen.label, Judge(seen)))

    def rule(self, rule: Rule) -> Verdict:
        """Return the verdict on *rule*, asked once."""
        if rule.number not in self.verdicts:
            self.verdicts[rule.number] = self._rule(rule)
        return self.verdicts[rule.number]

    def _rule(self, rule: Rule) -> Verdict:
        trees = [plain(tree) for tree in self.ruleset.trees(rule.number)]
        if not trees:
            return Verdict(rule, Sight.blind, Reason.no_collector)
        chances: dict[str, Chance] = {}
        for tree in trees:
            for label, judge in self._fitting(tree):
                chance = judge.chance(tree)
                chances[label] = max(chances.get(label, _WRONG), chance, key=lambda c: c.rank)
        at, best = max(chances.items(), key=lambda one: one[1].rank, default=("", _WRONG))
        for label, chance in chances.items():
            self._note(self.sources[label], rule.number, chance, best)
        missing = tuple(sorted(best.missing))
        if best.possible:
            sight = Sight.partly if missing else Sight.seen
            return Verdict(rule, sight, missing=missing, at=at if missing else "")
        if missing:
            return Verdict(rule, Sight.blind, Reason.no_field, missing, at)
        wants = tuple(dict.fromkeys(name for tree in trees for name in _wants(tree)))
        return Verdict(rule, Sight.blind, Reason.no_source, wants=wants)

    def _note(self, source: Source, number: int, chance: Chance, best: Chance) -> None:
        """Note what *source* is for a rule; one that sees enough elsewhere misses nothing here."""
        if chance.possible:
            source.could.add(number)
        elif chance.missing and not best.possible:
            source.cannot.add(number)
        if best.missing or not best.possible:
            source.missing.update(chance.missing)

    def _fitting(self, tree: Node) -> Iterator[tuple[str, Judge]]:
        allowed = [key_values(tree, name) for name in KEYS]
        for key, judges in self.judges.items():
            if all(
                wanted is None or not wanted.isdisjoint(values)
                for values, wanted in zip(key, allowed, strict=True)
            ):
                yield from judges

    def correlation(
        self, correlation: Correlation, rule: Rule, others: Mapping[int, Correlation]
    ) -> Verdict:
        """Return the verdict on a correlation: one rule is enough to count, an order needs all."""
        below = [
            self.correlation(others[number], self.ruleset.rule(number), others)
            if number in others
            else self.rule(self.ruleset.rule(number))
            for number in correlation.refers
        ]
        choose = min if correlation.type in _ALL_OF and not correlation.expression else max
        one = choose(below, key=lambda verdict: _ORDER.index(verdict.sight))
        return replace(one, rule=rule)


def _wants(tree: Node) -> list[str]:
    """Return the log sources that would do for *tree*, lower-cased, as `observed.label` has them."""
    datasets, channels, codes = (sorted(key_values(tree, name) or ()) for name in KEYS)
    if channels:
        return [f"{channel} {code}".rstrip() for channel in channels for code in codes or [""]]
    return [name for name in datasets if name != "windows"] or datasets
