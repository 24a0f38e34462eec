"""What follows from a value: an address is an IP or not, a URL has parts, a host has a name.

Each is a dictionary that computes what it does not hold yet and forgets when full: the same
addresses and URLs come again and again, and a look-up is what a line can afford.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

if TYPE_CHECKING:
    from kr_secops.event import Event

KEPT: Final = 16_384
LONGEST: Final = 2048
"""Longer texts are computed each time, so that a flood of them cannot fill memory."""

_ADDRESS: Final = re.compile(r"[0-9A-Fa-f:.]{2,45}")
_EXTENSION: Final = re.compile(r"\.([A-Za-z0-9_-]{1,16})$")


class Addresses(dict[str, str | None]):
    """Text → the same text if it is an IP address, else None."""

    def __missing__(self, text: str) -> str | None:
        address: str | None = None
        if _ADDRESS.fullmatch(text):
            try:
                ipaddress.ip_address(text)
            except ValueError:
                pass
            else:
                address = text
        if len(text) <= LONGEST:
            if len(self) >= KEPT:
                self.clear()
            self[text] = address
        return address


class Targets(dict[str, tuple[str, str, str, str]]):
    """Request target → (path, query, extension, decoded); what it does not have is empty."""

    def __missing__(self, target: str) -> tuple[str, str, str, str]:
        path, mark, query = target.partition("?")
        if "://" in path[:12]:  # absolute form, as to a proxy
            path = "/" + path.partition("://")[2].partition("/")[2]
        found = _EXTENSION.search(path) if "." in path else None
        parts = (path, query if mark else "", found[1] if found else "", decode(target))
        if len(target) <= LONGEST:
            if len(self) >= KEPT:
                self.clear()
            self[target] = parts
        return parts


USERS: Final = ("user.name", "user.effective.name", "user.target.name")
ADDRESSES: Final = ("source.ip", "destination.ip", "client.ip")


def relate(event: Event, addresses: Addresses) -> None:
    """Add to *event* what its addresses are, and ``related.ip`` and ``related.user``."""
    for side in ("source", "destination"):
        if (address := event.get(f"{side}.address")) is not None:
            ip = addresses[address]
            event[f"{side}.ip" if ip else f"{side}.domain"] = address
    found = dict.fromkeys(event[name] for name in ADDRESSES if name in event)
    if found:
        event["related.ip"] = list(found)
    users = dict.fromkeys(event[name] for name in USERS if event.get(name))
    if users:
        event["related.user"] = list(users)


def decode(target: str) -> str:
    """Return *target* in lower case, percent-decoded up to twice, ``+`` as space.

    Attackers encode twice to slip past filters; rules look at what the application may see.
    """
    text = target.replace("+", " ")
    for _ in range(2):
        if "%" not in text:
            break
        text = unquote(text, "utf-8", "replace")
    return text.lower()
