from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dot11 import Dot11, RadioTap
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrHopByHop
from scapy.layers.l2 import ARP, GRE, LLC, SNAP, CookedLinux, Dot1AD, Dot1Q, Ether, Loopback
from scapy.layers.ppp import PPP, PPPoE

from kr_secops.collect.network import link
from kr_secops.collect.network.capture import Frame
from kr_secops.collect.network.packet import Arp, Malformed, Packet

INNER = IP(src="10.61.12.101", dst="10.61.12.10") / UDP(sport=40000, dport=53) / b"hello"
ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")


def decode(data: Any, kind: int = 1) -> Any:
    raw = bytes(data)
    return link.decode(Frame(1, 0, kind, raw, len(raw)))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (ETHER / INNER, 1),
        (ETHER / Dot1Q(vlan=7) / INNER, 1),
        (ETHER / Dot1AD(vlan=9) / Dot1Q(vlan=7) / INNER, 1),
        (ETHER / PPPoE(sessionid=1) / PPP() / INNER, 1),
        (Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02", type=60) / LLC() / SNAP() / INNER, 1),
        (ETHER / IP(src="192.0.2.1", dst="192.0.2.2") / INNER, 1),
        (ETHER / IP(src="192.0.2.1", dst="192.0.2.2") / GRE(key_present=1, key=5) / INNER, 1),
        (ETHER / IPv6(src="2001:db8::1", dst="2001:db8::2", nh=4) / INNER, 1),
        (ETHER / IP() / GRE(proto=0x6558) / ETHER / INNER, 1),
        (ETHER / IP() / GRE(proto=0x88BE, seqnum_present=1) / (b"\x10" + b"\0" * 7) / ETHER / INNER, 1),
        (ETHER / IP() / GRE(proto=0x22EB, seqnum_present=1) / (b"\x20" + b"\0" * 11) / ETHER / INNER, 1),
        (INNER, 101),
        (INNER, 12),
        (INNER, 228),
        (Loopback(type=2) / INNER, 0),
        (CookedLinux(proto=0x0800) / INNER, 113),
        (PPP() / INNER, 9),
        (RadioTap() / Dot11(type=2) / LLC() / SNAP() / INNER, 127),
    ],
)  # fmt: skip
def test_the_same_packet_in_every_wrapping(data: Any, kind: int) -> None:
    packet = decode(data, kind)
    assert isinstance(packet, Packet)
    assert (packet.source, packet.destination) == (b"\x0a\x3d\x0c\x65", b"\x0a\x3d\x0c\x0a")
    assert (packet.protocol, packet.source_port, packet.destination_port) == (17, 40000, 53)
    assert (packet.payload, packet.payload_length, packet.length) == (b"hello", 5, 33)


def test_link_addresses_and_the_inner_vlan_are_kept() -> None:
    packet = decode(ETHER / Dot1AD(vlan=9) / Dot1Q(vlan=7) / INNER)
    assert (packet.link.source, packet.link.destination) == (b"\2\0\0\0\0\1", b"\2\0\0\0\0\2")
    assert packet.link.vlan == 7


def test_tcp_behind_ipv6_options_with_ethernet_padding() -> None:
    inner = IPv6(src="2001:db8::1", dst="2001:db8::2") / IPv6ExtHdrHopByHop()
    packet = decode(bytes(ETHER / inner / TCP(sport=1, dport=22, flags="S", seq=77)) + b"\0" * 6)
    assert (packet.protocol, packet.destination_port, packet.sequence) == (6, 22, 77)
    assert (packet.payload_length, packet.flags) == (0, 2)


def test_icmp_type_and_code() -> None:
    packet = decode(ETHER / IP(src="10.0.0.1", dst="10.0.0.2") / ICMP(type=3, code=1) / INNER)
    assert (packet.source_port, packet.destination_port) == (3, 1)


def test_arp() -> None:
    packet = decode(
        ETHER / ARP(op=2, hwsrc="02:00:00:00:00:01", psrc="10.61.12.1", pdst="10.61.12.9")
    )
    assert isinstance(packet, Arp)
    assert (packet.operation, packet.sender) == (2, b"\x0a\x3d\x0c\x01")


@pytest.mark.parametrize(
    "data",
    [
        bytes(ETHER / INNER)[:10],
        bytes(ETHER / INNER)[:30],
        bytes(ETHER / INNER)[:36],
        bytes(ETHER)[:12] + b"\x08\x00\x43" + bytes(INNER)[1:],
        bytes(ETHER)[:12] + b"\x08\x00\x95" + bytes(INNER)[1:],
        bytes(ETHER)[:12] + b"\x81\x00\x00\x07" * 20,
    ],
    ids=["ethernet", "ip", "udp", "header too short", "version 9", "tags for ever"],
)
def test_damage_has_a_reason(data: bytes) -> None:
    assert isinstance(decode(data), Malformed)


OUTER = ETHER / IP(src="192.0.2.1", dst="192.0.2.2")


@pytest.mark.parametrize(
    "data",
    [
        OUTER / UDP(dport=4789) / (b"\x08" + b"\0" * 7) / ETHER / INNER,
        OUTER / UDP(dport=6081) / (b"\x01\0\x65\x58" + b"\0" * 8) / ETHER / INNER,
        OUTER / UDP(dport=6081) / (b"\0\0\x08\0" + b"\0" * 4) / INNER,
        OUTER / UDP(dport=2152) / (b"\x30\xff" + b"\0" * 6) / INNER,
        OUTER / UDP(dport=2152) / (b"\x32\xff" + b"\0" * 10) / INNER,
    ],
    ids=["vxlan", "geneve ethernet", "geneve ip", "gtp", "gtp with number"],
)
def test_tunnels_over_udp_count_twice(data: Any) -> None:
    packet = decode(data)
    assert (packet.source, packet.protocol) == (b"\xc0\0\2\1", 17)
    assert packet.inner.payload == b"hello"
    assert packet.inner.inner is None


@pytest.mark.parametrize("port", [2152, 4789, 6081])
@given(data=st.binary(max_size=60))
def test_what_only_uses_the_port_of_a_tunnel_is_no_damage(port: int, data: bytes) -> None:
    packet = decode(OUTER / UDP(dport=port) / data)
    assert (packet.destination_port, packet.payload) == (port, data)


def test_tunnels_are_opened_only_so_deep() -> None:
    nested = INNER
    for _ in range(20):
        nested = IP(src="192.0.2.1", dst="192.0.2.2") / nested
    assert decode(ETHER / nested).protocol == 4


@pytest.mark.parametrize("data", [ETHER / (b"\xff" * 30), Ether(type=0x88CC) / b"lldp"])
def test_other_protocols_are_no_damage(data: Any) -> None:
    assert decode(data) is None


KINDS = [*link.LINKS, 105, 127, 50, 195, 9999]


@given(st.binary(max_size=120), st.sampled_from(KINDS))
def test_random_bytes_never_raise(data: bytes, kind: int) -> None:
    decode(data, kind)


@given(st.data())
def test_damaged_packets_never_raise(data: st.DataObject) -> None:
    raw = bytearray(bytes(ETHER / Dot1Q(vlan=7) / IPv6() / IPv6ExtHdrHopByHop() / TCP() / b"GET /"))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    decode(bytes(raw[: data.draw(st.integers(0, len(raw)))]))
