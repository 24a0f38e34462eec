"""Records of the Linux audit system, and the event that records with one serial number make.

type=EXECVE msg=audit(1794875700.140:5280): argc=2 a0="cat" a1=2F6574632F736861646F77
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from kr_secops.collect.parsers.keyvalue import pairs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_RECORD: Final = re.compile(
    r"(?:node=(?P<node>\S+) )?type=(?P<type>[\w\[\]]+) "
    r"msg=audit\((?P<seconds>\d{1,10})\.(?P<millis>\d{1,3}):(?P<serial>\d{1,18})\): ?(?P<rest>.*)$",
    re.DOTALL,
)
_INNER: Final = re.compile(r"msg='(.*)'", re.DOTALL)
_HEX: Final = re.compile(r"(?:[0-9A-F]{2})+")
_ARGUMENT: Final = re.compile(r"a(\d{1,4})(?:\[(\d{1,4})\])?")

ENCODED: Final = frozenset(
    {"proctitle", "comm", "exe", "cwd", "name", "acct", "cmd", "data", "dir", "grp", "key", "path",
     "sw", "terminal", "unit", "vm", "watch", "new_group", "old", "op"}
)  # fmt: skip
"""Fields that the kernel writes in hexadecimal, without quotes, when they hold odd bytes."""

SATELLITES: Final = frozenset(
    {"SYSCALL", "PATH", "CWD", "PROCTITLE", "EXECVE", "SOCKADDR", "BPRM_FCAPS", "EOE", "FD_PAIR",
     "MMAP", "IPC", "OBJ_PID", "CAPSET", "SOCKETCALL"}
)  # fmt: skip
"""Record types that describe a system call; any other type names the event."""

FROM_KERNEL: Final = (
    "ANOM_", "APPARMOR", "AVC", "BPF", "CONFIG_CHANGE", "CRYPTO_", "FANOTIFY", "FEATURE_CHANGE",
    "INTEGRITY_", "KERN_MODULE", "LOGIN", "MAC_", "NETFILTER_CFG", "SECCOMP", "SELINUX_", "TIME_",
    "TTY", "UNKNOWN", "URINGOP",
)  # fmt: skip
"""Beginnings of record types that may come along with a system call's records."""

KINDS: Final[dict[str, tuple[list[str], list[str]]]] = {
    "USER_LOGIN": (["authentication", "session"], ["start"]),
    "USER_LOGOUT": (["session"], ["end"]),
    "USER_AUTH": (["authentication"], ["info"]),
    "USER_ACCT": (["authentication"], ["info"]),
    "USER_ERR": (["authentication"], ["info"]),
    "CRED_ACQ": (["authentication"], ["info"]),
    "CRED_REFR": (["authentication"], ["info"]),
    "CRED_DISP": (["authentication"], ["info"]),
    "LOGIN": (["session"], ["info"]),
    "USER_START": (["session"], ["start"]),
    "USER_END": (["session"], ["end"]),
    "USER_CMD": (["process"], ["start"]),
    "USER_CHAUTHTOK": (["iam"], ["user", "change"]),
    "ADD_USER": (["iam"], ["user", "creation"]),
    "DEL_USER": (["iam"], ["user", "deletion"]),
    "USER_MGMT": (["iam"], ["user", "change"]),
    "ADD_GROUP": (["iam"], ["group", "creation"]),
    "DEL_GROUP": (["iam"], ["group", "deletion"]),
    "GRP_MGMT": (["iam"], ["group", "change"]),
    "ROLE_ASSIGN": (["iam"], ["admin", "change"]),
    "SERVICE_START": (["process"], ["start"]),
    "SERVICE_STOP": (["process"], ["end"]),
    "SYSTEM_BOOT": (["host"], ["start"]),
    "SYSTEM_SHUTDOWN": (["host"], ["end"]),
    "CONFIG_CHANGE": (["configuration"], ["change"]),
    "DAEMON_START": (["process"], ["start"]),
    "DAEMON_END": (["process"], ["end"]),
    "DAEMON_ABORT": (["process"], ["end"]),
    "NETFILTER_CFG": (["configuration"], ["change"]),
    "KERN_MODULE": (["driver"], ["start"]),
    "SOFTWARE_UPDATE": (["package"], ["info"]),
    "ANOM_PROMISCUOUS": (["network"], ["info"]),
    "ANOM_ABEND": (["process"], ["end"]),
}

