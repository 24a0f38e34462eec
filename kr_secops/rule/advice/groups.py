"""Correlations that group by what the events they count never have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kr_secops.document import did_you_mean
from kr_secops.rule.tree import plain
from kr_secops.rule.witness import key_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kr_secops.rule.ruleset import Ruleset


def advise(
    ruleset: Ruleset, produced: Mapping[str, frozenset[str] | None]
) -> Iterator[tuple[str, str]]:
    """Yield the place of each such correlation with what is wrong.

    Args:
        ruleset: the rules, loaded.
        produced: data set that collectors of ours make → fields that its events can have; None:
            any. Data sets of other makers are left out of account.
    """
    for correlation in ruleset.correlations:
        for name, per_rule in correlation.group_by:
            for number, names in per_rule.items():
                fields = _fields(ruleset, number, produced)
                if fields and not fields & set(names):
                    title = ruleset.rule(number).title
                    hint = did_you_mean(names[0], fields)
                    yield (
                        ruleset.rule(correlation.rule).path,
                        f"{name}: no event for {title!r} has it{hint}",
                    )


def _fields(
    ruleset: Ruleset, number: int, produced: Mapping[str, frozenset[str] | None]
) -> frozenset[str]:
    """Return the fields that events of the rule can have; empty: not known."""
    found: frozenset[str] = frozenset()
    for tree in ruleset.trees(number):
        for name in key_values(plain(tree), "event.dataset") or ("",):
            fields = produced.get(name, frozenset()) if name else None
            if fields is None:
                return frozenset()
            found |= fields
    return found
