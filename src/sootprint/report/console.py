"""The report on a terminal, and the same as plain text."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Column
from rich.table import Table as Grid
from rich.text import Text

from sootprint.core.records import Footprint
from sootprint.report.content import Alert, Figure, Report, report
from sootprint.report.kin import Kin
from sootprint.report.parts import Section, Table

TEXT_WIDTH = 96
BRIEF = ("waiting", "sharing", "energy", "warnings", "gaps")
INDENT = (0, 0, 0, 2)


def renderable(footprint: Footprint, *, brief: bool = False, kin: Kin | None = None) -> RenderableType:
    """Report of a record for a terminal, short or with all but the details."""
    made = report(footprint, kin)
    shown = [part for part in made.sections if (part.key in BRIEF if brief else not part.detail)]
    return Group(*_head(made), *body(shown))


def text(footprint: Footprint, kin: Kin | None = None, width: int | None = None) -> str:
    """Report of a record as plain text, without colour and with the details."""
    made = report(footprint, kin)
    return plain((*_head(made), *body(made.sections)), width)


def plain(parts: Iterable[RenderableType], width: int | None = None) -> str:
    """Parts of a document as plain text of so many columns, 96 at most and where None."""
    columns = min(TEXT_WIDTH, width or TEXT_WIDTH)
    console = Console(file=io.StringIO(), width=columns, color_system=None, legacy_windows=False)
    with console.capture() as capture:
        console.print(Group(*parts))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def _head(made: Report) -> Iterator[RenderableType]:
    yield Text.assemble((made.title, "bold"), f"   {made.about}" if made.about else "")
    if made.alert is not None:
        yield _loud(made.alert)
    yield Padding(_figures(made.figures), INDENT, expand=False)
    if made.equation is not None:
        yield Padding(Text(made.equation, style="dim"), INDENT, expand=False)


def _loud(alert: Alert) -> RenderableType:
    said = Text(f"{alert.title.upper() if len(alert.title) < 16 else alert.title}.", style="bold yellow")
    if alert.fix:
        said.append(f"\n{alert.fix}.", style="not bold yellow")
    return Panel(said, box=box.HEAVY, border_style="yellow", padding=(0, 1))


def _figures(figures: tuple[Figure, ...]) -> RenderableType:
    grid = Grid.grid(padding=(0, 2))
    for figure in figures:
        is_first = figure is figures[0]
        grid.add_row(
            figure.label, Text(figure.value, style="bold green" if is_first else "bold"), Text(figure.note)
        )
    return grid


def body(sections: Iterable[Section]) -> Iterator[RenderableType]:
    """Sections for a terminal, one below the other."""
    for section in sections:
        yield Text(f"\n{section.title}", style="bold")
        yield Padding(Group(*_section(section)), INDENT, expand=False)


def _section(section: Section) -> Iterator[RenderableType]:
    if section.lead:
        yield Text(section.lead)
    if section.table is not None:
        yield _table(section.table)
    if section.picture:
        yield Text("\n".join(section.picture), no_wrap=True, overflow="crop")
    if section.items:
        bullets = Grid.grid(padding=(0, 1))
        for item in section.items:
            bullets.add_row("-", Text(item, style="yellow" if section.key == "warnings" else ""))
        yield bullets


def _table(shown: Table) -> RenderableType:
    columns = [
        Column(name, justify="right" if index in shown.numbers else "left", overflow="fold")
        for index, name in enumerate(shown.columns)
    ]
    grid = Grid(*columns, box=None, padding=(0, 2, 0, 0), header_style="dim", show_header=any(shown.columns))
    for row in shown.rows:
        is_total = shown.total and row is shown.rows[-1]
        grid.add_row(*(Text(cell) for cell in row), style="bold" if is_total else None)
    return Group(Text(shown.caption, style="dim"), grid)