ACCOUNTS: Final = frozenset({"ADD_USER", "DEL_USER", "USER_MGMT", "USER_CHAUTHTOK"})
"""Record types about an account other than the one that acts."""


OUTCOMES: Final = {
    "success": "success", "yes": "success", "1": "success",
    "failed": "failure", "no": "failure", "0": "failure",
}  # fmt: skip
NOTHING: Final = frozenset({"", "?", "(null)", "UNKNOWN"})

COPIED: Final = {
    "comm": "process.name",
    "exe": "process.executable",
    "cwd": "process.working_directory",
    "uid": "user.id",
    "UID": "user.name",
    "euid": "user.effective.id",
    "EUID": "user.effective.name",
    "gid": "user.group.id",
    "grp": "group.name",
    "addr": "source.address",
    "unit": "service.name",
}
NUMBERS: Final = {
    "pid": "process.pid",
    "ppid": "process.parent.pid",
    "exit": "process.exit_code",
}
_NUMBER: Final = re.compile(r"-?\d{1,18}")

Said: TypeAlias = "dict[str, dict[str, str]]"
"""Record type → the fields of all records of that type."""


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the audit log."""

    type: str
    seconds: int
    millis: int
    serial: int
    node: str | None
    fields: dict[str, str]
    """Values without their quotes, decoded."""
    raw: str


def may_go_on(kind: str) -> bool:
    """Return whether more records may follow one of type *kind* in the same event."""
    return kind in SATELLITES or kind.startswith(FROM_KERNEL)


def parse(line: str) -> Record | None:
    """Return the record on *line*, or None."""
    found = _RECORD.match(line)
    if found is None:
        return None
    # auditd appends what it looked up (UID="root") behind a group separator.
    rest, _, enriched = found["rest"].partition("\x1d")
    inner = _INNER.search(rest)
    outer = rest[: inner.start()] + rest[inner.end() :] if inner else rest
    values = pairs(outer) | (pairs(inner[1]) if inner else {})
    values |= {key: value for key, value in pairs(enriched).items() if key not in values}
    kind = found["type"]
    fields = {key: _decode(kind, key, value) for key, value in values.items()}
    return Record(
        kind,
        int(found["seconds"]),
        int(found["millis"].ljust(3, "0")),
        int(found["serial"]),
        found["node"],
        fields,
        line,
    )


def _decode(kind: str, key: str, value: str) -> str:
    if value[:1] in ('"', "'"):
        return value[1:-1]
    is_text = key in ENCODED or (kind == "EXECVE" and _ARGUMENT.fullmatch(key))
    # Two digits are more often a number or a word than an encoded byte: "ad", "10".
    if is_text and len(value) > 2 and _HEX.fullmatch(value):  # noqa: PLR2004
        return bytes.fromhex(value).decode("utf-8", "replace")
    return value


def assemble(records: Sequence[Record]) -> dict[str, Any]:
    """Return what the *records* of one event say, as ECS fields and ``auditd.data.*``."""
    said: Said = {}
    for record in records:  # arguments of a long command line come in several EXECVE records
        said[record.type] = record.fields | said.get(record.type, {})
    main = next((r.type for r in records if r.type not in SATELLITES), None)
    event: dict[str, Any] = {}
    _name(event, main, said)
    _data(event, main, said)
    event["auditd.data.types"] = [record.type for record in records]
    for fields in said.values():
        _copy(event, fields)
    _command(event, said)
    if main:
        _account(event, main, said[main])
    _paths(event, [r.fields for r in records if r.type == "PATH"])
    _connection(event, said)
    return event


def _name(event: dict[str, Any], main: str | None, said: Said) -> None:
    event["event.category"], event["event.type"] = KINDS.get(main or "", (["process"], ["info"]))
    if main:
        event["event.action"] = main.lower()
    elif "EXECVE" in said:
        event["event.action"] = "executed"
        event["event.type"] = ["start"]
    else:
        event["event.action"] = next(iter(said)).lower()
    results = (
        said.get(kind or "", {}).get(key)
        for kind in (main, "SYSCALL")
        for key in ("res", "success")
    )
    result = next(filter(None, results), "")
    if result in OUTCOMES:
        event["event.outcome"] = OUTCOMES[result]


def _data(event: dict[str, Any], main: str | None, said: Said) -> None:
    """Keep every field; the record that names the event comes first, so its value stays."""
    for kind in dict.fromkeys((main, *said) if main else said):
        for key, value in said[kind].items():
            is_argument = kind == "EXECVE" and _ARGUMENT.fullmatch(key)
            if value not in NOTHING and not is_argument:
                event.setdefault(f"auditd.data.{key}", value.replace("\0", " "))


def _copy(event: dict[str, Any], fields: dict[str, str]) -> None:
    """Set the ECS fields that hold a field's value as it is."""
    for key, name in COPIED.items():
        if (value := fields.get(key, "")) not in NOTHING and value != "unset":
            event.setdefault(name, value)
    for key, name in NUMBERS.items():
        if _NUMBER.fullmatch(value := fields.get(key, "")):
            event.setdefault(name, int(value))


