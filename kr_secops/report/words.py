"""Every word a report prints, in Indonesian and English: ``words.tsv``, months, frameworks.

A report's language is its own: an office may read Indonesian reports and English messages, so
these words are not those of `kr_secops.language`.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kr_secops.language import Language

MONTHS: Final = (
    ("Januari", "January"),
    ("Februari", "February"),
    ("Maret", "March"),
    ("April", "April"),
    ("Mei", "May"),
    ("Juni", "June"),
    ("Juli", "July"),
    ("Agustus", "August"),
    ("September", "September"),
    ("Oktober", "October"),
    ("November", "November"),
    ("Desember", "December"),
)

FRAMEWORKS: Final = {
    "uu-pdp": ("UU No. 27 Tahun 2022 (PDP) Pasal {}", "Law 27/2022 (personal data) art. {}"),
    "bssn-4-2021": ("Peraturan BSSN No. 4 Tahun 2021 {}", "BSSN Regulation 4/2021 {}"),
    "iso27001": ("ISO/IEC 27001:2022 {}", "ISO/IEC 27001:2022 {}"),
    "cis": ("CIS Controls v8.1 {}", "CIS Controls v8.1 {}"),
    "nist-csf": ("NIST CSF 2.0 {}", "NIST CSF 2.0 {}"),
}
"""Framework of a control's id (``uu-pdp:35``) → how its requirement is cited."""


@cache
def table(language: Language) -> dict[str, str]:
    """Return key → words in *language*; ``one|many`` where the language tells them apart."""
    text = (files("kr_secops.report") / "words.tsv").read_text("utf-8")
    head, *rows = (line.split("\t") for line in text.splitlines())
    column = head.index(language)
    return {row[0]: row[column] for row in rows}
