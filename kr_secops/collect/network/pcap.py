"""A capture file as ECS events: flows, DNS, HTTP, TLS, ARP, passwords that crossed in the clear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kr_secops.collect.interface import Skipped
from kr_secops.collect.network import link
from kr_secops.collect.network.arp import Bindings
from kr_secops.collect.network.capture import frames
from kr_secops.collect.network.events import arp_event, fact_event, flow_event
from kr_secops.collect.network.fragments import Fragments
from kr_secops.collect.network.packet import Arp, Fragment, Malformed, Packet
from kr_secops.collect.network.table import Table
from kr_secops.event import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from kr_secops.collect.network.capture import Frame
    from kr_secops.collect.network.table import Outcome
    from kr_secops.event import Event

HEADERS: Final = 26
"""Bytes kept of a rejected frame: link layer and what stands before the addresses of IPv4. What is
behind them may be anyone's mail."""


def read_pcap(path: Path, *, host: str | None = None) -> Iterator[Event | Rejected | Skipped]:
    """Yield the events of the capture at *path*, each when it is complete.

    Args:
        path: pcap or pcapng, compressed by gzip or not.
        host: name of the machine that captured, as ``observer.name``.
    """
    count = 0
    for item in read_frames(frames(path), str(path)):
        if isinstance(item, dict):
            count += 1
            # Tells apart what else looks alike, such as two equal requests in one millisecond.
            item["event.sequence"] = count
            item["log.file.path"] = str(path)
            if host:
                item["observer.name"] = host
        yield item


def read_frames(
    items: Iterable[Frame | Skipped], source: str
) -> Iterator[Event | Rejected | Skipped]:
    """Yield the events of *items*; frames that are damaged come as `Rejected`."""
    table, bindings, fragments = Table(), Bindings(), Fragments()
    unknown: dict[int, int] = {}
    for item in items:
        if isinstance(item, Skipped):
            yield item
            continue
        found = link.decode(item)
        if isinstance(found, Fragment):
            found = fragments.add(found, item.time)
        if isinstance(found, Packet):
            packet: Packet | None = found
            while packet is not None:
                yield from _events(table.add(packet, item.number, item.time))
                packet = packet.inner
        elif isinstance(found, Arp):
            yield arp_event(found, bindings.hear(found, item.time), item.number)
        elif isinstance(found, Malformed):
            yield Rejected(source, item.number, found.reason, item.data[:HEADERS])
        elif not link.is_known(item.link):
            unknown[item.link] = unknown.get(item.link, 0) + 1
    yield from _events(table.finish())
    for kind, count in unknown.items():
        yield Skipped(source, f"{count} frames of link type {kind}, which nobody here can read")


def _events(outcomes: Iterable[Outcome]) -> Iterator[Event]:
    for flow, fact in outcomes:
        yield flow_event(flow) if fact is None else fact_event(flow, fact)
