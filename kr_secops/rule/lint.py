"""What a rule should have beside being readable: for ``rule check``, each with its place."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from sigma.correlations import SigmaCorrelationRule
from sigma.filters import SigmaFilter
from sigma.rule import SigmaRule

from kr_secops import ecs
from kr_secops.document import did_you_mean
from kr_secops.rule.advice import expressions, groups, logic, values
from kr_secops.rule.advice.items import items
from kr_secops.rule.advice.validators import Validators
from kr_secops.rule.source import STATUSES, find_files, read_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from kr_secops.document import Route
    from kr_secops.rule.ruleset import Ruleset
    from kr_secops.rule.source import Draft

Weight = Literal["error", "waiting", "warning"]
"""``waiting``: the rule is sound, and left out until the site gives a list."""

_KEYS: Final = """
    title id name taxonomy related status description license references tags author date
    modified fields falsepositives level scope logsource detection correlation filter kr
    regression_tests_path simulation
"""
KEYS: Final = frozenset(_KEYS.split())
"""Top-level keys of Sigma 2.1, ours, and two that SigmaHQ uses."""

NAMESPACES: Final = frozenset(
    {"attack", "car", "cve", "d3fend", "detection", "stp", "tlp", "privacy"}
)
_PLACE: Final = re.compile(r"(.*?):(\d+):(\d+): ")
_TAG: Final = re.compile(r"[a-z0-9_-]+\.[a-z0-9._-]+")
_TECHNIQUE: Final = re.compile(r"t\d{4}(\.\d{3})?")
_WORD: Final = re.compile(r"[A-Za-z0-9_*-]+")
_CONDITION_WORDS: Final = frozenset({"and", "or", "not", "of", "1", "all", "any"})


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to mend."""

    weight: Weight
    text: str
    """``path:line:column: key: problem``."""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a rule is checked against beside Sigma; what is None is not checked."""

    ruleset: Ruleset | None = None
    """The same rules loaded: what was refused there and only there is named too."""
    techniques: Mapping[str, str] | None = None
    """Technique of ATT&CK in force → ``""``; retired → what took its place, or ``"nothing"``."""
    produced: Mapping[str, frozenset[str] | None] | None = None
    """Data set of a collector → the fields that its events can have; None: any."""


def check(paths: Iterable[Path], around: Surroundings | None = None) -> list[Remark]:
    """Return every remark on the rules below *paths*, in order of their files."""
    around = around or Surroundings()
    remarks: list[Remark] = []
    seen: dict[tuple[str, str], str] = {}
    validators = Validators()
    for path, _ in find_files(paths):
        drafts, complaints = read_file(path)
        remarks += [Remark("error", text) for text in complaints]
        for draft in drafts:
            remarks += [Remark("error", text) for text in draft.complaints]
            remarks += _same(draft, seen)
            remarks += _check(draft, around)
            remarks += _advise(draft, validators)
        own = [d for d in drafts if not isinstance(d.parsed, SigmaFilter) and _is_ours(d)]
        if own and not path.with_name(f"{path.stem}.test.yaml").is_file():
            text = own[0].document.complain((), f"has no tests ({path.stem}.test.yaml)")
            remarks.append(Remark("warning", text))
    remarks += _of_the_set(around, {remark.text for remark in remarks})
    return _in_order(remarks)


def _in_order(remarks: list[Remark]) -> list[Remark]:
    """Return *remarks* without doubles, file by file, from each file's beginning to its end."""
    places = {remark: _PLACE.match(remark.text) for remark in remarks}
    files: dict[str, int] = {}
    for place in places.values():
        files.setdefault(place[1] if place else "", len(files))
    return sorted(
        places,
        key=lambda one: (files[m[1]], int(m[2]), int(m[3])) if (m := places[one]) else (-1, 0, 0),
    )


