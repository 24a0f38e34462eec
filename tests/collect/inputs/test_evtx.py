from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kr_secops import ecs
from kr_secops.collect.inputs.file import LogFile, fingerprint, look_at
from kr_secops.collect.interface import Position, Skipped
from kr_secops.collect.reading import Options, Reading, read
from kr_secops.event import event_id

if TYPE_CHECKING:
    from pathlib import Path

    from kr_secops.event import Event


def collect(path: Path, options: Options | None = None) -> tuple[list[Event], list[str], Position]:
    events: list[Event] = []
    skipped: list[str] = []
    position = Position("")
    for item in read([str(path)], options or Options()):
        if isinstance(item, Skipped):
            skipped.append(item.reason)
        if isinstance(item, Reading):
            events += [event for event in item.events() if isinstance(event, dict)]
            position = item.position
    return events, skipped, position


@pytest.fixture
def sample(shared: Path) -> Path:
    return shared / "data/ecs/winlogbeat/sysmon/sysmon-10.2-dns.evtx"


def test_records_become_events(sample: Path) -> None:
    events, skipped, position = collect(sample)
    assert skipped == []
    assert len(events) == position.offset > 10
    assert all(ecs.check(event) == [] for event in events)
    assert {event["winlog.event_id"] for event in events} >= {"22"}
    assert all(event["host.name"] == "vagrant-2016" for event in events)


def test_goes_on_where_it_left(sample: Path) -> None:
    events, _, position = collect(sample)
    half = Position(position.key, 10, position.fingerprint)
    rest, _, _ = collect(sample, Options(lookup=lambda key, _: half if key == half.key else None))
    assert [e["winlog.record_id"] for e in rest] == [e["winlog.record_id"] for e in events[10:]]


@pytest.mark.parametrize("start", [6000, 30_000, 60_000, 80_000])
def test_a_damaged_file_gives_what_can_be_read(sample: Path, tmp_path: Path, start: int) -> None:
    data = bytearray(sample.read_bytes())
    whole, _, _ = collect(sample)
    damaged = tmp_path / "damaged.evtx"
    # Chunks of 64 KiB follow a header of 4 KiB; what is damaged in one leaves the others.
    data[start : start + 3000] = b"\xee" * 3000
    damaged.write_bytes(data)
    events, skipped, _ = collect(damaged)
    assert events or skipped
    assert len(events) < len(whole)


def test_cut_off_in_its_header(sample: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.evtx"
    path.write_bytes(sample.read_bytes()[:100])
    events, skipped, _ = collect(path)
    assert events == []
    assert len(skipped) == 1


def test_a_file_that_grew_is_known_again(sample: Path, tmp_path: Path) -> None:
    """Its header and that of its chunk count the records, so they are no part of what it is."""
    path = tmp_path / "grown.evtx"
    data = bytearray(sample.read_bytes())
    path.write_bytes(data)
    before = look_at(path)
    data[8:48] = bytes(40)
    data[4096 : 4096 + 128] = bytes(128)
    path.write_bytes(data)
    after = look_at(path)
    assert isinstance(before, LogFile)
    assert isinstance(after, LogFile)
    assert fingerprint(before.identity) == fingerprint(after.identity)
    assert before.head != after.head


def test_a_record_has_the_same_id_wherever_reading_began(sample: Path) -> None:
    events, _, position = collect(sample)
    half = Position(position.key, 10, position.fingerprint)
    rest, _, _ = collect(sample, Options(lookup=lambda key, _: half if key == half.key else None))
    assert [event_id(e) for e in rest] == [event_id(e) for e in events[10:]]
    assert len({event_id(e) for e in events}) == len(events)
