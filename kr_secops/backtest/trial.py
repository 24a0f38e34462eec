"""What a backtest consists of, whoever wrote it down: inputs read together, and what they must give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Input:
    """One file or folder of logs, and what is known of it beside its bytes."""

    path: Path
    collector: str | None = None
    host: str | None = None
    zone: str | None = None
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """How many events must bear a rule out."""

    rule: str
    """Its id, name or title."""
    least: int
    most: int | None
    """None: any number from *least* on."""
    place: str
    """``path:line:column`` where it is said."""

    def holds(self, found: int) -> bool:
        """Return whether *found* is such a number."""
        return self.least <= found and (self.most is None or found <= self.most)

    def __str__(self) -> str:
        if self.most is None:
            return f"at least {self.least}"
        return str(self.least) if self.least == self.most else f"{self.least} to {self.most}"


@dataclass(frozen=True, slots=True)
class Raw:
    """Events that are matched as they are, through pipelines of their own and not through ours."""

    pipelines: tuple[Path, ...] = ()
    filters: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """Inputs that go through one engine, and what must come of them."""

    name: str
    """Path of the file that says so."""
    inputs: tuple[Input, ...]
    expected: tuple[Expected, ...]
    others: str = ""
    """Where it is said that no rule but those named may be true; empty: any may."""
    raw: Raw | None = None
    strict: bool = True
    """A rule that is not loaded makes the file invalid; false: only its own case fails."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one expectation."""

    trial: str
    place: str
    rule: str
    """Title, or the word that names no rule."""
    rule_id: str
    expected: str
    found: int
    problem: str = ""
    """Empty if all is as expected."""
    broken: bool = False
    """Nothing could be said: an input was not read, or the rule is not loaded."""
    seconds: float = 0.0
    """This case's share of the time of its trial."""

    @property
    def passed(self) -> bool:
        """Return whether all is as expected."""
        return not self.problem
