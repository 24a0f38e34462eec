"""Sigma read a second time, slowly and straight from the document.

No pySigma, no tree, no lower-cased texts, no expression made of a wildcard: what the engine says is
checked against this. It judges one detection on one event and takes for granted that the rule is
lawful.
"""

from __future__ import annotations

import base64
import ipaddress
import math
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kr_secops.detect.matcher import word_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Lists = Mapping[str, list[str]]

MANY, ONE = object(), object()
"""The wildcards ``*`` and ``?`` among the letters of a pattern."""
DASHES = "-/\u2013\u2014\u2015"
FLAGS = {
    "i": re.IGNORECASE, "ignorecase": re.IGNORECASE, "m": re.MULTILINE, "multiline": re.MULTILINE, "s": re.DOTALL, "dotall": re.DOTALL,
}  # fmt: skip
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
}
UNITS = ("minute", "hour", "day", "week", "month", "year")
ENCODINGS = {
    "wide": "utf-16-le", "utf16le": "utf-16-le", "utf16be": "utf-16-be", "utf16": "utf-16-le",
}  # fmt: skip
TEXTUAL = {
    *ENCODINGS, "contains", "startswith", "endswith", "windash", "base64", "base64offset", "expand",
    "cased", "all", "neq",
}  # fmt: skip


def is_true(detection: Mapping[str, Any], event: Mapping[str, Any], lists: Lists) -> bool:
    """Return whether *detection* is true of *event*."""
    condition = detection["condition"]
    conditions = condition if isinstance(condition, list) else [condition]
    return any(_Condition(one, detection, event, lists).value() for one in conditions)


class _Condition:
    """Judges a condition from left to right, every part of it."""

    def __init__(self, text: str, parts: Mapping[str, Any], event: Any, lists: Lists) -> None:
        self.words = re.findall(r"[()]|[^\s()]+", text)
        self.parts, self.event, self.lists = parts, event, lists

    def value(self) -> bool:
        found = self.choice()
        assert not self.words, self.words
        return found

    def choice(self) -> bool:
        found = self.union()
        while self.words[:1] == ["or"]:
            del self.words[0]
            found = self.union() or found
        return found

    def union(self) -> bool:
        found = self.single()
        while self.words[:1] == ["and"]:
            del self.words[0]
            found = self.single() and found
        return found

    def single(self) -> bool:
        word = self.words.pop(0)
        if word == "not":
            return not self.single()
        if word == "(":
            found = self.choice()
            assert self.words.pop(0) == ")"
            return found
        if self.words[:1] == ["of"]:
            del self.words[0]
            some = [self.part(name) for name in self.names(self.words.pop(0))]
            assert some
            return all(some) if word == "all" else any(some)
        return self.part(word)

    def names(self, pattern: str) -> list[str]:
        wanted = "*" if pattern == "them" else pattern
        shape = re.compile(".*".join(map(re.escape, wanted.split("*"))))
        return [
            name
            for name in self.parts
            if name != "condition"
            and shape.fullmatch(name)
            and (wanted.startswith("_") or not name.startswith("_"))
        ]

    def part(self, name: str) -> bool:
        return self.definition(self.parts[name])

    def definition(self, definition: Any) -> bool:
        if isinstance(definition, dict):
            return all(self.item(key, value) for key, value in definition.items())
        if isinstance(definition, list):
            return any(self.definition(one) for one in definition)
        return self.item("", definition)

    def item(self, key: str, value: Any) -> bool:
        field, *modifiers = key.split("|")
        values = value if isinstance(value, list) else [value]
        found = [_holds(field, modifiers, one, self.event, self.lists) for one in values]
        return (all(found) if "all" in modifiers else any(found)) != ("neq" in modifiers)


