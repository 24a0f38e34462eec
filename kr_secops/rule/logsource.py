"""Log sources: pySigma pipelines say which events a rule is about and what its fields are called.

``rules/pipelines/*.yml`` are processing pipelines as pySigma has them. A rule may fit several: one
for Sysmon, one for the Security log. Each pipeline that fits gives the rule one *alternative*, and
the rule is true where any of them is. A pipeline fits where one of its ``add_condition`` items
does (one without any fits every rule). A rule that says ``taxonomy: ecs`` goes through
the pipelines whose file name starts with ``ecs``, and so on; rules that say none through the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sigma.processing.transformations import AddConditionTransformation
from sigma.rule import SigmaRule

from kr_secops.document.reading import read_bytes
from kr_secops.errors import ContentError, UsageError
from kr_secops.rule.convert import UnsupportedError, from_detections
from kr_secops.rule.processing import read
from kr_secops.rule.tree import leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sigma.processing.pipeline import ProcessingPipeline

    from kr_secops.rule.tree import Node

DEFAULT_TAXONOMY = "sigma"


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One pipeline file."""

    name: str
    processing: ProcessingPipeline

    def fits(self, rule: SigmaRule) -> bool:
        """Return whether *rule* is about events that this pipeline knows."""
        conditions = [
            item
            for item in self.processing.items
            if isinstance(item.transformation, AddConditionTransformation)
        ]
        return not conditions or any(item.match_rule_conditions(rule) for item in conditions)


class Pipelines:
    """All pipelines of a run, and the lists that placeholders stand for."""

    def __init__(self, files: Sequence[Path], lists: dict[str, list[str]]) -> None:
        self.all = [Pipeline(path.stem, read(path)) for path in files]
        self.lists = dict(lists)
        for pipeline in self.all:
            for name, values in pipeline.processing.vars.items():
                self.lists[name] = [
                    str(v) for v in (values if isinstance(values, list) else [values])
                ]

    def of(self, rule: SigmaRule) -> list[Pipeline]:
        """Return the pipelines that *rule* goes through.

        Raises:
            UnsupportedError: none is for its taxonomy.
        """
        taxonomy = rule.taxonomy or DEFAULT_TAXONOMY
        _name_source(rule)
        named = [p for p in self.all if p.name.split("-")[0] == taxonomy]
        if taxonomy == DEFAULT_TAXONOMY:
            others = {"ecs"}
            named = [p for p in self.all if p.name.split("-")[0] not in others]
        elif not named:
            raise UnsupportedError(f"no pipeline is for the taxonomy {taxonomy!r}")
        return [pipeline for pipeline in named if pipeline.fits(rule)]

    def alternatives(self, rule: SigmaRule, again: Callable[[], SigmaRule]) -> list[Node]:
        """Return the trees of *rule*, one for each pipeline that fits; none: no log source of ours.

        Args:
            rule: the parsed rule; used up.
            again: parses it anew, for pySigma's pipelines change what they are given.

        Raises:
            UnsupportedError: a part of it has no meaning here.
            SigmaError: pySigma's complaint.
        """
        trees: dict[Node, None] = {}
        for i, pipeline in enumerate(self.of(rule)):
            mine = rule if i == 0 else again()
            _name_source(mine)
            pipeline.processing.apply(mine)
            trees[from_detections(mine.detection, self.lists)] = None
        if not trees:  # still say what is wrong with it
            from_detections(rule.detection, self.lists)
        return list(trees)

    def names(self, field: str, logsource: dict[str, Any], taxonomy: str) -> list[str]:
        """Return what *field* of a rule about *logsource* is called in events."""
        probe = {
            "title": "probe",
            "taxonomy": taxonomy,
            "logsource": logsource,
            "detection": {"probe": {f"{field}|exists": True}, "condition": "probe"},
        }
        found = [field]
        for pipeline in self.of(SigmaRule.from_dict(probe)):
            rule = SigmaRule.from_dict(probe)
            _name_source(rule)
            pipeline.processing.apply(rule)
            tree = from_detections(rule.detection, self.lists)
            found += [leaf[1] for leaf in leaves(tree) if leaf[0] == "exists"]
        return list(dict.fromkeys(found))


def _name_source(rule: SigmaRule) -> None:
    """Give pipelines the whole log source as one attribute, ``product/category/service``.

    pySigma's own condition cannot say "this product, and no service".
    """
    source = rule.logsource
    rule.custom_attributes["logsource_key"] = "/".join(
        part or "" for part in (source.product, source.category, source.service)
    )
    # A rule need not have an id, and pySigma's own condition on attributes fails without one.
    rule.custom_attributes["rule_id"] = str(rule.id or "")


def find_pipelines(roots: Iterable[Path], extra: Sequence[str | Path]) -> list[Path]:
    """Return the pipeline files of *roots*, a later one winning by its name, and *extra*.

    Raises:
        UsageError: a name in *extra* is neither a file nor one of them.
    """
    found: dict[str, Path] = {}
    for root in roots:
        folder = root if root.name == "pipelines" else root / "pipelines"
        if folder.is_dir():
            found |= {path.stem: path for path in sorted(folder.glob("*.yml"))}
    for name in extra:
        path = Path(name)
        if path.is_file():
            found[path.stem] = path
        elif str(name) not in found:
            raise UsageError(
                f"{name} is neither a file nor a pipeline; there are: {', '.join(found)}"
            )
    return list(found.values())


def read_pipelines(roots: Sequence[Path], extra: Sequence[str | Path]) -> Pipelines:
    """Return the pipelines of *roots* and *extra*, with the lists of *roots*.

    Raises:
        UsageError: a name in *extra* is neither a file nor a pipeline.
        ContentError: a file is wrong.
    """
    lists = {name: read_list(path) for name, path in find_lists(roots).items()}
    return Pipelines(find_pipelines(roots, extra), lists)


def find_lists(roots: Iterable[Path]) -> dict[str, Path]:
    """Return placeholder → file of its values, ``placeholders/<name>.txt``."""
    return {
        path.stem: path for root in roots for path in sorted((root / "placeholders").glob("*.txt"))
    }


def read_list(path: Path) -> list[str]:
    """Return the values of a placeholder: one a line, ``#`` begins a comment line.

    Raises:
        ContentError: the file cannot be read, or is not UTF-8.
    """
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except OSError as e:
        raise ContentError([f"{path}:1:1: cannot be read: {e.strerror}"]) from None
    except UnicodeDecodeError as e:
        raise ContentError([f"{path}:1:1: byte {e.object[e.start]:#04x} is not UTF-8"]) from None
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]
