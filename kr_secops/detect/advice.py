"""What would bring a log source that never came: a collector of ours, or a setting of Windows."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kr_secops.language import Language


@cache
def _settings() -> dict[tuple[str, str], dict[Language, str]]:
    """Return channel and event number (``*``: any), lower-cased → what to set.

    A field behind the number, ``4688 winlog.event_data.CommandLine``: what to set for that field.
    """
    text = (files("kr_secops.detect") / "sources.tsv").read_text("utf-8")
    rows = (line.split("\t") for line in text.splitlines())
    return {(channel, code): {"en": en, "id": id_} for channel, code, en, id_ in rows}


@cache
def _collectors() -> dict[str, str]:
    """Return data set, and name, of each collector → the collector and where it reads."""
    from kr_secops.collect.catalog import load

    ids: dict[str, str] = {}
    datasets: dict[str, str] = {}
    for collector in load().values():
        said = ": ".join(filter(None, (collector.id, " ".join(collector.inputs[:2]))))
        ids[collector.id] = said
        datasets.setdefault(collector.dataset, said)
    return datasets | ids


def advice(source: str, language: Language) -> str:
    """Return how to come by the log source *source*, a label in lower case; empty if not known."""
    settings = _settings()
    channel, _, code = source.rpartition(" ")
    for key in ((channel, code), (channel, "*"), (source, "*")):
        if key in settings:
            return settings[key][language]
    collectors = _collectors()
    return collectors.get(source) or collectors.get(source.partition(".")[0], "")


def field_advice(source: str, name: str, language: Language) -> str:
    """Return how the log source *source* comes to fill the field *name*; empty if not known."""
    settings = _settings()
    channel, _, code = source.lower().rpartition(" ")
    for key in ((channel, f"{code} {name}"), (channel, f"* {name}"), (source, f"* {name}")):
        if key in settings:
            return settings[key][language]
    return ""