@dataclass(frozen=True)
class _Pattern:
    letters: tuple[Any, ...]
    cased: bool = False

    def fits(self, text: str) -> bool:
        """Compare letter by letter; ``?`` takes one letter as it stood, whatever its small form."""
        units = [_small(c) if not self.cased else c for c in text]
        flat = "".join(units)
        after = {}
        at = 0
        for unit in units:
            after[at] = at + len(unit)
            at += len(unit)
        places = {0}
        for letter in self.letters:
            if letter is MANY:
                places = set(range(min(places, default=len(flat) + 1), len(flat) + 1))
            elif letter is ONE:
                places = {after[p] for p in places if p in after}
            else:
                small = letter if self.cased else _small(letter)
                places = {p + len(small) for p in places if flat.startswith(small, p)}
        return len(flat) in places


def _small(letter: str) -> str:
    return letter.lower().replace("\u03c2", "\u03c3")


def parse(text: str) -> tuple[Any, ...]:
    """Return the letters and wildcards of a value as written in a rule."""
    letters: list[Any] = []
    rest = list(text)
    while rest:
        letter = rest.pop(0)
        if letter == "\\" and rest and rest[0] in "\\*?":
            letters.append(rest.pop(0))
        else:
            letters.append({"*": MANY, "?": ONE}.get(letter, letter))
    return tuple(letters)


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [
        str(one).lower() if isinstance(one, bool) else str(one) for one in values if one is not None
    ]


def _holds(field: str, modifiers: list[str], value: Any, event: Any, lists: Lists) -> bool:
    if "exists" in modifiers:
        return (field in event) == value
    found = _texts(event.get(field)) if field else word_values(event)
    if value is None:
        return not found
    if "fieldref" in modifiers:
        return _refers(modifiers, found, _texts(event.get(value)))
    if field and value == "" and {*modifiers} <= {"cased", "neq", "all"}:
        return "" in found or (field in event and event[field] is None)
    return any(map(_test(field, modifiers, value, lists), found))


def _test(field: str, modifiers: list[str], value: Any, lists: Lists) -> Callable[[str], object]:
    """Return what one text of an event must pass."""
    if "cidr" in modifiers:
        return lambda text: _is_inside(text, str(value))
    units = [name for name in modifiers if name in UNITS]
    compare = [name for name in modifiers if name in COMPARE]
    if units or compare:
        test = COMPARE[compare[0]] if compare else (lambda a, b: a == b)
        return lambda text: any(test(n, value) for n in (_unit if units else _number)(text, units))
    if "re" in modifiers:
        return _search(modifiers, str(value), lists)
    patterns = list(_patterns(value, modifiers, lists))
    if not field:
        patterns = [replace(p, letters=(MANY, *p.letters, MANY)) for p in patterns]
    return lambda text: any(pattern.fits(text) for pattern in patterns)


def _refers(modifiers: list[str], found: list[str], others: list[str]) -> bool:
    pairs = [(_folded(a), _folded(b)) for a in found for b in others]
    both = {"startswith", "endswith"} <= set(modifiers)
    if "contains" in modifiers or both:
        return any(b in a for a, b in pairs)
    if "startswith" in modifiers:
        return any(a.startswith(b) for a, b in pairs)
    if "endswith" in modifiers:
        return any(a.endswith(b) for a, b in pairs)
    return any(a == b for a, b in pairs)


def _folded(text: str) -> str:
    return "".join(map(_small, text))


