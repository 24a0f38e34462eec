"""Regular expressions: those that can take for ever, and those that are no more than a text."""

from __future__ import annotations

import re
import re._constants as codes  # type: ignore[import-not-found]
import re._parser as sre  # type: ignore[import-not-found]
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kr_secops.rule.advice.items import Advice, Item

Chars: TypeAlias = frozenset[int]

_ALL: Final[Chars] = frozenset(range(257))
"""The code points below 256, and one number for all others."""
_OTHER: Final = 256
_FIRST_SHOWN: Final = 32
"""A line end is written as an expression more plainly than as a text."""
_MANY: Final = 16
"""From so many repetitions on a bounded one behaves as an unbounded one."""
_RUNS: Final = 3
"""Unbounded repetitions side by side over the same characters: time grows with the cube."""
_CLASSES: Final[dict[Any, str]] = {
    codes.CATEGORY_DIGIT: r"\d",
    codes.CATEGORY_NOT_DIGIT: r"\D",
    codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_NOT_SPACE: r"\S",
    codes.CATEGORY_WORD: r"\w",
    codes.CATEGORY_NOT_WORD: r"\W",
}
_REPEATS: Final = (codes.MAX_REPEAT, codes.MIN_REPEAT)
_FLAGS: Final = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "ignorecase": re.IGNORECASE, "multiline": re.MULTILINE, "dotall": re.DOTALL}  # fmt: skip


def advise(item: Item) -> Iterator[Advice]:
    """Yield what could be better about the expressions of *item*."""
    if "re" not in item.modifiers:
        return
    flags = 0
    for word in item.modifiers:
        flags |= _FLAGS.get(word, 0)
    for i, value in enumerate(item.values):
        if not isinstance(value, str) or ("%" in value and "expand" in item.modifiers):
            continue
        try:
            parsed = sre.parse(value, flags)
        except (re.error, RecursionError, OverflowError):
            continue  # `read_file` and the compiler say so
        if (risk := _risk(list(parsed))) is not None:
            yield item.place(i), risk
        if (plain := _plain(list(parsed), parsed.state.flags)) is not None:
            yield item.place(i), plain


def _risk(sequence: list[Any]) -> str | None:
    """Return why matching may take time out of all proportion; None if nothing says so."""
    for op, argument in sequence:
        for inner in _bodies(op, argument):
            if (found := _risk(inner)) is not None:
                return found
        if _is_loop(op, argument) and (text := _ambiguous(list(argument[2]))) is not None:
            return text
    return _side_by_side(sequence)


def _bodies(op: Any, argument: Any) -> Iterator[list[Any]]:
    if op in (*_REPEATS, codes.POSSESSIVE_REPEAT):
        yield list(argument[2])
    elif op is codes.SUBPATTERN:
        yield list(argument[3])
    elif op is codes.BRANCH:
        yield from (list(branch) for branch in argument[1])
    elif op in (codes.ASSERT, codes.ASSERT_NOT):
        yield list(argument[1])


def _is_loop(op: Any, argument: Any) -> bool:
    return op in _REPEATS and (argument[1] is codes.MAXREPEAT or argument[1] >= _MANY)


def _ambiguous(body: list[Any]) -> str | None:
    r"""Return what is wrong if a text can be cut into rounds of the loop in many ways.

    ``(a+)+``: the inner loop may take what the next round could. Where each round must begin or end
    with a character that the inner loop cannot take, ``(\\[^\\]+)+``, there is one way only.
    """
    body = _opened(body)
    loops = [(op, argument) for op, argument in body if _is_loop(op, argument)]
    for one in loops:
        inner = _first(list(one[1][2]))
        rest = [part for part in body if part is not one]
        if all(_may_vanish(*part) or _chars([part]) & inner for part in rest):
            return "a repetition within a repetition: some texts take exponential time to fail"
    if len(body) == 1 and body[0][0] is codes.BRANCH:
        branches = [_letters(list(branch)) for branch in body[0][1][1]]
        if any(_is_cut(b, branches[:i] + branches[i + 1 :]) for i, b in enumerate(branches)):
            return (
                "choices that overlap within a repetition: some texts take exponential time to fail"
            )
    return None


def _letters(branch: list[Any]) -> list[Chars]:
    """Return the characters of each place of a branch; empty if its length is not fixed."""
    places = _opened(branch)
    fixed = all(op in (codes.LITERAL, codes.NOT_LITERAL, codes.ANY, codes.IN) for op, _ in places)
    return [_chars([place]) for place in places] if fixed else []


def _is_cut(long: list[Chars], others: list[list[Chars]]) -> bool:
    """Return whether *others* put one after the other can take what *long* takes: ``ab|a|b``."""
    reached = {0}
    for at in range(len(long)):
        if at in reached:
            for other in others:
                piece = long[at : at + len(other)]
                if other and len(piece) == len(other) and all(map(_overlap, piece, other)):
                    reached.add(at + len(other))
    return bool(long) and len(long) in reached


