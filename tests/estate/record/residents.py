"""Invented residents: numbers of the right form that belong to nobody, and the sheet that leaks them."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    import random
    from pathlib import Path

FIRST = (
    "Agus", "Ani", "Bagus", "Citra", "Dedi", "Eka", "Fitri", "Gilang", "Hendra", "Indah", "Joko",
    "Kartika", "Lestari", "Made", "Nur",
)  # fmt: skip
LAST = (
    "Saputra", "Wulandari", "Pratama", "Hidayat", "Susanti", "Nugroho", "Rahayu", "Setiawan",
    "Kurnia", "Siregar",
)  # fmt: skip
STREETS = ("Melati Kenanga Pasar Baru", "Sungai Raya", "Adisucipto", "Parit Haji", "Supadio")
HEAD = ("NIK", "Nama Lengkap", "Jenis Kelamin", "Tanggal Lahir", "Alamat", "No HP")
NAMESPACE = "http://schemas.openxmlformats.org"
PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{NAMESPACE}/package/2006/content-types">'
    '<Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType="application/'
    'vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/'
    'vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{NAMESPACE}/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{NAMESPACE}/officeDocument/2006/relationships/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{NAMESPACE}/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{NAMESPACE}/officeDocument/2006/relationships/worksheet" '
    'Target="worksheets/sheet1.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{NAMESPACE}/spreadsheetml/2006/main" '
    f'xmlns:r="{NAMESPACE}/officeDocument/2006/relationships"><sheets>'
    '<sheet name="Penduduk" sheetId="1" r:id="rId1"/></sheets></workbook>',
}


@dataclass(frozen=True, slots=True)
class Resident:
    """One invented person of region 61.12."""

    nik: str
    name: str
    woman: bool
    born: date
    address: str
    phone: str

    def row(self) -> tuple[str, ...]:
        """The person as a row of the leaked sheet."""
        sex = "Perempuan" if self.woman else "Laki-laki"
        return (self.nik, self.name, sex, f"{self.born:%d-%m-%Y}", self.address, self.phone)


def invent(count: int, chance: random.Random) -> list[Resident]:
    """Make `count` residents; running numbers from 9000 up are not given out by registries."""
    people = []
    for number in range(count):
        born = date(1955, 1, 1) + timedelta(days=chance.randrange(18000))
        woman = chance.random() < 0.5
        day = born.day + (40 if woman else 0)
        district = chance.randrange(1, 10)
        people.append(
            Resident(
                nik=f"6112{district:02d}{day:02d}{born:%m%y}{9000 + number % 1000:04d}",
                name=f"{chance.choice(FIRST)} {chance.choice(LAST)}",
                woman=woman,
                born=born,
                address=f"Jl. {chance.choice(STREETS)} No. {chance.randrange(1, 120)}",
                phone=f"0800{chance.randrange(10**7, 10**8)}",
            )
        )
    return people


def write_sheet(path: Path, people: list[Resident]) -> None:
    """Write the smallest workbook that office programs open."""
    rows = [HEAD, *(person.row() for person in people)]
    cells = (
        "".join(f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>' for value in row)
        for row in rows
    )
    body = "".join(f"<row>{row}</row>" for row in cells)
    sheet = f'<worksheet xmlns="{NAMESPACE}/spreadsheetml/2006/main"><sheetData>{body}'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        whole = {**PARTS, "xl/worksheets/sheet1.xml": f"{sheet}</sheetData></worksheet>"}
        for name, text in whole.items():
            entry = zipfile.ZipInfo(name, date_time=(2026, 10, 5, 9, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            book.writestr(entry, f'<?xml version="1.0" encoding="UTF-8"?>{text}')


def as_sql(people: list[Resident]) -> str:
    """The same people as rows of the database, the first two hundred with an application."""
    lines = []
    for number, person in enumerate(people):
        values = f"'{person.nik}', '{person.name}', '{person.born}', '{person.address}'"
        lines.append(f"INSERT INTO penduduk VALUES ({values});")
        if number < 200:
            values = f"'IZN-2026-{number + 1:05d}', '{person.name}', '{person.nik}'"
            lines.append(f"INSERT INTO permohonan VALUES ({values}, 'SIUP', 'diproses');")
    return "\n".join(lines)
