r"""Windows event records as other programs export them, turned into the tree that EVTX gives as JSON.

as_tree({"Id": 1, "LogName": "Microsoft-Windows-Sysmon/Operational", "Message": "Process Create:\n…"})
→ {"Event": {"System": {"EventID": 1, "Channel": …}, "EventData": {"Image": …}}}
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import orjson

from kr_secops.collect.xmlrecord import xml_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Document: TypeAlias = dict[str, Any]

_MARKS: Final = (
    *("Event", "System", "SourceName", "LogName", "Payload", "AllFieldInfo", "data", "win"),
    *("result", "_raw", "EventCode", "log_name", "_source"),
)
"""Each form has one of these names; a flat record of none has none of them."""
_SYSTEM_ATTRIBUTES: Final = ("Provider", "TimeCreated", "Execution", "Correlation", "Security")
_NET_TIME: Final = re.compile(r"/Date\((-?\d+)\)/")
_SPACED_ZONE: Final = re.compile(r"(\d) ([+-]\d\d:?\d\d)$")
_MESSAGE: Final = re.compile(r"^([A-Za-z][A-Za-z0-9]*): ?(.*?)\r?$", re.MULTILINE)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLIS: Final = 10_000_000_000
"""A number beyond it counts milliseconds, as a count of seconds it would lie in the year 2286."""

HAYABUSA: Final = {
    "App": "Application",
    "AppLocker": "Microsoft-Windows-AppLocker/EXE and DLL",
    "BitsCli": "Microsoft-Windows-Bits-Client/Operational",
    "CodeInteg": "Microsoft-Windows-CodeIntegrity/Operational",
    "Defender": "Microsoft-Windows-Windows Defender/Operational",
    "DNS-Svr": "DNS Server",
    "Firewall": "Microsoft-Windows-Windows Firewall With Advanced Security/Firewall",
    "LDAP-Cli": "Microsoft-Windows-LDAP-Client/Debug",
    "NTLM": "Microsoft-Windows-NTLM/Operational",
    "OpenSSH": "OpenSSH/Operational",
    "PwSh": "Microsoft-Windows-PowerShell/Operational",
    "PwShClassic": "Windows PowerShell",
    "RDS-LSM": "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational",
    "Sec": "Security",
    "SMBCliSec": "Microsoft-Windows-SmbClient/Security",
    "Sys": "System",
    "Sysmon": "Microsoft-Windows-Sysmon/Operational",
    "TaskSch": "Microsoft-Windows-TaskScheduler/Operational",
    "WMI": "Microsoft-Windows-WMI-Activity/Operational",
}
"""Channel as Hayabusa shortens it → its name."""
NXLOG: Final = frozenset(
    {
        *("Hostname", "Keywords", "EventType", "SeverityValue", "Severity", "SourceName", "Task"),
        *("ProviderGuid", "OpcodeValue", "RecordNumber", "ProcessID", "ThreadID", "Domain"),
        *("AccountName", "UserID", "AccountType", "Message", "Category", "Opcode", "Version"),
        *("EventReceivedTime", "SourceModuleName", "SourceModuleType", "EventTime", "EventID"),
        *("Channel", "ActivityID", "RelatedActivityID", "@timestamp", "@version", "host", "tags"),
        "port",
    }
)
"""What NXLog says of a record itself; everything else is the record's data."""


def as_tree(document: Document) -> Document:
    """Return *document* as a tree, unchanged if it is one or no export that is known."""
    if document.keys().isdisjoint(_MARKS) or _is_tree(document):
        return document
    for is_it, turn in _FORMS:
        if is_it(document):
            return turn(document)
    return document


def _is_tree(document: Document) -> bool:
    """Return whether *document* is what an EVTX file gives: most are, so it is asked first."""
    event = document.get("Event")
    if event.__class__ is not dict or event.get("System").__class__ is not dict:
        return False
    provider, data = event["System"].get("Provider"), event.get("EventData")
    return (
        provider.__class__ is dict
        and "#attributes" in provider
        and (data.__class__ is not dict or data.get("Data").__class__ is not list)
    )


