from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from kr_secops.errors import KrSecopsError
from kr_secops.store.database import Database
from kr_secops.store.schema import STEPS
from kr_secops.store.sqlite import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kr_secops.finding import Finding


def tables(path: Path) -> set[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        return set(connection.execute("SELECT name, sql FROM sqlite_master"))


@pytest.mark.parametrize("taken", range(len(STEPS)))
def test_an_older_file_becomes_the_newest(
    tmp_path: Path, taken: int, make_finding: Callable[..., Finding]
) -> None:
    old = Database(tmp_path / "state.db", STEPS[:taken])
    if taken:
        old.run("INSERT INTO windows VALUES (1, x'00ff', '2026-11-17T00:00:00.000Z')")
    old.connection.close()
    with Store.open(tmp_path) as store:
        assert store.windows() == (b"\x00\xff" if taken else None)
        store.deliver("cluster", "findings", 3)
        assert store.delivered("cluster", "findings") == 3
        store.checkpoint(findings=[make_finding([1])])
    Database(tmp_path / "fresh.db").connection.close()
    assert tables(tmp_path / "state.db") == tables(tmp_path / "fresh.db")


def test_a_step_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    Database(path, STEPS[:1]).connection.close()
    before = tables(path)
    with pytest.raises(KrSecopsError, match="syntax error"):
        Database(path, (STEPS[0], "CREATE TABLE extra (a); CREATE NONSENSE"))
    assert tables(path) == before


def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    Database(tmp_path / "state.db", (*STEPS, "CREATE TABLE later (a)")).connection.close()
    with pytest.raises(KrSecopsError, match="newer kr-secops"):
        Store.open(tmp_path)


def test_a_damaged_file_is_named_with_the_mend(
    tmp_path: Path, make_finding: Callable[..., Finding]
) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(b"not a database, " * 512)
    with pytest.raises(KrSecopsError, match=r"state\.db: damaged .* Move it"):
        Store.open(tmp_path)


def test_damage_in_the_middle_is_named_too(
    tmp_path: Path, make_finding: Callable[..., Finding]
) -> None:
    path = tmp_path / "state.db"
    with Store.open(tmp_path) as store:
        store.checkpoint(
            findings=[make_finding(range(n, n + 5), id=f"{n:04x}") for n in range(300)]
        )
    whole = bytearray(path.read_bytes())
    whole[8192:-4096] = b"\xa5" * (len(whole) - 12288)
    path.write_bytes(whole)
    with pytest.raises(KrSecopsError, match="damaged"), Store.open(tmp_path) as store:
        list(store.findings())


def test_only_the_owner_may_look(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "state"
    with Store.open(folder) as store, store.lock():
        modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert modes.keys() >= {"state.db", "run.lock"}
    assert set(modes.values()) == {0o600}


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KrSecopsError, match=r"file.*\(setting state_dir\)"):
        Store.open(tmp_path / "file" / "state")


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "x.db", ("CREATE TABLE t (a)",))
    with pytest.raises(ZeroDivisionError), database.transaction():
        database.run_all("INSERT INTO t VALUES (?)", ([1 / n] for n in (2, 1, 0)))
    assert list(database.rows("SELECT a FROM t")) == []
    database.connection.close()
