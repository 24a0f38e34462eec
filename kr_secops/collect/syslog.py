"""Syslog files: the header of each line, and the collector that owns the program's lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from kr_secops.collect.builder import Recipe
from kr_secops.collect.clock import Moments
from kr_secops.collect.collector import ANY_PROGRAM
from kr_secops.collect.dispatch import KEPT, KEY, Dispatch, Maker
from kr_secops.collect.records import offsets_and_lines
from kr_secops.event import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from kr_secops.collect.builder import Build
    from kr_secops.collect.collector import Collector
    from kr_secops.collect.interface import Block, Outcome, Source
    from kr_secops.event import Event

_Header: TypeAlias = "tuple[str, str, int, str, str, str | None]"
"""The line, when, its offset, host, program, process id."""

REPEATS_MOST: Final = 1000
"""Events made of one "repeated N times": more would let a line of 40 bytes fill a disk."""

# Groups: time stamp, host, program, process id. The message follows.
_TAG: Final = r"(\S+) ([^\s:\[]+)(?:\[(\d{1,10})\])?: *"
_TOPICS: Final = r"(\S+) ()()(?=[a-z][a-z0-9-]*(?:,[a-z0-9-]+)+ |info fetch: )"
HEADERS: Final = (
    # RFC 3164:  Nov 17 06:25:01 web-izin sshd[812]: …
    ("syslog", re.compile(rf"(?:<\d{{1,3}}>)?([A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d) {_TAG}")),
    # RFC 3339:  2026-11-17T06:25:01.304557+07:00 web-izin sshd[812]: …
    ("iso", re.compile(rf"(?:<\d{{1,3}}>)?(\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\S*) {_TAG}")),
    # Nov 17 2026 06:25:01 web-izin sshd[812]: …
    (
        "syslog_year",
        re.compile(rf"(?:<\d{{1,3}}>)?([A-Z][a-z]{{2}} [ \d]\d \d{{4}} \d\d:\d\d:\d\d) {_TAG}"),
    ),
    # RFC 5424:  <38>1 2026-11-17T06:25:01.304Z web-izin sshd 812 - [origin …] …
    (
        "iso",
        re.compile(
            r"<\d{1,3}>1 (\d{4}-\d\d-\d\dT\S+) (\S+) (\S+) (?:-|(\d{1,10})|\S+) \S+ "
            r'(?:-|(?:\[[^\]"]*(?:"(?:[^"\\]|\\.)*"[^\]"]*)*\])+) ?(?:\ufeff)?'
        ),
    ),
    # RouterOS:  Nov 17 06:25:01 rb-kantor system,info,account user admin logged in …
    # It names topics and no program; they stay in the message.
    (
        "syslog",
        re.compile(rf"(?:<\d{{1,3}}>)?([A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d) {_TOPICS}"),
    ),
    ("iso", re.compile(rf"(?:<\d{{1,3}}>)?(\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\S*) {_TOPICS}")),
)

# No plain "program:" behind the host: "last message repeated", launchd's "com.apple (job[1]): ".
_BARE: Final = r"(\S+) (?:([^:\[]{1,64})(?:\[(\d{1,10})\])?(?: \([^)]*\)(?:\[\d+\])?)?: *)?"
BARE: Final = (
    (
        "syslog",
        re.compile(rf"(?:<\d{{1,3}}>)?([A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d) {_BARE}"),
    ),
    ("iso", re.compile(rf"(?:<\d{{1,3}}>)?(\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\S*) {_BARE}")),
)

# rsyslog repeats the message, sysklogd and macOS do not.
_REPEATED: Final = re.compile(r"message repeated (\d{1,9}) times: \[ ?(.*?)\]?$")
_LAST_REPEATED: Final = re.compile(r"(?:-+ )?last message repeated (\d{1,9}) times?(?: -+)?$")
_LAST: Final = b"last message repeated "


class _Programs(dict[str, "Dispatch | None"]):
    """Program → its patterns; None: the reader is not asked for its lines."""

    def __init__(self, collector: Collector, source: Source) -> None:
        super().__init__()
        general = not collector.description.programs
        self._make = Maker(source, "syslog")
        self._general = collector if general else None
        self._owners = collector.companions if general else (collector,)
        self._any = [o for o in self._owners if ANY_PROGRAM in o.description.programs]
        self._builds: dict[str, Build] = {}

    def __missing__(self, program: str) -> Dispatch | None:
        # /usr/sbin/cron and (systemd) are cron and systemd.
        name = program.rpartition("/")[2].strip("()")
        owners = [o for o in self._owners if name in o.description.programs]
        fallback = owners[0] if owners else self._general
        found: Dispatch | None = None
        if fallback or self._any:
            kinds = [(o, kind) for o in (*owners, *self._any) for kind in o.kinds()]
            found = Dispatch(kinds, self._fallback(fallback), self._make)
        if len(self) >= KEPT:
            self.clear()
        self[program] = found
        return found

    def _fallback(self, owner: Collector | None) -> Build | None:
        if owner is None:
            return None
        if owner.id not in self._builds:
            self._builds[owner.id] = self._make.build(Recipe.of(None, owner.constants, "syslog"))
        return self._builds[owner.id]


class SyslogReader:
    """Reads syslog lines; a collector with programs takes only theirs."""

    verbatim = True
    waiting: int | None = None

    def __init__(self, collector: Collector, source: Source, now: datetime) -> None:
        self.collector = collector
        self._source = source
        self._programs = _Programs(collector, source)
        moments = {form: Moments(form, source, now) for form, _ in (*HEADERS, *BARE)}
        self._headers = [(pattern.match, moments[form]) for form, pattern in HEADERS]
        self._bare = [(pattern.match, moments[form]) for form, pattern in BARE]

    # The hot loop: every call a line would cost more than it clears.
    def events(self, block: Block, lines: Sequence[int] | None = None) -> Iterator[Outcome]:  # noqa: C901
        """Yield the events of *block*; see `kr_secops.collect.interface.Reader`."""
        if lines is not None and _LAST in block.data:
            lines = _with_repetitions(block.data, lines)
        header, moments = self._headers[0]
        programs = self._programs
        event: Event = {}
        for offset, line in offsets_and_lines(block, lines):
            found = header(line)
            clock = moments
            if found is None:
                found, clock = self._other_header(line)
                if found is None:
                    if line and not line.isspace():
                        yield self._reject(offset, line, "no syslog header")
                    continue
                header, moments = self._headers[0]
            stamp, host, program, pid = found.groups("")
            message = line[found.end() :]
            try:
                when = clock[stamp]
            except ValueError as e:
                yield self._reject(offset, line, str(e))
                continue
            dispatch = programs[program]
            if dispatch is None:
                continue
            for match, build in dispatch[message[:KEY]]:
                if found := match(message):
                    event = build(found.groups(), line, message, when, offset, host, program, pid)
                    yield event
                    break
            else:
                if "message repeated " in message:
                    header_of = (line, when, offset, host, program, pid)
                    yield from self._repeated(dispatch, message, header_of, event)
                elif dispatch.build:
                    event = dispatch.build((), line, message, when, offset, host, program, pid)
                    yield event

    def finish(self) -> Iterator[Outcome]:
        """Yield nothing: no line waits for another."""
        yield from ()

    def _other_header(self, line: str) -> tuple[re.Match[str] | None, Moments]:
        """Return the first header that *line* has; one with a program is tried first from now on."""
        for i, (match, moments) in enumerate(self._headers):
            if found := match(line):
                self._headers.insert(0, self._headers.pop(i))
                return found, moments
        for match, moments in self._bare:
            if found := match(line):
                return found, moments
        return None, self._headers[0][1]

    def _repeated(
        self, dispatch: Dispatch, message: str, header: _Header, last: Event
    ) -> Iterator[Event]:
        """Yield one event for each time that the message was repeated, numbered from 1.

        Each counts where a rule counts, and their ids differ by ``event.sequence``.
        """
        line, when, offset, host, program, pid = header
        if found := _REPEATED.match(message):
            inner = found[2]
            event = self._event(dispatch, inner, header)
        elif (found := _LAST_REPEATED.match(message)) and _ends_at(last, offset):
            # It keeps the offset of the line whose words it holds: what is masked there is here.
            event = {**last, "@timestamp": when, "event.original": line}
        elif dispatch.build:
            yield dispatch.build((), line, message, when, offset, host, program, pid)
            return
        else:
            return
        if event is not None:
            for number in range(1, min(int(found[1]), REPEATS_MOST) + 1):
                yield {**event, "event.sequence": number}

    def _event(self, dispatch: Dispatch, message: str, header: _Header) -> Event | None:
        line, *rest = header
        for match, build in dispatch[message[:KEY]]:
            if found := match(message):
                return build(found.groups(), line, message, *rest)
        return dispatch.build((), line, message, *rest) if dispatch.build else None

    def _reject(self, offset: int, line: str, reason: str) -> Rejected:
        return Rejected(self._source.name, offset, reason, line[:8192].encode())


def _ends_at(event: Event, offset: int) -> bool:
    """Return whether the record of *event* ends where the one at *offset* begins."""
    if not event:
        return False
    size = len(event["event.original"].encode())
    return bool(event["log.offset"] + size + 1 == offset)


def _with_repetitions(data: bytes, lines: Sequence[int]) -> list[int]:
    """Return *lines* and, after each, the line that says that it was repeated."""
    more = set(lines)
    for start in lines:
        following = data.find(b"\n", start) + 1
        end = data.find(b"\n", following)
        if following and data.find(_LAST, following, end if end >= 0 else len(data)) >= 0:
            more.add(following)
    return sorted(more)
