"""Which fields rules look at, by their names in events, and what their authors called them.

for use in used(ruleset, ruleset.rules).values():
    use.name, len(use.rules), use.modifiers, use.sources
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from kr_secops import ecs
from kr_secops.rule.tree import field_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from kr_secops.rule.correlation import Correlation
    from kr_secops.rule.logsource import Pipelines
    from kr_secops.rule.metadata import Rule
    from kr_secops.rule.ruleset import Ruleset
    from kr_secops.rule.tree import Node

EVERYTHING: Final = "*"
"""Stands for the whole event, in which keywords are looked for."""
LOGSOURCE: Final = "logsource"
"""The name of the part of a tree that a pipeline put there."""

_PARTS: Final = ("taxonomy", "product", "category", "service")
_LITERALS: Final = {"=": "equals", "*": "contains", "^": "startswith", "$": "endswith"}
_WORDS: Final = {"glob": "wildcard", "ref": "fieldref", "word": "contains", "words": "re"}


@dataclass(slots=True)
class Use:
    """One field, and who looks at it how."""

    name: str
    rules: list[int] = field(default_factory=list)
    """Numbers of the rules, ascending."""
    modifiers: set[str] = field(default_factory=set)
    """As Sigma names them; ``equals`` where a rule says none."""
    sources: Counter[str] = field(default_factory=Counter)
    """Log source as the rules name it → rules."""

    @property
    def is_known(self) -> bool:
        """Whether ECS knows the field, or it lies in a name space of its own."""
        return self.name == EVERYTHING or ecs.is_known(self.name)


def used(ruleset: Ruleset, rules: Iterable[Rule]) -> dict[str, Use]:
    """Return field → its use by *rules*; what only picks the log source does not count."""
    correlations = {one.rule: one for one in ruleset.correlations}
    uses: dict[str, Use] = {}
    for rule in sorted(rules, key=lambda rule: rule.number):
        if rule.number in correlations:
            found = _counted(correlations[rule.number])
        else:
            found = _looked_at(ruleset.trees(rule.number))
        for name, modifiers in found.items():
            use = uses.setdefault(name, Use(name))
            use.rules.append(rule.number)
            use.modifiers |= modifiers
            use.sources[log_source(rule)] += 1
    return uses


def log_source(rule: Rule) -> str:
    """Return the log source that *rule* names, as ``product/category/service``."""
    parts = (rule.logsource.get(part, "") for part in _PARTS[1:])
    return "/".join(part for part in parts if part) or rule.kind


def _looked_at(trees: Iterable[Node]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for tree in trees:
        for leaf in leaves_of_author(tree):
            if leaf[0] in ("word", "words"):
                found.setdefault(EVERYTHING, set()).add(modifier(leaf))
                continue
            found.setdefault(leaf[1], set()).add(modifier(leaf))
            if leaf[0] == "ref":
                found.setdefault(leaf[2], set()).add(modifier(leaf))
    return found


def leaves_of_author(node: Node) -> Iterator[Node]:
    """Yield the leaves of *node* but those that a pipeline put there to pick the log source."""
    op = node[0]
    if op == "name":
        if node[1] != LOGSOURCE:
            yield from leaves_of_author(node[2])
    elif op in ("and", "or"):
        for child in node[1]:
            yield from leaves_of_author(child)
    elif op == "not":
        yield from leaves_of_author(node[1])
    else:
        yield node


def modifier(leaf: Node) -> str:
    """Return what Sigma calls the comparison that *leaf* makes."""
    op: str = leaf[0]
    if op == "lit":
        return _LITERALS[leaf[2]]
    if op in ("cmp", "part"):
        return str(leaf[2])
    return _WORDS.get(op, op)


def _counted(correlation: Correlation) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for _, by_rule in correlation.group_by:
        for names in by_rule.values():
            for name in names:
                found.setdefault(name, set()).add("group-by")
    for by_rule in correlation.values:
        for names in by_rule.values():
            for name in names:
                found.setdefault(name, set()).add(correlation.type)
    return found


def written(rules: Iterable[Rule], pipelines: Pipelines) -> dict[str, set[str]]:
    """Return field → the other names that the authors of *rules* wrote for it.

    The files are read anew: what is compiled has forgotten them.
    """
    by_file: dict[Path, set[str]] = {}
    for rule in rules:
        if rule.logsource:
            by_file.setdefault(rule.file, set()).add(rule.id)
    names: dict[tuple[str, ...], set[str]] = {}
    for path, ids in by_file.items():
        for document in _documents(path):
            if str(document.get("id") or document.get("name") or document.get("title")) in ids:
                found = names.setdefault(_source(document), set())
                for name, part in document["detection"].items():
                    found.update(_names(part) if name != "condition" else ())
    renamed: dict[str, set[str]] = {}
    for source, fields in names.items():
        for name, others in _mapped(source, sorted(fields), pipelines).items():
            for other in others - {name}:
                renamed.setdefault(other, set()).add(name)
    return renamed


def _documents(path: Path) -> Iterator[dict[str, Any]]:
    import yaml

    try:
        for document in yaml.load_all(path.read_bytes(), Loader=yaml.CSafeLoader):
            if isinstance(document, dict) and isinstance(document.get("detection"), dict):
                yield document
    except (OSError, yaml.YAMLError):  # gone or changed since it was compiled
        return


_PROBE: Final = "00000000-0000-4000-8000-000000000000"
"""An id, because a pipeline may ask for it."""


def _source(document: Mapping[str, Any]) -> tuple[str, ...]:
    source = document.get("logsource") or {}
    return (
        str(document.get("taxonomy") or ""),
        *(str(source.get(part) or "") for part in _PARTS[1:]),
    )


def _names(part: Any) -> Iterator[str]:
    """Yield the names of fields in a part of a detection: maps, or lists of maps."""
    if isinstance(part, list):
        for item in part:
            yield from _names(item)
    elif isinstance(part, dict):
        yield from filter(None, (str(key).partition("|")[0] for key in part))


def _mapped(
    source: Sequence[str], fields: Sequence[str], pipelines: Pipelines
) -> dict[str, set[str]]:
    """Return field → what *pipelines* call it in a rule about *source*."""
    from sigma.exceptions import SigmaError
    from sigma.rule import SigmaRule

    from kr_secops.rule.convert import UnsupportedError

    taxonomy, *rest = source
    probe = {
        "title": "probe",
        "id": _PROBE,
        "logsource": {part: value for part, value in zip(_PARTS[1:], rest, strict=True) if value},
        "detection": {f"p{i}": {f"{name}|exists": True} for i, name in enumerate(fields)}
        | {"condition": "1 of p*"},
        **({"taxonomy": taxonomy} if taxonomy else {}),
    }
    try:
        trees = pipelines.alternatives(
            SigmaRule.from_dict(probe), lambda: SigmaRule.from_dict(probe)
        )
    except (SigmaError, UnsupportedError):  # one odd name is no reason to fail
        return {}
    found: dict[str, set[str]] = {}
    for tree in trees:
        for name, part in _parts(tree):
            found.setdefault(fields[int(name[1:])], set()).update(field_names(part))
    return found


def _parts(node: Node) -> Iterator[tuple[str, Node]]:
    """Yield the parts of a tree that its author named, each with its name."""
    if node[0] == "name":
        if node[1] != LOGSOURCE:
            yield node[1], node[2]
    elif node[0] in ("and", "or"):
        for child in node[1]:
            yield from _parts(child)
