"""Values of a Windows record that Winlogbeat's own pipelines moved to ECS, under their old names.

Rules ask for what Windows called it; what the pipelines moved is no longer in ``winlog.event_data``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from kr_secops.event import Event

DATA: Final = "winlog.event_data."

Places: TypeAlias = dict[str, tuple[str, ...]]
"""Name in the record → fields of ECS, the first that is there counts."""

_SYSMON: Final[Places] = {
    "Image": ("process.executable",),
    "CommandLine": ("process.command_line",),
    "CurrentDirectory": ("process.working_directory",),
    "ProcessGuid": ("process.entity_id",),
    "ProcessId": ("process.pid",),
    "ParentImage": ("process.parent.executable",),
    "ParentCommandLine": ("process.parent.command_line",),
    "ParentProcessId": ("process.parent.pid",),
    "OriginalFileName": ("process.pe.original_file_name", "dll.pe.original_file_name", "file.pe.original_file_name"),
    "Product": ("process.pe.product", "dll.pe.product", "file.pe.product"),
    "Company": ("process.pe.company", "dll.pe.company", "file.pe.company"),
    "Description": ("process.pe.description", "dll.pe.description", "file.pe.description"),
    "FileVersion": ("process.pe.file_version", "dll.pe.file_version", "file.pe.file_version"),
    "TargetFilename": ("file.path",),
    "ImageLoaded": ("dll.path", "file.path"),
    "PipeName": ("file.name",),
    "TargetObject": ("registry.path",),
    "Details": ("registry.data.strings",),
    "QueryName": ("dns.question.name",),
    "SourceIp": ("source.ip",),
    "SourcePort": ("source.port",),
    "SourceHostname": ("source.domain",),
    "DestinationIp": ("destination.ip",),
    "DestinationPort": ("destination.port",),
    "DestinationHostname": ("destination.domain",),
    "Protocol": ("network.transport",),
}  # fmt: skip
_SECURITY: Final[Places] = {
    "NewProcessName": ("process.executable",),
    "CommandLine": ("process.command_line",),
    "ParentProcessName": ("process.parent.executable", "process.parent.name"),
    "IpAddress": ("source.ip",),
    "IpPort": ("source.port",),
    "WorkstationName": ("source.domain",),
}
_POWERSHELL: Final[Places] = {
    "ScriptBlockText": ("powershell.file.script_block_text",),
    "ScriptBlockId": ("powershell.file.script_block_id",),
    "Path": ("file.path",),
    "HostApplication": ("process.command_line",),
}
_BY_PROVIDER: Final[dict[str, Places]] = {
    "Microsoft-Windows-Sysmon": _SYSMON,
    "Microsoft-Windows-Security-Auditing": _SECURITY,
    "Microsoft-Windows-PowerShell": _POWERSHELL,
    "PowerShell": _POWERSHELL,
}
_HASHED: Final = ("process.hash.", "dll.hash.", "file.hash.")


def restore(event: Event) -> None:
    """Give *event* the values back that it still has, where their old place is empty."""
    provider = event.get("winlog.provider_name")
    for name, places in _BY_PROVIDER.get(str(provider), {}).items():
        if DATA + name not in event:
            for place in places:
                if (value := event.get(place)) is not None:
                    event[DATA + name] = value if isinstance(value, list) else str(value)
                    break
    if provider != "Microsoft-Windows-Sysmon":
        return
    if "network.direction" in event:
        outward = event["network.direction"] in ("egress", "outbound")
        event.setdefault(f"{DATA}Initiated", "true" if outward else "false")
    if "user.name" in event and "user.domain" in event:
        event.setdefault(f"{DATA}User", f"{event['user.domain']}\\{event['user.name']}")
    hashes = [
        f"{name.rpartition('.')[2].upper()}={str(value).upper()}"
        for name, value in event.items()
        if name.startswith(_HASHED)
    ]
    imphash = event.get("process.pe.imphash") or event.get("dll.pe.imphash")
    hashes += [f"IMPHASH={str(imphash).upper()}"] if imphash else []
    if hashes:
        event.setdefault(f"{DATA}Hashes", ",".join(hashes))
