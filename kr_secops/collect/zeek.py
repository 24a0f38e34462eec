"""Zeek's logs as JSON lines: ECS for what everybody asks, and its own words under ``zeek.<log>``.

{"_path": "dns", "ts": 1606360000.5, "id.orig_h": "10.0.0.5", "query": "a.example", …}

The name of the log comes from ``_path`` where the site writes it, else from that of the file.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from kr_secops import ecs
from kr_secops.collect.documents import JsonReader
from kr_secops.event import moment, timestamp

if TYPE_CHECKING:
    from kr_secops.event import Event

_COMMON: Final = {
    "id.orig_h": "source.ip",
    "id.orig_p": "source.port",
    "id.resp_h": "destination.ip",
    "id.resp_p": "destination.port",
    "proto": "network.transport",
    "service": "network.protocol",
    "community_id": "network.community_id",
}
_OF_LOG: Final[dict[str, dict[str, str]]] = {
    "conn": {"orig_bytes": "source.bytes", "resp_bytes": "destination.bytes"},
    "dns": {
        "query": "dns.question.name",
        "qtype_name": "dns.question.type",
        "rcode_name": "dns.response_code",
        "answers": "dns.answers.data",
    },
    "http": {
        "method": "http.request.method",
        "host": "url.domain",
        "uri": "url.original",
        "referrer": "http.request.referrer",
        "user_agent": "user_agent.original",
        "status_code": "http.response.status_code",
        "request_body_len": "http.request.body.bytes",
        "response_body_len": "http.response.body.bytes",
        "username": "user.name",
        "resp_mime_types": "http.response.mime_type",
    },
    "ssl": {"server_name": "destination.domain"},
    "smb_files": {"name": "file.name"},
    "kerberos": {"client": "user.name"},
    "ntlm": {"username": "user.name"},
}
_PROTOCOLS: Final = frozenset(
    {"dns", "http", "rdp", "smb_files", "smb_mapping", "dce_rpc", "kerberos", "ssh", "ftp", "smtp"}
)
_NO_SERVICE: Final = frozenset({"kerberos"})
"""Logs in which ``service`` is not the protocol."""


def is_zeek(document: dict[str, Any]) -> bool:
    """Return whether *document* looks like a line of a Zeek log."""
    return "ts" in document and (
        "_path" in document or "id.orig_h" in document or "uid" in document
    )


class ZeekReader(JsonReader):
    """Reads one of Zeek's logs, or several written to one."""

    def _event(self, document: dict[str, Any], line: str, offset: int) -> Event:
        log = str(document.get("_path") or PurePath(self._source.name).name.partition(".")[0])
        event: Event = {
            "@timestamp": _time(document.get("ts")),
            "ecs.version": ecs.VERSION,
            "event.kind": "event",
            "event.category": ["network"],
            "event.type": ["info"],
            "event.module": "zeek",
            "event.dataset": f"zeek.{log}",
            "event.original": line,
            "log.file.path": self._source.name,
            "log.offset": offset,
        }
        if log in _PROTOCOLS:
            event["network.protocol"] = log.partition("_")[0] if log != "dce_rpc" else log
        places = _COMMON | _OF_LOG.get(log, {})
        for name, value in document.items():
            if value is None or value == "-":
                continue
            event[f"zeek.{log}.{name}"] = value
            place = places.get(name)
            if place and not (name == "service" and log in _NO_SERVICE):
                event[place] = value
        if self._source.host:
            event.setdefault("observer.name", self._source.host)
        return event


def _time(value: Any) -> str:
    """Return ``ts``: seconds, or ISO 8601 where the site chose that."""
    try:
        if isinstance(value, int | float):
            return timestamp(datetime.fromtimestamp(value, UTC))
        found = moment(str(value))
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"ts {str(value)[:40]!r} is no time") from None
    return timestamp(found if found.tzinfo else found.replace(tzinfo=UTC))
