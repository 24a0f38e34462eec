"""Why no event of ours is ever put to a rule: the log source that it is about is not collected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kr_secops.language import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

_CLOUD: Final = frozenset(
    {"aws", "azure", "gcp", "m365", "okta", "onelogin", "github", "bitbucket", "kubernetes"}
)
_DEVICES: Final = frozenset(
    {"cisco", "fortigate", "fortios", "huawei", "juniper", "paloalto", "opencanary"}
)
_TRACES: Final = frozenset({"file_access", "file_rename"})


def why_absent(logsource: Mapping[str, str]) -> str:
    """Return why rules about *logsource* apply to nothing, where they do not."""
    product = logsource.get("product", "")
    if product in _CLOUD:
        return tr("no collector reads audit logs of cloud services")
    if product == "macos":
        return tr("no collector reads logs of macOS")
    if product in _DEVICES:
        return tr("no collector reads logs of {product}", product=product)
    if product == "windows" and logsource.get("category") in _TRACES:
        return tr("needs a kernel trace, which no event log holds")
    return tr("no pipeline names this log source")
