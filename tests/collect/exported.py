"""Turns Windows records, as an EVTX file gives them, into what other programs export of them."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from collections.abc import Callable

Record = dict[str, Any]
SYSMON = "Microsoft-Windows-Sysmon"


def system(record: Record) -> Record:
    found: Record = record["Event"]["System"]
    return found


def attribute(record: Record, element: str, name: str) -> Any:
    return ((system(record).get(element) or {}).get("#attributes") or {}).get(name)


def code(record: Record) -> int:
    found = system(record)["EventID"]
    return int(found["#text"] if isinstance(found, dict) else found)


def data(record: Record) -> Record:
    """EventData with its names, or what UserData holds."""
    event = record["Event"]
    if isinstance(event.get("EventData"), dict):
        return {k: v for k, v in event["EventData"].items() if k != "#attributes"}
    (inner,) = (v for k, v in event.get("UserData", {"": {}}).items() if k != "#attributes")
    return {k: v for k, v in inner.items() if k != "#attributes"}


def written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def xml(record: Record) -> str:
    """As wevtutil prints it."""

    def element(name: str, value: Any) -> str:
        if isinstance(value, dict):
            attributes = value.get("#attributes", {})
            head = "".join(f" {k}={quoteattr(written(v))}" for k, v in attributes.items())
            inner = "".join(
                element(k, v) for k, v in value.items() if k not in ("#attributes", "#text")
            )
            text = value.get("#text", "")
            if isinstance(text, list):
                return "".join(f"<{name}>{escape(written(one))}</{name}>" for one in text)
            return f"<{name}{head}>{inner}{escape(written(text))}</{name}>"
        return f"<{name}>{escape(written(value))}</{name}>"

    event = record["Event"]
    rows = event.get("EventData") or {}
    named = "".join(
        element("Data", v)
        if k == "Data"
        else f"<Data Name={quoteattr(k)}>{escape(written(v))}</Data>"
        for k, v in rows.items()
        if k != "#attributes"
    )
    user = element("UserData", event["UserData"]) if "UserData" in event else ""
    body = element("System", event["System"]) + (f"<EventData>{named}</EventData>" if rows else "")
    return (
        f"<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'>{body}{user}</Event>"
    )


def separate(record: Record) -> Record:
    """Chainsaw's dump: attributes beside their element."""

    def apart(node: Any) -> Any:
        if not isinstance(node, dict):
            return node
        found: Record = {}
        for name, value in node.items():
            if name == "#attributes":
                continue
            if isinstance(value, dict) and "#attributes" in value:
                found[f"{name}_attributes"] = value["#attributes"]
                rest = {k: v for k, v in value.items() if k != "#attributes"}
                found |= (
                    {name: rest["#text"]}
                    if "#text" in rest
                    else {name: apart(rest)}
                    if rest
                    else {}
                )
            else:
                found[name] = apart(value)
        return found

    return apart(record)  # type: ignore[no-any-return]


def xmltodict(record: Record) -> Record:
    """What xmltodict makes of the XML: everything is text."""

    def turned(node: Any) -> Any:
        if not isinstance(node, dict):
            return None if node is None else written(node)
        found = {f"@{k}": written(v) for k, v in node.get("#attributes", {}).items()}
        return found | {k: turned(v) for k, v in node.items() if k != "#attributes"}

    event = turned(record["Event"])
    rows = record["Event"].get("EventData")
    if isinstance(rows, dict):
        event["EventData"] = {
            "Data": [
                {"@Name": k, "#text": written(v)} for k, v in rows.items() if k != "#attributes"
            ]
        }
    return {"Event": event}


def velociraptor(record: Record) -> Record:
    event = json.loads(json.dumps(record["Event"]))
    found = event["System"]
    for name, value in list(found.items()):
        if isinstance(value, dict):
            found[name] = value.get("#attributes", {}) | (
                {"Value": value["#text"]} if "#text" in value else {}
            )
    found["EventID"] = {"Value": code(record)}
    stamp = datetime.fromisoformat(found["TimeCreated"]["SystemTime"])
    found["TimeCreated"] = {"SystemTime": stamp.timestamp()}
    return event | {"Message": "…", "_Source": "Windows.EventLogs.Evtx"}


