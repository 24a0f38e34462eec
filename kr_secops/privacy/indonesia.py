# ruff: noqa: PLR2004  (lengths and places of digits are what this module is about)
"""The checks behind Indonesian identifiers: region codes, dates, check digits, numbering plan.

A check takes the matched bytes and says how sure they are what they look like, and how many of
them belong to the value: ``mobile(b"0812-3456-789 12") == (STRONG, 13)``.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

NO: Final = 0
PLAUSIBLE: Final = 1
"""It has the form, and nothing in the value itself proves it: a label must."""
STRONG: Final = 2
"""A check that chance seldom passes: a district that exists, a check digit, a mobile prefix."""

Verdict: TypeAlias = tuple[int, int]

PROVINCES: Final = "1[1-9]|21|3[1-6]|5[1-3]|6[1-5]|7[1-6]|8[12]|9[1-6]"
AREAS: Final = "2[124]|31|61|2[5-9][0-9]|3[2-8][0-9]|4[0-8][0-9]|5[1-6][0-9]|6[2-5][0-9]|7[0-7][0-9]|9[0-8][0-9]"
"""Area codes of the numbering plan without the leading 0: five cities, else by their first two."""

_MOBILE: Final = re.compile(rb"8(?:1[1-9]|2[1-38]|3[1-38]|5[1-35-9]|7[7-9]|8[1-9]|9[5-9])")
_NUMBER: Final = re.compile(rb"[0-9]+")
_ENCODED: Final = re.compile(rb"%[0-9A-Fa-f]{2}")
_AT: Final = re.compile(rb"@|%(?:25)*40|\\+u0040|&#64;|&#x40;")
_DAYS: Final = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COUNTRIES: Final = _words(
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt "
    "bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er "
    "es et eu fi fj fk fm fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht "
    "hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr "
    "ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng "
    "ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd "
    "se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw "
    "tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw"
)
_NO_DOMAIN: Final = _words(
    # Units of systemd and files, which stand after an @ in logs: user@1000.service, logo@2x.png.
    "service socket target timer mount automount slice scope device path swap png jpg jpeg gif svg "
    "webp ico css html htm php json xml yaml yml txt log conf tar bak sql pdf min map woff ttf "
    # Names that are reserved or never leave the house: RFC 2606, RFC 6762, RFC 8375.
    "local localhost localdomain lan internal intranet home corp invalid test example onion arpa"
)
_RESERVED: Final = _words(
    "example.com example.net example.org "
    # Names of algorithms and extensions in OpenSSH's protocol, not mailboxes.
    "openssh.com libssh.org lysator.liu.se"
)
_ROLES: Final = _words(
    "abuse admin administrator aduan bendahara cs customercare daemon dinas dpo feedback ftp halo "
    "hello helpdesk hostmaster humas info informasi kantor kontak layanan mail mailer mailerdaemon "
    "marketing media nobody noc noreply donotreply office operator pengaduan postmaster ppid "
    "redaksi root sales sekretariat security staff support surat system tu webmaster www wwwdata"
)


@cache
def regions() -> frozenset[bytes]:
    """Return every six-digit district code, of today and of earlier decrees."""
    table = files("kr_secops.privacy").joinpath("regions.txt").read_text("ascii")
    codes = set()
    for line in table.splitlines():
        regency, *parts = line.split()
        if not regency.isdigit():
            continue
        for part in parts:
            first, _, last = part.partition("-")
            for district in range(int(first), int(last or first) + 1):
                codes.add(b"%s%02d" % (regency.encode(), district))
    return frozenset(codes)


def digits(value: bytes) -> bytes:
    """Return only the digits of *value*; an encoded character such as ``%20`` has none."""
    if value.isdigit():
        return value
    return b"".join(_NUMBER.findall(_ENCODED.sub(b"", value)))


def is_day(day: int, month: int, year: int) -> bool:
    """Say whether the two-digit date exists; 29 February only in years that divide by four."""
    if not 1 <= month <= 12 or not 1 <= day <= _DAYS[month]:
        return False
    return day != 29 or month != 2 or year % 4 == 0


def luhn(number: bytes) -> bool:
    """Say whether the last digit is the check digit of those before it."""
    total = 0
    for place, char in enumerate(reversed(number)):
        digit = char - 48
        total += digit if place % 2 == 0 else digit * 2 - 9 * (digit > 4)
    return total % 10 == 0


def nik(value: bytes) -> Verdict:
    """Check a NIK: district, birth date (day + 40 for women), serial number."""
    return _resident(value, 40)


def kk(value: bytes) -> Verdict:
    """Check a family card number: as a NIK, but its date is never raised by 40."""
    return _resident(value, 0)


def _resident(value: bytes, raised: int) -> Verdict:
    number = digits(value)
    if len(number) != 16 or number[12:] == b"0000":
        return NO, 0
    day = int(number[6:8])
    if raised and day > 40:
        day -= raised
    if not is_day(day, int(number[8:10]), int(number[10:12])):
        return NO, 0
    # A district unknown here may be one of before the lists: the label decides, never this table.
    known = number[:6] in regions() and number[12:] < b"3000"
    return (STRONG if known else PLAUSIBLE), len(value)


def npwp15(value: bytes) -> Verdict:
    """Check a taxpayer number of 15 digits; its official punctuation makes it unmistakable."""
    number = digits(value)
    if len(number) != 15 or number[:9] == b"000000000" or not luhn(number[:9]):
        return NO, 0
    return (STRONG if value.count(b".") == 4 and b"-" in value else PLAUSIBLE), len(value)


def npwp16(value: bytes) -> Verdict:
    """Check a taxpayer number of 16 digits that is a 0 and the old one."""
    number = digits(value)
    if len(number) != 16 or number[:10] == b"0000000000" or not luhn(number[1:10]):
        return NO, 0
    return (STRONG if value.count(b".") == 4 and b"-" in value else PLAUSIBLE), len(value)


def mobile(value: bytes) -> Verdict:
    """Check a mobile number: a prefix in use, 10 to 13 digits with the leading 0."""
    for number, length in _subscribers(value):
        if 9 <= len(number) <= 12 and _MOBILE.match(number):
            return STRONG, length
    return NO, 0


def landline(value: bytes) -> Verdict:
    """Check a landline number: area code, five to eight digits; bare digits need a label."""
    for number, length in _subscribers(value):
        if 7 <= len(number) <= 11:
            punctuated = b"(" in value or b"-" in value or value[:1] == b"+"
            return (STRONG if punctuated else PLAUSIBLE), length
    return NO, 0


def _subscribers(value: bytes) -> list[tuple[bytes, int]]:
    """Return the number without 62 or 0, longest first, as it may end at each of its groups.

    ``0812 3456 7890 12`` could be a number and a count; a first group that is whole ends it.
    """
    encoded_plus = value[:3].upper() == b"%2B"
    found: list[tuple[bytes, int]] = []
    number = b""
    for group in _NUMBER.finditer(value, 3 if encoded_plus else 0):
        text = group[0]
        if value[group.start() - 1 : group.start()] == b"%" and group.start() > 3:
            text = text[2:]  # %20 between groups
        number += text
        found.append((_national(number), group.end()))
        if len(found[-1][0]) >= 9 and len(found) == 1:
            break
    return [one for one in reversed(found) if len(one[0]) <= 12]


def _national(number: bytes) -> bytes:
    if number.startswith(b"0062"):
        number = number[4:]
    elif number.startswith(b"62"):
        number = number[2:]
    return number[1:] if number.startswith(b"0") else number


def email(value: bytes) -> Verdict:
    """Check an address: a real top-level domain, none that is reserved; offices only plausible."""
    local, _, domain = normal("email", value).rpartition("@")
    labels = domain.split(".")
    top = labels[-1]
    if top in _NO_DOMAIN or (len(top) == 2 and top not in _COUNTRIES):
        return NO, 0
    if not all(labels) or ".".join(labels[-2:]) in _RESERVED or not local.strip("."):
        return NO, 0
    role = re.sub(r"[^a-z]", "", local.partition("+")[0]) in _ROLES
    return (PLAUSIBLE if role else STRONG), len(value)


def anything(value: bytes) -> Verdict:
    """Accept every match: its pattern says enough, if a label agrees."""
    return PLAUSIBLE, len(value)


CHECKS: Final[dict[str, Callable[[bytes], Verdict]]] = {
    "any": anything,
    "nik": nik,
    "kk": kk,
    "npwp15": npwp15,
    "npwp16": npwp16,
    "mobile": mobile,
    "landline": landline,
    "email": email,
}
"""What an identifier's description may name under ``check``."""


def normal(kind: str, value: bytes) -> str:
    """Return *value* in the one form that all its notations share, as the keyed hash needs it."""
    if kind == "email":
        text = _AT.sub(b"@", value).replace(b"%2B", b"+").replace(b"%2b", b"+")
        return text.decode("ascii", "replace").lower().strip(".")
    number = digits(value)
    if kind == "phone":
        number = b"62" + _national(number)
    elif kind == "npwp" and len(number) == 16:
        number = number.removeprefix(b"0")
    return number.decode("ascii")


def is_child(number: str, on: date) -> bool:
    """Say whether the holder of the NIK is under 18 on that day (Art. 4(2)e: children's data).

    The year has two digits: the latest century that is not in the future is meant.
    """
    day, month, year = int(number[6:8]), int(number[8:10]), int(number[10:12])
    day -= 40 * (day > 40)
    year += 2000 if year <= on.year % 100 else 1900
    return (year + 18, month, day) > (on.year, on.month, on.day)
