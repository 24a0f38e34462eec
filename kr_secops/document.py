"""YAML documents that remember where each key stood, so that every complaint names its place.

    rules/x.yml:4:1: level: 'hgih' is not a level (did you mean 'high'?)

What YAML allows and people regret is refused: doubled keys, aliases (a small file could fill the
memory), tabs as indentation, and the words and numbers that YAML 1.1 reads as something else
(``no`` as false, ``010`` as eight, ``1:30`` as ninety).
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from kr_secops.errors import ContentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Route: TypeAlias = tuple[str | int, ...]
"""The keys and indices that lead to a value, as pydantic's ``loc`` has them."""

MAX_DEPTH = 50
MAX_BYTES = 8 << 20

_INDENTING_TAB = re.compile(r"^( *)(\t+)", re.MULTILINE)
_SEPARATING_TAB = re.compile(r"(?:^|[\s:\-])(\t)")
_YAML11_BOOLEAN = re.compile(r"(?i:yes|no|on|off)\Z")
_YAML11_NUMBER = re.compile(
    r"[-+]?(?:0[0-7_]+|0b[01_]+|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?)\Z"
)


class Model(BaseModel):
    """A part of a file that a person wrote: nothing unknown in it, nothing changed after reading."""

    model_config = ConfigDict(frozen=True, extra="forbid")


ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document with the line and column, from 1, of each of its keys and items."""

    path: str
    value: Any
    marks: dict[Route, tuple[int, int]] = field(repr=False)

    def place(self, route: Route = ()) -> str:
        """Return ``path:line:column`` of *route*, skipping steps that the file does not have."""
        known: Route = ()
        for step in route:
            if (*known, step) in self.marks:
                known = (*known, step)
        line, column = self.marks[known]
        return f"{self.path}:{line}:{column}"

    def complain(self, route: Route, problem: str) -> str:
        """Return ``path:line:column: key: problem``; the key is the last named step of *route*."""
        key = next((step for step in reversed(route) if isinstance(step, str)), None)
        return f"{self.place(route)}: {f'{key}: ' if key else ''}{problem}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the nearest of *known*, or nothing."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {near[0]!r}?)" if near else ""


def read(path: Path | str, text: bytes | None = None) -> list[Document]:
    """Return the documents of *path* (or of *text*, then *path* only names it).

    Raises:
        ContentError: the file cannot be read or is not such YAML; carries every complaint.
    """
    documents, complaints = examine(path, text)
    if complaints:
        raise ContentError(complaints)
    return documents


def examine(path: Path | str, text: bytes | None = None) -> tuple[list[Document], list[str]]:
    """Return what could be read of *path*, and every complaint about the rest; raises nothing."""
    name = str(path)
    try:
        raw = Path(path).read_bytes() if text is None else text
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


def validate(document: Document, model: type[ModelT], route: Route = ()) -> ModelT:
    """Return the part of *document* under *route* as *model*.

    Raises:
        ContentError: carries every mistake with its place, and a guess for misspelt keys.
    """
    value = document.value
    for step in route:
        value = value[step]
    try:
        return model.model_validate(value)
    except ValidationError as e:
        raise ContentError(
            [document.complain(*_explain(error, model, route)) for error in e.errors()]
        ) from None


def _explain(error: Any, model: type[BaseModel], route: Route) -> tuple[Route, str]:
    location = (*route, *error["loc"])
    kind, message = error["type"], error["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden":
        word = str(error["loc"][-1])
        return location, f"unknown key{did_you_mean(word, _keys(model))}"
    if kind == "missing":
        return location, "is missing"
    if kind in ("literal_error", "enum"):
        choices = re.findall(r"'([^']*)'", str(error.get("ctx", {}).get("expected", "")))
        return (
            location,
            f"{error['input']!r} is not known{did_you_mean(str(error['input']), choices)}",
        )
    return location, message[:1].lower() + message[1:]


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for name, info in model.model_fields.items():
        yield info.alias or name
        for part in (info.annotation, *getattr(info.annotation, "__args__", ())):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from _keys(part)


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
    reading.complaints += complaints or [_syntax(reading.name, error)]


def _syntax(name: str, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else f"{name}:1:1"
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
