"""Where rules come from: a checkout, a folder or a zip file, none of which is trusted.

Only plain files of modest size whose names are plain come out; links are not followed, and nothing
of a repository is run to learn its version.
"""

from __future__ import annotations

import lzma
import os
import re
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from kr_secops.errors import ContentError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LARGEST_RULE: Final = 1 << 20
MOST_FILES: Final = 50_000
MOST_BYTES: Final = 512 << 20
UNKNOWN: Final = "unknown"

_FOLDER: Final = re.compile(r"rules(-[a-z0-9-]+)?")
_RULE: Final = re.compile(r"[\w+@(),=\[\] -][\w.+@(),=\[\] -]*\.ya?ml")
_STEP: Final = re.compile(r"[\w+@(),=\[\] -][\w.+@(),=\[\] -]*")
_LICENCE: Final = re.compile(r"(?i:licen[cs]e)[\w.-]*")
_RELEASE: Final = re.compile(r"r?20\d\d-\d\d-\d\d[\w.-]*")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REFERENCE: Final = re.compile(r"refs/[\w-][\w./-]*")
_UNSOUND: Final = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
    *(NotImplementedError, RuntimeError, EOFError, ValueError),
)
"""What Python raises for zip files that are broken, encrypted or of a kind it does not know."""
_LONGEST: Final = 240
"""Characters of a name; every file system takes as many in one step."""
_LARGEST_TEXT: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Origin:
    """What a source holds for us."""

    source: str
    version: str
    """Commit, or name of the release; ``unknown`` if nothing says it."""
    rules: dict[str, bytes]
    """``rules/windows/x.yml`` → its text."""
    licences: dict[str, bytes]
    left_out: dict[str, str]
    """Name → why it was not taken."""


@dataclass(frozen=True, slots=True)
class _Entry:
    name: PurePosixPath
    size: int
    problem: str
    read: Callable[[int], bytes]
    """Reads at most so many bytes."""


def read(path: Path) -> Origin:
    """Return the rules that *path* holds: folders ``rules`` and ``rules-…`` of it.

    Raises:
        UsageError: there are none.
        ContentError: it is more than a collection of rules can be, or no sound zip file.
    """
    if path.is_dir():
        return _gathered(path, _folder_entries(path), _folder_version(path))
    try:
        with zipfile.ZipFile(path) as archive:
            return _gathered(path, _zip_entries(archive), _zip_version(path, archive))
    except _UNSOUND as e:
        raise ContentError([f"{path}:1:1: no zip file that can be read: {e}"]) from None
    except OSError as e:
        raise UsageError(f"{path}: {e.strerror or e}") from None


def _gathered(path: Path, entries: Iterator[_Entry], version: str) -> Origin:
    origin = Origin(str(path), version, {}, {}, {})
    folders: set[PurePosixPath] = set()
    total = 0
    for entry in entries:
        is_licence = len(entry.name.parts) == 1 and _LICENCE.fullmatch(entry.name.name)
        if not is_licence and not _is_rule(entry.name):
            continue
        problem = entry.problem or _oddity(entry.name)
        if entry.name in folders or not origin.rules.keys().isdisjoint(
            map(str, entry.name.parents)
        ):
            problem = problem or "a name that stands for a folder as well"
        data = b"" if problem else entry.read(LARGEST_RULE + 1)
        if len(data) > LARGEST_RULE or entry.size > LARGEST_RULE:
            problem = problem or f"larger than {LARGEST_RULE >> 20} MiB"
        if problem:
            origin.left_out[str(entry.name)] = problem
            continue
        folders.update(entry.name.parents)
        total += len(data)
        (origin.licences if is_licence else origin.rules)[str(entry.name)] = data
        if len(origin.rules) > MOST_FILES or total > MOST_BYTES:
            raise ContentError(
                [f"{path}:1:1: more than {MOST_FILES} rules or {MOST_BYTES >> 20} MiB"]
            )
    if not origin.rules:
        raise UsageError(f"{path}: holds no folder rules, or rules-…, with rules in it")
    return origin


def _is_rule(name: PurePosixPath) -> bool:
    return (
        len(name.parts) > 1
        and _FOLDER.fullmatch(name.parts[0]) is not None
        and name.suffix in (".yml", ".yaml")
    )


