"""The report as one HTML page that needs nothing else: no network, no font, no script to be read.

Every value passes `printable` and Jinja's escaping on its way into the page, so a template cannot
forget either; the content security policy lets only this page's own style and script act.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

from kr_secops.report.attack import TACTICS, known, techniques, uses
from kr_secops.report.chart import HEIGHT, timeline
from kr_secops.report.exhibit import exhibit
from kr_secops.report.inert import printable
from kr_secops.report.interface import host, title
from kr_secops.report.phrases import OPEN, period, summary, verdict, voice
from kr_secops.report.words import table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kr_secops.finding import Finding
    from kr_secops.report.interface import Report
    from kr_secops.report.phrases import Voice

LISTED: Final = 2000
"""Findings the overview holds; all are in the embedded data."""
DETAILED: Final = 250
"""Findings told in full."""
SOURCES: Final = 500
"""Sources listed by name."""
_TITLE: Final = 240


@dataclass(frozen=True, slots=True)
class Entry:
    """A finding as the page tells it."""

    number: int
    finding: Finding
    title: str
    other_title: str
    """The title in the other language, if it differs."""
    host: str
    text: Mapping[str, str]
    techniques: tuple[tuple[str, str], ...]
    """Id and name."""
    detailed: bool

    @property
    def anchor(self) -> str:
        """The name of its section; a number, since ids come from outside."""
        return f"f{self.number}"


def write_html(report: Report, stream: BinaryIO, /) -> None:
    """Write the page."""
    style, script = _asset("report.css"), _asset("report.js")
    page = _environment().get_template("report.html.j2")
    entries = [_entry(report, i, finding) for i, finding in enumerate(report.findings)]
    v = voice(report)
    chunks = page.generate(
        report=report,
        v=v,
        t=table(report.language),
        style=style,
        script=script,
        policy=_policy(style, script),
        data=report.canonical().decode(),
        digest=report.digest(),
        period=period(report),
        verdict=verdict(report),
        grave=_grave(report),
        sentences=summary(report),
        figures=list(_figures(report, v)),
        chart=timeline(report),
        chart_height=HEIGHT,
        levels=_levels(report),
        entries=entries[:LISTED],
        uses=uses(report.findings),
        tactics={tag: names[report.language == "id"] for tag, names in TACTICS.items()},
        sources=_sources(report),
        first=[entry for entry in entries[:DETAILED] if entry.finding.status in OPEN][:3],
    )
    stream.writelines(chunk.encode() for chunk in chunks)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("kr_secops.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_inert,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"link": _link, "exhibit": exhibit}
    return environment


def _inert(value: Any) -> Any:
    """Return what a template prints, made printable; markup of our own macros stays."""
    return value if hasattr(value, "__html__") else printable(str(value))


def _asset(name: str) -> str:
    loader = _environment().loader
    assert loader is not None
    return loader.get_source(_environment(), name)[0]


def _policy(style: str, script: str) -> str:
    """Return the content security policy: nothing, but this very style and this very script."""

    def seal(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    return (
        f"default-src 'none'; style-src 'sha256-{seal(style)}'; script-src 'sha256-{seal(script)}';"
        " base-uri 'none'; form-action 'none'"
    )


def _link(text: str) -> bool:
    """Return whether *text* is an address a reader may safely follow."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and printable(text) == text


def _entry(report: Report, index: int, finding: Finding) -> Entry:
    own = title(finding, report.language)[:_TITLE]
    other = title(finding, "en" if report.language == "id" else "id")[:_TITLE]
    names = known()
    return Entry(
        number=index + 1,
        finding=finding,
        title=own,
        other_title=other if other != own else "",
        host=host(finding),
        text=finding.text.get(report.language) or finding.text.get("en", {}),
        techniques=tuple((t, names.get(t, ((), ""))[1]) for t in techniques(finding)),
        detailed=index < DETAILED,
    )


def _grave(report: Report) -> str:
    """Return the name of the worst severity still open, or ``none``."""
    still_open = [f.level for f in report.findings if f.status in OPEN]
    return max(still_open).name if still_open else "none"


def _levels(report: Report) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for finding in report.findings:
        counts[finding.level.name] = counts.get(finding.level.name, 0) + 1
    return list(counts.items())


def _figures(report: Report, v: Voice) -> Iterable[tuple[str, str]]:
    """Yield number and key of its word, for the row of key figures."""
    findings = report.findings
    yield v.number(len(findings)), "figure_findings"
    yield v.number(sum(f.level >= f.level.high for f in findings)), "figure_grave"
    yield v.number(sum(f.status in OPEN for f in findings)), "figure_open"
    yield v.number(len({host(f) for f in findings} - {""})), "figure_hosts"
    if report.collected:
        yield v.number(sum(report.collected.lines.values())), "figure_lines"
    else:
        yield v.number(sum(f.count for f in findings)), "figure_events"


def _sources(report: Report) -> list[tuple[str, int, int]]:
    """Return source, records read and records not parsed; those with trouble first."""
    if report.collected is None:
        return []
    lines, rejected = report.collected.lines, report.collected.rejected
    rows = [(name, lines.get(name, 0), rejected.get(name, 0)) for name in {**lines, **rejected}]
    rows.sort(key=lambda row: (-row[2], row[0]))
    return list(islice(rows, SOURCES))
