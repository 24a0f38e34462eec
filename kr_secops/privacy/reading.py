"""Reads and checks ``rules/identifiers/*.yml``; imported only when there is no compiled form yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator

from kr_secops.document import Model, examine, validate
from kr_secops.errors import ContentError
from kr_secops.privacy.expression import is_pattern
from kr_secops.privacy.indonesia import CHECKS

if TYPE_CHECKING:
    from pathlib import Path


class _Pattern(Model):
    pattern: str
    check: str

    @field_validator("pattern")
    @classmethod
    def _usable(cls, pattern: str) -> str:
        if problem := is_pattern(pattern):
            raise ValueError(problem)
        return pattern

    @field_validator("check")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in CHECKS:
            raise ValueError(f"{name!r} is no check; there are {', '.join(CHECKS)}")
        return name


class _Scores(Model):
    plausible: float = Field(ge=0, le=1)
    strong: float = Field(ge=0, le=1)


class _Confidence(Model):
    labelled: _Scores
    bare: _Scores
    lookalike: _Scores


class _Show(Model):
    first: int = Field(ge=0, le=6)
    last: int = Field(ge=0, le=3)


class _Title(Model):
    en: str
    id: str


class _Identifier(Model):
    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: _Title
    patterns: list[_Pattern] = Field(min_length=1)
    labels: list[str]
    confidence: _Confidence
    show: _Show
    cls: Literal["umum", "spesifik"] = Field(alias="class")
    severity: Literal["low", "medium", "high", "critical"]
    articles: list[str]

    def row(self) -> dict[str, Any]:
        """Return the identifier in its compiled form."""
        scores = {
            name: (0.0, one["plausible"], one["strong"])
            for name, one in self.confidence.model_dump().items()
        }
        return {
            **self.model_dump(),
            "patterns": [(one.pattern, one.check) for one in self.patterns],
            "confidence": scores,
            "show": (self.show.first, self.show.last),
        }


class _Lookalikes(Model):
    lookalikes: list[str]


def read(sources: list[tuple[Path, bytes]]) -> dict[str, Any]:
    """Return the table of identifiers and look-alike words; of the same id the last one counts.

    Raises:
        ContentError: carries every complaint of every file.
    """
    rows: dict[str, dict[str, Any]] = {}
    words: dict[str, None] = {}
    complaints: list[str] = []
    for path, text in sources:
        documents, problems = examine(path, text)
        complaints += problems
        for document in documents:
            try:
                if isinstance(document.value, dict) and "lookalikes" in document.value:
                    words |= dict.fromkeys(validate(document, _Lookalikes).lookalikes)
                else:
                    identifier = validate(document, _Identifier)
                    rows[identifier.id] = identifier.row()
            except ContentError as e:
                complaints += e.complaints
    if complaints:
        raise ContentError(complaints)
    return {"identifiers": list(rows.values()), "lookalikes": list(words)}
