"""What is known of a rule beside its condition: what a finding shows and a report counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kr_secops.finding import Level

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Rule:
    """A loaded rule or correlation."""

    number: int
    """Its place in the rule set."""
    id: str
    """UUID; the name or title of a rule that has none."""
    title: str
    level: Level
    path: str
    """``path:line:column`` of its document."""
    kind: str = "rule"
    """``rule`` or ``correlation``."""
    name: str = ""
    status: str = ""
    title_id: str = ""
    """Indonesian title; empty if the rule has none."""
    description: str = ""
    description_id: str = ""
    recommendation: Mapping[str, str] = field(default_factory=dict)
    """Language → what to do."""
    logsource: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    falsepositives: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    entity: tuple[str, ...] = ()
    """Fields that tell its findings apart; empty: host, source address and user."""
    author: str = ""
    applies: bool = True
    """False: no log source of ours carries such events."""
    output: bool = True
    """False: it only feeds correlations."""

    @property
    def file(self) -> Path:
        """The file it stands in."""
        return Path(self.path.rsplit(":", 2)[0])

    def text(self) -> dict[str, dict[str, str]]:
        """Return title, description and recommendation in each language that it has."""
        texts = {
            "en": (self.title, self.description, self.recommendation.get("en", "")),
            "id": (self.title_id, self.description_id, self.recommendation.get("id", "")),
        }
        words = ("title", "description", "recommendation")
        return {
            language: {word: said for word, said in zip(words, text, strict=True) if said}
            for language, text in texts.items()
            if any(text)
        }


def to_row(rule: Rule) -> tuple[Any, ...]:
    """Return *rule* as plain values, for the cache."""
    return tuple(
        int(value)
        if isinstance(value, Level)
        else dict(value)
        if isinstance(value, dict)
        else value
        for value in (getattr(rule, name) for name in Rule.__slots__)
    )


def from_row(row: tuple[Any, ...]) -> Rule:
    """Return the rule that `to_row` wrote."""
    values = dict(zip(Rule.__slots__, row, strict=True))
    return Rule(**{**values, "level": Level(values["level"])})


def describe(value: Mapping[str, Any], attributes: Any, number: int, path: str) -> Rule:
    """Return the metadata of a rule document *value* with its ``kr:`` *attributes*."""
    level = str(value.get("level") or "medium").lower()
    is_correlation = "correlation" in value
    group_by = value["correlation"].get("group-by") if is_correlation else None
    recommendation = attributes.recommendation
    return Rule(
        number=number,
        id=str(value.get("id") or value.get("name") or value.get("title")),
        title=str(value.get("title")),
        level=Level[level] if level in Level.__members__ else Level.medium,
        path=path,
        kind="correlation" if is_correlation else "rule",
        name=str(value.get("name") or ""),
        status=str(value.get("status") or ""),
        title_id=attributes.title,
        description=str(value.get("description") or "").strip(),
        description_id=attributes.description,
        recommendation={"en": recommendation.en, "id": recommendation.id} if recommendation else {},
        logsource={str(k): str(v) for k, v in (value.get("logsource") or {}).items()},
        tags=_texts(value.get("tags")),
        references=_texts(value.get("references")),
        falsepositives=_texts(value.get("falsepositives")),
        controls=tuple(attributes.controls),
        entity=_texts(group_by) if is_correlation else tuple(attributes.entity),
        author=str(value.get("author") or ""),
    )


def _texts(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value] if value else []
    return tuple(str(item) for item in items)
