"""A collector: a YAML file that says what a log looks like and which ECS fields come of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field, field_validator, model_validator

from kr_secops import ecs
from kr_secops.collect.builder import Recipe
from kr_secops.collect.interface import Shape
from kr_secops.collect.pattern import compile_pattern
from kr_secops.document import Model, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from pydantic import ValidationInfo

    from kr_secops.collect.interface import Reader, Source
    from kr_secops.collect.pattern import Pattern

Format = Literal["syslog", "lines", "records", "csv", "auditd", "ecs", "windows", "zeek", "capture"]

READERS: Final[dict[str, str]] = {
    "syslog": "kr_secops.collect.syslog:SyslogReader",
    "lines": "kr_secops.collect.lines:LinesReader",
    "records": "kr_secops.collect.lines:RecordsReader",
    "csv": "kr_secops.collect.lines:CsvReader",
    "auditd": "kr_secops.collect.audit:AuditReader",
    "ecs": "kr_secops.collect.documents:EcsReader",
    "windows": "kr_secops.collect.documents:WindowsReader",
    "zeek": "kr_secops.collect.zeek:ZeekReader",
    "capture": "kr_secops.collect.captures:CaptureReader",
}
"""Format → its reader, imported when first used."""

ANY_PROGRAM: Final = "*"
CHECKED: Final = "checked"
"""Context in which a description is validated that was found right before."""
WEAK: Final = 4
"""A shorter text says little of the line that holds it."""


class Title(Model):
    """A name in both languages."""

    en: str
    id: str


class PatternText(Model):
    """Messages of one kind, and what is so of each of them."""

    match: str | list[str]
    """Regular expressions whose groups are named as ECS fields."""
    set: dict[str, Any] = Field(default_factory=dict)
    """Fields with a value of their own; null takes away one that the collector sets."""

    @field_validator("match")
    @classmethod
    def _compiles(cls, value: str | list[str], info: ValidationInfo) -> str | list[str]:
        texts = [value] if isinstance(value, str) else value
        for text in () if info.context == CHECKED else texts:
            for name in compile_pattern(text).fields:
                _ensure_field(name)
        return value

    @field_validator("set")
    @classmethod
    def _is_ecs(cls, value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        return value if info.context == CHECKED else _ensure_fields(value)

    def texts(self) -> list[str]:
        """Return the regular expressions."""
        return [self.match] if isinstance(self.match, str) else self.match


class Case(Model):
    """What is so of the records whose field has one of some values."""

    when: dict[str, list[str]] = Field(min_length=1, max_length=1)
    set: dict[str, Any]

    @field_validator("set")
    @classmethod
    def _is_ecs(cls, value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        return value if info.context == CHECKED else _ensure_fields(value)


class Memory(Model):
    """Fields that one record states for all that follow with the same value in another."""

    by: str
    fields: list[str]


class Description(Model):
    """The file ``collectors/<id>.yml``."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Title
    dataset: str
    format: Format
    programs: tuple[str, ...] = ()
    """Syslog: the programs whose lines are its own; ``*``: lines of any program that match."""
    inputs: tuple[str, ...] = ()
    """Where such logs usually lie: paths with wildcards, or ``journal``."""
    recognise: tuple[str, ...] = ()
    """Regular expressions; a file whose first lines match one is such a log."""
    time: Literal["iso", "compact", "clf", "asctime", "syslog"] | None = None
    """How the group ``@timestamp`` is written."""
    lines: tuple[PatternText, ...] = ()
    """Lines and records: forms of the whole record, no two of which fit the same; a log mostly
    keeps to one. They name ``@timestamp`` and may name ``message``."""
    begins: str | None = None
    """Records: a line that matches begins a record, others continue it."""
    ignore: str | None = None
    """A line that matches is no record and no loss: a header, for instance."""
    columns: tuple[str, ...] = ()
    """CSV: what each column is: a field, a pattern that names fields, or empty."""
    cases: tuple[Case, ...] = ()
    """Lines, records, CSV: what follows from a field of the record, before its message is read."""
    remember: Memory | None = None
    """Lines, records, CSV: what later records leave out."""
    set: dict[str, Any] = Field(default_factory=dict)
    patterns: tuple[PatternText, ...] = ()
    """What messages may say: the first that matches adds its fields."""

    @field_validator("set")
    @classmethod
    def _is_ecs(cls, value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        return value if info.context == CHECKED else _ensure_fields(value)

    @field_validator("lines")
    @classmethod
    def _state_the_time(
        cls, value: tuple[PatternText, ...], info: ValidationInfo
    ) -> tuple[PatternText, ...]:
        for form in () if info.context == CHECKED else value:
            for text in form.texts():
                if "@timestamp" not in compile_pattern(text).fields:
                    raise ValueError("(?P<@timestamp>…) is missing")
        return value

    @field_validator("recognise", "begins", "ignore")
    @classmethod
    def _compiles(cls, value: Any, info: ValidationInfo) -> Any:
        texts = value if isinstance(value, tuple) else [value] if value else []
        for text in () if info.context == CHECKED else texts:
            if compile_pattern(text).fields:
                raise ValueError("groups that name fields belong under patterns")
        return value

    @model_validator(mode="after")
    def _is_whole(self) -> Description:
        if self.format in ("lines", "records") and not (self.time and self.lines):
            raise ValueError(f"format {self.format} needs time and lines")
        if self.format == "records" and not self.begins:
            raise ValueError("format records needs begins")
        return self


def _ensure_field(name: str) -> None:
    if not ecs.is_known(name):
        raise ValueError(f"{name} is no ECS field{did_you_mean(name, ecs.schema().types)}")


def _ensure_fields(values: dict[str, Any]) -> dict[str, Any]:
    for name in values:
        _ensure_field(name)
    set_values = {name: value for name, value in values.items() if value is not None}
    complaints = [p for p in ecs.check(set_values) if not p.startswith("@timestamp")]
    if complaints:
        raise ValueError("; ".join(complaints))
    return values


@dataclass(frozen=True, slots=True)
class Kind:
    """One pattern of a collector with the constants that go with it."""

    text: str
    constants: dict[str, Any]

    def pattern(self) -> Pattern:
        """Return the compiled pattern."""
        return compile_pattern(self.text)


@dataclass(frozen=True)  # no slots: cached_property needs a dictionary
class Collector:
    """What a log looks like and which ECS fields come of it."""

    description: Description
    companions: tuple[Collector, ...] = ()
    """For the general syslog collector: those that own the lines of certain programs."""
    path: str = field(default="", compare=False)
    """The file it was read from."""

    @property
    def id(self) -> str:
        """Return its name, as ``--collector`` takes it."""
        return self.description.id

    @property
    def title(self) -> dict[str, str]:
        """Return its title by language."""
        return {"en": self.description.title.en, "id": self.description.title.id}

    @property
    def dataset(self) -> str:
        """Return the ``event.dataset`` of its events."""
        return self.description.dataset

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return where such logs usually lie."""
        return self.description.inputs

    @property
    def constants(self) -> dict[str, Any]:
        """Return what is so of all its events."""
        return _merge({"event.dataset": self.dataset}, self.description.set)

    def kinds(self) -> Iterator[Kind]:
        """Yield what its messages may say, in the order in which it is tried."""
        base = self.constants if self.description.format == "syslog" else {}
        return _kinds(self.description.patterns, base)

    def forms(self) -> Iterator[Kind]:
        """Yield the forms of its records."""
        return _kinds(self.description.lines, self.constants)

    def reader(self, source: Source, now: datetime) -> Reader:
        """Return a reader for one source; *now* bounds the years it may infer."""
        module, _, name = READERS[self.description.format].partition(":")
        reader: Reader = getattr(import_module(module), name)(self, source, now)
        return reader

    def shapes(self) -> tuple[Shape, ...]:
        """Return the ways in which a line of such a log can look, for the prefilter."""
        return self._shapes

    @cached_property
    def _shapes(self) -> tuple[Shape, ...]:
        return _shapes(self)


def _kinds(groups: Iterable[PatternText], base: dict[str, Any]) -> Iterator[Kind]:
    for group in groups:
        constants = _merge(base, group.set)
        for text in group.texts():
            yield Kind(text, constants)


def _merge(base: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**base, **more}.items() if value is not None}


def _shapes(collector: Collector) -> tuple[Shape, ...]:
    form = collector.description.format
    if form == "syslog":
        return tuple(_syslog_shapes(collector))
    return tuple(_line_shapes(collector)) if form == "lines" else ()


def _syslog_shapes(collector: Collector) -> Iterator[Shape]:
    for owner in (*collector.companions, collector):
        programs = tuple(p for p in owner.description.programs if p != ANY_PROGRAM)
        tagged = tuple(f"{program}{mark}" for program in programs for mark in "[:) ")
        for kind in owner.kinds():
            pattern = kind.pattern()
            # "- " says less of a line than the program that it must have come from.
            weak = min(map(len, pattern.anchors), default=0) < WEAK and tagged
            anchors = tagged if weak else pattern.anchors
            yield _shape(Recipe.of(pattern, kind.constants, "syslog"), anchors, pattern)
        if programs or not owner.description.programs:
            yield _shape(Recipe.of(None, owner.constants, "syslog"), programs)


def _line_shapes(collector: Collector) -> Iterator[Shape]:
    for form in collector.forms():
        line = form.pattern()
        bare = _shape(Recipe.of(line, form.constants, "line"), line.anchors, line)
        yield bare
        for kind in collector.kinds():
            pattern = kind.pattern()
            recipe = Recipe.of(pattern, kind.constants, "message")
            more = _shape(recipe, pattern.anchors, pattern)
            constants = {**bare.constants, **more.constants}
            fields = (bare.fields | more.fields) - more.constants.keys()
            derived = (bare.derived | more.derived) - constants.keys() - fields
            # A field that both capture has the value of the message, where that matches.
            both = bare.edges.keys() & set(pattern.fields)
            edges = {n: e for n, e in bare.edges.items() if n not in both} | {
                n: e for n, e in more.edges.items() if n not in both
            }
            yield Shape(more.anchors or bare.anchors, constants, fields, derived, edges)


def _shape(recipe: Recipe, anchors: tuple[str, ...], pattern: Pattern | None = None) -> Shape:
    fields = recipe.fields()
    edges: dict[str, tuple[str, str, int]] = {
        name: edge for name, edge in (pattern.edges if pattern else {}).items() if name in fields
    }
    return Shape(anchors, recipe.certain(), fields, recipe.derived(), edges)
