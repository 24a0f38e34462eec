"""What a rule's author calls the fields of events: the way back through the pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kr_secops.rule.logsource import DEFAULT_TAXONOMY

if TYPE_CHECKING:
    from kr_secops.rule.logsource import Pipelines

_PREFIXES: Final = ("winlog.event_data.", "winlog.user_data.")


class Names:
    """Field of an event → field of a rule about one log source."""

    def __init__(self, pipelines: Pipelines, logsource: dict[str, str], taxonomy: str) -> None:
        self._pipelines = pipelines
        self._logsource = logsource
        self._taxonomy = taxonomy
        self._mapped = _mappings(pipelines)
        self._known: dict[str, str | None] = {}

    def of(self, field: str) -> str | None:
        """Return what the rule's author calls *field*; None if a filter cannot name it."""
        if self._taxonomy != DEFAULT_TAXONOMY:
            return field
        if field not in self._known:
            self._known[field] = next(
                (name for name in self._candidates(field) if self._leads_to(name, field)), None
            )
        return self._known[field]

    def _candidates(self, field: str) -> list[str]:
        found = [name for name, targets in self._mapped.items() if field in targets]
        found += [field.removeprefix(prefix) for prefix in _PREFIXES if field.startswith(prefix)]
        return [*found, field]

    def _leads_to(self, name: str, field: str) -> bool:
        return field in self._pipelines.names(name, self._logsource, self._taxonomy)


def _mappings(pipelines: Pipelines) -> dict[str, set[str]]:
    """Return author's field → fields of events, from every mapping of every pipeline."""
    found: dict[str, set[str]] = {}
    for pipeline in pipelines.all:
        for item in pipeline.processing.items:
            mapping = getattr(item.transformation, "mapping", None)
            if isinstance(mapping, dict):
                for name, target in mapping.items():
                    targets = target if isinstance(target, list) else [target]
                    found.setdefault(str(name), set()).update(str(t) for t in targets)
    return found
