"""pySigma's own validators, with the place of what they mean and without the network.

Left out are those that fetch the data of ATT&CK and D3FEND, those that the lint itself has in a
stricter form, and those about SigmaHQ's names of files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sigma.rule import SigmaRule
from sigma.validators.core import condition, logsources, metadata, modifiers, tags, values

from kr_secops.rule.advice.items import routes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sigma.correlations import SigmaCorrelationRule
    from sigma.validators.base import SigmaRuleValidator, SigmaValidationIssue

    from kr_secops.document import Route
    from kr_secops.rule.advice.items import Advice

VALIDATORS: Final[tuple[type[SigmaRuleValidator], ...]] = (
    condition.AllOfThemConditionValidator,
    condition.ThemConditionWithSingleDetectionValidator,
    logsources.FieldnameLogsourceValidator,
    logsources.SpecificInsteadOfGenericLogsourceValidator,
    metadata.DuplicateReferencesValidator,
    modifiers.InvalidModifierCombinationsValidator,
    tags.CARTagValidator,
    tags.CVETagValidator,
    tags.DetectionTagValidator,
    tags.STPTagValidator,
    tags.TLPTagValidator,
    values.ControlCharacterValidator,
    values.DoubleWildcardValidator,
    values.WildcardsInsteadOfModifiersValidator,
)

WORDS: Final[dict[type[SigmaValidationIssue], str]] = {
    condition.AllOfThemConditionIssue: "all of them: name the parts, or a later part joins unseen",
    condition.ThemConditionWithSingleDetectionIssue: "there is a single part: name it, not them",
    logsources.FieldnameLogsourceIssue: "a log source has no such key",
    logsources.SpecificInsteadOfGenericLogsourceIssue: "this event has a category of its own",
    metadata.DuplicateReferencesIssue: "a reference stands here twice",
    modifiers.AllWithoutContainsModifierIssue: "all without contains asks a field to be several values at once",
    modifiers.Base64OffsetWithoutContainsModifierIssue: "base64offset makes parts of a text: contains must follow",
    modifiers.ModifierAppliedMultipleIssue: "a modifier stands here twice",
    tags.InvalidPatternTagIssue: "is not written as tags of this namespace are",
    tags.InvalidTLPTagIssue: "there is no such level of the traffic light protocol",
    values.ControlCharacterIssue: "a control character: is a backslash missing?",
    values.DoubleWildcardIssue: "two * side by side mean one",
    values.WildcardsInsteadOfContainsModifierIssue: "write FIELD|contains instead of * on both sides",
    values.WildcardInsteadOfStartswithIssue: "write FIELD|startswith instead of a * behind",
    values.WildcardInsteadOfEndswithIssue: "write FIELD|endswith instead of a * before",
}
"""Issue → what we say; an issue that is not here does not hold for our engine."""

_CATEGORIES: Final = frozenset(
    [
        "create_remote_thread",
        "create_stream_hash",
        "dns_query",
        "driver_load",
        "file_delete",
        "file_event",
        "image_load",
        "network_connection",
        "pipe_created",
        "process_access",
        "process_creation",
        "process_termination",
        "raw_access_thread",
        "registry_event",
        "wmi_event",
    ]
)
"""Categories that rules are in fact written for."""
_WILDCARDS: Final = (
    values.WildcardsInsteadOfContainsModifierIssue,
    values.WildcardInsteadOfStartswithIssue,
    values.WildcardInsteadOfEndswithIssue,
)
_SECTIONS: Final[dict[type[SigmaValidationIssue], Route]] = {
    condition.AllOfThemConditionIssue: ("detection", "condition"),
    condition.ThemConditionWithSingleDetectionIssue: ("detection", "condition"),
    metadata.DuplicateReferencesIssue: ("references",),
    logsources.SpecificInsteadOfGenericLogsourceIssue: ("logsource",),
}


class Validators:
    """The validators, made once; each keeps the rule that it looks at."""

    def __init__(self) -> None:
        self._all = [validator() for validator in VALIDATORS]

    def advise(
        self, rule: SigmaRule | SigmaCorrelationRule, value: Mapping[str, Any]
    ) -> Iterator[Advice]:
        """Yield what the validators say of *rule*, which was read from *value*."""
        issues = [issue for one in self._all for issue in one.validate(rule)]
        known = [issue for issue in issues if type(issue) in WORDS and _holds(issue)]
        if not known:
            return
        places = _item_routes(rule, value)
        for issue in known:
            yield _route(issue, places, value), WORDS[type(issue)]


def _holds(issue: SigmaValidationIssue) -> bool:
    """Return whether the issue is one for our engine, and not said by the lint in better words."""
    if isinstance(issue, logsources.SpecificInsteadOfGenericLogsourceIssue):
        return issue.generic_logsource.category in _CATEGORIES
    if isinstance(issue, _WILDCARDS):
        return not issue.detection_item.modifiers
    return True


def _item_routes(
    rule: SigmaRule | SigmaCorrelationRule, value: Mapping[str, Any]
) -> dict[int, Route]:
    if not isinstance(rule, SigmaRule):
        return {}
    found = routes("detection", value["detection"], rule.detection.detections)
    # A value counts as its own line if the list has one for each value, else as its item.
    for detection in rule.detection.detections.values():
        for item in _flat(detection):
            route = found.get(id(item), ("detection",))
            written = _at(value, route)
            lines = isinstance(written, list) and len(written) == len(item.value)
            for i, one in enumerate(item.value):
                found[id(one)] = (*route, i) if lines else route
    return found


def _at(value: Any, route: Route) -> Any:
    for step in route:
        value = value[step]
    return value


def _flat(detection: Any) -> Iterator[Any]:
    for item in getattr(detection, "detection_items", (detection,)):
        if hasattr(item, "detection_items"):
            yield from _flat(item)
        else:
            yield item


def _route(
    issue: SigmaValidationIssue, places: Mapping[int, Route], value: Mapping[str, Any]
) -> Route:
    if type(issue) in _SECTIONS:
        return _SECTIONS[type(issue)]
    for name in ("detection_item", "string"):
        found = places.get(id(getattr(issue, name, None)))
        if found is not None:
            return found
    tag = getattr(issue, "tag", None)
    written = value.get("tags")
    if tag is not None and isinstance(written, list) and str(tag) in written:
        return ("tags", written.index(str(tag)))
    name = getattr(issue, "fieldname", "")
    return ("logsource", name) if name else ()
