from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kr_secops import ecs
from kr_secops.collect.inputs.file import LogFile, fingerprint, look_at
from kr_secops.collect.interface import Position, Skipped
from kr_secops.collect.reading import Options, Reading, read
from kr_secops.event import event_id
from tests.collect.inputs.evtx_file import evtx

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


SMALL = evtx([[{"Image": f"C:\\{chunk}-{i}.exe"} for i in range(40)] for chunk in range(3)])
HEADER, SIZE, FIRST = 4096, 1 << 16, 4096 + 512
RECORD = struct.unpack_from("<I", SMALL, FIRST + 4)[0]


def changed(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def numbers(path: Path, data: bytes) -> tuple[list[int], list[str]]:
    """Record numbers read of *data* (0: it is damaged itself), and what is said of the rest."""
    path.write_bytes(data)
    found, skipped, _ = collect(path)
    return [int(event.get("winlog.record_id", 0)) for event in found], skipped


ALL = range(1, 121)
DAMAGES: dict[str, tuple[bytes, list[int], list[str]]] = {
    "whole": (SMALL, list(ALL), []),
    "space set aside": (SMALL + bytes(SIZE * 3), list(ALL), []),
    "flag of a log still open": (changed(SMALL, 120, b"\x01"), list(ALL), []),
    "checksum of the file": (changed(SMALL, 124, b"\xff\xff"), list(ALL), []),
    "checksum of the records": (changed(SMALL, HEADER + 52, b"\xff\xff"), list(ALL), []),
    "checksum of the chunk": (changed(SMALL, HEADER + 124, b"\xff\xff"), list(ALL), []),
    "a header that lies, wrongly summed": (changed(SMALL, 42, b"\xff\xff"), list(ALL), []),
    "header in zeros but its magic": (changed(SMALL, 8, bytes(4000)), list(ALL), []),
    "no magic of a chunk": (changed(SMALL, HEADER, b"NotChunk"), list(ALL), []),
    "header of a chunk": (changed(SMALL, HEADER, b"\xee" * 512), list(ALL), []),
    "frame of one record": (
        changed(SMALL, FIRST + 2 * RECORD, b"\xee" * 20),
        [n for n in ALL if n != 3],
        ["damaged: 1 records lost"],
    ),
    "content of one record": (
        changed(SMALL, FIRST + 2 * RECORD + 24, b"\xee" * 60),
        [n for n in ALL if n != 3],
        ["damaged: 1 records lost"],
    ),
    "a size beyond the chunk": (
        changed(SMALL, FIRST + 4, struct.pack("<I", 0x7FFFFFFF)),
        list(ALL)[1:],
        ["damaged: 1 records lost"],
    ),
    "a size of nothing": (
        changed(SMALL, FIRST + 4, bytes(4)),
        list(ALL)[1:],
        ["damaged: 1 records lost"],
    ),
    "a size that points back": (
        changed(SMALL, FIRST + 4, struct.pack("<i", -RECORD)),
        list(ALL)[1:],
        ["damaged: 1 records lost"],
    ),
    "three records in zeros": (
        changed(SMALL, FIRST + 5 * RECORD, bytes(3 * RECORD)),
        [n for n in ALL if n not in (6, 7, 8)],
        ["damaged: 3 records lost"],
    ),
    "zeros to the end of a chunk": (
        changed(SMALL, FIRST + 10 * RECORD, bytes(SIZE - 512 - 10 * RECORD)),
        [n for n in ALL if not 10 < n <= 40],
        ["damaged: 30 records lost"],
    ),
    "a chunk in zeros": (
        changed(SMALL, HEADER + SIZE, bytes(SIZE)),
        [n for n in ALL if not 40 < n <= 80],
        ["damaged: 1 chunks of 64 KiB unreadable"],
    ),
    "a chunk of noise": (
        changed(SMALL, HEADER + SIZE, bytes(range(256)) * 256),
        [n for n in ALL if not 40 < n <= 80],
        ["damaged: 1 chunks of 64 KiB unreadable"],
    ),
    "cut within a chunk": (
        SMALL[: FIRST + SIZE + 10 * RECORD + 100],
        list(range(1, 51)),
        ["damaged: 30 records lost, 1 chunks of 64 KiB cut off"],
    ),
    "cut behind the header of a chunk": (
        SMALL[: FIRST + SIZE * 2],
        list(range(1, 81)),
        ["damaged: 40 records lost"],
    ),
    "cut between chunks": (
        SMALL[: HEADER + SIZE],
        list(range(1, 41)),
        ["damaged: 2 chunks of 64 KiB cut off"],
    ),
    "nothing but a header": (
        SMALL[:HEADER],
        [],
        ["damaged: 3 chunks of 64 KiB cut off"],
    ),
    "cut within the header": (SMALL[:200], [], ["damaged: cut off in its header"]),
    "an empty log": (evtx([]), [], []),
    "an empty chunk": (evtx([[]]), [], []),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_can_be_read_is_read_and_the_rest_counted(tmp_path: Path, name: str) -> None:
    data, expected, said = DAMAGES[name]
    assert numbers(tmp_path / "log.evtx", data) == (expected, said)


def test_the_name_of_the_file_does_not_matter(tmp_path: Path) -> None:
    assert numbers(tmp_path / "Security.evtx.bak.txt", SMALL)[0] == list(ALL)


def test_a_record_as_large_as_its_chunk(tmp_path: Path) -> None:
    data = evtx([[{"Image": "x" * 31_000}], [{"Image": "y"}]])
    assert numbers(tmp_path / "log.evtx", data) == ([1, 2], [])


@settings(
    max_examples=60, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(st.integers(0, len(SMALL) - 1), st.binary(min_size=1, max_size=600)), max_size=6
    ),
    st.integers(0, len(SMALL)),
)
def test_no_damage_stops_a_run(tmp_path: Path, places: list[tuple[int, bytes]], end: int) -> None:
    data = SMALL
    for at, noise in places:
        data = changed(data, at, noise)[: len(SMALL)]
    data = b"ElfFile\0" + data[8 : max(end, 8)]
    found, skipped = numbers(tmp_path / "log.evtx", data)
    assert len(found) <= len(ALL)
    touched = {(at + i - HEADER) // SIZE for at, noise in places for i in (0, len(noise) - 1)}
    # Chunks that nothing fell into are read whole.
    for chunk in set(range(3)) - touched:
        if end >= HEADER + (chunk + 1) * SIZE:
            assert set(range(chunk * 40 + 1, chunk * 40 + 41)) <= set(found)
    if len(found) < len(ALL) and end >= HEADER and all(at >= HEADER for at, _ in places):
        assert skipped


def test_a_damaged_log_goes_on_where_it_left(tmp_path: Path) -> None:
    data = changed(SMALL, FIRST + 2 * RECORD, b"\xee" * 20)
    path = tmp_path / "log.evtx"
    path.write_bytes(data)
    _, _, position = collect(path)
    path.write_bytes(data[: HEADER + SIZE * 2] + evtx([[], [], *[[{"Image": "new"}]]])[-SIZE:])
    _, _, half = collect(path)
    assert (position.offset, half.offset) == (119, 80)
    kept = Position(position.key, 79, position.fingerprint)
    found, _, _ = collect(path, Options(lookup=lambda *_: kept))
    assert [event["winlog.event_data.Image"] for event in found] == ["new"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_real_logs_damaged_at_random(shared: Path, tmp_path: Path, seed: int) -> None:
    source = random.Random(seed)
    logs = sorted((shared / "data/evtx-attack-samples").rglob("*.evtx"))
    for log in source.sample(logs, 12):
        data = bytearray(log.read_bytes())
        whole = numbers(tmp_path / "log.evtx", bytes(data))[0]
        at = source.randrange(HEADER, len(data))
        size = source.choice([1, 8, 100, 5000])
        data[at : at + size] = source.choice([bytes(size), source.randbytes(size)])[
            : len(data) - at
        ]
        found, skipped = numbers(tmp_path / "log.evtx", bytes(data))
        if set(whole) - set(found):
            assert skipped
