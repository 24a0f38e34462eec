from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kr_secops.collect.network.pcap import read_pcap

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kr_secops.event import Event


def flow(path: Path) -> Event:
    found = [e for e in read_pcap(path) if isinstance(e, dict)]
    (event,) = [e for e in found if e["event.dataset"] == "network.flow"]
    return event


@pytest.mark.parametrize(
    ("steps", "state", "history"),
    [
        ("S", "S0", "S"),
        ("S r", "REJ", "Sr"),
        ("S h R", "RSTO", "ShR"),
        ("S h A", "S1", "ShA"),
        ("S h A D d F f A", "SF", "ShADdFf"),
        ("S h A D d F A", "S2", "ShADdF"),
        ("S h A D d f A", "S3", "ShADdf"),
        ("S h A D R", "RSTO", "ShADR"),
        ("S h A D r", "RSTR", "ShADr"),
        ("S R", "RSTOS0", "SR"),
        ("S F", "SH", "SF"),
        ("h f", "SHR", "^hf"),
        ("h r", "RSTRH", "^hr"),
        ("D d", "OTH", "Dd"),
        ("S h A D F R f", "SF", "ShADFRf"),
    ],
)
def test_state_and_history(
    talk: Any, capture: Callable[..., Path], steps: str, state: str, history: str
) -> None:
    flags = {"S": "S", "H": "SA", "A": "A", "D": "PA", "F": "FA", "R": "R"}
    conversation = talk(port=2222)
    for step in steps.split():
        data = b"hello" if step in "Dd" else b""
        conversation.send(step.isupper(), flags[step.upper()], data)
    event = flow(capture(conversation.packets))
    assert (event["kr.network.state"], event["kr.network.history"]) == (state, history)
    assert (event["source.port"], event["destination.port"]) == (40_000, 2222)


def test_bytes_by_sequence_numbers_count_lost_packets_once(
    talk: Any, capture: Callable[..., Path]
) -> None:
    conversation = talk(port=2222).open().ask(b"a" * 100).ask(b"b" * 50).ask(b"c" * 25).close()
    lost = conversation.packets.pop(4)
    assert bytes(lost).endswith(b"b" * 50)
    conversation.packets.insert(5, conversation.packets[3])
    event = flow(capture(conversation.packets))
    assert event["kr.network.source.payload_bytes"] == 175
    assert event["source.packets"] == 7
    assert event["source.bytes"] == 7 * 40 + 100 + 100 + 25
    assert "T" in event["kr.network.history"]


def test_sequence_numbers_that_wrap(talk: Any, capture: Callable[..., Path]) -> None:
    conversation = talk(port=2222)
    conversation.ends[True][2] = (1 << 32) - 51
    conversation.send(True, "S").send(False, "SA").ask(b"a" * 50)
    conversation.ends[True][2] = 0
    conversation.ask(b"b" * 50)
    assert flow(capture(conversation.packets))["kr.network.source.payload_bytes"] == 100
