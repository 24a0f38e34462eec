"""Python source for a rule's tree, compiled once and marshalled into the cache.

    ("and", (("lit", "process.name", "=", "sh"), ("lit", "user.name", "^", "www")))
    lambda L, E: (v0:=L['process.name']) == 'sh' and (v1:=L['user.name']).startswith('www')

``L`` gives lower-cased values, ``E`` is the event; the functions named in capitals are those of
`kr_secops.detect.matcher`. Cheap tests come first, and the literals of one field stand together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kr_secops.rule.tree import plain

if TYPE_CHECKING:
    from types import CodeType

    from kr_secops.rule.tree import Node

_COST: Final = {
    "null": 2.0,
    "empty": 2.0,
    "exists": 2.0,
    "ref": 15.0,
    "cmp": 20.0,
    "glob": 25.0,
    "cased": 25.0,
    "re": 30.0,
    "cidr": 40.0,
    "part": 40.0,
    "word": 90.0,
    "anyword": 95.0,
    "words": 99.0,
}
_SLOT: Final = "\0"
"""Stands for the variable while source is put together: ``repr`` never gives this character."""


def compile_tree(node: Node, name: str) -> CodeType:
    """Return the code of a function of (L, E) that says whether the tree *node* is true."""
    source = f"lambda L, E: {_Source().of(plain(node), set())[0]}"
    outer = compile(source, name, "eval")
    inner: CodeType = outer.co_consts[0]
    return inner


def _cost(node: Node) -> float:
    op = node[0]
    if op == "not":
        return _cost(node[1])
    if op in ("and", "or"):
        return sum(map(_cost, node[1])) * (0.6 if op == "and" else 1.0)
    if op == "lit":
        return 1.5 if node[2] == "*" else 1.0
    return _COST[op]


class _Source:
    def __init__(self) -> None:
        self.variables: dict[str, str] = {}

    def of(self, node: Node, known: set[str]) -> tuple[str, set[str]]:
        """Return the expression, and the variables that are surely set once it was evaluated."""
        op = node[0]
        if op == "not":
            source, surely = self.of(node[1], known)
            return f"not ({source})", surely
        if op in ("and", "or"):
            return self.branch(node, known)
        if op == "lit":
            return self.literals(node[1], [node], "or", known)
        if op in ("glob", "cased", "re"):
            return self.pattern(node, known)
        if op in ("word", "words", "anyword"):
            return f"{op.upper()}(L, {_arguments(node[1:])})", set()
        return f"{op.upper()}(E, {_arguments(node[1:])})", set()

    def branch(self, node: Node, known: set[str]) -> tuple[str, set[str]]:
        op, children = node
        children = _with_words_together(children) if op == "or" else children
        groups: dict[str, list[Node]] = {}
        for child in children:
            if child[0] == "lit":
                groups.setdefault(child[1], []).append(child)
        weight = 0.6 if op == "and" else 1.0
        parts: list[tuple[float, str, list[Node]]] = [
            (sum(map(_cost, group)) * weight, name, group) for name, group in groups.items()
        ]
        parts += [(_cost(child), "", [child]) for child in children if child[0] != "lit"]
        parts.sort(key=lambda part: part[:2])
        sources: list[str] = []
        known = set(known)
        surely: set[str] | None = None
        for _, name, group in parts:
            if group[0][0] == "lit":
                source, set_here = self.literals(name, group, op, known)
            else:
                source, set_here = self.of(group[0], known)
                source = f"({source})" if group[0][0] in ("and", "or") else source
            sources.append(source)
            # Of an ``or`` only the first part is sure to run; of an ``and`` each runs before the next.
            if op == "and" or surely is None:
                known |= set_here
            surely = set_here if surely is None else surely
        return f" {op} ".join(sources), surely or set()

    def pattern(self, node: Node, known: set[str]) -> tuple[str, set[str]]:
        op, field, pattern, *rest = node
        runs = rest[-1]
        flags = f", {rest[0]}" if op == "re" else ""
        call = f"{op.upper()}(E, {field!r}, {pattern!r}{flags})"
        runs = [run for run in runs if run][:3]
        if not runs:
            return call, set()
        needed = [("lit", field, "*", run) for run in runs]
        source, surely = self.literals(field, needed, "and", known)
        return f"({source} and {call})", surely

    def literals(
        self, field: str, nodes: list[Node], op: str, known: set[str]
    ) -> tuple[str, set[str]]:
        variable = self.variables.setdefault(field, f"v{len(self.variables)}")
        by: dict[str, list[str]] = {"=": [], "^": [], "$": [], "*": []}
        for _, _, kind, text in nodes:
            by[kind].append(text)
        tests = _any_test(by) if op == "or" else _all_tests(by)
        tests += [f"{text!r} in {_SLOT}" for text in by["*"]]
        source = f" {op} ".join(tests)
        if variable not in known:
            source = source.replace(_SLOT, f"({variable}:=L[{field!r}])", 1)
        source = source.replace(_SLOT, variable)
        return source if len(tests) == 1 else f"({source})", {variable}


def _with_words_together(children: tuple[Node, ...]) -> tuple[Node, ...]:
    """Make one test of many keywords: rules that grep a log list dozens."""
    words = tuple(child[1] for child in children if child[0] == "word")
    if len(words) <= 1:
        return children
    return (*(child for child in children if child[0] != "word"), ("anyword", words))


def _any_test(by: dict[str, list[str]]) -> list[str]:
    tests = []
    if len(by["="]) == 1:
        tests.append(f"{_SLOT} == {by['='][0]!r}")
    elif by["="]:
        tests.append(f"IN({_SLOT}, {{{_arguments(by['='])}}})")
    for kind, method in (("$", "endswith"), ("^", "startswith")):
        if by[kind]:
            texts = repr(by[kind][0]) if len(by[kind]) == 1 else f"({_arguments(by[kind])})"
            tests.append(f"{_SLOT}.{method}({texts})")
    return tests


def _all_tests(by: dict[str, list[str]]) -> list[str]:
    return (
        [f"{_SLOT} == {text!r}" for text in by["="]]
        + [f"{_SLOT}.endswith({text!r})" for text in by["$"]]
        + [f"{_SLOT}.startswith({text!r})" for text in by["^"]]
    )


def _arguments(values: list[str] | tuple[object, ...]) -> str:
    return ", ".join(map(repr, values))
