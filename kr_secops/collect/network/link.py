"""The link layer of a frame: from its link type to the IP or ARP packet in it.

The usual link types are opened by hand, because every packet comes this way; whatever else scapy
knows is left to scapy, which finds the network layer in it.
"""

# ruff: noqa: PLR2004  # offsets and lengths are those of the wire format

from __future__ import annotations

import struct
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from kr_secops.collect.network.packet import (
    PPP_IP,
    Link,
    Malformed,
    arp,
    by_kind,
    ethernet,
    internet,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from kr_secops.collect.network.capture import Frame
    from kr_secops.collect.network.packet import Decoded

_U16 = struct.Struct(">H").unpack_from


def decode(frame: Frame) -> Decoded:
    """Return what *frame* carries. Never raises: damage is a `Malformed`."""
    opener = LINKS.get(frame.link)
    try:
        if opener is not None:
            return opener(frame.data)
        return _by_scapy(frame)
    except (struct.error, IndexError):
        return Malformed("the frame ends in its headers")


def is_known(link: int) -> bool:
    """Return whether frames of this link type can be read at all."""
    return link in LINKS or link in _scapy_layers()


def _raw(data: bytes) -> Decoded:
    return internet(data, Link())


def _loopback(data: bytes) -> Decoded:
    # The family is a number of the capturing system, in its byte order; the version tells more.
    return internet(data[4:], Link()) if data[4] >> 4 in (4, 6) else None


def _cooked(data: bytes) -> Decoded:
    (kind,) = _U16(data, 14)
    return by_kind(kind, data, 16, Link(data[6:12] if _U16(data, 4)[0] == 6 else None))


def _cooked2(data: bytes) -> Decoded:
    (kind,) = _U16(data, 0)
    return by_kind(kind, data, 20, Link(data[12:18] if data[11] == 6 else None))


def _ppp(data: bytes) -> Decoded:
    offset = 2 if data[:2] == b"\xff\x03" else 0
    return internet(data[offset + 2 :], Link()) if _U16(data, offset)[0] in PPP_IP else None


def _netfilter_log(data: bytes) -> Decoded:
    offset = 4
    while offset + 4 <= len(data):
        # Length and kind of each part stand in the byte order of the host, little-endian in practice.
        length, kind = struct.unpack_from("<HH", data, offset)
        if kind == 9:  # NFULA_PAYLOAD
            return internet(data[offset + 4 : offset + length], Link())
        offset += max(length + 3 & ~3, 4)
    return None


LINKS: Final[dict[int, Callable[[bytes], Decoded]]] = {
    0: _loopback,
    1: ethernet,
    9: _ppp,
    12: _raw,
    14: _raw,
    101: _raw,
    108: _loopback,
    113: _cooked,
    228: _raw,
    229: _raw,
    239: _netfilter_log,
    276: _cooked2,
}
"""Link type (tcpdump.org/linktypes.html) → opener."""


def _by_scapy(frame: Frame) -> Decoded:
    layer = _scapy_layers().get(frame.link)
    if layer is None:
        return None
    from scapy.layers.inet import IP
    from scapy.layers.inet6 import IPv6
    from scapy.layers.l2 import ARP

    try:
        packet = layer(frame.data)
    except Exception as e:  # noqa: BLE001  # one frame that a dissector chokes on stops nothing
        return Malformed(f"scapy: {type(e).__name__}: {e}")
    for kind, opener in ((IP, internet), (IPv6, internet), (ARP, arp)):
        found = packet.getlayer(kind)
        if found is not None:
            return opener(bytes(found.original), Link())
    return None


@cache
def _scapy_layers() -> dict[int, Any]:
    """Return scapy's link types; loading its protocols takes half a second, so only when asked."""
    import_module("scapy.layers.all")
    from scapy.config import conf

    return dict(conf.l2types.num2layer)
