from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import IP, TCP, UDP, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment, fragment6

from kr_secops.collect.network import link
from kr_secops.collect.network.capture import Frame
from kr_secops.collect.network.fragments import PARTS, WAITING, Fragments
from kr_secops.collect.network.packet import Fragment, Link, Malformed, Packet

QUESTION = bytes(DNS(qd=DNSQR(qname="a" * 40 + ".kurir.example")))
V4 = IP(src="10.0.0.1", dst="10.0.0.2", id=7) / UDP(sport=4000, dport=53) / QUESTION
V6 = (
    IPv6(src="2001:db8::1", dst="2001:db8::2")
    / IPv6ExtHdrFragment(id=7)
    / UDP(sport=4000, dport=53)
    / (QUESTION * 20)
)


def parts(packets: list[Any]) -> list[Fragment]:
    found = [link.decode(Frame(1, 0, 101, bytes(p), len(p))) for p in packets]
    assert all(isinstance(part, Fragment) for part in found), found
    return [part for part in found if isinstance(part, Fragment)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_parts_in_any_order_are_one_packet(order: tuple[int, ...]) -> None:
    found = parts(fragment(V4, fragsize=32))
    fragments = Fragments()
    *early, packet = [fragments.add(found[i], 0) for i in order]
    assert early == [None, None]
    assert isinstance(packet, Packet)
    assert (packet.source_port, packet.destination_port) == (4000, 53)
    assert packet.payload == QUESTION
    assert packet.length == len(V4)


def test_version_6() -> None:
    found = parts(fragment6(V6, 600))
    fragments = Fragments()
    *early, packet = [fragments.add(part, 0) for part in reversed(found)]
    assert set(early) == {None}
    assert isinstance(packet, Packet)
    assert packet.payload == QUESTION * 20


def test_a_header_hidden_in_parts_is_read() -> None:
    hidden = IP(src="10.0.0.1", dst="10.0.0.2") / TCP(dport=22, flags="S")
    fragments = Fragments()
    packet = [fragments.add(part, 0) for part in parts(fragment(hidden, fragsize=8))][-1]
    assert isinstance(packet, Packet)
    assert packet.destination_port == 22


def test_memory_is_bounded() -> None:
    fragments = Fragments()
    for number in range(3 * WAITING):
        part = Fragment(Link(), b"a" * 4, b"b" * 4, 17, number, 20, 8, b"x" * 8, 8, True)
        assert fragments.add(part, 0) is None
    assert len(fragments._waiting) == WAITING
    for number in range(PARTS + 1):
        part = Fragment(Link(), b"a" * 4, b"b" * 4, 17, 1, 20, 16 * number + 8, b"x", 1, True)
        last = fragments.add(part, 0)
    assert isinstance(last, Malformed)


def test_parts_that_come_too_late_are_of_another_packet() -> None:
    first, *rest = parts(fragment(V4, fragsize=32))
    fragments = Fragments()
    assert fragments.add(first, 0) is None
    assert [fragments.add(part, 60 * 10**9) for part in rest] == [None] * len(rest)


@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.binary(max_size=30), st.integers(0, 40), st.booleans()),
        max_size=12,
    ),
    st.sampled_from([1, 6, 17, 47, 58]),
)
def test_random_parts_never_raise(found: list[tuple[int, bytes, int, bool]], protocol: int) -> None:
    fragments = Fragments()
    for start, data, length, more in found:
        fragments.add(
            Fragment(Link(), b"a" * 4, b"b" * 4, protocol, 1, 20, start * 8, data, length, more), 0
        )
