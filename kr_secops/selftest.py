"""Tests of rules, as they lie beside them: ``<name>.yml`` has its cases in ``<name>.test.yaml``.

- name: eight wrong passwords
  rule: SSH password guessing from one address
  expect: match
  lines: ['Nov 17 09:14:02 web-izin sshd[21401]: Failed password for sari from …', …]

Lines go the way they go in earnest: collector, masking, engine.
"""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from kr_secops.collect.interface import Skipped
from kr_secops.collect.reading import Options, read
from kr_secops.detect.engine import Engine
from kr_secops.document import Model, did_you_mean, examine, validate
from kr_secops.errors import ContentError
from kr_secops.event import Rejected, dumps
from kr_secops.privacy.mask import Guard
from kr_secops.rule.source import find_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from kr_secops.document import Document
    from kr_secops.event import Event
    from kr_secops.rule.ruleset import Ruleset

Names: TypeAlias = dict[int, tuple[str, str, str]]
"""Number of a rule → its id, name and title."""

NOW: Final = datetime(2026, 12, 31, 12, tzinfo=UTC)
"""The present in tests, by which time stamps without a year are read."""
_KEY: Final = b"a key for tests, known to all"


class Case(Model):
    """One case as it is written."""

    name: str
    expect: Literal["match", "none"]
    rule: str = ""
    """Title, name or id of the rule that must match (or not); empty: the file's last one."""
    collector: str | None = None
    lines: tuple[str, ...] = ()
    events: tuple[dict[str, Any], ...] = ()
    count: int | None = None
    """How many events must bear the rule out."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one case."""

    path: str
    """``path:line:column`` of the case."""
    name: str
    rule: str
    """Title of the rule."""
    problem: str
    """Empty if all is well."""

    @property
    def passed(self) -> bool:
        """Return whether the case came out as expected."""
        return not self.problem


def untested(paths: Iterable[Path]) -> list[Path]:
    """Return the rule files below *paths* that have no test beside them."""
    return [path for path, _ in find_files(paths) if not _beside(path).is_file()]


def run(paths: Iterable[Path], ruleset: Ruleset) -> Iterator[Result]:
    """Yield the result of every case below *paths*.

    Args:
        paths: folders or rule files.
        ruleset: rules that include those of *paths* and all that they refer to.

    Raises:
        ContentError: a test file is wrong; names everything in it.
    """
    guard = Guard(_KEY)
    rules = _by_file(ruleset)
    for path, _ in find_files(paths):
        beside = _beside(path)
        if beside.is_file():
            yield from _run_file(beside, rules.get(path.resolve(), {}), ruleset, guard)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.stem}.test.yaml")


def _run_file(beside: Path, rules: Names, ruleset: Ruleset, guard: Guard) -> Iterator[Result]:
    for document, place, case in _cases(beside):
        number = _find(case.rule, rules)
        if number is None:
            words = [word for names in rules.values() for word in names]
            wanted = f"no rule {case.rule!r}" if case.rule else "no rule that is loaded"
            problem = f"{wanted} stands beside it{did_you_mean(case.rule, words)}"
            yield Result(document.place(place), case.name, case.rule, problem)
            continue
        title = ruleset.rule(number).title
        problem = _judge(case, ruleset, number, guard)
        yield Result(document.place(place), case.name, title, problem)


def _by_file(ruleset: Ruleset) -> dict[Path, Names]:
    """Return file → the rules that it holds, in its order."""
    files: dict[Path, Names] = {}
    for rule in sorted(ruleset.rules, key=lambda rule: int(rule.path.rsplit(":", 2)[1])):
        # The same file may be spelled otherwise by who names it.
        names = files.setdefault(rule.file.resolve(), {})
        names[rule.number] = (rule.id, rule.name, rule.title)
    return files


def _find(wanted: str, rules: Names) -> int | None:
    if not wanted:
        return next(reversed(rules), None)
    return next((number for number, names in rules.items() if wanted in names), None)


def _cases(path: Path) -> Sequence[tuple[Document, tuple[int], Case]]:
    documents, complaints = examine(path)
    cases: list[tuple[Document, tuple[int], Case]] = []
    for document in documents:
        if not isinstance(document.value, list):
            complaints.append(document.complain((), "a test file is a list of cases"))
            continue
        for i in range(len(document.value)):
            try:
                case = validate(document, Case, (i,))
            except ContentError as e:
                complaints += e.complaints
                continue
            if bool(case.lines) == bool(case.events):
                complaints.append(document.complain((i,), "a case has either lines or events"))
            cases.append((document, (i,), case))
    if complaints:
        raise ContentError(complaints)
    return cases


def _judge(case: Case, ruleset: Ruleset, number: int, guard: Guard) -> str:
    """Return what is wrong, empty if nothing is."""
    engine = Engine(ruleset, everything=True)
    counts: Counter[str] = Counter()
    matched: set[str] = set()
    try:
        for event in _events(case):
            for match in engine.feed(guard.protect(event)):
                matched.add(match.rule.title)
    except ValueError as e:
        return str(e)
    engine.close()
    for finding in engine.findings():
        counts[finding.rule_id] += finding.count
        matched.add(finding.rule_name)
    found = counts[ruleset.rule(number).id]
    if case.expect == "none":
        return f"matched {found} events" if found else ""
    if not found:
        others = ", ".join(sorted(matched)) or "no rule"
        return f"did not match; {others} did"
    if case.count is not None and found != case.count:
        return f"matched {found} events, not {case.count}"
    return ""


def _events(case: Case) -> Iterator[Event]:
    """Yield the events of *case*; ValueError if a line cannot be read."""
    if case.events:
        text = b"".join(dumps(event) + b"\n" for event in case.events)
        collector = case.collector or "ecs"
    else:
        text = "".join(f"{line}\n" for line in case.lines).encode("utf-8", "surrogatepass")
        collector = case.collector or ""
    options = Options(
        now=NOW, collector=collector or None, host="test-host", zone=UTC, stdin=io.BytesIO(text)
    )
    for item in read(["-"], options):
        if isinstance(item, Skipped):
            raise ValueError(f"not read: {item.reason}")  # noqa: TRY004 (no type, a source)
        outcomes = [item] if isinstance(item, Rejected) else item.events()
        for outcome in outcomes:
            if isinstance(outcome, Skipped | Rejected):
                raise ValueError(f"not read: {outcome.reason}")  # noqa: TRY004 (no type, a record)
            yield outcome
