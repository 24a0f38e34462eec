"""Putting a collection in place: staged beside it, judged, and exchanged for it at one stroke."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import re
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kr_secops.document import examine
from kr_secops.errors import KrSecopsError, UsageError
from kr_secops.rule.bundle.imported import at, ensure_name, sums, write_record
from kr_secops.rule.ruleset import load
from kr_secops.rule.source import find_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from kr_secops.rule.bundle.choice import Choice
    from kr_secops.rule.bundle.origin import Origin

_STAGE: Final = ".import-"
_EXCHANGE: Final = 2
_HERE: Final = -100
_ROUNDS: Final = 4
"""A correlation whose rule was left out is left out in the next round."""
_PLACE: Final = re.compile(r"(.*?):\d+:\d+: ")


@dataclass(slots=True)
class Outcome:
    """What came of an import."""

    folder: Path
    rules: int = 0
    """Files put in place."""
    loaded: int = 0
    applying: int = 0
    """Rules about logs that collectors of ours read."""
    waiting: list[str] = field(default_factory=list)
    """Complaints of rules that wait for a list of the site's own."""
    left_out: dict[str, str] = field(default_factory=dict)
    """File → why."""
    not_chosen: int = 0
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


def install(
    origin: Origin,
    root: Path,
    name: str,
    choice: Choice,
    *,
    cache_dir: Path,
    today: date,
    force: bool = False,
) -> Outcome:
    """Put the rules of *origin* into ``root/name``; whoever loads rules sees the old or the new.

    Args:
        origin: what was read.
        root: a folder of rules.
        name: the collection's name there.
        choice: which rules are wanted.
        cache_dir: where the rules are compiled to judge them.
        today: the day of the record.
        force: replace rules although they were changed here.

    Raises:
        UsageError: something else lies there, or rules were changed there.
        KrSecopsError: no rule is left.
    """
    ensure_name(name)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _alone(root):
            return _install(origin, root, name, choice, cache_dir, today, force)
    except (PermissionError, NotADirectoryError, FileExistsError) as e:
        raise UsageError(f"{e.filename or root}: {e.strerror}") from None
    except OSError as e:  # a full disk
        raise KrSecopsError(f"{root}: {e.strerror}") from None


def _install(
    origin: Origin, root: Path, name: str, choice: Choice, cache_dir: Path, today: date, force: bool
) -> Outcome:
    for rest in root.glob(f"{_STAGE}*"):  # of an import that was killed
        shutil.rmtree(rest)
    before = _known_sums(root, name, force)
    outcome = Outcome(root / name, left_out=dict(origin.left_out))
    wanted = {file: text for file, text in origin.rules.items() if choice.takes(file, text)}
    outcome.not_chosen = len(origin.rules) - len(wanted)
    stage = Path(tempfile.mkdtemp(dir=root, prefix=_STAGE))
    try:
        folder = stage / name
        files = {**wanted, **origin.licences}
        _write(folder, files)
        for file in _judge(folder, _ids(root, name), outcome, cache_dir):
            del files[file], wanted[file]
        if not wanted:
            raise KrSecopsError(f"{origin.source}: no rule is left to import")
        record = {
            "source": origin.source,
            "version": origin.version,
            "imported": today,
            "rules": len(wanted),
            "licence": sorted(origin.licences),
            **({"chosen": choice.document()} if choice.document() else {}),
        }
        write_record(folder, record, files)
        outcome.rules = len(wanted)
        _compare(before, sums(wanted), outcome)
        _exchange(folder, root / name)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return outcome


def _known_sums(root: Path, name: str, force: bool) -> dict[str, str]:
    known = at(root, name)
    if known is None:
        if (root / name).exists():
            raise UsageError(f"{root / name}: is there already and was not imported")
        return {}
    changed = known.changed_here()
    if changed and not force:
        raise UsageError(
            f"{root / name}: changed since it was imported: {', '.join(changed[:5])}"
            f"{' …' if changed[5:] else ''}; move own rules elsewhere, or say --force"
        )
    return {
        file: digest for file, digest in known.sums().items() if file.endswith((".yml", ".yaml"))
    }


def _write(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir()
    folder.chmod(0o755)
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _judge(folder: Path, taken: dict[str, Path], outcome: Outcome, cache_dir: Path) -> list[str]:
    """Delete the files that would stop a run, and note in *outcome* why, and what loads."""
    gone: list[str] = []
    for _ in range(_ROUNDS):
        ruleset = load([folder], cache_dir=cache_dir, skip_invalid=True)
        said = [(one, one.complaint.replace(f"{folder}/", "")) for one in ruleset.refused]
        outcome.waiting = [text for one, text in said if one.is_unanswered]
        wrong = {
            m[1]: text for one, text in said if not one.is_unanswered and (m := _PLACE.match(text))
        }
        for rule in ruleset.rules:
            if rule.id in taken:
                file = rule.path.removeprefix(f"{folder}/").rsplit(":", 2)[0]
                wrong[file] = f"its id is that of {taken[rule.id]}"
        if not wrong:
            outcome.loaded = len(ruleset)
            outcome.applying = sum(rule.applies for rule in ruleset.rules)
            return gone
        for file in wrong:
            (folder / file).unlink()
        outcome.left_out |= wrong
        gone += wrong
    raise KrSecopsError(f"{folder.name}: its rules refer to each other in ever new ways")


def _ids(root: Path, name: str) -> dict[str, Path]:
    """Return the ids of the other rules in *root*, where an id may stand only once."""
    found: dict[str, Path] = {}
    for path, _ in find_files([root]):
        if not path.is_relative_to(root / name):
            for document in examine(path)[0]:
                if isinstance(document.value, dict) and document.value.get("id"):
                    found[str(document.value["id"])] = path
    return found


def _compare(before: dict[str, str], after: dict[str, str], outcome: Outcome) -> None:
    outcome.added = sorted(after.keys() - before.keys())
    outcome.removed = sorted(before.keys() - after.keys())
    outcome.changed = sorted(n for n in after.keys() & before.keys() if after[n] != before[n])


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Keep two imports into one folder apart."""
    number = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"{root}: another import is at work there") from None
        yield
    finally:
        os.close(number)


def _exchange(new: Path, place: Path) -> None:
    """Put *new* at *place*; what lay there lies where *new* was. There is no moment in between."""
    libc = ctypes.CDLL(None, use_errno=True)
    number = os.open(new, os.O_RDONLY)
    try:
        libc.syncfs(number)  # a crash must not leave files whose names came before their contents
    finally:
        os.close(number)
    if not place.exists():
        new.rename(place)
        return
    if libc.renameat2(_HERE, os.fsencode(new), _HERE, os.fsencode(place), _EXCHANGE) == 0:
        return
    code = ctypes.get_errno()
    if code not in (errno.ENOSYS, errno.EINVAL):
        raise OSError(code, os.strerror(code), str(place))
    # A file system that cannot exchange: a moment without the collection, never half of one.
    place.rename(new.with_name(f"{new.name}-before"))
    new.rename(place)
