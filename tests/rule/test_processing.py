"""Pipelines of a site: which one counts, and where it is wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from kr_secops.detect.engine import Engine
from kr_secops.errors import ContentError, UsageError
from kr_secops.rule.processing import read
from kr_secops.rule.ruleset import load

if TYPE_CHECKING:
    from pathlib import Path

RULE = {
    "title": "a tool of ours",
    "id": "11111111-2222-4333-8444-555555555555",
    "level": "low",
    "logsource": {"product": "kubu", "service": "desa"},
    "detection": {"selection": {"Tool": "marker"}, "condition": "selection"},
}
PIPELINE = """
name: ours
transformations:
  - id: fields
    type: field_name_mapping
    mapping: {Tool: %s}
  - id: source
    type: add_condition
    conditions: {event.dataset: desa}
    rule_conditions:
      - {type: logsource, product: kubu, service: desa}
"""


def matched(folder: Path, cache: Path, event: dict[str, Any], *pipelines: str | Path) -> bool:
    engine = Engine(load([folder], pipelines, cache_dir=cache))
    return bool(engine.feed({"@timestamp": "2026-11-17T01:00:00.000Z", **event}))


def test_the_last_of_a_name_counts(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    (folder / "pipelines").mkdir(parents=True)
    (folder / "rule.yml").write_text(json.dumps(RULE))
    cache = tmp_path / "cache"
    first = {"event.dataset": "desa", "kr.first": "marker"}
    second = {"event.dataset": "desa", "kr.second": "marker"}
    assert not matched(folder, cache, first)  # nothing says what the log source is
    (folder / "pipelines" / "kubu.yml").write_text(PIPELINE % "kr.first")
    assert matched(folder, cache, first)
    assert matched(folder, cache, first, "kubu")
    assert not matched(folder, cache, {"event.dataset": "elsewhere", "kr.first": "marker"})
    (tmp_path / "kubu.yml").write_text(PIPELINE % "kr.second")
    assert matched(folder, cache, second, tmp_path / "kubu.yml")
    assert not matched(folder, cache, first, tmp_path / "kubu.yml")
    # Under another name it stands beside the first.
    (tmp_path / "also.yml").write_text(PIPELINE % "kr.second")
    assert matched(folder, cache, second, str(tmp_path / "also.yml"))
    assert matched(folder, cache, first, str(tmp_path / "also.yml"))
    with pytest.raises(UsageError, match="kubu"):
        matched(folder, cache, first, "nosuch")


WRONG = [
    ("name: [x", "1:9: ", "expected"),
    ("- a\n", "1:1: ", "mapping"),
    ("", "1:1: ", "mapping"),
    ("name: x\nnme: y\n", "2:1: ", "nme"),
    ("name: x\ntransformations: 3\n", "2:18: ", "list"),
    ("transformations:\n  - 5\n", "2:5: ", "mapping with the key type"),
    ("transformations:\n  - id: a\n    type: nosuch\n", "2:5: ", "Unknown transformation type 'nosuch'"),
    ("transformations:\n  - type: field_name_mapping\n", "2:5: ", "mapping"),
    ("transformations:\n  - type: add_condition\n    conditions: 4\n", "2:5: ", "add_condition"),
    (
        ("transformations:\n  - type: drop_detection_item\n\n  - type: field_name_mapping\n"
        "    mapping: {a: b}\n    rule_conditions: [{type: logsourc}]\n"),
        "4:5: ",
        "Unknown condition type 'logsourc'",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "said"), WRONG)
def test_what_is_wrong_is_told_with_its_place(
    tmp_path: Path, text: str, place: str, said: str
) -> None:
    path = tmp_path / "ours.yml"
    path.write_text(text)
    with pytest.raises(ContentError) as caught:
        read(path)
    (complaint,) = caught.value.complaints
    assert complaint.startswith(f"{path}:{place}")
    assert said in complaint


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    path = tmp_path / "ours.yml"
    path.write_text("transformations:\n  - type: a\n  - type: drop_detection_item\n  - type: b\n")
    with pytest.raises(ContentError) as caught:
        read(path)
    places = [one.removeprefix(f"{path}:").partition(": ")[0] for one in caught.value.complaints]
    assert places == ["2:5", "4:5"]


def test_a_rule_needs_no_id(tmp_path: Path) -> None:
    rule = {k: v for k, v in RULE.items() if k != "id"}
    rule |= {"logsource": {"product": "windows", "category": "process_creation"},
             "detection": {"selection": {"Image": "marker"}, "condition": "selection"}}  # fmt: skip
    (tmp_path / "rule.yml").write_text(json.dumps(rule))
    event = {"event.dataset": "windows", "winlog.channel": "Security", "event.code": "4688",
             "winlog.event_data.NewProcessName": "marker"}  # fmt: skip
    assert matched(tmp_path, tmp_path / "cache", event)
