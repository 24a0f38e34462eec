"""Masks personal data in events before anything is kept, and says what was masked.

An event then holds::

message: "NIK 6112**********03 mengirim berkas"
kr.pii.types: [nik]   kr.pii.count: 1   kr.pii.hashes: [<keyed hash>]   kr.pii.fields: [message]
"""

from __future__ import annotations

import hmac
import operator
import re
from datetime import date
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kr_secops.privacy import description, indonesia
from kr_secops.privacy.identifiers import Finder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kr_secops.event import Event
    from kr_secops.privacy.identifiers import Span

COUNTED: Final = 0.5
"""From this confidence a value counts as personal data; what is less sure is masked all the same."""
MAX_SAMPLES: Final = 10
MAX_HASHES: Final = 1000

_KEPT: Final = frozenset({"@timestamp", "ecs.version", "event.dataset", "event.module"})
_SHORTEST: Final = 6
"""No value is shorter: ``a@b.id``."""
_SMALLEST_NUMBER: Final = 10**8
_DIGIT: Final = re.compile(r"[0-9]")
_ESCAPE: Final = re.compile(r"\\+u00(?!22|5[Cc]|7[Ff])([2-7][0-9A-Fa-f])")
"""A character of ASCII as JSON may write it, even within JSON as a text."""
_CODE: Final = re.compile(r"%[0-9A-Fa-f]{2}")


class _Value(NamedTuple):
    """One value found, in one notation."""

    raw: str
    masked: str
    type: str
    cls: str
    hash: str
    counted: bool


class Guard:
    """Finds and masks personal data; the key makes hashes that only its owner can compare."""

    def __init__(self, key: bytes, *, cache_dir: Path | None = None) -> None:
        """Read the identifiers.

        Args:
            key: The secret of `kr_secops.privacy.key.load_key`.
            cache_dir: Where their compiled form is kept; None: they are compiled anew.
        """
        descriptions = description.load(cache_dir)
        self.finder = Finder(descriptions)
        self._key = key
        self._show = {one.id: one.show for one in descriptions.identifiers}

    def lines(self, data: bytes) -> list[int]:
        """Return where the lines of *data* begin that may hold personal data, ascending."""
        return self.finder.lines(data)

    def text(self, text: str) -> str:
        """Return *text* with every value in it masked."""
        text, values = self._read(text, None)
        for value in values:
            text = text.replace(value.raw, value.masked)
        return text

    def protect(self, event: Event) -> Event:
        """Return *event* with every value masked in every field, and ``kr.pii.*`` saying so.

        A field's name counts as a label. The given event is left as it is.
        """
        on = _day(event)
        # The other fields mostly repeat what the original says: find there, look at what is left.
        original = event.get("event.original")
        values: list[_Value] = []
        if isinstance(original, str):
            written, values = self._read(original, on)
            if written is not original:
                original = written
                event = event | {"event.original": written}
        rest = "\n".join(_named_texts(event, original))
        for value in values:
            rest = rest.replace(value.raw, value.masked)
        values += self._values(rest, on)
        if not values:
            return event
        values.sort(key=lambda value: -len(value.raw))
        pairs = [(value.raw, value.masked) for value in values]
        masked: Event = {}
        fields: list[str] = []
        for name, value in event.items():
            new = _replace(value, pairs)
            if new is not value:
                fields.append(name)
            masked[name] = new
        _rename(masked, fields, pairs)
        _describe(masked, values, fields)
        return masked

    def _read(self, text: str, on: date | None) -> tuple[str, list[_Value]]:
        """Return *text*, with letters for what JSON escaped if that hid a value, and its values."""
        plain = _unescaped(text)
        values = self._values(plain, on)
        hidden = any(plain.count(value.raw) != text.count(value.raw) for value in values)
        return (plain if hidden else text), values

    def _values(self, text: str, on: date | None) -> list[_Value]:
        """Return the values in *text*, longest first, so that none is replaced within another."""
        found = {
            raw: self._value(raw, span)
            for span in self.finder.find(text, on=on)
            if (raw := text[span.start : span.end])
        }
        return sorted(found.values(), key=lambda value: -len(value.raw))

    def _value(self, raw: str, span: Span) -> _Value:
        normal = indonesia.normal(span.type, raw.encode("utf-8", "surrogatepass"))
        digest = hmac.digest(self._key, f"{span.type}:{normal}".encode(), "sha256").hex()[:32]
        masked = mask(raw, span.type, self._show[span.type])
        return _Value(raw, masked, span.type, span.cls, digest, span.confidence >= COUNTED)


