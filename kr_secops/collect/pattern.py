r"""Patterns as collectors write them: regular expressions whose groups are named as ECS fields.

Failed (?P<kr.ssh.method>\S+) for (?P<user.name>\S*) from (?P<source.address>\S+)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# The parser of Python's own expressions has no public name; it alone knows what they must hold.
sre: Any = import_module("re._constants")
sre_parser: Any = import_module("re._parser")

_NAMED: Final = re.compile(r"\(\?P<(@?[a-z][a-z0-9_.]*|@timestamp)>")
_META: Final = frozenset("\\.[](){}*+?|^$")
EDGE: Final = 8
"""Characters of an edge that are told."""
WIDEST: Final = 1 << 15
MOST_SPELLINGS: Final = 8
"""Texts that a choice of words within a run may multiply to."""


class Edge(NamedTuple):
    """What surely stands right before and right behind what a group holds."""

    before: str
    after: str
    widest: int
    """Characters that the group holds at most."""


@dataclass(frozen=True)  # no slots: cached_property needs a dictionary
class Pattern:
    """A regular expression, the fields its groups hold, and what is certain of what it matches."""

    text: str
    """As Python writes it, its groups without names."""
    fields: tuple[str, ...]
    """One a group, in order."""
    optional: frozenset[str]
    """Fields whose group may take no part or match nothing."""
    anchors: tuple[str, ...]
    """ASCII texts of which one stands in whatever it matches; empty if none is certain."""
    edges: dict[str, Edge]
    """Field → what stands around its group."""

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """The expression, compiled when first used: most of a run's collectors meet no log."""
        return re.compile(self.text)


_KNOWN: Final[dict[str, Pattern]] = {}


def compile_pattern(text: str) -> Pattern:
    """Return the pattern that *text* is.

    Raises:
        ValueError: it is no regular expression, or has a group that names no field.
    """
    found = _KNOWN.get(text)
    if found is None:
        found = _KNOWN[text] = _understood(text)
    return found


def known() -> dict[str, tuple[Any, ...]]:
    """Return what is known of every pattern so far, as plain values for `remember`."""
    return {
        text: (
            *(found.fields, sorted(found.optional), found.anchors),
            {name: tuple(edge) for name, edge in found.edges.items()},
        )
        for text, found in _KNOWN.items()
    }


def remember(rows: dict[str, list[Any]]) -> None:
    """Take over what `known` gave to an earlier run of the same Python."""
    for text, (fields, optional, anchors, edges) in rows.items():
        bare = _NAMED.sub("(", text)
        around = {name: Edge(*edge) for name, edge in edges.items()}
        _KNOWN[text] = Pattern(bare, tuple(fields), frozenset(optional), tuple(anchors), around)


def _understood(text: str) -> Pattern:
    fields = tuple(_NAMED.findall(text))
    bare = _NAMED.sub("(", text)
    try:
        tree = sre_parser.parse(bare)
        regex = re.compile(bare)
    except (re.error, RecursionError, OverflowError) as e:
        raise ValueError(f"no regular expression: {e}") from None
    if regex.groups != len(fields):
        raise ValueError("every capturing group names a field: (?P<user.name>…); else write (?:…)")
    if len(set(fields)) != len(fields):
        double = next(name for name in fields if fields.count(name) > 1)
        raise ValueError(f"{double} is captured twice")
    sure = set(_certain_groups(tree))
    optional = frozenset(name for i, name in enumerate(fields, 1) if i not in sure)
    insensitive = bool(regex.flags & re.IGNORECASE)
    edges = {fields[group - 1]: edge for group, edge in _edges(list(tree), "", "")}
    return Pattern(bare, fields, optional, () if insensitive else _anchors(tree), edges)


def literal_prefix(text: str) -> str:
    """Return the text with which everything that *text* matches begins, found without parsing.

    What is returned may be shorter than it could be, never longer.
    """
    end = 0
    while end < len(text):
        if text[end] == "\\" and text[end + 1 : end + 2] in _META:
            end += 2
        elif text[end] in _META:
            break
        else:
            end += 1
    following = text[end : end + 1]
    if "|" in text and _has_open_alternative(text):
        return ""
    prefix = re.sub(r"\\(.)", r"\1", text[:end])
    return prefix[:-1] if following and following in "*+?{" else prefix


