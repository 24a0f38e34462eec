"""The store: findings, positions, windows and the archive's manifest in one SQLite file.

`Store.checkpoint` is one transaction: a process killed anywhere has either done all of it or
nothing, and what was not done is read again. An event counts once in a finding however often it
is read, because the store keeps which ones it has counted.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, Self

import orjson

from kr_secops.errors import KrSecopsError, UsageError
from kr_secops.event import Position, Rejected, moment, timestamp
from kr_secops.finding import Status, from_document
from kr_secops.language import tr
from kr_secops.store import findings as kept
from kr_secops.store import manifest
from kr_secops.store.database import Database
from kr_secops.store.lock import locked
from kr_secops.store.manifest import Entry, Segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from kr_secops.finding import Finding, Level

REJECTED_KEPT: Final = 10_000
"""Rejected records kept whole, the newest; all are counted."""


def _utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command that changes what is kept."""

    number: int
    command: str
    started: str
    ended: str | None
    outcome: str | None
    """What `Store.run_finished` was told, ``killed``, or None while it runs."""
    counts: Mapping[str, Any]


class Store:
    """The state folder of one host; close it, or use it in ``with``."""

    def __init__(self, directory: Path, clock: Callable[[], datetime] = _utc) -> None:
        """Open the store in *directory*, made for its owner alone when it does not exist.

        Raises:
            KrSecopsError: the folder cannot be used, or the database is damaged or too new.
        """
        self.directory = directory
        self._clock = clock
        path = directory / "state.db"
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
        except OSError as e:
            raise KrSecopsError(
                tr("{path}: {problem} (setting state_dir)", path=e.filename, problem=e.strerror)
            ) from None
        self._database = Database(path)
        if self._database.row("SELECT 1 FROM findings WHERE expires <= ? LIMIT 1", self.now()):
            with self._database.transaction():
                kept.end_suppressions(self._database, self.now())

    @classmethod
    def open(cls, state_dir: Path, clock: Callable[[], datetime] = _utc) -> Self:
        """Return the store in *state_dir*."""
        return cls(state_dir, clock)

    def close(self) -> None:
        """Let go of the file."""
        self._database.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def lock(self, work: Literal["run", "ship"] = "run") -> AbstractContextManager[None]:
        """Hold the store for one *work*; KrSecopsError says who holds it and since when.

        What reads logs and writes the archive needs ``run``, what ships needs ``ship``, so that a
        cluster that is slow or away never keeps a scan waiting. `set_status` needs neither.
        """
        return locked(self.directory / f"{work}.lock", self.now())

    def now(self) -> str:
        """Return the time, RFC 3339 in UTC."""
        return timestamp(self._clock())

    def checkpoint(
        self,
        *,
        findings: Iterable[Finding] = (),
        positions: Iterable[Position] = (),
        windows: bytes | None = None,
        segments: Iterable[Segment] = (),
        rejected: Iterable[Rejected] = (),
        rejections: Mapping[str, int] | None = None,
    ) -> list[str]:
        """Keep all of it in one transaction; return the ids that a person should hear of.

        Those are findings that are new, that rose to a higher level, or that were closed and are
        seen again; never a suppressed one.

        Args:
            findings: each with its sightings; those known from before are not counted again.
            positions: where reading goes on, for the sources read since the last checkpoint.
            windows: state of the correlations; None leaves what is kept.
            segments: what `Archive.seal` gave.
            rejected: records that could not become events, masked.
            rejections: source → how many of its records, since the last checkpoint.
        """
        now = self.now()
        database = self._database
        with database.transaction():
            kept.end_suppressions(database, now)
            loud = [finding.id for finding in findings if kept.add(database, finding, now)]
            database.run_all(
                "INSERT OR REPLACE INTO positions VALUES (?, ?, ?, ?, ?, ?)",
                ((p.key, p.offset, p.fingerprint, p.cursor, p.path, now) for p in positions),
            )
            if windows is not None:
                database.run("INSERT OR REPLACE INTO windows VALUES (1, ?, ?)", windows, now)
            entries = list(manifest.link(segments, self.last_entry()))
            self._insert(entries)
            self._reject(rejected, rejections or {}, now)
        if entries:
            manifest.extend(entries, self.manifest_file)
        return loud

    def _reject(self, records: Iterable[Rejected], counts: Mapping[str, int], now: str) -> None:
        self._database.run_all(
            "INSERT INTO rejections VALUES (?, ?, ?) ON CONFLICT (source)"
            " DO UPDATE SET count = count + excluded.count, at = excluded.at",
            ((source, count, now) for source, count in counts.items()),
        )
        added = self._database.run_all(
            "INSERT INTO rejected (source, offset, reason, record, at) VALUES (?, ?, ?, ?, ?)",
            ((r.source, r.offset, r.reason, r.record, now) for r in records),
        )
        if added:
            self._database.run(
                "DELETE FROM rejected WHERE number <= (SELECT max(number) FROM rejected) - ?",
                REJECTED_KEPT,
            )

    def rejections(self) -> dict[str, int]:
        """Return how many records of each source were rejected, ever."""
        return dict(self._database.rows("SELECT source, count FROM rejections ORDER BY source"))

    def rejected(self) -> Iterator[Rejected]:
        """Yield the rejected records that are kept, the newest first."""
        for row in self._database.rows(
            "SELECT source, offset, reason, record FROM rejected ORDER BY number DESC"
        ):
            yield Rejected(*row)

    def findings(
        self,
        levels: Iterable[Level] | None = None,
        statuses: Iterable[Status] | None = None,
        host: str | None = None,
        rule: str | None = None,
        since: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Finding]:
        """Yield the findings asked for, the worst first and of these the newest.

        Args:
            levels: only of these; None: any.
            statuses: only of these; None: any.
            host: only of this ``host.name``.
            rule: only of the rule with this id.
            since: only last seen at or after this moment, RFC 3339.
            limit: at most so many.
        """
        wanted = kept.Wanted(levels, statuses, host, rule, since, limit)
        return kept.select(self._database, wanted)

    def get(self, prefix: str) -> Finding:
        """Return the finding whose id begins with *prefix*; UsageError unless exactly one does."""
        return kept.get(self._database, prefix)

    def history(self, prefix: str) -> list[kept.Change]:
        """Return the changes of that finding's status, oldest first."""
        return kept.history(self._database, prefix)

    def set_status(
        self,
        prefix: str,
        status: Status,
        *,
        by: str,
        reason: str | None = None,
        expires: str | None = None,
    ) -> Finding:
        """Set that finding's status and return it; the change is kept with who made it.

        Raises:
            UsageError: no single finding is meant, or a suppression lacks its reason or an end
                that is still to come.
        """
        end = None
        if status is Status.suppressed:
            if not (reason or "").strip() or expires is None:
                raise UsageError(tr("a suppression needs a reason and a day on which it ends"))
            end = timestamp(moment(expires))
            if end <= self.now():
                raise UsageError(tr("{moment} is past", moment=expires))
        with self._database.transaction():
            change = kept.Change(self.now(), by, Status.new, status, reason, end)
            return kept.set_status(self._database, prefix, change)

    def positions(self) -> list[Position]:
        """Return where reading goes on, for every source."""
        return [Position(*row) for row in self._database.rows(f"{_POSITION} ORDER BY path, key")]

    def position(self, key: str) -> Position | None:
        """Return where reading the source *key* goes on, if it was read before."""
        row = self._database.row(f"{_POSITION} WHERE key = ?", key)
        return Position(*row) if row else None

    def find_by_fingerprint(self, fingerprint: str) -> Position | None:
        """Return the furthest position in a source that begins so, under whatever key."""
        row = self._database.row(
            f"{_POSITION} WHERE fingerprint = ? ORDER BY offset DESC LIMIT 1", fingerprint
        )
        return Position(*row) if row else None

    def windows(self) -> bytes | None:
        """Return the state of the correlations, as the last checkpoint kept it."""
        row = self._database.row("SELECT state FROM windows")
        return row[0] if row else None

    def run_started(self, command: str) -> int:
        """Keep that *command* began, and return the run's number; call it under `lock`."""
        with self._database.transaction():
            # Whoever holds the lock knows that no other run is alive.
            self._database.run(
                "UPDATE runs SET ended = ?, outcome = 'killed' WHERE ended IS NULL", self.now()
            )
            number: int = self._database.row(
                "INSERT INTO runs (command, started) VALUES (?, ?) RETURNING number",
                command,
                self.now(),
            )[0]
        return number

    def run_finished(self, number: int, outcome: str, counts: Mapping[str, Any]) -> None:
        """Keep how the run *number* ended, and what it counted."""
        self._database.run(
            "UPDATE runs SET ended = ?, outcome = ?, counts = ? WHERE number = ?",
            self.now(),
            outcome,
            orjson.dumps(counts).decode(),
            number,
        )

    def runs(self, limit: int = 20) -> list[Run]:
        """Return the last runs, the newest first."""
        return [
            Run(number, command, started, ended, outcome, orjson.loads(counts))
            for number, command, started, ended, outcome, counts in self._database.rows(
                "SELECT number, command, started, ended, outcome, counts FROM runs"
                " ORDER BY number DESC LIMIT ?",
                limit,
            )
        ]

    @property
    def archive(self) -> Path:
        """The folder of the archive."""
        return self.directory / "archive"

    @property
    def manifest_file(self) -> Path:
        """Where the manifest is exported to after every checkpoint."""
        return self.archive / "manifest.ndjson"

    @property
    def dead_letters(self) -> Path:
        """Where documents stand that Elasticsearch will never take, each with its reason."""
        return self.directory / "dead-letter" / "elastic.ndjson"

    def entries(self) -> list[Entry]:
        """Return the archive's manifest, in order."""
        return [_entry(row) for row in self._database.rows(f"{_ENTRIES} ORDER BY number")]

    def last_entry(self) -> Entry | None:
        """Return the last entry; its hash vouches for the whole archive."""
        row = self._database.row(f"{_ENTRIES} ORDER BY number DESC LIMIT 1")
        return _entry(row) if row else None

    def adopt(self, entries: Iterable[Entry]) -> None:
        """Take over the manifest of an archive whose database was lost."""
        with self._database.transaction():
            self._insert(entries)

    def _insert(self, entries: Iterable[Entry]) -> None:
        self._database.run_all(
            "INSERT INTO segments (number, previous, hash, path, dataset, day, sha256, size, count,"
            " first, last) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((e.number, e.previous, e.hash, *astuple(e.segment)) for e in entries),
        )

    def delivered(self, cluster: str, what: str) -> int:
        """Return how much of *what* (a segment's events, revisions of findings) *cluster* has."""
        row = self._database.row(
            "SELECT done FROM deliveries WHERE cluster = ? AND what = ?", cluster, what
        )
        return row[0] if row else 0

    def deliver(self, cluster: str, what: str, done: int, refused: int = 0) -> None:
        """Keep that *cluster* has *what* up to *done*, and refused so many more of it."""
        self._database.run(
            "INSERT INTO deliveries VALUES (?, ?, ?, ?) ON CONFLICT (cluster, what)"
            " DO UPDATE SET done = excluded.done, refused = refused + excluded.refused",
            cluster,
            what,
            done,
            refused,
        )

    def waiting(self, cluster: str | None) -> tuple[int, int, int]:
        """Return how many segments and events wait for *cluster*, and how much it has refused.

        With None: for whichever cluster has got the most.
        """
        segments, events = self._database.row(
            "SELECT count(*), coalesce(sum(count - done), 0) FROM"
            " (SELECT s.count, coalesce(max(d.done), 0) AS done FROM segments s LEFT JOIN"
            " deliveries d ON d.what = s.path AND d.cluster = coalesce(?, d.cluster)"
            " GROUP BY s.number) WHERE done < count",
            cluster,
        )
        (refused,) = self._database.row(
            "SELECT coalesce(sum(refused), 0) FROM deliveries WHERE cluster = coalesce(?, cluster)",
            cluster,
        )
        return segments, events, refused

    def changed(self, revision: int, limit: int) -> list[tuple[int, Finding]]:
        """Return findings changed after *revision*, with the revision of each, in that order."""
        return [
            (number, from_document(orjson.loads(document)))
            for number, document in self._database.rows(
                "SELECT revision, document FROM findings WHERE revision > ?"
                " ORDER BY revision LIMIT ?",
                revision,
                limit,
            )
        ]


_POSITION: Final = "SELECT key, offset, fingerprint, cursor, path FROM positions"
_ENTRIES: Final = (
    "SELECT number, previous, hash, path, dataset, day, sha256, size, count, first, last"
    " FROM segments"
)


def _entry(row: tuple[Any, ...]) -> Entry:
    number, previous, own, *segment = row
    return Entry(number, Segment(*segment), previous, own)
