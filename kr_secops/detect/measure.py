"""Judging a window: is what stands in it enough for the correlation to be true?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kr_secops.detect.group import Entry
    from kr_secops.rule.correlation import Correlation, Expression

GROUP_ENTRIES: Final = 256
"""Matches that a group keeps; more only if a condition counts further."""
MEASURED_ENTRIES: Final = 4_096
"""Matches that a group keeps whose numbers are summed or averaged: each of them matters."""

_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "eq": lambda a, b: a == b,
    "neq": lambda a, b: a != b,
}


def is_enough(correlation: Correlation, number: float) -> bool:
    """Return whether *number* lies within the bounds of *correlation*."""
    return all(_COMPARE[op](number, bound) for op, bound in correlation.bounds)


def least(correlation: Correlation) -> float:
    """Return the number from which on *correlation* can be true; 0 if it has no lower bound."""
    lower = [bound for op, bound in correlation.bounds if op in ("gt", "gte")]
    return max(lower, default=0.0)


def most(correlation: Correlation) -> int:
    """Return how many matches a group of *correlation* keeps."""
    if correlation.type in ("event_count", "value_count"):
        return max(GROUP_ENTRIES, *(int(bound) * 2 for _, bound in correlation.bounds), 0)
    return MEASURED_ENTRIES if correlation.type.startswith("value_") else GROUP_ENTRIES


def holds(correlation: Correlation, inside: Sequence[Entry]) -> bool:
    """Return whether *correlation* is true of the entries *inside* one window, sorted by time."""
    if correlation.expression:
        seen = {entry.rule for entry in inside}
        return is_true(correlation.expression, seen) and (
            correlation.type != "temporal_ordered"
            or _in_order([rule for rule in correlation.refers if rule in seen], inside)
        )
    if correlation.type == "temporal_ordered":
        return _in_order(correlation.refers, inside)
    measured = _measure(correlation, inside)
    return measured is not None and is_enough(correlation, measured)


def _measure(correlation: Correlation, inside: Sequence[Entry]) -> float | None:
    kind = correlation.type
    if kind == "event_count":
        return len(inside)
    if kind == "value_count":
        return _different(correlation, inside)
    if kind == "temporal":
        return len({entry.rule for entry in inside})
    numbers = _numbers(inside)
    return _statistic(correlation, numbers) if numbers else None


def _statistic(correlation: Correlation, numbers: list[float]) -> float:
    kind = correlation.type
    if kind in ("value_sum", "value_avg"):
        total = sum(numbers)  # not fsum, which raises OverflowError for what a log may well say
        return total if kind == "value_sum" else total / len(numbers)
    numbers.sort()
    return percentile(numbers, 50 if kind == "value_median" else correlation.percentile)


def _different(correlation: Correlation, inside: Sequence[Entry]) -> int:
    """Count different values, from the newest on, and only as far as the condition asks."""
    lower = [bound for op, bound in correlation.bounds if op in ("gt", "gte")]
    enough = max(lower) + 1 if len(lower) == len(correlation.bounds) else len(inside)
    values: set[tuple[str, ...]] = set()
    for entry in reversed(inside):
        if entry.values not in values:
            values.add(entry.values)
            if len(values) >= enough:
                break
    return len(values)


def _numbers(inside: Sequence[Entry]) -> list[float]:
    numbers: list[float] = []
    for entry in inside:
        number = entry.number
        if number is None:  # windows overlap: each entry is looked at thousands of times
            number = entry.number = _number(entry.values[0])
        if math.isfinite(number):  # one "nan" in a log would make every sum false, "inf" true
            numbers.append(number)
    return numbers


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def percentile(numbers: Sequence[float], percent: float) -> float:
    """Return the value below which *percent* of the sorted *numbers* lie, between two if need be."""
    place = (len(numbers) - 1) * percent / 100
    low = int(place)
    high = min(low + 1, len(numbers) - 1)
    return numbers[low] + (numbers[high] - numbers[low]) * (place - low)


def _in_order(wanted: Sequence[int], inside: Sequence[Entry]) -> bool:
    at = 0
    for entry in inside:
        if at < len(wanted) and entry.rule == wanted[at]:
            at += 1
    return at == len(wanted)


def is_true(expression: Expression, seen: set[int]) -> bool:
    """Return whether an extended condition is true of the rules *seen*."""
    op, rest = expression
    if op == "rule":
        return rest in seen
    if op == "not":
        return not is_true(rest, seen)
    parts = (is_true(part, seen) for part in rest)
    return all(parts) if op == "and" else any(parts)
