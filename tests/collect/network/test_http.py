from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kr_secops.collect.network import http
from kr_secops.collect.network.conversation import Conversation

if TYPE_CHECKING:
    from kr_secops.collect.network.dialogue import Fact

GET = b"GET /cari?q=a%20b HTTP/1.1\r\nHost: izin.example:8080\r\nUser-Agent: curl/8\r\nReferer: http://a/\r\n\r\n"  # fmt: skip
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello"
SECRET = "Rahasia-Negara-77"


def listen(*said: bytes, piece: int = 100_000) -> list[Fact]:
    """Let client and server speak in turn, cut into pieces."""
    dialogue, facts = http.Http(), []
    for number, data in enumerate(said):
        for start in range(0, len(data), piece):
            facts += dialogue.read(number % 2 == 0, data[start : start + piece], number)
    return [*facts, *dialogue.close()]


def requests(facts: list[Fact]) -> list[tuple[Any, ...]]:
    names = ("http.request.method", "url.original", "http.response.status_code",
             "http.request.body.bytes", "http.response.body.bytes")  # fmt: skip
    return [tuple(f.fields.get(n) for n in names) for f in facts if f.dataset == "http"]


@pytest.mark.parametrize("piece", [1, 7, 100_000])
def test_one_request(piece: int) -> None:
    (fact,) = listen(GET, OK, piece=piece)
    assert fact.fields == {
        "http.request.method": "GET",
        "url.original": "/cari?q=a%20b",
        "url.path": "/cari",
        "url.query": "q=a%20b",
        "url.domain": "izin.example",
        "url.port": 8080,
        "http.version": "1.1",
        "http.request.referrer": "http://a/",
        "user_agent.original": "curl/8",
        "http.response.status_code": 200,
        "kr.network.http.content_type": "text/html",
        "http.request.body.bytes": 0,
        "http.response.body.bytes": 5,
        "event.outcome": "success",
    }
    assert (fact.time, fact.end, fact.message) == (0, 1, "GET /cari?q=a%20b 200")


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n6;x=y\r\npedia \r\n0\r\n\r\n"
POST = (
    b"POST /unggah HTTP/1.1\r\nContent-Length: 300\r\n\r\nGET /fake HTTP/1.1\r\n\r\n" + b"x" * 278
)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([GET, OK, GET, OK], [("GET", "/cari?q=a%20b", 200, 0, 5)] * 2),
        ([GET + GET, OK + OK], [("GET", "/cari?q=a%20b", 200, 0, 5)] * 2),
        ([GET, CHUNKED, GET, OK], [("GET", "/cari?q=a%20b", 200, 0, n) for n in (10, 5)]),
        ([POST, OK], [("POST", "/unggah", 200, 300, 5)]),
        ([b"HEAD / HTTP/1.1\r\n\r\n", OK[:-5], GET, OK],
         [("HEAD", "/", 200, 0, 0), ("GET", "/cari?q=a%20b", 200, 0, 5)]),
        ([GET, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", GET, OK],
         [("GET", "/cari?q=a%20b", 304, 0, 0), ("GET", "/cari?q=a%20b", 200, 0, 5)]),
        ([GET, b"HTTP/1.1 100 Continue\r\n\r\n" + OK], [("GET", "/cari?q=a%20b", 200, 0, 5)]),
        ([GET, b"HTTP/1.0 200 OK\r\n\r\nuntil the end"], [("GET", "/cari?q=a%20b", 200, 0, 13)]),
        ([b"GET / HTTP/1.1\nHost: a\n\n", OK], [("GET", "/", 200, 0, 5)]),
        ([GET], [("GET", "/cari?q=a%20b", None, 0, None)]),
        ([b"GET /slow HTTP/1.1\r\nHost: a\r\n"], [("GET", "/slow", None, 0, None)]),
        ([b"", OK], [(None, None, 200, 0, 5)]),
    ],
)  # fmt: skip
def test_where_messages_end(said: list[bytes], expected: list[tuple[Any, ...]]) -> None:
    assert requests(listen(*said)) == expected
    assert requests(listen(*said, piece=3)) == expected


