"""What the generated code of a rule calls: values in lower case, and the tests in capital letters.

Every test about a field holds if it holds for any of the field's values.
"""

from __future__ import annotations

import functools
import ipaddress
import math
import operator
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from kr_secops.collect.windows import INNER
from kr_secops.detect.search import is_in, wildcards
from kr_secops.event import moment

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

    from kr_secops.collect.windows import Record
    from kr_secops.event import Event
    from kr_secops.rule.tree import Node

_OURS: Final = """
    @timestamp ecs.version event.original event.kind event.category event.type event.dataset
    event.module event.outcome event.action event.ingested event.created event.timezone
    event.duration event.sequence
    log.file.path log.offset host.name host.hostname related.ip related.user related.hosts
"""
NOT_WORDS: Final = frozenset(_OURS.split())
"""Fields that are ours, not the record's: keywords are not looked for in them."""


NAMES_KEPT: Final = 10_000

Test: TypeAlias = "Callable[[Low, Any], bool]"
"""A rule's generated function, of lower-cased values and the event or record they are of."""


class Many(list[str]):
    """Several values of one field."""

    __slots__ = ()

    def __contains__(self, text: object) -> bool:
        return any(str(text) in value for value in self)

    def __eq__(self, text: object) -> bool:
        return any(value == text for value in self)

    __hash__ = None

    def startswith(self, text: str | tuple[str, ...]) -> bool:
        """Return whether any value starts so."""
        return any(value.startswith(text) for value in self)

    def endswith(self, text: str | tuple[str, ...]) -> bool:
        """Return whether any value ends so."""
        return any(value.endswith(text) for value in self)

    def is_in(self, texts: set[str]) -> bool:
        """Return whether any value is one of *texts*."""
        return any(value in texts for value in self)


class Low(dict[str, Any]):
    """Field → its value as lower-case text, made when first asked for; '' if it is absent."""

    __slots__ = ("_whole", "event")

    def __init__(self, event: Event | Record) -> None:
        self.event = event
        self._whole: str | None = None

    def __missing__(self, name: str) -> str | Many:
        value = self.event.get(name)
        low: str | Many
        if value.__class__ is str:
            low = value.lower()
        elif value is None:
            low = ""
        elif value.__class__ is list:
            low = Many(text(item).lower() for item in value if item is not None)
        else:
            low = text(value).lower()
        self[name] = low
        return low

    @staticmethod
    def of(record: Record) -> Low:
        """Return the values of *record*, as far as may be without making it an event."""
        return Low(record) if record.data is None else _LowRecord(record, record.data)

    def whole(self) -> str:
        """Return every value in which keywords are looked for, lower-cased, a line each."""
        if self._whole is None:
            self._whole = "\n".join(word_values(self.event)).lower()
        return self._whole


class _LowRecord(Low):
    __slots__ = ("_data",)

    def __init__(self, record: Record, data: dict[str, Any]) -> None:
        super().__init__(record)
        self._data = data

    def __missing__(self, name: str) -> str | Many:
        inner = INNER[name]
        value = self._data.get(inner) if inner else None
        if value.__class__ is not str:
            return super().__missing__(name)
        low: str = value.lower()
        self[name] = low
        return low


class _Searched(dict[str, bool]):
    """Field → whether keywords are looked for in it."""

    __slots__ = ()

    def __missing__(self, name: str) -> bool:
        if len(self) >= NAMES_KEPT:
            self.clear()
        self[name] = searched = name not in NOT_WORDS and not name.startswith("kr.")
        return searched


_SEARCHED: Final = _Searched()


def word_values(event: Event | Record) -> list[str]:
    """Return every value of *event* in which keywords are looked for.

    ``event.original`` counts where it is a line of text; a Windows record's is JSON or XML, whose
    names are no values.
    """
    searched = _SEARCHED
    found: list[str] = []
    for name, value in event.items():
        if searched[name]:
            if value.__class__ is str:
                found.append(value)
            else:
                found += texts(value)
    if "winlog.channel" not in event:
        found += texts(event.get("event.original"))
    return found


def text(value: Any) -> str:
    """Return one value as the text that rules compare with."""
    if value.__class__ is str:
        return str(value)
    if value.__class__ is bool:
        return "true" if value else "false"
    return str(value)


def texts(value: Any) -> list[str]:
    """Return all values of a field as texts; null is none."""
    if value is None:
        return []
    if value.__class__ is list:
        return [text(item) for item in value if item is not None]
    return [text(value)]


def _is_in(value: str | Many, wanted: set[str]) -> bool:
    return value.is_in(wanted) if value.__class__ is Many else value in wanted


