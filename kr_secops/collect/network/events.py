"""Flows and facts as ECS events; the field names are these and stay."""

# ruff: noqa: PLR2004  # offsets and lengths are those of the wire format

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

from kr_secops.collect.network.arp import mac
from kr_secops.collect.network.packet import ICMP, ICMP6, TCP, UDP
from kr_secops.ecs import VERSION
from kr_secops.event import timestamp

if TYPE_CHECKING:
    from kr_secops.collect.network.dialogue import Fact
    from kr_secops.collect.network.flow import End, Flow
    from kr_secops.collect.network.packet import Arp
    from kr_secops.event import Event

TRANSPORTS: Final = {
    ICMP: "icmp", 2: "igmp", TCP: "tcp", UDP: "udp", 47: "gre", 50: "esp", 51: "ah",
    ICMP6: "ipv6-icmp", 88: "eigrp", 89: "ospf", 103: "pim", 112: "vrrp", 132: "sctp",
}  # fmt: skip
TYPES: Final = {
    "S0": ["connection", "start"],
    "SF": ["connection", "start", "end"],
    "S1": ["connection", "start"],
    "REJ": ["connection", "start", "denied"],
    "RSTO": ["connection", "start", "end"],
    "RSTR": ["connection", "start", "end"],
}
"""State → ``event.type``; the others are connections about which little is known."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
INTERNAL: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16",
        "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128",
    )
)  # fmt: skip
"""What counts as inside. Not `is_private`, which takes in the documentation ranges as well."""


def flow_event(flow: Flow) -> Event:
    """Return the event of a flow that has ended; it is dated by its last packet."""
    origin, response = flow.originator, flow.responder
    state = flow.state
    event = _base("flow", flow.last, flow.number)
    event |= {
        "event.action": "network_flow",
        "event.type": TYPES.get(state, ["connection", "info"]),
        "event.start": _moment(flow.first),
        "event.end": _moment(flow.last),
        "event.duration": flow.last - flow.first,
        **_ends(flow),
        "source.bytes": origin.bytes,
        "source.packets": origin.packets,
        "destination.bytes": response.bytes,
        "destination.packets": response.packets,
        "network.bytes": origin.bytes + response.bytes,
        "network.packets": origin.packets + response.packets,
        "kr.network.source.payload_bytes": _payload(flow, origin),
        "kr.network.destination.payload_bytes": _payload(flow, response),
        "kr.network.state": state,
    }
    if flow.history:
        event["kr.network.history"] = "".join(flow.history)
    if flow.service:
        event["network.protocol"] = flow.service
    name = flow.service or event["network.transport"]
    event["message"] = f"{name} {_place(event, 'source')} > {_place(event, 'destination')} {state}"
    return event


def fact_event(flow: Flow, fact: Fact) -> Event:
    """Return the event of something said in *flow*."""
    event = _base(fact.dataset, fact.time, flow.number)
    event["event.action"] = f"network_{fact.dataset}"
    event["event.type"] = ["connection", "protocol"]
    event |= _ends(flow)
    if flow.service or fact.dataset != "credentials":
        event["network.protocol"] = flow.service or fact.dataset
    return _with_fact(event, fact)


def arp_event(packet: Arp, fact: Fact, number: int) -> Event:
    """Return the event of an ARP packet."""
    event = _base("arp", fact.time, number)
    event |= {
        "event.type": ["info", "protocol"],
        "network.protocol": "arp",
        "source.mac": mac(packet.sender_mac),
        "source.ip": _address(packet.sender),
        "destination.ip": _address(packet.target),
        "related.ip": sorted({_address(packet.sender), _address(packet.target)}),
    }
    if any(packet.target_mac):
        event["destination.mac"] = mac(packet.target_mac)
    if packet.link.vlan is not None:
        event["network.vlan.id"] = str(packet.link.vlan)
    return _with_fact(event, fact)


def _with_fact(event: Event, fact: Fact) -> Event:
    event |= fact.fields
    event["message"] = fact.message
    if fact.end is not None and fact.end >= fact.time:
        event["event.end"] = _moment(fact.end)
        event["event.duration"] = fact.end - fact.time
    names = {event.get(k) for k in ("dns.question.name", "url.domain", "tls.client.server_name")}
    if hosts := sorted(name for name in names if name):
        event["related.hosts"] = hosts
    if resolved := event.get("dns.resolved_ip"):
        event["related.ip"] = sorted({*event.get("related.ip", ()), *resolved})
    if user := event.get("user.name"):
        event["related.user"] = [user]
    return event


def _base(dataset: str, time: int, number: int) -> Event:
    return {
        "@timestamp": _moment(time),
        "ecs.version": VERSION,
        "event.kind": "event",
        "event.category": ["network"],
        "event.module": "network",
        "event.dataset": f"network.{dataset}",
        "kr.network.frame": number,
    }


def _ends(flow: Flow) -> Event:
    origin, response = flow.originator, flow.responder
    source, destination = _address(origin.address), _address(response.address)
    event: Event = {
        "source.address": source,
        "source.ip": source,
        "destination.address": destination,
        "destination.ip": destination,
        "network.type": "ipv4" if len(origin.address) == 4 else "ipv6",
        "network.iana_number": str(flow.protocol),
        "network.transport": TRANSPORTS.get(flow.protocol, str(flow.protocol)),
        "network.direction": _direction(origin.address, response.address),
        "related.ip": sorted({source, destination}),
    }
    community = _community_id(
        flow.protocol, origin.address, response.address, origin.port, response.port
    )
    if community:
        event["network.community_id"] = community
    if flow.protocol in (TCP, UDP):
        event["source.port"], event["destination.port"] = origin.port, response.port
    elif flow.protocol in (ICMP, ICMP6):
        event["kr.network.icmp.type"], event["kr.network.icmp.code"] = origin.port, response.port
    if origin.mac:
        event["source.mac"] = mac(origin.mac)
    if response.mac:
        event["destination.mac"] = mac(response.mac)
    if flow.vlan is not None:
        event["network.vlan.id"] = str(flow.vlan)
    return event


def _payload(flow: Flow, end: End) -> int:
    return end.sent if flow.protocol == TCP else end.payload


def _place(event: Event, side: str) -> str:
    address, port = event[f"{side}.ip"], event.get(f"{side}.port")
    if port is None:
        return str(address)
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _moment(time: int) -> str:
    return timestamp(EPOCH + timedelta(microseconds=time // 1000))


@lru_cache(16_384)
def _address(packed: bytes) -> str:
    return str(ipaddress.ip_address(packed))


@lru_cache(16_384)
def _is_internal(packed: bytes) -> bool:
    address = ipaddress.ip_address(packed)
    return any(address in network for network in INTERNAL)


def _direction(source: bytes, destination: bytes) -> str:
    if _is_internal(source):
        return "internal" if _is_internal(destination) else "outbound"
    return "inbound" if _is_internal(destination) else "external"


@lru_cache(4096)
def _community_id(
    protocol: int, source: bytes, destination: bytes, source_port: int, destination_port: int
) -> str | None:
    from communityid import FlowTuple

    ports = (source_port, destination_port) if protocol in (TCP, UDP, ICMP, ICMP6, 132) else ()
    flow = FlowTuple(protocol, _address(source), _address(destination), *ports)
    identity = _calculator().calc(flow)
    return str(identity) if identity else None


@cache
def _calculator() -> Any:
    from communityid import CommunityID

    return CommunityID()
