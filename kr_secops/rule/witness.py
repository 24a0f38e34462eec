"""Witnesses: texts of which one must be present wherever a tree is true, and the rarest of them.

A rule is looked at only where its witness is found, so what matching costs hangs on how rare the
witnesses are, not on how many rules there are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from kr_secops.rule.tree import conjuncts, field_names, leaves

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kr_secops.rule.tree import Node

Literal: TypeAlias = tuple[str, str, str]
"""(kind, field, text): kinds of `tree`'s ``lit``, ``?`` for "has a value", ``w`` for a keyword."""

KEYS: Final = ("event.dataset", "winlog.channel", "event.code")
"""What an event is filed under: rules that name other values of these are never looked at."""

SHORTEST_RUN: Final = 3
_MOST_BRANCHES: Final = 12

_FEW: Final = """
    event.action event.outcome event.type event.category event.kind event.module log.level
    http.request.method http.response.status_code http.version network.transport kr.ssh.method
    process.name url.extension
"""
_FEW_IN_WINDOWS: Final = """
    EventType Company IntegrityLevel User Protocol Initiated Signed SignatureStatus LogonType
    LogonId ObjectType ShareName Status AccessMask AuthenticationPackageName ParentUser
    LogonProcessName Product Description Operation Details Type State Service Task
"""
_FEW_VALUES: Final = frozenset(
    (*_FEW.split(), *(f"winlog.event_data.{name}" for name in _FEW_IN_WINDOWS.split()))
)
"""Fields that hold the same few values in most events: an exact value there says little."""

_EVERYWHERE: Final = (
    "c:\\windows\\system32\\cmd.exe",
    "c:\\windows\\system32\\svchost.exe",
    "c:\\windows\\system32\\rundll32.exe",
    "c:\\windows\\system32\\services.exe",
    "c:\\windows\\system32\\windowspowershell\\v1.0\\powershell.exe",
    "c:\\windows\\syswow64\\",
    "c:\\windows\\explorer.exe",
    "c:\\windows\\temp\\",
    "c:\\program files (x86)\\",
    "c:\\programdata\\microsoft\\windows\\start menu\\programs\\",
    "c:\\users\\public\\appdata\\local\\temp\\",
    "\\appdata\\roaming\\microsoft\\windows\\",
    "hklm\\software\\microsoft\\windows\\currentversion\\",
    "hklm\\system\\currentcontrolset\\services\\",
    "https://www.",
    "http://",
    "/usr/bin/",
    "/var/www/html/index.php",
)
"""Texts whose parts stand in a good share of ordinary events."""


@dataclass(slots=True)
class Weights:
    """Judges how often a literal will be met."""

    popularity: dict[str, int] = field(default_factory=dict)
    """Text → number of rules that use it: what many rules look for is usually common."""

    def count(self, node: Node) -> None:
        """Note the literals of one rule."""
        for text in {leaf[3] for leaf in leaves(node) if leaf[0] == "lit"}:
            self.popularity[text] = self.popularity.get(text, 0) + 1

    def of(self, literal: Literal) -> float:
        """Return the expected frequency of *literal*, in arbitrary units."""
        kind, name, text = literal
        if kind == "?":
            return 30.0
        used = self.popularity.get(text, 1) - 1
        if kind == "=":
            return 0.4 if name in _FEW_VALUES else 0.02 + 0.01 * used
        if not text.isascii():
            return 1e-3
        if any(text in common for common in _EVERYWHERE):
            return 1.0
        rarity: float = 10 ** (-min(len(text), 24) / 7)
        # A keyword is mostly a word of the attack itself, and looked for in any case.
        return (1 + 0.3 * used) * (0.1 * rarity if kind == "w" else rarity)

    def total(self, literals: Iterable[Literal]) -> float:
        """Return the expected frequency of meeting any of *literals*."""
        return sum(self.of(literal) + 1e-6 for literal in literals)


