"""The rule engine with all of SigmaHQ's rules, against its peers.

    python benchmarks/sigma.py FIGURE SIGMA SAMPLES

FIGURE   pairs    which pairs of rule and record are found, of those expected
         start    one event: loading the rules, mostly
         attacks  the attack samples, once
         copies   ten copies of each sample
         quiet    99,610 events that no rule matches
         fresh    the same with values that hardly ever come twice
         growth   ten times the rules, ten times the events
         text     auth.log and access.log, 100,000 and 1,000,000 lines
SIGMA    a folder with rules, rules-emerging-threats, rules-threat-hunting and the expected pairs,
         differential_evtx_attack_samples.json: [[file below SAMPLES, record number, rule id], …]
SAMPLES  a folder of EVTX files
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import peers
from events import Samples, record_number
from harness import compare, generated, once, show

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness import Contender

FOLDERS = ("rules", "rules-emerging-threats", "rules-threat-hunting")
OURS = Path(__file__).parent.parent / "rules"
TEXT = re.compile(
    r"^\s+(?:product: (?:linux|apache|nginx)|category: (?:webserver|proxy)|service: (?:apache|nginx))\s*$",
    re.MULTILINE,
)
"""A log source of Linux or of the web."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What every figure needs."""

    samples: Samples
    paths: Sequence[Path]
    """All of SigmaHQ's rules."""
    rules: Path
    """A folder with them."""
    scratch: Path

    def folder(self, name: str, paths: Iterable[Path]) -> Path:
        """Return a folder with the rules *paths*."""
        target = self.scratch / name
        target.mkdir()
        for i, path in enumerate(paths):
            shutil.copyfile(path, target / f"{i:04}-{path.name}")
        return target


def pairs(bench: Bench) -> None:
    """Print how many pairs each tool has right, missing and too many."""
    samples, output = bench.samples, bench.scratch / "found"
    expected = Counter(samples.pairs)
    print(f"{len(bench.paths)} rules, {expected.total()} pairs expected")

    contender = peers.us("EVTX", [bench.rules], samples.folder)
    once(contender, bench.scratch / "state", output)
    rows = [json.loads(line) for line in output.open(encoding="utf-8")]
    files = {str(path): str(path.relative_to(samples.folder)) for path in samples.files}
    found = Counter(
        (files[r["log.file.path"]], int(r["winlog.record_id"]), r["rule.id"]) for r in rows
    )
    _score(contender, expected, found)

    # A flat event does not say which file it comes from: it is known by what it does say.
    known = {(n, record_number(r)): _identity(r["Event"]["System"]) for n, r in samples.records()}
    same = Counter((*known[name, number], rule) for name, number, rule in samples.pairs)
    for contender in peers.rsigma("flat NDJSON", bench.rules, samples.attacks("flat")):
        with_event = [*contender.command, "--include-event"]
        once(type(contender)(contender.name, with_event), bench.scratch / "state", output)
        rows = [json.loads(line) for line in output.open(encoding="utf-8")]
        _score(contender, same, Counter((*_identity(r["event"]), r["rule_id"]) for r in rows))

    by_name = Counter((name.rpartition("/")[2], *rest) for name, *rest in samples.pairs)
    for contender in peers.zircolite("EVTX", samples.folder):
        once(contender, bench.scratch / "state")
        rules: list[dict[str, Any]] = json.loads(peers.FOUND.read_text())
        found = Counter(
            (match["OriginalLogfile"], match["EventRecordID"], rule["id"])
            for rule in rules
            for match in rule["matches"]
        )
        _score(contender, by_name, found)


def _identity(system: dict[str, Any]) -> tuple[Any, ...]:
    return system["Computer"], system["Channel"], system["EventRecordID"]


def _score(contender: Contender, expected: Counter[Any], found: Counter[Any]) -> None:
    right, missing, extra = expected & found, expected - found, found - expected
    print(
        f"{contender.name:<44} right {right.total():5}  missing {missing.total():5}"
        f"  extra {extra.total():5}"
    )


def start(bench: Bench) -> None:
    """Print one event."""
    paths = []
    for form in ("flat", "nested"):
        path = bench.scratch / f"one.{form}.ndjson"
        with bench.samples.attacks(form).open(encoding="utf-8") as log:
            path.write_text(next(log), encoding="utf-8")
        paths.append(path)
    against_rsigma(bench, *paths)


def attacks(bench: Bench) -> None:
    """Print the samples, once."""
    samples = bench.samples
    against_rsigma(bench, samples.attacks("flat"), samples.attacks("nested"), samples.folder)
    slow = [
        *peers.zircolite("EVTX", samples.folder),
        *peers.chainsaw("EVTX", bench.rules, samples.folder),
        *peers.hayabusa("EVTX", samples.folder),
    ]
    show(compare([*slow, peers.us("EVTX", [bench.rules], samples.folder)], runs=3))


