"""Whole captures: made by hand, recorded in the sample estate, recorded here in a network of our own."""

from __future__ import annotations

import random
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kr_secops import content, ecs
from kr_secops.collect.interface import Skipped
from kr_secops.collect.network.capture import Frame
from kr_secops.collect.network.pcap import read_frames, read_pcap
from kr_secops.event import Rejected, event_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kr_secops.event import Event

ESTATE = Path(__file__).parents[2] / "estate" / "network"
SECRET = b"Rahasia-Negara-77"


def events(path: Path) -> list[Event]:
    found = list(read_pcap(path))
    assert all(isinstance(item, dict) for item in found), found
    return [item for item in found if isinstance(item, dict)]


def of(found: list[Event], dataset: str) -> list[Event]:
    return [e for e in found if e["event.dataset"] == f"network.{dataset}"]


def ports_without_answer(found: list[Event], source: str) -> int:
    return len({e["destination.port"] for e in of(found, "flow")
                if e["source.ip"] == source and e["kr.network.state"] in ("S0", "REJ")})  # fmt: skip


def most_names(found: list[Event]) -> tuple[str, int]:
    names: dict[str, set[str]] = {}
    for event in of(found, "dns"):
        if name := event.get("dns.question.subdomain"):
            names.setdefault(event["dns.question.registered_domain"], set()).add(name)
    domain = max(names, key=lambda d: len(names[d]))
    return domain, len(names[domain])


def test_the_recorded_port_scan() -> None:
    found = events(ESTATE / "portscan.pcap.gz")
    assert ports_without_answer(found, "203.0.113.200") > 900
    ordinary = {e["source.ip"] for e in of(found, "http")}
    assert ordinary
    assert all(ports_without_answer(found, address) == 0 for address in ordinary)


def test_the_recorded_tunnel() -> None:
    domain, names = most_names(events(ESTATE / "dns-tunnel.pcap.gz"))
    assert domain != "contoh-kab.example"
    assert names >= 100


@pytest.mark.parametrize("name", ["portscan.pcap.gz", "dns-tunnel.pcap.gz"])
def test_every_event_is_ecs_and_has_an_id_of_its_own(name: str) -> None:
    found = events(ESTATE / name)
    problems = Counter(problem for event in found for problem in ecs.check(event))
    assert not problems
    assert len({event_id(event) for event in found}) == len(found)
    assert [event_id(e) for e in found] == [event_id(e) for e in events(ESTATE / name)]


def test_one_connection_whole(talk: Any, capture: Callable[..., Path]) -> None:
    request = b"GET / HTTP/1.1\r\nHost: izin.example\r\n\r\n"
    reply = b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno."
    path = capture(talk().open().ask(request).answer(reply).close().packets)
    found = list(read_pcap(path, host="sensor-1"))
    http, flow = found
    assert isinstance(http, dict)
    assert isinstance(flow, dict)
    shared = {
        "event.kind": "event",
        "event.category": ["network"],
        "source.ip": "10.61.12.101",
        "source.port": 40_000,
        "source.mac": "02-00-00-00-00-01",
        "destination.ip": "10.61.12.10",
        "destination.port": 80,
        "network.type": "ipv4",
        "network.transport": "tcp",
        "network.protocol": "http",
        "network.direction": "internal",
        "observer.name": "sensor-1",
        "log.file.path": str(path),
    }
    for event in (http, flow):
        assert {name: event[name] for name in shared} == shared
    assert http["network.community_id"] == flow["network.community_id"]
    assert (http["event.outcome"], http["http.response.status_code"]) == ("failure", 404)
    assert http["related.hosts"] == ["izin.example"]
    assert flow["event.type"] == ["connection", "start", "end"]
    assert (flow["source.packets"], flow["destination.packets"]) == (5, 3)
    assert flow["network.bytes"] == 8 * 40 + len(request) + len(reply)
    assert flow["event.duration"] == 6_000_000
    assert not [problem for event in (http, flow) for problem in ecs.check(event)]


