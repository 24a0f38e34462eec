"""The report: findings, and what the run that made them read; writers by the name of their format.

report = Report.of(findings, generated=now, collected=collected)
writer("html")(report, stream)
"""

from __future__ import annotations

import hashlib
import importlib
import json
import re
from dataclasses import dataclass, field
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol, cast

import orjson

from kr_secops import __version__
from kr_secops.event import moment
from kr_secops.finding import from_document, merge, to_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, tzinfo

    from kr_secops.collect.interface import Skipped
    from kr_secops.finding import Finding
    from kr_secops.language import Language

WIB: Final = timezone(timedelta(hours=7), "WIB")
"""Western Indonesian time; fixed, so that no report depends on the machine's zone tables."""

DEEPEST: Final = 60
"""Levels of nesting a finding's document may have; more is an attack on whoever reads it."""

EARLIEST: Final = 1970
LATEST: Final = 9000
"""Years a finding may have been seen in."""

WRITERS: Final[dict[str, str]] = {
    "table": "kr_secops.report.table:write_table",
    "ndjson": "kr_secops.report.ndjson:write_ndjson",
    "json": "kr_secops.report.json:write_json",
    "csv": "kr_secops.report.csv:write_csv",
    "html": "kr_secops.report.html:write_html",
}
"""Format → function, imported when it is first asked for."""


class Writer(Protocol):
    """Writes a report in one format, as UTF-8 unless it says otherwise."""

    def __call__(self, report: Report, stream: BinaryIO, /) -> None:
        """Write *report* to *stream*."""
        ...


def writer(name: str) -> Writer:
    """Return the writer of the format *name*; KeyError if there is none."""
    module, _, function = WRITERS[name].partition(":")
    return cast("Writer", getattr(importlib.import_module(module), function))


@dataclass(frozen=True, slots=True)
class Collected:
    """What a run read, and what it could not read."""

    events: Mapping[str, int] = field(default_factory=dict)
    """Data set → events made. A quiet line that no rule could match need not become an event."""
    lines: Mapping[str, int] = field(default_factory=dict)
    """Source → records read."""
    rejected: Mapping[str, int] = field(default_factory=dict)
    """Source → records that could not become events."""
    skipped: tuple[Skipped, ...] = ()
    """Sources that could not be read, or only in part."""


@dataclass(frozen=True, slots=True)
class Report:
    """Findings of a period, worst first, with all that a reader needs to trust them."""

    findings: tuple[Finding, ...]
    generated: datetime
    """When the report was made, aware."""
    period: tuple[datetime, datetime] | None = None
    """What the report covers; None if there is nothing to tell it from."""
    hosts: tuple[str, ...] = ()
    rules: Mapping[str, str] = field(default_factory=dict)
    """Rule id → title, of every rule that was looked for; empty: not known."""
    collected: Collected | None = None
    """None: the findings came without an account of what was read."""
    run: str = ""
    version: str = __version__
    language: Language = "id"
    zone: tzinfo = WIB
    agency: str = ""
    prepared_by: str = ""
    malformed: int = 0
    """Documents handed in as findings that were none."""

    @classmethod
    def of(
        cls,
        findings: Iterable[Finding],
        *,
        generated: datetime,
        period: tuple[datetime, datetime] | None = None,
        hosts: Iterable[str] = (),
        **context: Any,
    ) -> Report:
        """Return a report of *findings*: those of one id merged, the worst and newest first.

        Args:
            findings: in any order.
            generated: the moment the report is made.
            period: if not given, from the first to the last sighting.
            hosts: if not given, those the findings name.
            context: the other fields.
        """
        known: dict[str, Finding] = {}
        for finding in findings:
            old = known.get(finding.id)
            known[finding.id] = merge(old, finding) if old else finding
        order = sorted(known.values(), key=lambda f: (-f.level, f.rule_name, f.id))
        order.sort(key=lambda f: (f.level, moment(f.last_seen)), reverse=True)
        return cls(
            findings=tuple(order),
            generated=generated,
            period=period or _span(order),
            hosts=tuple(sorted(set(hosts) or {name for f in order if (name := host(f))})),
            **context,
        )

    @classmethod
    def from_documents(
        cls, documents: Iterable[bytes | dict[str, Any]], *, generated: datetime, **context: Any
    ) -> Report:
        """Return a report of findings as NDJSON lines or parsed; what is no finding is counted."""
        malformed = 0
        findings = []
        for document in documents:
            if isinstance(document, bytes) and not document.strip():
                continue
            try:
                findings.append(_read(document))
            except (KeyError, ValueError, TypeError, AttributeError):
                malformed += 1
        return cls.of(findings, generated=generated, malformed=malformed, **context)

    def canonical(self) -> bytes:
        r"""Return the findings as JSON that is the same byte for byte whoever writes it.

        Sorted keys, no spaces, all but plain ASCII as ``\uXXXX``, so too ``<``, ``>`` and ``&``:
        the very bytes stand in the HTML and the JSON, where `digest` can be computed again.
        """
        documents = [to_document(finding) for finding in self.findings]
        text = json.dumps(documents, sort_keys=True, separators=(",", ":"), default=str)
        return re.sub("[<>&\x7f]", lambda m: f"\\u{ord(m[0]):04x}", text).encode("ascii")

    def digest(self) -> str:
        """Return the SHA-256 of `canonical`, hexadecimal."""
        return hashlib.sha256(self.canonical()).hexdigest()


def title(finding: Finding, language: Language) -> str:
    """Return the finding's title in *language*, else the rule's own."""
    return finding.text.get(language, {}).get("title") or finding.rule_name


def host(finding: Finding) -> str:
    """Return the host the finding is about, or that of its evidence, or nothing."""
    if name := finding.entity.get("host.name"):
        return name
    names = {str(e.event.get("host.name", "")) for e in finding.evidence}
    return names.pop() if len(names) == 1 else ""


def _span(findings: list[Finding]) -> tuple[datetime, datetime] | None:
    if not findings:
        return None
    first = min(moment(finding.first_seen) for finding in findings)
    return first, max(moment(finding.last_seen) for finding in findings)


def _read(document: bytes | dict[str, Any]) -> Finding:
    """Return the finding; KeyError, ValueError, TypeError or AttributeError if it is not sound."""
    value = orjson.loads(document) if isinstance(document, bytes) else document
    _ensure_shallow(value)
    finding = from_document(value)
    for text in (finding.first_seen, finding.last_seen, finding.expires or finding.last_seen):
        seen = moment(text)
        if seen.tzinfo is None or not EARLIEST <= seen.year <= LATEST:
            raise ValueError("a time stamp without its offset, or out of this world")
    if finding.count < 0:
        raise ValueError("a negative count")
    _ensure_text(finding.id, finding.rule_id, finding.rule_name, finding.reason or "")
    _ensure_text(*finding.entity.keys(), *finding.entity.values())
    _ensure_text(*finding.tags, *finding.references, *finding.falsepositives, *finding.controls)
    for words in finding.text.values():
        _ensure_text(*words.keys(), *words.values())
    for evidence in finding.evidence:
        if not isinstance(evidence.event, dict) or not isinstance(evidence.explanation, dict):
            raise TypeError("evidence that is no event")
    return finding


def _ensure_text(*values: object) -> None:
    if not all(isinstance(value, str) for value in values):
        raise TypeError("not a text")


def _ensure_shallow(value: object) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    raise ValueError("nested too deeply")
