"""Running backtests: one engine a trial, however many rules it is about."""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import yaml

from kr_secops import pipeline
from kr_secops.backtest.trial import Result
from kr_secops.collect.reading import Options, read
from kr_secops.collect.recognise import is_windows
from kr_secops.collect.windows import WindowsError, normalise
from kr_secops.detect.engine import Engine
from kr_secops.document import did_you_mean
from kr_secops.errors import ContentError
from kr_secops.event import flatten
from kr_secops.rule.ruleset import load
from kr_secops.rule.source import read_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kr_secops.backtest.trial import Expected, Input, Raw, Trial
    from kr_secops.collect.interface import Skipped
    from kr_secops.collect.reading import Item
    from kr_secops.event import Event
    from kr_secops.privacy.mask import Guard
    from kr_secops.rule.metadata import Rule
    from kr_secops.rule.ruleset import Ruleset

LARGEST: Final = 64 << 20
"""Bytes of a JSON sample that is read whole."""
_BARE: Final = "name: bare\npriority: 0\ntransformations: []\n"
"""A pipeline that changes nothing: the fields of the events are those of the rule."""


class Runner:
    """Runs trials against one rule set."""

    def __init__(
        self,
        ruleset: Ruleset,
        guard: Guard,
        cache_dir: Path,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Start.

        Args:
            ruleset: the rules, all that may be true.
            guard: masks the events, as in earnest.
            cache_dir: where rules are kept that trials load with pipelines of their own.
            clock: measures the trials.
        """
        self.ruleset = ruleset
        self.rules = {rule.id: rule for rule in ruleset.rules}
        self._words = {
            word: rule
            for rule in reversed(ruleset.rules)
            for word in (rule.title, rule.name, rule.id)
            if word
        }
        self._guard = guard
        self._cache_dir = cache_dir
        self._clock = clock
        self._engine: Engine | None = None

    def ensure_known(self, trials: Iterable[Trial]) -> None:
        """Raise ContentError for every strict trial's expectation that names no loaded rule."""
        complaints = [
            f"{one.place}: {one.rule}: {self._absence(one.rule)}"
            for trial in trials
            if trial.strict
            for one in trial.expected
            if one.rule not in self._words
        ]
        if complaints:
            raise ContentError(complaints)

    def run(self, trials: Iterable[Trial]) -> Iterator[Result]:
        """Yield what came of each expectation, trial by trial."""
        for trial in trials:
            begin = self._clock()
            try:
                results = self._results(trial)
            except OSError as e:
                results = self._broken(trial, f"{e.filename}: {e.strerror}")
            except (ContentError, ValueError, RecursionError) as e:
                results = self._broken(trial, str(e))
            share = (self._clock() - begin) / (len(results) or 1)
            yield from (replace(result, seconds=share) for result in results)

    def _results(self, trial: Trial) -> list[Result]:
        account = pipeline.Account()
        if trial.raw is not None:
            counts = self._count_raw(trial, trial.raw)
        else:
            counts = self._count(_items(trial.inputs), self._fresh_engine(), account)
        unread = _unread(trial, account)
        if unread:
            return self._broken(trial, unread)
        results = [self._judge(trial, one, counts) for one in trial.expected]
        return results + self._others(trial, counts) if trial.others else results

    def _fresh_engine(self) -> Engine:
        """Return an engine that remembers nothing; only windows of correlations are memory."""
        if self._engine is None or self.ruleset.correlations:
            self._engine = Engine(self.ruleset, everything=True)
        return self._engine

    def _count(
        self, items: Iterable[Item], engine: Engine, account: pipeline.Account
    ) -> Counter[str]:
        counts: Counter[str] = Counter()
        for finding in pipeline.detect(items, self._guard, engine, account):
            counts[finding.rule_id] += finding.count
        return counts

    def _judge(self, trial: Trial, one: Expected, counts: Counter[str]) -> Result:
        rule = self._words.get(one.rule)
        if rule is None:
            problem = self._absence(one.rule)
            return Result(
                trial.name, one.place, one.rule, one.rule, str(one), 0, problem, broken=True
            )
        found = counts[rule.id]
        problem = "" if one.holds(found) else f"{found} events, not {one}"
        return Result(trial.name, one.place, rule.title, rule.id, str(one), found, problem)

    def _others(self, trial: Trial, counts: Counter[str]) -> list[Result]:
        named = {rule.id for one in trial.expected if (rule := self._words.get(one.rule))}
        others = [
            Result(trial.name, trial.others, rule.title, key, "0", found, f"{found} events, not 0")
            for key, found in counts.items()
            if key not in named and (rule := self.rules[key]).output
        ]
        if others:
            return sorted(others, key=lambda result: (result.rule, result.rule_id))
        return [Result(trial.name, trial.others, "others: none", "", "0", 0)]

    def _broken(self, trial: Trial, problem: str) -> list[Result]:
        """Return that nothing can be said of any expectation of *trial*."""
        results = []
        for one in trial.expected:
            rule = self._words.get(one.rule)
            title, identity = (rule.title, rule.id) if rule else (one.rule, one.rule)
            results.append(
                Result(trial.name, one.place, title, identity, str(one), 0, problem, broken=True)
            )
        place = trial.others or trial.name
        nothing = Result(trial.name, place, "others: none", "", "0", 0, problem, broken=True)
        return results or [nothing]

    def _absence(self, word: str) -> str:
        for refusal in self.ruleset.refused:
            if refusal.rule_id == word:
                return f"the rule is refused: {refusal.complaint}"
        return f"no rule has this id, name or title{did_you_mean(word, self._words)}; --rules names where rules lie"

    def _count_raw(self, trial: Trial, raw: Raw) -> Counter[str]:
        events = [event for one in trial.inputs for event in _raw_events(one.path, raw)]
        if not raw.pipelines and not raw.filters and _is_ours(events):
            engine = self._fresh_engine()
        else:
            wanted = [r for one in trial.expected if (r := self._words.get(one.rule)) is not None]
            engine = Engine(self._load_raw(wanted, raw), everything=True)
        for event in events:
            engine.feed(self._guard.protect(event))
        engine.close()
        counts: Counter[str] = Counter()
        for finding in engine.findings():
            counts[finding.rule_id] += finding.count
        return counts

    def _load_raw(self, rules: Sequence[Rule], raw: Raw) -> Ruleset:
        with _side_files(raw) as (pipelines, filters):
            files = [rule.file for rule in rules]
            found = load(
                [*files, *filters], pipelines, cache_dir=self._cache_dir, skip_invalid=True
            )
            # Other rules of a file may be broken; the filters of the test may not.
            wrong = [
                one.complaint.replace(str(made), str(given))
                for one in found.refused
                for made, given in zip(filters, raw.filters, strict=True)
                if one.complaint.startswith(f"{made}:")
            ]
            if wrong:
                raise ContentError(wrong)
            return found


def _items(inputs: Iterable[Input]) -> Iterator[Item]:
    for one in inputs:
        options = Options(
            collector=one.collector,
            host=one.host,
            zone=ZoneInfo(one.zone) if one.zone else None,
            year=one.year,
        )
        yield from read([str(one.path)], options)


def _unread(trial: Trial, account: pipeline.Account) -> str:
    """Return why an input was not read; a folder may hold files that are no logs."""
    named = {str(one.path) for one in trial.inputs}
    wrong: list[Skipped] = [one for one in account.skipped if one.source in named]
    if not account.lines and not account.events:
        wrong = wrong or account.skipped
    return "; ".join(f"{one.source} was not read: {one.reason}" for one in wrong[:3])


def _is_ours(events: Iterable[Event]) -> bool:
    return all(event.get("event.dataset") == "windows" for event in events)


def _raw_events(path: Path, raw: Raw) -> Iterator[Event]:
    """Yield the JSON objects of *path*, one a line or one after the other, as flat events.

    Windows records become events of ours unless pipelines say how their fields are called.
    """
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path}: larger than {LARGEST >> 20} MiB")
    text = path.read_text("utf-8-sig")
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            document, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as e:
            raise ValueError(f"{path}:{e.lineno}:{e.colno}: {e.msg}") from None
        for one in document if isinstance(document, list) else [document]:
            if isinstance(one, dict):
                yield _raw_event(one, raw)


