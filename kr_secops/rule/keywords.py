"""Keywords in Windows event records, looked for in a whole block of JSON before it is decoded.

A keyword may stand in any value, so without this every record would have to be joined and scanned.
JSON writes some letters in other ways, so what is looked for is the longest part of each keyword
that it writes as it is; records with letters in other ways are taken in any case.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_AS_WRITTEN: Final = re.compile(r"[ !#-%(-.0-;=?-\[\]-z|~]+")
"""Printable ASCII but what JSON writes otherwise (``"``, ``/``, ``\\``), what XML does (``&``, ``'``,
``<``, ``>``: Splunk gives a record as such), and the braces that a GUID gets."""
_SHORTEST: Final = 3
_MADE: Final = "critical error information verbose warning windows"
"""What the reader adds to a record; see `kr_secops.collect.windows`."""

_IN_OTHER_WAYS: Final = (
    *(rb"\u00%d" % high for high in range(2, 8)),
    *(b"\\u212a", b"\\u0130", b"\xe2\x84\xaa", b"\xc4\xb0"),
    *(b"&#", b'"AllFieldInfo"'),
)
"""Escaped printable ASCII, and the Kelvin sign and the dotted I: in lower case k and i. Characters
as XML escapes them, and Hayabusa's documents, which shorten channels."""


def database(words: Iterable[str]) -> bytes | None:
    """Return a hyperscan database that meets every JSON line which may hold one of *words*.

    Args:
        words: in lower case.

    Returns:
        b"" where there is nothing to look for; None where any line may hold one.
    """
    parts = set()
    for word in words:
        part = max(_AS_WRITTEN.findall(word), key=len, default="")
        # A number may be written in other ways than its text.
        if len(part) < _SHORTEST or not re.search("[^0-9+.e-]", part) or part in _MADE:
            return None
        parts.add(part.encode())
    if not parts:
        return b""
    import hyperscan

    expressions = [*sorted(parts), *_IN_OTHER_WAYS]
    made = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    made.compile(
        expressions=expressions,
        ids=list(range(len(expressions))),
        elements=len(expressions),
        flags=hyperscan.HS_FLAG_CASELESS,
        literal=True,
    )
    blob: bytes = hyperscan.dumpb(made)
    return blob
