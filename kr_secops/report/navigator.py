"""A layer for MITRE's ATT&CK Navigator: a technique's colour tells how much covers it.

Layer format 4.5, as every Navigator since 4.9 reads it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from kr_secops import __version__
from kr_secops.report.attack import VERSION
from kr_secops.report.inert import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kr_secops.report.coverage import Coverage, Covered

FORMAT: Final = "4.5"
NAVIGATOR: Final = "4.9.0"
"""The oldest Navigator that reads the format."""
COLOURS: Final = ("#d4e6f4", "#4292c6", "#08306b")
_NAMED: Final = 20
"""Titles that a comment names."""


def layer(coverage: Coverage, name: str, *, description: str = "") -> dict[str, Any]:
    """Return *coverage* as a layer called *name*; scores are numbers of rules or findings."""
    highest = max((len(one.by) for one in coverage.techniques), default=1)
    return {
        "name": one_line(name),
        "versions": {"attack": VERSION, "navigator": NAVIGATOR, "layer": FORMAT},
        "domain": "enterprise-attack",
        "description": one_line(description, 2000),
        "sorting": 3,
        "layout": {
            "layout": "side",
            "showID": True,
            "showName": True,
            "showAggregateScores": True,
            "countUnscored": False,
            "aggregateFunction": "sum",
            "expandedSubtechniques": "annotated",
        },
        "hideDisabled": False,
        "techniques": _techniques(coverage),
        # The upper bound must lie above the lower, even where each technique has a single rule.
        "gradient": {"colors": list(COLOURS), "minValue": 0, "maxValue": max(highest, 2)},
        "metadata": [
            {"name": "kr-secops", "value": __version__},
            {"name": "counted", "value": str(coverage.counted)},
            {"name": "without a technique", "value": str(len(coverage.untagged))},
            *_strange("retired", coverage.retired),
            *_strange("unknown", coverage.unknown),
        ],
    }


def _strange(word: str, techniques: Iterable[str]) -> list[dict[str, str]]:
    named = ", ".join(techniques)
    return [{"name": word, "value": named}] if named else []


def _techniques(coverage: Coverage) -> list[dict[str, Any]]:
    entries = {_place(one): _scored(one) for one in coverage.techniques}
    for technique, tactic in list(entries):
        parent, _, below = technique.partition(".")
        if not below:
            continue
        above = [
            entry
            for (other, under), entry in entries.items()
            if other == parent and (not tactic or under in ("", tactic))
        ]
        if not above:
            above = [entries.setdefault((parent, tactic), _unscored(parent, tactic))]
        for entry in above:
            entry["showSubtechniques"] = True
    return [entries[place] for place in sorted(entries)]


def _place(one: Covered) -> tuple[str, str]:
    return one.technique, one.tactic if one.named else ""


def _scored(one: Covered) -> dict[str, Any]:
    return _unscored(*_place(one)) | {
        "score": len(one.by),
        "comment": _comment(one.by),
        "metadata": [{"name": "count", "value": str(len(one.by))}],
    }


def _unscored(technique: str, tactic: str) -> dict[str, Any]:
    """Return an entry; without a tactic it stands under every tactic the technique serves."""
    entry: dict[str, Any] = {"techniqueID": technique, "enabled": True}
    return entry | ({"tactic": tactic} if tactic else {})


def _comment(titles: Sequence[str]) -> str:
    counts = Counter(titles)
    named = [
        one_line(title) + (f" ({count})" if count > 1 else "")
        for title, count in sorted(counts.items())[:_NAMED]
    ]
    more = len(counts) - len(named)
    return "; ".join(named) + (f"; +{more}" if more else "")
