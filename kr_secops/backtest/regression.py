"""SigmaHQ's own regression data: an ``info.yml`` beside recorded events for each rule.

A count is the least there must be, none given means one, and other rules may be true as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kr_secops.backtest.trial import Expected, Input, Raw, Trial
from kr_secops.document import did_you_mean, examine
from kr_secops.errors import ContentError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kr_secops.document import Document, Route

NAME: Final = "info.yml"
TYPES: Final = ("evtx", "json", "ndjson", "jsonl")


def read(path: Path) -> list[Trial]:
    """Return the trials of one ``info.yml``; none if its tests are commented out.

    Raises:
        ContentError: names every mistake with its place.
    """
    documents, complaints = examine(path)
    trials = []
    for document in documents:
        if not isinstance(document.value, dict) or not _rule(document.value):
            complaints.append(document.complain((), "rule_metadata: must name the rule's id"))
            continue
        tests = document.value.get("regression_tests_info") or []
        if not isinstance(tests, list):
            complaints.append(
                document.complain(("regression_tests_info",), "must be a list of tests")
            )
            continue
        for i, test in enumerate(tests):
            made = _trial(document, ("regression_tests_info", i), test, path)
            if isinstance(made, Trial):
                trials.append(made)
            else:
                complaints += made
    if complaints:
        raise ContentError(complaints)
    return trials


def _rule(value: dict[str, Any]) -> str:
    rules = value.get("rule_metadata")
    last = rules[-1] if isinstance(rules, list) and rules else None
    return str(last.get("id") or "") if isinstance(last, dict) else ""


def _trial(document: Document, route: Route, test: Any, path: Path) -> Trial | list[str]:
    if not isinstance(test, dict):
        return [document.complain(route, "a test has a type and a path")]
    complaints: list[str] = []
    kind, count = str(test.get("type")), test.get("match_count", 1)
    if kind not in TYPES:
        hint = did_you_mean(kind, TYPES)
        complaints.append(document.complain((*route, "type"), f"{kind!r} is no type{hint}"))
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        complaints.append(document.complain((*route, "match_count"), "must be a number"))
    files: dict[str, list[Path]] = {}
    for key in ("path", "pipelines", "filters"):
        files[key] = []
        for name in _texts(test.get(key)):
            found = _resolve(path, name)
            if found is None:
                complaints.append(document.complain((*route, key), f"there is no {name}"))
            else:
                files[key].append(found)
    if "path" not in test:
        complaints.append(document.complain(route, "path: is missing"))
    if complaints:
        return complaints
    place = document.place(route)
    raw = None if kind == "evtx" else Raw(tuple(files["pipelines"]), tuple(files["filters"]))
    return Trial(
        name=document.path,
        inputs=tuple(Input(file) for file in files["path"]),
        expected=(Expected(_rule(document.value), count, None, place),),
        raw=raw,
        strict=False,
    )


def _texts(value: Any) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        if item:
            yield str(item)


def _resolve(info: Path, name: str) -> Path | None:
    """Return the file that *name* means: paths there are relative to the repository's root."""
    for folder in info.resolve().parents:
        if (folder / name).is_file():
            return folder / name
    return None
