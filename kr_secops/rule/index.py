"""The index: which of an event's values make which rules worth looking at.

Events are filed by `witness.KEYS`. For each bucket of rules there is a table per field: exact
values in a dictionary, parts of values in one hyperscan database. A value looked up there gives
the numbers of the alternatives (a rule in one form) that may be true.
"""

from __future__ import annotations

import itertools
import marshal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from kr_secops.rule import keywords
from kr_secops.rule.generate import compile_tree
from kr_secops.rule.tree import conjuncts, field_names, plain
from kr_secops.rule.witness import KEYS, Weights, key_values, split, without_keys, witness

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kr_secops.rule.tree import Node
    from kr_secops.rule.witness import Literal

Key: TypeAlias = "tuple[str | None, str | None, str | None]"
"""Values of `KEYS`; None: whatever the event has."""

FEW: Final = 6
"""So many texts are looked for one by one; from then on hyperscan is quicker."""
_MOST_BUCKETS: Final = 64
_RECORDS: Final = (None, "windows")
"""Data sets whose events are Windows records."""

_FIRST_CHOICE: Final = {
    "winlog.provider_name": 0,
    "winlog.event_data.EventType": 0,
    "winlog.event_data.Image": 1,
    "winlog.event_data.ParentImage": 1,
    "winlog.event_data.OriginalFileName": 1,
    "winlog.event_data.CommandLine": 9,
}


@dataclass(slots=True)
class Alternative:
    """One form of one rule: its tree, its code, and code for what hangs on a single field."""

    rule: int
    tree: Node
    named: Node
    """The tree with the author's names, for explanations."""
    code: bytes
    by_field: dict[str, bytes]
    """Field → code of the conjuncts about it alone, where that is more than one literal."""
    witness: frozenset[Literal] = frozenset()
    """Where it is looked up; kind ``!``: whatever the field holds, even nothing."""


@dataclass(slots=True)
class Index:
    """What is written to the cache for matching events."""

    alternatives: list[Alternative] = field(default_factory=list)
    tables: list[tuple[bytes, tuple[int, ...]]] = field(default_factory=list)
    """Marshalled tables of a bucket, and the alternatives without any witness."""
    buckets: dict[Key, int] = field(default_factory=dict)
    keywords: bytes | None = b""
    """Database of the keywords of Windows records; see `keywords.database`."""
    privacy: tuple[str | None, ...] = ()
    """Data sets whose rules ask for personal data (``kr.pii.*``); None: rules for any."""


def build(trees: Iterable[tuple[int, Node]]) -> Index:
    """Return the index of *trees*, pairs of a rule's number and one of its alternatives."""
    named = list(trees)
    bare = [plain(tree) for _, tree in named]
    weights = Weights()
    for tree in bare:
        weights.count(tree)
    index = Index()
    members: dict[Key, list[int]] = {}
    for (rule, with_names), tree in zip(named, bare, strict=True):
        for branch in split(tree, weights):
            number = len(index.alternatives)
            made = _alternative(rule, branch, with_names)
            made.witness = _choose(made, weights)
            index.alternatives.append(made)
            for key in _keys(branch):
                members.setdefault(key, []).append(number)
    known: dict[tuple[int, ...], int] = {}
    for key, numbers in members.items():
        group = tuple(numbers)
        if group not in known:
            known[group] = len(index.tables)
            index.tables.append(_tables(group, index.alternatives))
        index.buckets[key] = known[group]
    index.keywords = keywords.database(
        text
        for number in {n for key, group in members.items() if key[0] in _RECORDS for n in group}
        for kind, _, text in index.alternatives[number].witness
        if kind == "w"
    )
    index.privacy = tuple(
        {
            key[0]: None
            for key, group in members.items()
            if any(_is_private(index.alternatives[number].tree) for number in group)
        }
    )
    return index


def _is_private(tree: Node) -> bool:
    return any(name.startswith("kr.pii.") for name in field_names(tree))


