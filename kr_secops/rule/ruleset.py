"""The rules of a run: found, compiled once, and read from the cache ever after.

ruleset = load(None, cache_dir=Path("~/.cache/kr-secops"))
ruleset.rules[0].title
"""

from __future__ import annotations

import marshal
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kr_secops import content
from kr_secops.errors import ContentError
from kr_secops.rule.cache import Cache, contents, fingerprint, machine, states
from kr_secops.rule.container import Compiled
from kr_secops.rule.correlation import Correlation
from kr_secops.rule.metadata import from_row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from kr_secops.rule.container import Part
    from kr_secops.rule.metadata import Rule

_SKIPPED: Final = frozenset({"identifiers", "controls"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a rule was not loaded."""

    complaint: str
    """``path:line:column: key: problem``."""
    rule_id: str
    """Empty where the file as a whole could not be read."""
    is_unanswered: bool = False
    """The rule is sound and only waits for a list that the site must give."""

    def __str__(self) -> str:
        return self.complaint


@dataclass(frozen=True, slots=True)
class FilterNote:
    """A filter: what it is for, and until when."""

    title: str
    path: str
    reason: str
    expires: str
    expired: bool
    """Its day has passed; it hides nothing any more."""


class Ruleset:
    """Compiled rules; parts are read when first asked for."""

    def __init__(self, compiled: Compiled, cache: Cache, digest: str) -> None:
        self.compiled = compiled
        self.cache = cache
        self.digest = digest
        """Names the contents, versions and machine that the set was made from and for."""

    def __len__(self) -> int:
        return int(self.compiled.head["count"])

    @cached_property
    def _parts(self) -> list[Any]:
        parts: list[Any] = self.compiled.value(self.compiled.head["rules"])
        return parts

    def rule(self, number: int) -> Rule:
        """Return one rule by its number."""
        return from_row(self.compiled.value(self._parts[number]))

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """All rules and correlations."""
        return tuple(self.rule(number) for number in range(len(self)))

    @cached_property
    def correlations(self) -> tuple[Correlation, ...]:
        """The correlations, each after those that it refers to."""
        return tuple(
            Correlation(*row) for row in self.compiled.value(self.compiled.head["correlations"])
        )

    @cached_property
    def refused(self) -> tuple[Refusal, ...]:
        """What was not loaded, and why."""
        return tuple(Refusal(*row) for row in self.compiled.value(self.compiled.head["refused"]))

    @cached_property
    def filters(self) -> tuple[FilterNote, ...]:
        """The filters that were read, expired ones too."""
        return tuple(FilterNote(*row) for row in self.compiled.value(self.compiled.head["filters"]))

    @cached_property
    def _trees(self) -> dict[int, dict[Part, None]]:
        """Rule → where its trees lie, each once."""
        found: dict[int, dict[Part, None]] = {}
        for alternative in self.compiled.value(self.compiled.head["alternatives"]):
            found.setdefault(alternative[0], {})[alternative[3]] = None
        return found

    def trees(self, number: int) -> list[Any]:
        """Return the trees, with the author's names, of the rule *number*."""
        return [self.compiled.value(part) for part in self._trees.get(number, ())]


def load(
    paths: Sequence[Path] | None,
    pipelines: Sequence[str | Path] = (),
    *,
    cache_dir: Path,
    skip_invalid: bool = False,
    today: date | None = None,
) -> Ruleset:
    """Return the rules below *paths*, from the cache when nothing changed.

    Args:
        paths: folders or files; None: the folders of `content.search_path`.
        pipelines: pySigma pipelines beside those found in ``pipelines/``: files, or names of them.
        cache_dir: where the compiled form is kept.
        skip_invalid: leave out what is wrong and name it in `Ruleset.refused`.
        today: the day by which filters expire; None: today, UTC.

    Raises:
        ContentError: something is wrong and *skip_invalid* is false; names everything.
    """
    today = today or datetime.now(UTC).date()
    roots = content.search_path("rules") if paths is None else list(paths)
    missing = [
        f"{root}:1:1: there is no such file or folder" for root in roots if not root.exists()
    ]
    if missing:
        raise ContentError(missing)
    support = list(dict.fromkeys([*content.search_path("rules"), *roots]))
    ruleset = _load(roots, support, [str(p) for p in pipelines], Cache(cache_dir), today)
    wrong = [refusal.complaint for refusal in ruleset.refused if not refusal.is_unanswered]
    if wrong and not skip_invalid:
        raise ContentError(wrong)
    return ruleset


def _load(
    roots: list[Path], support: list[Path], pipelines: list[str], cache: Cache, today: date
) -> Ruleset:
    watched = [
        *roots,
        *(folder / kind for folder in support for kind in ("pipelines", "placeholders")),
        *(Path(name) for name in pipelines if Path(name).is_file()),
    ]
    state = states([path for path in watched if path.exists()], _SKIPPED)
    asked = fingerprint(machine(), *map(str, roots), "", *map(str, support), "", *pipelines)
    pointer = cache.path(f"{asked}.state")
    if pointer is not None:
        known = _read_pointer(pointer)
        if known is not None and known[0] == state:
            found = _open(cache, known[1], today)
            if found is not None:
                return found
    return _compile(roots, support, pipelines, cache, today, (asked, state))


def _read_pointer(path: Path) -> tuple[bytes, str] | None:
    try:
        state, digest = marshal.loads(path.read_bytes())  # noqa: S302 (see `cache`)
    except (OSError, ValueError, EOFError, TypeError):
        return None
    return state, digest


def _open(cache: Cache, digest: str, today: date) -> Ruleset | None:
    path = cache.path(f"{digest}.rules")
    if path is None:
        return None
    try:
        compiled = Compiled.open(path)
    except (OSError, ValueError, EOFError, TypeError):
        return None
    until = compiled.head["until"]
    if until and today.isoformat() > until:
        return None
    return Ruleset(compiled, cache, digest)


def _compile(
    roots: list[Path],
    support: list[Path],
    pipelines: list[str],
    cache: Cache,
    today: date,
    pointer: tuple[str, bytes],
) -> Ruleset:
    """Read everything; compile unless a set of the same contents is there already."""
    from kr_secops.rule.logsource import Pipelines, find_lists, find_pipelines, read_list
    from kr_secops.rule.source import find_files

    found = [(path, root, _text(path)) for path, root in find_files(roots)]
    pipes = find_pipelines(support, pipelines)
    lists = find_lists(support)
    others = [(path, _text(path)) for path in (*pipes, *lists.values())]
    everything = contents([*((path, text) for path, _, text in found), *others])
    digest = fingerprint(machine(), everything, today.isoformat() if _has_filters(found) else "")
    asked, state = pointer
    ruleset = _open(cache, digest, today)
    if ruleset is None:
        from kr_secops.rule.build import compile_files

        chosen = Pipelines(pipes, {name: read_list(path) for name, path in lists.items()})
        data = compile_files(found, chosen, today)
        cache.write(f"{digest}.rules", data)
        ruleset = Ruleset(Compiled(data), cache, digest)
    cache.write(f"{asked}.state", marshal.dumps((state, digest)))
    return ruleset


def _text(path: Path) -> bytes | None:
    """Return what *path* holds; None if it cannot be read: who parses it says why."""
    from kr_secops.document.reading import read_bytes

    try:
        return read_bytes(path)
    except OSError:
        return None


def _has_filters(files: Sequence[tuple[Path, Path, bytes | None]]) -> bool:
    texts = (text for _, _, text in files if text)
    return any(b"\nfilter:" in text or text.startswith(b"filter:") for text in texts)
