from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kr_secops import ecs
from kr_secops.store import templates

if TYPE_CHECKING:
    from collections.abc import Iterator


def leaves(properties: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, field in properties.items():
        if "type" in field:
            yield prefix + name, {key: field[key] for key in field if key != "properties"}
        yield from leaves(field.get("properties", {}), f"{prefix}{name}.")


def fields(missing: set[str] = frozenset()) -> dict[str, dict[str, Any]]:  # type: ignore[assignment]
    mappings = templates.component_templates(missing)["kr-secops-ecs"]["template"]["mappings"]
    return dict(leaves(mappings["properties"]))


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("@timestamp", {"type": "date"}),
        ("source.ip", {"type": "ip"}),
        ("source.port", {"type": "long"}),
        ("message", {"type": "match_only_text"}),
        ("process.command_line", {"type": "wildcard", "ignore_above": 8191}),
        ("event.original", {"type": "keyword", "index": False, "doc_values": False}),
        ("threat.enrichments", {"type": "nested"}),
        ("system.load", None),
        ("user.name", None),
        ("process.command_line.text", None),
    ],
)
def test_types_come_from_the_ecs_table(name: str, field: dict[str, Any] | None) -> None:
    assert fields().get(name) == field


def test_every_number_date_and_address_of_ecs_is_typed() -> None:
    told = {name: field["type"] for name, field in fields().items()}
    for name, kind in ecs.schema().types.items():
        if kind in ("long", "date", "ip", "boolean", "float"):
            assert told.get(name) == kind, name


@pytest.mark.parametrize("missing", [{"wildcard"}, set(templates.FALLBACK)], ids=["one", "all"])
def test_a_server_that_lacks_types_is_given_simpler_ones(missing: set[str]) -> None:
    replaced = fields(missing)
    assert not missing & {field["type"] for field in replaced.values()}
    assert replaced.keys() == fields().keys()
    assert replaced["process.command_line"] == {"type": "keyword", "ignore_above": 8191}
    assert not any("scaling_factor" in f for f in replaced.values() if f["type"] == "float")


def test_retention_is_said_only_when_wanted() -> None:
    assert templates.index_templates()[templates.EVENTS]["template"] == {}
    assert templates.index_templates("30d")[templates.EVENTS]["template"] == {
        "lifecycle": {"data_retention": "30d"}
    }


def test_the_mapping_fits_its_own_limit() -> None:
    limit = templates.SETTINGS["index.mapping.total_fields.limit"]
    assert isinstance(limit, int)
    assert len(fields()) * 3 < limit