def mask(raw: str, kind: str, show: tuple[int, int]) -> str:
    """Return *raw* with only the first and last digits shown; of an address the domain as well.

    ``6112**********03``, ``+62 812-****-**90``, ``b***@gmail.com``.
    """
    first, last = show
    if raw.isdigit() and kind != "phone":
        return raw[:first] + "*" * (len(raw) - first - last) + raw[len(raw) - last :]
    if kind == "email":
        at = max(raw.rfind(sign) for sign in ("@", "%", "\\", "&"))
        local, domain = raw[:at].rstrip("\\"), raw[at:]
        return f"{local[: first if len(local) > first else 0]}***{domain}"
    if kind == "phone":
        number = indonesia.digits(raw.encode("utf-8", "surrogatepass"))
        first += 3 if number.startswith(b"0062") else number.startswith(b"62")
    codes = {i for m in _CODE.finditer(raw) for i in range(m.start(), m.end())}
    places = [m.start() for m in _DIGIT.finditer(raw) if m.start() not in codes]
    hidden = set(places[first : len(places) - last])
    return "".join("*" if i in hidden else char for i, char in enumerate(raw))


def _unescaped(text: str) -> str:
    if "u00" not in text:
        return text
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)


def _day(event: Event) -> date | None:
    try:
        return date.fromisoformat(event["@timestamp"][:10])
    except (KeyError, TypeError, ValueError):
        return None


def _named_texts(event: Event, original: Any) -> Iterator[str]:
    """Yield the texts of *event* but the original, each behind its field's name as its label."""
    yield "\n".join(event)
    for name, value in event.items():
        if isinstance(value, str):
            if len(value) >= _SHORTEST and name not in _KEPT and value != original:
                yield f"{name}={value}"
        elif value is not None:
            for text in _texts(value):
                yield f"{name}={text}"


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in a value of any JSON type; a large number may be an identifier."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield str(name)
            for text in _texts(item):
                yield f"{name}={text}"
    elif isinstance(value, int | float) and abs(value) >= _SMALLEST_NUMBER:
        yield str(value)


def _replace(value: Any, pairs: list[tuple[str, str]]) -> Any:
    """Return *value* with everything masked in it; the same object when nothing was."""
    if isinstance(value, str):
        if len(value) >= _SHORTEST:
            for raw, masked in pairs:
                if raw in value:
                    value = value.replace(raw, masked)
        return value
    if isinstance(value, list | tuple):
        new = [_replace(item, pairs) for item in value]
        return value if all(map(operator.is_, new, value)) else new
    if isinstance(value, dict):
        inner = {_replace(k, pairs): _replace(v, pairs) for k, v in value.items()}
        return value if all(inner.get(k) is v for k, v in value.items()) else inner
    if isinstance(value, int | float) and abs(value) >= _SMALLEST_NUMBER:
        text = str(value)
        new_text = _replace(text, pairs)
        return value if new_text is text else new_text
    return value


def _rename(event: Event, fields: list[str], pairs: list[tuple[str, str]]) -> None:
    """Mask the fields' names too: a log may use an address as a key."""
    names = "\n".join(event)
    if not any(raw in names for raw, _ in pairs):
        return
    for name in list(event):
        new = _replace(name, pairs)
        if new is not name:
            event[new] = event.pop(name)
            fields[:] = [field for field in fields if field != name] + [new]


def _describe(event: Event, values: list[_Value], fields: list[str]) -> None:
    """Add *values* to what ``kr.pii.*`` says already; the same datum counts once."""
    counted = [value for value in values if value.counted]
    if not counted:
        return
    known = event.get("kr.pii.hashes") or []
    new = {value.hash for value in counted}.difference(known)
    for name, items, most in (
        ("kr.pii.types", sorted({value.type for value in counted}), MAX_HASHES),
        ("kr.pii.classes", sorted({value.cls for value in counted}), MAX_HASHES),
        ("kr.pii.samples", [value.masked for value in counted], MAX_SAMPLES),
        ("kr.pii.hashes", [value.hash for value in counted], MAX_HASHES),
        ("kr.pii.fields", fields, MAX_HASHES),
    ):
        event[name] = list(dict.fromkeys([*(event.get(name) or ()), *items]))[:most]
    event["kr.pii.count"] = (event.get("kr.pii.count") or 0) + len(new)
