"""A correlation as plain values: what the window machine needs to know, and nothing of pySigma."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

BOUNDS: Final = ("gt", "gte", "lt", "lte", "eq", "neq")

Expression: TypeAlias = tuple[Any, ...]
"""``("rule", number)``, ``("and"|"or", (…))`` or ``("not", …)``: an extended condition."""


@dataclass(frozen=True, slots=True)
class Correlation:
    """One correlation, ready to run."""

    rule: int
    type: str
    """event_count, value_count, temporal, temporal_ordered, value_sum …"""
    refers: tuple[int, ...]
    """Numbers of the rules it counts, in the order it names them."""
    group_by: tuple[tuple[str, dict[int, tuple[str, ...]]], ...]
    """Name shown → rule number → fields of an event to take it from, the first that is there."""
    span: int
    """Seconds."""
    bounds: tuple[tuple[str, float], ...] = ()
    values: tuple[dict[int, tuple[str, ...]], ...] = ()
    """The fields whose values are counted or summed, as in `group_by`."""
    percentile: int = 50
    expression: Expression = ()

    @property
    def waits(self) -> bool:
        """Whether it can be judged only when its window has passed: "fewer than", "not"."""
        return any(op in ("lt", "lte", "eq", "neq") for op, _ in self.bounds) or _denies(
            self.expression
        )


def _denies(expression: Expression) -> bool:
    if not expression or expression[0] == "rule":
        return False
    if expression[0] == "not":
        return True
    return any(_denies(part) for part in expression[1])
