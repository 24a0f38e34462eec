from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kr_secops.collect.parsers.auditd import assemble, may_go_on, parse
from kr_secops.event import dumps


def record(kind: str, rest: str) -> str:
    return f"type={kind} msg=audit(1794875700.140:7): {rest}"


@pytest.mark.parametrize(
    ("rest", "fields"),
    [
        ('proctitle="auditd"', {"proctitle": "auditd"}),
        ("proctitle=636174002F6574632F736861646F77", {"proctitle": "cat\0/etc/shadow"}),
        ("comm=616263 exit=1234", {"comm": "abc", "exit": "1234"}),
        ('name=(null) cwd="/a b"', {"name": "(null)", "cwd": "/a b"}),
        ("key=6162 a0=4142", {"key": "ab", "a0": "4142"}),
        ("comm=FFFE61", {"comm": "\ufffd\ufffda"}),
        ("msg='op=login acct=\"sari\" res=success'", {"op": "login", "acct": "sari", "res": "success"}),
        ('uid=0\x1dUID="root"', {"uid": "0", "UID": "root"}),
        ("saddr=0200SADDR={ saddr_fam=inet laddr=1.2.3.4 }", {"saddr": "0200SADDR={"}),
    ],
)  # fmt: skip
def test_fields(rest: str, fields: dict[str, str]) -> None:
    found = parse(record("SYSCALL", rest))
    assert found is not None
    assert fields.items() <= found.fields.items()


def test_arguments_in_pieces_and_in_hexadecimal() -> None:
    lines = [
        record("EXECVE", 'argc=12 a0="sh" a1=2D63 a2_len=9 a2[0]=6C732000 a2[1]="-l"'),
        record("EXECVE", "a10=747777 a11=656C"),
    ]
    records = [found for line in lines if (found := parse(line))]
    event = assemble(records[:1])
    assert event["process.args"] == ["sh", "-c", "ls \0-l"]
    assert event["process.command_line"] == "sh -c ls \0-l"


@pytest.mark.parametrize(
    ("saddr", "expected"),
    [
        ("02000016CB0071420000000000000000", ("203.0.113.66", 22)),
        ("0A0001BB0000000020010DB800000000000000000000000700000000", ("2001:db8::7", 443)),
        ("01002F72756E2F78", None),
        ("0200", None),
        ("xyz", None),
    ],
)
def test_socket_addresses(saddr: str, expected: tuple[str, int] | None) -> None:
    found = parse(record("SOCKADDR", f"saddr={saddr}"))
    assert found is not None
    event = assemble([found])
    got = (event.get("destination.ip"), event.get("destination.port"))
    assert got == (expected or (None, None))


@pytest.mark.parametrize(
    "line", ["", "type=SYSCALL", "type=A msg=audit(1:2): x", "msg=audit(1.1:1): "]
)
def test_no_record(line: str) -> None:
    assert parse(line) is None


def test_which_records_stand_alone() -> None:
    assert may_go_on("SYSCALL")
    assert may_go_on("AVC")
    assert not may_go_on("USER_LOGIN")


@given(
    st.text(max_size=300), st.sampled_from(["SYSCALL", "EXECVE", "USER_CMD", "SOCKADDR", "PATH"])
)
def test_any_rest_gives_an_event(rest: str, kind: str) -> None:
    found = parse(record(kind, rest))
    assert found is not None
    dumps(assemble([found]))
