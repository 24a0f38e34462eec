from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kr_secops.collect.network.conversation import Conversation

if TYPE_CHECKING:
    from kr_secops.collect.network.dialogue import Fact

SECRET = "Rahasia-Negara-77"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def listen(said: list[tuple[str, str]], conversation: Conversation | None = None) -> list[Fact]:
    """Speak lines: ``C`` for the client, ``S`` for the server; ``c`` and ``s`` without line end."""
    conversation = conversation or Conversation((40_000, 9))
    at, facts = {True: 1, False: 1}, []
    for who, line in said:
        client = who in "Cc"
        data = line.encode("latin-1") + (b"\r\n" if who in "CS" else b"")
        facts += conversation.hear(client, at[client], data, len(data), 0)
        at[client] += len(data)
    return [*facts, *conversation.close()]


def seen(facts: list[Fact]) -> list[tuple[Any, ...]]:
    names = ("kr.network.credentials.protocol", "kr.network.credentials.mechanism", "user.name",
             "event.outcome")  # fmt: skip
    return [tuple(f.fields.get(n) for n in names) for f in facts if f.dataset == "credentials"]


FTP = [("S", "220 ready"), ("C", "USER yusuf"), ("S", "331 password"), ("C", f"PASS {SECRET}")]
SMTP = [("S", "220 mail ESMTP"), ("C", "EHLO a"), ("S", "250-mail"), ("S", "250 AUTH PLAIN LOGIN")]
PLAIN = b64(f"\0yusuf\0{SECRET}")
POP3 = [("S", "+OK ready"), ("C", "USER yusuf"), ("S", "+OK")]
IMAP = [("S", "* OK ready")]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([*FTP, ("S", "230 in")], ("ftp", "pass", "yusuf", "success")),
        ([*FTP, ("S", "530 no")], ("ftp", "pass", "yusuf", "failure")),
        (FTP, ("ftp", "pass", "yusuf", "unknown")),
        ([*SMTP, ("C", f"AUTH PLAIN {PLAIN}"), ("S", "235 ok")], ("smtp", "plain", "yusuf", "success")),
        ([*SMTP, ("C", "auth plain"), ("S", "334 "), ("C", PLAIN), ("S", "535 no")],
         ("smtp", "plain", "yusuf", "failure")),
        ([*SMTP, ("C", "AUTH LOGIN"), ("S", "334 VXNlcm5hbWU6"), ("C", b64("yusuf")),
          ("S", "334 UGFzc3dvcmQ6"), ("C", b64(SECRET)), ("S", "235 ok")],
         ("smtp", "login", "yusuf", "success")),
        ([*SMTP, ("C", f"AUTH LOGIN {b64('yusuf')}"), ("S", "334 "), ("C", b64(SECRET))],
         ("smtp", "login", "yusuf", "unknown")),
        ([*POP3, ("C", f"PASS {SECRET}"), ("S", "+OK")], ("pop3", "pass", "yusuf", "success")),
        ([*POP3, ("C", f"pass {SECRET}"), ("S", "-ERR")], ("pop3", "pass", "yusuf", "failure")),
        ([("S", "+OK ready"), ("C", "AUTH PLAIN"), ("S", "+"), ("C", PLAIN), ("S", "+OK")],
         ("pop3", "plain", "yusuf", "success")),
        ([*IMAP, ("C", f"a1 LOGIN yusuf {SECRET}"), ("S", "a1 OK")],
         ("imap", "login", "yusuf", "success")),
        ([*IMAP, ("C", f'a1 login "yu suf" "{SECRET}"'), ("S", "* x"), ("S", "a1 NO")],
         ("imap", "login", "yu suf", "failure")),
        ([*IMAP, ("C", "a1 LOGIN {5}"), ("S", "+"), ("C", f"yusuf {SECRET}"), ("S", "a1 OK")],
         ("imap", "login", "yusuf", "success")),
        ([*IMAP, ("C", f"a1 AUTHENTICATE PLAIN {PLAIN}"), ("S", "a1 OK")],
         ("imap", "plain", "yusuf", "success")),
        ([("s", "\xff\xfd\x18\xff\xfd\x20"), ("c", "\xff\xfb\x18"), ("s", "switch login: "),
          ("c", "yu"), ("c", "suf\r\0\n"), ("s", "Password: "), ("c", SECRET[:5]),
          ("c", SECRET[5:] + "\r\n")], ("telnet", "prompt", "yusuf", "unknown")),
    ],
)  # fmt: skip
def test_logins_are_told_without_their_passwords(
    said: list[tuple[str, str]], expected: tuple[str, ...]
) -> None:
    facts = listen(said)
    assert seen(facts) == [expected]
    for secret in (SECRET, b64(SECRET), PLAIN):
        assert secret not in repr(facts)


def test_two_tries_are_two() -> None:
    facts = listen([*FTP, ("S", "530 no"), ("C", "USER ani"), ("C", "PASS x"), ("S", "230 in")])
    assert [s[2:] for s in seen(facts)] == [("yusuf", "failure"), ("ani", "success")]


@pytest.mark.parametrize(
    "said",
    [
        [*SMTP, ("C", "AUTH CRAM-MD5"), ("S", "334 x"), ("C", b64("yusuf 0123"))],
        [*SMTP, ("C", "DATA"), ("S", "354 go"), ("C", f"AUTH PLAIN {PLAIN}"), ("C", ".")],
        [*POP3, ("C", "APOP yusuf 0123456789abcdef"), ("S", "+OK")],
        [*IMAP, ("C", "a1 APPEND x {40}"), ("C", f"b2 LOGIN yusuf {SECRET}"), ("S", "b2 OK")],
        [("S", "220 x"), ("C", "USER yusuf")],
        [("S", "SSH-2.0-x"), ("C", "USER yusuf"), ("C", "PASS x")],
    ],
)
def test_no_login(said: list[tuple[str, str]]) -> None:
    assert not seen(listen(said))


@pytest.mark.parametrize(
    ("said", "service"),
    [
        ([*SMTP, ("C", "STARTTLS"), ("S", "220 go")], "smtp"),
        ([("S", "+OK"), ("C", "STLS"), ("S", "+OK go")], "pop3"),
        ([*IMAP, ("C", "a1 STARTTLS"), ("S", "a1 OK go")], "imap"),
        ([("S", "220 x"), ("C", "AUTH TLS"), ("S", "234 go")], "ftp"),
    ],
)
def test_after_starttls_the_handshake_is_read(said: list[tuple[str, str]], service: str) -> None:
    body = b"\3\3" + b"r" * 32 + b"\0\0\2\0\x2f\1\0"
    hello = b"\x16\3\1\0" + bytes([len(body) + 4]) + b"\1\0\0" + bytes([len(body)]) + body
    conversation = Conversation((40_000, 9))
    facts = listen([*said, ("c", hello.decode("latin-1"))], conversation)
    assert [f.dataset for f in facts] == ["tls"]
    assert conversation.service == service


@given(
    st.sampled_from([FTP[:1], SMTP, POP3[:1], IMAP, [("s", "\xff\xfd\x18")]]),
    st.lists(st.tuples(st.sampled_from("CScs"), st.binary(max_size=40)), max_size=12),
)
def test_random_lines_never_raise(
    begun: list[tuple[str, str]], said: list[tuple[str, bytes]]
) -> None:
    listen([*begun, *((who, data.decode("latin-1")) for who, data in said)])
