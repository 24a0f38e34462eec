"""All collectors, read from their files; what was found right once is kept and not checked again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import orjson

from kr_secops import content, ecs
from kr_secops.collect import pattern
from kr_secops.collect.collector import CHECKED, Collector, Description
from kr_secops.document import examine, validate
from kr_secops.errors import ContentError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FORM: Final = "2"
"""Counts up when what is kept, or what is right, changes."""


def load(cache_dir: Path | None = None) -> dict[str, Collector]:
    """Return all collectors by id, a site's own before the shipped ones.

    Args:
        cache_dir: a folder of our own in which to keep what was found; None: nothing is kept.

    Raises:
        ContentError: carries every complaint about the files.
    """
    return _load(tuple(content.search_path("collectors")), cache_dir)


@lru_cache(maxsize=2)
def _load(folders: tuple[Path, ...], cache_dir: Path | None) -> dict[str, Collector]:
    sources = [(p, _bytes(p)) for folder in folders for p in sorted(folder.glob("*.yml"))]
    kept = cache_dir / f"collectors-{_digest(sources)}.json" if cache_dir else None
    found = _kept(kept) if kept else None
    if found is None:
        found = _read(sources)
        if kept:
            _keep(kept, found)
    return _with_companions(found)


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None  # why, `examine` says


def _read(sources: Iterable[tuple[Path, bytes | None]]) -> dict[str, Collector]:
    complaints: list[str] = []
    found: dict[str, Collector] = {}
    for path, text in sources:
        documents, problems = examine(path, text)
        complaints += problems
        if problems or not documents:
            continue
        try:
            description = validate(documents[0], Description)
        except ContentError as e:
            complaints += e.complaints
            continue
        found[description.id] = Collector(description, path=str(path))
    if complaints:
        raise ContentError(complaints)
    return found


def _digest(sources: Iterable[tuple[Path, bytes | None]]) -> str:
    digest = hashlib.sha256(f"{FORM} {ecs.VERSION} {sys.version}".encode())
    for path, text in sources:
        content_of = text or b""
        digest.update(b"%d %s\0%b" % (len(content_of), os.fsencode(path), content_of))
    return digest.hexdigest()[:24]


def _kept(path: Path) -> dict[str, Collector] | None:
    try:
        kept: dict[str, Any] = orjson.loads(path.read_bytes())
        pattern.remember(kept["patterns"])
        return {
            row["id"]: Collector(Description.model_validate(row, context=CHECKED), path=name)
            for name, row in kept["collectors"]
        }
    except (OSError, ValueError, LookupError, TypeError):
        return None  # absent or cut short: it is made anew


def _keep(path: Path, found: dict[str, Collector]) -> None:
    """Write the file whole or not at all; a folder that cannot be written is no error."""
    rows = [
        (one.path, one.description.model_dump(mode="json", exclude_unset=True))
        for one in found.values()
    ]
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        new.write_bytes(orjson.dumps({"collectors": rows, "patterns": pattern.known()}))
        new.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)


def _with_companions(found: dict[str, Collector]) -> dict[str, Collector]:
    programs = tuple(c for c in found.values() if c.description.programs)
    return {
        name: replace(collector, companions=programs)
        if collector.description.format == "syslog" and not collector.description.programs
        else collector
        for name, collector in found.items()
    }
