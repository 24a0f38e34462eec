"""SigmaHQ's own regression data, and a full corpus of attacks: every pair, and no other."""

from __future__ import annotations

import csv
import json
from collections import Counter
from typing import TYPE_CHECKING

import orjson
import pytest

from kr_secops.collect.windows import WindowsError, normalise
from kr_secops.detect.engine import Engine
from kr_secops.detect.fullscan import FullScanEngine
from kr_secops.rule.ruleset import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kr_secops.event import Event
    from kr_secops.rule.ruleset import Ruleset

pytestmark = pytest.mark.slow
FOLDERS = ("rules", "rules-emerging-threats", "rules-threat-hunting")


@pytest.fixture(scope="module")
def ruleset(shared: Path, compiled: Path) -> Ruleset:
    folders = [shared / "data" / "sigma" / name for name in FOLDERS]
    return load(folders, cache_dir=compiled, skip_invalid=True)


def records(path: Path) -> Iterator[Event]:
    evtx = pytest.importorskip("evtx")
    for record in evtx.PyEvtxParser(str(path), number_of_threads=1).records_json():
        try:
            yield normalise(orjson.loads(record["data"]))
        except WindowsError:
            continue


def pairs(
    ruleset: Ruleset, root: Path, files: set[str], kind: type[Engine] = Engine
) -> Counter[tuple[str, str, str]]:
    engine = kind(ruleset)
    found: Counter[tuple[str, str, str]] = Counter()
    for name in sorted(files):
        for event in records(root / name):
            for match in engine.feed(event):
                found[name, event["winlog.record_id"], match.rule.id] += 1
        engine_findings = list(engine.findings())  # drained, as a run does
        assert all(finding.count for finding in engine_findings)
    return found


def test_regression_data(ruleset: Ruleset, shared: Path) -> None:
    root = shared / "data" / "sigma"
    rows = list(csv.DictReader((root / "regression_closure.csv").read_text().splitlines()))
    expected = Counter({(r["file"], r["rule_id"]): int(r["hits"]) for r in rows})
    found: Counter[tuple[str, str]] = Counter()
    for (name, _, rule), hits in pairs(ruleset, root, {r["file"] for r in rows}).items():
        found[name, rule] += hits
    assert found - expected == Counter()
    assert expected - found == Counter()


@pytest.mark.parametrize("kind", [Engine, FullScanEngine])
def test_attack_samples(kind: type[Engine], ruleset: Ruleset, shared: Path) -> None:
    root = shared / "data" / "evtx-attack-samples"
    rows = json.loads((shared / "data/sigma/differential_evtx_attack_samples.json").read_text())
    expected = Counter((name, str(record), rule) for name, record, rule in rows)
    files = {str(path.relative_to(root)) for path in root.rglob("*.evtx")}
    found = pairs(ruleset, root, files, kind)
    assert found - expected == Counter()
    assert expected - found == Counter()
