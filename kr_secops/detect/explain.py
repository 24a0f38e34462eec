"""Why a rule matched: its condition as a tree, each part with the value it met.

{"op": "and", "of": [{"field": "event.action", "is": "equals", "want": "ssh_login",
                      "value": "ssh_login", "true": true}, …], "true": true, "name": "selection"}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kr_secops.detect.matcher import Low, holds, texts

if TYPE_CHECKING:
    from kr_secops.event import Event
    from kr_secops.rule.tree import Node

SHOWN: Final = 200
"""Characters of a value that an explanation shows."""
_MOST_LEAVES: Final = 20
"""Leaves of one branch that are shown."""
_MOST_UNMET: Final = 3
"""Leaves shown of a list of choices none of which is true."""

_KINDS: Final = {"=": "equals", "*": "contains", "^": "starts with", "$": "ends with"}
_OPERATORS: Final = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "eq": "==", "neq": "!="}


def explain(tree: Node, event: Event) -> dict[str, Any]:
    """Return why *event* makes *tree* true."""
    return _node(tree, Low(event))


def _node(node: Node, low: Low) -> dict[str, Any]:
    op = node[0]
    if op == "name":
        return {**_node(node[2], low), "name": node[1]}
    if op == "not":
        inner = _node(node[1], low)
        return {"op": "not", "of": [inner], "true": not inner["true"]}
    if op in ("and", "or"):
        parts = [_node(part, low) for part in node[1]]
        true = all(p["true"] for p in parts) if op == "and" else any(p["true"] for p in parts)
        if op == "or":
            # What made it true says all; of a list in which nothing is true, a few show its kind.
            parts = [part for part in parts if part["true"]] or parts[:_MOST_UNMET]
        return {"op": op, "of": parts[:_MOST_LEAVES], "true": true}
    return _leaf(node, low)


def _leaf(node: Node, low: Low) -> dict[str, Any]:
    true = holds(node, low)
    if node[0] in ("word", "words"):
        return {"field": "*", "is": _is(node), "want": _want(node), "value": "", "true": true}
    return {
        "field": node[1],
        "is": _is(node),
        "want": _want(node),
        "value": _shown(low.event.get(node[1])),
        "true": true,
    }


def _is(node: Node) -> str:
    op = node[0]
    if op == "lit":
        return _KINDS[node[2]]
    if op == "part":
        return f"{node[2]} {_OPERATORS[node[3]]}"
    if op == "cmp":
        return _OPERATORS[node[2]]
    if op == "ref":
        return f"{_KINDS[node[3]]} the value of"
    return {
        "glob": "is like",
        "cased": "is like (case matters)",
        "re": "matches",
        "null": "is absent",
        "empty": "is empty",
        "exists": "exists",
        "cidr": "is in network",
        "word": "contains",
        "words": "matches",
    }[str(op)]


def _want(node: Node) -> str:
    op = node[0]
    if op in ("null", "empty"):
        return ""
    if op in ("lit", "cmp"):
        return str(node[3])
    if op == "part":
        return str(node[4])
    if op in ("word", "words"):
        return str(node[1])[:SHOWN]
    return str(node[2])[:SHOWN]


def _shown(value: Any) -> str:
    text = ", ".join(texts(value))
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
