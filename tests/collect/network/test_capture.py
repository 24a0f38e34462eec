from __future__ import annotations

import gzip
import struct
from typing import TYPE_CHECKING

import pytest

from kr_secops.collect.interface import Skipped
from kr_secops.collect.network.capture import LATEST, Frame, frames

if TYPE_CHECKING:
    from pathlib import Path

FRAME = bytes(range(60))


def classic(order: str = "<", magic: int = 0xA1B2C3D4, count: int = 3) -> bytes:
    head = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, 1)
    record = struct.pack(f"{order}IIII", 1_795_000_000, 250_000, len(FRAME), 1514) + FRAME
    return head + record * count


def block(kind: int, body: bytes) -> bytes:
    size = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + size + body + size


def next_generation() -> bytes:
    section = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    nanoseconds = struct.pack("<HHBxxx", 9, 1, 9) + b"\0\0\0\0"
    interfaces = block(1, struct.pack("<HHI", 1, 0, 65535)) + block(
        1, struct.pack("<HHI", 101, 0, 65535) + nanoseconds
    )
    ticks = 1_795_000_000_250_000
    first = struct.pack("<5I", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(FRAME), 1514) + FRAME
    ticks *= 1000
    second = struct.pack("<5I", 1, ticks >> 32, ticks & 0xFFFFFFFF, len(FRAME), 1514) + FRAME
    return section + interfaces + block(6, first) + block(6, second)


@pytest.mark.parametrize(
    "data",
    [
        classic(),
        classic(">"),
        classic("<", 0xA1B23C4D),
        gzip.compress(classic(), mtime=0),
    ],
    ids=["little-endian", "big-endian", "nanoseconds", "gzip"],
)
def test_classic(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(data)
    found = list(frames(path))
    fraction = 250_000 if b"\x4d\x3c\xb2\xa1" in data else 250_000_000
    time = 1_795_000_000 * 10**9 + fraction
    assert found == [Frame(n, time, 1, FRAME, 1514) for n in (1, 2, 3)]


def test_next_generation_with_two_interfaces(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    path.write_bytes(next_generation())
    time = 1_795_000_000_250_000_000
    assert list(frames(path)) == [Frame(1, time, 1, FRAME, 1514), Frame(2, time, 101, FRAME, 1514)]


@pytest.mark.parametrize(
    ("data", "count", "reason"),
    [
        (classic()[:-10], 3, "up to frame 3 only: it ends in the middle"),
        (classic()[:-70], 2, "up to frame 2 only: it ends in the middle"),
        (gzip.compress(classic(), mtime=0)[:-20], None, "up to frame"),
        (next_generation()[:-30], 1, "up to frame 1 only: it ends in the middle"),
        (next_generation()[:-4] + b"\xff\xff\xff\xff" + classic(), 1, "a block is damaged"),
        (b"", 0, "no packet capture"),
        (b"Nov 17 09:14:02 web-izin sshd[1]: hello", 0, "no packet capture"),
        (b"\x1f\x8bnonsense", 0, ""),
    ],
)
def test_damage_is_said_once(tmp_path: Path, data: bytes, count: int | None, reason: str) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(data)
    found = list(frames(path))
    skipped = [item for item in found if isinstance(item, Skipped)]
    assert len(skipped) == 1
    assert reason in skipped[0].reason
    assert count is None or len(found) == count + 1


def test_a_length_of_four_gigabytes_asks_for_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(classic(count=1)[:24] + struct.pack("<IIII", 0, 0, 0xFFFFFFFF, 0xFFFFFFFF))
    assert any(isinstance(item, Skipped) for item in frames(path))


def test_a_time_beyond_all_years_is_cut(tmp_path: Path) -> None:
    data = next_generation()
    ticks = struct.pack(
        "<2I", 1_795_000_000_250_000_000 >> 32, 1_795_000_000_250_000_000 & 0xFFFFFFFF
    )
    path = tmp_path / "a.pcapng"
    path.write_bytes(data.replace(ticks, b"\xff" * 8))
    assert [f.time for f in frames(path) if isinstance(f, Frame)][1] == LATEST


def test_a_missing_file_is_skipped(tmp_path: Path) -> None:
    assert list(frames(tmp_path / "none.pcap")) == [
        Skipped(str(tmp_path / "none.pcap"), "no such file or directory")
    ]