def _command(event: dict[str, Any], said: Said) -> None:
    arguments = _arguments(said.get("EXECVE", {}))
    command = said.get("USER_CMD", {}).get("cmd", "")
    title = said.get("PROCTITLE", {}).get("proctitle", "").replace("\0", " ")
    if arguments:
        event.setdefault("process.executable", arguments[0])
        command = " ".join(arguments)
    elif command:
        arguments = command.split()
    if arguments:
        event["process.args"] = arguments
        event["process.args_count"] = len(arguments)
    if title:
        event["process.title"] = title
    if command or title:
        event["process.command_line"] = command or title


def _arguments(fields: dict[str, str]) -> list[str]:
    """Return the arguments in order; long ones come in pieces: a2[0]=… a2[1]=…."""
    found: dict[int, dict[int, str]] = {}
    for key, value in fields.items():
        if match := _ARGUMENT.fullmatch(key):
            found.setdefault(int(match[1]), {})[int(match[2] or 0)] = value
    return ["".join(piece for _, piece in sorted(found[i].items())) for i in sorted(found)]


def _account(event: dict[str, Any], kind: str, fields: dict[str, str]) -> None:
    """Tell the account that acts from the one that is acted upon."""
    account = fields.get("acct") or (fields.get("ID", "") if kind == "USER_LOGIN" else "")
    if account and not account.startswith(("?", "(unknown")):
        event["user.target.name" if kind in ACCOUNTS else "user.name"] = account
    if kind in ACCOUNTS and fields.get("id", "").isdecimal():
        event["user.target.id"] = fields["id"]


def _paths(event: dict[str, Any], paths: list[dict[str, str]]) -> None:
    names = [
        path["name"]
        for path in paths
        if path.get("nametype") != "PARENT" and path.get("name", "(null)") != "(null)"
    ]
    if names:
        folder = event.get("process.working_directory", "")
        relative = folder and not names[0].startswith("/")
        event["file.path"] = f"{folder.rstrip('/')}/{names[0]}" if relative else names[0]
    if len(names) > 1:
        event["auditd.data.paths"] = names


def _connection(event: dict[str, Any], said: Said) -> None:
    syscall = said.get("SYSCALL", {})
    accepted = syscall.get("SYSCALL", syscall.get("syscall")) in _ACCEPTS
    for name, value in _socket(said.get("SOCKADDR", {})):
        event[f"{'source' if accepted else 'destination'}.{name}"] = value


_ACCEPTS: Final = frozenset({"accept", "accept4", "43", "288"})


def _socket(fields: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """Yield address, ip and port of an IPv4 or IPv6 socket address in hexadecimal."""
    try:
        raw = bytes.fromhex(fields.get("saddr", ""))
    except ValueError:
        return
    if len(raw) >= 8 and raw[:2] == b"\x02\x00":  # noqa: PLR2004
        address = str(ipaddress.IPv4Address(raw[4:8]))
    elif len(raw) >= 24 and raw[:2] == b"\x0a\x00":  # noqa: PLR2004
        address = str(ipaddress.IPv6Address(raw[8:24]))
    else:
        return
    yield "address", address
    yield "ip", address
    yield "port", int.from_bytes(raw[2:4])
