"""The findings kept: added without doubling, listed, settled, with the history of each."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import orjson

from kr_secops.errors import UsageError
from kr_secops.event import moment, timestamp
from kr_secops.finding import Status, from_document, merge, to_document
from kr_secops.language import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kr_secops.finding import Finding, Level
    from kr_secops.store.database import Database

ITSELF: Final = "kr-secops"
"""Who changed a status when no person did."""

NAMED: Final = 5
"""Ids named in the complaint about a beginning that several share."""


@dataclass(frozen=True, slots=True)
class Change:
    """A finding's step from one status to another."""

    at: str
    """RFC 3339, UTC."""
    by: str
    old: Status
    new: Status
    reason: str | None = None
    expires: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which findings to list; None asks for no restriction."""

    levels: Iterable[Level] | None = None
    statuses: Iterable[Status] | None = None
    host: str | None = None
    rule: str | None = None
    """The rule's id."""
    since: str | None = None
    """Last seen at or after this moment, RFC 3339."""
    limit: int | None = None


def add(database: Database, finding: Finding, now: str) -> bool:
    """Keep *finding*; return whether a person should hear of it.

    Each sighting counts once in a finding. One that was closed opens again, but only for an event
    not counted before: reading the same log twice opens nothing.
    """
    row = database.row("SELECT number, document FROM findings WHERE id = ?", finding.id)
    if row is None:
        fresh = replace(finding, status=Status.new, reason=None, expires=None)
        number = _put(database, fresh)
        added = _count_sightings(database, number, finding)
        _put(database, replace(fresh, count=added or finding.count))
        return True
    number, old = row[0], from_document(orjson.loads(row[1]))
    added = _count_sightings(database, number, finding)
    if not finding.sightings:
        # It comes from elsewhere, as a whole: only a larger one says more.
        added = max(0, finding.count - old.count)
    if not added and finding.level <= old.level:
        return False
    kept = replace(merge(old, finding), count=old.count + added)
    reopened = bool(added) and old.status is Status.closed
    if reopened:
        kept = replace(kept, status=Status.new, reason=None)
        _record(database, number, Change(now, ITSELF, old.status, Status.new, "seen again"))
    _put(database, kept)
    return kept.status is not Status.suppressed and (reopened or finding.level > old.level)


def select(database: Database, wanted: Wanted) -> Iterator[Finding]:
    """Yield the findings *wanted*, the worst first and of these the newest."""
    conditions, values = ["1"], list[object]()
    for column, accepted in (
        ("level", wanted.levels),
        ("status", wanted.statuses),
        ("host", wanted.host and [wanted.host]),
        ("rule_id", wanted.rule and [wanted.rule]),
    ):
        if accepted is not None:
            several = list(accepted)
            conditions.append(f"{column} IN ({', '.join('?' * len(several))})")
            values += several
    if wanted.since is not None:
        conditions.append("last_seen >= ?")
        values.append(timestamp(moment(wanted.since)))
    limit = -1 if wanted.limit is None else wanted.limit
    for (document,) in database.rows(
        f"SELECT document FROM findings WHERE {' AND '.join(conditions)}"  # noqa: S608 - only names and marks from above
        " ORDER BY level DESC, last_seen DESC, id LIMIT ?",
        *values,
        limit,
    ):
        yield from_document(orjson.loads(document))


def get(database: Database, prefix: str) -> Finding:
    """Return the finding whose id begins with *prefix*; UsageError unless there is exactly one."""
    return from_document(_find(database, prefix)[1])


def history(database: Database, prefix: str) -> list[Change]:
    """Return the changes of that finding's status, oldest first."""
    rows = database.rows(
        "SELECT at, by, old_status, new_status, reason, expires FROM history"
        " WHERE finding = ? ORDER BY rowid",
        _find(database, prefix)[0],
    )
    return [
        Change(at, by, Status(old), Status(new), reason, expires)
        for at, by, old, new, reason, expires in rows
    ]


def set_status(database: Database, prefix: str, change: Change) -> Finding:
    """Take that finding to the status ``change.new``, whatever it was, and return it."""
    number, document = _find(database, prefix)
    old = from_document(document)
    kept = replace(old, status=change.new, reason=change.reason, expires=change.expires)
    _put(database, kept)
    _record(database, number, replace(change, old=old.status))
    return kept


def end_suppressions(database: Database, now: str) -> None:
    """Give the findings whose suppression has run out the status they had before."""
    for number, document in list(
        database.rows("SELECT number, document FROM findings WHERE expires <= ?", now)
    ):
        old = from_document(orjson.loads(document))
        before = database.row(
            "SELECT old_status FROM history WHERE finding = ? AND new_status = 'suppressed'"
            " AND old_status IN ('new', 'acknowledged', 'in_progress') ORDER BY rowid DESC LIMIT 1",
            number,
        )
        status = Status(before[0]) if before else Status.new
        _put(database, replace(old, status=status, reason=None, expires=None))
        _record(database, number, Change(now, ITSELF, old.status, status, "suppression ended"))


def _find(database: Database, prefix: str) -> tuple[int, Any]:
    found = list(
        database.rows(
            "SELECT number, document, id FROM findings WHERE id BETWEEN ? AND ?"
            " ORDER BY id LIMIT ?",
            prefix,
            prefix + chr(sys.maxunicode),
            NAMED + 1,
        )
    )
    if not found or not prefix:
        raise UsageError(tr("no finding has an id that begins with {prefix!r}", prefix=prefix))
    # An id that is given whole sorts before the longer ones it begins.
    if len(found) > 1 and found[0][2] != prefix:
        ids = ", ".join([row[2] for row in found[:NAMED]] + ["…"] * (len(found) > NAMED))
        raise UsageError(tr("{prefix!r} begins several ids: {ids}", prefix=prefix, ids=ids))
    return found[0][0], orjson.loads(found[0][1])


def _put(database: Database, finding: Finding) -> int:
    document = to_document(finding)
    number: int = database.row(
        "INSERT INTO findings (id, rule_id, level, status, host, first_seen, last_seen, count,"
        " expires, document, revision)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
        " (SELECT coalesce(max(revision), 0) + 1 FROM findings))"
        " ON CONFLICT (id) DO UPDATE SET rule_id = excluded.rule_id, level = excluded.level,"
        " status = excluded.status, host = excluded.host, first_seen = excluded.first_seen,"
        " last_seen = excluded.last_seen, count = excluded.count, expires = excluded.expires,"
        " document = excluded.document, revision = excluded.revision RETURNING number",
        finding.id,
        finding.rule_id,
        int(finding.level),
        finding.status.value,
        document.get("host.name"),
        timestamp(moment(finding.first_seen)),
        timestamp(moment(finding.last_seen)),
        finding.count,
        finding.expires,
        orjson.dumps(document, default=str),
    )[0]
    return number


def _count_sightings(database: Database, number: int, finding: Finding) -> int:
    """Keep which events *finding* counts; return how many of them were not kept before."""
    # In the order of the index: a million insert twice as fast as at random.
    hashes = sorted(
        hashlib.blake2b(sighting.encode(), digest_size=16).digest()
        for sighting in finding.sightings
    )
    return database.run_all(
        "INSERT OR IGNORE INTO sightings VALUES (?, ?)", ((number, one) for one in hashes)
    )


def _record(database: Database, number: int, change: Change) -> None:
    database.run(
        "INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?)",
        number,
        change.at,
        change.by,
        change.old.value,
        change.new.value,
        change.reason,
        change.expires,
    )
