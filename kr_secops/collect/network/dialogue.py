"""What listeners to a conversation share: the facts they yield, and how they cut lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kr_secops.event import Event

LINE_LIMIT: Final = 4096


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that was said, before it is known between whom."""

    dataset: str
    """``http``, ``dns``, ``tls``, ``credentials``."""
    time: int
    """When it began, nanoseconds."""
    fields: Event
    message: str
    """One line for people."""
    end: int | None = None


class Dialogue(Protocol):
    """Listens to one connection; decides nothing about who is right."""

    @property
    def service(self) -> str:
        """The protocol, as ``network.protocol`` names it."""
        ...

    done: bool
    """It has nothing more to learn."""
    upgraded: bool
    """What follows is another protocol: TLS after STARTTLS, anything after CONNECT."""

    def read(self, client: bool, data: bytes, time: int) -> Iterator[Fact]:
        """Take the next bytes of one side and yield what they complete."""
        ...

    def lose(self, client: bool, count: int) -> None:
        """Take note that *count* bytes of one side were not captured."""
        ...

    def close(self) -> Iterator[Fact]:
        """Yield what was still waiting for an answer."""
        ...


def text(data: bytes) -> str:
    """Return *data* as text; what is no UTF-8 is written with a backslash."""
    return data.decode("utf-8", "backslashreplace")


def credentials(protocol: str, mechanism: str, user: str | None, outcome: str, time: int) -> Fact:
    """Return the fact that a password crossed the network readable; the password is not in it."""
    fields: Event = {
        "event.action": "clear_text_login",
        "event.outcome": outcome,
        "kr.network.credentials.protocol": protocol,
        "kr.network.credentials.mechanism": mechanism,
    }
    if user:
        fields["user.name"] = user
    return Fact("credentials", time, fields, f"{protocol} login in the clear by {user or '-'}")


class Lines:
    """Cuts a stream of bytes into lines; one that is too long is cut, its rest dropped."""

    __slots__ = ("_dropping", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._dropping = False

    def add(self, data: bytes) -> Iterator[bytes]:
        """Yield the lines that *data* completes, without their ends."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if not self._dropping:
                yield line[:LINE_LIMIT].rstrip(b"\r")
            self._dropping = False
        if len(self._rest) > LINE_LIMIT:
            if not self._dropping:
                yield self._rest[:LINE_LIMIT]
            self._rest, self._dropping = b"", True
