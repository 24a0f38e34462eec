"""The engine without its index: every rule is put to every event, leaf by leaf.

Slow, a few milliseconds an event with all of SigmaHQ's rules, and simple enough to be believed: no
witness, no remembered value, no generated code, no line passed over unparsed. What the engine finds
must be what this finds.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from kr_secops.detect.engine import Engine
from kr_secops.detect.matcher import Low, holds
from kr_secops.rule.tree import conjuncts

if TYPE_CHECKING:
    from kr_secops.collect.interface import Shape
    from kr_secops.collect.windows import Record
    from kr_secops.detect.engine import Matched
    from kr_secops.event import Event
    from kr_secops.rule.ruleset import Ruleset
    from kr_secops.rule.tree import Node

_ALWAYS: Final[Node] = ("and", ())
"""Stands for the log source of a rule that fits every event."""


def is_true(node: Node, low: Low) -> bool:
    """Return whether the tree *node* is true of the event whose values *low* gives."""
    op = node[0]
    if op == "and":
        return all(is_true(child, low) for child in node[1])
    if op == "or":
        return any(is_true(child, low) for child in node[1])
    if op == "not":
        return not is_true(node[1], low)
    if op == "name":
        return is_true(node[2], low)
    return holds(node, low)


class FullScan:
    """All rules of a set, to be asked one after the other."""

    def __init__(self, ruleset: Ruleset) -> None:
        self._sources: dict[Node, list[tuple[int, int, Node]]] = {}
        """Log source → alternative, rule and tree of each that has it; it is asked once for all."""
        compiled = ruleset.compiled
        known: set[tuple[int, int]] = set()
        for number, row in enumerate(compiled.value(compiled.head["alternatives"])):
            rule, named = row[0], row[3]
            if (rule, named) in known:  # a part of a tree that was split for the index
                continue
            known.add((rule, named))
            tree = compiled.value(named)
            self._sources.setdefault(_log_source(tree), []).append((number, rule, tree))

    def matched(self, event: Event) -> dict[int, int]:
        """Return the numbers of the rules true of *event*, each with that of an alternative."""
        low = Low(event)
        found: dict[int, int] = {}
        for source, rows in self._sources.items():
            if is_true(source, low):
                for number, rule, tree in rows:
                    if number < found.get(rule, number + 1) and is_true(tree, low):
                        found[rule] = number
        return found


def _log_source(tree: Node) -> Node:
    first: Node = conjuncts(tree)[0]
    return first if first[:2] == ("name", "logsource") else _ALWAYS


class FullScanEngine(Engine):
    """An engine that finds its matches by full scan; the rest is the engine's own."""

    @cached_property
    def _scan(self) -> FullScan:
        return FullScan(self._ruleset)

    def choose(self, collector_key: str, shapes: tuple[Shape, ...], data: bytes) -> None:
        """Take every line."""

    def look(self, record: Record, *, spoken: bool) -> Matched:
        """Take every record for its event."""
        del spoken
        return self._scan.matched(record.event())

    def _matched(self, event: Event) -> Matched:
        return self._scan.matched(event)
