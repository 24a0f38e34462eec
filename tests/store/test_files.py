from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from kr_secops.errors import KrSecopsError
from kr_secops.store.archive import Archive
from kr_secops.store.files import append

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kr_secops.event import Event
    from kr_secops.store.sqlite import Store


def test_appending_keeps_what_is_there_from_others(tmp_path: Path) -> None:
    path = tmp_path / "new" / "letters.ndjson"
    append(path, b"one\n")
    append(path, b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_lock_that_cannot_be_made(store: Store) -> None:
    (store.directory / "run.lock").mkdir()
    with pytest.raises(KrSecopsError, match=r"run\.lock: Is a directory"), store.lock():
        pass


def test_a_manifest_that_cannot_be_written(store: Store, make_event: Callable[..., Event]) -> None:
    archive = Archive(store)
    archive.write(make_event(1))
    segments = archive.seal()
    store.manifest_file.mkdir()
    with pytest.raises(KrSecopsError, match=r"manifest\.ndjson: Is a directory"):
        store.checkpoint(segments=segments)
    assert len(store.entries()) == 1, "the table had taken it before"


def test_a_folder_that_vanishes(store: Store, make_event: Callable[..., Event]) -> None:
    archive = Archive(store)
    archive.write(make_event(1))
    shutil.rmtree(archive.directory)
    with pytest.raises(KrSecopsError, match="No such file"):
        archive.seal()
