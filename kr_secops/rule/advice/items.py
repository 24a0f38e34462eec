"""The items of a detection as they are written: each with its route, modifiers and values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sigma.rule import SigmaDetection

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sigma.rule import SigmaDetectionItem

    from kr_secops.document import Route

Advice: TypeAlias = "tuple[Route, str]"
"""Where, and what could be better."""

NO_PARTS: Final = frozenset({"condition", "rules", "timeframe"})
"""Keys of a detection or filter that are no parts of it."""


@dataclass(frozen=True, slots=True)
class Item:
    """A field with what it is compared with; keywords have no field."""

    route: Route
    field: str
    modifiers: tuple[str, ...]
    values: tuple[Any, ...]
    is_list: bool
    is_named_apart: bool = False
    """Its ``all`` makes its key another than that of the item beside it: YAML has a key once."""

    def place(self, i: int) -> Route:
        """Return the route of the value *i*."""
        return (*self.route, i) if self.is_list else self.route


def items(section: str, parts: Mapping[Any, Any]) -> Iterator[Item]:
    """Yield every item of a detection or filter."""
    for name, definition in parts.items():
        if name not in NO_PARTS:
            yield from _items((section, name), definition)


def _items(route: Route, definition: Any) -> Iterator[Item]:
    if isinstance(definition, dict):
        for key, value in definition.items():
            field, *modifiers = str(key).split("|")
            bare = "|".join(part for part in str(key).split("|") if part != "all")
            item = _item((*route, key), field, tuple(modifiers), value)
            yield replace(item, is_named_apart=bare != key and bare in definition)
    elif isinstance(definition, list) and any(isinstance(item, dict) for item in definition):
        for i, inner in enumerate(definition):
            yield from _items((*route, i), inner)
    else:
        yield _item(route, "", (), definition)


def _item(route: Route, field: str, modifiers: tuple[str, ...], value: Any) -> Item:
    is_list = isinstance(value, list)
    return Item(route, field, modifiers, tuple(value) if is_list else (value,), is_list)


def routes(section: str, parts: Mapping[Any, Any], parsed: Mapping[str, Any]) -> dict[int, Route]:
    """Return the identity of each detection item of pySigma → its route in the file."""
    found: dict[int, Route] = {}
    for name, detection in parsed.items():
        if name in parts:
            _pair((section, name), parts[name], detection, found)
    return found


def _pair(
    route: Route, written: Any, parsed: SigmaDetection | SigmaDetectionItem, found: dict[int, Route]
) -> None:
    if not isinstance(parsed, SigmaDetection):
        found[id(parsed)] = route
        return
    inner = parsed.detection_items
    steps: list[Any] = []
    if isinstance(written, dict):
        steps = list(written)
    elif isinstance(written, list) and any(isinstance(item, dict) for item in written):
        steps = list(range(len(written)))
    for i, one in enumerate(inner):
        if len(steps) != len(inner):
            _pair(route, None, one, found)
        else:
            _pair((*route, steps[i]), written[steps[i]], one, found)
