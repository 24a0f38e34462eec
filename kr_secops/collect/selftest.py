"""Runs the cases that lie beside a collector: raw lines, and what must come of them.

- name: a password that was wrong
  lines: ['Nov 17 09:14:02 web-izin sshd[812]: Failed password for sari from 203.0.113.66 …']
  expect:
    - event.action: ssh_login
      source.ip: 203.0.113.66
      kr.ssh.invalid_user: null     # must be absent
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from kr_secops import ecs
from kr_secops.collect.reading import Options, Reading, read
from kr_secops.document import Model, validate
from kr_secops.document import read as read_document
from kr_secops.event import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kr_secops.event import Event

NOW: Final = datetime(2026, 12, 1, tzinfo=UTC)
"""When the cases are read, unless they say otherwise."""


class Case(Model):
    """Lines and what must come of them."""

    name: str
    lines: list[str]
    expect: tuple[dict[str, Any], ...] = ()
    """An event each, in order: some of its fields; null: the field must be absent."""
    collector: str | None = None
    """Read by this one; without, it is found out by content."""
    zone: str = "UTC"
    year: int | None = None
    now: datetime = NOW
    rejected: int = 0
    """Lines that must be refused."""


def cases_of(collector: Path) -> Path:
    """Return where the cases of the file *collector* lie."""
    return collector.with_name(f"{collector.stem}.test.yaml")


def check_cases(path: Path) -> list[str]:
    """Return what is wrong with the cases of *path*, each with its place; nothing: all passed.

    Raises:
        ContentError: the file is no such list.
    """
    problems: list[str] = []
    for document in read_document(path):
        for i in range(len(document.value)):
            case = validate(document, Case, (i,))
            problems += (document.complain((i, *route), text) for route, text in _run(case))
    return problems


def _run(case: Case) -> Iterator[tuple[tuple[str | int, ...], str]]:
    events, rejected = _read(case)
    if len(rejected) != case.rejected:
        reasons = ", ".join(sorted({record.reason for record in rejected}))
        yield ("rejected",), f"{len(rejected)} lines were rejected: {reasons or 'none'}"
    if len(events) != len(case.expect):
        yield ("expect",), f"{len(events)} events came"
    for i, (event, wanted) in enumerate(zip(events, case.expect, strict=False)):
        for name, value in wanted.items():
            if event.get(name) != value:
                yield ("expect", i, name), f"is {event.get(name)!r}"
        for problem in ecs.check(event):
            yield ("expect", i), problem


def _read(case: Case) -> tuple[list[Event], list[Rejected]]:
    data = "".join(f"{line}\n" for line in case.lines).encode()
    options = Options(
        now=case.now,
        collector=case.collector,
        zone=ZoneInfo(case.zone),
        year=case.year,
        stdin=io.BytesIO(data),
    )
    events: list[Event] = []
    rejected: list[Rejected] = []
    for item in read(["-"], options):
        for outcome in item.events() if isinstance(item, Reading) else ():
            if isinstance(outcome, dict):
                events.append(outcome)
            elif isinstance(outcome, Rejected):
                rejected.append(outcome)
    return events, rejected
