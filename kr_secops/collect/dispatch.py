"""Finds the patterns that a message may match by its first characters, compiled when first met."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kr_secops.collect.builder import Recipe, make_builder
from kr_secops.collect.following import Addresses, Targets
from kr_secops.collect.pattern import compile_pattern, literal_prefix

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kr_secops.collect.builder import Base, Build, Trial
    from kr_secops.collect.collector import Collector, Kind
    from kr_secops.collect.interface import Source

KEY: Final = 4
"""Characters of a message by which its patterns are looked up."""
KEPT: Final = 4096
"""Beginnings of messages remembered."""


class Maker:
    """Compiles patterns for one source, once each."""

    def __init__(self, source: Source, base: Base) -> None:
        self._source = source
        self._base = base
        self._made: dict[str, Trial] = {}
        self._addresses = Addresses()
        self._targets = Targets()

    def trial(self, owner: Collector, kind: Kind) -> Trial:
        """Return what tries *kind* on a message."""
        key = f"{owner.id} {kind.text}"
        if key not in self._made:
            pattern = compile_pattern(kind.text)
            build = self.build(Recipe.of(pattern, kind.constants, self._base))
            self._made[key] = (pattern.regex.match, build)
        return self._made[key]

    def build(self, recipe: Recipe) -> Build:
        """Return the builder of *recipe*."""
        source = self._source
        return make_builder(recipe, source.name, source.host, self._addresses, self._targets)


class Dispatch(dict[str, "tuple[Trial, ...]"]):
    """First characters of a message → what to try on it, in order."""

    def __init__(
        self, kinds: Iterable[tuple[Collector, Kind]], build: Build | None, make: Maker
    ) -> None:
        super().__init__()
        self._kinds = [(literal_prefix(kind.text)[:KEY], owner, kind) for owner, kind in kinds]
        self._make = make
        self.build = build
        """Builds the event of a message that no pattern matches; None: such lines are not ours."""

    def __missing__(self, key: str) -> tuple[Trial, ...]:
        found = tuple(
            self._make.trial(owner, kind)
            for prefix, owner, kind in self._kinds
            if key.startswith(prefix) or prefix.startswith(key)
        )
        if len(self) >= KEPT:
            self.clear()
        self[key] = found
        return found
