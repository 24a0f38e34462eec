"""Candidates: which rules an event's values make worth looking at, remembered per value.

Values repeat in logs, so each field keeps a bounded dictionary value → candidates. Only a value
not seen lately is scanned, with one automaton; what hangs on that value alone is decided then.
"""

from __future__ import annotations

from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final

from kr_secops.collect.windows import INNER
from kr_secops.detect.matcher import Low, function, text, texts, word_values
from kr_secops.rule.witness import KEYS

if TYPE_CHECKING:
    from collections.abc import Callable

    from kr_secops.collect.windows import Record
    from kr_secops.detect.matcher import Test
    from kr_secops.event import Event
    from kr_secops.rule.container import Compiled

REMEMBERED: Final = 4096
"""Values kept per field."""
LONGEST: Final = 1 << 15
"""Longer values are not kept: they seldom repeat."""
ROOM: Final = 1 << 20
"""Characters kept per field: memory has to end somewhere."""
_PLANS: Final = 5000


class _Row(tuple[str, ...]):
    """Several values of one field, as a key."""

    __slots__ = ()


def _hashable(value: Any) -> Any:
    return _Row(texts(value)) if value.__class__ is list else value


def load_scanner(blob: bytes) -> Callable[..., Any]:
    """Return the scan function of a serialised hyperscan database."""
    import hyperscan

    database = hyperscan.loadb(blob, hyperscan.HS_MODE_BLOCK)
    database.scratch = hyperscan.Scratch(database)
    scan: Callable[..., Any] = database.scan
    return scan


def _noting(hits: list[int]) -> Callable[..., None]:
    append = hits.append

    def note(text: int, *_: Any) -> None:
        append(text)

    return note


class Values(dict[Any, tuple[int, ...]]):
    """One field of one bucket: value → numbers of the alternatives it makes candidates."""

    __slots__ = (
        *("always", "exact", "hits", "name", "note", "parts", "pre", "present", "rules"),
        *("scanner", "size"),
    )

    def __init__(self, rules: Alternatives, table: tuple[Any, ...]) -> None:
        self.rules = rules
        self.name, self.exact, self.present, self.always, self.parts, blob = table
        self.scanner = load_scanner(blob) if blob else None
        self.pre: dict[int, Test | None] = {}
        self.size = 0
        self.hits: list[int] = []
        self.note = _noting(self.hits)

    def __missing__(self, value: Any) -> tuple[int, ...]:
        if value.__class__ is str:
            found: tuple[int, ...] = self.find(value.lower())
            if self.always:
                found += self.always
            if found:
                found = self._sift(found, value)
            size = len(value)
            if size <= LONGEST:
                self._make_room(size)
                self[value] = found
            return found
        # 1, True and 1.0 are one key for a dictionary, but three texts.
        key = None if value is None else (value.__class__, value)
        if key not in self:
            several = value is None or value.__class__ is _Row
            row: tuple[str, ...] = (value or ()) if several else (text(value),)
            found = self.always
            for one in row:
                found += self.find(one.lower())
            found = self._sift(found, value if several else row[0])
            size = sum(map(len, row))
            if size > LONGEST:
                return found
            self._make_room(size)
            self[key] = found
        return self[key]

    def _make_room(self, size: int) -> None:
        """Forget everything when full: what comes often is soon known again."""
        if len(self) >= REMEMBERED or self.size + size > ROOM:
            self.clear()
            self.size = 0
        self.size += size

    def _sift(self, found: tuple[int, ...], value: Any) -> tuple[int, ...]:
        """Return those of *found* that what hangs on this field alone does not rule out."""
        kept = []
        low = None
        for number in dict.fromkeys(found):
            try:
                test = self.pre[number]
            except KeyError:
                test = self.pre[number] = self.rules.field_test(number, self.name)
            if test is not None:
                if low is None:
                    low = Low({} if value is None else {self.name: _plain(value)})
                if not test(low, low.event):
                    continue
            kept.append(number)
        return tuple(kept)

    def find(self, value: str) -> tuple[int, ...]:
        """Return the candidates of one lower-cased value, unchecked."""
        found: tuple[int, ...] = self.present
        exact = self.exact.get(value)
        if exact:
            found += exact
        if self.scanner is None:
            parts = [entry for entry in self.parts if entry[0] in value]
        else:
            self.scanner(value.encode("utf-8", "surrogatepass"), self.note)
            if not self.hits:
                return found
            parts = [self.parts[i] for i in dict.fromkeys(self.hits)]
            self.hits.clear()
        for part, entries in parts:
            for kind, numbers in entries:
                if (
                    kind == "*"
                    or (kind == "^" and value.startswith(part))
                    or (kind == "$" and value.endswith(part))
                ):
                    found += numbers
        return found


def _plain(value: Any) -> Any:
    return list(value) if value.__class__ is _Row else value


class Alternatives:
    """The rules' alternatives, each read from the compiled set when first needed."""

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self._rows: list[Any] = compiled.value(compiled.head["alternatives"])
        self._trees: dict[int, Any] = {}
        self._tests: list[Test | None] = [None] * len(self._rows)

    def rule(self, number: int) -> int:
        """Return the number of the rule that the alternative belongs to."""
        rule: int = self._rows[number][0]
        return rule

    def test(self, number: int) -> Test:
        """Return the function that decides."""
        test = self._tests[number]
        if test is None:
            test = self._tests[number] = function(self._compiled.value(self._rows[number][1]))
        return test

    def field_test(self, number: int, name: str) -> Test | None:
        """Return the function that decides what hangs on one field alone, if there is one."""
        part = self._rows[number][4].get(name)
        return function(self._compiled.value(part)) if part else None

    def named_tree(self, number: int) -> Any:
        """Return the tree with the author's names."""
        tree = self._trees.get(number)
        if tree is None:
            tree = self._trees[number] = self._compiled.value(self._rows[number][3])
        return tree


