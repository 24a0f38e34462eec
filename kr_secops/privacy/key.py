"""The secret key under which masked values are hashed: one file, made once, read only by its owner."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING, Final

from kr_secops.errors import KrSecopsError

if TYPE_CHECKING:
    from pathlib import Path

NAME: Final = "privacy.key"
SIZE: Final = 32


def load_key(state_dir: Path) -> bytes:
    """Return the key in *state_dir*, made from the system's randomness when there is none yet.

    The same key gives the same datum the same hash in every run; who has it could try all NIKs
    against the hashes, so a file that others may read is refused.

    Raises:
        KrSecopsError: the file is readable by others, is not a key, or cannot be read or made.
    """
    path = state_dir / NAME
    try:
        return _read(path)
    except FileNotFoundError:
        _make(path)
        return _read(path)
    except OSError as e:
        raise KrSecopsError(f"{path}: cannot read the privacy key: {e.strerror}") from e


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise KrSecopsError(f"{path}: the privacy key must be an ordinary file")
        if status.st_mode & 0o077:
            raise KrSecopsError(
                f"{path}: the privacy key is open to others (mode {status.st_mode & 0o777:03o}); "
                f"run: chmod 600 {path}"
            )
        key = file.read(SIZE + 1)
    if len(key) != SIZE:
        raise KrSecopsError(
            f"{path}: the privacy key must hold {SIZE} bytes, this holds "
            f"{'more' if len(key) > SIZE else len(key)}; put back a copy, or remove the file to "
            "make a new key (hashes made before will then no longer match)"
        )
    return key


def _make(path: Path) -> None:
    """Write a new key whole or not at all; of two runs at once the first one's key stays."""
    new = path.with_name(f".{NAME}.{os.urandom(8).hex()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(SIZE))
            file.flush()
            os.fsync(descriptor)
        with contextlib.suppress(FileExistsError):
            os.link(new, path)
    except OSError as e:
        raise KrSecopsError(f"{path}: cannot make the privacy key: {e.strerror}") from e
    finally:
        new.unlink(missing_ok=True)
