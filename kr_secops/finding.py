"""A finding: what a rule says about an entity in a window of time, with its evidence."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from kr_secops.ecs import VERSION as ECS_VERSION
from kr_secops.event import event_id, moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kr_secops.event import Event

EVIDENCE_KEPT = 5
"""Events kept as evidence: the first ones and the last; the count goes on."""


class Level(enum.IntEnum):
    """Severity, in Sigma's words; the exit code of a run is 10 + the highest one found."""

    informational = 0
    low = 1
    medium = 2
    high = 3
    critical = 4


class Status(enum.StrEnum):
    """Where a finding stands in the office's work."""

    new = "new"
    acknowledged = "acknowledged"
    in_progress = "in_progress"
    closed = "closed"
    suppressed = "suppressed"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One event that bears a finding out, masked, with why it matched."""

    event: Event
    """The masked event, whole; ``event.original`` is the record as it stood."""
    explanation: dict[str, Any] = field(default_factory=dict)
    """The tree of the condition as the event made it true; see `kr_secops.detect.explain`."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says about one entity in one window."""

    id: str
    rule_id: str
    rule_name: str
    """The rule's title, English."""
    level: Level
    first_seen: str
    """RFC 3339, UTC."""
    last_seen: str
    count: int
    """Events that bear it out."""
    entity: Mapping[str, str]
    """The fields that tell this finding from others of its rule: host.name, source.ip …"""
    evidence: tuple[Evidence, ...] = ()
    sightings: frozenset[str] = frozenset()
    """Ids of the events counted since the finding was last stored; the store counts each once."""
    text: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """``{"id": {"title": …, "description": …, "recommendation": …}, "en": {…}}``."""
    tags: tuple[str, ...] = ()
    """The rule's Sigma tags: attack.t1110, …"""
    references: tuple[str, ...] = ()
    falsepositives: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    """Ids of the requirements touched: ``uu-pdp:35`` …"""
    status: Status = Status.new
    reason: str | None = None
    """Why it was acknowledged, closed or suppressed."""
    expires: str | None = None
    """When a suppression ends, RFC 3339."""


def finding_id(rule_id: str, entity: Mapping[str, str], window: str) -> str:
    """Return the deterministic id of the finding of *rule_id* on *entity* in *window*."""
    identity = orjson.dumps([rule_id, sorted(entity.items()), window])
    return hashlib.blake2b(identity, digest_size=12).hexdigest()


def keep(old: Iterable[Evidence], new: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Return of *old* and *new* the earliest events and the last, each once, in order of time.

    What completes a sequence comes last, and without it the rest proves nothing. The result is the
    same in whatever portions and how often the evidence comes.
    """
    known = {event_id(one.event): one for one in (*new, *old)}
    order = sorted(known, key=lambda key: (str(known[key].event.get("@timestamp")), key))
    if len(order) > EVIDENCE_KEPT:
        order[EVIDENCE_KEPT - 1 :] = order[-1:]
    return tuple(known[key] for key in order)


def merge(old: Finding, new: Finding) -> Finding:
    """Return one finding for two of the same id; `count` adds up, the first evidence is kept."""
    assert old.id == new.id
    return Finding(
        id=old.id,
        rule_id=new.rule_id,
        rule_name=new.rule_name,
        level=max(old.level, new.level),
        first_seen=min(old.first_seen, new.first_seen, key=moment),
        last_seen=max(old.last_seen, new.last_seen, key=moment),
        count=old.count + new.count,
        entity=new.entity,
        evidence=keep(old.evidence, new.evidence),
        sightings=old.sightings | new.sightings,
        text=new.text,
        tags=new.tags,
        references=new.references,
        falsepositives=new.falsepositives,
        controls=new.controls,
        status=old.status,
        reason=old.reason,
        expires=old.expires,
    )


FIRST = ("log.file.path",)
"""Of these the first stands for all: a finding may rest on several files."""
SHOWN = ("source.ip", "user.name", "log.file.path", "host.name", "url.path", "destination.ip")


def to_document(finding: Finding) -> Event:
    """Return *finding* as an ECS event (``event.kind: alert``), the form of NDJSON and JSON output.

    The entity's fields and, where all kept evidence agrees, the usual context fields stand at the
    top: ``rule.id``, ``rule.name``, ``host.name``, ``kr.finding.id``, ``kr.finding.level`` …
    """
    document: Event = {
        "@timestamp": finding.last_seen,
        "ecs.version": ECS_VERSION,
        "event.kind": "alert",
        "rule.id": finding.rule_id,
        "rule.name": finding.rule_name,
        "kr.finding.id": finding.id,
        "kr.finding.level": finding.level.name,
        "kr.finding.status": finding.status.value,
        "kr.finding.first_seen": finding.first_seen,
        "kr.finding.last_seen": finding.last_seen,
        "kr.finding.count": finding.count,
        **_shared_context(finding),
        **finding.entity,
        "kr.finding.entity": dict(finding.entity),
        "kr.finding.tags": list(finding.tags),
        "kr.finding.references": list(finding.references),
        "kr.finding.falsepositives": list(finding.falsepositives),
        "kr.finding.controls": list(finding.controls),
        "kr.finding.text": {language: dict(words) for language, words in finding.text.items()},
        "kr.finding.evidence": [
            {"event": e.event, "explanation": e.explanation} for e in finding.evidence
        ],
        "kr.finding.reason": finding.reason,
        "kr.finding.expires": finding.expires,
    }
    return {key: value for key, value in document.items() if value not in (None, [], {})}


def _shared_context(finding: Finding) -> Event:
    shared: Event = {}
    for name in SHOWN:
        values = [e.event[name] for e in finding.evidence if name in e.event]
        if values and (name in FIRST or all(value == values[0] for value in values)):
            shared[name] = values[0]
    if "host.name" not in shared and finding.evidence:
        # A capture knows no host but the one that listened.
        observers = {e.event.get("observer.name") for e in finding.evidence} - {None}
        if len(observers) == 1:
            shared["host.name"] = observers.pop()
    return shared


def from_document(document: Event) -> Finding:
    """Return the finding that `to_document` wrote; KeyError or ValueError if it is none."""
    get = document.get
    return Finding(
        id=document["kr.finding.id"],
        rule_id=document["rule.id"],
        rule_name=document["rule.name"],
        level=Level[document["kr.finding.level"]],
        first_seen=document["kr.finding.first_seen"],
        last_seen=document["kr.finding.last_seen"],
        count=int(document["kr.finding.count"]),
        entity=get("kr.finding.entity", {}),
        evidence=tuple(
            Evidence(e["event"], e.get("explanation", {})) for e in get("kr.finding.evidence", ())
        ),
        text=get("kr.finding.text", {}),
        tags=tuple(get("kr.finding.tags", ())),
        references=tuple(get("kr.finding.references", ())),
        falsepositives=tuple(get("kr.finding.falsepositives", ())),
        controls=tuple(get("kr.finding.controls", ())),
        status=Status(get("kr.finding.status", "new")),
        reason=get("kr.finding.reason"),
        expires=get("kr.finding.expires"),
    )
