"""The recorded estate is what `truth.yml` says, is small, and tells nothing of its recorder."""

from __future__ import annotations

import gzip
import io
import re
import struct
import tarfile
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ESTATE = Path(__file__).parent
WIB = timezone(timedelta(hours=7))
TRUTH = yaml.safe_load((ESTATE / "truth.yml").read_text())
ATTACKS = {attack["id"]: attack for attack in TRUTH["attacks"]}
RECORDED = [
    file
    for folder in ("web-izin", "db-izin", "network")
    for file in sorted((ESTATE / folder).rglob("*"))
    if file.is_file()
]
LIMIT = 5_000_000


def wib(form: str) -> Callable[[str], datetime]:
    return lambda text: datetime.strptime(text, form).replace(tzinfo=WIB)


# Where a line of each kind of file carries its time, and how to read it.
CLOCKS: dict[str, tuple[str, Callable[[str], datetime]]] = {
    "nginx/access": (r"\[(\d\d/\w+/\d{4}:[\d:]{8} \+0700)\]", wib("%d/%b/%Y:%H:%M:%S +0700")),
    "apache2/access": (r"\[(\d\d/\w+/\d{4}:[\d:]{8} \+0700)\]", wib("%d/%b/%Y:%H:%M:%S +0700")),
    "web-izin/var/log/auth": (
        r"^(\w{3} [ \d]\d [\d:]{8}) ",
        lambda text: wib("%Y %b %d %H:%M:%S")(f"2026 {text}"),
    ),
    "postgresql": (r"^(\S+ [\d:]{8})\.\d{3} WIB", wib("%Y-%m-%d %H:%M:%S")),
    "laravel": (r"^\[(\S+ [\d:]{8})\] production", wib("%Y-%m-%d %H:%M:%S")),
    "audit": (
        r"msg=audit\((\d+)\.\d{3}:",
        lambda text: datetime.fromtimestamp(int(text), UTC),
    ),
}


def lines_with_time(file: Path) -> Iterator[tuple[datetime, str]]:
    pattern, read = next(clock for part, clock in CLOCKS.items() if part in str(file))
    for line in file.read_text(errors="replace").splitlines():
        if found := re.search(pattern, line):
            yield read(found[1]), line


def packets(file: Path) -> list[tuple[datetime, bytes]]:
    raw = gzip.decompress(file.read_bytes())
    assert raw[:4] == b"\xd4\xc3\xb2\xa1", "a classic capture, little end first"
    found, place = [], 24
    while place < len(raw):
        seconds, _, size, _ = struct.unpack_from("<4I", raw, place)
        found.append((datetime.fromtimestamp(seconds, UTC), raw[place + 16 : place + 16 + size]))
        place += 16 + size
    assert place == len(raw), "the last packet is whole"
    return found


def span(attack: dict[str, Any]) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(attack["from"]), datetime.fromisoformat(attack["to"])


@pytest.mark.parametrize(
    ("attack", "text"),
    [(id_, text) for id_, attack in ATTACKS.items() for text in attack["evidence"]],
)
def test_evidence_stands_in_the_named_files_within_the_time(attack: str, text: str) -> None:
    first, last = span(ATTACKS[attack])
    files = [ESTATE / ATTACKS[attack]["host"] / name for name in ATTACKS[attack]["files"]]
    times = [when for file in files for when, line in lines_with_time(file) if text in line]
    assert any(first <= when <= last for when in times)


@pytest.mark.parametrize("attack", [id_ for id_, attack in ATTACKS.items() if attack["evidence"]])
def test_every_named_file_has_lines_within_the_time(attack: str) -> None:
    first, last = span(ATTACKS[attack])
    for name in ATTACKS[attack]["files"]:
        file = ESTATE / ATTACKS[attack]["host"] / name
        assert any(first <= when <= last for when, _ in lines_with_time(file)), name


def test_outside_attackers_are_not_among_the_ordinary() -> None:
    sources = {address for attack in ATTACKS.values() for address in attack["source.ip"]}
    assert not sources & set(TRUTH["ordinary"]["source.ip"])


def test_every_web_request_comes_from_an_attacker_or_an_ordinary_source() -> None:
    known = {address for attack in ATTACKS.values() for address in attack["source.ip"]}
    known |= set(TRUTH["ordinary"]["source.ip"])
    log = ESTATE / "web-izin/var/log/nginx/access.log"
    assert {line.split()[0] for line in log.read_text().splitlines()} <= known


def test_brute_force_fails_forty_times_and_then_succeeds() -> None:
    first, last = span(ATTACKS["ssh-brute-force"])
    log = ESTATE / "web-izin/var/log/auth.log"
    lines = [line for when, line in lines_with_time(log) if first <= when <= last]
    assert sum("Failed password for operator from 203.0.113.66" in line for line in lines) >= 40
    assert sum("Accepted password for operator from 203.0.113.66" in line for line in lines) == 1


def test_gambling_page_was_served() -> None:
    log = (ESTATE / "web-izin/var/log/nginx/access.log").read_text()
    assert len(re.findall(r'"GET /slot-gacor-maxwin/\S* HTTP/1.1" 200 ', log)) >= 40


def test_leaked_sheet_holds_residents_of_the_right_form() -> None:
    sheet = ESTATE / "web-izin/var/www/izin/public/unduhan/data-penduduk-2026.xlsx"
    with zipfile.ZipFile(sheet) as book:
        text = book.read("xl/worksheets/sheet1.xml").decode()
    # Running numbers from 9000 up are given to nobody.
    assert len(re.findall(r">6112\d{8}9\d{3}<", text)) == 400


def test_port_scan_is_in_the_capture() -> None:
    first, last = span(ATTACKS["port-scan"])
    found = packets(ESTATE / "network/portscan.pcap.gz")
    scanner, server = bytes([203, 0, 113, 200]), bytes([10, 61, 12, 10])
    knocks = [(when, p) for when, p in found if p[26:30] == scanner and p[30:34] == server]
    assert len({packet[36:38] for _, packet in knocks}) >= 1000
    assert all(first <= when <= last for when, _ in knocks)


def test_dns_tunnel_is_in_the_capture() -> None:
    first, last = span(ATTACKS["dns-tunnel"])
    found = packets(ESTATE / "network/dns-tunnel.pcap.gz")
    asked = [(when, p) for when, p in found if b"\x0aupdate-cdn\x07example\x00" in p]
    assert len(asked) >= 100
    assert all(first <= when <= last for when, _ in asked)


def test_estate_is_small() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=6) as archive:
        for file in RECORDED:
            archive.add(file, file.name)
    assert packed.tell() <= LIMIT


def test_nothing_tells_of_the_recording_machine() -> None:
    # Its checkout, its package sources, its own accounts' paths, the recorder's library.
    told = re.compile(
        rb"/work/|/var/tmp/|deb\.debian|pypi|\.pyenv|wallclock|ld\.so\.preload|/root/\."
    )
    for file in RECORDED:
        raw = file.read_bytes()
        if file.suffix == ".gz":
            raw = gzip.decompress(raw)
        elif file.suffix == ".xlsx":
            continue
        assert not told.search(raw), file


@pytest.mark.parametrize("host", ["web-izin", "db-izin"])
def test_syslog_lines_name_their_own_host_only(host: str) -> None:
    for name in ("auth.log", "syslog", "cron.log"):
        for line in (ESTATE / host / "var/log" / name).read_text().splitlines():
            assert re.match(rf"(\w{{3}} [ \d]\d [\d:]{{8}}|2026-11-1\S+) {host} ", line), line
