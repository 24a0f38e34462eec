"""Makes, for each pattern of a collector, the code that builds its event.

Setting twenty fields one by one through names found in a table is most of the cost of a line, so
the event is written out as one dictionary display, as a person would write it by hand:

    {'@timestamp': when, 'event.action': 'ssh_login', 'user.name': g0, 'source.ip': …}
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from kr_secops import ecs
from kr_secops.collect.following import USERS
from kr_secops.collect.network.dns import domain_fields

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from kr_secops.collect.following import Addresses, Targets
    from kr_secops.collect.pattern import Pattern
    from kr_secops.event import Event

Build: TypeAlias = "Callable[..., Event]"
"""``build(groups, line, message, when, offset, host, program, pid)`` → the event."""

Trial: TypeAlias = "tuple[Callable[[str], re.Match[str] | None], Build]"
"""What matches a text, and what builds the event if it does."""

PARAMETERS: Final = "groups, line, message, when, offset, host, program, pid"
NUMBERS: Final = frozenset({"long", "integer", "short", "unsigned_long"})
DERIVED: Final = frozenset(
    {"@timestamp", "ecs.version", "event.kind", "event.outcome", "event.timezone", "log.file.path",
     "log.offset", "kr.url.decoded", "event.duration"}
)  # fmt: skip
"""Fields whose value need not stand in the line."""

LOWER: Final = frozenset({"network.transport", "network.protocol"})
"""Fields whose value ECS wants in lower case; firewalls write ``TCP``."""

SIDES: Final = ("source", "destination", "client")
DOMAIN_PARTS: Final = ("registered_domain", "subdomain", "top_level_domain")


Base: TypeAlias = Literal["syslog", "line", "message"]
"""Whose fields an event starts with: a syslog header's, a file's, or none (it adds to another)."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the event of one pattern holds."""

    captured: tuple[str, ...]
    """Fields of the groups, in order."""
    optional: frozenset[str]
    constants: Mapping[str, Any]
    base: Base

    @classmethod
    def of(cls, pattern: Pattern | None, constants: Mapping[str, Any], base: Base) -> Recipe:
        """Return the recipe of *pattern*; None: of a message that none matches."""
        if pattern is None:
            return cls((), frozenset(), constants, base)
        return cls(pattern.fields, pattern.optional, constants, base)

    def certain(self) -> dict[str, Any]:
        """Return the fields whose value is the same in each of its events."""
        base = {} if self.base == "message" else {"ecs.version": ecs.VERSION, "event.kind": "event"}
        return base | {k: v for k, v in self.constants.items() if k not in self.captured}

    def fields(self) -> frozenset[str]:
        """Return the fields that stand in the line as their value, where they are present."""
        verbatim = {*self.captured, *_PLACES[self.base]}
        if "url.original" in self.captured:
            verbatim |= {"url.path", "url.query", "url.extension", "url.domain"}
        if "dns.question.name" in self.captured:
            verbatim |= {f"dns.question.{part}" for part in DOMAIN_PARTS}
        for side in SIDES:
            if f"{side}.address" in self.captured:
                verbatim |= {f"{side}.ip", f"{side}.domain", "related.ip"}
        if set(USERS) & {*self.captured}:
            verbatim.add("related.user")
        return frozenset(verbatim - DERIVED)

    def derived(self) -> frozenset[str]:
        """Return the fields that may hold what does not stand in the line."""
        derived = {*DERIVED, "related.hosts", "host.name"}
        if set(USERS) & {*self.constants}:
            derived.add("related.user")
        return frozenset(derived - self.fields() - self.certain().keys())


_PLACES: Final[dict[Base, tuple[str, ...]]] = {
    "syslog": (
        "event.original", "message", "host.name", "host.hostname", "process.name", "process.pid",
    ),
    "line": ("event.original",),
    "message": (),
}  # fmt: skip


def make_builder(
    recipe: Recipe, path: str, host: str | None, addresses: Addresses, targets: Targets
) -> Build:
    """Return the function that builds the events of *recipe* for the file at *path*."""
    writer = _Writer(recipe, path, host)
    scope: dict[str, Any] = {"addresses": addresses, "targets": targets}
    source = writer.source(scope)
    # Our own text: names of fields and constants enter it through repr() alone.
    exec(compile(source, f"<collector {recipe.constants.get('event.dataset')}>", "exec"), scope)  # noqa: S102
    build: Build = scope["build"]
    return build