def _re(event: Event, name: str, pattern: str, flags: int) -> bool:
    return any(is_in(pattern, flags, value) for value in texts(event.get(name)))


def _glob(event: Event, name: str, pattern: str) -> bool:
    match = wildcards(pattern).fullmatch
    return any(match(value.lower()) for value in texts(event.get(name)))


def _cased(event: Event, name: str, pattern: str) -> bool:
    match = wildcards(pattern).fullmatch
    return any(match(value) for value in texts(event.get(name)))


def _null(event: Event, name: str) -> bool:
    value = event.get(name)
    return value is None or (value.__class__ is list and all(item is None for item in value))


def _empty(event: Event, name: str) -> bool:
    value = event.get(name)
    if value.__class__ is list:
        return "" in value
    return value == "" or (value is None and name in event)


def _exists(event: Event, name: str, wanted: bool) -> bool:
    return (name in event) == wanted


@functools.lru_cache(1024)
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(text)


def _cidr(event: Event, name: str, network: str) -> bool:
    inside = _network(network)
    for value in texts(event.get(name)):
        try:
            address = ipaddress.ip_address(value.partition("%")[0])
        except ValueError:
            continue
        if address in inside:
            return True
        mapped = getattr(address, "ipv4_mapped", None)
        if mapped is not None and mapped in inside:
            return True
    return False


_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "eq": operator.eq,
    "neq": operator.ne,
}


def _cmp(event: Event, name: str, op: str, number: float) -> bool:
    compare = _COMPARE[op]
    for value in texts(event.get(name)):
        try:
            found = float(value)
        except ValueError:
            continue
        if math.isfinite(found) and "_" not in value and compare(found, number):
            return True
    return False


def _part(event: Event, name: str, unit: str, op: str, number: int) -> bool:
    for value in texts(event.get(name)):
        try:
            at = moment(value)
        except ValueError:
            continue
        found = at.isocalendar().week if unit == "week" else getattr(at, unit)
        if _COMPARE[op](found, number):
            return True
    return False


_REFERENCE: Final[dict[str, Callable[[str, str], bool]]] = {
    "=": operator.eq,
    "*": lambda value, other: other in value,
    "^": str.startswith,
    "$": str.endswith,
}


def _ref(event: Event, name: str, other: str, mode: str) -> bool:
    compare = _REFERENCE[mode]
    mine, theirs = event.get(name), event.get(other)
    if mine.__class__ is str and theirs.__class__ is str:
        return compare(_folded(mine), _folded(theirs))
    others = [_folded(value) for value in texts(theirs)]
    return any(compare(_folded(value), wanted) for value in texts(mine) for wanted in others)


def _folded(value: str) -> str:
    """Return *value* in lower case; a capital sigma at the end of a word is a sigma like others."""
    return value.lower().replace("\u03c2", "\u03c3")


def _word(low: Low, wanted: str) -> bool:
    if wanted not in low.whole():
        return False
    return "\n" not in wanted or any(wanted in value.lower() for value in word_values(low.event))


def _any_word(low: Low, wanted: tuple[str, ...]) -> bool:
    whole = low.whole()
    # A loop, not a generator: rules list dozens of words.
    for word in wanted:  # noqa: SIM110
        if word in whole and _word(low, word):
            return True
    return False


def _words(low: Low, pattern: str, flags: int, _: tuple[str, ...], lower: bool) -> bool:
    values = word_values(low.event)
    return any(is_in(pattern, flags, value.lower() if lower else value) for value in values)


TESTS: Final[dict[str, Any]] = {
    "IN": _is_in,
    "RE": _re,
    "GLOB": _glob,
    "CASED": _cased,
    "NULL": _null,
    "EMPTY": _empty,
    "EXISTS": _exists,
    "CIDR": _cidr,
    "CMP": _cmp,
    "PART": _part,
    "REF": _ref,
    "WORD": _word,
    "ANYWORD": _any_word,
    "WORDS": _words,
}


def holds(leaf: Node, low: Low) -> bool:
    """Return whether one leaf of a tree is true, without code made for it."""
    op = leaf[0]
    if op == "lit":
        _, name, kind, wanted = leaf
        value = low[name]
        if kind == "=":
            return bool(value == wanted)
        if kind == "*":
            return wanted in value
        return bool(value.startswith(wanted) if kind == "^" else value.endswith(wanted))
    if op in ("word", "words"):
        return bool(TESTS[op.upper()](low, *leaf[1:]))
    arguments = leaf[1:-1] if op in ("glob", "cased", "re") else leaf[1:]
    return bool(TESTS[op.upper()](low.event, *arguments))


def function(code: CodeType) -> Test:
    """Return generated *code* as a function of lower-cased values and event."""
    return FunctionType(code, TESTS)
