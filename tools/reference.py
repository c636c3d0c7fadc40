"""The reference pages that are made from the code: the record, the Python names and the commands.

`make reference` writes them into docs/reference; a test fails where they are out of date.
"""

from __future__ import annotations

import dataclasses
import enum
import importlib
import inspect
import re
import sys
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path("docs/reference")
PLAIN = {"str": "string", "float": "number", "int": "integer", "bool": "boolean"}
NOTE = "<!-- Made by tools/reference.py from the code; change it there. -->"
FLAGS = (
    "The power of `energy-off` is the stated mean power where there is one: in a table its own column, in a record "
    "`power_w` of `given`; else the rated power.\n"
    "Energy that a publication measured may lie above rated power x hours, and is flagged: of the runs that a hub is "
    "seeded with this is OLMoE, whose 45.0 MWh without the PUE are 4.6 % more than 700 W for 61,440 hours."
)
FIGURES = (
    "The folder `figures` holds each as SVG, PNG and PDF, its points as CSV, and what lies over them (means) as "
    "`KEY_NAME.csv`; its folder `dark` holds the drawings on a dark ground.\n"
    "1 to 6b are those of the paper, the others are further ones.\n"
    "A figure is left out where the data give nothing to draw; its caption says why."
)


def main() -> int:
    """Exit code 0, after writing every page."""
    for name, make in PAGES.items():
        FOLDER.joinpath(name).write_text(make(), encoding="utf-8")
    return 0


def record_page() -> str:
    """Page of every field of every record."""
    from sootprint.core import quantity, records

    classes = [records.Footprint, quantity.Quantity, quantity.Factor]
    classes += [one for one in vars(records).values() if _is_record(one) and one not in classes]
    intro = (
        "One run, estimate or published claim is one `Footprint`, in JSON and in Python. "
        "`sootprint schema` prints the JSON Schema, and `sootprint schema --check FILE` validates a file.\n"
        "Unknown is `null` and its name is listed in `unknown`; it is never 0. "
        "Fields of a newer minor version are kept."
    )
    return _page("The record", intro, (_record(one) for one in classes))


def python_page() -> str:
    """Page of the names in `sootprint.__all__`."""
    import sootprint

    intro = "What `import sootprint` offers; each name loads on first use."
    return _page("Python names", intro, (_public(name) for name in sootprint.__all__))


def command_page() -> str:
    """Page of every command of the command line, with its arguments and options."""
    from typer.main import get_command

    from sootprint.cli import app

    intro = (
        "Every command answers `--help`. Exit codes: 0 it worked, 1 the thing failed, 2 wrong use; "
        "`sootprint run` exits with the code of the command that it ran.\n"
        "A file or folder that an option names for writing is looked at before any work is done for it: one that "
        "cannot be written is wrong use. Each file is written whole or not at all; where the disk runs full, which is "
        "a failure, a folder may hold the files that were done before."
    )
    return _page("Commands", intro, _commands("sootprint", get_command(app)))


def survey_page() -> str:
    """Page of the survey's columns, flags, figures and results."""
    from sootprint.survey import checks, keys, schema
    from sootprint.survey.figures import gallery

    def columns(of: Mapping[str, Any]) -> str:
        rows = [(f"`{name}`", one.unit or one.kind, one.doc) for name, one in of.items()]
        return _table(("column", "unit or kind", "meaning"), rows)

    intro = (
        "`sootprint survey` reads any table into these columns, and writes these results. "
        "A table is read by a [mapping file](../how-to/survey-your-own-table.md); "
        "how each number is made stands in [what the survey computes](../explanation/what-the-survey-computes.md).\n"
        "An empty cell is unknown, never 0."
    )
    flags = _table(("flag", "raised where"), [(f"`{name}`", text) for name, text in checks.FLAGS.items()])
    results = _table(("key", "holds"), [(f"`{name}`", text) for name, text in keys.KEYS.items()])
    figures = _table(("figure", "shows"), [(f"`{name}`", text) for name, text in gallery.TITLES.items()])
    sections = (
        f"## Columns that a table may bring\n\n{columns(schema.GIVEN)}",
        f"## Columns that are computed\n\n{columns(schema.DERIVED)}",
        f"## Flags\n\nA flag repairs nothing and drops nothing.\n\n{flags}\n\n{FLAGS}",
        f"## Figures\n\n{FIGURES}\n\n{figures}",
        f"## summary.json\n\nUnknown is `null`; maps keep the order that a reader wants.\n\n{results}",
    )
    return _page("The survey", intro, iter(sections))


