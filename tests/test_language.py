"""Every message has its Indonesian."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from kr_secops import language

SOURCES = sorted((Path(__file__).parents[1] / "kr_secops").rglob("*.py"))


def messages() -> dict[str, str]:
    """Every text handed to ``tr``, and every line of the command table, with its place."""
    found: dict[str, str] = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", None)
            if name == "tr" and isinstance(node.args[0], ast.Constant):
                found[node.args[0].value] = f"{path.name}:{node.lineno}"
    from kr_secops.cli.app import COMMANDS

    return found | {line: "app.py" for _, line in COMMANDS.values()}


def test_every_message_is_translated_and_nothing_else_is() -> None:
    table = language.indonesian()
    assert sorted(set(messages()) - set(table)) == []
    assert sorted(set(table) - set(messages())) == []


def test_translations_fill_the_same_names() -> None:
    import string

    def names(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    wrong = {e: i for e, i in language.indonesian().items() if names(e) != names(i)}
    assert wrong == {}


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        ([], {}, "en"),
        ([], {"LANG": "id_ID.UTF-8"}, "id"),
        ([], {"LANG": "id_ID.UTF-8", "LC_ALL": "C"}, "en"),
        ([], {"KR_SECOPS_LANG": "id", "LC_ALL": "C"}, "id"),
        (["scan", "--lang", "id"], {"LANG": "en_US"}, "id"),
        (["--lang=en"], {"LANG": "id_ID"}, "en"),
    ],
)
def test_the_language_is_chosen_once(
    arguments: list[str], environment: dict[str, str], expected: str
) -> None:
    assert language.choose(arguments, environment) == expected
    language.choose([], {})
