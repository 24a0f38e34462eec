"""YAML documents that remember where each key stood, so that every complaint names its place.

A complaint reads ``rules/x.yml:4:1: level: 'hgih' is not known (did you mean 'high'?)``.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from kr_secops.errors import ContentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

Route: TypeAlias = tuple[str | int, ...]
"""The keys and indices that lead to a value, as pydantic's ``loc`` has them."""


class Model(BaseModel):
    """A part of a file that a person wrote: nothing unknown in it, nothing changed after reading."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


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
    from kr_secops.document import reading  # with it comes yaml, and most runs read no file anew

    return reading.examine(path, text)


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
        errors = _of_one_kind(e.errors(), document, route)
        raise ContentError(
            [document.complain(*_explain(error, model, route)) for error in errors]
        ) from None


def _of_one_kind(errors: Sequence[Any], document: Document, route: Route) -> list[Any]:
    """Return *errors* with a value of several kinds told of once, and where it stands.

    pydantic tells of each kind that a value could have been, under a name of its own for the kind.
    """
    values: dict[Route, list[Any]] = {}
    for error in errors:
        value, steps = _split(error, document, route)
        values.setdefault(value, []).append(error | {"loc": steps})
    told = []
    for several in values.values():
        apt = [one for one in several if not one["type"].endswith(("_type", "_parsing"))]
        told += apt or several[:1]
    return told


def _split(error: Any, document: Document, route: Route) -> tuple[Route, Route]:
    """Return the value that could be of several kinds, else where *error* is, and where it is."""
    value: Route | None = None
    steps: Route = ()
    *_, last = error["loc"] or ("",)
    for step in error["loc"]:
        if (*route, *steps, step) in document.marks or (
            step == last and error["type"] == "missing"
        ):
            steps = (*steps, step)
        elif value is None:
            value = steps
    return (steps if value is None else value), steps


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
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return location, "must be a mapping"
    return location, message[:1].lower() + message[1:]


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for name, info in model.model_fields.items():
        yield info.alias or name
        for part in (info.annotation, *getattr(info.annotation, "__args__", ())):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from _keys(part)
