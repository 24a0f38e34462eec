"""Tags become coverage, and coverage a layer that the ATT&CK Navigator reads."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kr_secops.report.attack import TACTICS, known, retired
from kr_secops.report.coverage import cover, sizes
from kr_secops.report.navigator import layer
from tests.report.schema import problems

if TYPE_CHECKING:
    from kr_secops.report.coverage import Coverage

SCHEMA = json.loads((Path(__file__).parent / "navigator.schema.json").read_text())


@dataclass(frozen=True)
class Tags:
    tags: tuple[str, ...]


def covered(*rules: list[str]) -> Coverage:
    return cover((f"rule {i}", Tags(tuple(tags))) for i, tags in enumerate(rules))


def test_no_technique_is_both_in_force_and_retired() -> None:
    assert not known().keys() & retired().keys()
    for technique, (successor, name) in retired().items():
        assert name, technique
        assert not successor or successor in known(), technique


def test_every_parent_is_known() -> None:
    assert {t.partition(".")[0] for t in known()} <= known().keys()


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([], []),
        ([["attack.credential-access"]], []),
        (
            [["attack.t1110.001"], ["attack.t1110.001", "attack.credential-access"]],
            [("credential-access", "T1110.001", 2)],
        ),
        (
            [["attack.t1078", "attack.persistence"], ["attack.t1078", "attack.initial-access"]],
            [("initial-access", "T1078", 1), ("persistence", "T1078", 1)],
        ),
        # Who names no tactic counts under each that others name.
        (
            [["attack.t1078", "attack.persistence"], ["attack.t1078"]],
            [("persistence", "T1078", 2)],
        ),
        ([["attack.t1078"]], [("initial-access", "T1078", 1)]),
    ],
)
def test_cover(rules: list[list[str]], expected: list[tuple[str, str, int]]) -> None:
    found = covered(*rules)
    assert [(one.tactic, one.technique, len(one.by)) for one in found.techniques] == expected
    assert found.counted == len(rules)


def test_what_cannot_be_counted_is_named() -> None:
    found = covered(["attack.t1562.001"], ["attack.t9999", "cve.2026-1"], ["privacy.x"])
    assert found.retired == {"T1562.001": ("rule 0",)}
    assert retired()["T1562.001"][0] == "T1685"
    assert found.unknown == {"T9999": ("rule 1",)}
    assert found.untagged == ("rule 2",)
    assert found.techniques == ()


def entries(made: dict[str, Any]) -> dict[tuple[str, str | None], dict[str, Any]]:
    return {(one["techniqueID"], one.get("tactic")): one for one in made["techniques"]}


def test_the_layer_tells_scores_and_names() -> None:
    made = layer(
        covered(
            ["attack.t1110.001", "attack.credential-access"],
            ["attack.t1110.001"],
            ["attack.t1595.002"],
        ),
        "ours",
    )
    assert problems(made, SCHEMA, SCHEMA) == []
    found = entries(made)
    child = found["T1110.001", "credential-access"]
    assert (child["score"], child["comment"]) == (2, "rule 0; rule 1")
    assert found["T1110", "credential-access"]["showSubtechniques"] is True
    assert "score" not in found["T1110", "credential-access"]
    # No rule names the tactic: the Navigator shows it under each that the technique serves.
    assert found["T1595.002", None]["score"] == 1
    assert found["T1595", None]["showSubtechniques"] is True
    assert made["gradient"]["maxValue"] == 2


def test_a_parent_with_rules_of_its_own_opens_too() -> None:
    found = entries(layer(covered(["attack.t1110"], ["attack.t1110.001"]), "x"))
    assert found["T1110", None]["score"] == 1
    assert found["T1110", None]["showSubtechniques"] is True
    assert len(found) == 2


def test_titles_cannot_steer_and_a_comment_ends() -> None:
    rules = [(f"\x1b[2J{i:03}", Tags(("attack.t1110",))) for i in range(100)]
    (one,) = layer(cover(rules), "\x1b]0;x")["techniques"]
    assert "\x1b" not in json.dumps(one)
    assert one["comment"].endswith("; +80")
    assert one["score"] == 100


TAGS = st.lists(
    st.sampled_from(
        [f"attack.{t.lower()}" for t in (*known(), *retired(), "T9999")]
        + [f"attack.{t}" for t in TACTICS if t]
    )
    | st.text(max_size=12),
    max_size=6,
)


@given(st.lists(TAGS, max_size=12))
def test_every_layer_is_valid_and_sound(rules: list[list[str]]) -> None:
    found = covered(*rules)
    made = layer(found, "x")
    assert problems(made, SCHEMA, SCHEMA) == []
    assert len(entries(made)) == len(made["techniques"])
    assert made["gradient"]["minValue"] < made["gradient"]["maxValue"]
    for one in made["techniques"]:
        assert one["techniqueID"] in known()
        assert one.get("tactic") in (None, *known()[one["techniqueID"]][0])
        parent, _, below = one["techniqueID"].partition(".")
        if below:
            assert any(
                other.get("showSubtechniques")
                for other in made["techniques"]
                if other["techniqueID"] == parent
                and other.get("tactic") in (None, one.get("tactic"), *known()[parent][0])
            )
    assert all(len(techniques) <= sizes()[tactic] for tactic, techniques in found.tactics())


def test_the_schema_can_refuse() -> None:
    made = layer(covered(["attack.t1110"]), "x")
    for broken in (
        made | {"domain": "x"},
        made | {"gradient": {"colors": ["#fff"], "minValue": 0, "maxValue": 1}},
        made | {"techniques": [{"techniqueID": "1110"}]},
        made | {"versions": {"navigator": "4.2.0", "layer": "4.5"}},
        {key: value for key, value in made.items() if key != "name"},
        made | {"surprise": 1},
    ):
        assert problems(broken, SCHEMA, SCHEMA), broken
    assert re.fullmatch(r"T\d{4}", made["techniques"][0]["techniqueID"])
