from __future__ import annotations

import ssl
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kr_secops import ecs
from kr_secops.collect.network import tls

if TYPE_CHECKING:
    from kr_secops.collect.network.dialogue import Fact


def client_bytes(name: str = "Izin.Contoh-Kab.example") -> bytes:
    """What OpenSSL says first."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()
    return outgoing.read()


def record(kind: int, body: bytes) -> bytes:
    return bytes([kind, 3, 3]) + struct.pack(">H", len(body)) + body


def server_hello(version: int, *, extensions: bytes = b"", suite: int = 0xC02F) -> bytes:
    body = (
        struct.pack(">H", min(version, 0x0303)) + b"r" * 32 + b"\0" + struct.pack(">HB", suite, 0)
    )
    if version == 0x0304:
        extensions += struct.pack(">HHH", 43, 2, version)
    body += struct.pack(">H", len(extensions)) + extensions
    return record(22, b"\2" + len(body).to_bytes(3, "big") + body)


def listen(*said: tuple[bool, bytes], piece: int = 100_000) -> list[Fact]:
    dialogue, facts = tls.Tls(), []
    for number, (client, data) in enumerate(said, 1):
        for start in range(0, len(data), piece):
            facts += dialogue.read(client, data[start : start + piece], number)
    return [*facts, *dialogue.close()]


@pytest.mark.parametrize("piece", [1, 50, 100_000])
def test_a_hello_of_openssl(piece: int) -> None:
    hello = client_bytes()
    assert tls.begins(hello)
    (fact,) = listen((True, hello), piece=piece)
    fields = fact.fields
    assert fields["tls.client.server_name"] == "izin.contoh-kab.example"
    assert "TLS_AES_128_GCM_SHA256" in fields["tls.client.supported_ciphers"]
    assert fields["kr.network.tls.offered_protocols"] == ["h2", "http/1.1"]
    assert len(fields["tls.client.ja3"]) == 32
    assert not ecs.check({"@timestamp": "2026-11-17T01:00:00Z", **fields})


@pytest.mark.parametrize(
    ("version", "protocol", "number"),
    [
        (0x0300, "ssl", "3.0"),
        (0x0301, "tls", "1.0"),
        (0x0303, "tls", "1.2"),
        (0x0304, "tls", "1.3"),
    ],
)
def test_what_the_server_chose(version: int, protocol: str, number: str) -> None:
    alpn = b"\0\x10\0\5\0\3\2h2"
    fact = listen((True, client_bytes()), (False, server_hello(version, extensions=alpn)))[0]
    assert fact.fields["tls.version_protocol"] == protocol
    assert fact.fields["tls.version"] == number
    assert fact.fields["tls.cipher"] == "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    assert fact.fields["tls.next_protocol"] == "h2"
    assert "tls.established" not in fact.fields


def test_established_and_refused() -> None:
    begun = [(True, client_bytes()), (False, server_hello(0x0303))]
    curve = record(22, b"\x0c\0\0\x04\3\0\x1d\0")
    changed = record(20, b"\1")
    (fact,) = listen(*begun, (False, curve), (True, changed), (False, changed))
    assert (fact.fields["tls.established"], fact.fields["tls.curve"]) == (True, "x25519")
    (fact,) = listen((True, client_bytes()), (False, record(21, b"\2\x28")))
    assert (fact.fields["tls.established"], fact.fields["kr.network.tls.alert"]) == (False, 40)


def test_ja3_of_the_authors() -> None:
    # The second example of the JA3 description: 769,4–5–10–9–100–98–3–6–19–18–99,,,
    suites = struct.pack(">11H", 4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99)
    body = struct.pack(">H", 769) + b"r" * 32 + b"\0" + struct.pack(">H", 22) + suites + b"\1\0"
    assert tls.client_hello(body)["tls.client.ja3"] == "de350869b8c85de67a350c8d186f11e6"


def test_an_old_hello() -> None:
    hello = b"\x80\x1c\x01\x03\x01" + b"\0\3\0\0\0\x10" + b"\0\0\x2f" + b"c" * 16
    assert tls.begins(hello)
    fact = listen((True, hello), (False, server_hello(0x0301)))[0]
    assert (fact.fields["tls.version"], fact.fields["kr.network.tls.ssl2_hello"]) == ("1.0", True)


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=80)), max_size=10))
def test_random_bytes_never_raise(said: list[tuple[bool, bytes]]) -> None:
    listen(*((client, bytes([22, 3, 3, 0, 20]) + data) for client, data in said))


HELLO = client_bytes()


@given(st.data())
def test_damaged_hellos_never_raise(data: st.DataObject) -> None:
    raw = bytearray(HELLO)
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    listen((True, bytes(raw[: data.draw(st.integers(0, len(raw)))])))
