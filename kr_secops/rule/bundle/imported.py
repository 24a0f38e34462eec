"""Collections as they lie in a folder of rules, each with a record of what it is.

rules/sigmahq/IMPORT          source, version, day, number of rules (YAML)
rules/sigmahq/SHA256SUMS      what ``sha256sum -c`` reads
rules/sigmahq/LICENSE…        as it came
rules/sigmahq/rules/…         the rules, in the folders of their authors
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from kr_secops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

RECORD: Final = "IMPORT"
SUMS: Final = "SHA256SUMS"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SUM: Final = re.compile(r"([0-9a-f]{64})  (.+)")


@dataclass(frozen=True, slots=True)
class Imported:
    """One collection in place."""

    name: str
    folder: Path
    record: Mapping[str, Any]

    def sums(self) -> dict[str, str]:
        """Return file → SHA-256 as recorded when it came."""
        try:
            lines = (self.folder / SUMS).read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return {}
        found = (_SUM.fullmatch(line) for line in lines)
        return {m[2]: m[1] for m in found if m}

    def changed_here(self) -> list[str]:
        """Return the rules that are not as they came, and those that somebody put beside them."""
        recorded = self.sums()
        here = sums(
            {
                path.relative_to(self.folder).as_posix(): path.read_bytes()
                for path in sorted(self.folder.rglob("*.y*ml"))
                if path.is_file()
            }
        )
        return sorted(
            name
            for name in here.keys()
            | {name for name in recorded if name.endswith((".yml", ".yaml"))}
            if here.get(name) != recorded.get(name)
        )


def sums(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return name → SHA-256 of each of *files*."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def write_record(folder: Path, record: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Write what the collection in *folder* is."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums(files).items()))
    (folder / SUMS).write_text(lines, "utf-8")
    text = yaml.safe_dump(dict(record), sort_keys=False, allow_unicode=True)
    (folder / RECORD).write_text(text, "utf-8")


def listed(root: Path) -> list[Imported]:
    """Return the collections in the folder of rules *root*."""
    if not root.is_dir():
        return []
    return [
        found
        for folder in sorted(root.iterdir())
        if not folder.name.startswith(".") and (found := at(root, folder.name)) is not None
    ]


def at(root: Path, name: str) -> Imported | None:
    """Return the collection *name* in *root*; None if no collection lies there."""
    folder = root / name
    try:
        record = yaml.safe_load((folder / RECORD).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    return Imported(name, folder, record if isinstance(record, dict) else {})


def remove(root: Path, name: str) -> None:
    """Remove the collection *name* from *root*, at one stroke for whoever loads rules.

    Raises:
        UsageError: there is no such collection.
    """
    ensure_name(name)
    if at(root, name) is None:
        known = ", ".join(one.name for one in listed(root)) or "none"
        raise UsageError(f"{root} holds no collection {name!r}; there are: {known}")
    away = Path(tempfile.mkdtemp(dir=root, prefix=".import-"))
    (root / name).rename(away / name)
    shutil.rmtree(away)


def ensure_name(name: str) -> None:
    """Raise UsageError if *name* cannot be that of a collection."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name for a collection: small letters, digits, - and _")
