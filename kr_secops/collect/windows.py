"""Windows event records, however they were exported, in the shape that Winlogbeat gives them.

{"Event": {"System": {"EventID": 4625, …}, "EventData": {…}}}   EVTX as JSON
{"winlog": {"event_id": "4625", "event_data": {…}}, …}          Winlogbeat
{"EventID": 4625, "Channel": "Security", "IpAddress": …}        flat exports
"""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from kr_secops import ecs
from kr_secops.collect.winlogbeat import restore
from kr_secops.event import flatten, moment, timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kr_secops.event import Event

_LEVELS: Final = {"0": "information", "1": "critical", "2": "error", "3": "warning", "4": "information", "5": "verbose"}  # fmt: skip
_FLAT_TIMES: Final = (
    *("@timestamp", "TimeCreated", "TimeCreated_SystemTime", "SystemTime"),
    *("UtcTime", "EventTime", "timestamp"),
)
_FLAT_SYSTEM: Final = {
    "Channel": "winlog.channel",
    "Computer": "winlog.computer_name",
    "Hostname": "winlog.computer_name",
    "Provider_Name": "winlog.provider_name",
    "ProviderName": "winlog.provider_name",
    "SourceName": "winlog.provider_name",
    "Provider_Guid": "winlog.provider_guid",
    "ProviderGuid": "winlog.provider_guid",
    "EventRecordID": "winlog.record_id",
    "RecordNumber": "winlog.record_id",
    "Task": "winlog.task",
    "Opcode": "winlog.opcode",
    "Keywords": "winlog.keywords",
    "Version": "winlog.version",
}
_ELSEWHERE: Final = frozenset({*_FLAT_SYSTEM, "EventID", "@timestamp", "Data", "#attributes"})
"""Names that do not stand for themselves in some form of a record."""


DATA: Final = "winlog.event_data."
"""Where the values of ``EventData`` go."""
USER_DATA: Final = "winlog.user_data."
"""Where the values of ``UserData`` go."""
_CODES: Final = frozenset({"event.code", "winlog.event_id"})
_OF_RECORD: Final = _CODES | {
    *("winlog.channel", "winlog.provider_name", "event.dataset", f"{DATA}Data")
}
_NONE: Final[dict[str, Any]] = {}


_SYSTEM_TEXTS: Final = (
    ("Channel", "winlog.channel"),
    ("EventID", "winlog.event_id"),
    ("Computer", "winlog.computer_name"),
    ("EventRecordID", "winlog.record_id"),
    ("Task", "winlog.task"),
    ("Opcode", "winlog.opcode"),
    ("Keywords", "winlog.keywords"),
    ("Level", "winlog.level"),
    ("Version", "winlog.version"),
)
_SYSTEM_ATTRIBUTES: Final = (
    ("Provider", "Name", "winlog.provider_name"),
    ("Provider", "Guid", "winlog.provider_guid"),
    ("Execution", "ProcessID", "winlog.process.pid"),
    ("Execution", "ThreadID", "winlog.process.thread.id"),
    ("Correlation", "ActivityID", "winlog.activity_id"),
    ("Security", "UserID", "winlog.user.identifier"),
)
_USUAL: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,6}Z", re.ASCII)
_GUIDS: Final = frozenset({"winlog.provider_guid", "winlog.activity_id"})


class WindowsError(ValueError):
    """The document is no Windows event record."""


