from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dns import DNS, DNSQR, DNSRR, DNSRRMX, DNSRRSRV

from kr_secops import ecs
from kr_secops.collect.network import dns

QUESTION = DNS(id=7, rd=1, qd=DNSQR(qname="Izin.Kabupaten.go.id", qtype="A"))


def answer(*records: Any, rcode: int = 0, qname: str = "izin.kabupaten.go.id") -> dns.Message:
    message = DNS(id=7, qr=1, rd=1, ra=1, rcode=rcode, qd=DNSQR(qname=qname), an=list(records))
    found = dns.read(bytes(message))
    assert found is not None
    return found


def test_a_question() -> None:
    message = dns.read(bytes(QUESTION))
    assert message is not None
    assert dns.fields(message) == {
        "dns.id": "7",
        "dns.type": "query",
        "dns.op_code": "QUERY",
        "dns.question.name": "izin.kabupaten.go.id",
        "dns.question.type": "A",
        "dns.question.class": "IN",
        "dns.question.top_level_domain": "go.id",
        "dns.question.registered_domain": "kabupaten.go.id",
        "dns.question.subdomain": "izin",
        "dns.header_flags": ["RD"],
    }


def test_answers() -> None:
    name = "izin.kabupaten.go.id"
    found = dns.fields(
        answer(
            DNSRR(rrname=name, type="CNAME", rdata="www.kabupaten.go.id", ttl=60),
            DNSRR(rrname="www.kabupaten.go.id", type="A", rdata="203.0.113.9", ttl=30),
            DNSRR(rrname="www.kabupaten.go.id", type="AAAA", rdata="2001:db8::9", ttl=30),
            DNSRRMX(rrname=name, exchange="mail.kabupaten.go.id"),
            DNSRRSRV(rrname=name, target="ldap.kabupaten.go.id", port=389),
            DNSRR(rrname=name, type="TXT", rdata=[b"v=spf1", b"-all"]),
            DNSRR(rrname=name, type="NULL", rdata=b"\x01\x02"),
        )
    )
    assert found["dns.answers.data"] == [
        "www.kabupaten.go.id",
        "203.0.113.9",
        "2001:db8::9",
        "mail.kabupaten.go.id",
        "ldap.kabupaten.go.id",
        "v=spf1 -all",
        "0102",
    ]
    assert found["dns.answers.ttl"][:2] == [60, 30]
    assert found["dns.resolved_ip"] == ["2001:db8::9", "203.0.113.9"]
    assert not ecs.check({"@timestamp": "2026-11-17T01:00:00Z", **found})


@pytest.mark.parametrize(
    ("code", "name", "outcome"), [(0, "NOERROR", "success"), (3, "NXDOMAIN", "success"),
                                  (2, "SERVFAIL", "failure"), (5, "REFUSED", "failure")],
)  # fmt: skip
def test_response_codes(code: int, name: str, outcome: str) -> None:
    found = dns.fields(answer(rcode=code))
    assert (found["dns.response_code"], found["event.outcome"]) == (name, outcome)


@pytest.mark.parametrize(
    ("name", "registered", "subdomain"),
    [
        ("a.b.t.kurir.example", "kurir.example", "a.b.t"),
        ("dinas.kab-contoh.go.id", "kab-contoh.go.id", "dinas"),
        ("kab-contoh.go.id", "kab-contoh.go.id", None),
        ("go.id", None, None),
        ("localhost", None, None),
    ],
)
def test_domains(name: str, registered: str | None, subdomain: str | None) -> None:
    found = dns.domain_fields(name)
    assert found.get("dns.question.registered_domain") == registered
    assert found.get("dns.question.subdomain") == subdomain


def message(name: bytes, flags: bytes = b"\x01\x00") -> bytes:
    return b"\0\7" + flags + b"\0\1\0\0\0\0\0\0" + name + b"\0\1\0\1"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (message(b"\3a.b\0"), "a.b"),
        (message(b'\4\x00"\\\n\0'), '\\000\\"\\\\\\n'),
        (message(b"\2\xc3\xa9\0"), "\\195\\169"),
        (message(b"\0"), ""),
    ],
)
def test_names_are_escaped_as_ecs_wants(data: bytes, name: str) -> None:
    found = dns.read(data)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 12,
        message(b"\xc0\x0c"),
        message(b"\x3fabc\0"),
        message(b"\x80abc\0"),
        message((b"\x3f" + b"a" * 63) * 5 + b"\0"),
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    ids=["empty", "zeros", "pointer to itself", "cut", "label type", "too long", "http"],
)
def test_no_dns(data: bytes) -> None:
    assert dns.read(data) is None


@given(st.binary(max_size=200))
def test_random_bytes_never_raise(data: bytes) -> None:
    found = dns.read(data)
    if found:
        dns.fields(found)


@given(st.data())
def test_damaged_messages_never_raise(data: st.DataObject) -> None:
    raw = bytearray(bytes(DNS(qr=1, qd=DNSQR(qname="a.b.c"), an=[DNSRR(rrname="a.b.c", type="A")])))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    dns.read(bytes(raw[: data.draw(st.integers(0, len(raw)))]))


def test_an_exchange_is_one_fact_and_a_question_without_answer_another() -> None:
    questions = dns.Questions()
    asked = dns.read(bytes(QUESTION))
    assert asked is not None
    assert not list(questions.hear(asked, 1_000))
    (fact,) = questions.hear(answer(), 5_000)
    assert (fact.time, fact.end, fact.fields["dns.type"]) == (1_000, 5_000, "answer")
    assert not list(questions.hear(asked, 6_000))
    (again,) = questions.hear(asked, 7_000)
    assert (again.time, again.end) == (6_000, None)
    late = next(questions.hear(answer(qname="x.y"), dns.PATIENCE + 7_000))
    assert (late.time, late.fields["dns.type"]) == (7_000, "query")
    assert not list(questions.close())


def test_questions_that_wait_are_bounded() -> None:
    questions = dns.Questions()
    facts = []
    for number in range(3 * dns.PENDING):
        asked = dns.read(bytes(DNS(id=number, qd=DNSQR(qname="a.b"))))
        assert asked is not None
        facts += questions.hear(asked, number)
    assert len(questions.waiting) <= dns.PENDING
    assert len(facts) + len(questions.waiting) == 3 * dns.PENDING


def test_messages_over_tcp_in_pieces() -> None:
    raw = bytes(DNS(id=7, qr=1, qd=DNSQR(qname="a.kurir.example")))
    stream = len(raw).to_bytes(2, "big") + raw
    assert dns.begins(stream)
    dialogue = dns.OverTcp()
    assert not list(dialogue.read(False, stream[:9], 1))
    (fact,) = dialogue.read(False, stream[9:], 2)
    assert fact.fields["dns.question.name"] == "a.kurir.example"