def _oddity(name: PurePosixPath) -> str:
    *steps, last = name.parts
    if len(str(name)) > _LONGEST:
        return "a name that is too long"
    if all(_STEP.fullmatch(step) for step in steps) and (
        _RULE.fullmatch(last) or _LICENCE.fullmatch(last)
    ):
        return ""
    return "a name that is not plain"


def _folder_entries(root: Path) -> Iterator[_Entry]:
    """Yield the files of *root*; a folder of rules given by itself counts as ``rules``."""
    with os.scandir(root) as found:
        names = [entry.name for entry in found]
    inside = any(_FOLDER.fullmatch(name) for name in names)
    prefix = "" if inside else "rules/"
    for path, status in _walk(root):
        name = PurePosixPath(path.relative_to(root).as_posix())
        top_level_file = len(name.parts) == 1 and not _is_rule(PurePosixPath(prefix) / name)
        problem = "" if stat.S_ISREG(status.st_mode) else "no plain file"
        yield _Entry(
            name if top_level_file else PurePosixPath(prefix) / name,
            status.st_size,
            problem,
            lambda most, path=path: _head(path, most),  # type: ignore[misc]
        )


def _walk(root: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield what lies below *root* without following links, in order."""
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name, reverse=True)
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(Path(entry.path))
            else:
                yield Path(entry.path), entry.stat(follow_symlinks=False)


def _head(path: Path, most: int) -> bytes:
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(number, "rb") as stream:
        return stream.read(most)


def _zip_entries(archive: zipfile.ZipFile) -> Iterator[_Entry]:
    """Yield the files of a zip, without the folder that GitHub puts around everything."""
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if len(infos) > 4 * MOST_FILES:
        raise ContentError([f"{archive.filename}:1:1: more than {4 * MOST_FILES} files"])
    names = [PurePosixPath(info.filename) for info in infos]
    around = {name.parts[0] for name in names if name.parts}
    depth = int(len(around) == 1 and not _FOLDER.fullmatch(next(iter(around))))
    for info, name in zip(infos, names, strict=True):
        parts = name.parts[depth:]
        if not parts:
            continue
        mode = info.external_attr >> 16
        problem = "no plain file" if stat.S_IFMT(mode) not in (0, stat.S_IFREG) else ""
        if name.is_absolute() or ".." in name.parts or "\\" in info.filename:
            problem = "a name that leads elsewhere"
        yield _Entry(
            PurePosixPath(*parts),
            info.file_size,
            problem,
            lambda most, info=info: _inflate(archive, info, most),  # type: ignore[misc]
        )


def _inflate(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    with archive.open(info) as stream:
        return stream.read(most)


def _zip_version(path: Path, archive: zipfile.ZipFile) -> str:
    # GitHub writes the commit into the comment of the archives that it makes.
    comment = archive.comment.decode("ascii", "replace")
    if _COMMIT.fullmatch(comment):
        return comment
    names = [path.stem, *(info.filename.partition("/")[0] for info in archive.infolist()[:1])]
    return _release(names)


def _folder_version(root: Path) -> str:
    return _commit(root / ".git") or _release([root.resolve().name])


def _release(names: list[str]) -> str:
    found = next((m for name in names if (m := _RELEASE.search(name))), None)
    return found[0] if found else UNKNOWN


def _commit(git: Path) -> str:
    """Return the commit that is checked out, read from the files of the repository."""
    if git.is_file():  # a worktree or a submodule: the repository lies elsewhere
        pointer = _text(git).strip()
        git = git.parent / pointer.removeprefix("gitdir: ")
    common = git / _text(git / "commondir").strip()
    head = _text(git / "HEAD").strip()
    name = head.removeprefix("ref: ")
    if name == head:
        return head if _COMMIT.fullmatch(head) else ""
    if not _REFERENCE.fullmatch(name) or ".." in name:
        return ""
    for folder in (git, common):
        commit = _text(folder / name).strip()
        if _COMMIT.fullmatch(commit):
            return commit
    packed = (line.partition(" ") for line in _text(common / "packed-refs").splitlines())
    return next((c for c, _, n in packed if n == name and _COMMIT.fullmatch(c)), "")


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST_TEXT or not path.is_file():
            return ""
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
