"""Finds out by its content which collector understands a file."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any, Final

import orjson

from kr_secops.collect.exports import is_export
from kr_secops.collect.inputs.evtx import MAGIC as EVTX
from kr_secops.collect.inputs.joined import documents, is_xml
from kr_secops.collect.pattern import compile_pattern
from kr_secops.collect.syslog import HEADERS
from kr_secops.collect.zeek import is_zeek

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Mapping

    from kr_secops.collect.collector import Collector

LINES: Final = 200
"""Lines looked at."""
FIRST: Final = 20
"""One of the first lines with content must be understood."""
DEEPEST: Final = 100
"""No record nests so far."""
NUL_SHARE: Final = 8
"""One byte in so many that is NUL makes a file binary."""
SHARE: Final = 0.02
"""Share of the lines that must be: a stack trace has many that only continue a record."""


def is_windows(document: dict[str, Any]) -> bool:
    """Return whether *document* looks like a Windows event record."""
    inner = document.get("Event")
    return (
        (isinstance(inner, dict) and "System" in inner)
        or isinstance(document.get("winlog"), dict)
        or "winlog.channel" in document
        or ("EventID" in document and ("Channel" in document or "Provider_Name" in document))
        or (isinstance(document.get("System"), dict) and "EventID" in document["System"])
    )


def is_binary(head: bytes) -> bool:
    """Return whether *head* is no text; a few NULs are what a power cut leaves in a log."""
    sample = head[:4096]
    return sample.count(0) * NUL_SHARE > len(sample)


def recognise(head: bytes, name: str, collectors: Mapping[str, Collector]) -> Collector | None:
    """Return the collector for a file that begins with *head* (some 64 KiB), or None.

    The content decides; *name* only between formats that look the same (nginx and Apache both
    write the combined format).
    """
    if head.startswith(EVTX):
        return collectors.get("windows")
    if is_binary(head):
        return None
    text = head.decode("utf-8", "replace").lstrip("\ufeff\r\n\t ")
    if is_xml(text):
        return collectors.get("windows")
    lines = text.split("\n")[:LINES]
    if len(lines) > 1:
        lines.pop()  # probably cut
    lines = [line for line in lines if line.strip()]
    found = _recognise_documents(documents(text, FIRST), collectors)
    if found or not lines or lines[0].startswith("{"):
        # A first record longer than what is looked at must not hide the log behind it.
        whole = lines[:FIRST] if len(lines) > 1 else [*lines, *map(_closed, lines)]
        return found or _recognise_documents(whole, collectors)
    return _recognise_lines(lines, name, collectors)


def _recognise_lines(
    lines: list[str], name: str, collectors: Mapping[str, Collector]
) -> Collector | None:
    best: tuple[int, int, int] = (0, 0, 0)
    found: Collector | None = None
    for order, collector in enumerate(collectors.values()):
        count = _understood(collector, lines)
        rank = (count, _fits_name(collector, name), -order)
        if count and rank > best:
            best, found = rank, collector
    return found


def _understood(collector: Collector, lines: list[str]) -> int:
    tests = _tests(collector)
    if not any(test(line) for line in lines[:FIRST] for test in tests):
        return 0
    count = sum(any(test(line) for test in tests) for line in lines)
    return count if count >= len(lines) * SHARE else 0


def _tests(collector: Collector) -> list[Callable[[str], re.Match[str] | None]]:
    description = collector.description
    if description.format == "syslog":
        # Only the general one: it sends each line to the collector that owns it.
        return [] if description.programs else [pattern.match for _, pattern in HEADERS]
    texts = description.recognise or [form.text for form in collector.forms()]
    texts = texts or [description.begins] if description.begins else texts
    return [compile_pattern(text).regex.match for text in texts]


def _fits_name(collector: Collector, name: str) -> int:
    """Return 2 if *name* looks like one of the collector's usual files, 1 if it names its module."""
    ends = ("*" + "/".join(path.split("/")[-2:]) for path in collector.inputs if "/" in path)
    if any(fnmatch(name, end) for end in ends):
        return 2
    return int(collector.id.partition("_")[0] in name)


def _recognise_documents(texts: list[str], collectors: Mapping[str, Collector]) -> Collector | None:
    for text in texts:
        try:
            document = orjson.loads(text)
        except ValueError:
            continue
        if isinstance(document, dict):
            found = next((name for is_it, name in _FORMS if is_it(document)), None)
            if found is not None:
                return collectors.get(found)
    return None


def _closed(text: str) -> str:
    """Return *text*, a JSON document cut within a text of it, with all closed that was open."""
    closing = ""
    quoted = escaped = False
    for character in text:
        if escaped or (quoted and character == "\\"):
            escaped = not escaped
        elif character == '"':
            quoted = not quoted
        elif not quoted and character in "{[":
            closing = ("}" if character == "{" else "]") + closing
            if len(closing) > DEEPEST:
                return text
        elif not quoted and character in "}]":
            closing = closing[1:]
    return f'{text[:-1] if escaped else text}"{closing}' if quoted else text + closing


def _is_ecs(document: dict[str, Any]) -> bool:
    if "event.dataset" in document or "ecs.version" in document:
        return True
    return "@timestamp" in document and (
        any(isinstance(document.get(name), dict) for name in ("ecs", "event", "host", "log"))
        or any("." in key for key in document)
    )


_FORMS: Final[tuple[tuple[Callable[[dict[str, Any]], bool], str], ...]] = (
    (lambda document: document.get("event.dataset") == "windows", "ecs"),  # our own
    (is_windows, "windows"),
    (is_export, "windows"),
    (is_zeek, "zeek"),
    (_is_ecs, "ecs"),
)
