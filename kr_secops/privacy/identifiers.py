"""Finds personal data in text: pattern, then check, then the words around it.

    find("NIK Siti: 6112 0157 0890 0003") == [Span(10, 29, "nik", 0.99, "umum")]

One automaton holds all patterns. Over a block of many lines it says which lines are worth parsing;
over one text it says where to look closer. So whatever `Finder.find` reports on a line, that line
is among `Finder.lines` by construction.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from kr_secops.privacy import description, indonesia

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from kr_secops.privacy.description import Descriptions, Identifier

LOOKALIKE: Final = "lookalike"
"""Label of words that say that a number is none of ours: invoice, IMEI, order."""

_REACH: Final = 48
"""How far before a value a label may stand, in bytes."""
_LONGEST: Final = 256
"""How far a value may go on after what the automaton asks for, in bytes: an address's domain."""
_SAMPLE: Final = 1 << 14
_LITTLE: Final = 1 << 17
_FEW: Final = 4
"""Lines with many digits are few if they are not one in so many."""
_LIST_GAP: Final = 6
"""Values that stand this near, with no word between them, are a list under one label."""

_TOKEN: Final = re.compile(rb'%[0-9A-Fa-f]{2}|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[&?;]|,"')
_STOPS: Final = frozenset({b"&", b"?", b";", b',"', b"%26", b"%3b", b"%3f"})
_LONG_NUMBER: Final = re.compile(r"[0-9]{4}")
_QUOTED: Final = re.compile(r'"[^"]*"')


@dataclass(frozen=True, slots=True)
class Span:
    """Where a value stands in a text (characters, half open), what it is, and how sure that is."""

    start: int
    end: int
    type: str
    confidence: float
    cls: str
    """``umum`` or ``spesifik``, UU 27/2022 Art. 4; a child's data are always ``spesifik``."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of a table hold: a header names what its rows do not."""

    delimiter: str
    labels: tuple[str | None, ...]

    def at(self, line: str) -> str | None:
        """Return the label of the column that begins where *line*, a row's beginning, ends."""
        place = _QUOTED.sub("", line).count(self.delimiter)
        return self.labels[place] if place < len(self.labels) else None


class _Lines:
    """Collects the beginnings of the lines of a block on which something ends."""

    __slots__ = ("_data", "_end", "_first", "starts")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._first = self._end = 0
        self.starts: set[int] = set()

    def note(self, to: int) -> None:
        """Take the line of the match that ends before *to*, or whose edge does."""
        data, last = self._data, to - 1
        if self._first <= last < self._end:
            return
        self._first = data.rfind(b"\n", 0, last) + 1
        self._end = data.find(b"\n", last) + 1 or len(data) + 1
        self.starts.add(self._first)


