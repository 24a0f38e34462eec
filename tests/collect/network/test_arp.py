from __future__ import annotations

from kr_secops.collect.network import arp
from kr_secops.collect.network.packet import Arp, Link

ROUTER = b"\2\x61\x12\0\1\x0a"
INTRUDER = b"\2\x61\x12\0\x66\x66"
GATEWAY, HOST = b"\x0a\x3d\x0c\1", b"\x0a\x3d\x0c\x65"


def said(mac: bytes, sender: bytes = GATEWAY, target: bytes = HOST, vlan: int | None = None) -> Arp:
    return Arp(Link(mac, None, vlan), 2, mac, sender, b"\0" * 6, target)


def test_an_address_that_changes_its_owner_and_back() -> None:
    bindings = arp.Bindings()
    facts = [bindings.hear(said(mac), 0).fields for mac in (ROUTER, ROUTER, INTRUDER, ROUTER)]
    assert [f.get("kr.arp.changed") for f in facts] == [None, False, True, True]
    assert facts[2]["kr.arp.previous_mac"] == "02-61-12-00-01-0A"
    assert facts[3]["kr.arp.previous_mac"] == "02-61-12-00-66-66"


def test_the_same_address_in_two_vlans_is_two() -> None:
    bindings = arp.Bindings()
    bindings.hear(said(ROUTER, vlan=1), 0)
    assert "kr.arp.changed" not in bindings.hear(said(INTRUDER, vlan=2), 0).fields


def test_a_probe_binds_nothing() -> None:
    bindings = arp.Bindings()
    for mac in (ROUTER, INTRUDER):
        assert "kr.arp.changed" not in bindings.hear(said(mac, sender=b"\0" * 4), 0).fields


def test_gratuitous_and_forged_senders_are_marked() -> None:
    bindings = arp.Bindings()
    assert bindings.hear(said(ROUTER, target=GATEWAY), 0).fields["kr.arp.gratuitous"] is True
    forged = Arp(Link(INTRUDER), 2, ROUTER, GATEWAY, b"\0" * 6, HOST)
    assert bindings.hear(forged, 0).fields["kr.arp.sender_differs"] is True


def test_memory_is_bounded() -> None:
    bindings = arp.Bindings()
    for number in range(arp.STATIONS + 10):
        bindings.hear(said(ROUTER, sender=(number + 1).to_bytes(4, "big")), 0)
    assert len(bindings._owners) == arp.STATIONS
