"""What every command shares with the shell: plain quick help, one line for each error, exit codes.

Exit codes are 0 where it worked, 1 where the thing failed, 2 where it was used wrongly. Help is plain text, for
drawing it with Rich would take three times as long as everything else.
"""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from sootprint.cli.headings import HEADINGS, heading_of
from sootprint.core.errors import (
    CatalogueError,
    InputError,
    IntensityError,
    MissingExtraError,
    RecordError,
    SettingsError,
    SootprintError,
)

FAILED, WRONG_USE = 1, 2
HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_WRONG_USE = (InputError, SettingsError, CatalogueError, IntensityError, RecordError, MissingExtraError)
# Typer brings a Click of its own or uses the installed one, by version; both derive BadParameter from UsageError.
UsageError: type[Exception] = typer.BadParameter.__mro__[1]


def exit_code(error: SootprintError) -> int:
    """Exit code of an error: 2 where other input helps, 1 where the machine, a file or a network failed."""
    cause = error.__cause__
    failed = isinstance(cause, OSError) or type(cause).__module__ == "sqlite3"
    return WRONG_USE if isinstance(error, _WRONG_USE) and not failed else FAILED


def say(text: str) -> None:
    """Write one line for a person on stderr."""
    typer.echo(f"sootprint: {' '.join(printable(text).split())}", err=True)


def group(name: str) -> typer.Typer:
    """A group of commands, e.g. `sootprint hub`, to which each command is added with `cls=Command`."""
    return typer.Typer(
        name=name, cls=Group, rich_markup_mode=None, context_settings=HELP, no_args_is_help=False
    )


def helped(context: typer.Context) -> None:
    """Print the help of a group that was called without one of its commands, which is wrong use."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(WRONG_USE)


def hint(command: Sequence[str], ours: Iterable[str]) -> None:
    """Say which options of ours went to a program that did not know what to do with them, unless -- stood before it.

    Args:
        command: Program and its arguments, the last words of our own command line.
        ours: Names of our options.
    """
    stood = sys.argv[-len(command) - 1 :]
    names = {f"--{name.replace('_', '-')}" for name in ours}
    found = [word for word in dict.fromkeys(part.partition("=")[0] for part in command[1:]) if word in names]
    if found and stood[1:] == list(command) and stood[0] != "--":
        with contextlib.suppress(OSError, ValueError):
            say(
                f"{', '.join(found)} went to {command[0]}, as all that stands after the command does; what is for us "
                f"stands before it: sootprint run {found[0]} ... -- {command[0]} ..."
            )


def printable(text: str) -> str:
    """Text without control characters, which could move a terminal's cursor or change its colours."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


class Command(TyperCommand):
    """A command whose help text is printed as it is written, examples included."""

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Write the docstring; its examples stand as they are written."""
        _write_docstring(self.help, formatter)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Options and arguments of the usage line, without Typer's braces."""
        return [_bare(piece) for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options under their headings, without the types that their names tell."""
        headings = ("Arguments", *HEADINGS.get(self.name or "", {}), "Options")
        rows: dict[str, list[tuple[str, str]]] = {heading: [] for heading in headings}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            if parameter.param_type_name == "argument":
                name = record[0].partition(" <")[0]
                rows["Arguments"].append((name, record[1].removesuffix("  [required]")))
            else:
                rows[heading_of(self.name, parameter.opts)].append(record)
        _write_sections(rows, formatter)


class Group(TyperGroup):
    """A group of commands that turns every error into one line and an exit code."""

    def main(self, *args: Any, standalone_mode: bool = True, **kwargs: Any) -> Any:
        """Exit code of the command; ends the process with it in standalone mode."""
        code = _guarded(super().main, *args, **kwargs)
        if standalone_mode:
            sys.exit(code)
        return code

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Write the docstring; its examples stand as they are written."""
        _write_docstring(self.help, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands under the headings that they were registered with."""
        headings: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                heading = getattr(command, "rich_help_panel", None)
                heading = heading if isinstance(heading, str) else "Commands"
                headings.setdefault(heading, []).append((name, _summary(command.help)))
        _write_sections(headings, formatter)


def _summary(help_text: str | None) -> str:
    return inspect.cleandoc(help_text or "").partition("\n")[0].removesuffix(".")


def _bare(piece: str) -> str:
    """Piece of a usage line: RUN for {RUN}, [TAG...] for [TAG...]...

    >>> [_bare(piece) for piece in ("{RUN}", "{RUN...}...", "[TAG...]...", "[OPTIONS]")]
    ['RUN', 'RUN...', '[TAG...]', '[OPTIONS]']
    """
    if piece.startswith("{"):
        return piece[1:].partition("}")[0]
    return piece.replace("]...", "]")


def _write_docstring(help_text: str | None, formatter: Any) -> None:
    """Write paragraphs wrapped to the width, and examples as they are, whether or not they kept their indent."""
    for block in inspect.cleandoc(help_text or "").split("\n\n"):
        formatter.write_paragraph()
        with formatter.indentation():
            if block.startswith(("    ", "sootprint ")):
                indent = " " * (2 if block.startswith(" ") else 6)
                formatter.write("".join(f"{indent}{line}\n" for line in block.splitlines()))
            else:
                formatter.write_text(block)


def _write_sections(sections: dict[str, list[tuple[str, str]]], formatter: Any) -> None:
    for heading, rows in sections.items():
        if rows:
            with formatter.section(heading):
                formatter.write_dl(rows)


def _guarded(call: Any, *args: Any, **kwargs: Any) -> int:
    """Exit code of a call, with every expected error turned into one line on stderr."""
    try:
        code = call(*args, standalone_mode=False, **kwargs)
    except SootprintError as err:
        say(str(err))
        return exit_code(err)
    except UsageError as err:
        say(_usage_line(err))
        return WRONG_USE
    except OSError as err:  # a full disk below stdout, a folder that is locked: nothing of ours to trace
        say(f"{err.filename or 'the output'}: {err.strerror or err}")
        return FAILED
    except typer.Abort:
        say("stopped")
        return FAILED
    return code if isinstance(code, int) else 0


def _usage_line(error: Any) -> str:
    message = error.format_message().rstrip(".").replace("Value error, ", "")
    path = error.ctx.command_path if error.ctx is not None else "sootprint"
    return f"{message}; see `{path} --help`"


def wrong(message: str, *, cause: Exception | None = None) -> NoReturn:
    """Refusal of what was asked.

    Raises:
        InputError: Always, with the message.
    """
    raise InputError(message) from cause
