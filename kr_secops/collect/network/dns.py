"""DNS messages: question, answers, codes, and the registered domain that a name belongs to."""

# ruff: noqa: PLR2004  # offsets and lengths are those of the wire format

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

from kr_secops.collect.network.dialogue import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kr_secops.event import Event

PORTS: Final = frozenset({53, 5353, 5355})
"""DNS, multicast DNS, LLMNR."""
LONGEST_NAME: Final = 255
RECORDS: Final = 64
"""Answers kept of one message."""
PENDING: Final = 256
"""Questions of one flow that wait for an answer."""
PATIENCE: Final = 10_000_000_000
"""Nanoseconds until a question counts as unanswered."""

TYPES: Final = {
    1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 10: "NULL", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT",
    24: "SIG", 25: "KEY", 28: "AAAA", 29: "LOC", 33: "SRV", 35: "NAPTR", 37: "CERT", 39: "DNAME",
    41: "OPT", 43: "DS", 44: "SSHFP", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 50: "NSEC3",
    51: "NSEC3PARAM", 52: "TLSA", 59: "CDS", 60: "CDNSKEY", 64: "SVCB", 65: "HTTPS", 99: "SPF",
    250: "TSIG", 251: "IXFR", 252: "AXFR", 255: "ANY", 257: "CAA", 65399: "PRIVATE",
}  # fmt: skip
CLASSES: Final = {1: "IN", 3: "CH", 4: "HS", 254: "NONE", 255: "ANY"}
CODES: Final = {
    0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED",
    6: "YXDOMAIN", 7: "YXRRSET", 8: "NXRRSET", 9: "NOTAUTH", 10: "NOTZONE",
}  # fmt: skip
OPERATIONS: Final = {0: "QUERY", 1: "IQUERY", 2: "STATUS", 4: "NOTIFY", 5: "UPDATE", 6: "DSO"}
FLAGS: Final = (
    (0x400, "AA"),
    (0x200, "TC"),
    (0x100, "RD"),
    (0x80, "RA"),
    (0x20, "AD"),
    (0x10, "CD"),
)
ESCAPES: Final = {9: "\\t", 10: "\\n", 13: "\\r", 34: '\\"', 92: "\\\\"}


@dataclass(frozen=True, slots=True)
class Record:
    """One answer."""

    name: str
    kind: str
    ttl: int
    data: str


@dataclass(frozen=True, slots=True)
class Message:
    """One DNS message, as far as it could be read."""

    id: int
    flags: int
    name: str | None
    kind: str | None
    question_class: str | None
    answers: tuple[Record, ...] = ()

    @property
    def is_answer(self) -> bool:
        """Whether a server sent it."""
        return bool(self.flags & 0x8000)


def read(data: bytes) -> Message | None:
    """Return the message that *data* is; None if it is none."""
    if len(data) < 12:
        return None
    identity, flags, questions, answers, authorities, _ = struct.unpack_from(">6H", data)
    if questions > 32 or authorities > 512 or (flags >> 11 & 15) not in OPERATIONS:
        return None
    offset = 12
    name = kind = question_class = None
    try:
        for number in range(questions):
            this, offset = _name(data, offset)
            code, family = struct.unpack_from(">HH", data, offset)
            offset += 4
            if number == 0:
                name, kind = this, _type(code)
                # The highest bit is mDNS's wish for a unicast answer.
                question_class = CLASSES.get(family & 0x7FFF, str(family))
    except (IndexError, struct.error, ValueError):
        return None
    if questions == 0 and not flags & 0x8000:
        return None
    return Message(
        identity, flags, name, kind, question_class, tuple(_records(data, offset, answers))
    )


def fields(message: Message) -> Event:
    """Return the ECS fields of *message*."""
    found: Event = {
        "dns.id": str(message.id),
        "dns.type": "answer" if message.is_answer else "query",
        "dns.op_code": OPERATIONS[message.flags >> 11 & 15],
    }
    if message.name is not None:
        found["dns.question.name"] = message.name
        found["dns.question.type"] = message.kind
        found["dns.question.class"] = message.question_class
        found |= domain_fields(message.name)
    flags = [name for bit, name in FLAGS if message.flags & bit]
    if flags:
        found["dns.header_flags"] = flags
    if message.is_answer:
        code = message.flags & 15
        found["dns.response_code"] = CODES.get(code, f"RCODE{code}")
        # NXDOMAIN is an answer to the question, not a fault of the server.
        found["event.outcome"] = "success" if code in (0, 3) else "failure"
    if message.answers:
        found["dns.answers.name"] = [r.name for r in message.answers]
        found["dns.answers.type"] = [r.kind for r in message.answers]
        found["dns.answers.ttl"] = [r.ttl for r in message.answers]
        found["dns.answers.data"] = [r.data for r in message.answers]
        addresses = sorted({r.data for r in message.answers if r.kind in ("A", "AAAA")})
        if addresses:
            found["dns.resolved_ip"] = addresses
    return found


@lru_cache(4096)
def domain_fields(name: str) -> Event:
    """Return top level, registered domain and sub-domain of *name*, by the public suffix list."""
    suffixes = _suffixes()
    try:
        registered = suffixes.privatesuffix(name)
        top = suffixes.publicsuffix(name)
    except (ValueError, IndexError):
        return {}
    found: Event = {}
    if top:
        found["dns.question.top_level_domain"] = top
    if registered:
        found["dns.question.registered_domain"] = registered
        subdomain = name.removesuffix(registered).rstrip(".")
        if subdomain:
            found["dns.question.subdomain"] = subdomain
    return found


