"""How every group of sub-commands is made: the same manners everywhere."""

from __future__ import annotations

import typer


def command_group(text: str) -> typer.Typer:
    """Return a group with help *text*: plain help, quick to load, no completion of its own."""
    return typer.Typer(
        help=text,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
