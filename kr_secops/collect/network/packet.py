"""What a packet says as far as flows need: Ethernet, IP, TCP, UDP, ICMP, ARP, and plain tunnels."""

# ruff: noqa: PLR2004  # offsets and lengths are those of the wire format

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct, unpack_from
from struct import error as struct_error
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

TCP: Final = 6
UDP: Final = 17
ICMP: Final = 1
ICMP6: Final = 58

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
ACK: Final = 0x10

DEEPEST: Final = 8
"""Headers within headers: tags, labels, tunnels. More is an attack on the decoder."""

PPP_IP: Final = frozenset({0x0021, 0x0057})
IP_KINDS: Final = frozenset({0x0800, 0x86DD})
TAGS: Final = frozenset({0x8100, 0x88A8, 0x9100})
ARP_KIND: Final = 0x0806
MPLS_KINDS: Final = frozenset({0x8847, 0x8848})
PPPOE_KIND: Final = 0x8864
BRIDGED_KIND: Final = 0x6558
ERSPAN2_KIND: Final = 0x88BE
ERSPAN3_KIND: Final = 0x22EB
PPTP_KIND: Final = 0x880B
VN_TAG: Final = 0x8926
INNER: Final = {0x8903: 2, 0x88E7: 4}
"""Whole Ethernet frames behind a short header: FabricPath, provider backbones."""
LONGEST_LLC: Final = 1500
SNAP: Final = b"\xaa\xaa\x03"

V6_OPTIONS: Final = frozenset({0, 43, 60, 135})
V6_FRAGMENT: Final = 44
AUTHENTICATION: Final = 51
NOTHING_FOLLOWS: Final = 59

_IPV4 = Struct(">BxHHHxBxx4s4s").unpack_from
_IPV6 = Struct(">4xHBx16s16s").unpack_from
_TCP = Struct(">HHIIBBH").unpack_from
_UDP = Struct(">HHH").unpack_from
_ICMP = Struct(">BBxxH").unpack_from
_V6_FRAGMENT = Struct(">xxHI").unpack_from
_ARP = Struct(">HHBBH6s4s6s4s").unpack_from
_U16 = Struct(">H").unpack_from
_GRE = Struct(">HH").unpack_from


@dataclass(frozen=True, slots=True)
class Link:
    """What the link layer says about a packet."""

    source: bytes | None = None
    destination: bytes | None = None
    vlan: int | None = None


@dataclass(frozen=True, slots=True)
class Packet:
    """One IP packet; addresses are packed, so IPv4 ones have four bytes and IPv6 ones sixteen."""

    link: Link
    source: bytes
    destination: bytes
    protocol: int
    length: int
    """Bytes of the IP packet on the wire, header included."""
    source_port: int = 0
    """For ICMP its type."""
    destination_port: int = 0
    """For ICMP its code."""
    payload: bytes = b""
    payload_length: int = 0
    """Bytes of payload on the wire; more than ``len(payload)`` if the capture cut them."""
    sequence: int = 0
    """For ICMP echo its identifier."""
    acknowledged: int = 0
    flags: int = 0
    window: int = 1
    inner: Packet | None = None
    """The packet that this one carries, if it is a tunnel's."""


@dataclass(frozen=True, slots=True)
class Arp:
    """One ARP packet for IPv4 over a link with addresses of six bytes."""

    link: Link
    operation: int
    sender_mac: bytes
    sender: bytes
    target_mac: bytes
    target: bytes


@dataclass(frozen=True, slots=True)
class Malformed:
    """What should have been a packet, and is not."""

    reason: str


@dataclass(frozen=True, slots=True)
class Fragment:
    """A part of an IP packet that was sent in parts."""

    link: Link
    source: bytes
    destination: bytes
    protocol: int
    identity: int
    header: int
    """Bytes of the headers before it."""
    start: int
    data: bytes
    length: int
    """Bytes of the part on the wire."""
    more: bool
    """It is not the last part."""


Decoded: TypeAlias = "Packet | Fragment | Arp | Malformed | None"
"""None: a frame that is neither IP nor ARP."""


def ethernet(data: bytes, depth: int = 0) -> Decoded:
    """Return the packet in the Ethernet frame that *data* is."""
    (kind,) = _U16(data, 12)
    return by_kind(kind, data, 14, Link(data[6:12], data[:6]), depth)


