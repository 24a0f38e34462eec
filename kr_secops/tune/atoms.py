"""What a filter may ask of an event: only what an attacker cannot simply choose.

A command line, an address's query, a user agent, a title are free text of whoever sends them; times,
numbers of records and processes never come again. Neither kind is in the table below, and nothing
that is not in the table is ever proposed.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kr_secops.event import Event

Kind = Literal["", "startswith", "endswith", "cidr"]
Aspect = Literal["what", "who", "where"]

_WHAT: Final = """
    process.executable process.parent.executable process.name process.parent.name service.name url.path
    file.path registry.path event.provider event.action winlog.event_data.Image
    winlog.event_data.ParentImage winlog.event_data.SourceImage winlog.event_data.TargetImage
    winlog.event_data.NewProcessName winlog.event_data.ParentProcessName winlog.event_data.ImageLoaded
    winlog.event_data.TargetObject winlog.event_data.TargetFilename winlog.event_data.ProcessName
    winlog.event_data.ServiceFileName winlog.provider_name
"""
_WHO: Final = """
    user.name user.effective.name source.ip winlog.event_data.User winlog.event_data.SubjectUserName
    winlog.event_data.IpAddress winlog.event_data.SourceIp winlog.event_data.ParentUser
"""
_WHERE: Final = """
    host.name destination.ip destination.port winlog.event_data.DestinationIp
    winlog.event_data.DestinationPort kr.postgresql.database
"""
ASPECTS: Final[dict[str, Aspect]] = {
    **dict.fromkeys(_WHAT.split(), "what"),
    **dict.fromkeys(_WHO.split(), "who"),
    **dict.fromkeys(_WHERE.split(), "where"),
}
"""Field → what it says of an event."""

_ADDRESSES: Final = frozenset(
    {"source.ip", "destination.ip"}
    | {f"winlog.event_data.{name}" for name in ("IpAddress", "SourceIp", "DestinationIp")}
)
_KNOWN: Final = frozenset({"process", "file", "configuration"})
"""Categories of events in which the host itself says who acted, though it failed."""
_TARGETS: Final = frozenset(
    {"url.path", "file.path", "registry.path", "user.effective.name"}
    | {f"winlog.event_data.{name}" for name in ("ImageLoaded", "TargetImage", "TargetObject", "TargetFilename")}
)  # fmt: skip
"""What is acted upon: whoever acts chooses it, so it serves beside a sign of who that was."""
_WRITTEN: Final = frozenset({"url.path", "file.path", "winlog.event_data.ServiceFileName"})
"""Paths as somebody wrote them: with ``..`` in it one may begin with any folder."""
_WEAK: Final = _TARGETS | {"event.action", "event.provider", "winlog.provider_name", "process.name", "process.parent.name"}  # fmt: skip
"""True of so many events that they serve beside others only."""
_WRITABLE: Final = re.compile(
    r"(?:/tmp|/var/tmp|/dev/shm|/run/user|/home|/var/www|[a-z]:\\users|[a-z]:\\windows\\temp"
    r"|[a-z]:\\temp|[a-z]:\\programdata|[a-z]:\\perflogs|[a-z]:\\\$recycle\.bin|\\device\\mup)(?:[/\\]|$)"
    r"|^\\\\|\\appdata\\"
)
"""Where ordinary accounts, or a web server, may put files: a path there proves nothing."""
_ORDINARY: Final = re.compile(
    r"(?:^|[/\\])(?:cmd|powershell|pwsh|explorer|svchost|services|rundll32|regsvr32|mshta|[wc]script|msiexec"
    r"|wmiprvse|taskhostw|conhost|bash|dash|sh|zsh|ksh|env|busybox|sudo|su|sshd?|systemd|crond?"
    r"|python[\d.]*w?|perl[\d.]*|php[\w.-]*|ruby|node|javaw?)(?:\.exe)?$"
)
"""Shells, interpreters and hosts of services: whoever breaks in uses them as well."""
_SYSTEM: Final = re.compile(
    r"[a-z]:\\windows\\(?:system32\\|syswow64\\|winsxs\\)?|[a-z]:\\program files(?: \(x86\))?\\"
    r"|/(?:usr/)?(?:local/)?s?bin/|/usr/(?:local/|lib/|libexec/|share/)?|/etc/|hk\w+\\(?:system|software)\\"
)
"""Folders that hold the tools of everybody."""
_SEPARATOR: Final = re.compile(r"[/\\]")
_MASK: Final = "*"
_LONGEST: Final = 400
_NETWORKS: Final = {4: 24, 6: 64}
_DEPTH: Final = 2
"""Folders that a beginning of a path must name at least."""


@dataclass(frozen=True, slots=True, order=True)
class Atom:
    """One condition: a field that is, begins or ends with a text, or lies in a network."""

    field: str
    kind: Kind
    text: str
    """As the event writes it."""

    @property
    def aspect(self) -> Aspect:
        """Return what the field says of an event."""
        return ASPECTS[self.field]

    @property
    def cost(self) -> float:
        """Return how reluctantly it is proposed: the wider and the less stable, the more."""
        base = {"what": 1.0, "who": 1.2, "where": 1.6}[self.aspect]
        return base + (0.5 if self.kind else 0.0) + (0.0 if self.is_telling else 1.5)

    @property
    def is_telling(self) -> bool:
        """Return whether not every intruder would meet it, too."""
        return self.field not in _WEAK and not _ORDINARY.search(self.text.lower())

    @property
    def stands_alone(self) -> bool:
        """Return whether it may be the whole of a filter's selection."""
        return self.is_telling and self.aspect != "where"


