"""The ``kr-secops`` command: a table of commands, each loaded when it is called.

Exit codes: 0 clean; 1 the run failed; 2 usage; 3 content or configuration invalid; 4 nothing could
be collected; 11 to 14 the highest finding is low, medium, high, critical; 130 interrupted.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

import kr_secops
from kr_secops import language
from kr_secops.cli import console
from kr_secops.errors import KrSecopsError, UsageError
from kr_secops.language import tr

BROKEN_PIPE: Final = 141
LANGUAGES: Final = ("id", "en")

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "scan": ("scan", "Read logs, find threats, keep the findings."),
    "collect": ("collect", "Print the events of logs, the journal or a capture."),
    "detect": ("detect", "Match rules against logs or events, print findings; keep nothing."),
    "report": ("report", "Write a report of the findings kept, or of findings from a file."),
    "findings": ("findings", "List, explain and settle the findings kept."),
    "rule": ("rule", "List, check, test and explain rules."),
    "collector": ("collector", "List and test collectors."),
    "archive": ("archive", "List, verify and print the archived events."),
    "elastic": ("elastic", "Ship events and findings to Elasticsearch."),
    "config": ("config", "Show and check the settings."),
    "status": ("status", "Say how collection, detection and storage stand."),
}
"""Command → module of `kr_secops.cli` and its line in the help."""


class LazyGroup(TyperGroup):
    """Loads a command's module only when that command is called: ``--help`` stays quick."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command; in the help's listing a stand-in that knows only its line."""
        if cmd_name not in COMMANDS:
            return None
        module, line = COMMANDS[cmd_name]
        if ctx.meta.get("listing"):
            return TyperCommand(cmd_name, help=tr(line), short_help=tr(line))
        loaded: typer.Typer = importlib.import_module(f"kr_secops.cli.{module}").app
        command = typer.main.get_command(loaded)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands without loading any."""
        ctx.meta["listing"] = True
        super().format_commands(ctx, formatter)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a reader that closed the pipe has what it wanted."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(BROKEN_PIPE) from None
        except KrSecopsError as e:
            console.say(str(e))
            raise typer.Exit(e.exit_code) from None
        except OSError as e:  # a full disk, a closed stream
            console.say(f"{e.filename or 'stdout'}: {e.strerror}")
            raise typer.Exit(KrSecopsError.exit_code) from None
        return result


def build() -> Any:
    """Return the command with its help in the language in force."""
    app = typer.Typer(
        cls=LazyGroup,
        name="kr-secops",
        help=tr("Security and data-protection monitoring: logs to findings to reports."),
        epilog=tr(
            "Exit codes: 0 clean, 1 failed, 2 usage, 3 content invalid, 4 nothing collected, "
            "11-14 highest finding low to critical, 130 interrupted."
        ),
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )

    @app.callback()
    def root(
        _version: Annotated[
            bool,
            typer.Option(
                "--version", help=tr("Print the version."), callback=_version, is_eager=True
            ),
        ] = False,
        lang: Annotated[
            str | None,
            typer.Option("--lang", metavar="id|en", help=tr("Language of messages and reports.")),
        ] = None,
        color: Annotated[
            str, typer.Option(metavar="auto|always|never", help=tr("Colour on the terminal."))
        ] = "auto",
    ) -> None:
        if lang not in (None, *LANGUAGES):
            raise UsageError(tr("--lang takes id or en"))
        console.set_colour(color)

    return typer.main.get_command(app)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"kr-secops {kr_secops.__version__}")
        raise typer.Exit


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    # Events are many small dictionaries without cycles: the collector would walk them in vain.
    gc.set_threshold(100_000, 20, 20)
    language.choose(words, os.environ)
    try:
        build()(_global_first(words), prog_name="kr-secops")
    except SystemExit as e:
        return e.code if isinstance(e.code, int) else int(e.code is not None)
    return 0


def _global_first(words: list[str]) -> list[str]:
    """Return *words* with ``--lang`` and ``--color`` moved to the front: they may stand anywhere."""
    front: list[str] = []
    rest: list[str] = []
    remaining = iter(words)
    for word in remaining:
        if word == "--":
            rest += [word, *remaining]
        elif word in ("--lang", "--color"):
            front += [word, next(remaining, "")]
        elif word.startswith(("--lang=", "--color=")):
            front.append(word)
        else:
            rest.append(word)
    return front + rest
