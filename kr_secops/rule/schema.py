"""JSON Schema (2020-12) of rule files, made from what the code itself accepts.

Editors complete and check with it while a rule is written; what only reading can tell (positions,
references between rules, conditions) stays with ``rule check``.
"""

from __future__ import annotations

from typing import Any, Final

from sigma import modifiers
from sigma.correlations import SigmaCorrelationConditionOperator, SigmaCorrelationType
from sigma.rule import SigmaRelatedType

from kr_secops import ecs
from kr_secops.finding import Level
from kr_secops.rule import pysigma
from kr_secops.rule.lint import KEYS, NAMESPACES
from kr_secops.rule.source import STATUSES, Attributes

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

_UUID: Final = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
_DATE: Final = r"^[1-3]\d{3}(-[01]\d-[0-3]\d|/[01]?\d/[0-3]?\d)$"
_SPAN: Final = "^0*[1-9][0-9]*[smhdwMy]$"
_NUMBERS: Final = "|".join(one.name.lower() for one in SigmaCorrelationConditionOperator)
_SCALAR: Final[Schema] = {"type": ["string", "number", "boolean", "null"]}
_TEXT: Final[Schema] = {"type": "string"}
_TEXTS: Final[Schema] = {"type": "array", "items": _TEXT}

WORDS: Final = {
    "title": "What the rule finds, in a few words.",
    "id": "A UUID that never changes; uuidgen makes one.",
    "name": "Short name by which correlations and filters refer to the rule.",
    "taxonomy": "What the fields are called: ecs, or Sigma's own names if it is not said.",
    "related": "Rules that this one comes from or replaces.",
    "status": "How far the rule has been tried.",
    "description": "What an event means that the rule is true of.",
    "license": "Licence of the rule.",
    "references": "Where to read more.",
    "tags": "Namespace and name: attack.t1110, privacy.personal-data.",
    "author": "Who wrote it.",
    "date": "Day of the first version, YYYY-MM-DD.",
    "modified": "Day of the last change, YYYY-MM-DD.",
    "fields": "Fields worth looking at when the rule is true.",
    "falsepositives": "What is ordinary and looks the same.",
    "level": "How grave it is.",
    "scope": "Which systems it is about.",
    "logsource": "Which logs the rule is about.",
    "detection": "Named parts, and the condition that joins them.",
    "correlation": "Counts, orders or joins the matches of other rules.",
    "filter": "What is taken away from rules: known, ordinary things.",
    "kr": "What kr-secops adds to Sigma.",
    "regression_tests_path": "SigmaHQ: where the rule's recorded events lie.",
    "simulation": "SigmaHQ: how to provoke the event.",
}
"""Key at the top → what it is for; a test holds it equal to `lint.KEYS`."""

ATTRIBUTES: Final = {
    "title": "Indonesian title.",
    "description": "Indonesian description.",
    "recommendation": "What to do, in both languages.",
    "entity": "Fields that tell two findings of the rule apart.",
    "controls": "Requirements that a finding touches: uu-pdp:35, iso27001:A.8.5.",
    "reason": "Filters: why they may hide what a rule found.",
    "expires": "Filters: their last day, YYYY-MM-DD.",
}
"""Key under ``kr:`` → what it is for; a test holds it equal to `Attributes`."""


def rule_schema() -> Schema:
    """Return the schema of one document of a rule file."""
    pysigma.prepare()
    return {
        "$schema": DIALECT,
        "title": "Sigma rule, correlation or filter, as kr-secops reads it",
        "type": "object",
        "required": ["title"],
        "properties": {key: {**_key(key), "description": WORDS[key]} for key in sorted(KEYS)},
        "anyOf": [{"required": [key]} for key in ("detection", "correlation", "filter")],
        "allOf": [
            _if({"required": ["correlation"]}, {}, _if_not_filter()),
            _if({"required": ["taxonomy"], "properties": {"taxonomy": {"const": "ecs"}}},
                {"properties": {"detection": {"$ref": "#/$defs/ecs_detection"}}}),
        ],
        "$defs": _definitions(),
    }  # fmt: skip


def _if(condition: Schema, then: Schema, otherwise: Schema | None = None) -> Schema:
    schema = {"if": condition, "then": then}
    return schema if otherwise is None else {**schema, "else": otherwise}


def _if_not_filter() -> Schema:
    """Filters say why and until when; rules and filters both name their log source."""
    own = {"required": ["reason", "expires"]}
    return {
        "required": ["logsource"],
        **_if({"required": ["filter"]}, {"required": ["kr"], "properties": {"kr": own}}),
    }


