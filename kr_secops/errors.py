"""Everything that stops a run, in one small tree.

KrSecopsError              exit 1: the run failed
├── UsageError             exit 2: the command line asks for something impossible
├── ContentError           exit 3: a rule, collector, playbook or settings file is wrong
└── NothingCollectedError  exit 4: no input could be read

A single bad record is no exception: it is a `kr_secops.event.Rejected` value, counted and shown.
"""

from __future__ import annotations

from typing import ClassVar


class KrSecopsError(Exception):
    """The run cannot go on; the message says why and what mends it."""

    exit_code: ClassVar[int] = 1


class UsageError(KrSecopsError):
    """The command line is at fault."""

    exit_code: ClassVar[int] = 2


class ContentError(KrSecopsError):
    """Content a person wrote is wrong; carries every complaint, each as ``path:line:column: …``."""

    exit_code: ClassVar[int] = 3

    def __init__(self, complaints: list[str]) -> None:
        super().__init__("\n".join(complaints))
        self.complaints = complaints


class NothingCollectedError(KrSecopsError):
    """No input could be read, so "no findings" would be a lie."""

    exit_code: ClassVar[int] = 4
