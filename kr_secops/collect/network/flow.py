"""A flow: the packets of one conversation, counted both ways, and how it began and ended.

States and history letters are Zeek's (its documentation of conn.log), since analysts know them:
S0 asked without answer, REJ refused, SF begun and ended, S1 still open, RSTO/RSTR reset by the
originator or the responder. History: S SYN, H SYN-ACK, A bare ACK, D data, F FIN, R RST, T data sent
again, W window closed, ^ turned around; upper case from the originator.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kr_secops.collect.network.packet import ACK, FIN, RST, SYN, TCP, UDP

if TYPE_CHECKING:
    from kr_secops.collect.network.conversation import Conversation
    from kr_secops.collect.network.dns import Questions
    from kr_secops.collect.network.packet import Packet

WRAP: Final = 1 << 32
HALF: Final = 1 << 31


class Stage(enum.Enum):
    """Where one end of a TCP connection stands."""

    silent = 0
    partial = 1
    """It speaks, but its beginning was not seen."""
    asked = 2
    answered = 3
    """It sent a SYN-ACK to a SYN that was not seen."""
    open = 4
    closed = 5
    reset = 6


UNSEEN: Final = (Stage.silent, Stage.partial)
TCP_STATES: Final = {
    (Stage.asked, Stage.silent): "S0",
    (Stage.open, Stage.open): "S1",
    (Stage.closed, Stage.closed): "SF",
    (Stage.closed, Stage.silent): "SH",
    (Stage.closed, Stage.partial): "SH",
    (Stage.closed, Stage.open): "S2",
    (Stage.closed, Stage.answered): "S2",
    (Stage.silent, Stage.closed): "SHR",
    (Stage.partial, Stage.closed): "SHR",
    (Stage.open, Stage.closed): "S3",
    (Stage.asked, Stage.closed): "S3",
}
"""Stages of originator and responder → state, where neither hung up; others are ``OTH``."""
UDP_STATES: Final = {
    (Stage.open, Stage.open): "SF",
    (Stage.open, Stage.silent): "S0",
    (Stage.silent, Stage.open): "SHR",
}


@dataclass(slots=True)
class End:
    """One of the two ends of a flow."""

    address: bytes
    port: int
    mac: bytes | None
    packets: int = 0
    bytes: int = 0
    """IP bytes, headers included."""
    payload: int = 0
    """Payload bytes as summed; for TCP see `sent`."""
    stage: Stage = Stage.silent
    start: int = -1
    """Sequence number of the SYN, or the one before the first byte seen."""
    last: int = 0
    """Relative to `start`: one past the last byte seen."""
    acknowledged: int = 0
    """Relative to `start`: what the other end says it has."""
    fin: int = -1
    """Relative sequence number of the FIN."""
    again: int = 0
    """Segments that brought nothing new."""

    @property
    def sent(self) -> int:
        """Payload bytes by sequence numbers, so that lost packets count and repeated ones do not."""
        if self.start < 0:
            return 0
        top = max(self.last, self.acknowledged)
        if self.fin >= 0 and top > self.fin:
            top -= 1
        return max(top - 1, 0)

    def relative(self, sequence: int) -> int:
        """Return *sequence* as a distance from `start`, past 4 GiB too, near to `last`."""
        base = self.start + self.last
        return self.last + (sequence - base + HALF) % WRAP - HALF


@dataclass(slots=True)
class Flow:
    """One conversation between two ends."""

    number: int
    """Frame that began it."""
    protocol: int
    first: int
    """Time of the first packet, nanoseconds."""
    last: int
    originator: End
    responder: End
    vlan: int | None = None
    history: list[str] = field(default_factory=list)
    closing: bool = False
    """Both ends said good-bye, or one hung up: it ends soon, and a SYN begins another one."""
    refused_by: End | None = None
    """Who sent the first RST."""
    service: str | None = None
    conversation: Conversation | None = None
    """What is said in it; None when nobody listens any more."""
    questions: Questions | None = None
    """The DNS questions asked in it."""

    def add(self, packet: Packet, time: int, forward: bool) -> None:
        """Count *packet*, sent by the originator if *forward*."""
        sender, receiver = (
            (self.originator, self.responder) if forward else (self.responder, self.originator)
        )
        sender.packets += 1
        sender.bytes += packet.length
        if sender.mac is None:
            sender.mac = packet.link.source
        if receiver.mac is None:
            receiver.mac = packet.link.destination
        if packet.protocol == TCP:
            self._add_tcp(packet, time, sender, receiver)
        else:
            self.last = max(self.last, time)
            sender.payload += packet.payload_length
            if packet.protocol == UDP:
                sender.stage = Stage.open
                self._note("D", sender)

    def _add_tcp(self, packet: Packet, time: int, sender: End, receiver: End) -> None:
        flags, length = packet.flags, packet.payload_length
        if sender.start < 0:
            sender.start = (packet.sequence - (0 if flags & SYN else 1)) % WRAP
        begin = sender.relative(packet.sequence) + (1 if flags & SYN else 0)
        end = begin + length
        both_closed = sender.stage == receiver.stage == Stage.closed
        if not both_closed or length or flags & (SYN | FIN | RST):
            # A bare ACK after the second FIN is no longer conversation.
            self.last = max(self.last, time)
        self._write_history(packet, sender)
        if flags & FIN and sender.fin < 0:
            sender.fin = end
        if not flags & RST:
            after = end + (1 if flags & FIN else 0)
            if after > sender.last:
                sender.last = after
            elif length > 0:
                self._count_again(sender)
        if flags & ACK and receiver.start >= 0 and not flags & RST:
            acknowledged = receiver.relative(packet.acknowledged)
            if acknowledged < receiver.last + HALF // 2:
                receiver.acknowledged = max(receiver.acknowledged, acknowledged)
        self._advance(flags, sender, receiver)

    def _advance(self, flags: int, sender: End, receiver: End) -> None:
        if flags & RST:
            # Who hangs up after its own good-bye does not undo it.
            if sender.stage is not Stage.closed:
                sender.stage = Stage.reset
                self.refused_by = self.refused_by or sender
            self.closing = True
        elif flags & FIN:
            if sender.stage is not Stage.reset:
                sender.stage = Stage.closed
            self.closing = self.closing or receiver.stage is Stage.closed
        elif sender.stage is Stage.silent:
            _appear(flags, sender, receiver)

    def _write_history(self, packet: Packet, sender: End) -> None:
        flags, length = packet.flags, packet.payload_length
        if flags & SYN:
            self._note("Q" if flags & (FIN | RST) else "H" if flags & ACK else "S", sender)
        elif flags & ACK and not length and not flags & (FIN | RST):
            self._note("A", sender)
        if length and not flags & (SYN | RST):
            self._note("D", sender)
        if flags & FIN and not flags & SYN:
            self._note("I" if flags & RST else "F", sender)
        elif flags & RST and not flags & SYN:
            self._note("R", sender)
        if packet.window == 0 and not flags & (SYN | RST | FIN):
            self._note("W", sender)

    def _count_again(self, sender: End) -> None:
        sender.again += 1
        if sender.again in (1, 10, 100, 1000):
            letter = "T" if sender is self.originator else "t"
            self.history.append(letter)

    def _note(self, letter: str, sender: End) -> None:
        if sender is self.responder:
            letter = letter.lower()
        if letter not in self.history:
            self.history.append(letter)

    @property
    def state(self) -> str:
        """How it went, in Zeek's words."""
        origin, response = self.originator.stage, self.responder.stage
        if self.protocol == TCP and Stage.reset in (origin, response):
            return self._reset_state()
        table = {TCP: TCP_STATES, UDP: UDP_STATES}.get(self.protocol, {})
        return table.get((origin, response), "OTH")

    def _reset_state(self) -> str:
        origin, response = self.originator.stage, self.responder.stage
        if self.refused_by is self.originator:
            return "RSTOS0" if response in UNSEEN else "RSTO"
        no_data = not self.originator.sent and not self.responder.sent
        if origin is Stage.asked or (origin is Stage.reset and no_data):
            return "REJ"
        return "RSTRH" if origin in UNSEEN else "RSTR"


def _appear(flags: int, sender: End, receiver: End) -> None:
    """Set the stages after the first packet of *sender*, which is neither FIN nor RST."""
    if not flags & SYN:
        sender.stage = Stage.partial
        if receiver.stage is Stage.answered:
            sender.stage = receiver.stage = Stage.open
    elif not flags & ACK:
        sender.stage = Stage.asked
    elif receiver.stage is Stage.silent:
        sender.stage = Stage.answered
    else:
        sender.stage = Stage.open
        if receiver.stage is Stage.asked:
            receiver.stage = Stage.open
