"""Conditions that no event can meet, that every event meets, or that every event must be put to.

What is said here is certain: parts are compared as texts, nothing is guessed. That some condition
can never be true and is not named is possible.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from sigma.exceptions import SigmaError

from kr_secops import ecs
from kr_secops.rule.convert import UnsupportedError, from_detections
from kr_secops.rule.tree import leaves, plain
from kr_secops.rule.witness import Weights, witness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sigma.rule import SigmaRule

    from kr_secops.rule.advice.items import Advice
    from kr_secops.rule.tree import Node

_MOST_LEAVES: Final = 400
"""Lists longer than this are not compared with each other."""
_CONDITION: Final = ("detection", "condition")
_HELD: Final = frozenset({"lit", "glob", "cased", "re", "cidr", "cmp", "part"})
"""Leaves that are true only where the field has a value."""


def advise(rule: SigmaRule) -> Iterator[Advice]:
    """Yield what is certain about the condition of *rule*."""
    try:
        named = from_detections(rule.detection, {})
    except (UnsupportedError, SigmaError, RecursionError):
        return  # a list of the site's own is missing, or the compiler says what is wrong
    tree = plain(named)
    lists = frozenset(ecs.schema().arrays) if rule.taxonomy == "ecs" else frozenset({"Data"})
    if _is_never(tree, lists):
        yield _CONDITION, "can never be true"
    elif _is_always(tree, lists):
        yield _CONDITION, "is always true"
    else:
        for name, part in _parts(named):
            if _is_never(plain(part), lists):
                yield ("detection", name), "can never be true"
        if _is_costly(tree):
            yield (
                ("detection",),
                "no text is sure to be there, so every event of the log source is put to the rule",
            )


def _parts(node: Node) -> Iterator[tuple[str, Node]]:
    if node[0] == "name":
        yield node[1], node[2]
    elif node[0] == "not":
        yield from _parts(node[1])
    elif node[0] in ("and", "or"):
        for child in node[1]:
            yield from _parts(child)


def _is_costly(tree: Node) -> bool:
    found = witness(tree, Weights())
    return found is None or all(kind == "?" for kind, _, _ in found)


def _is_never(node: Node, lists: frozenset[str]) -> bool:
    op = node[0]
    if op == "or":
        return all(_is_never(child, lists) for child in node[1])
    if op == "not":
        return _is_always(node[1], lists)
    return op == "and" and (
        any(_is_never(part, lists) for part in node[1]) or _is_at_odds(node, lists)
    )


def _is_at_odds(node: Node, lists: frozenset[str]) -> bool:
    """Return whether the parts of a conjunction, each possible, exclude each other."""
    parts = node[1]
    if any(part[0] == "not" and _all_imply(parts, part[1]) for part in parts):
        return True
    empty = {part[1] for part in parts if part[0] == "null"}
    if any(part[0] in _HELD and part[1] in empty for part in parts):
        return True
    names = {leaf[1] for part in parts for leaf in _exact(part)} - lists
    return any(_values(node, name) == frozenset() for name in names)


def _is_always(node: Node, lists: frozenset[str]) -> bool:
    op = node[0]
    if op == "and":
        return all(_is_always(child, lists) for child in node[1])
    if op == "not":
        return _is_never(node[1], lists)
    if op != "or":
        return False
    if any(_is_always(part, lists) for part in node[1]):
        return True
    return any(
        part[0] == "not" and any(_implies(part[1], other) for other in node[1] if other != part)
        for part in node[1]
    )


def _all_imply(parts: tuple[Node, ...], wanted: Node) -> bool:
    others = tuple(part for part in parts if part[0] != "not")
    return bool(others) and _implies(others[0] if len(others) == 1 else ("and", others), wanted)


@lru_cache(8192)
def _size(node: Node) -> int:
    return sum(1 for _ in leaves(node))


def _implies(a: Node, b: Node) -> bool:
    """Return whether every event that meets *a* is sure to meet *b*."""
    if a == b:
        return True
    if min(_size(a), _size(b)) > 1 and _size(a) * _size(b) > _MOST_LEAVES**2:
        return False
    if b[0] == "and":
        return all(_implies(a, part) for part in b[1])
    if a[0] == "or":
        return all(_implies(part, b) for part in a[1])
    return (
        (b[0] == "or" and any(_implies(a, part) for part in b[1]))
        or (a[0] == "and" and any(_implies(part, b) for part in a[1]))
        or (a[0] == b[0] == "not" and _implies(b[1], a[1]))
        or (a[0] in _HELD and b[0] in ("lit", "exists") and a[1] == b[1] and _leaf_implies(a, b))
    )


def _leaf_implies(a: Node, b: Node) -> bool:
    if b[0] == "exists":
        return bool(b[2])
    if a[0] != "lit":
        return False
    (kind, text), (wanted, part) = a[2:4], b[2:4]
    if wanted == "*":
        return part in text
    same = {"^": text.startswith, "$": text.endswith, "=": text.__eq__}[wanted](part)
    return kind in ("=", wanted) and bool(same)


def _exact(node: Node) -> Iterator[Node]:
    """Yield the leaves of *node* that name a whole value, where *node* is one or a list of them."""
    parts = node[1] if node[0] == "or" else (node,)
    if all(part[0] == "lit" and part[2] == "=" for part in parts):
        yield from parts


def _values(node: Node, name: str) -> frozenset[str] | None:
    """Return the values of a field that the conjunction *node* allows; None: any."""
    allowed: frozenset[str] | None = None
    for part in node[1]:
        found = list(_exact(part))
        if found and all(leaf[1] == name for leaf in found):
            values = frozenset(leaf[3] for leaf in found)
            allowed = values if allowed is None else allowed & values
    return allowed