def winlogbeat(record: Record) -> Record:
    found = system(record)
    names = (
        ("EventData", "event_data")
        if record["Event"].get("EventData")
        else ("UserData", "user_data")
    )
    rows = {k: written(v) if not isinstance(v, dict) else v for k, v in data(record).items()}
    return {
        "@timestamp": attribute(record, "TimeCreated", "SystemTime"),
        "event": {"code": str(code(record)), "provider": attribute(record, "Provider", "Name")},
        "ecs": {"version": "8.0.0"},
        "host": {"name": found["Computer"]},
        "winlog": {
            "channel": found["Channel"],
            "event_id": str(code(record)),
            "provider_name": attribute(record, "Provider", "Name"),
            "record_id": found["EventRecordID"],
            "computer_name": found["Computer"],
            names[1]: rows,
        },
    }


def dotted(record: Record) -> Record:
    def flat(node: Record, prefix: str = "") -> Record:
        found: Record = {}
        for name, value in node.items():
            if isinstance(value, dict):
                found |= flat(value, f"{prefix}{name}.")
            else:
                found[prefix + name] = value
        return found

    document = flat(winlogbeat(record))
    del document["winlog.event_id"]  # only event.code says it
    return document


def old_winlogbeat(record: Record) -> Record:
    found = system(record)
    return {
        "@timestamp": attribute(record, "TimeCreated", "SystemTime"),
        "event_id": code(record),
        "log_name": found["Channel"],
        "source_name": attribute(record, "Provider", "Name"),
        "record_number": str(found["EventRecordID"]),
        "computer_name": found["Computer"],
        "event_data": {k: written(v) for k, v in data(record).items()},
    }


def flat(record: Record) -> Record:
    """Zircolite's."""
    found = system(record)
    return {
        "Channel": found["Channel"],
        "EventID": code(record),
        "Provider_Name": attribute(record, "Provider", "Name"),
        "Computer": found["Computer"],
        "EventRecordID": found["EventRecordID"],
        "SystemTime": attribute(record, "TimeCreated", "SystemTime"),
        **{k: v for k, v in data(record).items() if v is not None},
    }


def nxlog(record: Record) -> Record:
    found = system(record)
    rows = {k: written(v) for k, v in data(record).items()}
    return {
        "@timestamp": attribute(record, "TimeCreated", "SystemTime"),
        "EventTime": "2020-01-01 10:00:00",
        "Hostname": found["Computer"],
        "Keywords": -9223372036854775808,
        "EventType": "INFO",
        "SeverityValue": 2,
        "EventID": code(record),
        "SourceName": attribute(record, "Provider", "Name"),
        "RecordNumber": found["EventRecordID"],
        "Channel": found["Channel"],
        "AccountName": "SYSTEM",
        "Message": "…",
        "SourceModuleName": "in",
        "SourceModuleType": "im_msvistalog",
        **rows,
    }


def evtxecmd(record: Record) -> Record:
    found = system(record)
    event = record["Event"]
    if event.get("EventData"):
        rows = [{"@Name": k, "#text": written(v)} for k, v in data(record).items()]
        payload: Record = {"EventData": {"Data": rows}}
    else:
        payload = {"UserData": event.get("UserData")}
    return {
        "PayloadData1": "…",
        "Payload": json.dumps(payload),
        "EventId": code(record),
        "Provider": attribute(record, "Provider", "Name"),
        "Channel": found["Channel"],
        "Computer": found["Computer"],
        "EventRecordId": str(found["EventRecordID"]),
        "TimeCreated": attribute(record, "TimeCreated", "SystemTime"),
        "UserId": "S-1-5-18",
        "ProcessId": 1,
        "Level": "Info",
    }


def hayabusa(record: Record) -> Record:
    from kr_secops.collect.exports import HAYABUSA

    found = system(record)
    short = {name: abbreviation for abbreviation, name in HAYABUSA.items()}
    stamp = datetime.fromisoformat(attribute(record, "TimeCreated", "SystemTime"))
    return {
        "Timestamp": stamp.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " +00:00",
        "RuleTitle": "…",
        "Level": "high",
        "Computer": found["Computer"],
        "Channel": short.get(found["Channel"], found["Channel"]),
        "EventID": code(record),
        "RecordID": found["EventRecordID"],
        "Provider": attribute(record, "Provider", "Name"),
        "AllFieldInfo": {k: v for k, v in data(record).items() if v is not None},
    }


