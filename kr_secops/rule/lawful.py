"""What is wrong with a rule though pySigma lets it pass: it would never match, or always."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any, Final

from sigma.modifiers import modifier_mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kr_secops.document import Route

_TEXTS: Final = ("title", "id", "name", "description", "author", "license", "taxonomy")
_LISTS: Final = ("tags", "references", "falsepositives", "fields", "related", "scope")
_MAPPINGS: Final = ("logsource", "correlation")
_EXACT: Final = 1 << 53
"""Up to here pySigma keeps every digit of a number."""
_PLACED: Final = frozenset({"startswith", "endswith"})
_UTF16: Final = frozenset({"wide", "utf16", "utf16le", "utf16be"})
_ENCODINGS: Final = frozenset({"base64", "base64offset"}) | _UTF16
_REMAKING: Final = _ENCODINGS | {"windash", "fieldref"}
"""They make a new value, which does not remember that case matters."""
_TIMES: Final = frozenset({"minute", "hour", "day", "week", "month", "year"})
_MISFIT: Final = re.compile(r"Modifier (\w+) incompatible to value type")


def kind_problems(document: dict[str, Any]) -> Iterator[tuple[Route, str]]:
    """Yield where a rule holds another kind of value than pySigma takes for granted."""
    for keys, kind, said in (
        (_TEXTS, str, "must be a text"),
        (_LISTS, list, "must be a list"),
        (_MAPPINGS, dict, "must be a mapping"),
    ):
        for key in keys:
            if document.get(key) is not None and not isinstance(document[key], kind):
                yield (key,), said
    source = document.get("logsource")
    for key, one in source.items() if isinstance(source, dict) else ():
        if key in ("product", "category", "service") and not isinstance(one, str | None):
            yield ("logsource", key), "must be a text"
    for section in ("detection", "filter"):
        yield from _key_problems((section,), document.get(section))


def _key_problems(route: Route, value: Any) -> Iterator[tuple[Route, str]]:
    if isinstance(value, list):
        for i, one in enumerate(value):
            yield from _key_problems((*route, i), one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if not isinstance(key, str):
                yield (*route, key), f"{key} is no name; put it in quotation marks"
            yield from _key_problems((*route, key), one)


def condition_problems(condition: Any) -> Iterator[str]:
    """Yield what is wrong with a condition that would be right once it stands in brackets.

    Log sources and filters put it there: ``a) or (b`` would slip out of its log source, and of
    nothing the log source alone would remain.
    """
    if not isinstance(condition, str) or not condition.strip():
        yield "is a text that names parts, such as 'selection'"
        return
    depths = list(itertools.accumulate({"(": 1, ")": -1}.get(sign, 0) for sign in condition))
    if min(depths) < 0 or depths[-1] != 0:
        yield "has a bracket too many or too few"


def item_problems(key: str | None, value: Any) -> Iterator[str]:
    """Yield what is wrong with an item of a part; *key* is a field with modifiers."""
    field, *chain = (key or "").split("|")
    values = value if isinstance(value, list) else [value]
    if not values:
        yield "an empty list says nothing"
    for one in values:
        if isinstance(one, int) and not chain and abs(one) > _EXACT:
            yield f"{one} would lose digits as a number; put it in quotation marks"
        if "re" in chain and not isinstance(one, str):
            yield f"an expression is a text; {one} is none"
    if not field and not _PLACED.isdisjoint(chain):
        yield "keywords are looked for anywhere: they have neither beginning nor end"
    yield from _chain_problems(chain)


def _chain_problems(chain: list[str]) -> Iterator[str]:
    after = {word: chain[i + 1 :] for i, word in enumerate(chain)}
    if not _ENCODINGS.isdisjoint(after.get("expand", ())):
        yield "an encoding after expand would encode the name of the placeholder"
    if not _REMAKING.isdisjoint(after.get("cased", ())):
        yield "cased stands after what remakes the value, or it is forgotten"
    if "fieldref" in chain and not {"all", "neq"}.issuperset(chain[: chain.index("fieldref")]):
        yield "fieldref stands first: its value is the name of a field"
    if len(_TIMES.intersection(chain)) > 1:
        yield "one value is one part of a time"


def modifier_problem(key: str, said: str) -> str:
    """Return in words of the rule what pySigma *said* of a modifier; empty if it is not about one."""
    found = _MISFIT.search(said)
    for word in key.split("|")[1:]:
        if found and modifier_mapping[word].__name__ == found[1]:
            return f"{word!r} fits neither such a value nor what stands before it"
    return ""
