"""Captures made by hand: packets in, path of a file out."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

START = 1_795_000_000.0


@pytest.fixture
def capture(tmp_path: Path) -> Callable[..., Path]:
    """Write packets (scapy's, or plain bytes), a millisecond apart, or at their own times."""
    from scapy.utils import wrpcap

    def write(packets: list[Any], *, link: int = 1, name: str = "made.pcap") -> Path:
        from scapy.layers.l2 import Ether

        path = tmp_path / name
        ready = []
        for number, packet in enumerate(packets):
            frame = packet if hasattr(packet, "layers") else Ether(packet)
            if not getattr(frame, "dated", False):
                frame.time = START + number / 1000
            ready.append(frame)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wrpcap(str(path), ready, linktype=link)
        return path

    return write


class Talk:
    """A TCP connection whose packets are made as it is spoken."""

    def __init__(self, client: str = "10.61.12.101", server: str = "10.61.12.10", port: int = 80):
        self.ends = {True: [client, 40_000, 1000], False: [server, port, 5000]}
        self.packets: list[Any] = []

    def send(self, client: bool, flags: str, data: bytes = b"") -> Talk:
        """Append a packet of one side."""
        from scapy.layers.inet import IP, TCP
        from scapy.layers.l2 import Ether

        me, other = self.ends[client], self.ends[not client]
        mine, theirs = ("02:00:00:00:00:01", "02:00:00:00:00:02")[:: 1 if client else -1]
        self.packets.append(
            Ether(src=mine, dst=theirs)
            / IP(src=me[0], dst=other[0])
            / TCP(sport=me[1], dport=other[1], seq=me[2], ack=other[2], flags=flags)
            / data
        )
        me[2] += len(data) + ("S" in flags) + ("F" in flags)
        return self

    def open(self) -> Talk:
        """Shake hands."""
        return self.send(True, "S").send(False, "SA").send(True, "A")

    def ask(self, data: bytes) -> Talk:
        """Let the client say something."""
        return self.send(True, "PA", data)

    def answer(self, data: bytes) -> Talk:
        """Let the server say something."""
        return self.send(False, "PA", data)

    def close(self) -> Talk:
        """Say good-bye."""
        return self.send(True, "FA").send(False, "FA").send(True, "A")


@pytest.fixture
def talk() -> type[Talk]:
    """The maker of TCP connections."""
    return Talk
