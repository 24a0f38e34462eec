"""From false positives and true matches to a filter that was tried on both."""

from __future__ import annotations

import tempfile
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kr_secops import pipeline
from kr_secops.detect.engine import Engine
from kr_secops.detect.matcher import Low, holds
from kr_secops.document import examine
from kr_secops.errors import KrSecopsError, NothingCollectedError, UsageError
from kr_secops.rule.logsource import DEFAULT_TAXONOMY, read_pipelines
from kr_secops.rule.ruleset import load
from kr_secops.tune.atoms import atoms
from kr_secops.tune.cover import choose
from kr_secops.tune.document import probe, write
from kr_secops.tune.names import Names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from kr_secops.collect.reading import Item
    from kr_secops.event import Event
    from kr_secops.privacy.mask import Guard
    from kr_secops.rule.metadata import Rule
    from kr_secops.rule.ruleset import Ruleset
    from kr_secops.rule.tree import Node
    from kr_secops.tune.atoms import Atom
    from kr_secops.tune.cover import Selection

MOST_MATCHES: Final = 4000
"""Matches of a side that are looked at; the filter is tried on all."""
_PROBE: Final = "0b1e5a62-6c1f-4f0e-9d0c-3a1b7f5d2e90"
"""Id of the rule that is true wherever the filter is."""
_BROAD: Final = 0.05
"""Share of a log source from which on a filter is called broad …"""
_WIDE: Final = 3
"""… if it is also met by so many times as many events as it takes from the rule."""


@dataclass(slots=True)
class Side:
    """What one set of inputs holds."""

    account: pipeline.Account = field(default_factory=pipeline.Account)
    matches: int = 0
    atoms: list[frozenset[Atom]] = field(default_factory=list)
    """Of the first matches."""
    events: int = 0
    """Events of the rule's log source."""
    hidden: int = 0
    """Those of them that meet the filter, whether the rule is true or not."""


@dataclass(frozen=True, slots=True)
class Covered:
    """One selection of the proposal, and what it covers of the matches looked at."""

    selection: Selection
    false: int
    true: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """A filter that was loaded and tried."""

    text: str
    selections: tuple[Covered, ...]
    before: tuple[Side, Side]
    after: tuple[Side, Side]
    """False positives and true matches."""

    @property
    def share(self) -> float:
        """Return which part of all events of the log source the filter would hide from the rule."""
        events = sum(side.events for side in self.after)
        return sum(side.hidden for side in self.after) / events if events else 0.0

    @property
    def is_broad(self) -> bool:
        """Return whether the filter is met by far more events than the rule was wrong about."""
        removed = self.before[0].matches - self.after[0].matches
        hidden = sum(side.hidden for side in self.after)
        return self.share > _BROAD and hidden > _WIDE * removed


