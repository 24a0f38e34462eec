"""Time stamps as logs write them, turned into RFC 3339 in UTC.

Nov 17 06:25:01                  →  2026-11-16T23:25:01.000Z
17/Nov/2026:07:01:00 +0700       →  2026-11-17T00:01:00.000Z
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import tzinfo

    from kr_secops.collect.interface import Source

KEPT: Final = 4096
"""Converted time stamps remembered; consecutive lines mostly share theirs."""

SLACK: Final = timedelta(days=1)
"""A record may seem this much younger than its file: clocks and zones of two machines differ."""

DISORDER: Final = timedelta(days=31)
"""A line may be this much older than the one before, where the year is counted on."""

_NAMES: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
_MONTHS: Final = {name: number for number, name in enumerate(_NAMES, 1)}
_ABBREVIATIONS: Final = {
    "Z": 0, "UTC": 0, "GMT": 0, "WIB": 7, "WITA": 8, "WIT": 9, "CET": 1, "CEST": 2, "EET": 2,
    "EEST": 3, "WET": 0, "WEST": 1, "BST": 1, "MSK": 3, "SGT": 8, "MYT": 8, "JST": 9, "KST": 9,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Form:
    """One way to write a time stamp."""

    seconds: int
    """Where the two digits of the seconds stand."""
    minute: re.Pattern[str]
    """Matches what stands before the seconds."""
    rest: re.Pattern[str]
    """Matches what stands behind seconds and fraction."""


_ZONE: Final = r"(?:(?P<sign>[+-])(?P<zh>\d\d):?(?P<zm>\d\d)?|(?P<name>[A-Z]{1,5}))?"
FORMS: Final = {
    # RFC 3164: Nov 17 06:25:01
    "syslog": _Form(
        13, re.compile(r"(?P<month>[A-Z][a-z]{2}) (?P<day>[ \d]\d) (?P<h>\d\d):(?P<m>\d\d):"), re.compile("")
    ),
    # Nov 17 2026 06:25:01
    "syslog_year": _Form(
        18,
        re.compile(
            r"(?P<month>[A-Z][a-z]{2}) (?P<day>[ \d]\d) (?P<year>\d{4}) (?P<h>\d\d):(?P<m>\d\d):"
        ),
        re.compile(""),
    ),
    # RFC 3339 and its relatives: 2026-11-17T06:25:01.304557+07:00, 2026/11/17 07:13:33 WIB;
    # MariaDB pads the hour with a space: 2026-11-17  6:25:01
    "iso": _Form(
        17,
        re.compile(
            r"(?P<year>\d{4})[-/](?P<month>\d\d)[-/](?P<day>\d\d)[T ](?P<h>[ \d]\d):(?P<m>\d\d):"
        ),
        re.compile(" ?" + _ZONE),
    ),
    # MariaDB's audit log: 20261117 06:25:01
    "compact": _Form(
        15,
        re.compile(r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d) (?P<h>\d\d):(?P<m>\d\d):"),
        re.compile(""),
    ),
    # Common log format: 17/Nov/2026:07:01:00 +0700
    "clf": _Form(
        18,
        re.compile(
            r"(?P<day>\d\d)/(?P<month>[A-Z][a-z]{2})/(?P<year>\d{4}):(?P<h>\d\d):(?P<m>\d\d):"
        ),
        re.compile(" ?" + _ZONE),
    ),
    # Apache's error log: Tue Nov 17 09:15:00.015009 2026
    "asctime": _Form(
        17,
        re.compile(
            r"[A-Z][a-z]{2} (?P<month>[A-Z][a-z]{2}) (?P<day>[ \d]\d) (?P<h>\d\d):(?P<m>\d\d):"
        ),
        re.compile(r" (?P<year>\d{4})"),
    ),
}  # fmt: skip


class Moments(dict[str, str]):
    """Time stamp as written → RFC 3339; ``moments[text]`` converts what is not there yet.

    Raises:
        ValueError: the text is no such time stamp.
    """

    def __init__(self, form: str, source: Source, now: datetime) -> None:
        super().__init__()
        self._form = FORMS[form]
        self._zone = source.zone
        self._limit = now + SLACK
        if source.modified is not None:
            modified = datetime.fromtimestamp(source.modified, UTC)
            self._limit = min(self._limit, modified + SLACK)
        self._minutes: dict[str, str] = {}
        self._last = source.year and datetime(source.year, 1, 1) + DISORDER  # noqa: DTZ001

    def __missing__(self, text: str) -> str:
        start = self._form.seconds
        seconds, tail = text[start : start + 2], text[start + 2 :]
        rest = tail.lstrip(".,0123456789")
        minute = text[:start]
        key = minute + rest
        prefix = self._minutes.get(key)
        if prefix is None:
            prefix = self._convert(minute, rest)
            if len(self._minutes) >= KEPT:
                self._minutes.clear()
            self._minutes[key] = prefix
        if not (
            seconds.isdecimal() and seconds.isascii() and len(seconds) == 2 and seconds <= "60"  # noqa: PLR2004
        ):
            raise ValueError(f"time stamp {text[:40]!r}")
        if seconds == "60":  # a leap second; RFC 3339 has it, Python has not
            seconds = "59"
        fraction = tail[1:4] if len(rest) < len(tail) else ""
        fraction = fraction[: len(tail) - len(rest) - 1]
        if len(self) >= KEPT:
            self.clear()
        moment = f"{prefix}{seconds}.{fraction:0<3}Z"
        self[text] = moment
        return moment

    def _convert(self, minute: str, rest: str) -> str:
        found, tail = self._form.minute.fullmatch(minute), self._form.rest.fullmatch(rest)
        if found is None or tail is None:
            raise ValueError(f"time stamp {minute[:40]!r}")
        part = found.groupdict() | tail.groupdict()
        month = part["month"]
        number = int(month) if month.isdigit() else _MONTHS.get(month, 0)
        day, hour, minutes = int(part["day"]), int(part["h"]), int(part["m"])
        if part.get("year"):
            local = datetime(int(part["year"]), number, day, hour, minutes)  # noqa: DTZ001
            moment = self._utc(local, part)
        elif self._last:
            moment = self._utc(self._follow(number, day, hour, minutes), part)
        else:
            moment = self._newest(number, day, hour, minutes)
        return moment.isoformat()[:17]

    def _utc(self, local: datetime, part: dict[str, str | None]) -> datetime:
        zone: tzinfo | None = self._zone
        if part.get("sign"):
            offset = timedelta(hours=int(part["zh"] or 0), minutes=int(part["zm"] or 0))
            zone = timezone(offset if part["sign"] == "+" else -offset)
        elif (name := part.get("name")) and name in _ABBREVIATIONS:
            zone = timezone(timedelta(hours=_ABBREVIATIONS[name]))
        # Without a zone, astimezone() takes the machine's own, with its summer times.
        try:
            aware = local.replace(tzinfo=zone) if zone else local.astimezone()
            return aware.astimezone(UTC)
        except OverflowError as e:  # the first or last days of the calendar
            raise ValueError(str(e)) from None

    def _newest(self, month: int, day: int, hour: int, minute: int) -> datetime:
        """Return the newest moment of this date that is not after the file or the present.

        It needs no memory of the lines before, so a scan may leave lines out.
        """
        for year in range(self._limit.year + 1, self._limit.year - 9, -1):
            try:
                moment = self._utc(datetime(year, month, day, hour, minute), {})  # noqa: DTZ001
            except ValueError:  # 29 February
                continue
            if moment <= self._limit:
                return moment
        raise ValueError(f"no year has {month}-{day}")

    def _follow(self, month: int, day: int, hour: int, minute: int) -> datetime:
        """Return the first moment of this date since the line before (`Source.year`).

        Lines may be out of order by a little; more than that is another year.
        """
        last = self._last
        assert isinstance(last, datetime), "asked only where a year was given"
        for year in (last.year - 1, last.year, last.year + 1):
            try:
                local = datetime(year, month, day, hour, minute)  # noqa: DTZ001
            except ValueError:  # 29 February
                continue
            if local >= last - DISORDER:
                break
        else:
            raise ValueError(f"no year near {last.year} has {month}-{day}")
        if local.year != last.year:
            self.clear()
            self._minutes.clear()
        self._last = max(last, local)
        return local
