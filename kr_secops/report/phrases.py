"""Numbers, dates and plain sentences, as a reader of Indonesian or English expects them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kr_secops.event import moment
from kr_secops.finding import Level, Status
from kr_secops.report.words import FRAMEWORKS, MONTHS, table

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from kr_secops.finding import Finding
    from kr_secops.language import Language
    from kr_secops.report.interface import Report

OPEN: Final = (Status.new, Status.acknowledged, Status.in_progress)
"""Where work is still owed."""


@dataclass(frozen=True, slots=True)
class Voice:
    """How a report speaks: its language and its clock."""

    language: Language
    zone: tzinfo

    def say(self, key: str, **values: object) -> str:
        """Return the words of *key*, filled with *values*."""
        return table(self.language)[key].format(**values)

    def number(self, n: int) -> str:
        """Return *n* with its thousands apart: 1.234 in Indonesian, 1,234 in English."""
        return f"{n:,}".replace(",", "." if self.language == "id" else ",")

    def counted(self, n: int, thing: str) -> str:
        """Return *n* and the word of *thing* (``finding``) in the right number."""
        one, _, many = table(self.language)[f"{thing}_n"].partition("|")
        return f"{self.number(n)} {one if n == 1 or not many else many}"

    def agreeing(self, key: str, count: int, /, **values: object) -> str:
        """Return the words of *key* as they go with *count* things: ``for many|for one``."""
        many, _, one = table(self.language)[key].partition("|")
        return (one if count == 1 and one else many).format(**values)

    def local(self, when: str | datetime) -> datetime:
        """Return the moment *when* in the report's zone."""
        return (moment(when) if isinstance(when, str) else when).astimezone(self.zone)

    def month(self, when: datetime) -> str:
        """Return the name of the month of *when*, a moment in the report's zone."""
        return MONTHS[when.month - 1][0 if self.language == "id" else 1]

    def date(self, when: str | datetime) -> str:
        """Return the day: ``17 November 2026``."""
        local = self.local(when)
        return f"{local.day} {self.month(local)} {local.year}"

    def time(self, when: str | datetime) -> str:
        """Return day and time of day with the zone: ``17 November 2026, 08:05:09 WIB``."""
        local = self.local(when)
        return f"{self.date(local)}, {local:%H:%M:%S} {local.tzname()}"

    def short(self, when: str | datetime) -> str:
        """Return day and time for tables: ``2026-11-17 08:05``."""
        return f"{self.local(when):%Y-%m-%d %H:%M}"

    def zone_name(self, when: datetime) -> str:
        """Return the zone and its distance from UTC at *when*: ``WIB (UTC+07:00)``."""
        local = self.local(when)
        offset = local.strftime("%z")
        return f"{local.tzname()} (UTC{offset[:3]}:{offset[3:5]})"

    def level(self, level: Level) -> str:
        """Return the word for *level*."""
        return table(self.language)[f"level_{level.name}"]

    def control(self, control: str) -> str:
        """Return how the requirement *control* (``uu-pdp:35``) is cited."""
        framework, _, number = control.partition(":")
        if framework not in FRAMEWORKS:
            return control
        return FRAMEWORKS[framework][0 if self.language == "id" else 1].format(number)


def voice(report: Report) -> Voice:
    """Return how *report* speaks."""
    return Voice(report.language, report.zone)


def period(report: Report) -> str:
    """Return what the report covers: one day, ``16-19 November 2026``, or from … to …."""
    v = voice(report)
    if report.period is None:
        return v.say("period_unknown")
    start, end = (v.local(when) for when in report.period)
    first, last = v.date(start), v.date(end)
    if first == last:
        return first
    if (start.year, start.month) == (end.year, end.month):
        return f"{start.day}\N{EN DASH}{last}"
    return f"{first} {v.say('to')} {last}"


def verdict(report: Report) -> str:
    """Return the one sentence a head of office must read."""
    v = voice(report)
    if not report.findings:
        return v.say("verdict_none")
    still_open = [f for f in report.findings if f.status in OPEN]
    if not still_open:
        return v.say("verdict_settled")
    worst = max(f.level for f in still_open)
    if worst <= Level.low:
        return v.say("verdict_low")
    n = sum(f.level == worst for f in still_open)
    return v.say(f"verdict_{worst.name}", n=v.counted(n, "finding"))


def summary(report: Report) -> list[str]:
    """Return the sentences below the verdict: what was read, found, is open, and is not known."""
    return [*_read(report), *_found(report), *_unread(report)]


def _read(report: Report) -> list[str]:
    v, collected = voice(report), report.collected
    if collected is None:
        return []
    key = "said_read" if report.rules else "said_read_only"
    return [
        v.say(
            key,
            lines=v.counted(sum(collected.lines.values()), "line"),
            sources=v.counted(len(collected.lines), "source"),
            rules=v.counted(len(report.rules), "rule"),
        )
    ]


def _found(report: Report) -> list[str]:
    v, findings = voice(report), report.findings
    if not findings:
        return []
    by_level = Counter(f.level for f in findings)
    levels = [
        f"{v.number(by_level[level])} {v.level(level).lower()}"
        for level in sorted(by_level, reverse=True)
    ]
    said = [
        v.say(
            "said_found",
            findings=v.counted(len(findings), "finding"),
            rules=v.counted(len({f.rule_id for f in findings}), "rule"),
            events=v.counted(sum(f.count for f in findings), "event"),
            levels=", ".join(levels),
        )
    ]
    if personal := sum(_is_personal(f) for f in findings):
        counted = v.counted(personal, "finding")
        said.append(v.agreeing("said_personal", personal, findings=counted))
    still_open = sum(f.status in OPEN for f in findings)
    if still_open < len(findings):
        settled = v.number(len(findings) - still_open)
        said.append(v.say("said_open", open=v.counted(still_open, "finding"), settled=settled))
    return said


def _unread(report: Report) -> list[str]:
    v, collected = voice(report), report.collected
    if collected is None:
        said = [v.say("said_unknown")]
    else:
        skipped, rejected = len(collected.skipped), sum(collected.rejected.values())
        said = [v.say("said_skipped", sources=v.counted(skipped, "source"))] if skipped else []
        said += [v.say("said_rejected", lines=v.counted(rejected, "line"))] if rejected else []
    if report.malformed:
        n = v.counted(report.malformed, "document")
        said.append(v.agreeing("malformed", report.malformed, n=n))
    return said


def _is_personal(finding: Finding) -> bool:
    return any(tag.startswith("privacy.") for tag in finding.tags) or any(
        "kr.pii.types" in evidence.event for evidence in finding.evidence
    )