def test_a_hole_in_a_body_is_counted_and_one_in_a_head_ends_with_the_next_head() -> None:
    dialogue = http.Http()
    facts = list(dialogue.read(True, GET, 0))
    facts += dialogue.read(False, OK[:-3], 1)
    dialogue.lose(False, 2)
    facts += dialogue.read(False, b"o", 1)
    assert requests(facts) == [("GET", "/cari?q=a%20b", 200, 0, 5)]
    dialogue.lose(True, 100)
    facts = [*dialogue.read(True, b"the rest of something", 2), *dialogue.read(True, GET, 3)]
    facts += dialogue.read(False, OK, 4)
    assert requests(facts) == [("GET", "/cari?q=a%20b", 200, 0, 5)]


BASIC = base64.b64encode(f"operator:{SECRET}".encode())


@pytest.mark.parametrize(
    ("request_", "status", "mechanism", "user", "outcome"),
    [
        (b"GET / HTTP/1.1\r\nAuthorization: Basic " + BASIC + b"\r\n\r\n", 200, "basic", "operator", "success"),
        (b"GET / HTTP/1.1\r\nauthorization:basic " + BASIC + b"\r\n\r\n", 401, "basic", "operator", "failure"),
        (b"GET / HTTP/1.1\r\nProxy-Authorization: Basic " + BASIC + b"\r\n\r\n", 407, "basic", "operator", "failure"),
        (b"GET / HTTP/1.1\r\nAuthorization: Basic %%%\r\n\r\n", 200, "basic", None, "success"),
        (f"GET /masuk?user=yusuf&password={SECRET}&x=1 HTTP/1.1\r\n\r\n".encode(), 200, "query", "yusuf", "unknown"),
        (f"GET http://yusuf:{SECRET}@a/?sandi={SECRET} HTTP/1.1\r\n\r\n".encode(), 200, "query", None, "unknown"),
        (f"POST /login HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 46\r\n\r\n"
         f"username=yusuf%40a&password={SECRET}&".encode(), 302, "form", "yusuf@a", "unknown"),
    ],
)  # fmt: skip
def test_logins_are_told_without_their_passwords(
    request_: bytes, status: int, mechanism: str, user: str | None, outcome: str
) -> None:
    reply = f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode()
    facts = listen(request_, reply)
    (login,) = [f for f in facts if f.dataset == "credentials"]
    fields = login.fields
    assert fields["kr.network.credentials.protocol"] == "http"
    assert fields["kr.network.credentials.mechanism"] == mechanism
    assert (fields.get("user.name"), fields["event.outcome"]) == (user, outcome)
    assert SECRET not in repr(facts)
    assert BASIC.decode() not in repr(facts)


@pytest.mark.parametrize(
    "request_",
    [
        GET,
        b"GET / HTTP/1.1\r\nAuthorization: Bearer abc\r\n\r\n",
        b"GET /?compass=north HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\npassword=",
    ],
)
def test_no_login(request_: bytes) -> None:
    assert [f.dataset for f in listen(request_, OK)] == ["http"]


def test_after_connect_another_protocol_speaks() -> None:
    dialogue = http.Http()
    list(dialogue.read(True, b"CONNECT mail.example:25 HTTP/1.1\r\n\r\n", 0))
    (fact,) = dialogue.read(False, b"HTTP/1.1 200 OK\r\n\r\n", 1)
    assert (fact.fields["url.original"], dialogue.upgraded) == ("mail.example:25", True)


def test_requests_that_nobody_answers_are_bounded() -> None:
    dialogue = http.Http()
    facts = list(dialogue.read(True, GET * 1000, 0))
    assert len(facts) == 1000 - http.PENDING


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=60)), max_size=20))
def test_random_bytes_never_raise(said: list[tuple[bool, bytes]]) -> None:
    dialogue = http.Http()
    for client, data in said:
        list(dialogue.read(client, data, 0))
        dialogue.lose(client, 3)
    list(dialogue.close())


@given(st.data())
def test_damaged_requests_never_raise(data: st.DataObject) -> None:
    raw = bytearray(GET + POST + CHUNKED)
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    dialogue = http.Http()
    list(dialogue.read(True, bytes(raw), 0))
    list(dialogue.read(False, bytes(raw), 0))
    list(dialogue.close())


def test_a_broken_request_is_known_by_its_answer() -> None:
    conversation = Conversation((40_000, 80))
    broken = b"\x16\x80 OPTIONS-ISH\r\n\r\n"
    facts = list(conversation.hear(True, 1, broken, len(broken), 0))
    reply = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    facts += conversation.hear(False, 1, reply, len(reply), 1)
    assert requests(facts) == [(None, None, 400, 0, 0)]