def atoms(event: Event) -> Iterator[Atom]:
    """Yield the conditions that *event* meets and a filter may ask."""
    hidden = set(event.get("kr.pii.fields") or ())
    if _is_claimed(event):
        hidden.add("user.name")
    for field in ASPECTS:
        value = event.get(field)
        if value is None or field in hidden:
            continue
        text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
        # A star is what masking leaves of personal data; no filter may hang on that.
        if text and len(text) <= _LONGEST and _MASK not in text and text.isprintable():
            yield from _of(field, text)


def _is_claimed(event: Event) -> bool:
    """Return whether the account is a name that whoever acted may have chosen himself.

    Of a login that failed it is; nginx logs the name of a request though nobody asked for a password.
    """
    categories = event.get("event.category") or ()
    known = _KNOWN.issuperset([categories] if isinstance(categories, str) else categories)
    failed = event.get("event.outcome") == "failure"
    return "web" in categories or (failed and not (categories and known))


def _of(field: str, text: str) -> Iterator[Atom]:
    if field in _ADDRESSES:
        yield from _address(field, text)
        return
    is_path = _SEPARATOR.search(text) is not None
    if is_path and field != "url.path" and _WRITABLE.search(text.lower()):
        return
    yield Atom(field, "", text)
    if is_path and ASPECTS[field] == "what" and field not in _WRITTEN:
        yield from (Atom(field, "startswith", folder) for folder in _folders(text))
    elif field == "host.name" and text.count(".") > 1:
        yield Atom(field, "endswith", text[text.index(".") :])


def _address(field: str, text: str) -> Iterator[Atom]:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return
    yield Atom(field, "", text)
    if not address.is_loopback and not address.is_link_local:
        network = ipaddress.ip_network(f"{address}/{_NETWORKS[address.version]}", strict=False)
        yield Atom(field, "cidr", str(network))


def _folders(path: str) -> Iterator[str]:
    """Yield the folders above *path*, the nearest first, as long as they name enough."""
    ends = [m.end() for m in _SEPARATOR.finditer(path)]
    for end in reversed(ends):
        steps = [step for step in _SEPARATOR.split(path[:end]) if step and not step.endswith(":")]
        folder = path[:end]
        if len(steps) >= _DEPTH and end < len(path) and not _SYSTEM.fullmatch(folder.lower()):
            yield folder