def by_kind(  # noqa: C901  # one line a kind
    kind: int, data: bytes, offset: int, link: Link, depth: int = 0
) -> Decoded:
    """Return the packet at *offset* that an Ethernet type announces, tags and labels opened."""
    for _ in range(DEEPEST):
        if kind in IP_KINDS:
            return internet(data[offset:], link, depth)
        if kind == ARP_KIND:
            return arp(data[offset:], link)
        if kind in TAGS:
            tag, kind = unpack_from(">HH", data, offset)
            link = Link(link.source, link.destination, tag & 0x0FFF)
            offset += 4
        elif kind == VN_TAG:
            (kind,) = _U16(data, offset + 4)
            offset += 6
        elif kind in INNER:
            data, offset = data[offset + INNER[kind] :], 14
            (kind,) = _U16(data, 12)
            link = Link(data[6:12], data[:6], link.vlan)
        elif kind <= LONGEST_LLC and data[offset : offset + 3] == SNAP:
            (kind,) = _U16(data, offset + 6)
            offset += 8
        elif kind == PPPOE_KIND:
            (inner,) = _U16(data, offset + 6)
            return internet(data[offset + 8 :], link, depth) if inner in PPP_IP else None
        elif kind in MPLS_KINDS:
            while not data[offset + 2] & 1:
                offset += 4
            return (
                internet(data[offset + 4 :], link, depth)
                if data[offset + 4] >> 4 in (4, 6)
                else None
            )
        else:
            return None
    return Malformed("headers nested too deep")


def internet(data: bytes, link: Link, depth: int = 0) -> Decoded:
    """Return the IP packet that *data* begins with, of whichever version, tunnels opened.

    Raises:
        struct.error, IndexError: the data ends within the headers.
    """
    if depth > DEEPEST:
        return Malformed("headers nested too deep")
    version = data[0] >> 4
    if version == 4:
        return _ipv4(data, link, depth)
    if version == 6:
        return _ipv6(data, link, depth)
    return Malformed(f"IP version {version}")


def whole(first: Fragment, body: bytes, length: int) -> Decoded:
    """Return the packet whose parts make up *body*, of which *length* bytes were sent.

    Raises:
        struct.error, IndexError: the body ends within the headers.
    """
    network = _Network(first.link, first.source, first.destination, first.header + length, length)
    return _transport(network, first.protocol, body, 0)


def arp(data: bytes, link: Link) -> Decoded:
    """Return the ARP packet that *data* begins with; None if it is for other address families."""
    _, family, mac_length, ip_length, operation, *addresses = _ARP(data)
    if (family, mac_length, ip_length) != (0x0800, 6, 4):
        return None
    return Arp(link, operation, *addresses)


def _ipv4(data: bytes, link: Link, depth: int) -> Decoded:
    first, total, identity, flags, protocol, source, destination = _IPV4(data)
    header = (first & 15) * 4
    # Zero: the sending card was to fill it in (segmentation offload) when it was captured.
    total = total or len(data)
    if header < 20 or total < header:
        return Malformed("IPv4 header length")
    body = data[header:total]
    if flags & 0x3FFF:
        return Fragment(
            link, source, destination, protocol, identity, header, (flags & 0x1FFF) * 8, body,
            total - header, bool(flags & 0x2000),
        )  # fmt: skip
    return _transport(
        _Network(link, source, destination, total, total - header), protocol, body, depth
    )


def _ipv6(data: bytes, link: Link, depth: int) -> Decoded:
    length, protocol, source, destination = _IPV6(data)
    body, rest = data[40 : 40 + length], length
    for _ in range(DEEPEST):
        if protocol in V6_OPTIONS:
            size = (body[1] + 1) * 8
        elif protocol == AUTHENTICATION:
            size = (body[1] + 2) * 4
        elif protocol == V6_FRAGMENT:
            size = 8
            (place, identity) = _V6_FRAGMENT(body)
            if place & 0xFFF9:
                return Fragment(
                    link, source, destination, body[0], identity, 40 + length - rest, place & 0xFFF8,
                    body[size:], max(rest - size, 0), bool(place & 1),
                )  # fmt: skip
        else:
            break
        protocol, body, rest = body[0], body[size:], rest - size
    network = _Network(link, source, destination, length + 40, max(rest, 0))
    return _transport(network, protocol, body, depth)


