"""Which ATT&CK tactics and techniques a set of rules, or of findings, speaks of.

covered = cover((rule.title, rule) for rule in ruleset.rules)
covered.techniques          # one a tactic and technique, in the order of tactics
layer(covered, "our rules")  # for the ATT&CK Navigator, see `navigator`
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kr_secops.report.attack import (
    TACTICS,
    first_tactic,
    known,
    named_tactics,
    retired,
    techniques,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kr_secops.report.attack import Tagged


@dataclass(frozen=True, slots=True)
class Covered:
    """A technique under a tactic."""

    tactic: str
    """Key of `TACTICS`."""
    technique: str
    name: str
    by: tuple[str, ...]
    """Titles of the rules, or of the rules of the findings: one a rule or finding, sorted."""
    named: bool
    """Whether one of them names the tactic; else it is the first that the technique serves."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is covered, and what could not be counted."""

    techniques: tuple[Covered, ...]
    """In the order of tactics, then of numbers."""
    counted: int
    """Rules or findings that were looked at."""
    untagged: tuple[str, ...]
    """Titles of those that name no technique."""
    retired: Mapping[str, tuple[str, ...]]
    """Technique no longer in force → titles of those that name it."""
    unknown: Mapping[str, tuple[str, ...]]
    """Technique that ATT&CK does not know → titles of those that name it."""

    def tactics(self) -> list[tuple[str, list[Covered]]]:
        """Return every tactic, in ATT&CK's order, with what is covered of it."""
        return [
            (tactic, [one for one in self.techniques if one.tactic == tactic])
            for tactic in TACTICS
            if tactic
        ]


def sizes() -> Counter[str]:
    """Return tactic → number of techniques and sub-techniques that serve it."""
    return Counter(tactic for tactics, _ in known().values() for tactic in tactics)


def cover(items: Iterable[tuple[str, Tagged]]) -> Coverage:
    """Return what *items*, pairs of a title and a rule or finding, cover."""
    by_technique: dict[str, list[tuple[str, list[str]]]] = {}
    untagged: list[str] = []
    counted = 0
    for title, tagged in items:
        counted += 1
        found = techniques(tagged)
        if not found:
            untagged.append(title)
        for technique in found:
            entry = (title, named_tactics(technique, tagged.tags))
            by_technique.setdefault(technique, []).append(entry)
    covered = [
        one
        for technique, uses in by_technique.items()
        if technique in known()
        for one in _under_tactics(technique, uses)
    ]
    order = list(TACTICS)
    covered.sort(key=lambda one: (order.index(one.tactic), one.technique))
    strange = {
        technique: tuple(sorted(title for title, _ in uses))
        for technique, uses in sorted(by_technique.items())
        if technique not in known()
    }
    return Coverage(
        techniques=tuple(covered),
        counted=counted,
        untagged=tuple(sorted(untagged)),
        retired={name: titles for name, titles in strange.items() if name in retired()},
        unknown={name: titles for name, titles in strange.items() if name not in retired()},
    )


def _under_tactics(technique: str, uses: list[tuple[str, list[str]]]) -> list[Covered]:
    """Return *technique* once a tactic: who names no tactic counts under each that others name."""
    named = {tactic for _, tactics in uses for tactic in tactics}
    name = known()[technique][1]
    return [
        Covered(
            tactic,
            technique,
            name,
            tuple(sorted(title for title, tactics in uses if not tactics or tactic in tactics)),
            named=bool(named),
        )
        for tactic in named or {first_tactic(technique)}
    ]
