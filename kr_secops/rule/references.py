"""Correlations resolved: which rules they count, and what their fields are called in events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sigma.correlations import (
    CorrelationConditionAND,
    CorrelationConditionNOT,
    SigmaCorrelationCondition,
    SigmaExtendedCorrelationCondition,
    SigmaRuleReference,
)

from kr_secops.rule.correlation import BOUNDS, Correlation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sigma.correlations import (
        CorrelationConditionItem,
        SigmaCorrelationRule,
    )

    from kr_secops.rule.correlation import Expression


def convert(
    parsed: SigmaCorrelationRule,
    value: Mapping[str, Any],
    number: int,
    find: Callable[[str], int | None],
    names: Callable[[str, int], tuple[str, ...]],
) -> Correlation | str:
    """Return the correlation *parsed* from the document *value*, or what is wrong with it.

    Args:
        parsed: what pySigma made of the document.
        value: the document, for ranges, of which pySigma keeps one bound.
        number: the correlation's own number.
        find: number of the rule of an id or name.
        names: what a field of a rule of a given number is called in events.
    """
    condition = parsed.condition
    numbers = _resolved(parsed, number, find)
    if isinstance(numbers, str):
        return numbers
    aliases = {
        alias.alias: {find(reference.reference): name for reference, name in alias.mapping.items()}
        for alias in parsed.aliases
    }
    percentile = getattr(condition, "percentile", None)
    if percentile is not None and not 0 <= percentile <= 100:  # noqa: PLR2004
        return f"{percentile} is no percentile"
    for alias, mapping in aliases.items():
        if not mapping.keys() <= set(numbers.values()):
            return f"the alias {alias!r} is about a rule that is not among its rules"
    groups = []
    for name in parsed.group_by or ():
        per_rule = {
            found: names(aliases.get(name, {}).get(found, name), found)
            for found in numbers.values()
        }
        groups.append((name, per_rule))
    return Correlation(
        rule=number,
        type=parsed.type.name.lower(),
        refers=tuple(numbers.values()),
        group_by=tuple(groups),
        span=parsed.timespan.seconds,
        bounds=_bounds(value["correlation"].get("condition"), parsed, len(numbers)),
        values=tuple(
            {found: names(field, found) for found in numbers.values()}
            for field in _value_fields(condition)
        ),
        percentile=50 if percentile is None else percentile,
        expression=_expression(condition, numbers),
    )


def referred(parsed: SigmaCorrelationRule) -> list[str]:
    """Return the ids and names of the rules that *parsed* refers to."""
    if parsed.rules is not None:
        return [reference.reference for reference in parsed.rules]
    if isinstance(parsed.condition, SigmaExtendedCorrelationCondition):
        return list(parsed.condition.get_referenced_rules())
    return []


def _resolved(
    parsed: SigmaCorrelationRule, own: int, find: Callable[[str], int | None]
) -> dict[str, int] | str:
    """Return the numbers of the rules that *parsed* refers to, or what is wrong with one."""
    numbers: dict[str, int] = {}
    for reference in referred(parsed):
        found = find(reference)
        if found is None:
            return f"refers to {reference!r}, and no rule of that id or name was loaded"
        if found == own:
            return "refers to itself"
        if found in numbers.values():
            return f"names the rule {reference!r} twice"
        numbers[reference] = found
    return numbers or "names no rules"


def _bounds(
    condition: Any, parsed: SigmaCorrelationRule, rules: int
) -> tuple[tuple[str, float], ...]:
    if parsed.type.name.startswith("TEMPORAL") and not isinstance(condition, dict):
        return (("gte", rules),)
    if not isinstance(condition, dict):
        return (("gte", 1),)
    return tuple((op, float(condition[op])) for op in BOUNDS if op in condition)


def _value_fields(condition: Any) -> tuple[str, ...]:
    if not isinstance(condition, SigmaCorrelationCondition) or not condition.fieldref:
        return ()
    field = condition.fieldref
    return tuple(field) if isinstance(field, list) else (field,)


def _expression(condition: Any, numbers: dict[str, int]) -> Expression:
    if not isinstance(condition, SigmaExtendedCorrelationCondition):
        return ()

    def walk(node: CorrelationConditionItem | SigmaRuleReference) -> Expression:
        if isinstance(node, SigmaRuleReference):
            return ("rule", numbers[node.reference])
        if isinstance(node, CorrelationConditionNOT):
            return ("not", walk(node.args[0]))
        op = "and" if isinstance(node, CorrelationConditionAND) else "or"
        return (op, tuple(walk(part) for part in node.args))

    return walk(condition.parsed)
