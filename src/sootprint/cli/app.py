"""The Typer application: every command under its heading."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from sootprint import __version__
from sootprint.cli import shell
from sootprint.cli.advise import advise
from sootprint.cli.audit import audit
from sootprint.cli.backtest import backtest
from sootprint.cli.calibrate import calibrate
from sootprint.cli.catalogue import catalogue
from sootprint.cli.compare import compare
from sootprint.cli.config import config
from sootprint.cli.delete import delete
from sootprint.cli.doctor import doctor
from sootprint.cli.estimate import estimate
from sootprint.cli.export import export
from sootprint.cli.grid import grid
from sootprint.cli.hub import hub
from sootprint.cli.importing import import_
from sootprint.cli.merge import merge
from sootprint.cli.node import node
from sootprint.cli.plan import plan
from sootprint.cli.predict import predict
from sootprint.cli.recover import recover
from sootprint.cli.refresh import refresh
from sootprint.cli.report import report
from sootprint.cli.run import run
from sootprint.cli.runs import runs
from sootprint.cli.sbatch import sbatch
from sootprint.cli.schema import schema
from sootprint.cli.show import show
from sootprint.cli.summary import summary
from sootprint.cli.survey import survey
from sootprint.cli.tag import tag
from sootprint.cli.top import top
from sootprint.cli.tune import tune

_FOLDERS = ("SOOTPRINT_HOME", "SOOTPRINT_RUNTIME_DIR")
_COMMANDS = {
    "Measure": (run, top, doctor, calibrate, recover),
    "Estimate": (estimate, predict, audit, compare),
    "Reduce": (advise, tune, plan, sbatch, backtest),
    "Look at runs": (runs, show, report, summary, survey, merge, refresh, tag, delete, import_, export),
    "Look up": (grid, config, schema),
}

app = typer.Typer(
    name="sootprint",
    cls=shell.Group,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings=shell.HELP,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sootprint {__version__}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop."),
]


@app.callback(invoke_without_command=True)
def root(context: typer.Context, version: Version = False) -> None:
    """The carbon footprint of machine-learning training, measured, estimated and reported.

        sootprint doctor                              see what can be read here
        sootprint run --zone FR -- python train.py    measure a training
        sootprint report latest --out report.html     write its report

    Every command has --help with examples, and --json for other programs.
    """
    shell.helped(context)


for _heading, _functions in _COMMANDS.items():
    for _function in _functions:
        app.command(
            _function.__name__.rstrip("_"),
            cls=shell.Command,
            rich_help_panel=_heading,
            context_settings={
                **shell.HELP,
                "allow_interspersed_args": _function not in (run, tune, sbatch),
                "ignore_unknown_options": _function is sbatch,
            },
        )(_function)
app.add_typer(catalogue, name="catalogue", rich_help_panel="Look up")
app.add_typer(node, name="node", rich_help_panel="Measure")
app.add_typer(hub, name="hub", rich_help_panel="Share")


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    for name in _FOLDERS:  # what is started from here may run in another folder
        if stated := os.environ.get(name):
            os.environ[name] = str(Path(stated).expanduser().absolute())
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and not stream.encoding.lower().startswith("utf"):
            stream.reconfigure(errors="replace")
    code: str | int | None = shell.FAILED
    try:
        app(prog_name="sootprint")
    except SystemExit as end:
        code = end.code
    try:
        if sys.stdout is not None:  # it is where whoever started us had closed it
            sys.stdout.flush()
    except OSError:  # its reader has gone, as `head` does, or its disk is full
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = code or shell.FAILED
    sys.exit(code)
