"""Finds the files that paths, wildcards and folders mean, oldest of each rotation first."""

from __future__ import annotations

import glob
import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from kr_secops.collect.interface import Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DEEPEST: Final = 64
_ROTATED: Final = re.compile(
    r"(?P<name>.+?)[.-](?P<turn>\d{1,4}|\d{8}(?:[-T]?\d{2,6})?)(?:\.(?:gz|xz|zst|bz2))?$"
)
_WILD: Final = frozenset("*?[")


Seen: TypeAlias = set[tuple[int, int]]
"""Device and inode of what was met already."""


def find_files(paths: Iterable[str], seen: Seen | None = None) -> Iterator[Path | Skipped]:
    """Yield the files of *paths* in their order, each once; what cannot be read with its reason."""
    seen = set() if seen is None else seen
    for path in paths:
        if _WILD & set(path) and not os.path.lexists(path):
            matches = sorted(glob.glob(path, recursive=True), key=age)  # noqa: PTH207
            if not matches:
                yield Skipped(path, "nothing matches")
            for match in matches:
                yield from _walk(Path(match), seen, 0)
        else:
            yield from _walk(Path(path), seen, 0)


def age(path: str) -> tuple[str, int, int, str]:
    """Return a key that sorts a log's rotated files before it, the oldest first.

    app.log.2.gz, app.log.1, app.log; app.log-20261116, app.log-20261117, app.log
    """
    found = _ROTATED.fullmatch(path)
    if found is None:
        return path, 1, 0, path
    turn = found["turn"]
    number = int(re.sub(r"\D", "", turn))
    return found["name"], 0, -number if len(turn) <= 4 else number, path  # noqa: PLR2004


def _walk(path: Path, seen: Seen, depth: int) -> Iterator[Path | Skipped]:
    try:
        status = path.stat()  # follows links; a loop of them is an OSError
    except OSError as e:
        yield Skipped.of(str(path), e)
        return
    except ValueError as e:  # a NUL in the name
        yield Skipped(str(path), str(e))
        return
    identity = (status.st_dev, status.st_ino)
    if identity in seen:
        return
    seen.add(identity)
    if stat.S_ISDIR(status.st_mode):
        yield from _walk_folder(path, seen, depth)
    elif stat.S_ISREG(status.st_mode):
        yield path
    else:
        yield Skipped(str(path), f"a {_kind(status.st_mode)}, no file")


def _walk_folder(path: Path, seen: Seen, depth: int) -> Iterator[Path | Skipped]:
    if depth > DEEPEST:
        yield Skipped(str(path), f"deeper than {DEEPEST} folders")
        return
    try:
        names = sorted((entry.path for entry in os.scandir(path)), key=age)
    except OSError as e:
        yield Skipped.of(str(path), e)
        return
    for name in names:
        yield from _walk(Path(name), seen, depth + 1)


def _kind(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "FIFO"
    return "socket" if stat.S_ISSOCK(mode) else "device"