def _of_the_set(around: Surroundings, known: set[str]) -> Iterator[Remark]:
    """Yield what shows only when all rules are loaded together."""
    if around.ruleset is None:
        return
    for refusal in around.ruleset.refused:
        if refusal.complaint not in known:
            yield Remark("waiting" if refusal.is_unanswered else "error", refusal.complaint)
    for path, problem in groups.advise(around.ruleset, around.produced or {}):
        yield Remark("warning", f"{path}: group-by: {problem}")


def _advise(draft: Draft, validators: Validators) -> Iterator[Remark]:
    """Yield what is sound and could be better."""
    document, parsed = draft.document, draft.parsed
    if draft.complaints or parsed is None:
        return
    section = "filter" if isinstance(parsed, SigmaFilter) else "detection"
    found: list[tuple[Route, str]] = []
    if isinstance(document.value.get(section), dict):
        for item in items(section, document.value[section]):
            found += values.advise(item)
            found += expressions.advise(item)
    if isinstance(parsed, SigmaRule):
        found += logic.advise(parsed)
    if not isinstance(parsed, SigmaFilter):
        found += validators.advise(parsed, document.value)
    for route, problem in found:
        yield Remark("warning", document.complain(route, problem))


def _is_ours(draft: Draft) -> bool:
    """Return whether a rule is written for us: then it owes its reader more than Sigma asks."""
    value = draft.document.value
    return value.get("taxonomy") == "ecs" or "kr" in value


def _same(draft: Draft, seen: dict[tuple[str, str], str]) -> Iterator[Remark]:
    """Yield what two rules must not share: the id, and better not the title."""
    weights: dict[str, Weight] = {"id": "error", "title": "warning"}
    for key, weight in weights.items():
        word = str(draft.document.value.get(key) or "")
        here = draft.document.place((key,))
        first = seen.setdefault((key, word), here)
        if word and first != here:
            said = "has it already" if key == "id" else "is called so too"
            yield Remark(weight, draft.document.complain((key,), f"the rule at {first} {said}"))


def _check(draft: Draft, around: Surroundings) -> Iterator[Remark]:
    document = draft.document
    for weight, route, problem in (
        *_head(document.value),
        *_tags(document.value),
        *_techniques(document.value, around.techniques),
        *_ours(draft),
        *_detection(draft),
    ):
        yield Remark(weight, document.complain(route, problem))


Found = tuple[Weight, "Route", str]


def _head(value: dict[str, Any]) -> Iterator[Found]:
    for key in value:
        if key not in KEYS:
            yield "warning", (key,), f"unknown key{did_you_mean(str(key), KEYS)}"
    if not value.get("id"):
        yield "warning", (), "id: is missing"
    elif not _is_uuid(value["id"]):
        yield "error", ("id",), f"{value['id']!r} is no UUID"
    if not value.get("title"):
        yield "error", (), "title: is missing"
    if not value.get("description"):
        yield "warning", (), "description: is missing"
    if "filter" not in value:
        yield from _grading(value)


def _grading(value: dict[str, Any]) -> Iterator[Found]:
    if not value.get("level"):
        yield "warning", (), "level: is missing; medium is taken"
    if value.get("status") is None:
        yield "warning", (), "status: is missing"
    elif value["status"] in STATUSES[3:]:
        yield "warning", ("status",), f"the rule is {value['status']}"


def _is_uuid(text: object) -> bool:
    try:
        return str(uuid.UUID(str(text))) == str(text).lower()
    except ValueError:
        return False


def _tags(value: dict[str, Any]) -> Iterator[Found]:
    tags = value.get("tags")
    for i, tag in enumerate(tags if isinstance(tags, list) else ()):
        route: Route = ("tags", i)
        if not isinstance(tag, str) or not _TAG.fullmatch(tag):
            yield "warning", route, f"{tag!r} is no tag: namespace.name in lower case"
            continue
        namespace, _, name = tag.partition(".")
        if namespace not in NAMESPACES:
            yield (
                "warning",
                route,
                f"{namespace!r} is no namespace of tags{did_you_mean(namespace, NAMESPACES)}",
            )
        if namespace == "attack" and re.match(r"t\d", name) and not _TECHNIQUE.fullmatch(name):
            yield "warning", route, f"{name!r} is no ATT&CK technique"
    if isinstance(tags, list) and len(set(map(str, tags))) < len(tags):
        yield "warning", ("tags",), "a tag stands here twice"


