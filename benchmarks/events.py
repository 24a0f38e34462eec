"""Makes the logs of the rule benchmark from the EVTX samples that the user has.

Every log comes in the forms that the tools read: EVTX; the nested records that EVTX readers give;
flat records, ``{"EventID": 1, "Channel": …, "Image": …}``, as log shippers write them.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import re
import shutil
from typing import TYPE_CHECKING, Any

from evtx import PyEvtxParser
from harness import cached

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

QUIET = 99_610
"""Events of the quiet logs."""
SEED = 20261125
Record = dict[str, Any]
Pairs = list[tuple[str, int, str]]
"""File below the samples' folder, record number, rule id."""


class Samples:
    """A folder of EVTX files and what can be made of it, each log made once and kept."""

    def __init__(self, folder: Path, expected: Path) -> None:
        """Take the files below *folder*; *expected* lists the pairs of rule and record."""
        self.folder = folder
        self.files = sorted(folder.rglob("*.evtx"))
        self.pairs: Pairs = [tuple(pair) for pair in json.loads(expected.read_text())]
        sizes = [(str(p.relative_to(folder)), p.stat().st_size) for p in self.files]
        self._name = hashlib.sha256(repr((SEED, sizes, self.pairs)).encode()).hexdigest()[:12]

    def records(self) -> Iterator[tuple[str, Record]]:
        """Yield each record with the file it stands in."""
        for path in self.files:
            name = str(path.relative_to(self.folder))
            for record in PyEvtxParser(str(path), number_of_threads=1).records_json():
                if record is not None:
                    yield name, json.loads(record["data"])

    def copies(self, count: int) -> Path:
        """Return a folder with *count* copies of every file, each a file of its own."""

        def make(target: Path) -> None:
            for i in range(count):
                shutil.copytree(self.folder, target / f"copy-{i}")

        return cached(f"evtx-{self._name}-{count}", make)

    def attacks(self, form: str, count: int = 1) -> Path:
        """Return all records, *count* times, as one file of the *form* nested or flat."""
        return self._log(
            f"attacks-{count}", form, lambda: (r for _ in range(count) for _, r in self.records())
        )

    def quiet(self, form: str) -> Path:
        """Return records that no rule matches, over and over."""
        return self._log("quiet", form, self._quiet)

    def fresh(self, form: str) -> Path:
        """Return the quiet records with values that hardly ever come twice."""
        chance = random.Random(SEED)
        return self._log("fresh", form, lambda: (renewed(r, chance) for r in self._quiet()))

    def _quiet(self) -> Iterator[Record]:
        loud = {(name, number) for name, number, _ in self.pairs}
        quiet = [r for name, r in self.records() if (name, record_number(r)) not in loud]
        yield from itertools.islice(itertools.cycle(quiet), QUIET)

    def _log(self, kind: str, form: str, records: Callable[[], Iterable[Record]]) -> Path:
        def make(target: Path) -> None:
            with target.open("w", encoding="utf-8", newline="\n") as file:
                for record in records():
                    document = record if form == "nested" else flat(record)
                    file.write(json.dumps(document, separators=(",", ":")) + "\n")

        return cached(f"{kind}-{self._name}.{form}.ndjson", make)


def record_number(record: Record) -> int:
    """Return the record's EventRecordID."""
    return int(record["Event"]["System"]["EventRecordID"])


def flat(record: Record) -> Record:
    """Return *record* with its names at the top, attributes as ``Element_Attribute``."""
    found: Record = {}
    event = record["Event"]
    for name, value in event["System"].items():
        if isinstance(value, dict):
            for attribute, inner in value.get("#attributes", {}).items():
                found[f"{name}_{attribute}"] = inner
            value = value.get("#text")  # noqa: PLW2901
        if value is not None:
            found[name] = value
    for part in ("EventData", "UserData"):
        if isinstance(event.get(part), dict):
            _add_leaves(event[part], found)
    return found


def _add_leaves(tree: Record, found: Record) -> None:
    for name, value in tree.items():
        if name == "#attributes":
            continue
        if isinstance(value, dict) and "#text" not in value:
            _add_leaves(value, found)
        else:
            # Rules write the names without the blanks that some providers have in them.
            found[name.replace(" ", "")] = value["#text"] if isinstance(value, dict) else value


LONG = 8
"""Shorter values are words: ``true``, ``tcp``, ``-``."""
PROGRAM = re.compile(r"(?i)\\[^\\]+\.(?:exe|dll|sys)$")
WORDS_OR_DIGIT = re.compile(r"(?i)system32|syswow64|win32|x86|x64|amd64|sha256|sha1|md5|s-1-5|\d")
"""Names that rules know and that stay as they are, or a digit to be changed."""


def renewed(record: Record, chance: random.Random) -> Record:
    """Return *record* with new values that mean the same to rules, but for a few.

    Digits become others; a value with hardly any gets a tail; a program's path, whose end many
    rules ask for, is spelt in other letters, which Windows does not tell apart.
    """

    def digit(found: re.Match[str]) -> str:
        return chance.choice("0123456789") if found[0].isdigit() else found[0]

    def fresh(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: v if k == "#attributes" else fresh(v) for k, v in value.items()}
        if isinstance(value, list):
            return [fresh(item) for item in value]
        if not isinstance(value, str) or len(value) < LONG:
            return value
        if PROGRAM.search(value):
            upper, lower = value.upper(), value.lower()
            bits = chance.getrandbits(len(value))
            return "".join((upper, lower)[bits >> i & 1][i] for i in range(len(value)))
        if sum(map(str.isdigit, value)) > 3:
            return WORDS_OR_DIGIT.sub(digit, value)
        return f"{value} {chance.getrandbits(16):04x}"

    event = dict(record["Event"])
    for part in ("EventData", "UserData"):
        if part in event:
            event[part] = fresh(event[part])
    return {"Event": event}
