"""TLS: what client and server say before they whisper."""

# ruff: noqa: PLR2004  # offsets and lengths are those of the wire format

from __future__ import annotations

import hashlib
import struct
from functools import cache
from typing import TYPE_CHECKING, Final

from kr_secops.collect.network.dialogue import Fact, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kr_secops.event import Event

HELD: Final = 32 << 10
"""Bytes of handshake kept on either side; a server's certificates may be larger, and are not needed."""
CHANGE_CIPHER: Final = 20
ALERT: Final = 21
HANDSHAKE: Final = 22
APPLICATION: Final = 23
CLIENT_HELLO: Final = 1
SERVER_HELLO: Final = 2
KEY_EXCHANGE: Final = 12
HELLO_DONE: Final = 14
NAMED_CURVE: Final = 3
SERVER_NAME, GROUPS, FORMATS, ALPN, SUPPORTED_VERSIONS, KEY_SHARE = 0, 10, 11, 16, 43, 51
VERSIONS: Final = {
    0x0300: ("ssl", "3.0"),
    0x0301: ("tls", "1.0"),
    0x0302: ("tls", "1.1"),
    0x0303: ("tls", "1.2"),
    0x0304: ("tls", "1.3"),
}
"""As ``tls.version_protocol`` and ``tls.version`` say it."""
TLS13: Final = 0x0304
DRAFT: Final = 0x7F00
"""Drafts of TLS 1.3 have versions above this."""
CURVES: Final = {
    19: "secp192r1", 21: "secp224r1", 22: "secp256k1", 23: "secp256r1", 24: "secp384r1",
    25: "secp521r1", 26: "brainpoolP256r1", 27: "brainpoolP384r1", 28: "brainpoolP512r1",
    29: "x25519", 30: "x448", 256: "ffdhe2048", 257: "ffdhe3072", 258: "ffdhe4096",
    4587: "SecP256r1MLKEM768", 4588: "X25519MLKEM768", 25497: "X25519Kyber768Draft00",
}  # fmt: skip
RETRY: Final = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""The random of a server hello that asks for another client hello (RFC 8446, 4.1.3)."""


def begins(client: bytes) -> bool:
    """Return whether a client that says *client* first speaks TLS."""
    return _begins_as_ssl2(client) or (
        len(client) > 5 and client[0] == HANDSHAKE and client[1] == 3 and client[5] == 1
    )


def _begins_as_ssl2(client: bytes | bytearray) -> bool:
    """Return whether *client* is an SSL 2 hello that offers more (RFC 5246, E.2)."""
    return len(client) > 3 and client[0] & 0x80 != 0 and client[2:4] == b"\x01\x03"


class Tls:
    """Listens to the handshake of one connection and yields one fact."""

    service = "tls"

    def __init__(self) -> None:
        self.done = self.upgraded = False
        self._time = 0
        self._end = 0
        self._fields: Event = {}
        self._records = {True: bytearray(), False: bytearray()}
        self._handshakes = {True: bytearray(), False: bytearray()}
        self._ready = {True: False, False: False}
        """Which side has changed to secret words."""
        self._version = 0

    def read(self, client: bool, data: bytes, time: int) -> Iterator[Fact]:
        """Take bytes of one side."""
        self._time = self._time or time
        self._end = time
        records = self._records[client]
        records += data
        if client and not self._fields and _begins_as_ssl2(records):
            length = 2 + ((records[0] & 0x7F) << 8 | records[1])
            if len(records) < length:
                return
            self._fields["kr.network.tls.ssl2_hello"] = True
            del records[:length]
        while len(records) >= 5 and not self.done:
            kind, major, length = records[0], records[1], records[3] << 8 | records[4]
            if kind not in (CHANGE_CIPHER, ALERT, HANDSHAKE, APPLICATION) or major != 3:
                yield from self.close()
                return
            if len(records) < 5 + length:
                break
            body = bytes(records[5 : 5 + length])
            del records[: 5 + length]
            yield from self._record(client, kind, body)
        if len(records) > HELD or len(self._handshakes[client]) > HELD:
            yield from self.close()

    def lose(self, client: bool, count: int) -> None:
        """Give up on a side that has a hole; the next record cannot be found."""
        self._ready[client] = True
        self._records[client].clear()

    def close(self) -> Iterator[Fact]:
        """Yield what has been heard."""
        if not self.done:
            self.done = True
            if self._fields:
                name = self._fields.get("tls.client.server_name", "-")
                message = f"TLS {self._fields.get('tls.version', '-')} to {name}"
                yield Fact("tls", self._time, self._fields, message, self._end)

    def _record(self, client: bool, kind: int, body: bytes) -> Iterator[Fact]:
        if kind == HANDSHAKE and not self._ready[client]:
            handshake = self._handshakes[client]
            handshake += body
            while len(handshake) >= 4:
                length = int.from_bytes(handshake[1:4], "big")
                if len(handshake) < 4 + length:
                    break
                message = bytes(handshake[4 : 4 + length])
                self._message(client, handshake[0], message)
                del handshake[: 4 + length]
        elif kind == CHANGE_CIPHER:
            self._ready[client] = self._version != TLS13
        elif kind == APPLICATION:
            self._ready[client] = True
        elif kind == ALERT and len(body) == 2 and body[0] == 2:
            self._fields["tls.established"] = False
            self._fields["kr.network.tls.alert"] = body[1]
            yield from self.close()
        if self._ready[True] and self._ready[False]:
            self._fields["tls.established"] = True
            yield from self.close()

    def _message(self, client: bool, kind: int, body: bytes) -> None:
        try:
            if client and kind == CLIENT_HELLO:
                self._fields.update(client_hello(body))
            elif not client and kind == SERVER_HELLO:
                fields = server_hello(body)
                self._version = fields.pop("version")
                self._fields.update(fields)
            elif not client and kind == KEY_EXCHANGE and body[:1] == bytes([NAMED_CURVE]):
                self._fields["tls.curve"] = _curve(body[1] << 8 | body[2])
        except (IndexError, struct.error):
            self._fields["kr.network.tls.damaged"] = True


def client_hello(body: bytes) -> Event:
    """Return the fields of a client hello; IndexError or struct.error if it ends too early."""
    version, session = body[0] << 8 | body[1], body[34]
    offset = 35 + session
    size = body[offset] << 8 | body[offset + 1]
    suites = _numbers(body[offset + 2 : offset + 2 + size])
    offset += 2 + size
    extensions = _extensions(body[offset + 1 + body[offset] :])
    found = dict(extensions)
    groups = _numbers(found.get(GROUPS, b"")[2:])
    formats = list(found.get(FORMATS, b"")[1:])
    fields: Event = {
        "tls.client.ja3": _ja3(version, suites, [k for k, _ in extensions], groups, formats),
        "tls.client.supported_ciphers": [_suite(n) for n in suites if not _is_grease(n)],
    }
    name = found.get(SERVER_NAME, b"")
    if len(name) > 5 and name[2] == 0:
        fields["tls.client.server_name"] = text(name[5 : 5 + (name[3] << 8 | name[4])]).lower()
    offered = [text(p) for p in _strings(found.get(ALPN, b"")[2:])]
    if offered:
        fields["kr.network.tls.offered_protocols"] = offered
    return fields


def server_hello(body: bytes) -> Event:
    """Return the fields of a server hello, the version in force also as number ``version``."""
    version, session = body[0] << 8 | body[1], body[34]
    offset = 35 + session
    suite = body[offset] << 8 | body[offset + 1]
    found = dict(_extensions(body[offset + 3 :]))
    chosen = found.get(SUPPORTED_VERSIONS, b"")
    version = chosen[0] << 8 | chosen[1] if len(chosen) == 2 else version
    version = TLS13 if version > DRAFT and version >> 8 == DRAFT >> 8 else version
    protocol, number = VERSIONS.get(version, ("tls", f"{version:#06x}"))
    fields: Event = {
        "version": version,
        "tls.version_protocol": protocol,
        "tls.version": number,
        "tls.cipher": _suite(suite),
    }
    share = found.get(KEY_SHARE, b"")
    if len(share) >= 2:
        fields["tls.curve"] = _curve(share[0] << 8 | share[1])
    protocols = _strings(found.get(ALPN, b"")[2:])
    if protocols:
        fields["tls.next_protocol"] = text(protocols[0])
    return fields


def _extensions(data: bytes) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    if len(data) < 2:
        return found
    end, offset = min(2 + (data[0] << 8 | data[1]), len(data)), 2
    while offset + 4 <= end:
        kind, length = struct.unpack_from(">HH", data, offset)
        found.append((kind, data[offset + 4 : offset + 4 + length]))
        offset += 4 + length
    return found


def _numbers(data: bytes) -> list[int]:
    return [data[i] << 8 | data[i + 1] for i in range(0, len(data) - 1, 2)]


def _strings(data: bytes) -> list[bytes]:
    strings, offset = [], 0
    while offset < len(data):
        strings.append(data[offset + 1 : offset + 1 + data[offset]])
        offset += 1 + data[offset]
    return strings


def _is_grease(number: int) -> bool:
    """Return whether *number* is one of those that mean nothing (RFC 8701)."""
    return number & 0x0F0F == 0x0A0A and number >> 8 == number & 0xFF


def _ja3(version: int, *lists: list[int]) -> str:
    parts = ["-".join(str(n) for n in numbers if not _is_grease(n)) for numbers in lists]
    words = ",".join([str(version), *parts])
    return hashlib.md5(words.encode(), usedforsecurity=False).hexdigest()


def _curve(number: int) -> str:
    return CURVES.get(number, f"unknown-{number}")


@cache
def _suite(number: int) -> str:
    from scapy.layers.tls.crypto.suites import _tls_cipher_suites

    return str(_tls_cipher_suites.get(number, f"unknown-{number:#06x}"))
