from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from kr_secops.collect.network.packet import ICMP, TCP, UDP, Link, Packet
from kr_secops.collect.network.table import SECOND, Table

if TYPE_CHECKING:
    import pytest

LINK = Link()
A, B = b"\x0a\0\0\1", b"\x0a\0\0\2"


def packet(
    protocol: int, source: int, destination: int, *, back: bool = False, flags: int = 0
) -> Packet:
    ends = (B, A) if back else (A, B)
    return Packet(LINK, *ends, protocol, 40, source, destination, flags=flags)


def ended(table: Table, what: Packet, time: int) -> list[tuple[int, int]]:
    return [
        (flow.originator.port, flow.originator.packets + flow.responder.packets)
        for flow, fact in table.add(what, 1, time * SECOND)
        if fact is None
    ]


def test_udp_ends_after_a_minute_of_silence_tcp_after_five() -> None:
    table = Table()
    assert not ended(table, packet(UDP, 1000, 9), 0)
    assert not ended(table, packet(TCP, 2000, 9, flags=2), 0)
    assert not ended(table, packet(UDP, 1000, 9), 60)
    assert not ended(table, packet(UDP, 1001, 9), 61)
    assert ended(table, packet(UDP, 1002, 9), 121) == [(1000, 2)]
    assert sorted(ended(table, packet(UDP, 1003, 9), 400)) == [(1001, 1), (1002, 1), (2000, 1)]
    assert len(table) == 1


def test_a_new_syn_on_a_closed_connection_begins_another() -> None:
    table = Table()
    for flags, back in ((2, False), (18, True), (17, False), (17, True)):
        ports = (80, 2000) if back else (2000, 80)
        assert not ended(table, packet(TCP, *ports, back=back, flags=flags), 0)
    assert not ended(table, packet(TCP, 2000, 80, flags=16), 1)
    assert ended(table, packet(TCP, 2000, 80, flags=2), 2) == [(2000, 5)]


def test_the_answer_that_comes_first_is_turned_around() -> None:
    table = Table()
    ended(table, packet(UDP, 53, 3000, back=True), 0)
    ((flow, _),) = table.finish()
    assert (flow.originator.address, flow.originator.port, flow.history) == (A, 3000, ["^", "d"])


def test_echoes_with_their_replies_are_one_flow_unreachables_another() -> None:
    table = Table()
    ended(table, packet(ICMP, 8, 0), 0)
    ended(table, packet(ICMP, 0, 0, back=True), 0)
    ended(table, packet(ICMP, 3, 3, back=True), 0)
    flows = [flow for flow, _ in table.finish()]
    assert [(f.originator.port, f.responder.port, f.responder.packets) for f in flows] == [
        (8, 0, 1),
        (3, 3, 0),
    ]


def test_the_number_of_flows_is_bounded_and_none_is_lost() -> None:
    table = Table(limit=100)
    gone = list(
        itertools.chain.from_iterable(
            table.add(packet(TCP, port, 80, flags=2), port, 0) for port in range(1000, 2000)
        )
    )
    assert len(table) == 100
    assert [flow.originator.port for flow, _ in gone] == list(range(1000, 1900))


def test_time_that_runs_backwards_ends_nothing() -> None:
    table = Table()
    ended(table, packet(UDP, 1000, 9), 1000)
    assert not ended(table, packet(UDP, 1000, 9), 3)
    ((flow, _),) = table.finish()
    assert flow.last - flow.first == 0


def test_who_is_listened_to_no_longer_is_told_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kr_secops.collect.network.table.LISTENING", 2)
    table = Table()
    request = b"GET /masuk HTTP/1.1\r\nHost: a\r\n\r\n"
    told = []
    for port in (1001, 1002, 1003):
        for flags, data in ((2, b""), (24, request)):
            said = Packet(
                LINK, A, B, TCP, 40, port, 80, data, len(data), sequence=flags & 8 > 0, flags=flags
            )
            told += [(flow.originator.port, fact) for flow, fact in table.add(said, 1, 0)]
    ((port, fact),) = told
    assert port == 1001
    assert fact is not None
    assert fact.fields["url.original"] == "/masuk"