def _key(key: str) -> Schema:
    known: dict[str, Schema] = {
        "id": {"type": "string", "pattern": _UUID},
        "status": {"enum": list(STATUSES)},
        "level": {"enum": [level.name for level in Level]},
        "date": {"type": "string", "pattern": _DATE},
        "modified": {"type": "string", "pattern": _DATE},
        "title": {"type": "string", "minLength": 1, "maxLength": 256},
        "tags": {"type": "array", "items": _tag()},
        "related": {"type": "array", "items": {"$ref": "#/$defs/related"}},
        "logsource": {"$ref": "#/$defs/logsource"},
        "detection": {"$ref": "#/$defs/detection"},
        "correlation": {"$ref": "#/$defs/correlation"},
        "filter": {"$ref": "#/$defs/filter"},
        "kr": {"$ref": "#/$defs/kr"},
    }
    lists = ("references", "fields", "falsepositives", "scope")
    texts = ("name", "taxonomy", "description", "license", "author")
    return known.get(key) or (_TEXTS if key in lists else _TEXT if key in texts else {})


def _tag() -> Schema:
    names = "|".join(sorted(NAMESPACES))
    return {
        "type": "string",
        "pattern": r"^[^.]+\.",
        "examples": ["attack.t1110.001", "attack.initial-access", "privacy.personal-data"],
        "description": f"One of {names}, a dot, a name.",
    }


def _definitions() -> Schema:
    return {
        "related": {
            "type": "object",
            "required": ["id", "type"],
            "properties": {
                "id": {"type": "string", "pattern": _UUID},
                "type": {"enum": [one.name.lower() for one in SigmaRelatedType]},
            },
        },
        "logsource": {
            "type": "object",
            "anyOf": [{"required": [key]} for key in ("product", "category", "service")],
            "properties": dict.fromkeys(("product", "category", "service", "definition"), _TEXT),
        },
        "value": {"anyOf": [_SCALAR, {"type": "array", "minItems": 1, "items": _SCALAR}]},
        "item": _item({}),
        "ecs_item": _item({name: {"$ref": "#/$defs/value"} for name in sorted(ecs.schema().types)}),
        "part": _part("item"),
        "ecs_part": _part("ecs_item"),
        "condition": {
            "anyOf": [_TEXT, {"type": "array", "minItems": 1, "items": _TEXT}],
            "description": "selection and not 1 of filter_*",
        },
        "detection": _detection("part"),
        "ecs_detection": _detection("ecs_part"),
        "filter": {
            **_detection("part"),
            "required": ["rules", "condition"],
            "properties": {
                "rules": {
                    "anyOf": [_TEXT, _TEXTS],
                    "description": "Ids or names of rules; any: all of the log source.",
                },
                "condition": _TEXT,
            },
        },
        "correlation": _correlation(),
        **_own(),
    }  # fmt: skip


def _item(suggested: Schema) -> Schema:
    """Fields with their modifiers, and what they are compared with."""
    words = "|".join(sorted(modifiers.modifier_mapping))
    return {
        "type": "object",
        "minProperties": 1,
        "properties": suggested,
        "propertyNames": {"pattern": rf"^[^|]*(\|({words}))*$"},
        "additionalProperties": {"$ref": "#/$defs/value"},
    }


def _part(item: str) -> Schema:
    inner = {"anyOf": [{"$ref": f"#/$defs/{item}"}, _SCALAR]}
    return {
        "anyOf": [{"$ref": f"#/$defs/{item}"}, _SCALAR, {"type": "array", "minItems": 1, "items": inner}]
    }  # fmt: skip


def _detection(part: str) -> Schema:
    return {
        "type": "object",
        "required": ["condition"],
        "minProperties": 2,
        "properties": {"condition": {"$ref": "#/$defs/condition"}, "timeframe": _TEXT},
        "additionalProperties": {"$ref": f"#/$defs/{part}"},
    }


def _correlation() -> Schema:
    names = {"anyOf": [_TEXT, _TEXTS]}
    return {
        "type": "object",
        "required": ["type"],
        "properties": {
            "type": {"enum": [one.name.lower() for one in SigmaCorrelationType]},
            "rules": {**names, "description": "Ids or names of the rules that are counted."},
            "group-by": {**names, "description": "Counted apart for each value of these fields."},
            "timespan": {"type": "string", "pattern": _SPAN, "description": "30s, 5m, 2h, 1d"},
            "generate": {"type": "boolean", "description": "The counted rules speak as well."},
            "aliases": {"type": "object"},
            "condition": {"anyOf": [_TEXT, {"$ref": "#/$defs/bounds"}]},
        },
    }


def _own() -> Schema:
    """Return what stands under ``kr:``, from the model that reads it."""
    made = Attributes.model_json_schema(ref_template="#/$defs/{model}")
    words = made.pop("$defs", {})
    for name, field in made["properties"].items():
        field["description"] = ATTRIBUTES[name]
    bounds = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": f"^({_NUMBERS}|field|percentile)$"},
    }
    return {"kr": made, "bounds": bounds, **words}
