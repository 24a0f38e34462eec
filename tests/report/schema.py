"""The few words of JSON Schema that our own schemas use; no dependency for forty lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
}
WORDS = {
    *("$comment", "$defs", "$ref", "type", "enum", "required", "properties"),
    *("additionalProperties", "items", "minItems", "minLength", "minimum", "maximum", "pattern"),
}


def problems(value: Any, schema: dict[str, Any], root: dict[str, Any], at: str = "") -> list[str]:
    """Return where *value* breaks *schema*; a word of JSON Schema unknown here is an error."""
    assert set(schema) <= WORDS, set(schema) - WORDS
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        return problems(value, root["$defs"][name], root, at)
    kind = schema["type"]
    if not isinstance(value, TYPES[kind]) or (kind == "integer" and isinstance(value, bool)):
        return [f"{at}: no {kind}"]
    return [f"{at}: {problem}" for problem in _plain(value, schema)] + [
        problem
        for inner, part, name in _parts(value, schema)
        for problem in problems(inner, part, root, f"{at}.{name}")
    ]


def _plain(value: Any, schema: dict[str, Any]) -> Iterator[str]:
    if "enum" in schema and value not in schema["enum"]:
        yield f"{value!r} is not one of the allowed values"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{value!r} has the wrong form"
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        yield "is too short"
    if isinstance(value, list) and len(value) < schema.get("minItems", 0):
        yield "has too few items"
    if isinstance(value, int) and not (
        schema.get("minimum", value) <= value <= schema.get("maximum", value)
    ):
        yield f"{value} is out of range"
    if isinstance(value, dict):
        yield from (
            f"{name} is missing" for name in schema.get("required", ()) if name not in value
        )
        if schema.get("additionalProperties") is False:
            yield from (f"{n} is not known" for n in value if n not in schema["properties"])


def _parts(value: Any, schema: dict[str, Any]) -> Iterator[tuple[Any, dict[str, Any], str]]:
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield item, schema["items"], str(i)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name in schema["properties"]:
                yield inner, schema["properties"][name], name
