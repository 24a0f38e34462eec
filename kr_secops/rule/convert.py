"""From pySigma's view of a rule to a `tree`."""

from __future__ import annotations

import ipaddress
import itertools
import math
import re
import re._parser as sre  # type: ignore[import-not-found]
from typing import TYPE_CHECKING, Any, Final

from sigma import types as sigma
from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionIdentifier,
    ConditionNOT,
    ConditionOR,
    ConditionSelector,
    ConditionValueExpression,
)

from kr_secops.rule.tree import join

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sigma.rule import SigmaDetections

    from kr_secops.rule.tree import Node

_ASCII: Final = 127
_MOST_TEXTS: Final = 10_000
"""Texts that the placeholders of one value may stand for."""
_SIGMA: Final = re.compile("[\u03c3\u03c2]")
"""A capital sigma lower-cases to one of these, by what stands around it."""
_NOT_PLAIN: Final = re.compile("[\0\u03c3\u03c2]")
"""To hyperscan a literal ends at a NUL."""
_ONE_LETTER: Final = "(?:i\u0307|.)"
"""A capital I with a dot lower-cases to two."""
_ADDED: Final = re.compile(r"_cond_[a-z]{10}\Z|_filt_[a-z]{10}_")
"""Names of parts that pySigma adds: log sources and filters."""
_POSIX_CLASS: Final = re.compile(r"\[:\^?[a-z]+:\]")
"""Valid to pySigma; to Python a set of these letters."""
_KINDS: Final = {"s": "=", "*s*": "*", "s*": "^", "*s": "$"}
_MULTI: Final = sigma.SpecialChars.WILDCARD_MULTI
_FLAGS: Final = {
    sigma.SigmaRegularExpressionFlag.IGNORECASE: re.IGNORECASE,
    sigma.SigmaRegularExpressionFlag.MULTILINE: re.MULTILINE,
    sigma.SigmaRegularExpressionFlag.DOTALL: re.DOTALL,
}


class UnsupportedError(Exception):
    """A value that no event could be compared with."""


class UnansweredError(UnsupportedError):
    """A placeholder whose list the site has yet to give: the rule is sound, and waits."""


def from_detections(detections: SigmaDetections, lists: dict[str, list[str]]) -> Node:
    """Return the tree of *detections*.

    Args:
        detections: what pySigma made of the rule, its pipelines applied.
        lists: the values of the placeholders of ``expand``.

    Raises:
        UnsupportedError: a part has no meaning here.
        SigmaError: pySigma's own complaint about the condition.
    """
    convert = _Conversion(detections, lists)
    trees = [
        convert.condition(condition.parse(postprocess=False))
        for condition in detections.parsed_condition
    ]
    return join("or", trees)