class Record:
    """A Windows event record that becomes an event only when something asks for more than its data.

    Most records of a large log are of no interest to any rule; what rules look at first is the
    channel, the code and a few values of ``EventData``, which are taken from the document itself.
    ``get``, ``in`` and ``[]`` answer as the event would.
    """

    __slots__ = ("_document", "_event", "_make", "channel", "code", "data", "line", "offset")

    def __init__(
        self,
        document: dict[str, Any],
        line: str,
        offset: int,
        make: Callable[[dict[str, Any], str, int], Event],
    ) -> None:
        """Take *document*, decoded from *line* at *offset*; *make* gives the event."""
        self.line = line
        self.offset = offset
        self._document = document
        self._make = make
        self._event: Event | None = None
        self.channel: Any = None
        self.code: Any = None
        self.data: dict[str, Any] | None = None
        """Values of ``EventData`` by their names; None: only the event knows, if there is one."""
        inner = document.get("Event", document)
        if inner.__class__ is not dict:
            return
        system = inner.get("System")
        if system.__class__ is dict:
            if inner.get("UserData").__class__ is dict:
                return
            data = inner.get("EventData")
            if _is_usual_time(_attribute(system, "TimeCreated", "SystemTime")):
                self.data = data if data.__class__ is dict else _NONE
            self.channel = system.get("Channel")
            code = system.get("EventID")
            self.code = code.get("#text") if code.__class__ is dict else code
            if self.code.__class__ is dict:
                self.data = None
        elif "EventID" in document and "winlog" not in "".join(document):
            channel, code = document.get("Channel"), document["EventID"]
            named = _is_name(code) and (channel is None or _is_name(channel))
            if named and _is_usual_time(_flat_time(document)):
                self.channel, self.code, self.data = channel, code, document

    def event(self) -> Event:
        """Return the event; WindowsError if the document is no record."""
        if self._event is None:
            self._event = self._make(self._document, self.line, self.offset)
        return self._event

    def get(self, name: str) -> Any:
        """Return what the event has under *name*, None if it has nothing."""
        if self.data is not None:
            inner = INNER[name]
            if inner is None:
                return None
            if inner:
                value = self.data.get(inner)
                if value.__class__ is not dict:
                    return value if value is None or value.__class__ is str else _value(value)
            elif name in _OF_RECORD:
                return self._of_record(name)
        return self.event().get(name)

    def _of_record(self, name: str) -> Any:
        if name == "event.dataset":
            return "windows"
        if name in _CODES:
            return _text(self.code) or None
        if name == "winlog.channel":
            return _text(self.channel) or None
        data = self.data or {}
        if data is self._document:
            data_here = name == f"{DATA}Data" and data.get("Data").__class__ is not dict
            return _present(data.get("Data")) if data_here else self.event().get(name)
        if name == f"{DATA}Data":
            values = _unnamed(data.get("Data"))
            return values if len(values) > 1 else values[0] if values else None
        system = self._document.get("Event", self._document)["System"]
        return _text(_attribute(system, "Provider", "Name")) or None

    def __contains__(self, name: str) -> bool:
        # Where the data do not tell, the event may hold a null.
        return name in self.event() if self.data is None else self.get(name) is not None

    def __getitem__(self, name: str) -> Any:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return the event's names and values."""
        return self.event().items()


class _Names(dict[str, "str | None"]):
    """Field → what a record's data calls it; '': the data does not tell; None: it has no such.

    The names are those that rules ask for.
    """

    __slots__ = ()

    def __missing__(self, name: str) -> str | None:
        inner = name.removeprefix(DATA)
        plain = inner not in _ELSEWHERE and "." not in inner and not inner.startswith("param")
        found = None if name.startswith(USER_DATA) else inner if plain and inner != name else ""
        self[name] = found
        return found


INNER: Final = _Names()


def normalise(document: dict[str, Any]) -> Event:
    """Return the Windows event record *document* as an event.

    Raises:
        WindowsError: it is none.
    """
    inner = document.get("Event", document)
    if isinstance(inner, dict) and isinstance(inner.get("System"), dict):
        event = _from_tree(inner)
    elif "winlog" in document or any(name.startswith("winlog.") for name in document):
        event = _from_winlogbeat(document)
    elif "EventID" in document:
        event = _from_flat(document)
    else:
        raise WindowsError("no Windows event record")
    code = event.get("winlog.event_id")
    event |= {"event.dataset": "windows", "event.module": "windows"}
    event.setdefault("event.kind", "event")
    event["ecs.version"] = ecs.VERSION
    if code:
        event["event.code"] = code
    if provider := event.get("winlog.provider_name"):
        event.setdefault("event.provider", provider)
    if computer := event.get("winlog.computer_name"):
        event.setdefault("host.name", computer)
    return event


def _from_tree(tree: dict[str, Any]) -> Event:
    event = _from_system(tree["System"])
    data = tree.get("EventData")
    if isinstance(data, dict):
        _add_data(event, DATA, data)
    user_data = tree.get("UserData")
    if isinstance(user_data, dict):
        for name, inner in user_data.items():
            if isinstance(inner, dict):
                event["winlog.user_data.xml_name"] = name
                _add_data(event, USER_DATA, inner)
            elif not name.startswith("#"):
                _add_data(event, USER_DATA, {name: inner})
    return event


def _from_system(system: dict[str, Any]) -> Event:
    event: Event = {"@timestamp": _time(_attribute(system, "TimeCreated", "SystemTime"))}
    for element, name in _SYSTEM_TEXTS:
        value = system.get(element)
        if value is None:
            continue
        text = value if value.__class__ is str else _text(value)
        if text:
            event[name] = text
    for element, attribute, name in _SYSTEM_ATTRIBUTES:
        if system.get(element) is not None:
            text = _text(_attribute(system, element, attribute))
            if text:
                event[name] = _guid(text) if name in _GUIDS else text
    if level := _LEVELS.get(event.get("winlog.level", "")):
        event["log.level"] = level
    return event


