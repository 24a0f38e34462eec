"""Backtest files as we write them.

inputs:                                   # relative to this file
  - logs/auth.log
  - {path: logs/access.log, collector: nginx.access, zone: Asia/Jakarta, year: 2026}
expect:                                   # rule, by id, name or title → events that bear it out
  root logged in by password over SSH: 3
  5b0f7d9e-3c1a-4d0e-9a52-6f1f0e7c2b11: {min: 1, max: 5}
others: none                              # no other rule may be true
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from kr_secops.backtest import regression
from kr_secops.backtest.trial import Expected, Input, Trial
from kr_secops.document import Model, examine, validate
from kr_secops.errors import ContentError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from kr_secops.document import Document

NAME: Final = "backtest.yml"


class Range(Model):
    """Bounds of a number; at least one of them."""

    min: int = Field(0, ge=0, description="fewest events")
    max: int | None = Field(None, ge=0, description="most events; not given: any number")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("a range has min, max or both")
        if self.max is not None and self.max < self.min:
            raise ValueError("min is larger than max")
        return self


class Log(Model):
    """An input with what its lines leave out."""

    path: str = Field(min_length=1, description="file or folder, relative to this file")
    collector: str | None = Field(None, description="collector; else found by content")
    host: str | None = Field(None, description="host of lines that name none")
    zone: str | None = Field(None, description="time zone of time stamps that state none")
    year: int | None = Field(
        None, ge=1970, le=9998, description="year of time stamps that state none"
    )

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        try:
            if name:
                ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{name!r} is no time zone; for example Asia/Jakarta") from None
        return name


Count = Annotated[int, Field(ge=0)] | Range


class Backtest(Model):
    """A backtest file."""

    title: str = Field("", description="what these logs are")
    inputs: list[str | Log] = Field(
        min_length=1, description="logs that go through one engine together"
    )
    expect: dict[str, Count] = Field(
        default_factory=dict,
        description="rule, by id, name or title, to the number of events that bear it out",
    )
    others: Literal["none", "any"] = Field(
        "any", description="whether rules that are not named may be true"
    )


def find(paths: Iterable[Path]) -> list[Trial]:
    """Return the trials of *paths*: backtest files, info.yml of SigmaHQ, or folders of them.

    Raises:
        ContentError: a file is wrong; names every mistake of all of them.
        UsageError: a folder holds neither.
    """
    trials: list[Trial] = []
    complaints: list[str] = []
    for path in paths:
        files = list(_files(path))
        if not files:
            raise UsageError(f"{path}: holds no {NAME} and no {regression.NAME}")
        for file in files:
            try:
                reader = regression.read if file.name == regression.NAME else read
                trials += reader(file)
            except ContentError as e:
                complaints += e.complaints
    if complaints:
        raise ContentError(complaints)
    return trials


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    yield from sorted((*path.rglob(NAME), *path.rglob(regression.NAME)))


def read(path: Path) -> list[Trial]:
    """Return the trials of one backtest file, one a document.

    Raises:
        ContentError: names every mistake with its place.
    """
    documents, complaints = examine(path)
    trials = []
    for document in documents:
        if not isinstance(document.value, dict):
            complaints.append(document.complain((), "a backtest has inputs and expect"))
            continue
        try:
            written = validate(document, Backtest)
        except ContentError as e:
            complaints += e.complaints
            continue
        inputs = [_input(one, path) for one in written.inputs]
        complaints += [
            document.complain(("inputs", i), f"there is no {one.path}")
            for i, one in enumerate(inputs)
            if not one.path.exists()
        ]
        trials.append(_trial(document, written, inputs))
    if not documents and not complaints:
        complaints.append(f"{path}:1:1: inputs: is missing")
    if complaints:
        raise ContentError(complaints)
    return trials


def _trial(document: Document, written: Backtest, inputs: list[Input]) -> Trial:
    expected = []
    for rule, count in written.expect.items():
        place = document.place(("expect", rule))
        if isinstance(count, int):
            expected.append(Expected(rule, count, count, place))
        else:
            expected.append(Expected(rule, count.min, count.max, place))
    others = document.place(("others",)) if written.others == "none" else ""
    return Trial(document.path, tuple(inputs), tuple(expected), others)


def _input(one: str | Log, file: Path) -> Input:
    if isinstance(one, str):
        return Input(file.parent / one)
    return Input(file.parent / one.path, one.collector, one.host, one.zone, one.year)
