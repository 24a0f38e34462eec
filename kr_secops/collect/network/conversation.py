"""A TCP connection listened to: which protocol it is, and the facts that its words give."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from kr_secops.collect.network import dns, http, login, tls
from kr_secops.collect.network.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kr_secops.collect.network.dialogue import Dialogue, Fact

UNDECIDED: Final = 2048
"""Bytes after which a conversation that nobody understands is given up."""


def recognise(client: bytes, server: bytes, ports: tuple[int, int]) -> Dialogue | None:
    """Return who understands a connection that begins so; None as long as nobody does."""
    if http.begins(client, server):
        return http.Http()
    if tls.begins(client):
        return tls.Tls()
    if client.startswith(b"SSH-") or server.startswith(b"SSH-"):
        return Named("ssh")
    if not dns.PORTS.isdisjoint(ports) and (dns.begins(client) or dns.begins(server)):
        return dns.OverTcp()
    return login.recognise(client, server)


@dataclass(slots=True)
class Named:
    """A protocol that is named and not listened to."""

    service: str
    done: bool = True
    upgraded: bool = False

    def read(self, client: bool, data: bytes, time: int) -> Iterator[Fact]:
        """Yield nothing."""
        return iter(())

    def lose(self, client: bool, count: int) -> None:
        """Ignore it."""

    def close(self) -> Iterator[Fact]:
        """Yield nothing."""
        return iter(())


@dataclass(slots=True)
class Conversation:
    """A connection's two streams and, once recognised, its dialogue."""

    ports: tuple[int, int]
    streams: dict[bool, Stream] = field(default_factory=dict)
    """Client side under True."""
    dialogue: Dialogue | None = None
    begun: list[tuple[bool, bytes, int]] = field(default_factory=list)
    """What was said before anybody understood it."""
    heard: int = 0
    over: bool = False
    service: str | None = None
    """The protocol, if it is known; of several the first, for the port is its."""

    def hear(self, client: bool, start: int, data: bytes, length: int, time: int) -> Iterator[Fact]:
        """Take a segment and yield the facts that it completes."""
        stream = self.streams.get(client)
        if stream is None:
            stream = self.streams[client] = Stream(1)
        for piece in stream.add(start, data, length):
            yield from self._take(client, piece, time)

    def confirm(self, client: bool, until: int, time: int) -> Iterator[Fact]:
        """Learn that the other side has all bytes before *until*: what is missing will not come."""
        stream = self.streams.get(client)
        if stream is not None and until > stream.next:
            for piece in stream.skip(until):
                yield from self._take(client, piece, time)

    def close(self) -> Iterator[Fact]:
        """Yield what was still waiting."""
        return self.dialogue.close() if self.dialogue else iter(())

    def _take(self, client: bool, piece: bytes | int, time: int) -> Iterator[Fact]:
        if self.over:
            return
        if isinstance(piece, int):
            if self.dialogue:
                self.dialogue.lose(client, piece)
            return
        if self.dialogue is None:
            self.begun.append((client, piece, time))
            self.heard += len(piece)
            said = [b"".join(p for c, p, _ in self.begun if c is side) for side in (True, False)]
            self.dialogue = recognise(said[0], said[1], self.ports)
            if self.dialogue is None:
                self.over = self.heard > UNDECIDED
                return
            self.service = self.service or self.dialogue.service
            pieces, self.begun = self.begun, []
        else:
            pieces = [(client, piece, time)]
        for side, data, when in pieces:
            yield from self.dialogue.read(side, data, when)
        self.over = self.dialogue.done and not self.dialogue.upgraded
        if self.dialogue.upgraded:
            self.service = self.dialogue.service
            yield from self.dialogue.close()
            self.dialogue, self.heard = None, 0