class _Conversion:
    def __init__(self, detections: SigmaDetections, lists: dict[str, list[str]]) -> None:
        self.detections = detections
        self.lists = lists

    def condition(self, node: Any) -> Node:
        """Convert the author's condition, keeping the names of its parts."""
        if isinstance(node, ConditionNOT):
            return ("not", self.condition(node.args[0]))
        if isinstance(node, ConditionSelector):
            names = [
                name
                for name in node.resolve_referenced_detections(self.detections)
                if node.pattern.startswith("_filt_") or not _ADDED.match(name.identifier)
            ]
            if not names:
                raise UnsupportedError(f"no part is named like {node.pattern!r}")
            op = "and" if node.cond_class is ConditionAND else "or"
            return join(op, [self.condition(name) for name in names])
        if isinstance(node, ConditionIdentifier):
            found = node.postprocess(self.detections)
            if found is None:
                raise UnsupportedError(f"{node.identifier}: nothing is left of it")
            return ("name", _shown(node.identifier), self.detection(found))
        op = "and" if isinstance(node, ConditionAND) else "or"
        return join(op, [self.condition(child) for child in node.args])

    def detection(self, node: Any) -> Node:
        if isinstance(node, ConditionAND | ConditionOR):
            op = "and" if isinstance(node, ConditionAND) else "or"
            return join(op, [self.detection(child) for child in node.args])
        if isinstance(node, ConditionNOT):
            return ("not", self.detection(node.args[0]))
        if isinstance(node, ConditionFieldEqualsValueExpression):
            return self.value(node.field, node.value)
        assert isinstance(node, ConditionValueExpression)
        return self.keyword(node.value)

    def value(self, field: str, value: Any) -> Node:
        if isinstance(value, sigma.SigmaExpansion):
            return join("or", [self.value(field, item) for item in value.values])
        if isinstance(value, sigma.SigmaString):
            return join("or", [_text(field, text) for text in self.expanded(value)])
        if isinstance(value, sigma.SigmaRegularExpression):
            return self.pattern(field, value)
        for kind, convert in _VALUES.items():
            if isinstance(value, kind):
                return convert(field, value)
        raise UnsupportedError(f"{type(value).__name__} cannot be compared with an event")

    def pattern(self, field: str, value: sigma.SigmaRegularExpression) -> Node:
        text = self.expanded_pattern(value) if value.contains_placeholder() else str(value.regexp)
        flags = sum(_FLAGS[flag] for flag in value.flags)
        if _POSIX_CLASS.search(text):
            raise UnsupportedError("the expression has a class of POSIX; write its letters out")
        try:
            re.compile(text, flags)
        except re.error as e:
            raise UnsupportedError(f"the expression cannot be compiled: {e}") from None
        return ("re", field, text, flags, required_text(text, flags))

    def expanded_pattern(self, value: sigma.SigmaRegularExpression) -> str:
        """Return the expression with each placeholder as a choice of its texts."""
        pattern = ""
        for part in value.regexp.s:
            if isinstance(part, sigma.Placeholder):
                choices = [_glob(one.s, cased=True)[0] for one in self.list(part.name)]
                pattern += f"(?:{'|'.join(choices)})"
            else:
                pattern += part if isinstance(part, str) else "*" if part is _MULTI else "?"
        return pattern

    def expanded(self, value: sigma.SigmaString) -> list[sigma.SigmaString]:
        """Return *value* with every choice of texts in the places of its placeholders.

        pySigma's own way forgets that case matters, and ends at 200 texts.
        """
        if not value.contains_placeholder():
            return [value]
        choices: list[list[list[sigma.SigmaStringPartType]]] = [
            [one.s for one in self.list(part.name)]
            if isinstance(part, sigma.Placeholder)
            else [[part]]
            for part in value.s
        ]
        if math.prod(map(len, choices)) > _MOST_TEXTS:
            raise UnsupportedError(f"its placeholders stand for more than {_MOST_TEXTS} texts")
        return [
            _joined(type(value), itertools.chain.from_iterable(choice))
            for choice in itertools.product(*choices)
        ]

    def list(self, name: str) -> list[sigma.SigmaString]:
        if not self.lists.get(name):
            raise UnansweredError(
                f"nothing says what %{name}% stands for (placeholders/{name}.txt)"
            )
        return [sigma.SigmaString(text) for text in self.lists[name]]

    def keyword(self, value: Any) -> Node:
        if isinstance(value, sigma.SigmaExpansion):
            return join("or", [self.keyword(item) for item in value.values])
        if isinstance(value, sigma.SigmaString):
            return join("or", [_keyword(text) for text in self.expanded(value)])
        if type(value) is sigma.SigmaNumber:  # not a part of a time, which is one too
            return ("word", str(value.number).lower())
        if isinstance(value, sigma.SigmaRegularExpression):
            _, _, text, flags, runs = self.pattern("", value)
            return ("words", text, flags, runs, False)
        raise UnsupportedError("what is no text, number or expression needs a field")


def _shown(name: str) -> str:
    if name.startswith("_cond_"):
        return "logsource"
    filtered = re.match(r"_filt_[a-z]{10}_(.*)", name)
    return filtered[1] if filtered else name


def _text(field: str, value: sigma.SigmaString) -> Node:
    parts = list(value.s)
    if parts in ([], [""]):
        return ("empty", field)
    cased = isinstance(value, sigma.SigmaCasedString)
    shape = "".join("s" if isinstance(p, str) else "*" if p is _MULTI else "?" for p in parts)
    if shape in _KINDS and not cased:
        (text,) = (p for p in parts if isinstance(p, str))
        if _is_plain(text):
            return ("lit", field, _KINDS[shape], text.lower())
    pattern, runs = _glob(parts, cased)
    return ("cased" if cased else "glob", field, pattern, runs)


def _keyword(value: sigma.SigmaString) -> Node:
    parts = list(value.s)
    cased = isinstance(value, sigma.SigmaCasedString)
    while parts and parts[0] is _MULTI:
        del parts[0]
    while parts and parts[-1] is _MULTI:
        del parts[-1]
    if not parts:
        raise UnsupportedError("an empty keyword would match everything")
    if len(parts) == 1 and isinstance(parts[0], str) and not cased and _is_plain(parts[0]):
        return ("word", parts[0].lower())
    pattern, runs = _glob(parts, cased)
    return ("words", pattern, int(re.DOTALL), runs, not cased)


