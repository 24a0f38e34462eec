"""Files that options name: whole or not there, and what stands in their way is named."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from kr_secops.cli import options

if TYPE_CHECKING:
    from pathlib import Path


def test_a_full_disk_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "layer.json"
    with pytest.raises(OSError, match="No space left on device") as raised, options.opened(path):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert raised.value.filename == str(path)
    assert not path.exists()
    assert [one.name for one in tmp_path.iterdir()] == ["state"]
