"""What inputs, parsers and collectors promise each other.

An input does I/O and yields blocks of whole records; a parser is pure; a collector (a YAML file)
names both and says which ECS fields come of it.

    Input ──Block──▶ Reader (collector bound to a source) ──Event | Rejected──▶ pipeline
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from kr_secops.event import Position

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from kr_secops.event import Event, Rejected

__all__ = [
    "Block",
    "Input",
    "Outcome",
    "Position",
    "Reader",
    "Shape",
    "Skipped",
    "Source",
]


@dataclass(frozen=True, slots=True)
class Source:
    """One thing that is read, and what is known about it beside its bytes."""

    name: str
    """Path as the user would write it, ``journal``, or ``-`` for standard input."""
    host: str | None = None
    """Host for records that do not name one."""
    zone: tzinfo | None = None
    """Zone of time stamps that state none; None: the collector infers, else the machine's own."""
    year: int | None = None
    """Year of time stamps that state none; None: the newest year that is not after `modified`."""
    modified: float | None = None
    """Modification time of the file, POSIX seconds."""


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records of one source, in order; text records end in a newline (the last may not)."""

    source: Source
    offset: int
    """Offset of ``data[0]`` in the decompressed stream."""
    data: bytes
    position: Position
    """Where to resume once every record of this block has been dealt with."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A source that could not be read, or only in part: shown at the end, never fatal."""

    source: str
    reason: str
    denied: bool = False
    """The one who runs this may not read it."""

    @classmethod
    def of(cls, source: str, error: OSError, about: str = "") -> Skipped:
        """Return what the system says of *source*; *about* names the part that failed."""
        reason = (error.strerror or str(error)).lower()
        return cls(source, f"{about}{reason}", isinstance(error, PermissionError))


Outcome: TypeAlias = "Event | Rejected | Skipped"
"""What comes of a record; `Skipped` only of captures, part of which may be unreadable."""


class Input(Protocol):
    """Reads one source."""

    def blocks(self) -> Iterator[Block | Skipped | Rejected]:
        """Yield the records from the resume position on, at most a few MiB a block."""
        ...


class Origin(Protocol):
    """The collector behind a reader, as far as those who use readers need to know it."""

    @property
    def id(self) -> str:
        """Its name."""
        ...

    def shapes(self) -> tuple[Shape, ...]:
        """Return the ways in which a line of such a log can look."""
        ...


class Reader(Protocol):
    """A collector at work on one source: keeps what spans lines (multi-line records, the year)."""

    collector: Origin
    verbatim: bool
    """True if every record is one line on its own, so that a raw scan may choose lines."""
    waiting: int | None
    """Offset of the first record that still waits for more lines; None: nothing waits."""

    def events(self, block: Block, lines: Sequence[int] | None = None) -> Iterator[Outcome]:
        """Yield the events of *block*, in order.

        Args:
            block: the next block of the source.
            lines: only the records that begin at these ascending offsets into ``block.data``;
                None means all. Only where `verbatim` is true.
        """
        ...

    def finish(self) -> Iterator[Outcome]:
        """Yield what was still waiting for more lines."""
        ...


@dataclass(frozen=True, slots=True)
class Shape:
    """One way a record of a collector can look, for the prefilter to reason about rules.

    A record of this shape holds one of `anchors` (ASCII, as written; empty: nothing is certain),
    carries `constants`, and each of `fields` stands in the line byte for byte as its value (after
    masking at most shorter). A field in neither is absent, except those in `derived`.
    """

    anchors: tuple[str, ...] = ()
    constants: dict[str, object] = field(default_factory=dict)
    fields: frozenset[str] = frozenset()
    derived: frozenset[str] = frozenset()
    """Fields that may be present with a value that need not stand in the line."""
    edges: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    """Of some `fields`: what stands right before and right behind the value in the line, and how
    many characters the value has there at most. A number may have zeros before it there."""