def copies(bench: Bench) -> None:
    """Print ten copies of each sample."""
    samples = bench.samples
    folder = samples.copies(10)
    against_rsigma(bench, samples.attacks("flat", 10), samples.attacks("nested", 10), folder)
    slow = peers.zircolite("EVTX", folder)
    show(compare([*slow, peers.us("EVTX", [bench.rules], folder)], runs=2))


def quiet(bench: Bench) -> None:
    """Print the quiet events."""
    samples = bench.samples
    against_rsigma(bench, samples.quiet("flat"), samples.quiet("nested"))
    slow = peers.zircolite("nested NDJSON", samples.quiet("nested"), "--json-input")
    us = peers.us("nested NDJSON", [bench.rules], samples.quiet("nested"))
    show(compare([*slow, us], runs=2))


def fresh(bench: Bench) -> None:
    """Print the quiet events with values of their own."""
    against_rsigma(bench, bench.samples.fresh("flat"), bench.samples.fresh("nested"))


def against_rsigma(bench: Bench, flat: Path, nested: Path, evtx: Path | None = None) -> None:
    """Print rsigma on *flat* beside ourselves on every form of the same events."""
    contenders = [
        *peers.rsigma("flat NDJSON", bench.rules, flat),
        *([peers.us("EVTX", [bench.rules], evtx)] if evtx else []),
        peers.us("nested NDJSON", [bench.rules], nested),
        peers.us("flat NDJSON", [bench.rules], flat),
    ]
    show(
        compare(contenders),
        dict.fromkeys((c.name for c in contenders), peers.lines(flat)),
        "events",
    )


def growth(bench: Bench) -> None:
    """Print what ten times the rules and ten times the events cost each."""
    samples = bench.samples
    tenth = bench.folder("tenth", bench.paths[::10])
    for name, log in (("attacks", samples.attacks("flat")), ("quiet", samples.quiet("flat"))):
        for title, make in (("kr-secops", _us), ("rsigma", peers.rsigma)):
            words = {n: f"{n} rules, {name}" for n in (len(bench.paths), len(bench.paths[::10]))}
            all_rules, few = words.values()
            pair = [*make(all_rules, bench.rules, log), *make(few, tenth, log)]
            _show_growth(f"{title}: ten times the rules", pair)
    for title, make in (("kr-secops", _us), ("rsigma", peers.rsigma)):
        pair = [
            *make("ten times, flat", bench.rules, samples.attacks("flat", 10)),
            *make("once, flat", bench.rules, samples.attacks("flat")),
        ]
        _show_growth(f"{title}: ten times the events", pair)
    pair = [*_us("ten times, EVTX", bench.rules, samples.copies(10)),
            *_us("once, EVTX", bench.rules, samples.folder)]  # fmt: skip
    _show_growth("kr-secops: ten times the files", pair)


def _us(name: str, rules: Path, log: Path) -> list[Contender]:
    return [peers.us(name, [rules], log)]


def _show_growth(title: str, pair: Sequence[Contender]) -> None:
    if pair:
        print(title)
        show(compare(pair))


def text(bench: Bench) -> None:
    """Print logs of text with all of SigmaHQ's rules for Linux and the web, and ours with them."""
    theirs = [path for path in bench.paths if TEXT.search(path.read_text(encoding="utf-8"))]
    ours = [path for path in sorted(OURS.rglob("*.yml")) if _is_rule(path)]
    public, own = bench.folder("public", theirs), bench.folder("own", ours)
    print(f"{len(theirs)} rules of SigmaHQ's, {len(ours)} of ours")
    # rsigma takes syslog headers apart; of an access log it knows the line as a whole.
    for kind, form in (("auth", "syslog"), ("access", "plain")):
        for size in (100_000, 1_000_000):
            log, name = generated(kind, size), f"{kind}, {size:,} lines"
            contenders = [
                *peers.rsigma(name, public, log, "--input-format", form),
                peers.us(f"{name}, with ours", [public, own], log),
                peers.us(name, [public], log),
            ]
            show(compare(contenders), dict.fromkeys((c.name for c in contenders), size), "lines")


def _is_rule(path: Path) -> bool:
    return path.parent.name not in (
        "identifiers",
        "pipelines",
    ) and "\ndetection:" in path.read_text(encoding="utf-8")


FIGURES = {f.__name__: f for f in (pairs, start, attacks, copies, quiet, fresh, growth, text)}


def rule_paths(sigma: Path) -> Iterator[Path]:
    """Yield SigmaHQ's rules in order."""
    for folder in FOLDERS:
        yield from sorted((sigma / folder).rglob("*.yml"))


def main() -> None:
    """Read the command line."""
    if len(sys.argv) != 4 or sys.argv[1] not in FIGURES:
        raise SystemExit(__doc__)
    sigma, folder = Path(sys.argv[2]).resolve(), Path(sys.argv[3]).resolve()
    peers.versions()
    samples = Samples(folder, sigma / "differential_evtx_attack_samples.json")
    paths = list(rule_paths(sigma))
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(samples, paths, Path(scratch) / "rules", Path(scratch))
        bench.folder("rules", paths)
        FIGURES[sys.argv[1]](bench)
    peers.FOUND.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