def _raw_event(document: dict[str, Any], raw: Raw) -> Event:
    if not raw.pipelines and is_windows(document):
        try:
            return normalise(document)
        except WindowsError:
            pass
    return flatten(document)


@contextmanager
def _side_files(raw: Raw) -> Iterator[tuple[list[Path], list[Path]]]:
    """Give the pipelines and filters as files that `load` takes.

    A filter of SigmaHQ says neither why nor until when; in a test it needs neither.
    """
    with tempfile.TemporaryDirectory(prefix="kr-secops-") as name:
        folder = Path(name)
        pipelines = list(raw.pipelines)
        if not pipelines:
            pipelines = [folder / "bare.yml"]
            pipelines[0].write_text(_BARE, "utf-8")
        filters = []
        for i, path in enumerate(raw.filters):
            filters.append(folder / f"filter-{i}.yml")
            filters[-1].write_text(yaml.safe_dump_all(_with_reason(path)), "utf-8")
        yield pipelines, filters


def _with_reason(path: Path) -> list[dict[str, Any]]:
    """Return the filters in *path* with what ours must say.

    Raises:
        ContentError: names every mistake with its place.
    """
    drafts, complaints = read_file(path)
    complaints += [complaint for draft in drafts for complaint in draft.complaints]
    if complaints:
        raise ContentError(complaints)
    said = {"kr": {"reason": "part of a test", "expires": "9999-12-31"}}
    return [draft.document.value | said for draft in drafts]
