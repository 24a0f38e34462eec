"""Which rules of a collection are wanted: how tried, how grave, about what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from kr_secops.document import examine
from kr_secops.finding import Level
from kr_secops.rule.source import STATUSES

_MEDIUM: Final = Level.medium


@dataclass(frozen=True, slots=True)
class Choice:
    """What a rule must be to be taken; what is not said lets everything pass."""

    status: str = ""
    """This or better: stable, test, experimental …"""
    level: Level = Level.informational
    """This or graver."""
    products: tuple[str, ...] = ()
    """One of them, or none named: such a rule is about a kind of log, not about a product."""

    def takes(self, name: str, text: bytes) -> bool:
        """Return whether a document of the file *name* is wanted; what cannot be read is."""
        if self == Choice():
            return True
        documents, complaints = examine(name, text)
        return bool(complaints) or any(self._fits(one.value) for one in documents)

    def _fits(self, value: Any) -> bool:
        if not isinstance(value, dict) or "detection" not in value:
            return True  # filters and correlations go with the rules they are about
        status, level = str(value.get("status")), str(value.get("level"))
        source = value.get("logsource")
        product = source.get("product") if isinstance(source, dict) else None
        return (
            (not self.status or _rank(status) <= _rank(self.status))
            and (Level[level] if level in Level.__members__ else _MEDIUM) >= self.level
            and (not self.products or not product or str(product) in self.products)
        )

    def document(self) -> dict[str, Any]:
        """Return the choice as plain values, for the record."""
        said: dict[str, Any] = {}
        if self.status:
            said["status"] = self.status
        if self.level:
            said["level"] = self.level.name
        if self.products:
            said["products"] = list(self.products)
        return said


def _rank(status: str) -> int:
    return STATUSES.index(status) if status in STATUSES else len(STATUSES)
