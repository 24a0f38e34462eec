"""JUnit XML that Jenkins and GitLab read, whatever a rule is called."""

from __future__ import annotations

import io
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from kr_secops.backtest.junit import write
from kr_secops.backtest.trial import Result

RESULTS = [
    Result("a/backtest.yml", "a/backtest.yml:4:3", "Fine", "id-1", "3", 3, seconds=0.25),
    Result("a/backtest.yml", "a/backtest.yml:5:3", "Less", "id-2", "3", 1, "1 events, not 3"),
    Result("b/info.yml", "b/info.yml:9:7", "Gone", "id-3", "1", 0, "not loaded", broken=True),
]


def document(results: list[Result]) -> ET.Element:
    stream = io.BytesIO()
    write(results, stream)
    return ET.fromstring(stream.getvalue())


def test_the_form() -> None:
    root = document(RESULTS)
    assert root.tag == "testsuites"
    assert {k: root.get(k) for k in ("tests", "failures", "errors", "time")} == {
        "tests": "3",
        "failures": "1",
        "errors": "1",
        "time": "0.250",
    }
    assert [suite.get("name") for suite in root] == ["a/backtest.yml", "b/info.yml"]
    fine, less, gone = root.iter("testcase")
    assert fine.attrib == {
        "name": "Fine: 3",
        "classname": "id-1",
        "file": "a/backtest.yml",
        "line": "4",
        "time": "0.250",
    }
    assert list(fine) == []
    (failure,) = less
    assert (failure.tag, failure.get("message")) == ("failure", "1 events, not 3")
    assert failure.text == "a/backtest.yml:5:3: Less: 1 events, not 3"
    assert [child.tag for child in gone] == ["error"]


@given(st.text(st.characters(codec=None), max_size=40))
def test_nothing_in_a_title_steers_or_breaks(text: str) -> None:
    root = document([Result(text, f"{text}:1:1", text, text, "1", 0, text or "x")])
    (case,) = root.iter("testcase")
    said = [*case.attrib.values(), *(child.text or "" for child in case)]
    assert not any(ord(char) < 32 and char not in "\t\n" for part in said for char in part)
    assert "\x7f" not in "".join(said)