def _overlap(a: Chars, b: Chars) -> bool:
    return bool(a & b)


def _side_by_side(sequence: list[Any]) -> str | None:
    run, shared = 0, _ALL
    for op, argument in _opened(sequence):
        if _is_loop(op, argument):
            chars = _chars([(op, argument)])
            run, shared = (run + 1, shared & chars) if shared & chars else (1, chars)
            if run >= _RUNS:
                return f"{_RUNS} repetitions of the same characters in a row: time grows with the cube of the text"
        elif op is not codes.AT and not _may_vanish(op, argument):
            run, shared = 0, _ALL
    return None


def _opened(sequence: list[Any]) -> list[Any]:
    """Return *sequence* with its plain groups opened."""
    found: list[Any] = []
    for op, argument in sequence:
        if op is codes.SUBPATTERN:
            found += _opened(list(argument[3]))
        else:
            found.append((op, argument))
    return found


def _may_vanish(op: Any, argument: Any) -> bool:
    return _width([(op, argument)]) == 0


def _width(sequence: list[Any]) -> int:
    """Return the least number of characters that *sequence* takes."""
    total = 0
    for op, argument in sequence:
        if op in (*_REPEATS, codes.POSSESSIVE_REPEAT):
            total += int(argument[0]) * _width(list(argument[2]))
        elif op is codes.SUBPATTERN:
            total += _width(list(argument[3]))
        elif op is codes.BRANCH:
            total += min(_width(list(branch)) for branch in argument[1])
        elif op in (codes.LITERAL, codes.NOT_LITERAL, codes.ANY, codes.IN):
            total += 1
    return total


def _first(sequence: list[Any]) -> Chars:
    return _chars(sequence[:1])


def _chars(sequence: list[Any]) -> Chars:
    """Return the characters that may stand anywhere in what *sequence* takes."""
    found: Chars = frozenset()
    for op, argument in sequence:
        if op is codes.LITERAL:
            found |= {min(argument, _OTHER)}
        elif op is codes.NOT_LITERAL:
            found |= _ALL - {argument}
        elif op is codes.ANY:
            found |= _ALL - {10}
        elif op is codes.IN:
            found |= _set(argument)
        else:
            for body in _bodies(op, argument):
                found |= _chars(body)
    return found


def _set(members: list[Any]) -> Chars:
    found: set[int] = set()
    negated = False
    for op, argument in members:
        if op is codes.NEGATE:
            negated = True
        elif op is codes.LITERAL:
            found.add(min(argument, _OTHER))
        elif op is codes.RANGE:
            low, high = argument
            found.update(range(min(low, _OTHER), min(high, _OTHER) + 1))
        elif op is codes.CATEGORY:
            found |= _category(argument)
    return _ALL - found if negated else frozenset(found)


def _category(name: Any) -> Chars:
    pattern = re.compile(_CLASSES.get(name, "."), re.DOTALL | re.ASCII)
    found = {code for code in range(256) if pattern.match(chr(code))}
    return frozenset(found | ({_OTHER} if name in _NEGATIVE else set()))


_NEGATIVE: Final = frozenset(
    {codes.CATEGORY_NOT_DIGIT, codes.CATEGORY_NOT_SPACE, codes.CATEGORY_NOT_WORD}
)


def _plain(sequence: list[Any], flags: int) -> str | None:
    """Return how an expression without anything of an expression in it is written more simply."""
    starts = bool(sequence) and _is_at(sequence[0], codes.AT_BEGINNING, codes.AT_BEGINNING_STRING)
    ends = bool(sequence) and _is_at(sequence[-1], codes.AT_END, codes.AT_END_STRING)
    body = sequence[starts : len(sequence) - ends or None]
    if body and _is_anything(body[0]):
        body, starts = body[1:], False
    if body and _is_anything(body[-1]):
        body, ends = body[:-1], False
    letters = [argument for op, argument in body if op is codes.LITERAL]
    if not body or len(letters) < len(body) or min(letters) < _FIRST_SHOWN or flags & re.MULTILINE:
        return None
    word = {(True, True): "", (True, False): "|startswith", (False, True): "|endswith"}
    cased = any(chr(c).lower() != chr(c).upper() for c in letters) and not flags & re.IGNORECASE
    name = f"FIELD{word.get((starts, ends), '|contains')}{'|cased' if cased else ''}"
    return f"needs no expression: {name} says the same and is found sooner"


def _is_at(part: Any, *kinds: Any) -> bool:
    return part[0] is codes.AT and part[1] in kinds


def _is_anything(part: Any) -> bool:
    """Return whether *part* is ``.*``."""
    op, argument = part
    return (
        op in _REPEATS
        and argument[0] == 0
        and argument[1] is codes.MAXREPEAT
        and len(argument[2]) == 1
        and argument[2][0][0] is codes.ANY
    )
