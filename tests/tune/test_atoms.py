"""What a filter may ask of an event, and what it must never ask."""

from __future__ import annotations

from typing import Any

import pytest

from kr_secops.privacy.mask import Guard
from kr_secops.tune.atoms import Atom, atoms

CASES: dict[str, tuple[dict[str, Any], set[tuple[str, str, str]]]] = {
    "a program in a folder of its own": (
        {"process.executable": "/opt/backup/bin/rsync"},
        {
            ("process.executable", "", "/opt/backup/bin/rsync"),
            ("process.executable", "startswith", "/opt/backup/bin/"),
            ("process.executable", "startswith", "/opt/backup/"),
        },
    ),
    "folders of everybody are no beginning": (
        {"winlog.event_data.Image": "C:\\Windows\\System32\\spoolsv.exe"},
        {("winlog.event_data.Image", "", "C:\\Windows\\System32\\spoolsv.exe")},
    ),
    "where anybody may write": ({"process.executable": "/tmp/x"}, set()),
    "a profile": ({"winlog.event_data.Image": "C:\\Users\\a\\AppData\\Local\\x.exe"}, set()),
    "a share": ({"winlog.event_data.Image": "\\\\10.0.0.1\\c$\\x.exe"}, set()),
    "an address and its network": (
        {"source.ip": "10.61.12.5"},
        {("source.ip", "", "10.61.12.5"), ("source.ip", "cidr", "10.61.12.0/24")},
    ),
    "IPv6": (
        {"source.ip": "2001:db8::1"},
        {("source.ip", "", "2001:db8::1"), ("source.ip", "cidr", "2001:db8::/64")},
    ),
    "no address": ({"source.ip": "hidden"}, set()),
    "a name that was let in": (
        {"user.name": "backup", "event.outcome": "success"},
        {("user.name", "", "backup")},
    ),
    "a name that was only claimed": ({"user.name": "backup", "event.outcome": "failure"}, set()),
    "an account that sudo refused": (
        {"user.name": "backup", "event.outcome": "failure", "event.category": ["process"]},
        {("user.name", "", "backup")},
    ),
    "a name in a failed login of a database": (
        {
            "user.name": "backup",
            "event.outcome": "failure",
            "event.category": ["database", "process"],
        },
        set(),
    ),
    "a name that a browser sent": (
        {"user.name": "backup", "event.outcome": "success", "event.category": ["web"]},
        set(),
    ),
    "no beginning of a path that a request may leave by ..": (
        {"url.path": "/static/css/../../../etc/passwd"},
        {("url.path", "", "/static/css/../../../etc/passwd")},
    ),
    "hosts of a domain": (
        {"host.name": "web1.izin.example"},
        {("host.name", "", "web1.izin.example"), ("host.name", "endswith", ".izin.example")},
    ),
    "free text, times and counters": (
        {
            "@timestamp": "2026-11-17T01:05:09.000Z",
            "message": "m",
            "event.original": "o",
            "process.command_line": "rsync",
            "winlog.event_data.CommandLine": "rsync",
            "user_agent.original": "curl",
            "url.query": "q=1",
            "kr.url.decoded": "/a",
            "http.request.referrer": "r",
            "dns.question.name": "x.example",
            "log.offset": 5,
            "winlog.record_id": "7",
            "process.pid": 12,
            "source.port": 50000,
            "event.sequence": 3,
        },
        set(),
    ),
    "what masking left": ({"user.name": "6112**********03"}, set()),
    "a masked field": ({"url.path": "/warga/budi", "kr.pii.fields": ["url.path"]}, set()),
    "what would steer a terminal": ({"user.name": "a\x1b[2J"}, set()),
    "no text": ({"user.name": ["a", "b"], "service.name": True}, set()),
}


@pytest.mark.parametrize("name", CASES)
def test_atoms(name: str) -> None:
    event, expected = CASES[name]
    assert {(atom.field, atom.kind, atom.text) for atom in atoms(event)} == expected


def test_nothing_masked_is_ever_asked() -> None:
    nik = "611201" + "010190" + "0003"
    event = Guard(b"key").protect(
        {
            "@timestamp": "2026-11-17T01:05:09.000Z",
            "event.original": f"GET /warga/nik={nik} by {nik}",
            "url.path": f"/warga/nik={nik}",
            "user.name": "budi.santoso@example.go.id",
            "host.name": "web",
        }
    )
    assert event["url.path"] != f"/warga/nik={nik}"
    assert {atom.field for atom in atoms(event)} == {"host.name"}


@pytest.mark.parametrize(
    ("atom", "alone"),
    [
        (Atom("process.executable", "", "/opt/backup/rsync"), True),
        (Atom("user.name", "", "backup"), True),
        (Atom("process.executable", "", "/usr/bin/python3.11"), False),
        (Atom("winlog.event_data.ParentImage", "", "C:\\Windows\\System32\\cmd.exe"), False),
        (Atom("winlog.event_data.Image", "", "C:\\Windows\\mycmd.exe"), True),
        (Atom("host.name", "", "web"), False),
        (Atom("event.action", "", "sudo_command"), False),
        (Atom("url.path", "", "/cari"), False),
        (Atom("file.path", "", "/etc/passwd"), False),
        (Atom("user.effective.name", "", "postgres"), False),
        (Atom("winlog.event_data.TargetImage", "", "C:\\Windows\\System32\\lsass.exe"), False),
    ],
)
def test_what_stands_alone(atom: Atom, alone: bool) -> None:
    assert atom.stands_alone is alone
