"""Evidence as a reader sees it: the record, where it stands, and why the rule matched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

import orjson

from kr_secops.event import moment

if TYPE_CHECKING:
    from datetime import datetime

    from kr_secops.event import Event
    from kr_secops.finding import Evidence

LONGEST: Final = 3000
"""Characters of a record that are shown; the embedded data hold all of it."""
DEEPEST: Final = 16
MOST: Final = 150
"""Levels and nodes of an explanation that are shown."""
_VALUE: Final = 200


@dataclass(frozen=True, slots=True)
class Node:
    """A condition: a group of others, or one field compared."""

    kind: str
    """``and``, ``or``, ``not``, ``field``, ``more`` (cut here) or ``other``."""
    met: bool = True
    name: str = ""
    """The group's name in the rule, or the field."""
    operator: str = ""
    wanted: str = ""
    value: str | None = None
    nodes: tuple[Node, ...] = ()

    @property
    def shape(self) -> tuple[Any, ...]:
        """What is asked, without the values met: told once for events that meet it alike."""
        inner = tuple(node.shape for node in self.nodes)
        return self.kind, self.met, self.name, self.operator, self.wanted, inner


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One piece of evidence."""

    when: datetime | None
    source: str
    """File, channel or device the record comes from; may be empty."""
    offset: int | None
    record: str
    cut: int
    """Characters left out at the end."""
    node: Node | None


def exhibit(evidence: Evidence) -> Exhibit:
    """Return *evidence* ready to be shown."""
    event = evidence.event
    record = _record(event)
    offset = event.get("log.offset", event.get("winlog.record_id"))
    return Exhibit(
        when=_moment(event.get("@timestamp")),
        source=_text(event.get("log.file.path") or event.get("winlog.channel") or ""),
        offset=offset if isinstance(offset, int) else None,
        record=record[:LONGEST],
        cut=max(0, len(record) - LONGEST),
        node=_Pruner().node(evidence.explanation) if evidence.explanation else None,
    )


def _moment(text: object) -> datetime | None:
    try:
        when = moment(text) if isinstance(text, str) else None
        return when.astimezone(UTC) if when and when.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _record(event: Event) -> str:
    """Return the record as it stood, else what was made of it."""
    for name in ("event.original", "message"):
        if isinstance(text := event.get(name), str) and text.strip():
            return text.rstrip("\n")
    return _text(event)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value, default=str).decode()


class _Pruner:
    """Turns an explanation into nodes until enough of it has been shown."""

    def __init__(self) -> None:
        self._left = MOST

    def node(self, tree: Any, depth: int = 0) -> Node:
        """Return the node of *tree*, whatever it is."""
        self._left -= 1
        if self._left < 0 or depth > DEEPEST:
            return Node("more")
        if not isinstance(tree, dict):
            return Node("other", wanted=_short(tree))
        met = tree.get("true", True) is not False
        inner = tree.get("of")
        if isinstance(inner, list) and tree.get("op") in ("and", "or", "not"):
            name = _short(tree.get("name", ""))
            return Node(tree["op"], met, name, nodes=self._nodes(inner, depth))
        if "field" in tree:
            return Node(
                "field",
                met,
                _short(tree["field"] or "*"),
                _short(tree.get("is", "")),
                _short(tree.get("want", "")),
                _short(tree["value"]) if tree.get("value") is not None else None,
            )
        return Node("other", met, wanted=_short(tree))

    def _nodes(self, trees: list[Any], depth: int) -> tuple[Node, ...]:
        nodes: list[Node] = []
        for tree in trees:
            nodes.append(self.node(tree, depth + 1))
            if nodes[-1].kind == "more":
                break
        return tuple(nodes)


def _short(value: Any) -> str:
    text = _text(value)
    return text if len(text) <= _VALUE else text[: _VALUE - 1] + "…"
