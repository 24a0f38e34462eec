"""One SQLite file: opened, migrated, asked, and changed in transactions; complaints name a mend."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from kr_secops.errors import KrSecopsError
from kr_secops.language import tr
from kr_secops.store.schema import STEPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

BUSY_SECONDS: Final = 30
"""How long a writer waits for another one; each transaction takes well under a second."""


class Database:
    """An open file; every method raises KrSecopsError where SQLite cannot do what is asked."""

    def __init__(self, path: Path, steps: Sequence[str] = STEPS) -> None:
        """Open *path*, making or migrating it as needed."""
        self.path = path
        with self._complaining():
            self.connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            try:
                self.connection.execute("PRAGMA journal_mode = WAL")
                self.connection.execute("PRAGMA synchronous = FULL")
                if self._version() != len(steps):
                    self._migrate(steps)
            except BaseException:
                self.connection.close()
                raise

    def rows(self, sql: str, *values: object) -> Iterator[Any]:
        """Yield the rows that *sql* gives."""
        with self._complaining():
            yield from self.connection.execute(sql, values)

    def row(self, sql: str, *values: object) -> Any:
        """Return the first row, or None."""
        return next(iter(list(self.rows(sql, *values))), None)

    def run(self, sql: str, *values: object) -> None:
        """Execute one statement that gives nothing."""
        self.run_all(sql, [values])

    def run_all(self, sql: str, rows: Iterable[Sequence[object]]) -> int:
        """Execute *sql* once a row; return how many rows of the table changed."""
        before = self.connection.total_changes
        with self._complaining():
            self.connection.executemany(sql, rows)
        return self.connection.total_changes - before

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all of the block or nothing; no one else writes meanwhile."""
        with self._complaining():
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    def _version(self) -> int:
        version: int = self.connection.execute("PRAGMA user_version").fetchone()[0]
        return version

    def _migrate(self, steps: Sequence[str]) -> None:
        with self.transaction():
            # Read again inside: another process may just have migrated the same file.
            taken = self._version()
            if taken > len(steps):
                raise KrSecopsError(
                    tr("{path}: written by a newer kr-secops; upgrade this one", path=self.path)
                )
            for step in steps[taken:]:
                for statement in step.split(";"):
                    self.connection.execute(statement)
            self.connection.execute(f"PRAGMA user_version = {len(steps)}")

    @contextmanager
    def _complaining(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as e:
            raise KrSecopsError(tr("{path}: {problem}", path=self.path, problem=e)) from None
        except sqlite3.DatabaseError as e:
            raise KrSecopsError(
                tr(
                    "{path}: damaged ({problem}). Move it and its -wal and -shm files away, then "
                    "put back a backup or let the next scan begin a new one; the archive stays",
                    path=self.path,
                    problem=e,
                )
            ) from None
