"""Writing what was found into a backtest file: only counts change, words and comments stay."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml

from kr_secops.errors import KrSecopsError
from kr_secops.report.inert import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kr_secops.backtest.trial import Result

Edit: TypeAlias = tuple[int, int, str]
"""From, to (in characters), and what stands there now."""


def update(path: Path, results: Sequence[Result]) -> int:
    """Write the counts of *results* that differ into *path*; return how many.

    A range that holds no more becomes the number found. A rule that is true, was not named and may
    not be true unnamed gets a line of its own.

    Raises:
        KrSecopsError: the file is written in a way that leaves no place for such a line.
    """
    changes = [result for result in results if not result.passed and not result.broken]
    if changes:
        text = path.read_bytes().decode("utf-8-sig")
        nodes = yaml.compose_all(text, yaml.CSafeLoader)
        edits = [edit for node in nodes for edit in _edits(node, path, text, changes)]
        for start, end, new in sorted(edits, reverse=True):
            text = text[:start] + new + text[end:]
        _replace(path, text)
    return len(changes)


def _edits(node: Any, path: Path, text: str, changes: Sequence[Result]) -> Iterator[Edit]:
    parts = {key.value: (key, value) for key, value in node.value}
    _, expect = parts.get("expect", (None, None))
    named = expect.value if isinstance(expect, yaml.MappingNode) else []
    for key, value in named:
        for result in changes:
            if result.place == _place(path, key):
                yield value.start_mark.index, value.end_mark.index, str(result.found)
    if "others" not in parts:
        return
    others, _ = parts["others"]
    lines = [_line(result) for result in changes if result.place == _place(path, others)]
    if lines:
        yield _insertion(path, text, node, expect, others, lines)


def _insertion(
    path: Path, text: str, node: Any, expect: Any, others: Any, lines: list[str]
) -> Edit:
    if node.flow_style:
        raise KrSecopsError(f"{path}: write the keys of the file on lines of their own first")
    margin = " " * others.start_mark.column
    if isinstance(expect, yaml.MappingNode) and not expect.flow_style and expect.value:
        margin = " " * expect.value[0][0].start_mark.column
        last = expect.value[-1][1].end_mark.index
        end = text.find("\n", last)
        end = len(text) if end < 0 else end
        return end, end, "".join(f"\n{margin}{line}" for line in lines)
    block = "".join(f"\n{margin}  {line}" for line in lines)
    if expect is None:
        start = others.start_mark.index
        return start, start, f"expect:{block}\n{margin}"
    if isinstance(expect, yaml.MappingNode) and expect.value:
        raise KrSecopsError(
            f"{_place(path, expect)}: expect: write its rules on lines of their own first"
        )
    return expect.start_mark.index, expect.end_mark.index, block.rstrip(" ")


def _line(result: Result) -> str:
    return f"{json.dumps(result.rule_id)}: {result.found}  # {one_line(result.rule)}"


def _place(path: Path, node: yaml.Node) -> str:
    return f"{path}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"


def _replace(path: Path, text: str) -> None:
    """Write *text* over *path*, all of it or nothing, with the file's own mode."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(number, "wb") as stream:
            stream.write(text.encode("utf-8"))
        part.chmod(path.stat().st_mode & 0o7777)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
