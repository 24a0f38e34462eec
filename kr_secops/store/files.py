"""Files that must be on the disk before anything counts on them."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kr_secops.errors import KrSecopsError
from kr_secops.language import tr

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def explaining(path: Path) -> Iterator[None]:
    """Say which file the system refused, and why; a full disk is the usual reason."""
    try:
        yield
    except OSError as e:
        raise KrSecopsError(
            tr("{path}: {problem}", path=e.filename or path, problem=e.strerror)
        ) from None


def append(path: Path, data: bytes) -> None:
    """Add *data* to the end of *path*, made for its owner alone, and wait for the disk."""
    with explaining(path):
        path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)


def settle(folder: Path) -> None:
    """Wait until the names in *folder* are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