def _has_open_alternative(text: str) -> bool:
    """Return whether *text* has a ``|`` outside all groups: then nothing at its start is sure."""
    depth = 0
    for sign in re.findall(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()|]", text):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if (sign, depth) == ("|", 0):
            return True
    return False


def _certain_groups(tree: Iterable[Any]) -> Iterable[int]:
    """Yield the groups that hold a character whenever *tree* matches."""
    for op, value in tree:
        if op is sre.SUBPATTERN:
            group, _, _, inner = value
            if group is not None and inner.getwidth()[0]:
                yield group
            yield from _certain_groups(inner)
        elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            least, _, inner = value
            if least:
                yield from _certain_groups(inner)
        elif op is sre.ATOMIC_GROUP:
            yield from _certain_groups(value)


def _edges(parts: list[Any], before: str, after: str) -> Iterator[tuple[int, Edge]]:
    """Yield the groups of *parts*, which stand between *before* and *after*, with their edges."""
    for i, (op, value) in enumerate(parts):
        left = _run(reversed(parts[:i]), before[::-1])[::-1]
        right = _run(iter(parts[i + 1 :]), after)
        if op is sre.SUBPATTERN:
            group, flags, without, inner = value
            if flags or without:
                continue
            if group is not None:
                yield group, Edge(left, right, min(inner.getwidth()[1], WIDEST))
            yield from _edges(list(inner), left, right)
        elif op is sre.BRANCH:
            for branch in value[1]:
                yield from _edges(list(branch), left, right)
        elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            once = value[1] == 1
            yield from _edges(list(value[2]), left if once else "", right if once else "")
        elif op is sre.ATOMIC_GROUP:
            yield from _edges(list(value), left, right)


def _run(parts: Iterable[Any], beyond: str) -> str:
    """Return the literal text that *parts* begin with, and *beyond* if they are nothing else."""
    text = ""
    for op, value in parts:
        if op is sre.AT:  # has no width
            continue
        if op is not sre.LITERAL or not 32 <= value < 127:  # noqa: PLR2004
            return text[:EDGE]
        text += chr(value)
    return (text + beyond)[:EDGE]


def _anchors(tree: Iterable[Any]) -> tuple[str, ...]:
    """Return the best witness of *tree*: texts of which one must stand in what it matches."""
    choices = [choice for choice in _witnesses(tree) if choice and all(choice)]
    # The weakest text of a choice decides how selective it is; fewer texts are cheaper.
    return max(choices, key=lambda choice: (min(map(len, choice)), -len(choice)), default=())


def _witnesses(tree: Iterable[Any]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    runs = [""]

    def close() -> None:
        nonlocal runs
        if all(runs):
            found.append(tuple(dict.fromkeys(runs)))
        runs = [""]

    for op, value in _inline(tree):
        spellings = _spellings(op, value)
        if spellings and len(spellings) * len(runs) <= MOST_SPELLINGS:
            runs = [run + spelling for run in runs for spelling in spellings]
            continue
        close()
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            if value[0]:
                found += _witnesses(value[2])
        elif op is sre.BRANCH:
            parts = [_anchors(branch) for branch in value[1]]
            if all(parts):
                found.append(tuple(dict.fromkeys(text for part in parts for text in part)))
        elif op is sre.SUBPATTERN:
            continue  # carries flags of its own: nothing is certain
    close()
    return found


def _spellings(op: Any, value: Any) -> list[str]:
    """Return every text that this part can be; empty if it can be more than a few."""
    if op is sre.LITERAL and value < 128:  # noqa: PLR2004
        return [chr(value)]
    if op is sre.AT:  # has no width
        return [""]
    if op is not sre.BRANCH:
        return []
    texts: list[str] = []
    for branch in value[1]:
        parts = [_spellings(*part) for part in _inline(branch)]
        if any(len(part) != 1 for part in parts):
            return []
        texts.append("".join(part[0] for part in parts))
    return texts


def _inline(tree: Iterable[Any]) -> Iterable[tuple[Any, Any]]:
    """Yield the parts of *tree* with plain groups opened."""
    for op, value in tree:
        if op is sre.SUBPATTERN and not value[1] and not value[2]:
            yield from _inline(value[3])
        elif op is sre.ATOMIC_GROUP:
            yield from _inline(value)
        else:
            yield op, value
