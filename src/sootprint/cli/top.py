"""`sootprint top`: the runs that are being measured, live."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sootprint.cli import figures, options, output, shell, waits

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sootprint.tracker.live import LiveRun

REFRESH_S = 1.0
HISTORY = 40  # points of the power's course
BAR = 20
_BLOCKS = "▁▂▃▄▅▆▇█"
Once = Annotated[
    bool, typer.Option("--once", help="Print one frame and stop, as where the output is no terminal.")
]


def top(once: Once = False, json: options.Json = False) -> None:
    """Watch the runs that are being measured now.

    Ctrl-C ends the view. Power is the mean of the last step; energy and emissions are those since the start. Jobs that
    wait for a cleaner time follow; with --json the state of those is waiting, and that of a run live.

        sootprint top
        sootprint top --once --json
    """
    from sootprint import settings
    from sootprint.runner.waits import waiting
    from sootprint.tracker.live import LiveRun, live_runs

    home = settings.load().home
    if json:
        live = [output.fields(run) | {"state": "live", "waits": None} for run in live_runs(home)]
        names = [one.name for one in dataclasses.fields(LiveRun)]
        output.print_json([*live, *(waits.row(one, names) for one in waiting(home))])
        return
    console = output.console()
    if once or not console.is_terminal:
        console.print(_frame(home))
        return
    _watch(home, console)


def _watch(home: Path, console: Any) -> None:
    """Redraw until the person stops it."""
    from rich.live import Live

    try:
        with Live(_frame(home), console=console, auto_refresh=False, screen=True) as view:
            while True:
                time.sleep(REFRESH_S)
                view.update(_frame(home), refresh=True)
    except KeyboardInterrupt:
        console.print(_frame(home))


def _frame(home: Path) -> RenderableType:
    """Everything that is live, as of the last flush."""
    from rich.console import Group
    from rich.text import Text

    from sootprint.runner.waits import waiting
    from sootprint.tracker.live import live_runs

    runs, planned = live_runs(home), [waits.line(one) for one in waiting(home)]
    if not runs:
        idle = Text("Nothing is being measured now. `sootprint run -- COMMAND` starts it.", style="dim")
        return Group(idle, *planned)
    count = "1 run" if len(runs) == 1 else f"{len(runs)} runs"
    head = Text.assemble((count, "bold"), " being measured, as of the last flush")
    names = {run.id: _name(run) for run in runs}
    panels = (_panel(run, _course(home, run.id), part_of=names.get(run.parent or "")) for run in runs)
    return Group(head, *panels, *planned)


def _name(run: LiveRun) -> str:
    return shell.printable(run.name or run.id[-8:])


def _panel(run: LiveRun, course_w: list[float], *, part_of: str | None) -> RenderableType:
    from rich import box
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text

    place = (run.zone, "") if run.zone else ("place unknown", "yellow")
    emitted = figures.emissions(run.emissions_kg)
    totals = Text.assemble(
        (f"{emitted.value} CO2e", "bold"),
        f" ({emitted.interval})   {figures.energy(run.energy_kwh)}   ",
        place,
    )
    course = Text.assemble(("power  ", "dim"), (sparkline(course_w), "green"), ("  to now", "dim"))
    parts: list[RenderableType] = [totals, *([course] if len(course_w) > 1 else []), _bars(run)]
    if run.forecast is not None:
        parts.insert(1, _forecast(run.forecast))
    elif run.unheard is not None:
        parts.insert(1, Text(shell.printable(run.unheard), style="yellow"))
    part = f"  part of {part_of}" if part_of else ""
    title = Text.assemble((_name(run), "bold"), f"  {figures.duration(run.duration_s)}", (part, "dim"))
    return Panel(Group(*parts), title=title, title_align="left", box=box.ROUNDED, padding=(0, 1))


def _forecast(made: dict[str, Any]) -> RenderableType:
    """The whole run as it is foreseen now."""
    from rich.text import Text

    from sootprint.core.quantity import Quantity

    energy = figures.energy(Quantity(**made["energy_kwh"]))
    emitted = made["emissions_kg"] and figures.emissions(Quantity(**made["emissions_kg"]))
    carbon = f"{emitted.value} CO2e, " if emitted else ""
    time = figures.duration(made["duration_s"]["value"])
    done = f"{figures.percent(made['progress'])} of {shell.printable(made['expected'])} done"
    if earlier := made["earlier_runs"]:
        done += f", with {earlier} earlier {'run' if earlier == 1 else 'runs'}"
    return Text.assemble(("in all  ", "dim"), (f"{carbon}{energy} in {time}", "bold"), (f"   {done}", "dim"))


def _bars(run: LiveRun) -> RenderableType:
    """Power of each component beside its share of the run's power, and how busy it is."""
    from rich.table import Table

    from sootprint.report.figures import share

    table = Table.grid(padding=(0, 2))
    for justify in ("left", "left", "right", "right"):
        table.add_column(justify=justify)
    most_w = max(run.power_w.values(), default=0.0)
    for component, power_w in sorted(run.power_w.items(), key=lambda item: -item[1]):
        filled = round(BAR * power_w / most_w) if most_w > 0.0 else 0
        busy = run.utilisation.get(component)
        bar = f"[cyan]{'━' * filled}[/][dim]{'─' * (BAR - filled)}[/]"
        table.add_row(component, bar, f"{power_w:,.1f} W", "" if busy is None else f"{share(busy)} busy")
    return table


def sparkline(course_w: list[float]) -> str:
    """Course of a power in block characters, the highest the full block.

    >>> sparkline([0.0, 50.0, 100.0])
    '▁▅█'
    """
    most_w = max(course_w, default=0.0)
    if most_w <= 0.0:
        return _BLOCKS[0] * len(course_w)
    return "".join(_BLOCKS[round((len(_BLOCKS) - 1) * max(0.0, power_w) / most_w)] for power_w in course_w)


def _course(home: Path, run_id: str) -> list[float]:
    """Power at the run's last looks, `(n,)`, the oldest first [W]; empty where the journal tells none."""
    from sootprint.core.errors import RecordError
    from sootprint.tracker.fold import Fold
    from sootprint.tracker.journal import SUFFIX, read_lines

    fold, course_w, seen_s = Fold(), [], 0.0
    try:
        for line in read_lines(home / "journal" / f"{run_id}{SUFFIX}"):
            if line.content is not None:
                fold.apply(line.content)
            if fold.last_s > seen_s:
                seen_s = fold.last_s
                course_w.append(fold.power_w())
    except (RecordError, OSError):  # it ended meanwhile
        return []
    return course_w[-HISTORY:]
