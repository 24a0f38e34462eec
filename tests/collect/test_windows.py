"""A record answers as its event would, before it is one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kr_secops.collect.documents import WindowsReader
from kr_secops.collect.interface import Block, Position, Source
from kr_secops.collect.windows import Record
from kr_secops.event import Rejected

SYSTEM = {
    "Provider": {"#attributes": {"Name": "Service Control Manager", "Guid": "ab-12"}},
    "EventID": {"#attributes": {"Qualifiers": 16384}, "#text": 7045},
    "Channel": "System",
    "TimeCreated": {"#attributes": {"SystemTime": "2026-11-17T01:00:00Z"}},
    "EventRecordID": 12,
    "Computer": "srv-1",
}
RECORDS: dict[str, dict[str, Any]] = {
    "tree": {"Event": {"System": SYSTEM, "EventData": {"ServiceName": "x", "Count": 5, "On": True}}},
    "no data": {"Event": {"System": SYSTEM}},
    "null data": {"Event": {"System": SYSTEM, "EventData": None}},
    "bare tree": {"System": SYSTEM, "EventData": {"A": None, "B": "", "C": ["1", 2]}},
    "unnamed data": {"Event": {"System": SYSTEM, "EventData": {"Data": {"#text": ["a", "b"]}}}},
    "attributes": {"Event": {"System": SYSTEM, "EventData": {"#attributes": {"Name": "n"}}}},
    "nested": {"Event": {"System": SYSTEM, "EventData": {"A": {"B": "1"}, "C": {"#text": "t"}}}},
    "user data": {"Event": {"System": SYSTEM, "UserData": {"LogFileCleared": {"SubjectUser": "u"}}}},
    "flat": {"EventID": 4625, "Channel": "Security", "Computer": "c", "SystemTime": "2026-11-17 01:00:00",
             "ProviderName": "p", "LogonType": 3, "IpAddress": None, "Data": ["x"]},
    "flat with a source": {"EventID": 1116, "Channel": "x", "SystemTime": "2026-11-17T01:00:00Z",
                           "Provider_Name": "Defender", "SourceName": "System"},
    "flat with winlog": {"EventID": 1, "@timestamp": "2026-11-17T01:00:00Z", "winlog.channel": "X"},
    "Winlogbeat": {"@timestamp": "2026-11-17T01:00:00Z", "winlog": {"event_id": 4625, "channel": "Security",
                   "event_data": {"LogonType": "3"}}},
    "Winlogbeat with a null": {"@timestamp": "2026-11-17T01:00:00Z", "winlog": {"channel": "Security",
                               "event_data": {"A": None}}},
    "flat, a branch as channel": {"EventID": 1, "Channel": {"#text": "Security"},
                                  "SystemTime": "2026-11-17T01:00:00Z"},
    "flat, a branch as code": {"EventID": {"#text": None}, "SystemTime": "2026-11-17T01:00:00Z"},
    "empty channel": {"Event": {"System": {**SYSTEM, "Channel": "", "EventID": None}}},
}  # fmt: skip
NAMES = (
    *("@timestamp", "event.dataset", "event.code", "host.name", "message", "event.original"),
    *("winlog.channel", "winlog.event_id", "winlog.provider_name", "winlog.record_id"),
    *(f"winlog.event_data.{n}" for n in ("Data", "param1", "A", "A.B", "B", "C", "On", "Channel")),
    *(
        "winlog.event_data.EventID",
        "winlog.event_data.SourceName",
        "winlog.event_data.#attributes",
        "winlog.event_data.Missing",
    ),
    *("winlog.user_data.SubjectUser", "winlog.user_data.Missing", "winlog.user_data.xml_name"),
)


def reader() -> WindowsReader:
    from kr_secops.collect.catalog import load

    made = load()["windows"].reader(Source("w.json", None, None, None, None), datetime.now(UTC))
    assert isinstance(made, WindowsReader)
    return made


def records(*lines: str) -> list[Record | Rejected]:
    data = "".join(f"{line}\n" for line in lines).encode()
    source = Source("w.json", None, None, None, None)
    return list(reader().records(Block(source, 0, data, Position("k", len(data)))))


def assert_same(document: dict[str, Any]) -> None:
    [fresh] = records(json.dumps(document))
    [made] = records(json.dumps(document))
    assert isinstance(fresh, Record)
    assert isinstance(made, Record)
    event = made.event()
    for name in (*NAMES, *event):
        assert fresh.get(name) == event.get(name), name
        assert (name in fresh) == (name in event), name
    assert dict(fresh.items()) == event


@pytest.mark.parametrize("document", RECORDS.values(), ids=RECORDS)
def test_a_record_answers_as_its_event_would(document: dict[str, Any]) -> None:
    assert_same(document)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4) | st.just(1.0),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("AB"), inner, max_size=2)
    ),
    max_leaves=4,
)
NAMED = st.dictionaries(st.sampled_from(["A", "B", "C", "On", "Data", "Channel", "#text"]), VALUES)


def test_a_branch_within_the_code_is_the_text_that_the_event_has() -> None:
    system = SYSTEM | {"EventID": {"#text": {"#text": 1}}}
    assert_same({"Event": {"System": system, "EventData": {"A": "1"}}})


def test_an_export_is_turned_once_whether_asked_for_or_not() -> None:
    rows = [{"@Name": "CommandLine", "#text": "x"}]
    line = json.dumps(
        {"EventID": 1, "Channel": "c", "SourceName": "p", "Data": rows}
        | {"EventTime": "2026-11-17T01:00:00Z"}
    )
    [record] = records(line)
    block = Block(Source("w.json", None, None, None, None), 0, line.encode(), Position("k", 1))
    assert isinstance(record, Record)
    assert [record.event()] == list(reader().events(block))


def test_a_name_written_in_another_way_is_that_name() -> None:
    line = '{"EventID": 1, "w\\u0069nlog": {"channel": "X"}, "@timestamp": "2026-11-17T01:00:00Z"}'
    [record] = records(line)
    assert isinstance(record, Record)
    assert record.get("winlog.channel") == "X"


@given(NAMED, st.booleans(), st.sampled_from([1, "1", "", None, {"#text": 1}]))
def test_whatever_its_values_are(data: dict[str, Any], flat: bool, code: Any) -> None:
    if flat:
        assert_same({"EventID": code, "SystemTime": "2026-11-17T01:00:00Z"} | data)
    else:
        system = SYSTEM | {"EventID": code}
        assert_same({"Event": {"System": system, "EventData": data}})


def test_what_is_no_record_is_rejected_with_its_reason() -> None:
    cut, number, untimed = records('{"Event": {"System"', "7", '{"EventID": 1, "Channel": "x"}')
    assert isinstance(cut, Rejected)
    assert isinstance(number, Rejected)
    assert isinstance(untimed, Record)
    rejected = reader().outcome(untimed)
    assert isinstance(rejected, Rejected)
    assert (number.reason, rejected.reason) == ("no JSON object", "TimeCreated is missing")


def test_defenders_source_is_no_provider() -> None:
    [record] = records(json.dumps(RECORDS["flat with a source"]))
    assert isinstance(record, Record)
    assert record.get("winlog.provider_name") == "Defender"
    assert record.get("winlog.event_data.SourceName") == "System"
