"""Where compiled rule sets are kept between runs, and how to know that one is still right.

A compiled set holds code, so the folder must belong to the user who runs us and be closed to
everyone else; a folder that is not is left alone, and rules are then compiled in every run.
"""

from __future__ import annotations

import contextlib
import hashlib
import marshal
import os
import platform
import stat
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

FORM: Final = "8"
"""Counts up when the compiled form or its making changes, so that no old file is read."""

_CONTENT: Final = (".yml", ".yaml", ".txt")
_TESTS: Final = (".test.yaml", ".test.yml")
_PRIVATE: Final = 0o077
_KEPT: Final = 6
"""Compiled files kept; older ones are deleted when a new one is written."""


class Cache:
    """A folder of our own for compiled files."""

    def __init__(self, folder: Path) -> None:
        self.folder: Path | None = folder if _is_ours(folder) else None

    def path(self, name: str) -> Path | None:
        """Return where the file *name* lies, None if it is not there or not ours alone."""
        if self.folder is None:
            return None
        path = self.folder / name
        try:
            status = path.lstat()
        except OSError:
            return None
        ours = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
        return path if ours and not status.st_mode & 0o022 else None

    def write(self, name: str, data: bytes) -> None:
        """Keep *data* as *name*, all of it or nothing; a full disk is no reason to stop."""
        if self.folder is None:
            return
        with contextlib.suppress(OSError):
            handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=".new-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                Path(temporary).replace(self.folder / name)
            except OSError:
                Path(temporary).unlink(missing_ok=True)
                raise
            self._prune(Path(name).suffix)

    def _prune(self, suffix: str) -> None:
        assert self.folder is not None
        files = sorted(
            self.folder.glob(f"*{suffix}"), key=lambda p: p.stat().st_mtime_ns, reverse=True
        )
        for path in files[_KEPT:]:
            path.unlink(missing_ok=True)


def _is_ours(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
    except OSError:
        return False
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        return False
    if status.st_mode & _PRIVATE:
        try:
            folder.chmod(0o700)
        except OSError:
            return False
        # What others could have left there while the folder was open is not to be trusted.
        return not any(folder.iterdir())
    return True


def fingerprint(*parts: bytes | str) -> str:
    """Return a short name for *parts*."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


@cache
def machine() -> str:
    """Return what compiled files depend on beside rules: Python, hyperscan, processor, our form."""
    import hyperscan

    return "|".join(
        (
            FORM,
            sys.implementation.cache_tag or "",
            sys.version,
            getattr(hyperscan, "__version__", ""),
            _processor(),
        )
    )


def _processor() -> str:
    """Return the processor's features: hyperscan makes databases for the one it runs on."""
    try:
        with Path("/proc/cpuinfo").open(encoding="ascii", errors="replace") as lines:
            wanted = ("model name", "flags", "Features", "CPU part")
            found: dict[str, str] = {}
            for line in lines:
                if line.startswith(wanted):
                    found.setdefault(line.partition(":")[0].strip(), line)
                if not line.strip():
                    break
    except OSError:
        return platform.machine() + platform.processor()
    return platform.machine() + "".join(found.values())


def states(paths: Iterable[Path], skip: frozenset[str]) -> bytes:
    """Return what tells in a moment whether anything below *paths* changed.

    Path, size, time of change and inode of each file; folders in *skip* are not entered. The time
    is that of its status: a copy may keep the other one, and a right given is a change too.
    """
    rows = [
        (path, status.st_size, status.st_ctime_ns, status.st_ino)
        for root in paths
        for path, status in _walk(str(root), skip)
    ]
    rows.sort()
    return marshal.dumps(rows)


def _walk(root: str, skip: frozenset[str]) -> Iterator[tuple[str, os.stat_result]]:
    if os.path.isfile(root):  # noqa: PTH113 (3,700 Path objects cost more than the stats)
        yield root, os.stat(root)  # noqa: PTH116
        return
    folders = [root]
    while folders:
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in skip:
                        folders.append(entry.path)
                elif entry.name.endswith(_CONTENT) and not entry.name.endswith(_TESTS):
                    yield entry.path, _status(entry)


def _status(entry: os.DirEntry[str]) -> os.stat_result:
    try:
        return entry.stat()
    except OSError:  # a link to nowhere; the files after it still count
        return entry.stat(follow_symlinks=False)


def contents(files: Sequence[tuple[Path, bytes | None]]) -> str:
    """Return a name for the contents of *files*; None is a file that cannot be read."""
    digest = hashlib.blake2b(digest_size=16)
    for path, data in files:
        digest.update(str(path).encode("utf-8", "surrogateescape") + b"\0")
        size = -1 if data is None else len(data)
        digest.update(size.to_bytes(8, "little", signed=True) + (data or b""))
    return digest.hexdigest()