@cache
def _suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


def _type(code: int) -> str:
    return TYPES.get(code, f"TYPE{code}")


def _name(data: bytes, offset: int) -> tuple[str, int]:
    """Return the name at *offset* in lower case, and where it ends; pointers only lead backwards."""
    labels: list[str] = []
    behind, length, lowest = None, 0, offset
    while size := data[offset]:
        if size & 0xC0 == 0xC0:
            pointer = (size & 0x3F) << 8 | data[offset + 1]
            behind = behind if behind is not None else offset + 2
            if pointer >= lowest:
                raise ValueError("a pointer that leads forwards")
            offset = lowest = pointer
            continue
        if size & 0xC0:
            raise ValueError("a label of unknown type")
        label = data[offset + 1 : offset + 1 + size]
        length += size + 1
        if len(label) < size or length > LONGEST_NAME:
            raise ValueError("a name too long")
        labels.append(_label(label))
        offset += 1 + size
    return ".".join(labels), behind if behind is not None else offset + 1


def _label(label: bytes) -> str:
    if label.isalnum() and label.isascii():
        return label.decode("ascii").lower()
    # As ECS wants it: what does not print as \DDD, backslash and quotation mark escaped.
    return "".join(
        ESCAPES.get(b) or (chr(b) if 32 <= b < 127 else f"\\{b:03d}") for b in label
    ).lower()


def _records(data: bytes, offset: int, count: int) -> Iterator[Record]:
    for _ in range(min(count, RECORDS)):
        try:
            name, offset = _name(data, offset)
            code, _, ttl, length = struct.unpack_from(">HHIH", data, offset)
            offset += 10
            if offset + length > len(data):
                return
            yield Record(name, _type(code), ttl, _data(data, offset, length, code))
        except (IndexError, struct.error, ValueError):
            return
        offset += length


def _data(data: bytes, offset: int, length: int, code: int) -> str:
    body = data[offset : offset + length]
    kind = TYPES.get(code)
    if (kind == "A" and length == 4) or (kind == "AAAA" and length == 16):
        return str(ipaddress.ip_address(body))
    if kind in ("NS", "CNAME", "PTR", "DNAME", "SOA"):
        return _name(data, offset)[0]
    if kind == "MX":
        return _name(data, offset + 2)[0]
    if kind == "SRV":
        return _name(data, offset + 6)[0]
    if kind in ("TXT", "SPF"):
        return " ".join(_texts(body))
    return body.hex()


def _texts(body: bytes) -> Iterator[str]:
    offset = 0
    while offset < len(body):
        part = body[offset + 1 : offset + 1 + body[offset]]
        yield part.decode("utf-8", "backslashreplace")
        offset += 1 + body[offset]


@dataclass(slots=True)
class Questions:
    """The questions of one flow, each waiting for its answer."""

    waiting: dict[tuple[int, str | None, str | None], tuple[Message, int]] = field(
        default_factory=dict
    )

    def hear(self, message: Message, time: int) -> Iterator[Fact]:
        """Take a message and yield the exchanges that it completes, or that it shows to be old."""
        yield from self._give_up(time)
        key = (message.id, message.name, message.kind)
        if not message.is_answer:
            before = self.waiting.pop(key, None)
            self.waiting[key] = (message, time)
            if before:
                yield _fact(*before, None)
            return
        _, asked = self.waiting.pop(key, (None, time))
        yield _fact(message, asked, time)

    def close(self) -> Iterator[Fact]:
        """Yield the questions that nobody answered."""
        for message, asked in self.waiting.values():
            yield _fact(message, asked, None)
        self.waiting.clear()

    def _give_up(self, time: int) -> Iterator[Fact]:
        while self.waiting:
            key = next(iter(self.waiting))
            message, asked = self.waiting[key]
            if time - asked < PATIENCE and len(self.waiting) < PENDING:
                return
            del self.waiting[key]
            yield _fact(message, asked, None)


def _fact(message: Message, asked: int, answered: int | None) -> Fact:
    found = fields(message)
    line = f"{message.kind} {message.name} {found.get('dns.response_code', '-')}"
    return Fact("dns", asked, found, line, answered)


def begins(said: bytes) -> bool:
    """Return whether one side of a TCP connection begins with a DNS message."""
    if len(said) < 14:
        return False
    size = said[0] << 8 | said[1]
    message = read(said[2 : 2 + size])
    return size >= 12 and message is not None


class OverTcp:
    """Listens to DNS over TCP: messages, each behind its length."""

    service = "dns"

    def __init__(self) -> None:
        self.done = self.upgraded = False
        self._buffers = {True: bytearray(), False: bytearray()}
        self._questions = Questions()

    def read(self, client: bool, data: bytes, time: int) -> Iterator[Fact]:
        """Take bytes of one side."""
        buffer = self._buffers[client]
        buffer += data
        while len(buffer) >= 2:
            size = buffer[0] << 8 | buffer[1]
            if len(buffer) < 2 + size:
                return
            message = read(bytes(buffer[2 : 2 + size]))
            del buffer[: 2 + size]
            if message:
                yield from self._questions.hear(message, time)

    def lose(self, client: bool, count: int) -> None:
        """Stop: where the next message begins is not known any more."""
        self.done = True

    def close(self) -> Iterator[Fact]:
        """Yield the questions that nobody answered."""
        return self._questions.close()
