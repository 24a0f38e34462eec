"""A store with a clock that the test turns, and findings and events to put into it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from kr_secops.event import event_id
from kr_secops.finding import Evidence, Finding, Level
from kr_secops.store.sqlite import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kr_secops.event import Event


@dataclass
class Clock:
    """The time that the store is told."""

    now: datetime = datetime(2026, 11, 17, 3, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_days(self, days: float) -> None:
        self.now += timedelta(days=days)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with Store.open(tmp_path / "state", clock) as opened:
        yield opened


@pytest.fixture
def make_event() -> Callable[..., Event]:
    """Make the event number *n* of a log: a second apart, all different."""

    def make(n: int, dataset: str = "sshd", day: int = 17) -> Event:
        moment = datetime(2026, 11, day, tzinfo=UTC) + timedelta(seconds=n)
        return {
            "@timestamp": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "ecs.version": "9.4.0",
            "event.dataset": dataset,
            "host.name": "web-izin",
            "source.ip": "203.0.113.9",
            "log.offset": n * 100,
            "event.original": f"line {n} of a log",
        }

    return make


@pytest.fixture
def make_finding(make_event: Callable[..., Event]) -> Callable[..., Finding]:
    """Make a finding that the events with the numbers *seen* bear out."""

    def make(
        seen: range | list[int],
        id: str = "a1b2c3",
        level: Level = Level.medium,
        rule_id: str = "rule-1",
        host: str = "web-izin",
    ) -> Finding:
        events = [make_event(n) | {"host.name": host} for n in seen]
        return Finding(
            id=id,
            rule_id=rule_id,
            rule_name="Guessed passwords",
            level=level,
            first_seen=events[0]["@timestamp"],
            last_seen=events[-1]["@timestamp"],
            count=len(events),
            entity={"host.name": host},
            evidence=tuple(Evidence(event) for event in events[:5]),
            sightings=frozenset(map(event_id, events)),
        )

    return make
