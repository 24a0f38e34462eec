"""Reads a processing pipeline; every mistake in it is told with its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml
from sigma.exceptions import SigmaError
from sigma.processing.pipeline import ProcessingPipeline
from sigma.rule import SigmaRule

from kr_secops.document.reading import read_bytes
from kr_secops.errors import ContentError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NUMBERED: Final = re.compile(r"Error in processing rule (\d+): ")
_PROBE: Final[dict[str, Any]] = {
    "title": "probe",
    "id": "00000000-0000-4000-8000-000000000000",
    "logsource": {"category": "probe"},
    "detection": {"probe": {"field": "value"}, "condition": "probe"},
}


def read(path: Path) -> ProcessingPipeline:
    """Return the pipeline in the file *path*.

    Raises:
        ContentError: it cannot be read or is none; names every place that is wrong.
    """
    try:
        text = read_bytes(path).decode("utf-8-sig")
        tree = yaml.compose(text, yaml.SafeLoader)
        document = yaml.safe_load(text)
    except yaml.YAMLError as e:
        mark = getattr(e, "problem_mark", None)
        place = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
        raise ContentError([f"{path}:{place}: {getattr(e, 'problem', None) or e}"]) from None
    except OSError as e:
        raise ContentError([f"{path}:1:1: cannot be read: {e.strerror}"]) from None
    except UnicodeDecodeError as e:
        raise ContentError([f"{path}:1:1: byte {e.object[e.start]:#04x} is not UTF-8"]) from None
    if not isinstance(document, dict) or not isinstance(tree, yaml.MappingNode):
        raise ContentError([f"{path}:1:1: a pipeline is a mapping with the key transformations"])
    wrong = [f"{path}:{place}: {said}" for place, said in _wrong(tree, document)]
    if wrong:
        raise ContentError(wrong)
    return ProcessingPipeline.from_dict(document)


def _wrong(tree: yaml.MappingNode, document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the place of each mistake and what it is."""
    keys = {key.value: (key, value) for key, value in tree.value}
    try:
        ProcessingPipeline.from_dict(document | {"transformations": []})
    except (SigmaError, TypeError, AttributeError, ValueError) as e:
        unknown = next((key for name, (key, _) in keys.items() if repr(name) in str(e)), tree)
        yield _place(unknown), str(e)
        return
    items = document.get("transformations") or []
    _, sequence = keys.get("transformations", (tree, tree))
    if not isinstance(items, list):
        yield _place(sequence), "transformations is a list"
        return
    for item, node in zip(items, getattr(sequence, "value", []), strict=False):
        if reason := _reason(document, item):
            yield _place(node), f"transformations: {reason}"


def _reason(document: dict[str, Any], item: Any) -> str:
    """Return what is wrong with one transformation, tried on a rule; empty if nothing is."""
    if not isinstance(item, dict):
        return "a transformation is a mapping with the key type"
    if item.get("type") == "add_condition" and not isinstance(item.get("conditions"), dict):
        return "add_condition: conditions is a mapping"  # pySigma would look for it as a keyword
    try:
        ProcessingPipeline.from_dict(document | {"transformations": [item]})
        always = {k: v for k, v in item.items() if not k.startswith("rule_cond")}
        trial = ProcessingPipeline.from_dict(document | {"transformations": [always]})
    except (SigmaError, TypeError, AttributeError, ValueError, KeyError) as e:
        return _NUMBERED.sub("", str(e)) or type(e).__name__
    try:
        trial.apply(SigmaRule.from_dict(_PROBE))
    except (TypeError, AttributeError, ValueError, KeyError) as e:
        return f"{item.get('type')}: {e}"
    except SigmaError:
        pass  # some are there to refuse rules
    return ""


def _place(node: yaml.Node) -> str:
    return f"{node.start_mark.line + 1}:{node.start_mark.column + 1}"
