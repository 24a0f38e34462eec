"""Rule files read with positions: YAML by `kr_secops.document`, meaning by pySigma.

Every mistake of a file is named at once, as ``path:line:column: key: problem``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pydantic import Field
from sigma import exceptions as sigma_errors
from sigma import modifiers
from sigma.correlations import SigmaCorrelationCondition, SigmaCorrelationRule
from sigma.exceptions import SigmaError
from sigma.filters import SigmaFilter
from sigma.rule import SigmaDetectionItem, SigmaRule

from kr_secops.document import Model, did_you_mean, examine, validate
from kr_secops.errors import ContentError
from kr_secops.finding import Level
from kr_secops.rule import pysigma
from kr_secops.rule.lawful import condition_problems, item_problems, kind_problems, modifier_problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kr_secops.document import Document, Route

Parsed: TypeAlias = "SigmaRule | SigmaCorrelationRule | SigmaFilter"

NOT_RULES: Final = frozenset({"pipelines", "placeholders", "identifiers", "controls"})
"""Folders directly below a folder of rules that hold content of another kind."""

STATUSES: Final = ("stable", "test", "experimental", "deprecated", "unsupported")
_SECTIONS: Final = ("correlation", "filter", "detection")
_COLLECTION: Final = ("global", "reset", "repeat")
_RANGE: Final = frozenset(op for op in ("lt", "lte", "gt", "gte", "eq", "neq"))
_PLACES: Final[dict[type[SigmaError], str]] = {
    sigma_errors.SigmaIdentifierError: "id",
    sigma_errors.SigmaTitleError: "title",
    sigma_errors.SigmaNameError: "name",
    sigma_errors.SigmaTaxonomyError: "taxonomy",
    sigma_errors.SigmaRelatedError: "related",
    sigma_errors.SigmaLevelError: "level",
    sigma_errors.SigmaStatusError: "status",
    sigma_errors.SigmaDateError: "date",
    sigma_errors.SigmaModifiedError: "modified",
    sigma_errors.SigmaTagError: "tags",
    sigma_errors.SigmaFieldsError: "fields",
    sigma_errors.SigmaFalsePositivesError: "falsepositives",
    sigma_errors.SigmaAuthorError: "author",
    sigma_errors.SigmaDescriptionError: "description",
    sigma_errors.SigmaReferencesError: "references",
    sigma_errors.SigmaScopeError: "scope",
    sigma_errors.SigmaLicenseError: "license",
    sigma_errors.SigmaLogsourceError: "logsource",
    sigma_errors.SigmaTimespanError: "timespan",
    sigma_errors.SigmaCorrelationConditionError: "condition",
}


class Words(Model):
    """A text in both languages."""

    en: str = Field(min_length=1)
    id: str = Field(min_length=1)


class Attributes(Model):
    """What stands under ``kr:`` in our rules and filters; Sigma leaves such keys to the tool."""

    title: str = ""
    """Indonesian title."""
    description: str = ""
    """Indonesian description."""
    recommendation: Words | None = None
    entity: tuple[str, ...] = ()
    """Fields that tell the findings of this rule apart."""
    controls: tuple[str, ...] = ()
    reason: str = ""
    """Why a filter may hide what a rule found."""
    expires: date | None = None
    """The last day of a filter."""


@dataclass(slots=True)
class Draft:
    """One document of a rule file, and what is wrong with it."""

    document: Document
    parsed: Parsed | None
    attributes: Attributes
    complaints: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The rule's id, else its name or title: what others refer to it by."""
        value = self.document.value
        return str(value.get("id") or value.get("name") or value.get("title") or "")


def find_files(paths: Iterable[Path]) -> Iterator[tuple[Path, Path]]:
    """Yield each rule file below *paths*, with the one of *paths* it came from, in order."""
    for root in paths:
        for path in sorted(_below(root)) if root.is_dir() else (root,):
            yield path, root