class Tuner:
    """Proposes a filter for one rule."""

    def __init__(
        self,
        ruleset: Ruleset,
        rule: Rule,
        guard: Guard,
        *,
        pipelines: Sequence[str] = (),
        folders: Sequence[Path] = (),
        cache_dir: Path,
        today: date,
    ) -> None:
        """Start.

        Args:
            ruleset: the rules that *rule* belongs to; their filters stay in force.
            rule: the rule that is wrong too often.
            guard: masks the events.
            pipelines: pipelines beside the site's own.
            folders: folders of rules, for their pipelines and lists.
            cache_dir: where the rule with its filter is compiled.
            today: the day by which filters expire.

        Raises:
            UsageError: a correlation, or a rule that nothing can refer to.
        """
        self.rule = rule
        self._guard = guard
        self._pipelines = list(pipelines)
        self._cache_dir = cache_dir
        self._today = today
        if rule.kind != "rule":
            counted = _counted(ruleset, rule)
            raise UsageError(f"{rule.title!r} is a correlation; tune what it counts: {counted}")
        file = Path(_file(rule.path))
        others = [Path(_file(one.path)) for one in ruleset.filters]
        self._files = list(dict.fromkeys([file, *others]))
        self._written = _document(rule, file)
        taxonomy = str(self._written.get("taxonomy") or DEFAULT_TAXONOMY)
        pipes = read_pipelines(folders, self._pipelines)
        self._names = Names(pipes, dict(rule.logsource), taxonomy)
        self._taxonomy = taxonomy

    def propose(
        self,
        false: Callable[[], Iterable[Item]],
        true: Callable[[], Iterable[Item]],
        reason: str,
        expires: date,
    ) -> Proposal:
        """Return a filter that hides what *false* gives and keeps what *true* gives.

        Args:
            false: reads the inputs with the false positives, twice.
            true: reads the inputs with the true matches, twice.
            reason: why they are false.
            expires: the last day of the filter.

        Raises:
            KrSecopsError: there is no safe filter; says why.
        """
        bare = self._load([])
        before = (self._read(false(), bare, keep=True), self._read(true(), bare, keep=True))
        for side in before:
            _ensure_read(side.account)
        if not before[0].matches:
            raise KrSecopsError(f"{self.rule.title!r} is true nowhere in the false positives given")
        selections = choose(before[0].atoms, before[1].atoms)
        if not selections:
            raise KrSecopsError(_why_not(before))
        covered = tuple(Covered(s, s.false.bit_count(), s.true.bit_count()) for s in selections)
        text = self._text(covered, before, reason, expires)
        with tempfile.TemporaryDirectory(prefix="kr-secops-") as name:
            files = [Path(name) / word for word in ("filter.yml", "probe.yml")]
            files[0].write_text(text, "utf-8")
            files[1].write_text(probe(text, _PROBE), "utf-8")
            filtered = self._load(files)
            after = (self._read(false(), filtered), self._read(true(), filtered))
        if after[1].matches < before[1].matches:
            raise KrSecopsError("the filter would hide true matches; none is proposed")
        if after[0].matches >= before[0].matches:
            raise KrSecopsError("the filter would hide nothing; none is proposed")
        return Proposal(text, covered, before, after)

    def _load(self, more: list[Path]) -> Ruleset:
        ruleset = load(
            [*self._files, *more],
            self._pipelines,
            cache_dir=self._cache_dir,
            skip_invalid=True,
            today=self._today,
        )
        own = tuple(f"{path}:" for path in (*self._files[:1], *more))
        wrong = [one.complaint for one in ruleset.refused if one.complaint.startswith(own)]
        if wrong:
            raise KrSecopsError("; ".join(wrong))
        return ruleset

    def _read(self, items: Iterable[Item], ruleset: Ruleset, *, keep: bool = False) -> Side:
        side = Side()
        engine = Engine(ruleset, everything=True)
        probes = [one.number for one in ruleset.rules if one.id == _PROBE]
        trees = [tree for number in probes for tree in ruleset.trees(number)]
        for event in pipeline.events(items, self._guard, side.account):
            _look(event, trees, side)
            if any(match.rule.id == self.rule.id for match in engine.feed(event)):
                side.matches += 1
                if keep and len(side.atoms) < MOST_MATCHES:
                    side.atoms.append(
                        frozenset(a for a in atoms(event) if self._names.of(a.field) is not None)
                    )
            if engine.pending > MOST_MATCHES:
                for _ in engine.findings():  # nobody asks for them here
                    pass
        return side

    def _text(
        self, covered: Sequence[Covered], before: tuple[Side, Side], reason: str, expires: date
    ) -> str:
        of_false, of_true = (len(side.atoms) for side in before)
        said = [
            (
                one.selection,
                f"{one.false} of {of_false} false, {one.true} of {of_true} true matches",
            )
            for one in covered
        ]
        head: dict[str, Any] = {
            "title": f"Not meant by: {self.rule.title}",
            "id": str(uuid.uuid4()),
            "description": f"Hides known false positives of the rule {self.rule.title!r}.",
            "status": "experimental",
            "date": self._today,
            **({"taxonomy": self._taxonomy} if self._taxonomy != DEFAULT_TAXONOMY else {}),
            "logsource": dict(self.rule.logsource),
        }
        return write(head, self.rule.id, said, self._names.of, reason, expires)


def _ensure_read(account: pipeline.Account) -> None:
    """Raise NothingCollectedError if a side was named and nothing of it could be read.

    An input that is not there would otherwise pass for one without true matches.
    """
    if account.skipped and not account.lines and not account.events:
        said = "; ".join(f"{one.source} was not read: {one.reason}" for one in account.skipped[:3])
        raise NothingCollectedError(said)


def _file(place: str) -> str:
    return place.rsplit(":", 2)[0]


def _document(rule: Rule, file: Path) -> dict[str, Any]:
    for document in examine(file)[0]:
        if isinstance(document.value, dict) and document.place() == rule.path:
            if not document.value.get("id") and not document.value.get("name"):
                raise UsageError(f"{rule.path}: a filter can name no rule without an id")
            return document.value
    raise UsageError(f"{rule.path}: the rule is there no more")


def _counted(ruleset: Ruleset, rule: Rule) -> str:
    numbers = [n for one in ruleset.correlations if one.rule == rule.number for n in one.refers]
    return ", ".join(repr(ruleset.rule(number).title) for number in numbers)


def _look(event: Event, trees: list[Node], side: Side) -> None:
    """Count *event* if it is of the probe's log source, and if it meets the filter as well."""
    low = Low(event)
    for tree in trees:
        parts = tree[1] if tree[0] == "and" else (tree,)
        source = [part for part in parts if part[:2] == ("name", "logsource")]
        if all(_is_met(part, low) for part in source):
            side.events += 1
            side.hidden += all(_is_met(part, low) for part in parts if part not in source)
            return


def _is_met(node: Node, low: Low) -> bool:
    op = node[0]
    if op == "and":
        return all(_is_met(part, low) for part in node[1])
    if op == "or":
        return any(_is_met(part, low) for part in node[1])
    if op == "not":
        return not _is_met(node[1], low)
    return _is_met(node[2], low) if op == "name" else bool(holds(node, low))


def _why_not(before: tuple[Side, Side]) -> str:
    false, true = before
    if not any(false.atoms):
        return (
            "no safe filter: the false positives hold only what whoever causes them can choose "
            "(free text, times, numbers), or what is masked"
        )
    if true.matches:
        return (
            f"no safe filter: program, account, network and path of the {false.matches} false "
            f"positives are those of true matches too; make the rule itself more exact"
        )
    return "no safe filter: what the false positives share is true of too much else"
