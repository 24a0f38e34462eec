"""Identifiers as people describe them in ``rules/identifiers/*.yml``, and their compiled form.

Reading YAML and building the automaton takes a tenth of a second, so both are kept in one cache
file, named by what they were made from.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import hyperscan
import orjson

from kr_secops import content
from kr_secops.privacy.expression import EXACT, WIDE, compile_all, expand

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORM: Final = "4"
"""Counts up when the compiled form changes, so that no old cache file is read."""

GATE: Final = 0
"""The number, in `Descriptions.quick`, of the expression for eight digits in any notation."""
_DIGITS: Final = r"(?:[0-9](?:[ .\-()]|%20|\xc2\xa0|\xe2\x80[\x90-\x93]){0,3}){7}[0-9]"
_ESCAPED: Final = r"\\u00(?:3[0-9]|4[0-9A-Fa-f]|5[0-9AFaf]|6[1-9A-Fa-f]|7[0-9Aa]|2[0589DEde])"
"""A letter, a digit or what else stands within a value, as JSON may write it: no pattern sees it."""
_GATED_CHECKS: Final = frozenset({"nik", "kk", "npwp15", "npwp16", "mobile", "landline"})
"""Checks that accept nothing with fewer than eight digits."""
_GATED_PATTERN: Final = re.compile(
    r"(?:<(?:start|end|-|province|area|day40|month)>|\[[0-9\-]+\]|[0-9]|\{[0-9,]+\}|\(\?:|[()?|]"
    r"|\\[()+]|%2\[Bb\])+"
)
"""Patterns of digits and separators alone."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """One kind of personal data: how it looks, what proves it, what the law says of it."""

    id: str
    title: dict[str, str]
    patterns: tuple[tuple[str, str], ...]
    """Regular expression with its macros, and the name of its check."""
    labels: tuple[str, ...]
    """Words, or pairs of words, that stand before such a value or name its column."""
    confidence: dict[str, tuple[float, float, float]]
    """By what the label says (``labelled``, ``bare``, ``lookalike``): 0, plausible, strong."""
    show: tuple[int, int]
    """How many characters the masked form shows, at the beginning and at the end."""
    cls: str
    """``umum`` or ``spesifik``: general or specific personal data, UU 27/2022 Art. 4."""
    severity: str
    articles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Descriptions:
    """All identifiers, the words of look-alikes, and the automata of all patterns."""

    identifiers: tuple[Identifier, ...]
    lookalikes: tuple[str, ...]
    ends: hyperscan.Database
    """Says where a match ends: a third faster, for blocks of many lines."""
    quick: hyperscan.Database
    """The same, but with `GATE` in place of all patterns that are nothing but digits: several
    times faster where few lines hold so many."""
    places: hyperscan.Database
    """Says where a match begins as well, for single texts. The patterns are the same."""

    def patterns(self) -> Iterator[tuple[re.Pattern[bytes], list[tuple[Identifier, str]]]]:
        """Yield each exact expression with the identifiers and checks it is for, as numbered."""
        for pattern, uses in _distinct(self.identifiers).items():
            yield re.compile(expand(pattern, EXACT).encode("ascii")), uses


def _distinct(identifiers: tuple[Identifier, ...]) -> dict[str, list[tuple[Identifier, str]]]:
    """Return who uses which pattern: twins share one."""
    uses: dict[str, list[tuple[Identifier, str]]] = {}
    for identifier in identifiers:
        for pattern, check in identifier.patterns:
            uses.setdefault(pattern, []).append((identifier, check))
    return uses


def _is_gated(pattern: str, uses: list[tuple[Identifier, str]]) -> bool:
    """Return whether a match of *pattern* that passes its checks must pass the gate."""
    checks = {check for _, check in uses}
    return checks <= _GATED_CHECKS and bool(_GATED_PATTERN.fullmatch(pattern))


def load(cache_dir: Path | None = None) -> Descriptions:
    """Return the identifiers of every content folder, from *cache_dir* when nothing changed.

    Raises:
        ContentError: a description is wrong; carries every complaint.
    """
    sources = [
        (path, path.read_bytes())
        for folder in content.search_path("rules")
        for path in sorted((folder / "identifiers").glob("*.yml"))
    ]
    digest = hashlib.sha256(f"{FORM} {hyperscan.__version__}".encode())  # type: ignore[attr-defined]
    for path, text in sources:
        digest.update(b"%d %s\0%b" % (len(text), str(path).encode(), text))
    cached = cache_dir / f"identifiers-{digest.hexdigest()[:24]}.bin" if cache_dir else None
    try:
        if cached:
            return _unpack(cached.read_bytes())
    except (OSError, ValueError, LookupError, TypeError, hyperscan.HyperscanError):
        pass  # absent, cut short, or made on another processor: it is made anew below
    from kr_secops.privacy.reading import read

    table = read(sources)
    uses = _distinct(_identifiers(table))
    patterns = [expand(pattern, WIDE) for pattern in uses]
    others = [expand(pattern, WIDE) for pattern in uses if not _is_gated(pattern, uses[pattern])]
    automata = [
        compile_all([*patterns, _ESCAPED]),
        compile_all([_DIGITS, *others, _ESCAPED]),
        compile_all(patterns, hyperscan.HS_FLAG_SOM_LEFTMOST),
    ]
    if cached:
        _keep(cached, [orjson.dumps(table), *map(hyperscan.dumpb, automata)])
    return Descriptions(_identifiers(table), tuple(table["lookalikes"]), *automata)


def _identifiers(table: dict[str, Any]) -> tuple[Identifier, ...]:
    return tuple(
        Identifier(
            **{
                **row,
                "patterns": tuple(map(tuple, row["patterns"])),
                "labels": tuple(row["labels"]),
                "confidence": {name: tuple(scores) for name, scores in row["confidence"].items()},
                "show": tuple(row["show"]),
                "articles": tuple(row["articles"]),
            }
        )
        for row in table["identifiers"]
    )


def _keep(path: Path, parts: list[bytes]) -> None:
    """Write the cache file whole or not at all; a folder that cannot be written is no error."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new.write_bytes(b"".join(b"%d\n%b" % (len(part), part) for part in parts))
        new.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)


def _unpack(data: bytes) -> Descriptions:
    parts = []
    while data:
        length, _, data = data.partition(b"\n")
        parts.append(data[: int(length)])
        data = data[int(length) :]
    table = orjson.loads(parts[0])
    automata = [hyperscan.loadb(part, hyperscan.HS_MODE_BLOCK) for part in parts[1:]]
    for automaton in automata:
        automaton.scratch = hyperscan.Scratch(automaton)
    return Descriptions(_identifiers(table), tuple(table["lookalikes"]), *automata)
