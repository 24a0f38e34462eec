"""What is left of a rule once it is known how a line looks: most rules cannot be true at all.

A collector's shape states fields with a fixed value and fields that stand in the line as they are.
A rule's tree is evaluated against that in three values: true, false, or a smaller tree of what the
line itself decides. Of that remainder come the texts that a line must hold.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from kr_secops import ecs
from kr_secops.collect.builder import NUMBERS
from kr_secops.detect.matcher import NOT_WORDS, Low, holds
from kr_secops.rule.witness import KEYS, key_values

if TYPE_CHECKING:
    from collections.abc import Callable

    from kr_secops.collect.interface import Shape
    from kr_secops.rule.tree import Node

DECODED: Final = "kr.url.decoded"
"""The request target, ``+`` as space and percent-decoded up to twice: derived, but only where the
line holds a ``%``; elsewhere it stands in the line but for case and ``+``."""

PRIVACY: Final = "kr.pii."
"""Fields that privacy adds: absent from a line in which privacy finds nothing."""

_READER: Final = """
    @timestamp ecs.version event.original event.timezone event.kind event.ingested message
    host.name host.hostname log.file.path log.offset related.ip related.user related.hosts
"""
_ADDED: Final = frozenset(_READER.split())
"""Fields that a reader may add, whether a shape names them or not."""

_MASK: Final = "*"
_USABLE: Final = re.compile(r"[ -~]+")
_MOST_SPACES: Final = 3


@dataclass(frozen=True, slots=True)
class Text:
    """Bytes to look for in a block."""

    data: bytes
    caseless: bool = True
    decoded: bool = False
    """Look for it in the decoded form of lines with a ``%``."""


Texts: TypeAlias = frozenset[Text]
Cost: TypeAlias = "Callable[[Text], float]"


def is_filed_elsewhere(node: Node, shape: Shape) -> bool:
    """Return whether *node* is about other data sets, channels or codes than *shape* has."""
    for name in KEYS:
        allowed = key_values(node, name)
        if allowed is None or _is_open(name, shape):
            continue
        if str(shape.constants.get(name, "")).lower() not in allowed:
            return True
    return False


def residue(node: Node, shape: Shape) -> Node | bool:
    """Return what of *node* a line of *shape* still has to decide: a tree, True or False."""
    op = node[0]
    if op == "not":
        inner = residue(node[1], shape)
        return not inner if isinstance(inner, bool) else ("not", inner)
    if op in ("and", "or"):
        deciding = op == "or"
        rest = []
        for child in node[1]:
            found = residue(child, shape)
            if found is deciding:
                return deciding
            if not isinstance(found, bool):
                rest.append(found)
        if not rest:
            return not deciding
        return rest[0] if len(rest) == 1 else (op, tuple(rest))
    return _leaf(node, shape)


def _leaf(node: Node, shape: Shape) -> Node | bool:
    if node[0] in ("word", "words"):
        constants = {k: v for k, v in shape.constants.items() if k != "event.original"}
        return _test(node, constants) or node
    names = [node[1], node[2]] if node[0] == "ref" else [node[1]]
    if any(_is_open(name, shape) for name in names):
        return node
    return _test(node, {name: shape.constants[name] for name in names if name in shape.constants})


def _is_open(name: str, shape: Shape) -> bool:
    if name in shape.fields or name in shape.derived:
        return True
    return name not in shape.constants and name in _ADDED


def _test(node: Node, event: dict[str, Any]) -> bool:
    return holds(node, Low(event))


def texts(node: Node, shape: Shape, cost: Cost) -> Texts | None:
    """Return texts of which a line of *shape* holds one if *node* is true; None: none are sure."""
    op = node[0]
    if op == "and":
        found = [t for t in (texts(child, shape, cost) for child in node[1]) if t is not None]
        return min(found, key=lambda t: total(t, cost), default=None)
    if op == "or":
        parts = [texts(child, shape, cost) for child in node[1]]
        if any(part is None for part in parts):
            return None
        return frozenset().union(*(part for part in parts if part is not None))
    return _leaf_texts(node, shape, cost)


def requirements(node: Node, shape: Shape, cost: Cost) -> list[Texts]:
    """Return sets of texts, rarest first, of each of which such a line holds one."""
    parts = node[1] if node[0] == "and" else (node,)
    found = [texts(part, shape, cost) for part in parts]
    sets = {wanted for wanted in (*found, anchors(shape)) if wanted is not None}
    return sorted(sets, key=lambda t: (total(t, cost), sorted(x.data for x in t)))


def total(wanted: Texts, cost: Cost) -> float:
    """Return the expected number of finds of all of *wanted*."""
    return sum(cost(text) for text in wanted)


def _leaf_texts(node: Node, shape: Shape, cost: Cost) -> Texts | None:
    op = node[0]
    if op == "word":
        return _word(node[1], shape, cost)
    if op == "words":
        return _word(node[3][0], shape, cost) if node[3] else None
    name = node[1]
    if op == "lit":
        wanted = _with_edges(node, shape)
    elif op in ("glob", "cased", "re") and node[-1]:
        wanted = node[-1][0]
    else:
        return None
    if name == DECODED:
        return _decoded(wanted, cost)
    if name not in shape.fields and name != "event.original":
        return None
    return _plain(wanted, cost)


def _with_edges(leaf: Node, shape: Shape) -> str:
    """Return the text that *leaf* looks for, with what stands around it in such a line."""
    _, name, kind, text = leaf
    wanted: str = text
    before, after, widest = shape.edges.get(name, ("", "", 0))
    if kind in "=$":
        wanted += after
    # What is a number loses its zeros; those of a status of three digits are none.
    number = ecs.schema().types.get(name) in NUMBERS
    whole = not number or (kind == "=" and widest == len(text))
    return before + wanted if kind in "=^" and whole else wanted


def _word(wanted: str, shape: Shape, cost: Cost) -> Texts | None:
    """A keyword may stand in any field, so it may be derived where any field searched is."""
    hidden = [
        name for name in shape.derived if name not in NOT_WORDS and not name.startswith("kr.")
    ]
    return None if hidden else _plain(wanted, cost)


def _runs(text: str) -> list[str]:
    """Return the parts of *text* that stand in a line as these bytes, whatever their case.

    Letters beyond ASCII change length with case and encoding; a mask may put ``*`` anywhere.
    """
    return [run for part in _USABLE.findall(text) for run in part.split(_MASK) if len(run) > 1]


def _plain(text: str, cost: Cost) -> Texts | None:
    options = [frozenset({Text(run.encode())}) for run in _runs(text)]
    return min(options, key=lambda t: (total(t, cost), sorted(x.data for x in t)), default=None)


def _decoded(text: str, cost: Cost) -> Texts | None:
    """Return texts for the decoded target: as it may stand in a line, and once decoded."""
    options = []
    for whole in _runs(text):
        run, parts = whole, whole.split(" ")
        if len(parts) - 1 > _MOST_SPACES:
            run = max(parts, key=len)
            parts = [run]
        if len(run) <= 1:
            continue
        written = (
            {Text(_woven(parts, chosen).encode()) for chosen in _weaves(len(parts) - 1)}
            if "+" not in run
            else set()  # a plus sign in the decoded form was %2b in the line
        )
        options.append(frozenset({*written, Text(run.encode(), decoded=True)}))
    return min(options, key=lambda t: (total(t, cost), sorted(x.data for x in t)), default=None)


def _weaves(spaces: int) -> list[tuple[str, ...]]:
    return list(itertools.product(" +", repeat=spaces))


def _woven(parts: list[str], between: tuple[str, ...]) -> str:
    return "".join(part + (between[i] if i < len(between) else "") for i, part in enumerate(parts))


def anchors(shape: Shape) -> Texts | None:
    """Return the texts that every line of *shape* holds one of; None if none are known."""
    if not shape.anchors or not all(shape.anchors):
        return None
    return frozenset(Text(anchor.encode(), caseless=False) for anchor in shape.anchors)
