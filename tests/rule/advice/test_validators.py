"""pySigma's own validators: each remark in its place, and nothing is fetched."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, NoReturn

import pytest

from kr_secops.rule.lint import Surroundings

if TYPE_CHECKING:
    from tests.rule.advice.conftest import Advise

BODY = "detection:\n  s:\n    a: x\n  condition: s\n"
CASES = {
    "both sides": (BODY.replace("x", "'*x*'"), "3:5: a: write FIELD|contains"),
    "behind": (BODY.replace("x", "'x*'"), "3:5: a: write FIELD|startswith"),
    "before": (BODY.replace("x", "'*x'"), "3:5: a: write FIELD|endswith"),
    "a double": (BODY.replace("x", "[q, 'x**y']"), "3:12: a: two * side by side mean one"),
    "control": (BODY.replace("x", '"c:\\temp"'), "3:5: a: a control character"),
    "all alone": (BODY.replace("a: x", "a|all: [x, y]"), "3:5: a|all: all without contains"),
    "half a base64": (
        BODY.replace("a: x", "a|base64offset: xyz"),
        "3:5: a|base64offset: base64offset makes parts",
    ),
    "all of them": (BODY.replace(": s\n", ": all of them\n"), "4:3: condition: all of them: name"),
    "only one": (BODY.replace(": s\n", ": 1 of them\n"), "4:3: condition: there is a single part"),
    "references": (BODY + "references: [x, x]\n", "5:1: references: a reference stands here twice"),
    "cve": (BODY + "tags: [cve.2021-1, cve.x]\n", "5:20: tags: is not written as tags of this"),
    "tlp": (BODY + "tags: [tlp.pink]\n", "5:8: tags: there is no such level"),
}


@pytest.mark.parametrize("name", CASES)
def test_advice(advise: Advise, name: str) -> None:
    text, expected = CASES[name]
    found = advise(text)
    assert any(one.startswith(expected) for one in found), found


def test_what_pysigma_says_wrongly_is_not_repeated(advise: Advise) -> None:
    assert advise(BODY.replace("a: x", "a|contains|all|windash: ['-x', '-y']")) == []


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("attack.t1110", []),
        ("attack.t1562", ["5:8: tags: T1562 is retired; now it is T1685"]),
        ("attack.t1999", ["5:8: tags: ATT&CK knows no technique T1999"]),
        ("attack.g0001", []),
        ("d3fend.d3-xyz", []),
    ],
)
def test_tags_are_checked_offline(
    advise: Advise, monkeypatch: pytest.MonkeyPatch, tag: str, expected: list[str]
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise AssertionError("the network was asked")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    around = Surroundings(techniques={"T1110": "", "T1562": "T1685"})
    assert advise(BODY + f"tags: [{tag}]\n", around) == expected
