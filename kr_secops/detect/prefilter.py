"""The raw prefilter: which lines of a block any rule could match, before anything is parsed.

For each way a collector's lines can look, each rule is reduced to what the line decides
(`residue`), and from that to texts of which one must stand in the line. All texts of a collector
go into one hyperscan database that runs over whole blocks; a quiet log costs one scan.

Lower-casing turns a few other letters into ASCII (the Kelvin sign into k), so lines with those are
always taken; lines with ``%`` are decoded and scanned once more.
"""

from __future__ import annotations

import bisect
import itertools
import marshal
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import unquote_to_bytes

from kr_secops.detect.residue import (
    PRIVACY,
    anchors,
    is_filed_elsewhere,
    requirements,
    residue,
)
from kr_secops.rule.cache import fingerprint
from kr_secops.rule.tree import field_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kr_secops.collect.interface import Shape
    from kr_secops.detect.residue import (
        Text,
        Texts,
    )
    from kr_secops.rule.ruleset import Ruleset
    from kr_secops.rule.tree import Node

SAMPLE: Final = 1 << 16
"""Bytes of the first block by which the rarest of a rule's texts are chosen."""

FAIR: Final = 1 << 14
"""Bytes from which on a sample speaks for a log: what a shorter one chose is not kept."""

MOST_TEXTS: Final = 64
MOST_SETS: Final = 2
"""So much is asked of a line beside the text that was found in it."""

Scan: TypeAlias = "Callable[..., Any]"
Guard: TypeAlias = "tuple[Texts, ...]"
"""What a line must hold beside a text: one text of each set."""
Guards: TypeAlias = "list[tuple[frozenset[int], ...]] | None"
"""The guards of a text, each enough, by numbers of texts; None: it needs none."""

_ODD: Final = (b"\xe2\x84\xaa", b"\xc4\xb0", b"\xc5\xbf", b"\xc4\xb1")
"""Kelvin sign, I with a dot, long s, dotless i: letters that meet ASCII ones without regard to
case."""


class Prefilter:
    """The texts of one collector, ready to scan with."""

    def __init__(self, candidates: Candidates, store: Callable[[bytes], None]) -> None:
        """Take what may be looked for; what is, the first block decides.

        Args:
            candidates: the rules that fit the collector's lines.
            store: keeps the finished database for the next run.
        """
        self.wants_privacy = candidates.wants_privacy
        self._candidates: Candidates | None = candidates
        self._store = store
        self._ready = False
        self._everything = False
        self._guards: list[Guards] = []
        self._raw: Scan | None = None
        self._again: Scan | None = None
        self._decoded: Scan | None = None

    @classmethod
    def of(cls, kept: bytes) -> Prefilter:
        """Return the prefilter that an earlier run kept."""
        wants_privacy, *rest = marshal.loads(kept)  # noqa: S302 (see `cache`)
        made = cls(Candidates(wants_privacy=wants_privacy), lambda _: None)
        made._candidates = None
        made._use(*rest)
        return made

    def _use(
        self, everything: bool, blobs: tuple[bytes, bytes, bytes], guards: list[Guards]
    ) -> None:
        from kr_secops.detect.candidates import load_scanner

        self._ready = True
        self._everything = everything
        self._guards = guards
        self._raw, self._again, self._decoded = (
            load_scanner(blob) if blob else None for blob in blobs
        )

    def lines(self, data: bytes) -> list[int] | None:
        """Return where the lines of *data* begin that a rule could match; None: all."""
        if self._candidates is not None and (not self._ready or len(data) >= FAIR):
            self._settle(data[:SAMPLE])
        if self._everything:
            return None
        starts = self._raw_lines(data, self._raw) if self._raw is not None else set()
        if self._decoded is not None and b"%" in data:
            starts |= _decoded_lines(data, self._decoded)
        return sorted(starts)

    def _raw_lines(self, data: bytes, scan: Scan) -> set[int]:
        """Return the lines that hold a text, and what else is asked of a line with that text."""
        hits: list[tuple[int, int]] = []

        def note(text: int, _: int, end: int, *__: Any) -> None:
            hits.append((end, text))

        scan(data, match_event_handler=note)
        guards = self._guards
        taken: set[int] = set()
        asked: dict[int, set[int]] = {}
        parts: list[bytes] = []
        start = stop = -1
        for end, text in sorted(hits):
            if end > stop:
                start = data.rfind(b"\n", 0, end - 1) + 1
                stop = data.find(b"\n", end - 1) + 1 or len(data)
            if guards[text] is None:
                taken.add(start)
            elif start in asked:
                asked[start].add(text)
            else:
                asked[start] = {text}
                parts.append(data[start:stop])
        if self._again is not None and parts:
            owners = list(asked)
            for i, held in _find(self._again, parts).items():
                texts = asked[owners[i]]
                if any(_is_met(guard, held) for text in texts for guard in guards[text] or ()):
                    taken.add(owners[i])
        return taken

    def _settle(self, sample: bytes) -> None:
        assert self._candidates is not None
        wanted = self._candidates.choose(sample)
        if wanted is None:
            kept: tuple[Any, ...] = (True, (b"", b"", b""), [])
        else:
            raw = [text for text in wanted if not text.decoded]
            again: dict[Text, int] = {}
            guards: list[Guards] = []
            for text in raw:
                mine = wanted[text]
                guards.append(None if mine is None else [_numbered(g, again) for g in mine])
            decoded = [text for text in wanted if text.decoded]
            blobs = (_database(raw), _database(list(again)), _database(decoded))
            kept = (False, blobs, [*guards, *(None for _ in _ODD)])
        if len(sample) >= FAIR:
            self._candidates = None
            self._store(marshal.dumps((self.wants_privacy, *kept)))
        self._use(*kept)


