"""An event: one happening as a flat dictionary of dotted ECS field names.

    {"@timestamp": "2026-11-17T01:05:09.000Z", "event.dataset": "sshd", "source.ip": "203.0.113.9"}

The same form, one JSON object a line (NDJSON), runs between commands, into the archive, the spool
and Elasticsearch.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import orjson

Event: TypeAlias = dict[str, Any]
"""ECS fields under their dotted names; values are JSON scalars or lists of them."""

# DEL and the C1 control characters, and the marks that turn the direction of text (CVE-2021-42574);
# JSON escapes only what is below the space.
_STEERING: Final = re.compile(
    rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa6-\xa9]|\xef\xbb\xbf"
)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that could not become an event: kept with its reason, never a reason to stop."""

    source: str
    """Path of the file, ``journal`` or ``-``."""
    offset: int
    """Where the record begins, in bytes of the decompressed stream; a record number for EVTX."""
    reason: str
    record: bytes
    """The raw record, cut to 8 KiB."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where to go on reading a source; what the store keeps between runs."""

    key: str
    """Names the source whatever its path: ``file:<device>:<inode>``, ``journal``."""
    offset: int = 0
    """Bytes of the decompressed stream that are done with."""
    fingerprint: str = ""
    """BLAKE2b of the first bytes (at most 1,024), and how many: tells a new file on an old inode,
    a rotated or compressed copy of a file already read."""
    cursor: str = ""
    """The journal's own cursor."""
    path: str = ""
    """Last known path, for people."""


def timestamp(moment: datetime) -> str:
    """Return *moment* (aware) as RFC 3339 in UTC with milliseconds, as ``@timestamp`` wants it."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def moment(text: str) -> datetime:
    """Return the moment that an RFC 3339 time stamp names; raises ValueError for other text."""
    return datetime.fromisoformat(text)


def dumps(event: Event) -> bytes:
    """Return *event* as one NDJSON line, without the line end; nothing in it steers a terminal."""
    line = orjson.dumps(event, default=str)
    return line if line.isascii() and b"\x7f" not in line else _STEERING.sub(_escaped, line)


def _escaped(found: re.Match[bytes]) -> bytes:
    return b"\\u%04x" % ord(found[0].decode("utf-8"))


def flatten(document: Event, prefix: str = "") -> Event:
    """Return *document* with nested objects as dotted names; lists stay as they are."""
    flat: Event = {}
    for key, value in document.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            flat.update(flatten(value, f"{name}."))
        else:
            flat[name] = value
    return flat


def event_id(event: Event) -> str:
    """Return the deterministic id of *event*: the same record read twice gives the same id.

    From host, data set, source and place in it where they are known; a file's path is left out, so
    that a rotated or copied log keeps its ids. 128 bits of BLAKE2b, hexadecimal.
    """
    get = event.get
    identity = (
        get("host.name"),
        get("event.dataset"),
        get("@timestamp"),
        get("log.offset"),
        get("winlog.record_id"),
        get("event.sequence"),
        get("event.original") or get("message"),
    )
    if identity[6] is None:
        return hashlib.blake2b(
            orjson.dumps(event, default=str, option=orjson.OPT_SORT_KEYS), digest_size=16
        ).hexdigest()
    return hashlib.blake2b(orjson.dumps(identity, default=str), digest_size=16).hexdigest()
