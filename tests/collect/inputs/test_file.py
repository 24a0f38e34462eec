"""Files as they are met on servers: rotated, packed, truncated, damaged, hostile."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import resource
import shutil
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import zstandard

from kr_secops.collect.inputs.file import FileInput, LogFile, fingerprint, look_at
from kr_secops.collect.inputs.find import find_files
from kr_secops.collect.interface import Block, Skipped, Source
from kr_secops.collect.reading import Options, Reading, read
from kr_secops.event import Rejected

if TYPE_CHECKING:
    from collections.abc import Callable

    from kr_secops.collect.interface import Position

NOW = datetime(2026, 11, 25, tzinfo=UTC)
PACK: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "xz": lzma.compress,
    "bz2": bz2.compress,
    "zst": zstandard.ZstdCompressor().compress,
}


class Kept:
    """What a store keeps between runs, as `Options.lookup` asks for it."""

    def __init__(self) -> None:
        self.positions: dict[str, Position] = {}

    def __call__(self, key: str, fingerprint: str) -> Position | None:
        if key in self.positions:
            return self.positions[key]
        return next((p for p in self.positions.values() if p.fingerprint == fingerprint), None)

    def run(self, *paths: Path | str, growing: bool = True) -> list[str]:
        """Read *paths*, keep the positions, return the messages that came."""
        messages: list[str] = []
        options = Options(now=NOW, lookup=self, growing=growing)
        for item in read([str(path) for path in paths], options):
            if isinstance(item, Reading):
                messages += [e["message"] for e in item.events() if isinstance(e, dict)]
                self.positions[item.position.key] = item.position
        return messages


@pytest.fixture
def kept() -> Kept:
    return Kept()


def lines(first: int, last: int) -> bytes:
    return b"".join(b"Nov 17 09:14:02 web-izin app[1]: line %06d\n" % i for i in range(first, last))


def texts(first: int, last: int) -> list[str]:
    return [f"line {i:06d}" for i in range(first, last)]


def blocks(path: Path, **options: Any) -> list[Any]:
    found = look_at(path)
    assert isinstance(found, LogFile)
    return list(FileInput(found, Source(str(path)), **options).blocks())


@pytest.mark.parametrize("pack", [bytes, *PACK.values()], ids=["plain", *PACK])
def test_reads_whatever_packs_it(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(pack(lines(0, 60_000)))
    found = blocks(path)
    assert len(found) > 1
    assert b"".join(block.data for block in found) == lines(0, 60_000)
    assert all(block.data.endswith(b"\n") for block in found)
    offsets = [block.offset for block in found]
    assert offsets == [sum(len(b.data) for b in found[:i]) for i in range(len(found))]


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])
def test_several_members_in_one_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"app.log.{kind}"
    path.write_bytes(PACK[kind](lines(0, 9)) + PACK[kind](lines(9, 20)) + b"\0" * 512)
    assert b"".join(block.data for block in blocks(path)) == lines(0, 20)


@pytest.mark.parametrize("kind", PACK)
def test_a_damaged_end_gives_what_is_before_it(tmp_path: Path, kind: str) -> None:
    # Numbers that do not pack well, so that there is much before the cut.
    data = b"".join(
        b"Nov 17 09:14:02 a b: %s\n" % os.urandom(30).hex().encode() for _ in range(40_000)
    )
    packed = PACK[kind](data)
    path = tmp_path / "app.log"
    path.write_bytes(packed[: len(packed) * 9 // 10])
    *whole, last = blocks(path)
    got = b"".join(block.data for block in whole)
    assert data.startswith(got)
    assert len(got) > len(data) // 2
    assert isinstance(last, Skipped) or kind == "zst"
    if kind != "zst":
        assert last.reason.startswith(f"damaged after {len(got):,} bytes")


def test_damage_in_the_middle(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(lines(0, 90_000)))
    middle = len(packed) // 2
    packed[middle : middle + 20] = os.urandom(20)
    path = tmp_path / "app.log.gz"
    path.write_bytes(packed)
    found = blocks(path)
    assert isinstance(found[-1], Skipped)
    assert len(b"".join(b.data for b in found if isinstance(b, Block))) > 100_000


def test_no_gzip_file_at_all(tmp_path: Path) -> None:
    path = tmp_path / "app.log.gz"
    path.write_bytes(b"\x1f\x8bhello")
    assert isinstance(look_at(path), Skipped)


@pytest.mark.slow
def test_a_bomb_needs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"Nov 17 09:14:02 a b: c\n")
        for _ in range(300):
            file.write(bytes(1 << 20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    kinds = {type(item) for item in read([str(path)], Options(now=NOW))}
    assert Skipped in kinds
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 64 * 1024


def test_a_line_without_end(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(lines(0, 3) + b"x" * (3 << 20) + b"\n" + lines(3, 5))
    found = blocks(path)
    (rejected,) = (item for item in found if isinstance(item, Rejected))
    assert rejected.offset == len(lines(0, 3))
    assert rejected.reason == "line longer than 1 MiB"
    assert len(rejected.record) == 8192
    assert b"".join(b.data for b in found if isinstance(b, Block)) == lines(0, 5)
    assert found[-1].offset == path.stat().st_size - len(lines(3, 5))


def test_goes_on_where_it_left(tmp_path: Path, kept: Kept) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(lines(0, 10))
    assert kept.run(path) == texts(0, 10)
    assert kept.run(path) == []
    with path.open("ab") as file:
        file.write(lines(10, 12))
    assert kept.run(path) == texts(10, 12)


def test_an_unfinished_line_waits_for_its_end(tmp_path: Path, kept: Kept) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(lines(0, 3)[:-7])
    assert kept.run(path) == texts(0, 2)
    path.write_bytes(lines(0, 4))
    assert kept.run(path) == texts(2, 4)


def test_a_copy_that_stands_still_is_read_to_the_last_byte(tmp_path: Path, kept: Kept) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(lines(0, 3)[:-1])
    assert kept.run(path, growing=False) == texts(0, 3)


def test_rotated_by_renaming(tmp_path: Path, kept: Kept) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(lines(0, 50))
    assert kept.run(tmp_path) == texts(0, 50)
    with path.open("ab") as file:
        file.write(lines(50, 60))
    path.rename(tmp_path / "app.log.1")
    path.write_bytes(lines(60, 70))
    assert kept.run(tmp_path) == texts(50, 70)
    assert kept.run(tmp_path) == []


@pytest.mark.parametrize("kind", PACK)
def test_rotated_and_packed(tmp_path: Path, kept: Kept, kind: str) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(lines(0, 50))
    assert kept.run(tmp_path) == texts(0, 50)
    (tmp_path / f"app.log.1.{kind}").write_bytes(PACK[kind](lines(0, 60)))
    path.unlink()
    path.write_bytes(lines(60, 65))
    assert kept.run(tmp_path) == texts(50, 65)
    assert kept.run(tmp_path) == []


def test_copied_and_truncated(tmp_path: Path, kept: Kept) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(lines(0, 50))
    assert kept.run(tmp_path) == texts(0, 50)
    with path.open("ab") as file:
        file.write(lines(50, 60))
    shutil.copy(path, tmp_path / "app.log.1")
    os.truncate(path, 0)
    with path.open("ab") as file:
        file.write(lines(60, 200))  # more than was there before
    assert kept.run(tmp_path) == texts(50, 200)
    assert kept.run(tmp_path) == []


def test_truncated_and_as_before(tmp_path: Path, kept: Kept) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(lines(0, 50))
    kept.run(path)
    os.truncate(path, 0)
    with path.open("ab") as file:
        file.write(lines(0, 30))
    assert kept.run(path) == texts(0, 30)


def test_a_new_file_on_an_old_inode(tmp_path: Path, kept: Kept) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(lines(0, 50))
    kept.run(path)
    with path.open("r+b") as file:
        file.write(lines(500, 550))
    assert kept.run(path) == texts(500, 550)


def test_two_files_that_begin_alike(tmp_path: Path, kept: Kept) -> None:
    """A few equal bytes make no copy: both logs are read whole."""
    (tmp_path / "a.log").write_bytes(lines(0, 2))
    assert kept.run(tmp_path / "a.log") == texts(0, 2)
    (tmp_path / "b.log").write_bytes(lines(0, 2) + lines(7, 9))
    assert kept.run(tmp_path / "b.log") == texts(0, 2) + texts(7, 9)


def test_a_packed_file_read_to_its_end_is_not_unpacked_again(tmp_path: Path, kept: Kept) -> None:
    path = tmp_path / "app.log.1.gz"
    path.write_bytes(gzip.compress(lines(0, 50)))
    assert kept.run(path) == texts(0, 50)
    found = look_at(path, kept)
    assert isinstance(found, LogFile)
    assert found.done


def test_files_are_looked_at_before_any_is_read(tmp_path: Path, kept: Kept) -> None:
    """Else the position of the truncated file would replace what tells its copy from a new file."""
    (tmp_path / "b.log").write_bytes(lines(0, 50))
    kept.run(tmp_path)
    shutil.copy(tmp_path / "b.log", tmp_path / "copy-of-b.log")
    (tmp_path / "b.log").write_bytes(lines(50, 60))
    assert kept.run(tmp_path / "b.log", tmp_path / "copy-of-b.log") == texts(50, 60)


def test_fingerprints_cover_at_most_a_kibibyte() -> None:
    assert fingerprint(b"x" * 5000) == fingerprint(b"x" * 1024)
    assert fingerprint(b"x" * 1023).endswith(":512")
    assert fingerprint(b"x" * 100).endswith(":100")


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "socket"))
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "up").symlink_to(tmp_path)
    (tmp_path / "sub" / "app.log").write_bytes(lines(0, 1))
    (tmp_path / "again.log").symlink_to(tmp_path / "sub" / "app.log")
    found = list(find_files([str(tmp_path)]))
    listener.close()
    reasons = {Path(s.source).name: s.reason for s in found if isinstance(s, Skipped)}
    assert reasons == {
        "fifo": "a FIFO, no file",
        "socket": "a socket, no file",
        "gone": "no such file or directory",
        "self": "too many levels of symbolic links",
    }
    assert [p.name for p in found if isinstance(p, Path)] == ["again.log"]


def test_devices() -> None:
    assert list(find_files(["/dev/null"])) == [Skipped("/dev/null", "a device, no file")]
    assert look_at(Path("/dev/null")) == Skipped("/dev/null", "no regular file")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (bytes(384) + b"reboot", "binary, no log"),
        (b"Dear diary\n", "no collector recognises it"),
    ],
)
def test_what_is_no_log(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "wtmp"
    path.write_bytes(content)
    assert list(read([str(path)], Options(now=NOW))) == [Skipped(str(path), reason)]


def test_what_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "secret.log"
    path.write_bytes(lines(0, 1))
    path.chmod(0)
    if os.access(path, os.R_OK):  # the superuser may
        assert isinstance(look_at(path), LogFile)
    else:
        assert look_at(path) == Skipped(str(path), "permission denied")


def test_wildcards_take_the_oldest_of_a_rotation_first(tmp_path: Path) -> None:
    names = [
        "app.log",
        "app.log.1",
        "app.log.2.gz",
        "app.log.10.gz",
        "b.log-20261116",
        "b.log-20261115",
        "b.log",
    ]
    for name in names:
        (tmp_path / name).write_bytes(b"x\n")
    found = [Path(str(p)).name for p in find_files([str(tmp_path / "*.log*")])]
    assert found == [
        "app.log.10.gz", "app.log.2.gz", "app.log.1", "app.log",
        "b.log-20261115", "b.log-20261116", "b.log",
    ]  # fmt: skip
    assert list(find_files([str(tmp_path / "*.xyz")])) == [
        Skipped(str(tmp_path / "*.xyz"), "nothing matches")
    ]


def test_no_such_path() -> None:
    assert list(find_files(["/no/such/file"])) == [
        Skipped("/no/such/file", "no such file or directory")
    ]
