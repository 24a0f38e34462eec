from __future__ import annotations

import stat
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kr_secops.errors import KrSecopsError
from kr_secops.store import archive as module
from kr_secops.store.archive import Archive
from kr_secops.store.sqlite import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kr_secops.event import Event

    Make = Callable[..., Event]


@pytest.fixture
def archive(store: Store, make_event: Make) -> Archive:
    """Three segments: sshd on two days, sudo on one; 10 events each."""
    archive = Archive(store)
    for dataset, day in (("sshd", 17), ("sudo", 17), ("sshd", 18)):
        for n in range(10):
            archive.write(make_event(n, dataset, day))
    store.checkpoint(segments=archive.seal())
    return archive


def files(archive: Archive) -> list[Path]:
    return [archive.directory / entry.segment.path for entry in archive.entries()]


def test_what_was_written_is_read(archive: Archive, make_event: Make) -> None:
    assert list(archive.read(dataset="sudo")) == [make_event(n, "sudo") for n in range(10)]
    days = [event["@timestamp"][:10] for event in archive.read()]
    assert days == ["2026-11-17"] * 20 + ["2026-11-18"] * 10
    assert [(e.segment.count, e.segment.first[:19]) for e in archive.entries()] == [
        (10, "2026-11-17T00:00:00"),
        (10, "2026-11-17T00:00:00"),
        (10, "2026-11-18T00:00:00"),
    ]
    assert list(archive.verify()) == []


@pytest.mark.parametrize(
    ("since", "until", "count"),
    [
        (None, None, 30),
        (datetime(2026, 11, 18, tzinfo=UTC), None, 10),
        (None, datetime(2026, 11, 17, 0, 0, 3, tzinfo=UTC), 6),
        (datetime(2026, 11, 17, 0, 0, 8, tzinfo=UTC), datetime(2026, 11, 18, tzinfo=UTC), 4),
        (datetime(2026, 11, 19, tzinfo=UTC), None, 0),
    ],
)
def test_reading_a_span_of_time(
    archive: Archive, since: datetime | None, until: datetime | None, count: int
) -> None:
    assert len(list(archive.read(since=since, until=until))) == count


def test_ready_lines_are_taken_as_they_are(store: Store, make_event: Make) -> None:
    archive = Archive(store)
    archive.write(make_event(1), b'{"@timestamp":"2026-11-17T00:00:01.000Z","ready":true}')
    store.checkpoint(segments=archive.seal())
    assert [event["ready"] for event in archive.read()] == [True]


def test_any_zstd_reads_a_segment(archive: Archive) -> None:
    try:
        done = subprocess.run(["zstd", "-dc", files(archive)[0]], capture_output=True, check=True)
    except FileNotFoundError:
        pytest.skip("needs the program zstd")
    assert len([orjson.loads(line) for line in done.stdout.splitlines()]) == 10


@pytest.mark.parametrize(
    ("event", "folder"),
    [
        ({"@timestamp": "2026-11-17T00:00:00Z"}, "unknown/2026-11-17"),
        ({"@timestamp": "2026-11-17T00:00:00Z", "event.dataset": "../../x"}, "unknown/2026-11-17"),
        ({"@timestamp": "2026-11-17T00:00:00Z", "event.dataset": ["a"]}, "unknown/2026-11-17"),
        ({"@timestamp": "2026-11-17T00:00:00Z", "event.dataset": "a/b"}, "unknown/2026-11-17"),
        ({"@timestamp": "../../../etc", "event.dataset": "sshd"}, "sshd/0000-00-00"),
        ({"@timestamp": 17, "event.dataset": "sshd"}, "sshd/0000-00-00"),
        ({}, "unknown/0000-00-00"),
    ],
)
def test_no_event_chooses_a_folder_outside(store: Store, event: Event, folder: str) -> None:
    archive = Archive(store)
    archive.write(event)
    archive.write(event)
    (segment,) = archive.seal()
    assert segment.path.rpartition("/")[0] == folder
    assert segment.count == 2


def test_only_the_owner_may_read(archive: Archive) -> None:
    for path in archive.directory.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_open_segments_are_bounded(
    store: Store, make_event: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "OPEN_AT_ONCE", 3)
    archive = Archive(store)
    for n in range(40):
        archive.write(make_event(n, f"set-{n % 8}"))
        assert len(archive._open) <= 3
    segments = archive.seal()
    assert sum(segment.count for segment in segments) == 40
    store.checkpoint(segments=segments)
    assert len(list(archive.read())) == 40


def test_large_segments_are_split(
    store: Store, make_event: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 1000)
    monkeypatch.setattr(module, "LARGEST", 5000)
    archive = Archive(store)
    for n in range(200):
        archive.write(make_event(n))
    segments = archive.seal()
    assert len(segments) > 5
    assert [s.path[16:22] for s in segments] == [f"{n:06}" for n in range(1, len(segments) + 1)]
    store.checkpoint(segments=segments)
    assert [event["log.offset"] for event in archive.read()] == [n * 100 for n in range(200)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    texts=st.lists(st.text(max_size=300), min_size=1, max_size=40),
    chunk=st.sampled_from([1, 100, 2000]),
)
def test_every_text_survives(
    texts: list[str],
    chunk: int,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "CHUNK", chunk)
    written = [{"@timestamp": "2026-11-17T00:00:00.000Z", "message": text} for text in texts]
    with Store.open(tmp_path_factory.mktemp("state")) as store:
        archive = Archive(store)
        for event in written:
            archive.write(event)
        store.checkpoint(segments=archive.seal())
        assert list(archive.read()) == written