def test_out_of_order_and_repeated_segments_read_the_same(
    talk: Any, capture: Callable[..., Path]
) -> None:
    parts = [b"GET /a HT", b"TP/1.1\r\nHo", b"st: izin.example\r\n", b"\r\n"]
    conversation = talk().open()
    for part in parts:
        conversation.ask(part)
    head, tail = conversation.packets[:3], conversation.packets[3:]
    random.Random(7).shuffle(tail)
    (http,) = of(events(capture([*head, *tail, tail[0]])), "http")
    assert (http["url.original"], http["url.domain"]) == ("/a", "izin.example")


def test_no_password_leaves_the_capture(talk: Any, capture: Callable[..., Path]) -> None:
    packets = [
        *talk(port=21).open().answer(b"220 x\r\n").ask(b"USER yusuf\r\n").ask(b"PASS " + SECRET + b"\r\n")
        .packets,
        *talk(port=110).open().answer(b"+OK\r\n").ask(b"USER ani\r\nPASS " + SECRET + b"\r\n").packets,
        *talk(port=80).open().ask(b"GET /?u=1&pass=" + SECRET + b" HTTP/1.1\r\n\r\n").packets,
        bytes(talk().ask(SECRET * 3).packets[0])[:14] + b"\x45\0\0\x10" + SECRET * 4,
    ]  # fmt: skip
    found = list(read_pcap(capture(packets)))
    assert sorted(e["user.name"] for e in found if isinstance(e, dict) and "user.name" in e) == [
        "ani",
        "yusuf",
    ]
    assert any(isinstance(item, Rejected) for item in found)
    assert SECRET not in repr(found).encode()


def test_what_cannot_be_read_is_said(capture: Callable[..., Path], tmp_path: Path) -> None:
    from scapy.layers.inet import IP
    from scapy.layers.l2 import Ether

    good = bytes(Ether() / IP(dst="10.0.0.1", proto=89))
    found = list(read_pcap(capture([good, good[:20], good])))
    assert [type(item) for item in found] == [Rejected, dict]
    assert isinstance(found[0], Rejected)
    assert (found[0].offset, found[0].reason) == (2, "the frame ends in its headers")
    frames = [Frame(n, 0, 4242, b"x", 1) for n in range(5)]
    (skipped,) = read_frames(frames, "x")
    assert isinstance(skipped, Skipped)
    assert "5 frames of link type 4242" in skipped.reason


SAMPLE = (ESTATE / "portscan.pcap.gz", ESTATE / "dns-tunnel.pcap.gz")


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(seed=st.integers(0, 1 << 30), cut=st.integers(0, 30_000))
def test_damaged_captures_never_raise(seed: int, cut: int, tmp_path: Path) -> None:
    import gzip

    shuffle = random.Random(seed)
    raw = bytearray(gzip.decompress(SAMPLE[seed % 2].read_bytes())[:cut])
    for _ in range(min(len(raw), 60)):
        raw[shuffle.randrange(len(raw))] = shuffle.randrange(256)
    if len(raw) > 24 and seed % 3:
        raw[:24] = b"\xd4\xc3\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\0\0\4\0\1\0\0\0"
    path = tmp_path / "damaged.pcap"
    path.write_bytes(raw)
    for item in read_pcap(path):
        assert not isinstance(item, dict) or item["@timestamp"]


def test_scapy_is_loaded_only_when_a_capture_is_read() -> None:
    code = "import sys, kr_secops.collect.network.pcap; sys.exit('scapy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_fifty_thousand_packets_take_less_than_fifteen_seconds() -> None:
    from kr_secops.collect.network.capture import frames

    kept = [f for path in SAMPLE for f in frames(path) if isinstance(f, Frame)]
    many = (
        Frame(n, 1_795_000_000_000_000_000 + n * 1_000_000, 1, f.data, f.length)
        for n, f in zip(range(10_000), kept * 5, strict=False)
    )
    begun = time.process_time()
    assert sum(1 for _ in read_frames(many, "x")) > 100
    assert time.process_time() - begun < 3