def is_export(document: Document) -> bool:
    """Return whether *document* is a record in one of the forms turned here."""
    return any(is_it(document) for is_it, _ in _FORMS)


def _system(code: Any, channel: Any, when: Any, provider: Any = None, **more: Any) -> Document:
    system = {
        "EventID": code,
        "Channel": channel,
        "TimeCreated": {"#attributes": {"SystemTime": _time(when)}},
        "Provider": {"#attributes": {"Name": provider, "Guid": more.pop("Guid", None)}},
    }
    return system | {name: value for name, value in more.items() if value is not None}


def _tree(system: Document, data: Document, kind: str = "EventData") -> Document:
    return {"Event": {"System": system, kind: data}}


def _time(value: Any) -> Any:
    """Return a time as .NET, Velociraptor or Hayabusa write it as RFC 3339; others as they are."""
    if isinstance(value, str):
        if found := _NET_TIME.fullmatch(value):
            return _since_epoch(int(found[1]) / 1000)
        return _SPACED_ZONE.sub(r"\1\2", value)
    if isinstance(value, dict):  # Windows PowerShell: {"value": "/Date(…)/", "DisplayHint": 2, …}
        return _time(value.get("value") or value.get("DateTime"))
    if isinstance(value, int | float):
        return _since_epoch(value / 1000 if value > _MILLIS else value)
    return value


def _since_epoch(seconds: float) -> str:
    try:
        return (_EPOCH + timedelta(seconds=seconds)).isoformat()
    except (OverflowError, ValueError):
        return str(seconds)


def _named_data(rows: Iterable[Any]) -> Document:
    """Return ``[{"@Name": "Image", "#text": …}, …]`` as a dictionary; what has no name as a list."""
    data: Document = {}
    unnamed: list[Any] = []
    for row in rows:
        name = row.get("@Name") or row.get("Name") if isinstance(row, dict) else None
        value = row.get("#text", row.get("Value", "")) if isinstance(row, dict) else row
        if name:
            data[str(name)] = value
        elif value is not None:
            unnamed.append(value)
    return data | ({"Data": {"#text": unnamed}} if unnamed else {})


def _inner(document: Document) -> Document:
    event = document.get("Event")
    return event if isinstance(event, dict) else document


# {"Event": {"System": {"Provider_attributes": {"Name": …}}}}: chainsaw, evtx_dump's option for it.
# {"Event": {"System": {"Provider": {"@Name": …}}, "EventData": {"Data": [{"@Name": …}]}}}: xmltodict.
# {"System": {"EventID": {"Value": 1}, "TimeCreated": {"SystemTime": 1577836800.5}}}: Velociraptor.


def _is_other_tree(document: Document) -> bool:
    system = _inner(document).get("System")
    if not isinstance(system, dict):
        return False
    provider, code = system.get("Provider"), system.get("EventID")
    data = _inner(document).get("EventData")
    return (
        any(name.endswith("_attributes") for name in system)
        or (isinstance(provider, dict) and "#attributes" not in provider)
        or (isinstance(code, dict) and "Value" in code)
        or (isinstance(data, dict) and isinstance(data.get("Data"), list))
    )