class _Writer:
    """Writes one builder's source."""

    def __init__(self, recipe: Recipe, path: str, host: str | None) -> None:
        self.recipe = recipe
        self.path = path
        self.host = host
        self.names = {name: f"g{i}" for i, name in enumerate(recipe.captured)}
        self.entries: dict[str, str] = {}
        self.after: list[str] = []

    def source(self, scope: dict[str, Any]) -> str:
        self._base(scope)
        self._captured()
        self._outcome()
        self._url()
        self._domain(scope)
        self._addresses()
        self._users()
        lines = [f"def build({PARAMETERS}):"]
        names = list(self.names.values())
        if names:
            lines.append(f"    {', '.join(names)}{',' if len(names) == 1 else ''} = groups")
        lines += [f"    {line}" for line in self.before()]
        display = ", ".join(f"{name!r}: {value}" for name, value in self.entries.items())
        lines.append(f"    event = {{{display}}}")
        lines += [f"    {line}" for line in self.after]
        lines.append("    return event")
        return "\n".join(lines)

    def before(self) -> Iterable[str]:
        if "url.original" in self.names:
            # A target of None (no request line) has no parts.
            name = self.names["url.original"]
            yield f"path, query, extension, decoded = targets[{name} or '']"
        for side in self._sides():
            name = self.names[f"{side}.address"]
            yield f"{side}_ip = addresses[{name}]" + (
                f" if {name} else None" if f"{side}.address" in self.recipe.optional else ""
            )

    def _base(self, scope: dict[str, Any]) -> None:
        recipe = self.recipe
        if recipe.base != "message":
            self.entries = {
                "@timestamp": "when",
                "ecs.version": repr(ecs.VERSION),
                "event.kind": "'event'",
            }
        for i, (name, value) in enumerate(recipe.constants.items()):
            if isinstance(value, list):  # one list for all events: nobody changes an event's list
                scope[f"c{i}"] = value
                self.entries[name] = f"c{i}"
            else:
                self.entries[name] = repr(value)
        if recipe.base == "message":
            return
        self.entries |= {
            "event.original": "line",
            "log.file.path": repr(self.path),
            "log.offset": "offset",
        }
        if recipe.base == "syslog":
            self.entries |= {
                "message": "message",
                "host.name": "host",
                "host.hostname": "host",
                "related.hosts": "[host]",
            }
            self.after.append("if program: event['process.name'] = program")
            self.after.append("if pid: event['process.pid'] = int(pid)")
        elif self.host:
            self.entries |= {"host.name": repr(self.host), "related.hosts": f"[{self.host!r}]"}

    def _captured(self) -> None:
        for name, variable in self.names.items():
            if name == "@timestamp":
                continue
            kind = ecs.schema().types.get(name)
            value = f"int({variable})" if kind in NUMBERS else variable
            if name in LOWER:
                value = f"{variable}.lower()"
            if name == "event.duration":  # logs state milliseconds, ECS wants nanoseconds
                value = f"round(float({variable}) * 1e6)"
            if name in ecs.schema().arrays:
                value = f"[{value}]"
            if name in self.recipe.optional:
                self.entries.pop(name, None)
                self.after.append(f"if {variable}: event[{name!r}] = {value}")
            else:
                self.entries[name] = value
            if name == "message" and name in self.recipe.optional:
                self.entries[name] = f"{variable} or ''"

    def _outcome(self) -> None:
        status = self.names.get("http.response.status_code")
        if status and "event.outcome" not in self.entries:
            self.entries["event.outcome"] = f"'failure' if {status} >= '400' else 'success'"

    def _url(self) -> None:
        if "url.original" not in self.names:
            return
        self.entries.pop("url.original", None)
        name = self.names["url.original"]
        self.after = [line for line in self.after if "'url.original'" not in line]
        self.after += [
            f"if {name}:",
            f"    event['url.original'] = {name}",
            "    event['kr.url.decoded'] = decoded",
            "    if path: event['url.path'] = path",
            "    if query: event['url.query'] = query",
            "    if extension: event['url.extension'] = extension",
        ]
        if host := self.names.get("destination.address"):  # the virtual host
            self.after.append(f"if {host}: event['url.domain'] = {host}")

    def _domain(self, scope: dict[str, Any]) -> None:
        if name := self.names.get("dns.question.name"):
            scope["domain_fields"] = domain_fields
            # Resolvers hide letters' case in questions as a nonce.
            self.after.append(f"if {name}: event.update(domain_fields({name}.lower()))")

    def _sides(self) -> Sequence[str]:
        return [side for side in SIDES if f"{side}.address" in self.names]

    def _addresses(self) -> None:
        sides = self._sides()
        for i, side in enumerate(sides):
            self.after.append(f"if {side}_ip:")
            self.after.append(f"    event['{side}.ip'] = {side}_ip")
            if i == 0:
                self.after.append(f"    event['related.ip'] = [{side}_ip]")
            else:
                self.after.append(f"    event.setdefault('related.ip', []).append({side}_ip)")
            name = self.names[f"{side}.address"]
            self.after.append(f"elif {name}: event['{side}.domain'] = {name}")

    def _users(self) -> None:
        users = [name for name in USERS if name in self.names or name in self.recipe.constants]
        if not users:
            return
        if len(users) == 1 and users[0] in self.names:
            variable = self.names[users[0]]
            if users[0] in self.recipe.optional:
                self.after.append(f"if {variable}: event['related.user'] = [{variable}]")
            else:
                self.entries["related.user"] = f"[{variable}]"
            return
        values = ", ".join(
            self.names.get(name) or repr(self.recipe.constants[name]) for name in users
        )
        self.after.append(f"users = list(dict.fromkeys(filter(None, ({values}))))")
        self.after.append("if users: event['related.user'] = users")