@pytest.fixture
def own_network() -> Iterator[Callable[..., list[str]]]:
    """Two hosts joined by a cable, in name spaces that are ours and go when we go."""
    for program in ("ip", "tcpdump"):
        if shutil.which(program) is None:
            pytest.skip(f"needs the program {program}")
    name = f"krnet{socket.gethostname()[-3:]}{random.randrange(1000)}"
    setup = [
        f"netns add {name}a", f"netns add {name}b",
        f"-n {name}a link add v0 type veth peer name v0 netns {name}b",
        f"-n {name}a addr add 10.61.99.1/24 dev v0", f"-n {name}b addr add 10.61.99.2/24 dev v0",
        f"-n {name}a link set v0 up", f"-n {name}b link set v0 up",
    ]  # fmt: skip
    try:
        for line in setup:
            made = subprocess.run(["ip", *line.split()], capture_output=True, check=False)
            if made.returncode:
                pytest.skip(f"cannot make a network name space: {made.stderr.decode().strip()}")
        yield lambda side, *command: ["ip", "netns", "exec", name + side, *command]
    finally:
        for side in "ab":
            subprocess.run(["ip", "netns", "del", name + side], capture_output=True, check=False)


SERVER = """
import socket, threading
def serve(port, lines):
    listener = socket.create_server(("10.61.99.2", port))
    print(port, flush=True)
    connection, _ = listener.accept()
    connection.sendall(lines[0])
    for line in lines[1:]:
        connection.recv(4096)
        connection.sendall(line)
    connection.close()
serve(21, [b"220 ready\\r\\n", b"331 password\\r\\n", b"530 no\\r\\n"])
"""
CLIENT = """
import socket
with socket.create_connection(("10.61.99.2", 21)) as s:
    for line in (b"USER yusuf\\r\\n", b"PASS Rahasia-Negara-77\\r\\n"):
        s.recv(100); s.sendall(line)
    s.recv(100)
for port in range(5000, 5030):
    with socket.socket() as s:
        s.settimeout(0.2)
        s.connect_ex(("10.61.99.2", port))
"""


# With whole frames the ring buffer of the immediate mode holds eight, and drops.
TCPDUMP = ["tcpdump", "-U", "--immediate-mode", "-s", "512", "-n", "-i", "v0", "-Z", "root", "-w"]


@pytest.mark.slow
def test_a_capture_of_a_network_of_our_own(own_network: Any, tmp_path: Path) -> None:
    path = tmp_path / "own.pcap"
    record = subprocess.Popen(
        own_network("b", *TCPDUMP, str(path)),
        stderr=subprocess.PIPE,
    )
    server = subprocess.Popen(
        own_network("b", sys.executable, "-c", SERVER), stdout=subprocess.PIPE
    )
    try:
        assert record.stderr
        assert server.stdout
        assert b"listening" in record.stderr.readline()
        assert server.stdout.readline()
        subprocess.run(own_network("a", sys.executable, "-c", CLIENT), check=True, timeout=30)
        time.sleep(0.5)
    finally:
        for process in (record, server):
            process.terminate()
            process.wait()
            for pipe in (process.stderr, process.stdout):
                if pipe:
                    pipe.close()
    found = [e for e in read_pcap(path) if isinstance(e, dict)]
    assert ports_without_answer(found, "10.61.99.1") == 30
    (login,) = of(found, "credentials")
    assert (login["user.name"], login["event.outcome"]) == ("yusuf", "failure")
    assert {e["kr.arp.operation"] for e in of(found, "arp")} >= {"request", "reply"}
    assert SECRET not in repr(found).encode()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "titles", "source"),
    [
        ("portscan.pcap.gz", {"Port scan of one host"}, "203.0.113.200"),
        # The tunnel asks for text records.
        (
            "dns-tunnel.pcap.gz",
            {"DNS tunnel", "Commands fetched through text records"},
            "10.61.12.10",
        ),
    ],
)
def test_the_shipped_rules_find_what_was_recorded_and_nothing_else(
    name: str, titles: set[str], source: str, compiled: Path
) -> None:
    ruleset = pytest.importorskip("kr_secops.rule.ruleset")
    engine = pytest.importorskip("kr_secops.detect.engine").Engine(
        ruleset.load([content.shipped("rules")], cache_dir=compiled)
    )
    for event in events(ESTATE / name):
        engine.feed(event)
    found = [(f.rule_name, f.entity["source.ip"]) for f in engine.findings()]
    assert sorted(found) == sorted((title, source) for title in titles)
