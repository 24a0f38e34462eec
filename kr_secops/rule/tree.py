"""A rule's condition as a small tree of tuples, the form that everything after pySigma works on.

    ("and", (("lit", "user.name", "=", "root"), ("not", ("cidr", "source.ip", "10.0.0.0/8"))))

Branches: ``and``, ``or`` (children), ``not`` (child), ``name`` (the author's word for a part).
Leaves about one field: ``lit`` (equals, contains, starts, ends; text lower-cased), ``glob``,
``cased``, ``re``, ``null``, ``empty``, ``exists``, ``cidr``, ``cmp``, ``part`` (of a time), ``ref``
(another field). Leaves about the whole event: ``word`` (literal), ``words`` (pattern).
Tuples of plain values can be marshalled, so the compiled cache holds trees too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

Node: TypeAlias = tuple[Any, ...]


def plain(node: Node) -> Node:
    """Return *node* without names, nested branches of a kind made one."""
    op = node[0]
    if op == "name":
        return plain(node[2])
    if op == "not":
        return ("not", plain(node[1]))
    if op in ("and", "or"):
        return join(op, [plain(child) for child in node[1]])
    return node


def conjuncts(node: Node) -> tuple[Node, ...]:
    """Return the parts of *node* that must all be true."""
    return node[1] if node[0] == "and" else (node,)


def leaves(node: Node) -> Iterator[Node]:
    """Yield the leaves of *node*."""
    op = node[0]
    if op in ("and", "or"):
        for child in node[1]:
            yield from leaves(child)
    elif op in ("not", "name"):
        yield from leaves(node[-1])
    else:
        yield node


def field_names(node: Node) -> set[str]:
    """Return the fields that *node* looks at; the whole event counts as ''."""
    names: set[str] = set()
    for leaf in leaves(node):
        names.add("" if leaf[0] in ("word", "words") else leaf[1])
        if leaf[0] == "ref":
            names.add(leaf[2])
    return names


def join(op: str, nodes: list[Node]) -> Node:
    """Return *nodes* under one branch, those of the same kind opened up, each once."""
    flat: list[Node] = []
    for node in nodes:
        flat += node[1] if node[0] == op else [node]
    flat = list(dict.fromkeys(flat))
    return flat[0] if len(flat) == 1 else (op, tuple(flat))