def _is_inside(text: str, network: str) -> bool:
    inside = ipaddress.ip_network(network)
    try:
        address = ipaddress.ip_address(text.split("%", maxsplit=1)[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address in inside or (mapped is not None and mapped in inside)


def _number(text: str, _: list[str]) -> list[float]:
    try:
        number = float(text)
    except ValueError:
        return []
    return [number] if math.isfinite(number) and "_" not in text else []


def _unit(text: str, units: list[str]) -> list[float]:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return []
    return [at.isocalendar().week if units[0] == "week" else getattr(at, units[0])]


def _search(modifiers: list[str], text: str, lists: Lists) -> Callable[[str], object]:
    flags = 0
    for name in modifiers:
        flags |= FLAGS.get(name, 0)
    if "expand" in modifiers:
        choice = {name: "|".join(map(_expression, values)) for name, values in lists.items()}
        text = re.sub("%([^%]+)%", lambda found: f"(?:{choice[found[1]]})", text)
    return re.compile(text, flags).search


def _expression(value: str) -> str:
    wild = {MANY: ".*", ONE: "."}
    return "".join(wild[c] if c in wild else re.escape(c) for c in parse(value))


def _patterns(value: Any, modifiers: list[str], lists: Lists) -> Iterator[_Pattern]:
    """Yield what the modifiers, each in its turn, make of a value."""
    if not isinstance(value, str):
        (value,) = _texts(
            int(value) if not isinstance(value, bool) and value == int(value) else value
        )
    patterns = [_Pattern(parse(value))]
    for i, name in enumerate(modifiers):
        if name == "cased":
            patterns = [replace(pattern, cased=True) for pattern in patterns]
        else:
            marked = "utf16" in modifiers[:i]
            patterns = [
                replace(pattern, letters=letters)
                for pattern in patterns
                for letters in _modified(name, pattern.letters, lists, marked)
            ]
    yield from patterns


def texts_of(value: Any, modifiers: list[str], lists: Lists) -> list[str]:
    """Return texts that fit a value under *modifiers* that make a pattern of it; else none."""
    if not isinstance(value, str) or not {*modifiers} <= TEXTUAL:
        return []
    spelt = {MANY: ("", "xx"), ONE: ("y", "y")}
    return [
        "".join(spelt[c][long] if c in spelt else c for c in pattern.letters)
        for pattern in _patterns(value, modifiers, lists)
        for long in (0, 1)
    ]


def _modified(
    name: str, letters: tuple[Any, ...], lists: Lists, marked: bool
) -> Iterator[tuple[Any, ...]]:
    before = (MANY,) if letters[:1] != (MANY,) else ()
    after = (MANY,) if letters[-1:] != (MANY,) else ()
    if name == "contains":
        yield (*before, *letters, *after)
    elif name == "startswith":
        yield (*letters, *after)
    elif name == "endswith":
        yield (*before, *letters)
    elif name == "windash":
        yield from _dashed(letters)
    elif name in ENCODINGS:
        wide = (b for c in letters for b in ([c] if c in (MANY, ONE) else _bytes(name, c)))
        yield (*(["\ufeff"] if name == "utf16" else []), *wide)
    elif name in ("base64", "base64offset"):
        text = "".join(letters)
        data = b"\xff\xfe" + text[1:].encode() if marked else text.encode()
        for shift in range(3 if name == "base64offset" else 1):
            yield tuple(_encoded(data, shift) if name == "base64offset" else _base64(data))
    elif name == "expand":
        yield from _expanded(letters, lists)
    else:
        yield letters


def _bytes(name: str, letter: str) -> str:
    return letter.encode(ENCODINGS[name]).decode("latin-1")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _encoded(data: bytes, shift: int) -> str:
    """Return the letters that stand in Base64 whatever surrounds *data* at this shift."""
    whole = _base64(b"\0" * shift + data)
    first = math.ceil(shift * 8 / 6)
    last = (shift + len(data)) * 8 // 6
    return whole[first:last]


def _dashed(letters: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Yield every spelling of a dash or slash before a word and after none."""

    def is_word(at: int) -> bool:
        letter = letters[at] if 0 <= at < len(letters) else ""
        return isinstance(letter, str) and bool(re.fullmatch(r"\w", letter))

    versions: list[tuple[Any, ...]] = [()]
    for at, letter in enumerate(letters):
        free = letter in ("-", "/") and is_word(at + 1) and not is_word(at - 1)
        versions = [(*v, one) for v in versions for one in (DASHES if free else [letter])]
    yield from versions


def _expanded(letters: tuple[Any, ...], lists: Lists) -> Iterator[tuple[Any, ...]]:
    text = "".join(c if isinstance(c, str) else "\0" if c is MANY else "\1" for c in letters)
    found = re.search(r"%([^%\\]+)%", text)
    if found is None:
        yield letters
        return
    for value in lists[found[1]]:
        for rest in _expanded(letters[found.end() :], lists):
            yield (*letters[: found.start()], *parse(value), *rest)
