"""What Elasticsearch is told about our documents: types from the ECS table, streams, retention.

Only what is no keyword is listed: an unlisted text becomes a keyword by rule, so a few hundred
fields say what the whole schema of two thousand would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kr_secops import ecs

if TYPE_CHECKING:
    from collections.abc import Collection

EVENTS: Final = "kr-secops-events"
"""Events go to the data streams ``kr-secops-events-<data set>``."""
FINDINGS: Final = "kr-secops-findings"
"""Findings go to this index, each under its id, so that a change replaces what was there."""

FALLBACK: Final = {
    "wildcard": "keyword",
    "constant_keyword": "keyword",
    "match_only_text": "text",
    "scaled_float": "float",
    "flattened": "object",
    "version": "keyword",
}
"""Types that a server may lack (they are modules of their own) → the nearest that all have."""

LONGEST: Final = {"keyword": 1024, "wildcard": 8191}
"""Characters up to which a text is indexed; Lucene refuses a term above 32,766 bytes."""

OWN: Final[dict[str, dict[str, Any]]] = {
    "event.original": {"type": "keyword", "index": False, "doc_values": False},
    "kr.url.decoded": {"type": "wildcard"},
}
FINDING: Final[dict[str, dict[str, Any]]] = {
    "kr.finding.count": {"type": "long"},
    "kr.finding.entity": {"type": "flattened"},
    "kr.finding.evidence": {"type": "object", "enabled": False},
    "kr.finding.expires": {"type": "date"},
    "kr.finding.first_seen": {"type": "date"},
    "kr.finding.last_seen": {"type": "date"},
    "kr.finding.reason": {"type": "match_only_text"},
    "kr.finding.text": {"type": "object", "enabled": False},
}

SETTINGS: Final = {
    "index.auto_expand_replicas": "0-1",
    "index.mapping.total_fields.limit": 5000,
    # A record may name its own fields (EVTX, audit): those beyond the limit are kept unindexed.
    "index.mapping.total_fields.ignore_dynamic_beyond_limit": True,
    # One odd value must not keep the whole record out.
    "index.mapping.ignore_malformed": True,
}


def component_templates(missing: Collection[str] = ()) -> dict[str, dict[str, Any]]:
    """Return the component templates by name, without the types *missing* on the server."""
    return {
        "kr-secops-ecs": {"template": {"settings": SETTINGS, "mappings": _ecs(missing)}},
        "kr-secops-finding": {"template": {"mappings": {"properties": _tree(FINDING, missing)}}},
    }


def index_templates(retention: str | None = None) -> dict[str, dict[str, Any]]:
    """Return the index templates by name; events older than *retention* (``365d``) are deleted."""
    lifecycle = {"lifecycle": {"data_retention": retention}} if retention else {}
    return {
        EVENTS: {
            "index_patterns": [f"{EVENTS}-*"],
            "data_stream": {},
            "composed_of": ["kr-secops-ecs"],
            "priority": 300,
            "template": lifecycle,
        },
        FINDINGS: {
            "index_patterns": [FINDINGS],
            "composed_of": ["kr-secops-ecs", "kr-secops-finding"],
            "priority": 300,
        },
    }


def _ecs(missing: Collection[str]) -> dict[str, Any]:
    types = ecs.schema().types
    fields = {
        name: _field(kind)
        for name, kind in types.items()
        if kind not in ("keyword", "object") and not _is_below_leaf(name, types)
    }
    return {
        "dynamic": True,
        "date_detection": False,
        "numeric_detection": False,
        "dynamic_templates": [
            {
                # A source's own words: one name holds numbers here and text there.
                "own_words": {
                    "path_match": ["winlog.*_data.*", "auditd.data.*"],
                    "unmatch_mapping_type": "object",
                    "mapping": {"type": "keyword", "ignore_above": LONGEST["keyword"]},
                }
            },
            {
                "text": {
                    "match_mapping_type": "string",
                    "mapping": {"type": "keyword", "ignore_above": LONGEST["keyword"]},
                }
            },
        ],
        "properties": _tree({**fields, **OWN}, missing),
    }


def _is_below_leaf(name: str, types: dict[str, str]) -> bool:
    """Say so of what a flattened field covers, and of a second index of a text (``….text``)."""
    parents = (name[:i] for i, character in enumerate(name) if character == ".")
    return any(types.get(parent, "object") not in ("object", "nested") for parent in parents)


def _field(kind: str) -> dict[str, Any]:
    if kind == "scaled_float":
        return {"type": kind, "scaling_factor": 1000}
    return {"type": kind}


def _fit(field: dict[str, Any], missing: Collection[str]) -> dict[str, Any]:
    """Return *field* with a type that the server has, and a bound on what it indexes."""
    kind = field["type"]
    bound = {"ignore_above": LONGEST[kind]} if kind in LONGEST and "index" not in field else {}
    if kind not in missing:
        return {**field, **bound}
    kept = {name: value for name, value in field.items() if name != "scaling_factor"}
    return {**kept, **bound, "type": FALLBACK[kind]}


def _tree(fields: dict[str, dict[str, Any]], missing: Collection[str]) -> dict[str, Any]:
    """Return dotted *fields* as the nested ``properties`` that a mapping wants."""
    root: dict[str, Any] = {}
    for name in sorted(fields):
        *parents, last = name.split(".")
        branch = root
        for parent in parents:
            branch = branch.setdefault(parent, {}).setdefault("properties", {})
        branch.setdefault(last, {}).update(_fit(fields[name], missing))
    return root