def witness(node: Node, weights: Weights) -> frozenset[Literal] | None:
    """Return literals of which one is true in every event where *node* is; None if none are sure."""
    op = node[0]
    if op == "and":
        found = [w for w in (witness(child, weights) for child in node[1]) if w is not None]
        return min(found, key=lambda w: (weights.total(w), sorted(w)), default=None)
    if op == "or":
        parts = [witness(child, weights) for child in node[1]]
        if any(part is None for part in parts):
            return None
        return frozenset().union(*(part for part in parts if part is not None))
    return _leaf_witness(node)


def _leaf_witness(node: Node) -> frozenset[Literal] | None:
    op = node[0]
    if op in ("word", "words"):
        text = node[1] if op == "word" else (node[3] or ("",))[0]
        return frozenset({("w", "", text)}) if len(text) > 1 else None
    if op not in ("lit", "glob", "cased", "re", "cidr", "cmp", "ref", "part"):
        return None
    name = node[1]
    if op == "lit" and (node[2] == "=" or len(node[3]) > 1 or not node[3].isascii()):
        return frozenset({(node[2], name, node[3])})
    if op in ("glob", "cased", "re") and node[-1] and len(node[-1][0]) >= SHORTEST_RUN:
        return frozenset({("*", name, node[-1][0])})
    return frozenset({("?", name, "")})


def key_values(node: Node, name: str) -> frozenset[str] | None:
    """Return the values of *name* that *node* allows, lower-cased; None: any."""
    op = node[0]
    if op == "lit" and node[1] == name and node[2] == "=":
        return frozenset({node[3]})
    if op in ("and", "or"):
        sets = [key_values(child, name) for child in node[1]]
        known = [values for values in sets if values is not None]
        if op == "and":
            return frozenset.intersection(*known) if known else None
        if len(known) == len(sets):
            return frozenset().union(*known)
    return None


def without_keys(node: Node) -> Node:
    """Return *node* without the parts that the filing by `KEYS` has settled already."""
    rest = tuple(part for part in conjuncts(node) if not _is_about_key(part))
    return rest[0] if len(rest) == 1 else ("and", rest)


def _is_about_key(node: Node) -> bool:
    if node[0] == "or":
        return len({child[1] for child in node[1]}) == 1 and all(map(_is_about_key, node[1]))
    return node[0] == "lit" and node[2] == "=" and node[1] in KEYS


def split(node: Node, weights: Weights) -> list[Node]:
    """Return trees of which one is true where *node* is, so that each has a witness of its own.

    Worth it where the best witness of a conjunction is an alternative over several fields.
    """
    if node[0] == "or":
        by_field: dict[str, list[Node]] = {}
        branches: list[Node] = []
        for child in node[1]:
            names = field_names(child)
            if len(names) == 1:
                by_field.setdefault(min(names), []).append(child)
            else:
                branches += split(child, weights)
        branches += [
            children[0] if len(children) == 1 else ("or", tuple(children))
            for children in by_field.values()
        ]
        return branches if len(branches) <= _MOST_BRANCHES else [node]
    if node[0] == "and":
        return _split_conjunction(node, weights)
    return [node]


def _split_conjunction(node: Node, weights: Weights) -> list[Node]:
    best: Node | None = None
    best_total = 0.0
    for child in node[1]:
        if child[0] != "or" or len(field_names(child)) == 1:
            continue
        found = witness(child, weights)
        if found is not None and (best is None or weights.total(found) < best_total):
            best, best_total = child, weights.total(found)
    whole = witness(node, weights)
    if best is None or whole is None or best_total > weights.total(whole) * 1.0001:
        return [node]
    branches = split(best, weights)
    if not 1 < len(branches) <= _MOST_BRANCHES:
        return [node]
    rest = tuple(child for child in node[1] if child is not best)
    return [("and", (*conjuncts(branch), *rest)) for branch in branches]