def _from_other_tree(document: Document) -> Document:
    inner = dict(_inner(document))
    system: Document = {}
    for name, value in inner["System"].items():
        if name.endswith("_attributes") and isinstance(value, dict):
            system.setdefault(name.removesuffix("_attributes"), {"#attributes": value})
        elif isinstance(value, dict) and name in _SYSTEM_ATTRIBUTES:
            plain = {k.removeprefix("@"): v for k, v in value.get("#attributes", value).items()}
            system[name] = {"#attributes": plain}
        elif isinstance(value, dict):
            system[name] = value.get("#text", value.get("Value"))
        elif value is not None or name not in system:
            system[name] = value
    created = system.get("TimeCreated")
    if isinstance(created, dict) and "SystemTime" in created["#attributes"]:
        stamp = _time(created["#attributes"]["SystemTime"])
        system["TimeCreated"] = {"#attributes": created["#attributes"] | {"SystemTime": stamp}}
    inner["System"] = system
    data = inner.get("EventData")
    if isinstance(data, list):
        inner["EventData"] = _named_data(data)
    elif isinstance(data, dict):
        inner["EventData"] = _plain_data(data)
    return {"Event": inner}


def _plain_data(data: Document) -> Document:
    rows = data.get("Data")
    if isinstance(rows, dict) and "@Name" in rows:
        rows = [rows]
    plain = {k: v for k, v in data.items() if k[:1] not in "@#" and not k.endswith("_attributes")}
    if isinstance(rows, list):
        del plain["Data"]
        plain |= _named_data(rows)
    return plain


# Get-WinEvent | ConvertTo-Json. It gives values without their names; those of Sysmon stand in the
# message, one "Name: value" a line.


def _is_powershell(document: Document) -> bool:
    return "LogName" in document and "Id" in document and "ProviderName" in document


def _from_powershell(document: Document) -> Document:
    get = document.get
    system = _system(
        get("Id"), get("LogName"), get("TimeCreated"), get("ProviderName"),
        Guid=get("ProviderId"), EventRecordID=get("RecordId"), Computer=get("MachineName"),
        Level=get("Level"), Task=get("Task"), Opcode=get("Opcode"), Version=get("Version"),
        Keywords=get("Keywords"),
    )  # fmt: skip
    message = get("Message")
    if get("ProviderName") == "Microsoft-Windows-Sysmon" and isinstance(message, str):
        return _tree(system, dict(_MESSAGE.findall(message)))
    rows = get("Properties")
    return _tree(system, _named_data(rows if isinstance(rows, list) else []))


# EvtxECmd --json: the data is a JSON text in "Payload".


def _is_evtxecmd(document: Document) -> bool:
    return "Payload" in document and "EventId" in document and "Channel" in document


def _from_evtxecmd(document: Document) -> Document:
    get = document.get
    system = _system(
        get("EventId"), get("Channel"), get("TimeCreated"), get("Provider"),
        EventRecordID=get("EventRecordId"), Computer=get("Computer"), Security=_security(get("UserId")),
    )  # fmt: skip
    try:
        payload = orjson.loads(get("Payload") or "{}")
    except (ValueError, TypeError):
        payload = {}
    inner = {"System": system, **(payload if isinstance(payload, dict) else {})}
    return _from_other_tree({"Event": inner})


def _security(user: Any) -> Document | None:
    return {"#attributes": {"UserID": user}} if user else None


# Hayabusa's json-timeline with the profile all-field-info.


def _is_hayabusa(document: Document) -> bool:
    return "AllFieldInfo" in document and "Timestamp" in document and "EventID" in document


def _from_hayabusa(document: Document) -> Document:
    get = document.get
    channel, data = get("Channel"), get("AllFieldInfo")
    system = _system(
        get("EventID"), HAYABUSA.get(str(channel), channel), get("Timestamp"), get("Provider"),
        EventRecordID=get("RecordID"), Computer=get("Computer"),
    )  # fmt: skip
    return _tree(system, data if isinstance(data, dict) else {})


# NXLog's im_msvistalog as JSON, and the public Mordor data sets made with it.


def _is_nxlog(document: Document) -> bool:
    # Defender's own data hold a "Source Name" too; NXLog gives the provider no other name.
    return (
        "EventID" in document
        and "SourceName" in document
        and "Channel" in document
        and "Provider_Name" not in document
    )


