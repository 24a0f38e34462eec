"""Real captures against what Zeek says of them: the lists are part of the shared samples."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from kr_secops.collect.network.pcap import read_pcap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kr_secops.event import Event

Row = dict[str, str]
UNSET = "-"


def _seconds(event: Event, row: Row) -> bool:
    if row["duration"] == UNSET:
        return bool(event["network.packets"] <= 1 or event["event.duration"] == 0)
    return abs(event["event.duration"] / 1e9 - float(row["duration"])) < 2e-6


def _count(row: Row, name: str) -> int:
    return 0 if row[name] == UNSET else int(row[name])


def compare_flow(event: Event, row: Row) -> dict[str, bool]:
    silent = row["duration"] == UNSET  # Zeek then leaves the payload out
    return {
        "duration": _seconds(event, row),
        "orig_bytes": silent
        or event["kr.network.source.payload_bytes"] == _count(row, "orig_bytes"),
        "resp_bytes": silent
        or event["kr.network.destination.payload_bytes"] == _count(row, "resp_bytes"),
        "conn_state": event["kr.network.state"] == row["conn_state"],
        "history": event.get("kr.network.history", UNSET) == row["history"],
        "orig_pkts": event["source.packets"] == _count(row, "orig_pkts"),
        "orig_ip_bytes": event["source.bytes"] == _count(row, "orig_ip_bytes"),
        "resp_pkts": event["destination.packets"] == _count(row, "resp_pkts"),
        "resp_ip_bytes": event["destination.bytes"] == _count(row, "resp_ip_bytes"),
    }


def _flags(event: Event, row: Row) -> bool:
    theirs = {name for name in ("AA", "TC", "RD", "RA") if row[name] == "T"}
    return theirs == set(event.get("dns.header_flags", ())) & {"AA", "TC", "RD", "RA"}


def compare_dns(event: Event, row: Row) -> dict[str, bool]:
    answers = [] if row["answers"] == UNSET else row["answers"].split(",")
    ours = event.get("dns.answers.data", [])
    return {
        "trans_id": event["dns.id"] == row["trans_id"],
        "query": event.get("dns.question.name", UNSET) == row["query"],
        "qtype_name": event.get("dns.question.type", UNSET) == row["qtype_name"],
        "rcode_name": event.get("dns.response_code", UNSET) == row["rcode_name"],
        "flags": _flags(event, row),
        "answers": len(ours) == len(answers)
        and all(
            a == b or b.startswith(("TXT", "RRSIG", "DNSKEY", "<"))
            for a, b in zip(ours, answers, strict=True)
        ),
    }


def compare_http(event: Event, row: Row) -> dict[str, bool]:
    status = event.get("http.response.status_code")
    fields = {
        "method": "http.request.method",
        "host": "url.domain",
        "uri": "url.original",
        "referrer": "http.request.referrer",
        "version": "http.version",
        "user_agent": "user_agent.original",
    }
    found = {name: event.get(field, UNSET) == row[name] for name, field in fields.items()}
    found["host"] = event.get("url.domain", UNSET) == row["host"].rpartition(":")[0] or (
        event.get("url.domain", UNSET) == row["host"]
    )
    # Zeek logs addresses percent-decoded.
    found["uri"] = unquote(event.get("url.original", UNSET)) == unquote(row["uri"])
    found["status_code"] = str(status if status is not None else UNSET) == row["status_code"]
    found["request_body_len"] = event["http.request.body.bytes"] == int(row["request_body_len"])
    found["response_body_len"] = event.get("http.response.body.bytes", 0) == int(
        row["response_body_len"]
    )
    return found


def compare_ssl(event: Event, row: Row) -> dict[str, bool]:
    version = f"{event.get('tls.version_protocol', '')}v{event.get('tls.version', '')}".upper()
    version = {
        "TLSV1.0": "TLSv10",
        "TLSV1.1": "TLSv11",
        "TLSV1.2": "TLSv12",
        "TLSV1.3": "TLSv13",
    }.get(version, version)
    return {
        "version": version == row["version"],
        "cipher": event.get("tls.cipher", UNSET) == row["cipher"],
        "curve": event.get("tls.curve", UNSET) == row["curve"],
        "server_name": event.get("tls.client.server_name", UNSET) == row["server_name"],
        "next_protocol": event.get("tls.next_protocol", UNSET) == row["next_protocol"],
        "established": event.get("tls.established", False) == (row["established"] == "T"),
    }


FLOW_FIELDS = """duration orig_bytes resp_bytes conn_state history orig_pkts orig_ip_bytes
resp_pkts resp_ip_bytes"""
HTTP_FIELDS = """method host uri referrer version user_agent status_code request_body_len
response_body_len"""
COMPARE: dict[str, Any] = {
    "conn": (
        "network.flow",
        compare_flow,
        FLOW_FIELDS,
    ),
    "dns": ("network.dns", compare_dns, "trans_id query qtype_name rcode_name flags answers"),
    "http": (
        "network.http",
        compare_http,
        HTTP_FIELDS,
    ),
    "ssl": (
        "network.tls",
        compare_ssl,
        "version cipher curve server_name next_protocol established",
    ),
}


def _rows(path: Path) -> Iterator[Row]:
    names: list[str] = []
    for line in path.read_text("utf-8", "replace").splitlines():
        if line.startswith("#fields"):
            names = line.split("\t")[1:]
        elif not line.startswith("#") and not names:  # cut to some columns
            names = line.split("\t")
        elif not line.startswith("#"):
            yield dict(zip(names, line.split("\t"), strict=True))


def _theirs(row: Row) -> tuple[str, ...]:
    return (row["id.orig_h"], row["id.orig_p"], row["id.resp_h"], row["id.resp_p"])


def _ours(event: Event) -> tuple[str, ...]:
    source = event.get("source.port", event.get("kr.network.icmp.type", 0))
    destination = event.get("destination.port", event.get("kr.network.icmp.code", 0))
    return (event["source.ip"], str(source), event["destination.ip"], str(destination))


def score(log: str, events: list[Event], rows: list[Row]) -> dict[str, float]:
    """Return the share of rows in which each field agrees; an event too many is a row too."""
    dataset, compare, names = COMPARE[log]
    mine: dict[tuple[str, ...], list[Event]] = defaultdict(list)
    for event in events:
        if event["event.dataset"] == dataset:
            mine[_ours(event)].append(event)
    total = max(len(rows), sum(map(len, mine.values())))
    agreed = dict.fromkeys(["tuple", *names.split()], 0)
    for row in rows:
        if candidates := mine[_theirs(row)]:
            best = max(candidates, key=lambda event: sum(compare(event, row).values()))
            candidates.remove(best)
            for name, right in {"tuple": True, **compare(best, row)}.items():
                agreed[name] += right
    return {name: count / total for name, count in agreed.items()}


def scores(zeek: Path, listing: str, log: str, without: str = "") -> dict[str, dict[str, float]]:
    """Return the scores of every capture in *listing* that Zeek made a whole *log* of."""
    found = {}
    with (zeek / listing).open() as file:
        for pair in csv.DictReader(file, delimiter="\t"):
            wanted = pair["log"] == log and pair["full_header"] == "1"
            if wanted and not (without and re.search(without, pair["pcap"])):
                events = [e for e in read_pcap(zeek / pair["pcap"]) if isinstance(e, dict)]
                found[pair["pcap"]] = score(log, events, list(_rows(zeek / pair["expected"])))
    return found


@pytest.mark.parametrize(
    ("listing", "log", "without", "least"),
    [
        # 21 captures on Ethernet without encapsulation, 0.995 reached.
        ("zeek_plain_dev.tsv", "conn", "", 0.99),
        # 41 captures of every kind, 0.893 reached: what lacks is AYIYA, FDDI, and that Zeek passes
        # over packets with wrong check sums, as a host's own sent packets often have them.
        ("zeek_dev.tsv", "conn", "", 0.88),
        # 0.861; Zeek reads NetBIOS names as DNS, and takes flags from the question.
        ("zeek_dev.tsv", "dns", "", 0.85),
        # 0.835; Zeek also logs HTTP/0.9.
        ("zeek_dev.tsv", "http", "", 0.82),
        # QUIC and DTLS are not opened.
        ("zeek_dev.tsv", "ssl", "/quic/|dtls", 0.75),
    ],
)
def test_agrees_with_zeek(shared: Path, listing: str, log: str, without: str, least: float) -> None:
    found = scores(shared / "data" / "network" / "zeek", listing, log, without)
    each = {capture: sum(fields.values()) / len(fields) for capture, fields in found.items()}
    worst = sorted(each.items(), key=lambda item: item[1])[:5]
    assert sum(each.values()) / len(each) >= least, worst
