"""What a packet says as far as flows need: IPv4 and IPv6, TCP, UDP, ICMP, ARP, plain tunnels."""

# ruff: noqa: PLR2004  # offsets and lengths are those of the wire format

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
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
        source_port, destination_port, length = _UDP(body)
        payload_length = max(length - 8, 0) if length else network.body_length - 8
        return Packet(
            network.link, network.source, network.destination, UDP, network.length,
            source_port, destination_port, body[8 : 8 + payload_length], payload_length,
        )  # fmt: skip
    if protocol in (ICMP, ICMP6):
        kind, code, identifier = _ICMP(body)
        return Packet(
            network.link, network.source, network.destination, protocol, network.length,
            kind, code, body[8:], max(network.body_length - 8, 0), identifier,
        )  # fmt: skip
    tunnel = TUNNELS.get(protocol)
    inner = tunnel(body, network.link, depth + 1) if tunnel else None
    if isinstance(inner, Packet):
        return inner
    return Packet(
        network.link, network.source, network.destination, protocol, network.length,
        payload_length=network.body_length,
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
    if flags & 7 or kind not in (0x0800, 0x86DD):
        return None
    # Checksum, key and sequence number are there or not, four bytes each.
    offset = 4 + sum(4 for bit in (0x8000, 0x2000, 0x1000) if flags & bit)
    return internet(data[offset:], link, depth)


TUNNELS: Final[dict[int, Callable[[bytes, Link, int], Decoded]]] = {
    4: internet,
    41: internet,
    47: _gre,
}
"""IP protocol → decoder of what is inside; the inner packet is the one that counts."""