def _swap(archive: Archive) -> None:
    first, second = files(archive)[:2]
    spare = first.with_suffix(".spare")
    first.rename(spare)
    second.rename(first)
    spare.rename(second)


def _flip(archive: Archive) -> None:
    path = files(archive)[1]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _edit_row(archive: Archive) -> None:
    archive._store._database.run("UPDATE segments SET count = 9 WHERE number = 2")


def _delete_row(archive: Archive) -> None:
    archive._store._database.run("DELETE FROM segments WHERE number = 2")
    files(archive)[1].touch()


def _shorten_export(archive: Archive) -> None:
    path = archive._store.manifest_file
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def _edit_export(archive: Archive) -> None:
    path = archive._store.manifest_file
    path.write_bytes(path.read_bytes().replace(b'"count":10', b'"count":11', 1))


def _add(archive: Archive) -> None:
    files(archive)[0].with_name("000009-00.ndjson.zst").touch()


def _cut(archive: Archive) -> None:
    path = files(archive)[1]
    path.write_bytes(path.read_bytes()[:-1])


DAMAGES = {
    "deleted": (lambda archive: files(archive)[1].unlink(), [("sudo/", "deleted")]),
    "truncated": (_cut, [("sudo/", "truncated")]),
    "edited": (_flip, [("sudo/", "edited")]),
    "swapped": (_swap, [("sshd/", ""), ("sudo/", "")]),
    "added": (_add, [("sshd/", "not in the manifest")]),
    "row edited": (
        _edit_row,
        [("sudo/", "entry 2 of the manifest was edited"), ("manifest.ndjson", "entry 2 differs")],
    ),
    "row deleted": (
        _delete_row,
        [
            ("sshd/", "entry 2 of the manifest is missing"),
            ("sudo/", "not in the manifest"),
            ("manifest.ndjson", "goes on after the 2 entries"),
        ],
    ),
    "export shortened": (_shorten_export, [("manifest.ndjson", "ends after 2 of 3 entries")]),
    "export edited": (_edit_export, [("manifest.ndjson", "entry 1 differs")]),
    "export deleted": (
        lambda archive: archive._store.manifest_file.unlink(),
        [("manifest.ndjson", "ends after 0 of 3 entries")],
    ),
}


@pytest.mark.parametrize(("damage", "told"), DAMAGES.values(), ids=DAMAGES)
def test_verifying_tells_every_tampering(
    archive: Archive, damage: Callable[[Archive], None], told: list[tuple[str, str]]
) -> None:
    damage(archive)
    problems = {(p.path.split("/")[0], p.problem) for p in archive.verify()}
    for path, text in told:
        assert any(where == path.strip("/") and text in problem for where, problem in problems)


@pytest.mark.parametrize("keep", [0, 1, 50, -40])
def test_what_can_be_read_is_read_before_damage_is_told(archive: Archive, keep: int) -> None:
    path = files(archive)[0]
    path.write_bytes(path.read_bytes()[:keep])
    reading = archive.read()
    read = [next(reading)["event.dataset"] for _ in range(20)]
    assert read == ["sudo"] * 10 + ["sshd"] * 10
    with pytest.raises(KrSecopsError, match=r"damaged, see .*verify.*: sshd/2026-11-17"):
        next(reading)


def test_leftovers_of_a_killed_run_go_when_the_next_one_writes(
    archive: Archive, store: Store, make_event: Make
) -> None:
    kept = set(files(archive))
    killed = Archive(store)
    killed.write(make_event(50))
    killed.seal()  # and no checkpoint
    killed.write(make_event(51))
    next(iter(killed._open.values())).stream.close()
    assert [p.problem[:19] for p in archive.verify()] == ["not in the manifest"]
    following = Archive(store)
    following.write(make_event(52))
    assert set(archive._files()) == kept
    store.checkpoint(segments=following.seal())
    assert list(archive.verify()) == []
    assert len(list(archive.read())) == 31


@pytest.mark.parametrize("backup", [False, True], ids=["lost", "put back from a backup"])
def test_an_archive_outlives_its_database(
    archive: Archive, store: Store, make_event: Make, tmp_path: Path, backup: bool
) -> None:
    saved = tmp_path / "backup"
    store._database.run("VACUUM INTO ?", str(saved))
    for n in range(10):
        archive.write(make_event(n, "su"))
    store.checkpoint(segments=archive.seal())
    before = archive.entries()
    store.close()
    for path in (tmp_path / "state").glob("state.db*"):
        path.unlink()
    if backup:
        saved.rename(tmp_path / "state" / "state.db")
    with Store.open(tmp_path / "state") as fresh:
        following = Archive(fresh)
        following.write(make_event(99))
        fresh.checkpoint(segments=following.seal())
        assert following.entries()[:4] == before
        assert list(following.verify()) == []
        assert len(list(following.read())) == 41


def test_a_full_disk_is_told(
    store: Store, make_event: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 1)
    archive = Archive(store)
    archive.write(make_event(1))
    writer = next(iter(archive._open.values()))
    writer.stream.close()
    writer.stream = open("/dev/full", "wb", 0)  # noqa: PTH123, SIM115
    with pytest.raises(KrSecopsError, match="No space left on device"):
        archive.write(make_event(2))
    writer.stream.close()
