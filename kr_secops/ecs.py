"""The Elastic Common Schema: which fields there are, of which type, and what they may hold.

The table is ``ecs.tsv``, made by ``packaging/refresh_ecs.py`` from the published schema.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from kr_secops.event import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kr_secops.event import Event

VERSION: Final = "9.4.0"
"""What every event says in ``ecs.version``."""

OWN: Final = ("kr.", "winlog.", "auditd.", "zeek.", "labels.", "log.offset")
"""Name spaces outside ECS: ours, and those in which Beats keep a source's own words."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The whole table."""

    types: dict[str, str]
    """Field → Elasticsearch type: keyword, long, ip, date, boolean, match_only_text …"""
    arrays: frozenset[str]
    """Fields whose value is always a list."""
    allowed: dict[str, frozenset[str]]
    """Field → values it may hold: ``event.kind``, ``event.category``, …"""
    expected: dict[str, frozenset[str]]
    """``event.category`` → ``event.type`` values that go with it."""


@cache
def schema() -> Schema:
    """Return the table, read once."""
    types: dict[str, str] = {}
    arrays: set[str] = set()
    allowed: dict[str, frozenset[str]] = {}
    expected: dict[str, frozenset[str]] = {}
    for line in (files("kr_secops") / "ecs.tsv").read_text("utf-8").splitlines():
        first, second, *rest = line.split("\t")
        if first == "#allowed":
            allowed[second] = frozenset(rest[0].split())
        elif first == "#types":
            expected[second] = frozenset(rest[0].split())
        elif not first.startswith("#"):
            types[first] = second
            if rest:
                arrays.add(first)
    return Schema(types, frozenset(arrays), allowed, expected)


def is_known(name: str) -> bool:
    """Return whether *name* is a field of ECS or lies in a name space of its own."""
    if name.startswith(OWN) or name in schema().types:
        return True
    # Below a field of type object, flattened or nested anything may stand: dns.answers.data …
    parents = (name[:i] for i, character in enumerate(name) if character == ".")
    return any(
        schema().types.get(parent) in ("object", "flattened", "nested") for parent in parents
    )


def check(event: Event) -> list[str]:
    """Return what is wrong with *event* by the schema: unknown fields, types, values."""
    problems = [problem for name, value in event.items() for problem in _check_field(name, value)]
    if "@timestamp" not in event:
        problems.append("@timestamp is missing")
    problems += _check_pairs(event)
    return problems


def _check_field(name: str, value: Any) -> Iterator[str]:
    table = schema()
    if name.startswith(OWN):
        return
    if not is_known(name):
        yield f"{name} is no ECS field"
        return
    # Below an array of objects each field is the list of the objects' values: dns.answers.data.
    many = name in table.arrays or name.rpartition(".")[0] in table.arrays
    if isinstance(value, list) != many and table.types.get(name) != "nested":
        wanted = "a list" if many else "one value"
        yield f"{name} must be {wanted}"
    for item in value if isinstance(value, list) else [value]:
        if not _FITS.get(table.types.get(name, "object"), _anything)(item):
            yield f"{name}: {str(item)[:60]!r} is no {table.types[name]}"
        if name in table.allowed and item not in table.allowed[name]:
            yield f"{name}: {str(item)[:60]!r} is not one of the allowed values"


def _check_pairs(event: Event) -> Iterator[str]:
    """Each ``event.type`` must go with one of the event's categories."""
    categories = [c for c in event.get("event.category", ()) if c in schema().expected]
    fitting = {kind for category in categories for kind in schema().expected[category]}
    for kind in event.get("event.type", ()) if categories else ():
        if kind not in fitting:
            yield f"event.type: {kind!r} does not go with category {', '.join(categories)}"


def _anything(_: Any) -> bool:
    return True


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_truth(value: Any) -> bool:
    return isinstance(value, bool)


def _is_address(value: Any) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _is_date(value: Any) -> bool:
    try:
        return moment(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


_FITS: Final[dict[str, Callable[[Any], bool]]] = {
    "keyword": _is_text,
    "constant_keyword": _is_text,
    "wildcard": _is_text,
    "match_only_text": _is_text,
    "text": _is_text,
    "version": _is_text,
    "long": _is_whole,
    "integer": _is_whole,
    "short": _is_whole,
    "unsigned_long": _is_whole,
    "float": _is_number,
    "scaled_float": _is_number,
    "boolean": _is_truth,
    "ip": _is_address,
    "date": _is_date,
}
