"""The key: made once, kept from others, never replaced silently."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from kr_secops.errors import KrSecopsError
from kr_secops.privacy.key import NAME, load_key

if TYPE_CHECKING:
    from pathlib import Path


def test_is_made_once(tmp_path: Path) -> None:
    state = tmp_path / "new" / "state"
    key = load_key(state)
    assert len(key) == 32
    assert load_key(state) == key
    assert stat.S_IMODE((state / NAME).stat().st_mode) == 0o600
    assert list(state.iterdir()) == [state / NAME]
    assert load_key(tmp_path / "other") != key


def test_runs_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(load_key, [tmp_path] * 32))) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_refuses_a_key_open_to_others(tmp_path: Path, mode: int) -> None:
    load_key(tmp_path)
    (tmp_path / NAME).chmod(mode)
    with pytest.raises(KrSecopsError, match=r"open to others .*chmod 600"):
        load_key(tmp_path)


@pytest.mark.parametrize(("content", "problem"), [(b"", "holds 0"), (b"x" * 33, "holds more")])
def test_refuses_what_is_no_key(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / NAME).write_bytes(content)
    (tmp_path / NAME).chmod(0o600)
    with pytest.raises(KrSecopsError, match=problem):
        load_key(tmp_path)


def test_refuses_links_and_folders(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"x" * 32)
    (tmp_path / NAME).symlink_to("real")
    with pytest.raises(KrSecopsError, match="cannot read"):
        load_key(tmp_path)
    (tmp_path / NAME).unlink()
    (tmp_path / NAME).mkdir()
    with pytest.raises(KrSecopsError):
        load_key(tmp_path)


def test_a_folder_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KrSecopsError, match="privacy key"):
        load_key(tmp_path / "file" / "state")