class Finder:
    """Finds the identifiers of some descriptions."""

    def __init__(self, descriptions: Descriptions) -> None:
        self.identifiers = {one.id: one for one in descriptions.identifiers}
        self._descriptions = descriptions
        self._patterns = [
            _Pattern(
                expression,
                expression.groupindex.get("value", 0),
                tuple((identifier, indonesia.CHECKS[check]) for identifier, check in uses),
            )
            for expression, uses in descriptions.patterns()
        ]
        self._words: dict[tuple[bytes, ...], str] = {}
        for label, words in [
            (LOOKALIKE, descriptions.lookalikes),
            *((one.id, one.labels) for one in descriptions.identifiers),
        ]:
            for word in words:
                self._words[tuple(word.lower().encode().split())] = label

    def lines(self, data: bytes) -> list[int]:
        """Return where the lines of *data* begin that may hold personal data, ascending."""
        # Little data is not worth two passes; a Windows record holds dozens of long numbers.
        if len(data) <= _LITTLE or self._is_dense(data[:_SAMPLE]):
            return self._all(data)
        found = _Lines(data)
        gated = _Lines(data)

        def note(number: int, _from: int, to: int, _flags: int, _context: object) -> None:
            (gated if number == description.GATE else found).note(to)

        self._descriptions.quick.scan(data, match_event_handler=note)
        starts = found.starts
        if gated.starts:
            starts |= self._gated(data, sorted(gated.starts))
        return sorted(starts)

    def _is_dense(self, sample: bytes) -> bool:
        """Return whether many lines hold many digits, so that asking for them first is in vain."""
        gated = _Lines(sample)

        def note(number: int, _from: int, to: int, _flags: int, _context: object) -> None:
            if number == description.GATE:
                gated.note(to)

        self._descriptions.quick.scan(sample, match_event_handler=note)
        return len(gated.starts) * _FEW > sample.count(b"\n")

    def _all(self, data: bytes) -> list[int]:
        found = _Lines(data)
        self._descriptions.ends.scan(
            data, match_event_handler=lambda _i, _from, to, _f, _c: found.note(to)
        )
        return sorted(found.starts)

    def _gated(self, data: bytes, lines: list[int]) -> set[int]:
        """Return those of *lines*, which hold many digits, in which any pattern matches."""
        parts: list[bytes] = []
        offsets: dict[int, int] = {}
        length = 0
        for start in lines:
            end = data.find(b"\n", start) + 1 or len(data)
            offsets[length] = start
            parts.append(data[start:end])
            length += end - start
        return {offsets[start] for start in self._all(b"".join(parts))}

    def columns(self, header: str) -> Columns | None:
        """Return what *header*, the first line of a table, says of its columns; None: nothing."""
        delimiter = max(",;\t|", key=header.count)
        names = next(csv.reader([header], delimiter=delimiter), [])
        labels = tuple(self._word(name) for name in names)
        # A line of data names no column, but holds numbers.
        if delimiter not in header or not any(labels) or _LONG_NUMBER.search(header):
            return None
        return Columns(delimiter, labels)

    def _word(self, name: str) -> str | None:
        tokens = [token.lower() for token in _TOKEN.findall(name.encode())]
        for i in range(len(tokens)):
            label = self._words.get(tuple(tokens[i : i + 2])) or self._words.get((tokens[i],))
            if label:
                return label
        return None

    def find(
        self, text: str, *, columns: Columns | None = None, on: date | None = None
    ) -> list[Span]:
        """Return the personal data in *text*, in order and without overlaps.

        Args:
            text: A line, a field's value, a paragraph.
            columns: What the columns hold, when *text* is a row of a table.
            on: The day by which to tell a child's NIK; None: not told.
        """
        data = text.encode("utf-8", "surrogatepass")
        hits: list[tuple[int, int, int]] = []
        self._descriptions.places.scan(
            data, match_event_handler=lambda i, start, end, _f, _c: hits.append((i, start, end))
        )
        if not hits:
            return []
        spans = self._decide(data, sorted(self._candidates(data, hits), key=_place), columns, on)
        return spans if len(data) == len(text) else _in_characters(spans, data)

    def _candidates(self, data: bytes, hits: list[tuple[int, int, int]]) -> Iterator[_Candidate]:
        """Yield what passes its check; the automaton's edges are a little wide."""
        done = [0] * len(self._patterns)
        for number, first, last in hits:
            pattern = self._patterns[number]
            at = max(done[number], first)
            m = pattern.expression.search(data, at, last + _LONGEST) if at < last else None
            # One that begins later belongs to a later hit; one that ends later is reported again.
            if not m or m.start() > last:
                continue
            start = m.start(pattern.group)
            for identifier, check in pattern.uses:
                verdict, length = check(m[pattern.group])
                if verdict:
                    yield _Candidate(start, start + length, identifier, verdict)
                    done[number] = start + length

    def _decide(
        self, data: bytes, candidates: list[_Candidate], columns: Columns | None, on: date | None
    ) -> list[Span]:
        """Let the words before each candidate decide what it is, or that it is nothing."""
        spans: list[Span] = []
        start, label, listed = -1, None, None
        for one in candidates:
            if one.start != start:
                start = one.start
                label, listed = (
                    (columns.at(_row(data, start)), None)
                    if columns
                    else self._label(data, start, spans)
                )
            if one.identifier.id in (label, listed):
                state = "labelled"
            else:
                state = LOOKALIKE if label == LOOKALIKE else "bare"
            confidence = one.identifier.confidence[state][one.verdict]
            if not confidence:
                continue
            span = Span(one.start, one.end, one.identifier.id, confidence, _cls(one, data, on))
            if not spans or spans[-1].end <= one.start:
                spans.append(span)
            elif _weight(span) > _weight(spans[-1]):
                spans[-1] = span
        return spans

    def _label(self, data: bytes, start: int, spans: list[Span]) -> tuple[str | None, str | None]:
        """Return what the nearest word before *start* says, and what the list it is in began with.

        ``hp 0812…, 0813…`` is a list: the second number has the first one's label.
        """
        before = next((span for span in reversed(spans[-2:]) if span.end <= start), None)
        floor = before.end if before else 0
        gap = data[max(floor, start - _REACH) : start]
        gap = gap[gap.rfind(b"\n") + 1 :]
        tokens = [token.lower() for token in _TOKEN.findall(gap)]
        for i in range(len(tokens) - 1, -1, -1):
            if tokens[i] in _STOPS:
                return None, None
            label = self._words.get(tuple(tokens[i - 1 : i + 1])) or self._words.get((tokens[i],))
            if label:
                return label, None
        if before and not tokens and start - floor <= _LIST_GAP:
            scores = self.identifiers[before.type].confidence["labelled"]
            return None, before.type if before.confidence in scores else None
        return None, None


@dataclass(frozen=True, slots=True)
class _Pattern:
    expression: re.Pattern[bytes]
    group: int
    uses: tuple[tuple[Identifier, Callable[[bytes], indonesia.Verdict]], ...]


class _Candidate(NamedTuple):
    start: int
    end: int
    identifier: Identifier
    verdict: int


def _place(one: _Candidate) -> tuple[int, int]:
    return one.start, -one.end


def _weight(span: Span) -> tuple[int, float]:
    """The longer of two that overlap is right (a phone number within an address), then the surer."""
    return span.end - span.start, span.confidence


def _row(data: bytes, start: int) -> str:
    return data[data.rfind(b"\n", 0, start) + 1 : start].decode("utf-8", "replace")


def _cls(one: _Candidate, data: bytes, on: date | None) -> str:
    if on is not None and one.identifier.id == "nik":
        number = indonesia.digits(data[one.start : one.end])
        if indonesia.is_child(number.decode("ascii"), on):
            return "spesifik"
    return one.identifier.cls


def _in_characters(spans: list[Span], data: bytes) -> list[Span]:
    """Return *spans*, whose places count bytes of UTF-8, with places in characters."""
    result = []
    characters, at = 0, 0
    for span in spans:
        characters += len(data[at : span.start].decode("utf-8", "surrogatepass"))
        length = len(data[span.start : span.end].decode("utf-8", "surrogatepass"))
        result.append(replace(span, start=characters, end=characters + length))
        characters, at = characters + length, span.end
    return result


@cache
def _shipped() -> Finder:
    return Finder(description.load())


def find(text: str, *, columns: Columns | None = None, on: date | None = None) -> list[Span]:
    """Return the personal data in *text* by the described identifiers; see `Finder.find`."""
    return _shipped().find(text, columns=columns, on=on)
