"""Windows records say the same, whichever program exported them and however it laid them out."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pytest

from kr_secops.collect.exports import as_tree, is_export
from kr_secops.collect.interface import Skipped
from kr_secops.collect.reading import Options, Reading, read
from kr_secops.collect.xmlrecord import XmlError, xml_tree
from kr_secops.detect.engine import Engine
from kr_secops.event import Rejected
from kr_secops.pipeline import Account, matches
from kr_secops.privacy.mask import Guard
from kr_secops.rule.ruleset import load
from tests.collect.exported import LAYOUTS, SHAPES, SYSMON, attribute, xml, xml_file, xml_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from kr_secops.rule.ruleset import Ruleset

Pairs = set[tuple[str, str]]

RECORD: dict[str, Any] = {
    "Event": {
        "#attributes": {"xmlns": "http://schemas.microsoft.com/win/2004/08/events/event"},
        "System": {
            "Provider": {"#attributes": {"Name": SYSMON, "Guid": "5770385F-C22A-43E0-BF4C-06F5698FFBD9"}},
            "EventID": 1,
            "Level": 4,
            "TimeCreated": {"#attributes": {"SystemTime": "2026-11-17T01:05:09.250000Z"}},
            "EventRecordID": 68018,
            "Correlation": None,
            "Execution": {"#attributes": {"ProcessID": 3636, "ThreadID": 4340}},
            "Channel": "Microsoft-Windows-Sysmon/Operational",
            "Computer": "desa-01",
        },
        "EventData": {
            "RuleName": "-",
            "ProcessId": 3668,
            "Image": "C:\\Windows\\System32\\reg.exe",
            "CommandLine": 'reg add "HKLM\\Söftware" /v "a<b>&c" {x} [y] \\',
            "Description": "Registry {Console} Tool",
        },
    }
}  # fmt: skip


def collect(path: Path) -> tuple[list[dict[str, Any]], list[Rejected], list[Skipped]]:
    events: list[dict[str, Any]] = []
    rejected: list[Rejected] = []
    skipped: list[Skipped] = []
    for item in read([str(path)], Options()):
        for outcome in item.events() if isinstance(item, Reading) else [item]:
            if isinstance(outcome, Rejected):
                rejected.append(outcome)
            elif isinstance(outcome, Skipped):
                skipped.append(outcome)
            else:
                events.append(outcome)
    return events, rejected, skipped


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_in_every_layout(tmp_path: Path, shape: str, layout: str) -> None:
    path = tmp_path / "records"
    path.write_bytes(LAYOUTS[layout]([SHAPES[shape](RECORD)] * 3))
    events, rejected, skipped = collect(path)
    assert (rejected, skipped) == ([], [])
    assert len(events) == 3
    for event in events:
        assert event["@timestamp"] == "2026-11-17T01:05:09.250Z"
        assert event["event.dataset"] == "windows"
        assert event["event.code"] == event["winlog.event_id"] == "1"
        assert event["winlog.channel"] == "Microsoft-Windows-Sysmon/Operational"
        assert event["winlog.provider_name"] == SYSMON
        assert event["winlog.record_id"] == "68018"
        assert event["host.name"] == "desa-01"
        for name, value in RECORD["Event"]["EventData"].items():
            assert event[f"winlog.event_data.{name}"] == str(value)


@pytest.mark.parametrize("write", [xml_file, xml_lines])
def test_xml(tmp_path: Path, write: Callable[[list[Any]], bytes]) -> None:
    path = tmp_path / "records"
    path.write_bytes(write([RECORD] * 3))
    events, rejected, skipped = collect(path)
    assert (len(events), rejected, skipped) == (3, [], [])
    for name, value in RECORD["Event"]["EventData"].items():
        assert events[2][f"winlog.event_data.{name}"] == str(value)
    assert events[2]["winlog.record_id"] == "68018"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<Event/>",
        "<Event><EventData/></Event>",
        "<html><System/></html>",
        "<Event><System></Event>",
        '<!DOCTYPE x [<!ENTITY a "b">]><Event><System>&a;</System></Event>',
        "<Event><System><EventID>&lol;</EventID></System></Event>",
        "<Event><System>" + "<a>" * 100 + "</a>" * 100 + "</System></Event>",
    ],
)
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(XmlError):
        xml_tree(text)


def test_broken_documents_are_counted_and_the_rest_read(tmp_path: Path) -> None:
    whole = json.dumps(RECORD, indent=1)
    path = tmp_path / "records"
    path.write_text(f"{whole}\n{whole[:300]}\n{whole}\n{whole[:-5]}")
    events, rejected, _ = collect(path)
    assert len(events) == 2
    assert len(rejected) == 2
    assert rejected[0].offset == len(whole) + 1
    one = xml(RECORD)
    path.write_text(f"<Events>{one}{one[:300]}{one}<Event><System/></Event>{one[:-9]}")
    events, rejected, _ = collect(path)
    assert len(events) == 2
    assert len(rejected) == 3


def test_offsets_are_those_of_the_file(tmp_path: Path) -> None:
    document = {
        "@timestamp": "2026-11-17T01:05:09.250Z",
        "ecs": {"version": "9.0.0"},
        "message": "é",
    }
    text = (
        "[\n"
        + ",\n".join(json.dumps(document, indent=2, ensure_ascii=False) for _ in range(4))
        + "]"
    )
    path = tmp_path / "events"
    path.write_text(text)
    events, _, _ = collect(path)
    starts = [i for i in range(len(text.encode())) if text.encode()[i:].startswith(b'{\n  "@')]
    assert [event["log.offset"] for event in events] == starts


def test_a_large_array_is_read_in_blocks(tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_text(json.dumps([SHAPES["Winlogbeat"](RECORD)] * 6000))
    blocks = [item for item in read([str(path)], Options()) if isinstance(item, Reading)]
    assert len(blocks) > 2
    assert max(len(item.block.data) for item in blocks) < 3 << 20
    events, rejected, _ = collect(path)
    assert (len(events), rejected) == (6000, [])


def test_what_is_no_export_stays_as_it_is() -> None:
    for document in (
        {},
        {"Event": 1},
        {"System": None},
        {"_source": {"message": "x"}},
        {"data": []},
        # Defender's "Source Name" is no NXLog's.
        {"EventID": 1116, "Channel": "x", "Provider_Name": "y", "SourceName": "System"},
    ):
        assert as_tree(document) is document
        assert not is_export(document)
    assert as_tree(RECORD) is RECORD


@pytest.fixture(scope="module")
def ruleset(shared: Path, compiled: Path) -> Ruleset:
    names = ("rules", "rules-emerging-threats", "rules-threat-hunting")
    folders = [shared / "data/sigma" / name for name in names]
    return load(folders, cache_dir=compiled, skip_invalid=True)


def pairs(engine: Engine, guard: Guard, path: Path) -> Pairs:
    account = Account()
    items = read([str(path)], Options())
    found = {
        (match.rule.id, match.event["winlog.record_id"])
        for match in matches(items, guard, engine, account)
    }
    assert account.skipped == []
    assert not account.rejections
    return found


@pytest.mark.slow
def test_every_export_gives_the_matches_of_the_log(
    ruleset: Ruleset, shared: Path, tmp_path: Path
) -> None:
    evtx = pytest.importorskip("evtx")
    engine, guard = Engine(ruleset), Guard(b"k" * 32)
    target = tmp_path / "exported"  # no name tells what it is
    wrong: list[Any] = []
    total = 0
    for log in sorted((shared / "data/sigma/regression_data").rglob("*.evtx")):
        expected = pairs(engine, guard, log)
        total += len(expected)
        assert pairs(engine, guard, log.with_suffix(".json")) == expected
        parser = evtx.PyEvtxParser(str(log), number_of_threads=1)
        records = [json.loads(record["data"]) for record in parser.records_json()]
        for name, data in exports(records):
            target.write_bytes(data)
            if pairs(engine, guard, target) != expected:
                wrong.append((log.name, name))
    assert wrong == []
    with (shared / "data/sigma/regression_closure.csv").open() as file:
        assert total == sum(int(row["hits"]) for row in csv.DictReader(file))


def exports(records: list[Any]) -> Iterable[tuple[str, bytes]]:
    layouts = list(LAYOUTS.values())
    plain = all(r["Event"].get("EventData") for r in records)
    sysmon = all(attribute(r, "Provider", "Name") == SYSMON for r in records)
    for i, (name, shape) in enumerate(SHAPES.items()):
        # Get-WinEvent names values only in the messages of Sysmon; flat forms know no UserData.
        if (name != "Get-WinEvent" or sysmon) and (
            plain or name.startswith(("EVTX", "chain", "xml", "Velo"))
        ):
            yield name, layouts[i % len(layouts)]([shape(record) for record in records])
    yield "XML", xml_file(records)
    yield "XML, a line each", xml_lines(records)


def test_what_winlogbeat_moved_to_ecs_is_found_again(shared: Path) -> None:
    """Its pipelines take values out of the record's data; rules ask for them by their old names."""
    compared = 0
    for golden in sorted((shared / "data/ecs/winlogbeat/sysmon").glob("*.golden.json")):
        log = golden.with_name(golden.name.replace(".golden.json", ".evtx"))
        recorded = {e["winlog.record_id"]: e for e in collect(log)[0]}
        for event in collect(golden)[0]:
            origin = recorded[event["winlog.record_id"]]
            for name in (
                "Image",
                "CommandLine",
                "ParentImage",
                "QueryName",
                "DestinationIp",
                "User",
            ):
                key = f"winlog.event_data.{name}"
                if origin.get(key, "-") not in ("-", ""):
                    assert event.get(key) == origin[key], (golden.name, name)
                    compared += 1
    assert compared > 100
