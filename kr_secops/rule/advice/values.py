"""Values: said twice, covered by another, or with wildcards that the modifier has already."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kr_secops.rule.advice.items import Advice, Item

_CODED: Final = frozenset({"re", "cased", "base64", "base64offset", "wide", "utf16", "utf16le", "utf16be", "expand", "fieldref"})  # fmt: skip
"""With these, two values that differ in case are two values."""
_WILDCARD: Final = re.compile(r"(?<!\\)(?:\\\\)*[*?]")
_PLACES: Final = ("contains", "startswith", "endswith")
_OPEN: Final = {"contains": "on both sides", "startswith": "behind", "endswith": "before"}
_MOST_COMPARED: Final = 4000
_NAMED: Final = 4
"""Covered values of a list that are named one by one."""
_SHOWN: Final = 60


def advise(item: Item) -> Iterator[Advice]:
    """Yield what could be better about the values of *item*."""
    yield from _doubled(item)
    if "all" in item.modifiers and len(item.values) == 1 and not item.is_named_apart:
        yield item.route, "all says nothing about a single value"
    yield from _wildcards(item)
    yield from _covered(item)


def _doubled(item: Item) -> Iterator[Advice]:
    seen: dict[Any, int] = {}
    for i, value in enumerate(item.values):
        key = _key(item, value)
        if key in seen:
            line = "" if value == item.values[seen[key]] else " (case does not matter)"
            yield item.place(i), f"{_shown(value)} stands in this list already{line}"
        else:
            seen[key] = i


def _key(item: Item, value: Any) -> Any:
    if value is None or isinstance(value, bool) or _CODED & set(item.modifiers):
        return (type(value), value)
    return str(value).lower()


def _wildcards(item: Item) -> Iterator[Advice]:
    place = next((word for word in _PLACES if word in item.modifiers), "")
    if _CODED & set(item.modifiers) - {"cased"}:
        return
    for i, value in enumerate(item.values):
        if not isinstance(value, str) or "*" not in value:
            continue
        if not value.strip("*"):
            if item.field:
                yield item.place(i), "* alone asks only for any value; write FIELD|exists: true"
            continue
        before, behind = value.startswith("*"), _ends_open(value)
        if place and ((before and place != "startswith") or (behind and place != "endswith")):
            yield item.place(i), f"{place} is open {_OPEN[place]} as it is; leave the * out"
        elif place and (before or behind):
            yield item.place(i), f"{place} with a * on its closed side is contains"


def _ends_open(value: str) -> bool:
    """Return whether *value* ends in a ``*`` that no backslash takes for itself."""
    bare = value[:-1]
    return value.endswith("*") and (len(bare) - len(bare.rstrip("\\"))) % 2 == 0


def _covered(item: Item) -> Iterator[Advice]:
    """Name values without which the list means the same: ``foobar`` beside ``foo`` with contains."""
    place = next((word for word in _PLACES if word in item.modifiers), "")
    if not place or set(item.modifiers) - {place, "all", "cased", "windash"}:
        return
    fold: Callable[[str], str] = str if "cased" in item.modifiers else str.lower
    texts = {
        i: fold(value)
        for i, value in enumerate(item.values)
        if isinstance(value, str) and value and not _WILDCARD.search(value)
    }
    if not 1 < len(texts) <= _MOST_COMPARED:
        return
    needs_all = "all" in item.modifiers
    pairs = sorted((j, i) if needs_all else (i, j) for i, j in _pairs(texts, place))
    for needless, by in pairs[:_NAMED]:
        word = "is said already by" if needs_all else "is covered by"
        said = f"{_shown(item.values[needless])} {word} {_shown(item.values[by])}"
        yield item.place(needless), said
    if len(pairs) > _NAMED:
        yield item.route, f"{len(pairs) - _NAMED} more values of this list are needless likewise"


def _pairs(texts: dict[int, str], place: str) -> Iterator[tuple[int, int]]:
    """Yield for each value that holds another one where *place* looks, one such pair."""
    everything = "\0".join(texts.values())
    order: Sequence[int] = sorted(texts, key=lambda i: len(texts[i]))
    told: set[int] = set()
    for j in order:
        short = texts[j]
        if everything.count(short) == 1:
            continue
        for i, long in texts.items():
            if i in told or len(long) <= len(short) or not _holds(long, short, place):
                continue
            told.add(i)
            yield i, j


def _holds(long: str, short: str, place: str) -> bool:
    if place == "contains":
        return short in long
    return long.startswith(short) if place == "startswith" else long.endswith(short)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 2]}…'"