def powershell(record: Record) -> Record:
    found = system(record)
    stamp = datetime.fromisoformat(attribute(record, "TimeCreated", "SystemTime"))
    lines = [f"{k}: {written(v)}" for k, v in data(record).items()]
    return {
        "Id": code(record),
        "Version": 5,
        "Level": 4,
        "Keywords": -9223372036854775808,
        "RecordId": found["EventRecordID"],
        "ProviderName": attribute(record, "Provider", "Name"),
        "ProviderId": attribute(record, "Provider", "Guid"),
        "LogName": found["Channel"],
        "MachineName": found["Computer"],
        "TimeCreated": f"/Date({round(stamp.timestamp() * 1000)})/",
        "Properties": [{"Value": v} for v in data(record).values()],
        "Message": "\r\n".join(["Process Create:", *lines]),
    }


def splunk(record: Record) -> Record:
    return {
        "preview": False,
        "offset": 0,
        "result": {"_raw": xml(record), "_time": "2020-01-01T10:00:00.000+00:00", "host": "h"},
    }


def splunk_fields(record: Record) -> Record:
    found = system(record)
    return {
        "result": {
            "_time": attribute(record, "TimeCreated", "SystemTime"),
            "EventCode": str(code(record)),
            "LogName": found["Channel"],
            "SourceName": attribute(record, "Provider", "Name"),
            "ComputerName": found["Computer"],
            "RecordNumber": str(found["EventRecordID"]),
            **{k: written(v) for k, v in data(record).items()},
        }
    }


def wazuh(record: Record) -> Record:
    found = system(record)
    return {
        "timestamp": "2020-01-01T10:00:00.000+0700",
        "rule": {"id": "61603"},
        "data": {
            "win": {
                "system": {
                    "providerName": attribute(record, "Provider", "Name"),
                    "eventID": str(code(record)),
                    "channel": found["Channel"],
                    "computer": found["Computer"],
                    "eventRecordID": str(found["EventRecordID"]),
                    "systemTime": attribute(record, "TimeCreated", "SystemTime"),
                },
                "eventdata": {k[:1].lower() + k[1:]: written(v) for k, v in data(record).items()},
            }
        },
    }


SHAPES: dict[str, Callable[[Record], Record]] = {
    "EVTX as JSON": lambda record: record,
    "chainsaw": separate,
    "xmltodict": xmltodict,
    "Velociraptor": velociraptor,
    "Winlogbeat": winlogbeat,
    "Winlogbeat, dotted": dotted,
    "Winlogbeat 6": old_winlogbeat,
    "Elasticsearch hit": lambda record: {"_index": "w", "_id": "1", "_source": winlogbeat(record)},
    "flat": flat,
    "NXLog": nxlog,
    "EvtxECmd": evtxecmd,
    "Hayabusa": hayabusa,
    "Get-WinEvent": powershell,
    "Splunk, raw": splunk,
    "Splunk, fields": splunk_fields,
    "Wazuh": wazuh,
}

LAYOUTS: dict[str, Callable[[list[Record]], bytes]] = {
    "a line each": lambda rows: b"".join(json.dumps(row).encode() + b"\n" for row in rows),
    "printed": lambda rows: "\r\n".join(json.dumps(row, indent=2, ensure_ascii=False) for row in rows).encode(),
    "joined": lambda rows: "".join(json.dumps(row, ensure_ascii=False) for row in rows).encode(),
    "an array": lambda rows: json.dumps(rows).encode(),
    "an array, printed": lambda rows: json.dumps(rows, indent=4, ensure_ascii=False).encode("utf-16"),
    "numbered": lambda rows: "".join(
        f"Record {i}\n{json.dumps(row, indent=2)}\n" for i, row in enumerate(rows, 1)
    ).encode(),
}  # fmt: skip


def xml_file(records: list[Record]) -> bytes:
    """As the event viewer saves it."""
    head = '<?xml version="1.0" encoding="utf-8" standalone="yes"?>\r\n<Events>'
    return (head + "".join(map(xml, records)) + "</Events>\r\n").encode()


def xml_lines(records: list[Record]) -> bytes:
    """As ``wevtutil qe /f:xml > file`` leaves it in Windows PowerShell."""
    return "\r\n".join(re.sub(r"\r?\n", "&#10;", xml(record)) for record in records).encode(
        "utf-16"
    )