def _below(root: Path) -> Iterator[Path]:
    """Yield the rule files below *root*, and folders that cannot be read: who reads them says so."""
    locked: list[OSError] = []
    for name, folders, files in os.walk(root, onerror=locked.append):
        folder = Path(name)
        hidden = NOT_RULES if folder == root else frozenset()
        # A folder with a dot is a repository, or an import under way.
        folders[:] = [one for one in folders if not one.startswith(".") and one not in hidden]
        yield from (folder / one for one in files if not one.startswith(".") and _is_rule(one))
    yield from (Path(error.filename) for error in locked)


def _is_rule(name: str) -> bool:
    return name.endswith((".yml", ".yaml")) and not name.endswith((".test.yaml", ".test.yml"))


def read_file(path: Path, text: bytes | None = None) -> tuple[list[Draft], list[str]]:
    """Return the documents of *path*, and the complaints that belong to none of them."""
    pysigma.prepare()
    documents, complaints = examine(path, text)
    drafts = []
    for document in documents:
        if isinstance(document.value, dict):
            drafts.append(_draft(document))
        elif document.value is not None:
            complaints.append(document.complain((), "a Sigma rule is a mapping"))
    if not documents and not complaints:
        complaints.append(f"{path}:1:1: holds no rule")
    return drafts, complaints


def parse(value: dict[str, Any]) -> Parsed:
    """Return what pySigma makes of *value*; its complaints are in ``errors``."""
    if "correlation" in value:
        return _parse_correlation(value)
    if "filter" in value:
        return SigmaFilter.from_dict(value, collect_errors=True)
    return SigmaRule.from_dict(value, collect_errors=True)


def _parse_correlation(value: dict[str, Any]) -> SigmaCorrelationRule:
    """Parse a correlation whose condition may be a range: pySigma takes one bound only."""
    condition = (
        value["correlation"].get("condition") if isinstance(value["correlation"], dict) else None
    )
    if isinstance(condition, dict):
        bounds = [op for op in condition if op in _RANGE]
        for extra in bounds[1:]:
            SigmaCorrelationCondition.from_dict({extra: condition[extra]})
        reduced = {key: item for key, item in condition.items() if key not in bounds[1:]}
        value = {**value, "correlation": {**value["correlation"], "condition": reduced}}
    return SigmaCorrelationRule.from_dict(value, collect_errors=True)


def _draft(document: Document) -> Draft:
    value = document.value
    draft = Draft(document, None, Attributes())
    if value.get("action") in _COLLECTION:
        problem = "collections of Sigma 1 are not read; write each rule whole"
        draft.complaints.append(document.complain(("action",), problem))
        return draft
    if not any(key in value for key in _SECTIONS):
        guess = "".join(
            did_you_mean(str(key), ("detection",)) and f"; {key!r} is not known" for key in value
        )
        draft.complaints.append(
            document.complain(
                (), f"neither detection, correlation nor filter: no Sigma rule{guess}"
            )
        )
        return draft
    if value.get("status") == "unsupported":
        problem = "the rule says itself that it cannot be used"
        draft.complaints.append(document.complain(("status",), problem))
    if "kr" in value:
        try:
            draft.attributes = validate(document, Attributes, ("kr",))
        except ContentError as e:
            draft.complaints += e.complaints
    wrong = [document.complain(route, problem) for route, problem in kind_problems(value)]
    draft.complaints += wrong
    try:
        draft.parsed = None if wrong else parse(value)
    except SigmaError as e:
        draft.complaints.append(document.complain(_place(document, e), _said(e)))
    except (TypeError, AttributeError, ValueError, KeyError, RecursionError) as e:
        # pySigma trusts the shape of what YAML gave it; a list where it wants a text ends here.
        section = next(key for key in _SECTIONS if key in value)
        draft.complaints.append(document.complain((section,), f"has a part of a wrong kind ({e})"))
    if draft.parsed is not None:
        draft.complaints += _explain(document, draft.parsed.errors)
        draft.complaints += _senseless_conditions(document)
        draft.complaints += _senseless_items(document)
    elif "detection" in value:
        draft.complaints += detection_complaints(document, ("detection",))
    draft.complaints = list(dict.fromkeys(draft.complaints))
    return draft


