"""The flows that are under way: packets go in, facts and ended flows come out, memory stays small."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final, TypeAlias

from kr_secops.collect.network import dns
from kr_secops.collect.network.conversation import Conversation
from kr_secops.collect.network.flow import End, Flow
from kr_secops.collect.network.packet import ACK, ICMP, ICMP6, RST, SYN, TCP, UDP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kr_secops.collect.network.dialogue import Fact
    from kr_secops.collect.network.packet import Packet

SECOND: Final = 1_000_000_000
SILENCE: Final = {TCP: 300 * SECOND}
"""How long a flow may be silent; Zeek's limits."""
SILENCE_OTHERS: Final = 60 * SECOND
FAREWELL: Final = 5 * SECOND
"""How long late packets of a closed connection still belong to it."""
FLOWS: Final = 65_536
"""Flows under way at most; beyond, the one silent for longest is ended early."""
LISTENING: Final = 4096
"""Conversations listened to at once; beyond, nobody listens to the oldest any more."""

SERVER_PORTS: Final = {
    TCP: frozenset(
        {21, 22, 23, 25, 53, 80, 88, 110, 143, 389, 443, 445, 465, 587, 631, 636, 993, 995, 1080,
         1433, 3128, 3306, 3389, 5060, 5222, 5432, 5672, 6379, 6667, 8000, 8080, 8443, 8888, 9200}
    ),
    UDP: frozenset({53, 67, 69, 88, 123, 137, 161, 389, 443, 500, 514, 1194, 1812, 3544, 4500, 4789,
                    5060, 5072, 5353, 5355}),
}  # fmt: skip
"""Who sends from such a port answers, when the beginning of a flow was not seen."""

COUNTERPARTS: Final = {
    ICMP: {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17, 10: 9, 9: 10},
    ICMP6: {128: 129, 129: 128, 131: 130, 130: 131, 133: 134, 134: 133, 135: 136, 136: 135,
            139: 140, 140: 139, 144: 145, 145: 144},
}  # fmt: skip
"""ICMP type → type of its answer."""

ECHO: Final = frozenset({0, 8, 128, 129})
"""ICMP types of echo, whose flows are told apart by an identifier."""

_Key: TypeAlias = "tuple[int, bytes, int, bytes, int, int]"
Outcome: TypeAlias = "tuple[Flow, Fact | None]"
"""A fact and its flow; without a fact, the flow has ended."""


