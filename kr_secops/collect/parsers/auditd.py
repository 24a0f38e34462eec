"""Records of the Linux audit system, and the event that records with one serial number make.

type=EXECVE msg=audit(1794875700.140:5280): argc=2 a0="cat" a1=2F6574632F736861646F77
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

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
    by_type: dict[str, Record] = {}
    for record in records:
        by_type.setdefault(record.type, record)
    event: dict[str, Any] = {}
    main = next((r for r in records if r.type not in SATELLITES), None)
    _name(event, main, by_type)
    _data(event, records, main)
    _process(event, by_type)
    _people(event, by_type, main)
    _objects(event, records, by_type)
    return event


def _name(event: dict[str, Any], main: Record | None, by_type: dict[str, Record]) -> None:
    event["event.category"], event["event.type"] = ["process"], ["info"]
    if main is not None:
        event["event.action"] = main.type.lower()
        if main.type in KINDS:
            event["event.category"], event["event.type"] = KINDS[main.type]
    elif "EXECVE" in by_type:
        event["event.action"] = "executed"
        event["event.type"] = ["start"]
    else:
        event["event.action"] = next(iter(by_type)).lower()
    result = None
    for record in (main, by_type.get("SYSCALL")):
        if record is not None:
            result = result or record.fields.get("res") or record.fields.get("success")
    if result in ("success", "yes", "1"):
        event["event.outcome"] = "success"
    elif result in ("failed", "no", "0"):
        event["event.outcome"] = "failure"


def _data(event: dict[str, Any], records: Sequence[Record], main: Record | None) -> None:
    """Keep every field; the record that names the event comes first, so its value stays."""
    ordered = [main, *records] if main else records
    for record in ordered:
        for key, value in record.fields.items():
            if record.type == "EXECVE" and _ARGUMENT.fullmatch(key):
                continue
            if value not in ("", "?", "(null)"):
                event.setdefault(f"auditd.data.{key}", value)
    event["auditd.data.types"] = [record.type for record in records]


def _process(event: dict[str, Any], by_type: dict[str, Record]) -> None:
    for record in by_type.values():
        fields = record.fields
        for key, name in (("pid", "process.pid"), ("ppid", "process.parent.pid")):
            if (value := fields.get(key, "")).isdecimal() and len(value) < 12:  # noqa: PLR2004
                event.setdefault(name, int(value))
        for key, name in (("comm", "process.name"), ("exe", "process.executable")):
            if (value := fields.get(key, "")) not in ("", "?", "(null)"):
                event.setdefault(name, value)
        if record.type in ("CWD", "USER_CMD") and fields.get("cwd"):
            event.setdefault("process.working_directory", fields["cwd"])
    if exit_code := by_type["SYSCALL"].fields.get("exit") if "SYSCALL" in by_type else None:
        if re.fullmatch(r"-?\d{1,18}", exit_code):
            event["process.exit_code"] = int(exit_code)
    if "EXECVE" in by_type:
        arguments = _arguments(by_type["EXECVE"].fields)
        if arguments:
            event["process.args"] = arguments
            event["process.args_count"] = len(arguments)
            event["process.command_line"] = " ".join(arguments)
            event.setdefault("process.executable", arguments[0])
    if command := by_type["USER_CMD"].fields.get("cmd") if "USER_CMD" in by_type else None:
        event["process.command_line"] = command
        event["process.args"] = command.split()
        event["process.args_count"] = len(event["process.args"])
    if title := by_type["PROCTITLE"].fields.get("proctitle") if "PROCTITLE" in by_type else None:
        event["process.title"] = title.replace("\0", " ")
        event.setdefault("process.command_line", event["process.title"])
        event["auditd.data.proctitle"] = event["process.title"]


def _arguments(fields: dict[str, str]) -> list[str]:
    """Return the arguments in order; long ones come in pieces: a2[0]=… a2[1]=…."""
    found: dict[int, dict[int, str]] = {}
    for key, value in fields.items():
        if match := _ARGUMENT.fullmatch(key):
            found.setdefault(int(match[1]), {})[int(match[2] or 0)] = value
    return ["".join(piece for _, piece in sorted(found[i].items())) for i in sorted(found)]


_USER_IDS: Final = (
    ("uid", "UID", "user"),
    ("euid", "EUID", "user.effective"),
)


def _people(event: dict[str, Any], by_type: dict[str, Record], main: Record | None) -> None:
    for record in by_type.values():
        if record.type == "PATH":
            continue
        for key, name_key, place in _USER_IDS:
            if value := record.fields.get(key):
                event.setdefault(f"{place}.id", value)
            if (name := record.fields.get(name_key)) and name != "unset":
                event.setdefault(f"{place}.name", name)
        if value := record.fields.get("gid"):
            event.setdefault("user.group.id", value)
    fields = main.fields if main else {}
    account = fields.get("acct", "")
    if account and account not in ("?", "(unknown)", "(unknown user)"):
        if main and main.type in ACCOUNTS:
            event["user.target.name"] = account
        else:
            event["user.name"] = account
    elif main and (name := fields.get("ID")) and main.type == "USER_LOGIN":
        event["user.name"] = name
    if main and main.type in ACCOUNTS and (number := fields.get("id", "")).isdecimal():
        event["user.target.id"] = number
    if group := fields.get("grp"):
        event["group.name"] = group
    address = fields.get("addr", "")
    if address and address not in ("?", "UNKNOWN"):
        event["source.address"] = address
    if fields.get("unit"):
        event["service.name"] = fields["unit"]


def _objects(event: dict[str, Any], records: Sequence[Record], by_type: dict[str, Record]) -> None:
    paths = [r.fields for r in records if r.type == "PATH"]
    named = [
        p for p in paths if p.get("nametype") != "PARENT" and p.get("name", "(null)") != "(null)"
    ]
    if named:
        name = named[0]["name"]
        folder = event.get("process.working_directory", "")
        if not name.startswith("/") and folder:
            name = f"{folder.rstrip('/')}/{name}"
        event["file.path"] = name
        if len(named) > 1:
            event["auditd.data.paths"] = [p["name"] for p in named]
    if "SOCKADDR" in by_type:
        syscall = by_type["SYSCALL"].fields if "SYSCALL" in by_type else {}
        accepted = syscall.get("SYSCALL", syscall.get("syscall")) in _ACCEPTS
        for name, value in _socket(by_type["SOCKADDR"].fields):
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