def callbacks_page() -> str:
    """Page of the helpers of the training frameworks."""
    intro = (
        "Modules of `sootprint.callbacks`; each needs its framework only when it is used. "
        "[Pause a training](../how-to/pause-a-training.md) shows how they are used, and what they cost."
    )
    return _page("Callbacks", intro, (_callback(*one) for one in CALLBACKS))


def _callback(module: str, name: str) -> str:
    value = getattr(importlib.import_module(f"sootprint.callbacks.{module}"), name)
    parts = [f"## sootprint.callbacks.{module}", f"`{name}{_signature(value.__init__)}`", _first_line(value)]
    parts.append(_described(value))
    methods = [
        one for one in _methods(value) if not one[0].startswith(("`on_", "`setup", "`state_", "`load_"))
    ]
    return "\n\n".join([*parts, _table(("method", "gives"), methods)])


def compat_page() -> str:
    """Page of the interfaces of other tools."""
    intro = (
        "Modules of `sootprint.compat`: the interfaces of other tools over a run of ours. "
        "[Come from another tool](../how-to/come-from-another-tool.md) tells what changes, and what becomes of each "
        "argument."
    )
    return _page("Interfaces of other tools", intro, (_compat(*one) for one in COMPAT))


def _compat(module: str, names: tuple[str, ...]) -> str:
    home = importlib.import_module(f"sootprint.compat.{module}")
    parts = [f"## sootprint.compat.{module}", _first_line(home)]
    for name in names:
        value = getattr(home, name)
        taken = ", ".join(inspect.signature(value).parameters)
        parts += [f"### {name}", f"`{name}({taken})`", _first_line(value), _described(value)]
        methods = list(_methods(value)) if isinstance(value, type) else []
        parts.append(_table(("method", "gives"), methods) if methods else "")
    return "\n\n".join(part for part in parts if part)


COMPAT = (
    ("codecarbon", ("EmissionsTracker", "OfflineEmissionsTracker", "track_emissions")),
    ("codecarbon.emissions_tracker", ("TaskEmissionsTracker", "track_task_emissions")),
    ("codecarbon.output", ("EmissionsData",)),
    ("carbontracker", ("CarbonTracker",)),
    ("zeus", ("ZeusMonitor", "Measurement")),
)
CALLBACKS = (
    ("torch", "Training"),
    ("lightning", "SootprintCallback"),
    ("transformers", "SootprintCallback"),
    ("keras", "SootprintCallback"),
)
PAGES: dict[str, Callable[[], str]] = {
    "callbacks.md": callbacks_page,
    "commands.md": command_page,
    "compat.md": compat_page,
    "python.md": python_page,
    "record.md": record_page,
    "survey.md": survey_page,
}


def arguments(docstring: str) -> dict[str, str]:
    """Meaning of each argument in the `Args:` section of a docstring."""
    section = re.search(r"^Args:\n((?:    .*\n?|\n)*)", inspect.cleandoc(docstring) + "\n", re.MULTILINE)
    entries = re.findall(r"^    (\w+): ((?:.|\n(?=     ))*)", section[1] if section else "", re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}


def _page(title: str, intro: str, sections: Iterator[str]) -> str:
    return "\n\n".join([NOTE, f"# {title}", intro, *sections]) + "\n"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines)


def _is_record(one: Any) -> bool:
    return isinstance(one, type) and dataclasses.is_dataclass(one)


def _record(record: Any) -> str:
    described = arguments(record.__doc__ or "")
    rows = []
    for spec in dataclasses.fields(record):
        meaning = spec.metadata.get("doc") or described[spec.name]
        rows.append((f"`{spec.name}`", _type(str(spec.type)), meaning + _rules(spec.metadata)))
    title = f"## {record.__name__}\n\n{_first_line(record)}\n\n"
    return title + _table(("field", "type", "meaning"), rows)


