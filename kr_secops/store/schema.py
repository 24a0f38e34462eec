"""The tables of ``state.db``, and the steps by which an older file becomes this one."""

from __future__ import annotations

from typing import Final

STEPS: Final[tuple[str, ...]] = (
    """
    CREATE TABLE findings (
        number     INTEGER PRIMARY KEY,
        id         TEXT NOT NULL UNIQUE,
        rule_id    TEXT NOT NULL,
        level      INTEGER NOT NULL,
        status     TEXT NOT NULL,
        host       TEXT,
        first_seen TEXT NOT NULL,
        last_seen  TEXT NOT NULL,
        count      INTEGER NOT NULL,
        expires    TEXT,
        revision   INTEGER NOT NULL,
        document   BLOB NOT NULL
    );
    CREATE INDEX findings_order ON findings (level DESC, last_seen DESC, id);
    CREATE INDEX findings_revision ON findings (revision);
    CREATE INDEX findings_expiry ON findings (expires) WHERE expires IS NOT NULL;
    CREATE TABLE sightings (
        finding INTEGER NOT NULL REFERENCES findings,
        event   BLOB NOT NULL,
        PRIMARY KEY (finding, event)
    ) WITHOUT ROWID;
    CREATE TABLE history (
        finding    INTEGER NOT NULL REFERENCES findings,
        at         TEXT NOT NULL,
        by         TEXT NOT NULL,
        old_status TEXT NOT NULL,
        new_status TEXT NOT NULL,
        reason     TEXT,
        expires    TEXT
    );
    CREATE INDEX history_finding ON history (finding);
    CREATE TABLE positions (
        key         TEXT PRIMARY KEY,
        offset      INTEGER NOT NULL,
        fingerprint TEXT NOT NULL,
        cursor      TEXT NOT NULL,
        path        TEXT NOT NULL,
        at          TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX positions_fingerprint ON positions (fingerprint);
    CREATE TABLE windows (
        one   INTEGER PRIMARY KEY CHECK (one = 1),
        state BLOB NOT NULL,
        at    TEXT NOT NULL
    );
    CREATE TABLE runs (
        number  INTEGER PRIMARY KEY,
        command TEXT NOT NULL,
        started TEXT NOT NULL,
        ended   TEXT,
        outcome TEXT,
        counts  TEXT NOT NULL DEFAULT '{}'
    );
    CREATE TABLE segments (
        number   INTEGER PRIMARY KEY,
        path     TEXT NOT NULL UNIQUE,
        dataset  TEXT NOT NULL,
        day      TEXT NOT NULL,
        sha256   TEXT NOT NULL,
        size     INTEGER NOT NULL,
        count    INTEGER NOT NULL,
        first    TEXT NOT NULL,
        last     TEXT NOT NULL,
        previous TEXT NOT NULL,
        hash     TEXT NOT NULL
    );
    CREATE TABLE rejections (
        source TEXT PRIMARY KEY,
        count  INTEGER NOT NULL,
        at     TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE rejected (
        number INTEGER PRIMARY KEY,
        source TEXT NOT NULL,
        offset INTEGER NOT NULL,
        reason TEXT NOT NULL,
        record BLOB NOT NULL,
        at     TEXT NOT NULL
    );
    """,
    """
    CREATE TABLE deliveries (
        cluster TEXT NOT NULL,
        what    TEXT NOT NULL,
        done    INTEGER NOT NULL,
        refused INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (cluster, what)
    ) WITHOUT ROWID;
    """,
)
"""One step a version: ``PRAGMA user_version`` says how many have been taken. Only ever append."""
