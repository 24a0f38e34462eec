"""Results as JUnit XML, in the form that Jenkins and GitLab read."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, BinaryIO, Final
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from kr_secops.report.inert import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kr_secops.backtest.trial import Result

_NO_XML: Final = re.compile("[\ufffe\uffff]")


def write(results: Iterable[Result], stream: BinaryIO) -> None:
    """Write *results* to *stream*, a suite a backtest file."""
    everything = list(results)
    root = Element("testsuites", {"name": "kr-secops rule backtest", **_counts(everything)})
    for name, group in groupby(everything, key=lambda result: result.trial):
        cases = list(group)
        suite = SubElement(root, "testsuite", {"name": _inert(name), **_counts(cases)})
        for case in cases:
            _add_case(suite, case)
    indent(root)
    ElementTree(root).write(stream, encoding="utf-8", xml_declaration=True)
    stream.write(b"\n")


def _add_case(suite: Element, case: Result) -> None:
    path, line, _ = case.place.rsplit(":", 2) if case.place.count(":") > 1 else (case.place, "", "")
    attributes = {
        "name": _inert(f"{case.rule}: {case.expected}"),
        "classname": _inert(case.rule_id or case.rule),
        "file": _inert(path),
        "time": f"{case.seconds:.3f}",
    }
    if line:
        attributes["line"] = line
    element = SubElement(suite, "testcase", attributes)
    if case.passed:
        return
    kind = "error" if case.broken else "failure"
    said = SubElement(element, kind, {"message": _inert(case.problem), "type": kind})
    said.text = _inert(f"{case.place}: {case.rule}: {case.problem}")


def _counts(cases: Sequence[Result]) -> dict[str, str]:
    return {
        "tests": str(len(cases)),
        "failures": str(sum(not case.passed and not case.broken for case in cases)),
        "errors": str(sum(case.broken for case in cases)),
        "time": f"{sum(case.seconds for case in cases):.3f}",
    }


def _inert(text: str) -> str:
    """Return *text* without what XML forbids or a console would obey."""
    return _NO_XML.sub("\ufffd", printable(text))
