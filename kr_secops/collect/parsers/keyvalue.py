"""``key=value`` pairs, with values in quotes where they hold blanks."""

from __future__ import annotations

import re
from typing import Final

_PAIR: Final = re.compile(r"""([A-Za-z_][\w\[\].-]*)=("[^"]*"|'[^']*'|\{[^}]*\}|[^\s,]*)""")


def pairs(text: str) -> dict[str, str]:
    """Return the pairs of *text*, quotes and all; of a key given twice, the first.

    >>> pairs('a=1 b="x y" c=')
    {'a': '1', 'b': '"x y"', 'c': ''}
    """
    found: dict[str, str] = {}
    for key, value in _PAIR.findall(text):
        found.setdefault(key, value)
    return found