class Plan:
    """What to look up for the events of one key."""

    __slots__ = ("_fields", "always", "look", "look_into", "words")

    def __init__(self, fields: list[Values], words: list[Values], always: tuple[int, ...]) -> None:
        self._fields = fields
        self.look = _lookup(fields)
        self.look_into: Callable[..., tuple[int, ...]] | None = None
        """The same for a record, from its ``get`` and that of its data; see `for_records`."""
        self.words = words
        self.always = always

    def for_records(self) -> Callable[..., tuple[int, ...]]:
        """Return `look_into`, made when the first record comes."""
        self.look_into = _lookup(self._fields, INNER.__getitem__)
        return self.look_into


class Index:
    """Finds the candidates of an event."""

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self.alternatives = Alternatives(compiled)
        self._plans: dict[Any, Plan] = {}
        self._tables: dict[int, tuple[list[Values], Values | None]] = {}
        part = compiled.head["keywords"]
        blob = None if part is None else compiled.get(part)
        self._keywords = load_scanner(blob) if blob else blob

    def candidates(self, event: Event | Record) -> tuple[int, ...]:
        """Return the alternatives that may be true for *event*; a number may come twice."""
        get = event.get
        key = (get(KEYS[0]), get(KEYS[1]), get(KEYS[2]))
        try:
            plan = self._plans.get(key) or self._plan(key, key)
        except TypeError:  # a list where one value is usual
            plan = self._plan(key, repr(key))
        try:
            found = plan.look(get)
        except TypeError:
            found = plan.look(lambda name: _hashable(get(name)))
        if plan.always:
            found += plan.always
        if plan.words:
            whole = "\n".join(word_values(event)).lower()
            for values in plan.words:
                found += values.find(whole)
        return found

    def look(self, record: Record) -> tuple[int, ...]:
        """Return the candidates of *record* but for those of its keywords."""
        data, code = record.data, record.code
        if data is None or not (code.__class__ is int or code.__class__ is str):
            return self.candidates(record)
        name = (record.channel, code)
        try:
            plan = self._plans.get(name) or self._plan(("windows", *name), name)
            found = (plan.look_into or plan.for_records())(record.get, data.get)
        except TypeError:  # a list or a branch where one value is usual
            return self.candidates(record)
        return found + plan.always if plan.always else found

    def spoken(self, data: bytes) -> set[int] | None:
        """Return where the lines of *data* begin whose record may hold a keyword; None: any may."""
        if not callable(self._keywords):  # no keyword at all, or one that JSON hides
            return None if self._keywords is None else set()
        ends: list[int] = []

        def note(_: int, __: int, end: int, *___: Any) -> None:
            ends.append(end)

        self._keywords(data, match_event_handler=note)
        return {data.rfind(b"\n", 0, end - 1) + 1 for end in ends}

    def _plan(self, key: tuple[Any, ...], name: Any) -> Plan:
        options = [[*dict.fromkeys(value.lower() for value in texts(part)), None] for part in key]
        buckets = self._compiled.head["buckets"]
        wanted = {
            buckets[a, b, c]: None
            for a in options[0]
            for b in options[1]
            for c in options[2]
            if (a, b, c) in buckets
        }
        fields: list[Values] = []
        words: list[Values] = []
        always: tuple[int, ...] = ()
        for number in wanted:
            table, sure = self._compiled.head["tables"][number]
            if number not in self._tables:
                tables, word_table = self._compiled.value(table)
                self._tables[number] = (
                    [Values(self.alternatives, t) for t in tables],
                    Values(self.alternatives, word_table) if word_table[4] else None,
                )
            mine, for_words = self._tables[number]
            fields += mine
            words += [for_words] if for_words is not None else []
            always += sure
        if len(self._plans) > _PLANS:
            self._plans.clear()
        plan = self._plans[name] = Plan(fields, words, always)
        return plan


_LOOKUPS: dict[str, CodeType] = {}


def _lookup(
    fields: list[Values], inner: Callable[[str], str | None] = lambda _: ""
) -> Callable[..., tuple[int, ...]]:
    """Return a function to the candidates: one expression, no loop.

    Its arguments are the ``get`` of an event, and of a record's data for the fields that *inner*
    gives a name in it (None: nothing is there).
    """
    names: dict[str, Any] = {}
    parts = []
    for i, values in enumerate(fields):
        known = inner(values.name)
        names[f"v{i}"] = values
        names[f"f{i}"] = values.name if known == "" else known
        parts.append(f"v{i}[{'get' if known == '' else 'data'}(f{i})]")
    source = " + ".join(parts) or "()"
    code = _LOOKUPS.get(source)
    if code is None:
        outer = compile(f"lambda get, data=None: {source}", "plan", "eval")
        code = _LOOKUPS[source] = next(c for c in outer.co_consts if isinstance(c, CodeType))
    return FunctionType(code, names, argdefs=(None,))
