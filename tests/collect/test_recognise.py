from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from kr_secops.collect.catalog import load
from kr_secops.collect.recognise import recognise

if TYPE_CHECKING:
    from pathlib import Path

COMBINED = '198.51.100.7 - - [17/Nov/2026:07:13:33 +0700] "GET / HTTP/1.1" 200 9 "-" "curl"\n'
COMMON = '198.51.100.7 - - [17/Nov/2026:07:13:33 +0700] "GET / HTTP/1.1" 200 9\n'


@pytest.mark.parametrize(
    ("head", "name", "expected"),
    [
        ("Nov 17 09:14:02 web-izin sshd[812]: Server listening on :: port 22.\n", "x", "syslog"),
        ("2026-11-16T16:30:11.194368+07:00 db-izin cron[1]: (CRON) STARTUP (fork ok)\n", "x", "syslog"),
        ("<34>1 2026-10-11T22:14:15.003Z db-izin su - ID47 - x\n", "x", "syslog"),
        (COMBINED, "/var/log/nginx/access.log", "nginx_access"),
        (COMBINED, "/var/log/apache2/access.log", "apache_access"),
        (COMBINED, "/srv/apache-2026.log", "apache_access"),
        (COMBINED, "/srv/nginx-2026.log", "nginx_access"),
        (COMMON, "/var/log/nginx/access.log", "apache_access"),
        ("a.example:80 " + COMBINED, "other_vhosts_access.log", "apache_access"),
        ("2026/11/17 07:13:33 [error] 1#1: *8 x, client: 198.51.100.1\n", "x", "nginx_error"),
        ("[Tue Nov 17 09:15:00.01 2026] [core:notice] [pid 1] AH00094: x\n", "x", "apache_error"),
        ("type=SYSCALL msg=audit(1794821412.308:2789): arch=c0\n", "x", "auditd"),
        ("node=a type=SYSCALL msg=audit(1794821412.308:2789): arch=c0\n", "x", "auditd"),
        ("[2026-11-16 16:40:01] production.INFO: x\n", "x", "laravel"),
        ("<?php defined('BASEPATH') OR exit('No'); ?>\n\nINFO - 2026-11-17 07:23:36 --> x\n", "x", "codeigniter"),
        ("2026-11-16 16:30:08.060 WIB [18046] LOG:  x\n", "x", "postgresql"),
        ('2021-01-04 00:04:50.554 UTC,,,27,,5ff25ba2.1b,1,,2021-01-04 00:04:50 UTC,,0,LOG,00000,"x",,,,,,,,,""\n', "x", "postgresql_csv"),
        ('{"@timestamp":"2026-11-17T02:14:02.000Z","event.dataset":"sshd"}\n', "x", "ecs"),
        ('{"@timestamp":"2026-11-17T02:14:02.000Z","event":{"dataset":"sshd"}}\n', "x", "ecs"),
        ('{"Event":{"System":{"EventID":1}}}\n', "x", "windows"),
        ('{"@timestamp":"2026-11-17T02:14:02Z","winlog":{"event_id":1}}\n', "x", "windows"),
        ('{"EventID":1,"Channel":"Security"}\n', "x", "windows"),
        ("ElfFile\0\0\0", "x", "windows"),
        ("\ufeffNov 17 09:14:02 web-izin a: b\n", "x", "syslog"),
        ('{"level":"info","msg":"x"}\n', "x", None),
        ("Dear Sir,\nNov 17 is the day.\n", "auth.log", None),
        ("\0\0\0\0Nov 17 09:14:02 web-izin a: b\n", "wtmp", None),
        ("<?php echo 1;\n", "index.php", None),
        ("2026-11-17 00:00:00 status installed nginx\n", "dpkg.log", None),
        ("", "x", None),
    ],
)  # fmt: skip
def test_by_content(head: str, name: str, expected: str | None) -> None:
    found = recognise(head.encode(), name, load())
    assert (found and found.id) == expected


LONG = "x" * 66_000


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ('{"Event":{"System":{"EventID":4104},"EventData":{"ScriptBlockText":"' + LONG, "windows"),
        ('{"EventID":1,"Channel":"Security","X":["a\\"{",{"y":"' + LONG + "\\", "windows"),
        (
            '{"@timestamp":"2026-11-17T02:14:02.000Z","event.dataset":"sshd","message":"' + LONG,
            "ecs",
        ),
        ('{"level":"' + LONG, None),
        ('{"EventID":1,"Channel":' + "[" * 66_000, None),
    ],
    ids=["tree", "flat", "ecs", "unknown", "deep"],
)
def test_a_long_first_record_does_not_hide_the_format(head: str, expected: str | None) -> None:
    found = recognise(head.encode(), "x", load())
    assert (found and found.id) == expected


def test_a_stack_trace_does_not_hide_the_format() -> None:
    trace = "\n".join(f"#{i} /var/www/a.php({i}): x()" for i in range(30))
    head = f"[2026-11-16 16:40:01] production.ERROR: x\n[stacktrace]\n{trace}\n"
    found = recognise(head.encode(), "x", load())
    assert found is not None
    assert found.id == "laravel"


ESTATE = {
    "auth.log": "syslog", "auth.log.1": "syslog", "syslog": "syslog", "syslog.1": "syslog",
    "cron.log": "syslog", "cron.log.1": "syslog", "audit.log": "auditd",
    "nginx/access.log": "nginx_access", "nginx/access.log.1.gz": "nginx_access",
    "nginx/error.log": "nginx_error", "apache2/access.log": "apache_access",
    "apache2/error.log": "apache_error", "laravel.log": "laravel",
    "log-2026-11-17.php": "codeigniter", "postgresql-15-main.log": "postgresql",
    "btmp": None, "wtmp": None, "index.php": None, "data-penduduk-2026.xlsx": None,
}  # fmt: skip


def test_the_recorded_day(estate: Path) -> None:
    for host in ("web-izin", "db-izin"):
        for path in (p for p in (estate / host).rglob("*") if p.is_file()):
            name = next((end for end in ESTATE if str(path).endswith(f"/{end}")), None)
            if name is None:
                continue
            data = path.read_bytes()
            head = gzip.decompress(data) if path.suffix == ".gz" else data
            found = recognise(head[:65536], str(path), load())
            assert (found and found.id) == ESTATE[name], path
