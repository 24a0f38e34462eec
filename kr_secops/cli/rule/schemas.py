"""``rule schema``: JSON Schema of the files that people write, for their editors."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
import typer

from kr_secops.cli import options
from kr_secops.errors import UsageError
from kr_secops.language import tr

KINDS = ("rule", "test", "backtest")


def schema(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="|".join(KINDS), help=tr("Rule files, cases beside them, or backtest files.")
        ),
    ] = "rule",
    output: options.Output = None,
) -> None:
    """Print the schema, or write it to ``-o FILE``."""
    if kind not in KINDS:
        raise UsageError(
            tr("unknown kind {kind!r}; known: {known}", kind=kind, known=", ".join(KINDS))
        )
    text = orjson.dumps(_schema(kind), option=orjson.OPT_INDENT_2) + b"\n"
    with options.opened(output) as stream:
        stream.write(text)


def _schema(kind: str) -> dict[str, Any]:
    from kr_secops.rule.schema import DIALECT, rule_schema

    if kind == "rule":
        return rule_schema()
    if kind == "backtest":
        from kr_secops.backtest.corpus import Backtest

        return {"$schema": DIALECT, **Backtest.model_json_schema()}
    from kr_secops.selftest import Case

    case = Case.model_json_schema()
    return {
        "$schema": DIALECT,
        "title": "Cases of a rule",
        "type": "array",
        "items": {
            **case,
            "oneOf": [{"required": ["lines"]}, {"required": ["events"]}],
        },
    }