@dataclass(frozen=True, slots=True)
class _Network:
    link: Link
    source: bytes
    destination: bytes
    length: int
    body_length: int
    """Bytes behind the IP header and its extensions, on the wire."""


def _transport(network: _Network, protocol: int, body: bytes, depth: int) -> Decoded:
    if protocol == TCP:
        return _tcp(network, body)
    if protocol == UDP:
        return _udp(network, body, depth)
    if protocol in (ICMP, ICMP6):
        kind, code, identifier = _ICMP(body)
        return Packet(
            network.link, network.source, network.destination, protocol, network.length,
            kind, code, body[8:], max(network.body_length - 8, 0), identifier,
        )  # fmt: skip
    tunnel = TUNNELS.get(protocol)
    inner = tunnel(body, network.link, depth + 1) if tunnel else None
    if isinstance(inner, Packet | Fragment):
        return inner
    return Packet(
        network.link, network.source, network.destination, protocol, network.length,
        payload_length=network.body_length,
    )  # fmt: skip


def _udp(network: _Network, body: bytes, depth: int) -> Decoded:
    source_port, destination_port, length = _UDP(body)
    payload_length = max(length - 8, 0) if length else network.body_length - 8
    payload = body[8 : 8 + payload_length]
    tunnel = UDP_TUNNELS.get(destination_port)
    try:
        inner = tunnel(payload, network.link, depth + 1) if tunnel else None
    except (struct_error, IndexError):
        inner = None  # it was no tunnel, or not all of it was captured
    return Packet(
        network.link, network.source, network.destination, UDP, network.length,
        source_port, destination_port, payload, payload_length,
        inner=inner if isinstance(inner, Packet) else None,
    )  # fmt: skip


def _tcp(network: _Network, body: bytes) -> Decoded:
    source_port, destination_port, sequence, acknowledged, offset, flags, window = _TCP(body)
    header = (offset >> 4) * 4
    if header < 20:
        return Malformed("TCP header length")
    return Packet(
        network.link, network.source, network.destination, TCP, network.length,
        source_port, destination_port, body[header:], max(network.body_length - header, 0),
        sequence, acknowledged, flags, window,
    )  # fmt: skip


def _gre(data: bytes, link: Link, depth: int) -> Decoded:
    flags, kind = _GRE(data)
    # Checksum, key, sequence number and acknowledgement are there or not, four bytes each.
    offset = 4 + sum(4 for bit in (0x8000, 0x2000, 0x1000, 0x0080) if flags & bit)
    if kind == PPTP_KIND and flags & 7 == 1:
        offset += 2 if data[offset : offset + 2] == b"\xff\x03" else 0
        (inner,) = _U16(data, offset)
        return internet(data[offset + 2 :], link, depth) if inner in PPP_IP else None
    if flags & 7:
        return None
    if kind == ERSPAN2_KIND:
        return ethernet(data[offset + (8 if flags & 0x1000 else 0) :], depth)
    if kind == ERSPAN3_KIND:
        return ethernet(data[offset + 12 + (8 if data[offset + 11] & 1 else 0) :], depth)
    if kind == BRIDGED_KIND:
        return ethernet(data[offset:], depth)
    return internet(data[offset:], link, depth) if kind in IP_KINDS else None


def _vxlan(data: bytes, link: Link, depth: int) -> Decoded:
    return ethernet(data[8:], depth) if data[0] == 8 else None


def _geneve(data: bytes, link: Link, depth: int) -> Decoded:
    (kind,) = _U16(data, 2)
    offset = 8 + (data[0] & 0x3F) * 4
    if kind == BRIDGED_KIND:
        return ethernet(data[offset:], depth)
    return internet(data[offset:], link, depth) if kind in IP_KINDS else None


def _gtp(data: bytes, link: Link, depth: int) -> Decoded:
    if data[0] >> 5 != 1 or data[1] != 0xFF or data[0] & 4:
        return None
    return internet(data[12 if data[0] & 3 else 8 :], link, depth)


TUNNELS: Final[dict[int, Callable[[bytes, Link, int], Decoded]]] = {
    4: internet,
    41: internet,
    47: _gre,
}
"""IP protocol → decoder of what is inside; the inner packet is the one that counts."""
UDP_TUNNELS: Final[dict[int, Callable[[bytes, Link, int], Decoded]]] = {
    2152: _gtp,
    4789: _vxlan,
    6081: _geneve,
}
"""Port → decoder of what is inside; the outer packet counts as well."""
