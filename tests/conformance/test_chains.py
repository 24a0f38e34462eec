"""Every chain of one and of two modifiers: which are lawful, and what those mean."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from sigma.modifiers import modifier_mapping

from kr_secops.detect.engine import Engine
from kr_secops.detect.fullscan import FullScanEngine
from kr_secops.rule import pysigma
from kr_secops.rule.ruleset import load
from tests.conformance.reference import is_true, texts_of

if TYPE_CHECKING:
    from kr_secops.rule.ruleset import Ruleset

pysigma.prepare()
LAWFUL: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name("chains.yml").read_text())
VALUES = ("a -b", "%who%", "10.0.0.0/8", "message", 5, True)
LISTS = {"who": ["sari", "srv*"]}
CHAINS = [
    *((one,) for one in sorted(modifier_mapping)),
    *((one, two) for one in sorted(modifier_mapping) for two in sorted(modifier_mapping)),
]
RULES = {
    str(uuid.uuid5(uuid.NAMESPACE_OID, f"{chain} {value}")): (chain, value)
    for chain in CHAINS
    for value in VALUES
}
EVENTS: list[dict[str, Any]] = [
    {},
    *({"message": value} for value in (
        None, "", [], "a -b", "A /B", "xa -bx", "sari", "SRV1", "%who%", "10.0.0.0/8", "10.1.1.1",
        "message", 4, 5, 6, True, "5", "2026-05-05T05:05:05Z", "2005-02-01T00:00:00Z", [4, "a -b"],
    )),
]  # fmt: skip


def detection(chain: tuple[str, ...], value: Any) -> dict[str, Any]:
    return {"s": {"|".join(("message", *chain)): value}, "condition": "s"}


@pytest.fixture(scope="module")
def ruleset(tmp_path_factory: pytest.TempPathFactory) -> Ruleset:
    folder = tmp_path_factory.mktemp("chains")
    (folder / "placeholders").mkdir()
    (folder / "placeholders" / "who.txt").write_text("\n".join(LISTS["who"]))
    rules = [
        {"title": str(chain), "id": identity, "taxonomy": "ecs", "detection": detection(chain, value),
         "logsource": {"product": "linux", "service": "sshd"}}
        for identity, (chain, value) in RULES.items()
    ]  # fmt: skip
    (folder / "rules.yml").write_text("\n---\n".join(map(json.dumps, rules)))
    return load([folder], cache_dir=folder / "compiled", skip_invalid=True)


def test_which_are_lawful(ruleset: Ruleset) -> None:
    found: dict[str, list[str]] = {}
    for chain in dict.fromkeys(RULES[rule.id][0] for rule in ruleset.rules):
        found.setdefault(chain[0], []).extend(chain[1:])
    assert found == LAWFUL
    assert len(ruleset.rules) + len({one.rule_id for one in ruleset.refused}) == len(RULES)


def test_what_they_mean(ruleset: Ruleset) -> None:
    engine, slow = Engine(ruleset), FullScanEngine(ruleset)
    for rule in ruleset.rules:
        chain, value = RULES[rule.id]
        made = [{"message": text} for text in texts_of(value, list(chain), LISTS)]
        for fields in (*EVENTS, *made):
            event = {"event.dataset": "sshd", "@timestamp": "2026-11-17T01:00:00Z", **fields}
            wanted = is_true(detection(chain, value), event, LISTS)
            key = json.dumps(event)
            if key not in _FOUND:
                _FOUND[key] = {match.rule.id for match in engine.feed(event)}
                assert _FOUND[key] == {match.rule.id for match in slow.feed(event)}
            assert (rule.id in _FOUND[key]) == wanted, (chain, value, fields)


_FOUND: dict[str, set[str]] = {}
