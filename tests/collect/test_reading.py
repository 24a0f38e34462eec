"""Readers as the pipeline meets them: whole files, any cut into blocks, chosen lines, shapes."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kr_secops import ecs
from kr_secops.collect.catalog import load
from kr_secops.collect.interface import Block, Position, Skipped, Source
from kr_secops.collect.reading import Options, Reading, read
from kr_secops.errors import UsageError
from kr_secops.event import Rejected, dumps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from kr_secops.event import Event

NOW = datetime(2026, 11, 25, tzinfo=UTC)
LOGS = (
    "web-izin/var/log/auth.log", "web-izin/var/log/syslog", "web-izin/var/log/audit/audit.log",
    "web-izin/var/log/nginx/access.log", "web-izin/var/log/nginx/error.log",
    "web-izin/var/log/apache2/access.log", "web-izin/var/log/apache2/error.log",
    "web-izin/var/www/izin/storage/logs/laravel.log", "db-izin/var/log/auth.log",
    "web-izin/var/www/antrean/application/logs/log-2026-11-17.php",
    "db-izin/var/log/postgresql/postgresql-15-main.log",
)  # fmt: skip


def events(items: Iterable[Any]) -> list[Event]:
    found: list[Event] = []
    for item in items:
        assert isinstance(item, Reading), item
        for outcome in item.events():
            assert isinstance(outcome, dict), outcome
            found.append(outcome)
    return found


@pytest.mark.parametrize("name", LOGS)
def test_every_line_of_the_recorded_day_is_a_valid_event(estate: Path, name: str) -> None:
    found = events(read([str(estate / name)], Options(now=NOW)))
    assert found
    for event in found:
        assert ecs.check(event) == []
        assert {"@timestamp", "event.dataset", "event.original", "log.offset"} <= event.keys()
        assert event["log.file.path"] == str(estate / name)


@pytest.mark.parametrize("name", LOGS)
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_cut_into_blocks_does_not_matter(estate: Path, name: str, seed: int) -> None:
    path = str(estate / name)
    whole = events(read([path], Options(now=NOW)))
    (first,) = (item for item in read([path], Options(now=NOW)) if isinstance(item, Reading))
    reader = first.reader.collector.reader(first.block.source, NOW)
    pieces: list[Event] = []
    for block in _cut(first.block, seed):
        pieces += [e for e in reader.events(block) if isinstance(e, dict)]
        waiting = reader.waiting
        assert waiting is None or waiting < block.offset + len(block.data)
    pieces += [e for e in reader.finish() if isinstance(e, dict)]
    assert pieces == whole
    assert reader.waiting is None


def _cut(block: Block, seed: int) -> Iterator[Block]:
    data, start, step = block.data, 0, 100 + seed % 50_000
    while start < len(data):
        end = data.find(b"\n", min(start + step, len(data) - 1)) + 1 or len(data)
        yield Block(block.source, start, data[start:end], Position("x", end))
        start = end


@pytest.mark.parametrize("name", [name for name in LOGS if "access" in name or "/auth" in name])
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_chosen_lines_give_the_events_of_those_lines(
    estate: Path, name: str, data: st.DataObject
) -> None:
    (reading,) = (i for i in read([str(estate / name)], Options(now=NOW)) if isinstance(i, Reading))
    assert reading.verbatim
    whole = {e["log.offset"]: e for e in events([reading])}
    lines = sorted(data.draw(st.sets(st.sampled_from(sorted(whole)), max_size=40)))
    again = reading.reader.collector.reader(reading.block.source, NOW)
    chosen = [e for e in again.events(reading.block, lines) if isinstance(e, dict)]
    assert chosen == [whole[offset] for offset in lines]


@pytest.mark.parametrize("name", [name for name in LOGS if "access" in name or "/auth" in name])
def test_each_event_has_a_shape(estate: Path, name: str) -> None:
    """What the prefilter concludes from shapes holds for every event of the recorded day."""
    (reading,) = (i for i in read([str(estate / name)], Options(now=NOW)) if isinstance(i, Reading))
    shapes = reading.shapes()
    for event in events([reading]):
        line = event["event.original"]
        fitting = [
            shape
            for shape in shapes
            if (not shape.anchors or any(anchor in line for anchor in shape.anchors))
            and all(event.get(name) == value for name, value in shape.constants.items())
            and event.keys() <= shape.constants.keys() | shape.fields | shape.derived
            and all(_stands(event[f], line) for f in shape.fields & event.keys())
        ]
        assert fitting, event


def _stands(value: object, line: str) -> bool:
    return all(str(v) in line for v in (value if isinstance(value, list) else [value]))


LINES = st.lists(st.binary(max_size=200) | st.sampled_from([
    b"Nov 17 09:14:02 web-izin sshd[812]: Failed password for sari from 203.0.113.66 port 4 ssh2",
    b"Nov 17 09:14:02 web-izin sshd[812]: message repeated 2 times: [ x]",
    b"Nov 17 09:14:02 web-izin last message repeated 999999999 times",
    b'198.51.100.7 - - [17/Nov/2026:07:13:33 +0700] "GET /%ff%00 HTTP/1.1" 200 9 "-" "c"',
    b"type=EXECVE msg=audit(1794875700.140:5280): argc=2 a0=00 a1=FFFE a2[1]=61",
    b"type=PATH msg=audit(999999999999.1:9): item=0",
    b'{"Event":{"System":{"TimeCreated":{"#attributes":{"SystemTime":"9"}},"EventID":[]}}}',
    b'{"@timestamp":"2026-11-17T02:14:02.000Z","event":{"category":7}}',
    b"[2026-11-16 16:40:01] production.ERROR: x {\"exception\":\"[object] (A(code: 0): ",
    b'2021-01-04 00:04:50 UTC,"a', b"2026-11-16 16:30:08 WIB [9] LOG:  connection received: host=",
]), max_size=12)  # fmt: skip


@pytest.mark.parametrize("name", sorted(c.id for c in load().values() if c.id != "network"))
@settings(max_examples=25, deadline=None)
@given(lines=LINES)
def test_no_bytes_stop_a_reader(name: str, lines: list[bytes]) -> None:
    reader = load()[name].reader(Source("x"), NOW)
    data = b"\n".join(lines)
    outcomes = [*reader.events(Block(Source("x"), 0, data, Position("x"))), *reader.finish()]
    for outcome in outcomes:
        assert isinstance(outcome, dict | Rejected)
        if isinstance(outcome, dict):
            dumps(outcome)
            assert outcome["@timestamp"].endswith("Z")


def test_positions_wait_for_records_that_are_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "laravel.log"
    line = "[2026-11-16 16:40:01] production.INFO: x\n"
    path.write_text(line * 60_000)
    readings = [i for i in read([str(path)], Options(now=NOW)) if isinstance(i, Reading)]
    assert len(readings) > 1
    count = 0
    for reading in readings:
        count += len(list(reading.events()))
        assert reading.position.offset == count * len(line)
    assert count == 60_000


def test_standard_input() -> None:
    line = b"Nov 17 09:14:02 web-izin CRON[1]: (root) CMD (true)\n"
    (event,) = events(read(["-"], Options(now=NOW, stdin=io.BytesIO(line))))
    assert event["event.action"] == "cron_command"
    assert event["log.file.path"] == "-"


def test_standard_input_that_nobody_knows() -> None:
    assert list(read(["-"], Options(stdin=io.BytesIO(b"hello\n")))) == [
        Skipped("-", "no collector recognises it")
    ]


def test_empty_standard_input() -> None:
    assert list(read(["-"], Options(stdin=io.BytesIO(b"")))) == [Skipped("-", "empty")]


def test_a_path_given_twice_is_read_once(estate: Path) -> None:
    folder = estate / "db-izin/var/log"
    once = events(read([str(folder / "auth.log")], Options(now=NOW)))
    paths = [str(folder / "auth.log"), str(folder / "auth.l*g"), str(folder / "auth.log")]
    assert events(read(paths, Options(now=NOW))) == once


def test_unknown_collector() -> None:
    with pytest.raises(UsageError, match="did you mean 'sshd'"):
        list(read(["-"], Options(collector="sshdd")))


def test_host_of_a_web_log(estate: Path) -> None:
    path = str(estate / "web-izin/var/log/nginx/access.log")
    event = events(read([path], Options(now=NOW, host="web-izin")))[0]
    assert event["host.name"] == "web-izin"
    assert event["related.hosts"] == ["web-izin"]


def test_a_repetition_keeps_the_place_of_what_it_repeats() -> None:
    """What is masked in a line must be masked in its repetitions, and by its place it is found."""
    lines = [
        b"Nov 17 09:14:02 web-izin app: first",
        b"Nov 17 09:14:02 web-izin app: second",
        b"Nov 17 09:14:09 web-izin last message repeated 2 times",
    ]
    data = b"\n".join(lines) + b"\n"
    second = len(lines[0]) + 1
    for chosen in (None, [0, second]):
        reader = load()["syslog"].reader(Source("x", zone=UTC), NOW)
        found = reader.events(Block(Source("x"), 0, data, Position("x")), chosen)
        got = [
            (e["message"], e["log.offset"], e.get("event.sequence"))
            for e in found
            if isinstance(e, dict)
        ]
        assert got == [
            ("first", 0, None),
            ("second", second, None),
            ("second", second, 1),
            ("second", second, 2),
        ]


def test_a_repetition_at_the_beginning_of_a_block_repeats_nothing() -> None:
    data = b"Nov 17 09:14:09 web-izin last message repeated 2 times\n"
    reader = load()["syslog"].reader(Source("x", zone=UTC), NOW)
    (event,) = reader.events(Block(Source("x"), 900, data, Position("x")))
    assert isinstance(event, dict)
    assert event["message"] == "last message repeated 2 times"
