"""One run at a time: a lock that the kernel lets go of when its holder ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kr_secops.errors import KrSecopsError
from kr_secops.language import tr
from kr_secops.store.files import explaining

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def locked(path: Path, since: str) -> Iterator[None]:
    """Hold the lock file *path*, which then says the holder's process id and *since*.

    Raises:
        KrSecopsError: another process holds it.
    """
    with explaining(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid, _, moment = os.pread(descriptor, 100, 0).decode("ascii", "replace").partition(" ")
            raise KrSecopsError(
                tr(
                    "another run holds {path} (process {pid}, since {since}); wait until it ends",
                    path=path,
                    pid=pid or "?",
                    since=moment.strip() or "?",
                )
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} {since}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
