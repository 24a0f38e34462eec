"""Compiling: rule files to one file that the engine reads; the only door to pySigma at run time."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sigma.correlations import SigmaCorrelationRule
from sigma.exceptions import SigmaError
from sigma.filters import SigmaFilter
from sigma.rule import SigmaRule

from kr_secops.rule import index, source
from kr_secops.rule.container import Writer
from kr_secops.rule.convert import UnansweredError, UnsupportedError, from_detections
from kr_secops.rule.logsource import DEFAULT_TAXONOMY
from kr_secops.rule.metadata import describe, to_row
from kr_secops.rule.references import convert, referred

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date
    from pathlib import Path

    from kr_secops.rule.correlation import Correlation
    from kr_secops.rule.logsource import Pipelines
    from kr_secops.rule.metadata import Rule
    from kr_secops.rule.source import Draft
    from kr_secops.rule.tree import Node

_COLUMN: Final = re.compile(r"\s+\(at char \d+\).*")
_LOUD: Final = re.compile("found '(AND|OR|NOT)'")
_PROBE: Final = {"title": "probe", "detection": {"probe": {"probe": ""}, "condition": "probe"}}


@dataclass(slots=True)
class Filter:
    """A Sigma filter in force, or one whose day has passed."""

    parsed: SigmaFilter
    title: str
    path: str
    reason: str
    expires: date
    expired: bool


@dataclass(slots=True)
class Building:
    """The state of one compilation."""

    pipelines: Pipelines
    today: date
    rules: list[Rule] = field(default_factory=list)
    trees: list[tuple[int, Node]] = field(default_factory=list)
    correlations: list[Correlation] = field(default_factory=list)
    filters: list[Filter] = field(default_factory=list)
    refused: list[tuple[str, str, bool]] = field(default_factory=list)
    """Complaint, id of the rule it is about, and whether that only waits for a list."""
    known: dict[str, int] = field(default_factory=dict)
    """Id, name → number."""
    unanswered: set[str] = field(default_factory=set)
    """Ids and names of what waits for a list."""

    def refuse(self, draft: Draft, complaints: Iterable[str], *, unanswered: bool = False) -> None:
        """Note why *draft* is not loaded."""
        self.refused += [(complaint, draft.id, unanswered) for complaint in complaints]
        if unanswered:
            self.unanswered |= _words(draft)

    def add_filter(self, draft: Draft) -> None:
        """Take up a filter, if it says why and until when."""
        assert isinstance(draft.parsed, SigmaFilter)
        attributes = draft.attributes
        missing = [word for word in ("reason", "expires") if not getattr(attributes, word)]
        if missing:
            self.refuse(
                draft,
                [
                    draft.document.complain(("kr",), f"{word}: a filter must say it")
                    for word in missing
                ],
            )
            return
        problem = self.filter_problem(draft.parsed)
        if problem is not None:
            text = re.sub("_filt_[a-z]{10}_", "", str(problem)) or type(problem).__name__
            self.refuse(
                draft,
                [draft.document.complain(("filter",), text)],
                unanswered=isinstance(problem, UnansweredError),
            )
            return
        assert attributes.expires is not None
        self.filters.append(
            Filter(
                parsed=draft.parsed,
                title=draft.parsed.title,
                path=draft.document.place(),
                reason=attributes.reason,
                expires=attributes.expires,
                expired=attributes.expires < self.today,
            )
        )

    def filter_problem(self, parsed: SigmaFilter) -> Exception | None:
        """Return what is wrong with a filter, or it would be held against each rule it is for."""
        probe = source.parse({**_PROBE, "logsource": parsed.logsource.to_dict()})
        assert isinstance(probe, SigmaRule)
        anywhere = dataclasses.replace(parsed.filter, rules="any")
        try:
            dataclasses.replace(parsed, filter=anywhere).apply_on_rule(probe)
            from_detections(probe.detection, self.pipelines.lists)
        except (UnsupportedError, SigmaError, RecursionError) as e:
            return e
        return None

    def add_rule(self, draft: Draft) -> None:
        """Take up a rule with its alternatives."""
        value = draft.document.value
        try:
            trees = self.pipelines.alternatives(
                self.filtered(draft.parsed), lambda: self.filtered(source.parse(value))
            )
        except UnsupportedError as e:
            waits = isinstance(e, UnansweredError)
            self.refuse(draft, [draft.document.complain(("detection",), str(e))], unanswered=waits)
            return
        except (SigmaError, RecursionError) as e:
            place = ("detection", "condition")
            self.refuse(draft, [draft.document.complain(place, _condition_problem(e))])
            return
        except (TypeError, AttributeError, ValueError, KeyError) as e:
            # What pySigma took for granted when it read the rule, it may ask for only now.
            self.refuse(
                draft,
                [draft.document.complain(("detection",), f"has a part of a wrong kind ({e})")],
            )
            return
        number = self.register(draft)
        self.rules[number] = dataclasses.replace(self.rules[number], applies=bool(trees))
        self.trees += [(number, tree) for tree in trees]

    def filtered(self, parsed: Any) -> SigmaRule:
        """Return the rule with every filter in force applied."""
        assert isinstance(parsed, SigmaRule)
        for one in self.filters:
            if not one.expired:
                one.parsed.apply_on_rule(parsed)
        return parsed

    def register(self, draft: Draft) -> int:
        """Give a rule or correlation its number."""
        number = len(self.rules)
        place = draft.document.place()
        self.rules.append(describe(draft.document.value, draft.attributes, number, place))
        self.known |= dict.fromkeys(_words(draft), number)
        return number

    def names(self, field_name: str, number: int) -> tuple[str, ...]:
        """Return what a field of the rule *number* is called in the events it matches."""
        rule = self.rules[number]
        if rule.kind == "correlation" or not rule.logsource:
            return (field_name,)
        taxonomy = self.taxonomies.get(number, DEFAULT_TAXONOMY)
        return tuple(self.pipelines.names(field_name, dict(rule.logsource), taxonomy))

    taxonomies: dict[int, str] = field(default_factory=dict)

    def add_correlations(self, drafts: Sequence[Draft]) -> None:
        """Take up all correlations; they may refer to each other in any order."""
        ready = self._answered(drafts)
        numbered = [(draft, self.register(draft)) for draft in ready]
        refused: set[int] = set()
        for draft, number in numbered:
            assert isinstance(draft.parsed, SigmaCorrelationRule)
            found = convert(
                draft.parsed,
                draft.document.value,
                number,
                self.known.get,
                self.names,
            )
            if isinstance(found, str):
                self.refuse(draft, [draft.document.complain(("correlation", "rules"), found)])
                refused.add(number)
                continue
            self.correlations.append(found)
            if not draft.parsed.generate:
                for other in found.refers:
                    self.rules[other] = dataclasses.replace(self.rules[other], output=False)
        self._drop_dangling({n: d for d, n in numbered}, refused)

    def _answered(self, drafts: Sequence[Draft]) -> list[Draft]:
        """Return *drafts* without those that refer to what waits for a list: they wait as well."""
        waiting = list(drafts)
        count = -1
        while count != len(waiting):
            count = len(waiting)
            for draft in list(waiting):
                assert isinstance(draft.parsed, SigmaCorrelationRule)
                found = [word for word in referred(draft.parsed) if word in self.unanswered]
                if found:
                    problem = f"refers to {found[0]!r}, which waits for a list"
                    complaint = draft.document.complain(("correlation", "rules"), problem)
                    self.refuse(draft, [complaint], unanswered=True)
                    waiting.remove(draft)
        return waiting

    def _drop_dangling(self, drafts: dict[int, Draft], refused: set[int]) -> None:
        """Refuse what refers, over however many steps, to a refused correlation or to itself."""
        order: list[Correlation] = []
        waiting = list(self.correlations)
        kinds = {c.rule for c in waiting} | refused
        done: set[int] = set()
        while waiting:
            ready = [c for c in waiting if all(r in done or r not in kinds for r in c.refers)]
            if not ready:
                break
            order += ready
            done |= {c.rule for c in ready}
            waiting = [c for c in waiting if c not in ready]
        for correlation in waiting:
            draft = drafts[correlation.rule]
            problem = "refers to a correlation that was refused, or in a circle to itself"
            self.refuse(draft, [draft.document.complain(("correlation", "rules"), problem)])
        self.correlations = order


def compile_files(
    files: Sequence[tuple[Path, Path, bytes | None]], pipelines: Pipelines, today: date
) -> bytes:
    """Return the compiled form of *files*: path, folder it was found under, content.

    A rule of a later folder replaces one of the same id in an earlier folder; within a folder an
    id may stand once.
    """
    building = Building(pipelines, today)
    drafts = _unique(_read(building, files), building)
    for draft, _ in drafts:
        if isinstance(draft.parsed, SigmaFilter):
            building.add_filter(draft)
    for draft, _ in drafts:
        if isinstance(draft.parsed, SigmaRule):
            before = len(building.rules)
            building.add_rule(draft)
            if len(building.rules) > before:
                building.taxonomies[before] = str(draft.parsed.taxonomy or DEFAULT_TAXONOMY)
    building.add_correlations(
        [draft for draft, _ in drafts if isinstance(draft.parsed, SigmaCorrelationRule)]
    )
    return _write(building)


def _read(
    building: Building, files: Sequence[tuple[Path, Path, bytes | None]]
) -> list[tuple[Draft, Path]]:
    good = []
    for path, root, text in files:
        drafts, complaints = source.read_file(path, text)
        building.refused += [(complaint, "", False) for complaint in complaints]
        for draft in drafts:
            if draft.complaints or complaints:
                building.refuse(draft, draft.complaints)
            elif draft.parsed is not None:
                good.append((draft, root))
    return good


def _condition_problem(error: Exception) -> str:
    """Return what pySigma says of a condition, without the column of one that it made of it."""
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    text = _COLUMN.sub("", str(error)) or type(error).__name__
    hint = "; and, or, not are written in small letters" if _LOUD.search(text) else ""
    return text + hint


def _words(draft: Draft) -> set[str]:
    """Return what others may call *draft*: its id and its name."""
    value = draft.document.value
    return {str(value[key]) for key in ("id", "name") if value.get(key)}


def _unique(drafts: list[tuple[Draft, Path]], building: Building) -> list[tuple[Draft, Path]]:
    last: dict[str, tuple[Draft, Path]] = {}
    for draft, root in drafts:
        identity = str(draft.document.value.get("id") or f"{draft.document.place()} {draft.id}")
        if identity in last and last[identity][1] == root:
            first = last[identity][0].document.place(("id",))
            building.refuse(
                draft, [draft.document.complain(("id",), f"the rule at {first} has it already")]
            )
            continue
        last[identity] = (draft, root)
    named: dict[str, Draft] = {}
    unique = []
    for draft, root in last.values():
        name = draft.document.value.get("name")
        first_named = named.setdefault(str(name), draft) if name else draft
        if first_named is draft:
            unique.append((draft, root))
            continue
        place = first_named.document.place(("name",))
        building.refuse(
            draft, [draft.document.complain(("name",), f"the rule at {place} has it already")]
        )
    return unique


def _write(building: Building) -> bytes:
    made = index.build(building.trees)
    writer = Writer()
    alternatives = [
        (
            a.rule,
            writer.put(a.code),
            writer.put_value(a.tree),
            writer.put_value(a.named),
            {name: writer.put(code) for name, code in a.by_field.items()},
        )
        for a in made.alternatives
    ]
    expiries = [f.expires.isoformat() for f in building.filters if not f.expired]
    head = {
        "rules": writer.put_value([writer.put_value(to_row(rule)) for rule in building.rules]),
        "count": len(building.rules),
        "alternatives": writer.put_value(alternatives),
        "tables": [(writer.put(blob), always) for blob, always in made.tables],
        "buckets": made.buckets,
        "keywords": None if made.keywords is None else writer.put(made.keywords),
        "privacy": made.privacy,
        "correlations": writer.put_value(
            [tuple(getattr(c, name) for name in type(c).__slots__) for c in building.correlations]
        ),
        "silent": [rule.number for rule in building.rules if not rule.output],
        "refused": writer.put_value(building.refused),
        "filters": writer.put_value(
            [
                (f.title, f.path, f.reason, f.expires.isoformat(), f.expired)
                for f in building.filters
            ]
        ),
        "until": min(expiries, default=""),
    }
    return writer.finish(head)