def _explain(document: Document, errors: list[SigmaError]) -> list[str]:
    complaints: list[str] = []
    in_detection = False
    for error in errors:
        route = _place(document, error)
        if route == ("level",):
            complaints.append(_unknown(document, route, "level", [level.name for level in Level]))
        elif route == ("status",):
            complaints.append(_unknown(document, route, "status", STATUSES))
        elif route in (("detection",), ("filter",)):
            in_detection = True
            found = detection_complaints(document, route)
            complaints += found or [document.complain(route, _said(error))]
        else:
            complaints.append(document.complain(route, _said(error)))
    if not in_detection:
        return complaints
    return list(dict.fromkeys(complaints))


def _unknown(document: Document, route: Route, what: str, known: Iterable[str]) -> str:
    word = str(document.value.get(route[0]))
    return document.complain(route, f"{word!r} is not a {what}{did_you_mean(word, known)}")


def _place(document: Document, error: SigmaError) -> Route:
    value = document.value
    for kind, key in _PLACES.items():
        if type(error) is kind:
            if key in ("timespan", "condition"):
                return ("correlation", key)
            return (key,)
    if isinstance(error, sigma_errors.SigmaValueError) and "tag" in str(error).lower():
        return ("tags",)
    return next(((key,) for key in _SECTIONS if key in value), ())


def _said(error: SigmaError) -> str:
    text = (error.args[0] if error.args else str(error)) or type(error).__name__
    text = str(text).removeprefix("Sigma rule ").removeprefix("Sigma ")
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def detection_complaints(document: Document, route: Route) -> list[str]:
    """Return every mistake in the detection (or filter) of *document*, one by one.

    pySigma stops at the first; so each item is given to it on its own.
    """
    section = document.value.get(route[0])
    if not isinstance(section, dict):
        return [document.complain(route, "must be a mapping of named parts")]
    complaints = []
    for name, definition in section.items():
        if name in ("condition", "rules"):
            continue
        for at, key, value in _items((*route, name), definition):
            complaints += _item_complaints(document, at, key, value)
    if "condition" not in section:
        complaints.append(document.complain(route, "has no condition"))
    return complaints


def _senseless_conditions(document: Document) -> Iterator[str]:
    """Yield what is wrong with conditions though pySigma may let it pass."""
    for section in ("detection", "filter"):
        parts = document.value.get(section)
        if not isinstance(parts, dict) or "condition" not in parts:
            continue
        given = parts["condition"]
        for one in given if isinstance(given, list) else [given]:
            for problem in condition_problems(one):
                yield document.complain((section, "condition"), problem)


def _senseless_items(document: Document) -> Iterator[str]:
    """Yield what is wrong with items though pySigma lets it pass."""
    for section in ("detection", "filter"):
        parts = document.value.get(section)
        if isinstance(parts, dict):
            for name, definition in parts.items():
                if name in ("condition", "rules"):
                    continue
                for at, key, value in _items((section, name), definition):
                    for problem in item_problems(key, value):
                        yield document.complain(at, problem)


def _items(route: Route, definition: Any) -> Iterator[tuple[Route, str | None, Any]]:
    if isinstance(definition, dict):
        for key, value in definition.items():
            yield (*route, key), str(key), value
    elif isinstance(definition, list) and any(isinstance(item, dict) for item in definition):
        for i, item in enumerate(definition):
            yield from _items((*route, i), item)
    else:
        yield route, None, definition


def _item_complaints(document: Document, route: Route, key: str | None, value: Any) -> list[str]:
    known = modifiers.modifier_mapping
    wrong = [word for word in (key or "").split("|")[1:] if word not in known]
    if wrong:
        return [
            document.complain(route, f"{word!r} is not a modifier{did_you_mean(word, known)}")
            for word in wrong
        ]
    if isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(v, dict | list) for v in value)
    ):
        return [document.complain(route, "a field has a value or a list of values")]
    senseless = [document.complain(route, problem) for problem in item_problems(key, value)]
    if senseless:
        return senseless
    try:
        SigmaDetectionItem.from_mapping(key, value)
    except SigmaError as e:
        return [document.complain(route, modifier_problem(key or "", str(e)) or _said(e))]
    except (TypeError, ValueError, AttributeError) as e:
        return [document.complain(route, str(e))]
    return []