def _from_nxlog(document: Document) -> Document:
    get = document.get
    when = get("@timestamp") or get("UtcTime") or get("EventTime")
    system = _system(
        get("EventID"), get("Channel"), when, get("SourceName"), Guid=get("ProviderGuid"),
        EventRecordID=get("RecordNumber"), Computer=get("Hostname"), Task=get("Task"),
        Version=get("Version"), Security=_security(get("UserID")),
    )  # fmt: skip
    data = {name: value for name, value in document.items() if name not in NXLOG}
    if "TargetObject" in data:  # the registry's own EventType, not that of the log
        data["EventType"] = get("EventType")
    return _tree(system, data)


# Splunk: the record as XML in "_raw", else the fields that it was searched by.


def _is_splunk(document: Document) -> bool:
    result = document.get("result", document)
    return isinstance(result, dict) and (
        str(result.get("_raw", "")).lstrip().startswith("<Event")
        or ("EventCode" in result and ("LogName" in result or "Channel" in result))
    )


def _from_splunk(document: Document) -> Document:
    result = document.get("result", document)
    raw = str(result.get("_raw", "")).lstrip()
    if raw.startswith("<Event"):
        return xml_tree(raw)
    get = result.get
    system = _system(
        get("EventCode"), get("LogName") or get("Channel"), get("SystemTime") or get("_time"),
        get("SourceName") or get("Name"), EventRecordID=get("RecordNumber") or get("EventRecordID"),
        Computer=get("ComputerName") or get("Computer") or get("host"),
    )  # fmt: skip
    data = {name: value for name, value in result.items() if name[:1] != "_"}
    return _tree(system, data)


# Wazuh: names begin in lower case.


def _wazuh(document: Document) -> Document | None:
    data = document.get("data")
    win = data.get("win") if isinstance(data, dict) else document.get("win")
    return win if isinstance(win, dict) and isinstance(win.get("system"), dict) else None


def _from_wazuh(document: Document) -> Document:
    win = _wazuh(document) or {}
    get, data = win["system"].get, win.get("eventdata")
    system = _system(
        get("eventID"), get("channel"), get("systemTime"), get("providerName"),
        Guid=get("providerGuid"), EventRecordID=get("eventRecordID"), Computer=get("computer"),
        Level=get("level"), Task=get("task"), Opcode=get("opcode"), Version=get("version"),
        Keywords=get("keywords"),
    )  # fmt: skip
    data = data if isinstance(data, dict) else {}
    return _tree(system, {name[:1].upper() + name[1:]: value for name, value in data.items()})


# What a search in Elasticsearch gives: the document in "_source". Winlogbeat before 7.


def _is_hit(document: Document) -> bool:
    source = document.get("_source")
    return isinstance(source, dict) and ("winlog" in source or is_export(source))


def _from_hit(document: Document) -> Document:
    return as_tree(document["_source"])


def _is_old_winlogbeat(document: Document) -> bool:
    return "event_id" in document and "log_name" in document and "source_name" in document


def _from_old_winlogbeat(document: Document) -> Document:
    get = document.get
    system = _system(
        get("event_id"), get("log_name"), get("@timestamp"), get("source_name"),
        Guid=get("provider_guid"), EventRecordID=get("record_number"), Computer=get("computer_name"),
    )  # fmt: skip
    data = get("event_data")
    return _tree(system, data if isinstance(data, dict) else {})


_FORMS: Final[tuple[tuple[Callable[[Document], bool], Callable[[Document], Document]], ...]] = (
    (_is_other_tree, _from_other_tree),
    (_is_nxlog, _from_nxlog),
    (_is_powershell, _from_powershell),
    (_is_evtxecmd, _from_evtxecmd),
    (_is_hayabusa, _from_hayabusa),
    (_is_splunk, _from_splunk),
    (lambda document: _wazuh(document) is not None, _from_wazuh),
    (_is_old_winlogbeat, _from_old_winlogbeat),
    (_is_hit, _from_hit),
)