def _rules(metadata: Mapping[str, Any]) -> str:
    words = [f"at least {metadata['minimum']:g}"] if "minimum" in metadata else []
    words += [f"at most {metadata['maximum']:g}"] if "maximum" in metadata else []
    words += ["one of " + ", ".join(metadata["one_of"])] if "one_of" in metadata else []
    return f" {'; '.join(words)[:1].upper() + '; '.join(words)[1:]}." if words else ""


def _type(annotation: str) -> str:
    if annotation.endswith(" | None"):
        return _type(annotation.removesuffix(" | None")) + " or null"
    if annotation.startswith("tuple["):
        return "list of " + _type(annotation.removeprefix("tuple[").removesuffix(", ...]"))
    if annotation.startswith("dict["):
        return "object"
    return PLAIN.get(annotation) or f"[{annotation}](#{annotation.lower()})"


def _public(name: str) -> str:
    import sootprint

    value = getattr(sootprint, name)
    if isinstance(value, str):
        return f"## {name}\n\nVersion of the package."
    signature = _signature(value) if inspect.isfunction(value) else ""
    home = importlib.import_module("sootprint")._HOMES.get(name, "sootprint")
    parts = [f"## {name}", f"`{name}{signature}`" if signature else f"Class of `{home}`.", _first_line(value)]
    if described := _described(value):
        parts.append(described)
    methods = list(_methods(value)) if isinstance(value, type) else []
    if methods:
        parts.append(_table(("method", "gives"), methods))
    return "\n\n".join(parts)


def _described(value: Any) -> str:
    """Table of the arguments of a function or class, or "" where it has none."""
    described = arguments(value.__doc__ or "")
    rows = [(f"`{key}`", text) for key, text in described.items()]
    return _table(("argument", "meaning"), rows) if rows else ""


def _methods(owner: type) -> Iterator[tuple[str, ...]]:
    own = [
        one
        for one in owner.__mro__
        if one is owner or one.__module__.startswith(("sootprint.callbacks", "sootprint.compat"))
    ]
    for name, member in dict(pair for one in reversed(own) for pair in vars(one).items()).items():
        if not name.startswith("_") and (
            inspect.isfunction(member) or isinstance(member, property | classmethod)
        ):
            yield f"`{name}{_signature(member)}`", _first_line(member)


def _signature(member: Any) -> str:
    function = getattr(member, "__func__", member)
    if not inspect.isfunction(function):
        return ""
    written = re.sub(r"^\((self|cls)(, )?", "(", str(inspect.signature(function)))
    return re.sub(r"(: |-> )'([^']+)'", r"\1\2", written)


def _first_line(documented: Any) -> str:
    return (inspect.getdoc(documented) or "").split("\n\n")[0].replace("\n", " ")


def _commands(path: str, command: Any) -> Iterator[str]:
    if hasattr(command, "commands"):
        for name, below in command.commands.items():
            if not below.hidden:
                yield from _commands(f"{path} {name}", below)
        return
    # A help text of examples alone loses its indent where Typer cleans it.
    told = re.sub(r"^(?=sootprint )", "    ", inspect.cleandoc(command.help or ""), flags=re.MULTILINE)
    parts = [f"## {path}", told]
    hints = typing.get_type_hints(command.callback)
    rows = [
        (_usage(one, hints.get(one.name)), " ".join((getattr(one, "help", None) or "").split()))
        for one in command.params
        if one.name != "help"
    ]
    if rows:
        parts.append(_table(("argument or option", "meaning"), rows))
    yield "\n\n".join(parts)


def _usage(parameter: Any, hint: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.metavar or parameter.name.upper()}`"
    value = f" {parameter.metavar or _choices(hint)}".rstrip()
    return ", ".join(f"`{name}{value}`" for name in (*parameter.opts, *parameter.secondary_opts))


def _choices(hint: Any) -> str:
    options = [hint, *typing.get_args(hint)]
    choices = next((one for one in options if isinstance(one, type) and issubclass(one, enum.Enum)), ())
    return "|".join(str(choice.value) for choice in choices)


if __name__ == "__main__":
    sys.exit(main())