def _techniques(value: dict[str, Any], techniques: Mapping[str, str] | None) -> Iterator[Found]:
    tags = value.get("tags")
    if techniques is None or not isinstance(tags, list):
        return
    for i, tag in enumerate(tags):
        name = str(tag).removeprefix("attack.").upper()
        if not str(tag).startswith("attack.") or not _TECHNIQUE.fullmatch(name.lower()):
            continue
        if name not in techniques:
            yield "warning", ("tags", i), f"ATT&CK knows no technique {name}"
        elif techniques[name]:
            yield "warning", ("tags", i), f"{name} is retired; now it is {techniques[name]}"


def _ours(draft: Draft) -> Iterator[Found]:
    if not _is_ours(draft) or isinstance(draft.parsed, SigmaFilter):
        return
    attributes, value = draft.attributes, draft.document.value
    if str(value.get("level")) == "informational" and value.get("name") and "kr" not in value:
        return  # a base rule, only counted by correlations
    if not attributes.title:
        yield "warning", ("kr",), "title: has no Indonesian title"
    if not attributes.description:
        yield "warning", ("kr",), "description: has no Indonesian description"
    if attributes.recommendation is None:
        yield "warning", ("kr",), "recommendation: is missing"
    for name in attributes.entity:
        if not ecs.is_known(name):
            hint = did_you_mean(name, ecs.schema().types)
            yield "error", ("kr", "entity"), f"{name} is no ECS field{hint}"


def _detection(draft: Draft) -> Iterator[Found]:
    value = draft.document.value
    section = "filter" if isinstance(draft.parsed, SigmaFilter) else "detection"
    parts = value.get(section)
    if isinstance(draft.parsed, SigmaFilter):
        for word in ("reason", "expires"):
            if not getattr(draft.attributes, word):
                yield "error", ("kr",), f"{word}: a filter must say it"
    if isinstance(draft.parsed, SigmaCorrelationRule):
        yield from _group_fields(value)
    if not isinstance(parts, dict):
        return
    names = [str(name) for name in parts if name not in ("condition", "rules", "timeframe")]
    conditions = parts.get("condition")
    texts = conditions if isinstance(conditions, list) else [conditions]
    for name in names:
        if not any(_uses(str(text), name) for text in texts):
            yield "warning", (section, name), "no condition uses this part"
    if isinstance(draft.parsed, SigmaRule) and value.get("taxonomy") == "ecs":
        for name in names:
            yield from _fields((section, name), parts[name])


def _uses(condition: str, name: str) -> bool:
    for word in _WORD.findall(condition):
        if word in _CONDITION_WORDS:
            continue
        if word == name or (word == "them" and not name.startswith("_")):
            return True
        if "*" in word and re.fullmatch(re.escape(word).replace(r"\*", ".*"), name):
            return True
    return False


def _fields(route: Route, definition: Any) -> Iterator[Found]:
    if isinstance(definition, list):
        for i, item in enumerate(definition):
            yield from _fields((*route, i), item)
    elif isinstance(definition, dict):
        for key in definition:
            name = str(key).partition("|")[0]
            if name and not ecs.is_known(name):
                hint = did_you_mean(name, ecs.schema().types)
                yield "error", (*route, key), f"no ECS field{hint}"


def _group_fields(value: dict[str, Any]) -> Iterator[Found]:
    if "kr" not in value:
        return
    groups = value["correlation"].get("group-by")
    aliases = value["correlation"].get("aliases") or {}
    for i, name in enumerate(groups if isinstance(groups, list) else ()):
        if name not in aliases and not ecs.is_known(str(name)):
            hint = did_you_mean(str(name), ecs.schema().types)
            yield "error", ("correlation", "group-by", i), f"{name} is no ECS field{hint}"