def _joined(
    kind: type[sigma.SigmaString], parts: Iterable[sigma.SigmaStringPartType]
) -> sigma.SigmaString:
    joined = kind()
    for part in parts:
        if isinstance(part, str) and joined.s and isinstance(joined.s[-1], str):
            joined.s[-1] += part
        else:
            joined.s.append(part)
    return joined


def _is_plain(text: str) -> bool:
    """Return whether *text* can be looked for as it stands, lower-cased."""
    return "\0" not in text and (text.isascii() or not _SIGMA.search(text.lower()))


def _glob(parts: Sequence[Any], cased: bool) -> tuple[str, tuple[str, ...]]:
    """Return the expression that lower-cased values must fit, and the texts they must hold."""
    pattern, texts = "", []
    for part in parts:
        if isinstance(part, str) and cased:
            pattern += re.escape(part)
            texts.append(part.lower())
        elif isinstance(part, str):
            pattern += _SIGMA.sub(_SIGMA.pattern, re.escape(part.lower()))
            texts.append(part.lower())
        elif isinstance(part, sigma.Placeholder):
            raise UnsupportedError(f"nothing says what %{part.name}% stands for")
        else:
            pattern += ".*" if part is _MULTI else "." if cased else _ONE_LETTER
    runs = {run for text in texts for run in _NOT_PLAIN.split(text) if run}
    return pattern, tuple(sorted(runs, key=lambda t: (-len(t), t)))


def required_text(pattern: str, flags: int) -> tuple[str, ...]:
    """Return lower-case ASCII texts, longest first, that the lower-cased form of any match holds.

    Without regard to case, ``i`` and ``s`` also match letters that do not lower-case to ASCII
    (dotless i, long s), so they end a text there.
    """
    try:
        parsed = sre.parse(pattern, flags)
    except (re.error, RecursionError, OverflowError):
        return ()
    loose = (
        "is" if parsed.state.flags & re.IGNORECASE or re.search(r"\(\?[a-zA-Z]*i", pattern) else ""
    )
    found: list[str] = []

    def walk(sequence: Any) -> None:
        run = ""
        for op, argument in sequence:
            name = str(op)
            if name == "LITERAL" and 0 < argument <= _ASCII and chr(argument).lower() not in loose:
                run += chr(argument).lower()
                continue
            found.append(run)
            run = ""
            if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT") and argument[0] >= 1:
                walk(argument[2])
            elif name == "SUBPATTERN":
                walk(argument[3])
        found.append(run)

    walk(parsed)
    return tuple(sorted({run for run in found if run}, key=lambda t: (-len(t), t)))


def _compare(field: str, value: sigma.SigmaCompareExpression) -> Node:
    op = value.op.name.lower()
    if isinstance(value.number, sigma.SigmaTimestampPart):
        return ("part", field, value.number.timestamp_part.name.lower(), op, value.number.number)
    return ("cmp", field, op, value.number.number)


def _reference(field: str, value: sigma.SigmaFieldReference) -> Node:
    mode = {(True, True): "*", (True, False): "^", (False, True): "$"}.get(
        (value.starts_with, value.ends_with), "="
    )
    return ("ref", field, value.field, mode)


def _part(field: str, value: sigma.SigmaTimestampPart) -> Node:
    return ("part", field, value.timestamp_part.name.lower(), "eq", value.number)


def _number(field: str, value: sigma.SigmaNumber) -> Node:
    return ("lit", field, "=", str(value.number).lower())


def _boolean(field: str, value: sigma.SigmaBool) -> Node:
    return ("lit", field, "=", "true" if value.boolean else "false")


def _network(field: str, value: sigma.SigmaCIDRExpression) -> Node:
    return ("cidr", field, str(ipaddress.ip_network(value.cidr, strict=False)))


_VALUES: Final[dict[type, Callable[[str, Any], Node]]] = {
    sigma.SigmaTimestampPart: _part,  # before SigmaNumber, of which it is one
    sigma.SigmaNumber: _number,
    sigma.SigmaBool: _boolean,
    sigma.SigmaNull: lambda field, _: ("null", field),
    sigma.SigmaExists: lambda field, value: ("exists", field, bool(value)),
    sigma.SigmaCIDRExpression: _network,
    sigma.SigmaCompareExpression: _compare,
    sigma.SigmaFieldReference: _reference,
}