def _decoded_lines(data: bytes, scan: Scan) -> set[int]:
    """Return the lines with a ``%`` that hold a text once they are decoded."""
    starts: list[int] = []
    parts: list[bytes] = []
    at = data.find(b"%")
    while at >= 0:
        start = data.rfind(b"\n", 0, at) + 1
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        starts.append(start)
        line = data[start:end].replace(b"+", b" ")
        parts.append(unquote_to_bytes(unquote_to_bytes(line)) + b"\n")
        at = data.find(b"%", end)
    return {starts[i] for i in _find(scan, parts)}


def _find(scan: Scan, parts: list[bytes]) -> dict[int, set[int]]:
    """Return the places of *parts* that hold any text, with the texts they hold."""
    offsets = list(itertools.accumulate(map(len, parts), initial=0))
    found: dict[int, set[int]] = {}

    def note(text: int, _: int, end: int, *__: Any) -> None:
        found.setdefault(bisect.bisect_right(offsets, end - 1) - 1, set()).add(text)

    scan(b"".join(parts), match_event_handler=note)
    return found


def _numbered(guard: Guard, numbers: dict[Text, int]) -> tuple[frozenset[int], ...]:
    return tuple(
        frozenset(numbers.setdefault(text, len(numbers)) for text in group) for group in guard
    )


@dataclass(slots=True)
class Candidates:
    """What is left of every rule on every shape of a collector."""

    wants_privacy: bool = False
    shapes: list[Shape] = field(default_factory=list)
    residues: dict[tuple[Node | bool, int], None] = field(default_factory=dict)
    """What is left of a rule, and the place of the shape."""

    def choose(self, sample: bytes) -> dict[Text, list[Guard] | None] | None:
        """Return the texts to look for, the rarest by *sample*; None: every line is wanted."""
        low = sample.lower()
        counts: dict[Text, float] = {}

        def cost(text: Text) -> float:
            if text not in counts:
                found = low.count(text.data.lower()) if text.caseless else sample.count(text.data)
                counts[text] = found + 10 ** (-min(len(text.data), 24) / 8)
            return counts[text]

        wanted: dict[Text, list[Guard] | None] = {}
        for node, place in self.residues:
            shape = self.shapes[place]
            if isinstance(node, bool):
                sure = anchors(shape)
                sets = [] if sure is None else [sure]
            else:
                sets = requirements(node, shape, cost)
            if not sets:
                return None
            guard = _guard(sets[1:])
            for text in sets[0]:
                known = wanted.get(text, [])
                if known is not None and guard not in known:
                    wanted[text] = [*known, guard] if guard else None
        return wanted


def _guard(sets: list[Texts]) -> Guard:
    """Return what else a line must hold: one of each of these sets."""
    usable = [s for s in sets if len(s) <= MOST_TEXTS and not any(t.decoded for t in s)]
    return tuple(usable[:MOST_SETS])


def _is_met(guard: tuple[frozenset[int], ...], held: set[int]) -> bool:
    return all(not group.isdisjoint(held) for group in guard)


def load(ruleset: Ruleset, collector_key: str, shapes: tuple[Shape, ...]) -> Prefilter:
    """Return the prefilter of a collector's *shapes*, from the cache if it was made before."""
    described = marshal.dumps(
        [
            (
                *(s.anchors, sorted(s.constants.items()), sorted(s.fields), sorted(s.derived)),
                sorted((name, *edge) for name, edge in s.edges.items()),
            )
            for s in shapes
        ]
    )
    name = f"{fingerprint(ruleset.digest, collector_key, described)}.scan"
    path = ruleset.cache.path(name)
    if path is not None:
        try:
            return Prefilter.of(path.read_bytes())
        except (OSError, ValueError, EOFError, TypeError):
            pass  # torn or foreign: made anew and written over
    return Prefilter(_candidates(ruleset, shapes), lambda data: ruleset.cache.write(name, data))


def _candidates(ruleset: Ruleset, shapes: Sequence[Shape]) -> Candidates:
    found = Candidates(shapes=list(shapes))
    for row in ruleset.compiled.value(ruleset.compiled.head["alternatives"]):
        tree = ruleset.compiled.value(row[2])
        private = frozenset(name for name in field_names(tree) if name.startswith(PRIVACY))
        for place, shape in enumerate(shapes):
            if is_filed_elsewhere(tree, shape):
                continue
            if private and not found.wants_privacy:
                opened = replace(shape, derived=shape.derived | private)
                found.wants_privacy = residue(tree, opened) is not False
            left = residue(tree, shape)
            if left is not False:
                found.residues[left, place] = None
    return found


def _database(wanted: Sequence[Text]) -> bytes:
    """Return a serialised database that reports each text by its place, then the odd letters."""
    if not wanted:
        return b""
    import hyperscan

    literals = [text.data for text in wanted] + list(_ODD)
    flags = [hyperscan.HS_FLAG_CASELESS if text.caseless else 0 for text in wanted]
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=literals,
        ids=list(range(len(literals))),
        elements=len(literals),
        flags=[*flags, *(0 for _ in _ODD)],
        literal=True,
    )
    blob: bytes = hyperscan.dumpb(database)
    return blob
