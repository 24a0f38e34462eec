"""Reads YAML into documents that know their places; what people regret in YAML is complained of.

Refused are doubled keys, aliases (a small file could fill the memory), tabs as indentation, and the
words and numbers that YAML 1.1 reads as something else (``no`` as false, ``010`` as eight, ``1:30``
as ninety).
"""

from __future__ import annotations

import errno
import os
import re
import stat
from typing import TYPE_CHECKING, Any

import yaml

from kr_secops.document import Document

if TYPE_CHECKING:
    from pathlib import Path

    from kr_secops.document import Route

MAX_DEPTH = 50
MAX_BYTES = 8 << 20
NEWLINE = b"\n"

_INDENTING_TAB = re.compile(r"^( *)(\t+)", re.MULTILINE)
_SEPARATING_TAB = re.compile(r"(?:^|[\s:\-])(\t)")
_YAML11_BOOLEAN = re.compile(r"(?i:yes|no|on|off)\Z")
_YAML11_NUMBER = re.compile(
    r"[-+]?(?:0[0-7_]+|0b[01_]+|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?)\Z"
)


def read_bytes(path: Path | str) -> bytes:
    """Return what the plain file *path* holds, of one that is too large only a beginning.

    Raises:
        OSError: it cannot be read, or is a pipe or a device, which may have no end.
    """
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(number, "rb") as stream:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise OSError(errno.EINVAL, "no plain file", str(path))
        return stream.read(MAX_BYTES + 1)


def examine(path: Path | str, text: bytes | None = None) -> tuple[list[Document], list[str]]:
    """Return what could be read of *path*, and every complaint about the rest; raises nothing."""
    name = str(path)
    try:
        raw = read_bytes(path) if text is None else text
    except OSError as e:
        return [], [f"{name}:1:1: cannot be read: {e.strerror}"]
    if len(raw) > MAX_BYTES:
        return [], [f"{name}:1:1: larger than {MAX_BYTES >> 20} MiB"]
    try:
        content = raw.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = raw.count(b"\n", 0, e.start) + 1
        column = e.start - raw.rfind(b"\n", 0, e.start)
        return [], [f"{name}:{line}:{column}: byte {raw[e.start]:#04x} is not UTF-8"]
    reading = _Reading(name)
    try:
        reading.read(content)
    except yaml.YAMLError as e:
        _mend_tabs(reading, content, e)
    return reading.documents, _in_order(reading.complaints)


def _mend_tabs(reading: _Reading, content: str, error: yaml.YAMLError) -> None:
    """Name every indenting tab, and try to read on as if spaces stood there.

    libyaml stops at the first tab; an author wants to hear of everything at once.
    """
    tabs = list(_INDENTING_TAB.finditer(content))
    complaints = [
        f"{reading.name}:{content.count(chr(10), 0, m.start()) + 1}:{len(m[1]) + 1}: "
        "a tab indents this line; YAML wants spaces"
        for m in tabs
    ]
    for width in (4, 2, 8, 0) if tabs else ():
        again = _Reading(reading.name)
        try:
            again.read(_INDENTING_TAB.sub(rf"\1{' ' * width}", content))
        except yaml.YAMLError:
            continue
        reading.documents, reading.complaints = again.documents, complaints + again.complaints
        return
    reading.complaints += complaints or [_syntax(reading.name, content, error)]


def _syntax(name: str, content: str, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else f"{name}:1:1"
    if mark is None and isinstance(error, yaml.reader.ReaderError):
        before = content.encode()[: error.position]
        place = f"{name}:{before.count(NEWLINE) + 1}:{len(before) - before.rfind(NEWLINE)}"
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    return f"{place}: {problem}"


def _in_order(complaints: list[str]) -> list[str]:
    """Return *complaints* without doubles, by line and column."""

    def place(complaint: str) -> tuple[int, int]:
        numbers = re.search(r":(\d+):(\d+): ", complaint)
        return (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)

    return sorted(dict.fromkeys(complaints), key=place)


class _Reading:
    """One pass over a file: documents so far, and complaints that need not stop it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.documents: list[Document] = []
        self.complaints: list[str] = []
        self.scalars: list[tuple[int, int, int, int]] = []

    def read(self, content: str) -> None:
        loader = yaml.CSafeLoader(content)
        try:
            while loader.check_node():
                node = loader.get_node()
                assert node is not None, "check_node promised one"
                marks: dict[Route, tuple[int, int]] = {
                    (): (node.start_mark.line + 1, node.start_mark.column + 1)
                }
                value = self._build(loader, node, (), marks, set())
                self.documents.append(Document(self.name, value, marks))
        except ValueError as e:  # a date such as 2026-02-30, or a character YAML forbids
            raise yaml.YAMLError(str(e)) from e
        finally:
            loader.dispose()
        if "\t" in content:
            self._separating_tabs(content)

    def _complain(self, node: yaml.Node, problem: str) -> None:
        mark = node.start_mark
        self.complaints.append(f"{self.name}:{mark.line + 1}:{mark.column + 1}: {problem}")

    def _build(
        self,
        loader: yaml.CSafeLoader,
        node: yaml.Node,
        route: Route,
        marks: dict[Route, tuple[int, int]],
        seen: set[int],
    ) -> Any:
        # A node met twice is an alias: building it anew each time lets a small file fill memory.
        if id(node) in seen or len(route) > MAX_DEPTH:
            self._complain(node, "aliases and nesting beyond 50 levels are not used here")
            return None
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(loader, node)
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            for i, item in enumerate(node.value):
                marks[*route, i] = (item.start_mark.line + 1, item.start_mark.column + 1)
            return [
                self._build(loader, item, (*route, i), marks, seen)
                for i, item in enumerate(node.value)
            ]
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self._scalar(loader, key_node)
            if not isinstance(key, str | int | float | bool | None):
                key = str(key)
            if key in mapping:
                self._complain(key_node, f"{key}: this key stands here a second time")
                continue
            marks[*route, key] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            mapping[key] = self._build(loader, value_node, (*route, key), marks, seen)
        return mapping

    def _scalar(self, loader: yaml.CSafeLoader, node: yaml.Node) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            self._complain(node, "a key must be a single word or text")
            return None
        text = node.value
        if node.style:  # quoted or block text
            mark, end = node.start_mark, node.end_mark
            self.scalars.append((mark.line, mark.column, end.line, end.column))
        elif node.tag == "tag:yaml.org,2002:bool" and _YAML11_BOOLEAN.match(text):
            self._complain(
                node, f"{text!r} could mean a truth value; write true or false, or quote it"
            )
        elif node.tag.endswith((":int", ":float")) and _YAML11_NUMBER.match(text):
            self._complain(node, f"{text!r} would be read as another number; quote it")
        elif node.tag == "tag:yaml.org,2002:merge":
            self._complain(node, "merge keys are not used here")
            return text
        try:
            return loader.construct_object(node, deep=True)
        except (yaml.YAMLError, ValueError):
            self._complain(node, f"{text[:60]!r} cannot be read as {node.tag.rpartition(':')[2]}")
            return text

    def _separating_tabs(self, content: str) -> None:
        """Name the tabs that stand between a key and its value, outside quoted and block text."""
        for number, line in enumerate(content.split("\n")):
            if "\t" not in line or any(a <= number <= c for a, _, c, _ in self.scalars):
                continue
            if (tab := _SEPARATING_TAB.search(line.partition(" #")[0])) and line[
                tab.end() :
            ].strip():
                self.complaints.append(
                    f"{self.name}:{number + 1}:{tab.start(1) + 1}: a tab stands here; YAML wants spaces"
                )