class Table:
    """Every flow under way, by its two ends."""

    def __init__(self, limit: int = FLOWS) -> None:
        self._limit = limit
        self._flows: dict[_Key, Flow] = {}
        # Three shelves, each in order of last activity, so that the first of each is the next to go.
        self._shelves: dict[int, OrderedDict[_Key, None]] = {
            limit: OrderedDict() for limit in (SILENCE[TCP], SILENCE_OTHERS, FAREWELL)
        }
        self._listening: dict[_Key, None] = {}
        self._now = 0

    def __len__(self) -> int:
        return len(self._flows)

    def add(self, packet: Packet, number: int, time: int) -> Iterator[Outcome]:
        """Count *packet* and yield what it completes or what its time shows to be over."""
        self._now = max(self._now, time)
        yield from self._expire()
        key, ports = _identify(packet)
        flow = self._flows.get(key)
        if flow is not None and flow.closing and packet.flags & (SYN | ACK | RST) == SYN:
            yield from self._end(key)
            flow = None
        if flow is None:
            if len(self._flows) >= self._limit:
                yield from self._end(self._longest_silent())
            flow = self._begin(key, packet, ports, number, time)
        else:
            self._shelf(flow).move_to_end(key)
        was_closing = flow.closing
        origin = flow.originator
        forward = packet.source == origin.address and ports[0] == origin.port
        flow.add(packet, time, forward)
        if flow.closing is not was_closing:
            del self._shelves[SILENCE[TCP]][key]
            self._shelf(flow)[key] = None
        if packet.payload_length and flow.conversation and key not in self._listening:
            yield from self._make_room(key)
        for fact in self._listen(key, flow, packet, time, forward):
            yield flow, fact

    def finish(self) -> Iterator[Outcome]:
        """End every flow, the one silent for longest first."""
        for key, _ in sorted(self._flows.items(), key=lambda item: item[1].last):
            yield from self._end(key)

    def _begin(
        self, key: _Key, packet: Packet, ports: tuple[int, int], number: int, time: int
    ) -> Flow:
        sender = End(packet.source, ports[0], packet.link.source)
        receiver = End(packet.destination, ports[1], packet.link.destination)
        flow = Flow(number, packet.protocol, time, time, sender, receiver, packet.link.vlan)
        if _is_answer(packet):
            flow.originator, flow.responder = receiver, sender
            flow.history.append("^")
        self._flows[key] = flow
        self._shelf(flow)[key] = None
        if packet.protocol == TCP:
            flow.conversation = Conversation((sender.port, receiver.port))
        elif packet.protocol == UDP and not dns.PORTS.isdisjoint(ports):
            flow.questions = dns.Questions()
        return flow

    def _listen(
        self, key: _Key, flow: Flow, packet: Packet, time: int, forward: bool
    ) -> Iterator[Fact]:
        if flow.questions is not None:
            message = dns.read(packet.payload) if packet.payload else None
            if message:
                flow.service = flow.service or "dns"
                yield from flow.questions.hear(message, time)
            return
        conversation = flow.conversation
        if conversation is None or packet.protocol != TCP or packet.flags & RST:
            return
        sender, receiver = (
            (flow.originator, flow.responder) if forward else (flow.responder, flow.originator)
        )
        if packet.flags & ACK and receiver.start >= 0:
            yield from conversation.confirm(not forward, receiver.acknowledged, time)
        if packet.payload_length:
            start = sender.relative(packet.sequence) + (1 if packet.flags & SYN else 0)
            yield from conversation.hear(
                forward, start, packet.payload, packet.payload_length, time
            )
            flow.service = flow.service or conversation.service
        if conversation.over:
            yield from conversation.close()
            flow.conversation = None
            self._listening.pop(key, None)

    def _make_room(self, key: _Key) -> Iterator[Outcome]:
        """Listen to one more conversation, and to the oldest no longer if they are too many."""
        self._listening[key] = None
        if len(self._listening) > LISTENING:
            oldest = next(iter(self._listening))
            del self._listening[oldest]
            flow = self._flows[oldest]
            if flow.conversation is not None:
                for fact in flow.conversation.close():
                    yield flow, fact
            flow.conversation = None

    def _expire(self) -> Iterator[Outcome]:
        for limit, shelf in self._shelves.items():
            while shelf:
                key = next(iter(shelf))
                if self._now - self._flows[key].last <= limit:
                    break
                yield from self._end(key)

    def _longest_silent(self) -> _Key:
        heads = [next(iter(shelf)) for shelf in self._shelves.values() if shelf]
        return min(heads, key=lambda key: self._flows[key].last)

    def _end(self, key: _Key) -> Iterator[Outcome]:
        flow = self._flows.pop(key)
        self._shelf(flow).pop(key)
        self._listening.pop(key, None)
        for listener in (flow.conversation, flow.questions):
            if listener is not None:
                for fact in listener.close():
                    yield flow, fact
        yield flow, None

    def _shelf(self, flow: Flow) -> OrderedDict[_Key, None]:
        if flow.closing:
            return self._shelves[FAREWELL]
        return self._shelves[SILENCE.get(flow.protocol, SILENCE_OTHERS)]


def _identify(packet: Packet) -> tuple[_Key, tuple[int, int]]:
    """Return what both directions have in common, and the ports; those of ICMP are types."""
    source, destination, protocol = packet.source, packet.destination, packet.protocol
    source_port, destination_port, identifier = packet.source_port, packet.destination_port, 0
    if protocol in (ICMP, ICMP6):
        answer = COUNTERPARTS[protocol].get(source_port)
        if answer is None:  # nobody answers: the two numbers are type and code
            ports = (source_port, destination_port)
            return (protocol, source, source_port, destination, destination_port, -1), ports
        destination_port = answer
        identifier = packet.sequence if not ECHO.isdisjoint((source_port, answer)) else 0
    ports = (source_port, destination_port)
    if (source, source_port) <= (destination, destination_port):
        return (protocol, source, source_port, destination, destination_port, identifier), ports
    return (protocol, destination, destination_port, source, source_port, identifier), ports


def _is_answer(packet: Packet) -> bool:
    """Return whether a flow's first packet seen is one of the side that answers."""
    if packet.protocol == TCP and packet.flags & SYN:
        return bool(packet.flags & ACK)
    ports = SERVER_PORTS.get(packet.protocol, ())
    return packet.source_port in ports and packet.destination_port not in ports
