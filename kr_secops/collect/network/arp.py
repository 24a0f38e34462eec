"""ARP: who says which address is whose, and whether that is news."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from kr_secops.collect.network.dialogue import Fact

if TYPE_CHECKING:
    from kr_secops.collect.network.packet import Arp
    from kr_secops.event import Event

STATIONS: Final = 65_536
"""Addresses whose owner is remembered; the one silent for longest is forgotten first."""
OPERATIONS: Final = {1: "request", 2: "reply", 3: "reverse_request", 4: "reverse_reply"}
NOBODY: Final = (b"\0\0\0\0", b"\xff\xff\xff\xff")


class Bindings:
    """Which link address each IPv4 address was last bound to."""

    def __init__(self) -> None:
        self._owners: OrderedDict[tuple[int | None, bytes], bytes] = OrderedDict()

    def hear(self, packet: Arp, time: int) -> Fact:
        """Return what *packet* says; ``kr.arp.changed`` if the sender's address had another owner."""
        operation = OPERATIONS.get(packet.operation, str(packet.operation))
        fields: Event = {"kr.arp.operation": operation, "event.action": f"arp_{operation}"}
        if packet.sender == packet.target:
            fields["kr.arp.gratuitous"] = True
        before = self._bind(packet)
        if before is not None:
            fields["kr.arp.changed"] = before != packet.sender_mac
            if before != packet.sender_mac:
                fields["kr.arp.previous_mac"] = mac(before)
        if packet.link.source not in (None, packet.sender_mac):
            fields["kr.arp.sender_differs"] = True
        address = ".".join(map(str, packet.sender))
        message = f"ARP {operation}: {address} is at {mac(packet.sender_mac)}"
        return Fact("arp", time, fields, message)

    def _bind(self, packet: Arp) -> bytes | None:
        """Remember the sender and return whom its address belonged to before."""
        if packet.sender in NOBODY or not any(packet.sender_mac):
            return None
        key = (packet.link.vlan, packet.sender)
        before = self._owners.pop(key, None)
        self._owners[key] = packet.sender_mac
        if len(self._owners) > STATIONS:
            self._owners.popitem(last=False)
        return before


def mac(address: bytes) -> str:
    """Return a link address as ECS writes it: ``00-1A-2B-3C-4D-5E``."""
    return address.hex("-").upper()