def _alternative(rule: int, tree: Node, named: Node) -> Alternative:
    by_field: dict[str, list[Node]] = {}
    for part in conjuncts(tree):
        name = _only_field(part)
        if name is not None and name not in KEYS:
            by_field.setdefault(name, []).append(part)
    codes = {}
    for name, parts in by_field.items():
        if len(parts) > 1 or not _is_literal(parts[0]):
            node = parts[0] if len(parts) == 1 else ("and", tuple(parts))
            codes[name] = marshal.dumps(compile_tree(node, name))
    return Alternative(rule, tree, named, marshal.dumps(compile_tree(tree, f"rule {rule}")), codes)


def _is_literal(node: Node) -> bool:
    return node[0] == "lit" or (node[0] == "or" and all(child[0] == "lit" for child in node[1]))


def _only_field(node: Node) -> str | None:
    """Return the one field that settles *node*; absent and null must be one for it."""
    op = node[0]
    if op in ("and", "or"):
        names = {_only_field(child) for child in node[1]}
        return names.pop() if len(names) == 1 else None
    if op == "not":
        return _only_field(node[1])
    name: str = node[1]
    return None if op in ("ref", "word", "words", "exists", "empty") else name


def _keys(tree: Node) -> list[Key]:
    values = [key_values(tree, name) for name in KEYS]
    size = 1
    for allowed in values:
        size *= len(allowed) if allowed else 1
    if size > _MOST_BUCKETS:
        values[2] = None
    parts = [sorted(allowed) if allowed is not None else [None] for allowed in values]
    return [(a, b, c) for a, b, c in itertools.product(*parts)]


def _tables(
    numbers: tuple[int, ...], alternatives: list[Alternative]
) -> tuple[bytes, tuple[int, ...]]:
    fields: dict[str, dict[Literal, list[int]]] = {}
    always = []
    for number in numbers:
        found = alternatives[number].witness
        if not found:
            always.append(number)
        for literal in found:
            fields.setdefault(literal[1], {}).setdefault(literal, []).append(number)
    words = fields.pop("", {})
    tables: Any = (
        [_table(name, found) for name, found in sorted(fields.items())],
        _table("", {("*", "", text): who for (_, _, text), who in words.items()}),
    )
    blob = marshal.dumps(tables)
    return blob, tuple(always)


def _choose(alternative: Alternative, weights: Weights) -> frozenset[Literal]:
    """Return the witness of *alternative*, or the field that says most about it."""
    found = witness(without_keys(alternative.tree), weights)
    if found and not any(kind == "?" for kind, _, _ in found):
        return found
    if alternative.by_field:
        best = min(alternative.by_field, key=lambda name: (_FIRST_CHOICE.get(name, 5), name))
        return frozenset({("!", best, "")})
    return found or frozenset()


def _table(name: str, found: dict[Literal, list[int]]) -> tuple[object, ...]:
    exact: dict[str, tuple[int, ...]] = {}
    present: tuple[int, ...] = ()
    always: tuple[int, ...] = ()
    parts: dict[str, list[tuple[str, tuple[int, ...]]]] = {}
    for (kind, _, text), numbers in found.items():
        if kind == "=":
            exact[text] = tuple(numbers)
        elif kind == "?":
            present += tuple(numbers)
        elif kind == "!":
            always += tuple(numbers)
        else:
            parts.setdefault(text, []).append((kind, tuple(numbers)))
    texts = [(text, tuple(who)) for text, who in parts.items()]
    database = b"" if len(texts) <= FEW else scanner([text for text, _ in texts])
    return name, exact, present, always, texts, database


def scanner(texts: list[str]) -> bytes:
    """Return a serialised hyperscan database that finds *texts*, each by its place in the list."""
    import hyperscan

    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[text.encode("utf-8", "surrogatepass") for text in texts],
        ids=list(range(len(texts))),
        elements=len(texts),
        flags=0,
        literal=True,
    )
    blob: bytes = hyperscan.dumpb(database)
    return blob
