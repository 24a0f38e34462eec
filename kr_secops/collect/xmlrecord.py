"""A Windows event record as XML, turned into the tree that EVTX gives as JSON."""

from __future__ import annotations

from typing import Any, Final
from xml.parsers import expat

DEEPEST: Final = 32


class XmlError(ValueError):
    """The text is no XML, or none that a record consists of."""


def xml_tree(text: str) -> dict[str, Any]:
    """Return the record *text*, one ``Event`` element.

    Raises:
        XmlError: it is none. A document type is none either, so there are no entities to expand.
    """
    parser = expat.ParserCreate()
    tree = _Tree()
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.text
    parser.buffer_text = True
    try:
        parser.Parse(text, True)
    except expat.ExpatError as e:
        raise XmlError(f"no XML: {e}") from None
    name, event = tree.root
    if name != "Event" or not isinstance(event, dict) or not isinstance(event.get("System"), dict):
        raise XmlError("no Windows event record")
    return {"Event": event}


def _refuse(*_: Any) -> None:
    raise XmlError("a record has no document type")


class _Tree:
    """Builds the tree as the elements come."""

    def __init__(self) -> None:
        self.root: tuple[str, Any] = ("", None)
        self._open: list[tuple[str, dict[str, str], list[tuple[str, Any]], list[str]]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= DEEPEST:
            raise XmlError(f"deeper than {DEEPEST} elements")
        self._open.append((name.rpartition(":")[2], attributes, [], []))

    def text(self, data: str) -> None:
        if self._open:
            self._open[-1][3].append(data)

    def end(self, _: str) -> None:
        name, attributes, children, texts = self._open.pop()
        value: Any = _content(name, children) if children else "".join(texts)
        attributes = {k: v for k, v in attributes.items() if not k.startswith("xmlns")}
        if name == "Data" and "Name" in attributes:
            name = attributes["Name"]
        elif attributes and not children:
            value = {"#attributes": attributes, **({"#text": value} if value else {})}
        if self._open:
            self._open[-1][2].append((name, value))
        else:
            self.root = (name, value)


def _content(name: str, children: list[tuple[str, Any]]) -> dict[str, Any]:
    found = {child: value for child, value in children if child != "Data"}
    unnamed = [value for child, value in children if child == "Data"]
    if unnamed and name == "EventData":
        found["Data"] = {"#text": unnamed}
    return found