def _add_data(event: Event, prefix: str, data: dict[str, Any]) -> None:
    for name, value in data.items():
        if name == "Data":
            _add_unnamed(event, prefix, value)
        elif value.__class__ is str:
            if name != "#attributes":
                event[prefix + name] = value
        elif name != "#attributes" and value is not None:
            if isinstance(value, dict) and "#text" not in value:
                _add_data(event, f"{prefix}{name}.", value)
            else:
                event[prefix + name] = _value(value)


def _add_unnamed(event: Event, prefix: str, value: Any) -> None:
    """Add data without names: all under ``Data`` and, as Winlogbeat does, as ``param1`` and on."""
    values = _unnamed(value)
    if not values:
        return
    event[f"{prefix}Data"] = values if len(values) > 1 else values[0]
    for i, text in enumerate(values, 1):
        event[f"{prefix}param{i}"] = text


def _unnamed(value: Any) -> list[str]:
    inner = value.get("#text") if isinstance(value, dict) else value
    values = [_text(item) for item in inner] if isinstance(inner, list) else [_text(inner)]
    return [text for text in values if text]


def _from_winlogbeat(document: dict[str, Any]) -> Event:
    event = flatten(document)
    stamp = event.get("@timestamp")
    event["@timestamp"] = _time(stamp)
    if "event.code" in event:
        event.setdefault("winlog.event_id", event["event.code"])
    for name in ("winlog.event_id", "winlog.record_id"):
        if name in event:
            event[name] = _text(event[name])
    for name in ("event.category", "event.type"):
        if isinstance(event.get(name), str):
            event[name] = [event[name]]
    restore(event)
    return event


def _from_flat(document: dict[str, Any]) -> Event:
    event: Event = {
        "@timestamp": _time(_flat_time(document)),
        "winlog.event_id": _text(document["EventID"]),
    }
    for name, value in document.items():
        if value is None or name in ("EventID", "@timestamp"):
            continue
        place = _FLAT_SYSTEM.get(name) or f"winlog.event_data.{name}"
        if name == "SourceName" and ("Provider_Name" in document or "ProviderName" in document):
            place = f"{DATA}SourceName"  # Defender's data hold a value of that name
        if isinstance(value, dict):
            _add_data(event, f"{place}.", value)
        else:
            event[place] = _text(value) if place.startswith("winlog.record") else _value(value)
    return event


def _flat_time(document: dict[str, Any]) -> Any:
    return next((document[name] for name in _FLAT_TIMES if document.get(name)), None)


def _is_name(value: Any) -> bool:
    """Return whether *value* is a code or a channel as all but damaged records have it."""
    return value.__class__ is int or (value.__class__ is str and value != "")


def _attribute(system: dict[str, Any], element: str, name: str) -> Any:
    inner = system.get(element)
    if not isinstance(inner, dict):
        return inner if element == "TimeCreated" else None
    attributes = inner.get("#attributes", inner)
    return attributes.get(name) if isinstance(attributes, dict) else None


def _present(value: Any) -> Any:
    return None if value is None else _value(value)


def _value(value: Any) -> Any:
    """Return *value* as text, or as texts where it is a list."""
    if isinstance(value, list):
        return [_text(item) for item in value if item is not None]
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("#text")
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "\n".join(_text(item) for item in value)
    return str(value)


def _guid(value: Any) -> str | None:
    return f"{{{value.strip('{}').lower()}}}" if isinstance(value, str) and value else None


def _is_usual_time(value: Any) -> bool:
    """Return whether `_time` surely understands *value*: else there may be no event to speak for."""
    try:
        moment(value)
    except (TypeError, ValueError):
        return False
    return True


def _time(value: Any) -> str:
    """Return a time stamp of Windows, which states UTC or nothing, as RFC 3339."""
    if not isinstance(value, str):
        raise WindowsError("TimeCreated is missing")
    text = value.strip().replace(" UTC", "Z")[:40]
    try:
        found = moment(text)
    except ValueError:
        raise WindowsError(f"time {value[:40]!r} is not understood") from None
    if _USUAL.fullmatch(text):
        return f"{text[:23]}Z"
    return timestamp(found if found.tzinfo else found.replace(tzinfo=UTC))
