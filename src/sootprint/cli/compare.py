"""`sootprint compare`: runs, estimates and published cases side by side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sootprint.cli import figures, lookup, options, output, shell

if TYPE_CHECKING:
    from rich.console import Console

    from sootprint.core.quantity import Quantity
    from sootprint.core.records import Footprint
    from sootprint.estimator.compare import Difference, Side, Target, ToolFigure
    from sootprint.ledger.rows import RunRow

NAMES = {
    "energy_kwh": "energy",
    "emissions_kg": "CO2e",
    "duration_s": "time",
    "cost": "cost",
}
HUGE = 1e7  # a ratio from which a power of ten is shorter
FAR = 10.0  # a ratio beyond, or below its inverse, is told as how many times
NARROW = 100  # columns below which the notes tell what makes a tool's figure
_STYLES = {"less": "green", "more": "red", "refused": "yellow", "not known": "yellow"}
Subjects = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN|FILE...",
        help="Runs (id, name, `latest`), JSON records, or claims as `audit` reads them; the first counts as A.",
    ),
]
TargetOption = Annotated[
    str | None,
    typer.Option(
        "--target",
        metavar="METRIC=VALUE",
        help="Also what it took until a metric of run.log reached a value, e.g. accuracy=0.97.",
    ),
]
By = Annotated[
    str | None,
    typer.Option(
        "--by", metavar="WHAT", help="One side for each name, or tag:KEY; else runs of one name are a side."
    ),
]
Every = Annotated[
    bool, typer.Option("--all", help="All runs of each name, such as seeds, in place of the newest one.")
]
Tools = Annotated[
    bool, typer.Option("--tools", help="One run under the formulas of other tools: why they disagree.")
]
Chart = Annotated[
    Path | None,
    typer.Option(
        "--chart",
        metavar="FILE",
        parser=options.new_chart,
        help="With --tools: draw it as SVG, PNG or PDF (extra `charts`).",
    ),
]


def compare(
    subjects: Subjects,
    target: TargetOption = None,
    by: By = None,
    every: Every = False,
    tools: Tools = False,
    chart: Chart = None,
    json: options.Json = False,
) -> None:
    """Compare runs, estimates and published cases: energy, emissions, time and cost, with their intervals.

    A difference whose interval straddles zero is no measurable difference. Equal quality is not said where a result
    fell, robustness and fairness included. Emissions by intensities of different method are not ranked. Several runs
    of one name, such as seeds, are one side; --all takes all that there are.

        sootprint compare baseline pruned --target accuracy=0.97
        sootprint compare baseline pruned --all
        sootprint compare latest paper.yaml
        sootprint compare a1 a2 b1 b2 --by tag:variant --json
        sootprint compare latest --tools --chart tools.svg
    """
    if tools:
        _tools(subjects, chart, json=json, others=(target, by, every or None))
        return
    if chart is not None:
        shell.wrong("--chart draws the tools' figures: add --tools, or leave it out")
    from sootprint.estimator import compare as comparing

    named = [(ref, record) for ref in _meant(subjects, every=every) for record in _records(ref)]
    sides = comparing.grouped(named, by=by)
    wanted = comparing.target_of(target) if target else None
    if wanted is not None:
        from sootprint.estimator.compare.targets import check

        check(wanted, [record for _, record in named])
    if json:
        output.print_json(_data(sides, wanted))
    else:
        _print(sides, wanted)


def _meant(refs: list[str], *, every: bool) -> list[str]:
    """What is compared: of a name of several runs the newest, and a line says so, or all, the oldest first."""
    if all(lookup.is_file(ref) for ref in refs):
        return refs
    with lookup.ledger() as ledger:
        rows = ledger.runs()
    meant = []
    for ref in refs:
        found = [] if lookup.is_file(ref) else _of_name(rows, ref)
        if len(found) > 1 and not every:
            shell.say(f"of {len(found)} runs named {ref} the newest is compared; --all compares all of them")
        meant += found[::-1] if every and found else [ref]
    return meant


def _of_name(rows: list[RunRow], name: str) -> list[str]:
    """Runs of a name, the newest first, but for those whose energy another one of them includes."""
    named = {row.id for row in rows if row.name == name}
    return [row.id for row in rows if row.id in named and row.part_of not in named]


def _records(ref: str) -> list[Footprint]:
    """Records of a run, a JSON record, or a file of claims.

    Raises:
        InputError: The file cannot be read, or holds no claim.
    """
    claims = ref != "-" and not ref.endswith(".json") and Path(ref).is_file()
    if not claims and not (ref.endswith(".json") and '"schema"' not in lookup.text_of(ref)):
        return [lookup.record(ref)]
    from sootprint.estimator import audit as auditing

    return [auditing.record_of(claim) for claim in auditing.read(lookup.text_of(ref), name=Path(ref).name)]


def _data(sides: list[Side], target: Target | None) -> dict[str, Any]:
    """Comparison of every side with the first, for other programs."""
    from sootprint.estimator import compare as comparing

    first = sides[0]
    return {
        "sides": [{"label": side.label, "runs": [run.id for run in side.runs]} for side in sides],
        "target": None if target is None else target._asdict(),
        "reached": None
        if target is None
        else {side.label: [comparing.reached(run, target) for run in side.runs] for side in sides},
        "comparisons": [
            {
                "a": first.label,
                "b": other.label,
                "differences": comparing.differences(first, other, target=target),
                "quality": comparing.quality(first, other),
            }
            for other in sides[1:]
        ],
    }


def _print(sides: list[Side], target: Target | None) -> None:
    from rich.text import Text

    from sootprint.estimator import compare as comparing

    console, first = output.console(), sides[0]
    for other in sides[1:]:
        console.print(Text.assemble("A ", _side(first), ("   B ", "default"), _side(other)))
        found = comparing.differences(first, other, target=target)
        _print_table(console, found, (first, other), target)
        quality = comparing.quality(first, other)
        console.print(
            Text(
                f"Quality: {shell.printable(quality.verdict)}.", style="green" if quality.equal else "yellow"
            )
        )
        for note in _notes(found):
            console.print(Text(f"! {note[:1].upper()}{note[1:]}.", style="dim"))
        console.print()


def _notes(found: list[Difference]) -> Iterator[str]:
    """What must be known of the verdicts, each once; of one quantity with its name."""
    told: dict[str, list[str]] = {}
    for one in found:
        if one.why:
            told.setdefault(one.why, []).append(NAMES[one.of.removesuffix("_to_target")])
    for why, names in told.items():
        yield f"{names[0]}: {why}" if len(names) == 1 else why


def _side(side: Side) -> Any:
    from rich.text import Text

    runs = f" ({len(side.runs)} runs)" if len(side.runs) > 1 else ""
    return Text.assemble((shell.printable(side.label), "bold"), runs)


def _print_table(
    console: Console, found: list[Difference], sides: tuple[Side, Side], target: Target | None
) -> None:
    from rich.text import Text

    table = output.table(
        "", "A", "B", "B over A", "90 %", "verdict", right=("A", "B", "B over A"), wraps=("verdict",)
    )
    for one in found:
        if target is not None and one.of == "energy_kwh_to_target":
            table.add_section()
            output.add_row(
                table, f"until {target.metric} is {target.value:g}", "", "", "", "", "", style="dim"
            )
        name = one.of.removesuffix("_to_target")
        output.add_row(
            table,
            NAMES[name],
            _amount(name, one.a, sides[0]),
            _amount(name, one.b, sides[1]),
            figures.DASH if one.ratio is None else _change(one.ratio.value),
            _interval(one.ratio),
            Text(one.verdict, style=_STYLES.get(one.verdict, "")),
        )
    console.print(table)


def _amount(name: str, value: float | None, side: Side) -> str:
    """Mean of a side, with the digits that the interval of its first run supports."""
    from sootprint.core import intervals
    from sootprint.core.quantity import Quantity

    if value is None:
        return figures.DASH
    known = getattr(side.runs[0], name)
    spread = known if isinstance(known, Quantity) and known.value > 0.0 else Quantity(value=value)
    quantity = intervals.scaled(spread, value / spread.value) if value > 0.0 else Quantity(value=value)
    if name == "energy_kwh":
        return figures.energy(quantity).value
    if name == "emissions_kg":
        return figures.emissions(quantity).value
    return figures.duration(value) if name == "duration_s" else _cost(quantity, side)


def _cost(quantity: Quantity, side: Side) -> str:
    """Mean cost of a side in its currency; without it where nothing tells it."""
    from sootprint.core.currency import common_currency

    return figures.in_unit(quantity, shell.printable(common_currency(side.runs) or "")).value


def _interval(ratio: Quantity | None) -> str:
    if ratio is None or ratio.low is None or ratio.high is None:
        return ""
    if ratio.low == ratio.high:
        return "exact"
    is_far = any(_is_far(end) for end in (ratio.low, ratio.high))
    return _joined(*((_times if is_far else _percent)(end) for end in (ratio.low, ratio.high)))


def _joined(low: str, high: str) -> str:
    """Ends of an interval with the sign that they share said once.

    >>> _joined("-5 %", "+2.1 %"), _joined("x 11", "x 20")
    ('-5 to +2.1 %', 'x 11 to 20')
    """
    return f"{low.removesuffix(' %')} to {high.removeprefix('x ')}"


def _change(ratio: float) -> str:
    """Change of a ratio in percent, or how many times where that is far; three digits.

    >>> _change(1.657), _change(0.32), _change(1.0), _change(17340.0), _change(0.00251)
    ('+65.7 %', '-68 %', '+0 %', 'x 17,300', 'x 0.00251')
    >>> _change(7.83e10)
    'x 7.83e+10'
    """
    return _times(ratio) if _is_far(ratio) else _percent(ratio)


def _is_far(ratio: float) -> bool:
    return not FAR >= ratio >= 1.0 / FAR


def _percent(ratio: float) -> str:
    return f"{float(f'{100.0 * (ratio - 1.0):.3g}'):+,.10g} %"


def _times(ratio: float) -> str:
    return f"x {float(f'{ratio:.3g}'):,.10g}" if ratio < HUGE else f"x {ratio:.3g}"


def _tools(subjects: list[str], chart: Path | None, *, json: bool, others: tuple[Any, ...]) -> None:
    """View of one record under each tool's formula."""
    if len(subjects) != 1 or any(others):
        shell.wrong("--tools is for one run: name one, without --target, --by and --all")
    from sootprint.estimator.compare import by_tools

    found = by_tools(lookup.record(subjects[0]))
    if chart is not None:
        from sootprint import charts

        drawn = charts.emissions_by_tool(found)
        if drawn is None:
            shell.wrong("no tool has a figure for this run: there is nothing to draw, leave out --chart")
        charts.save(drawn, chart, theme="web")
    if json:
        output.print_json({"tools": found})
        return
    _print_tools(found)


def _print_tools(found: list[ToolFigure]) -> None:
    from rich.text import Text

    console = output.console()
    narrow = console.width < NARROW
    columns = ("tool", "devices", "host", "PUE", "CO2e", "over ours", "what makes it", "")
    shown = tuple(name for name in columns if not (narrow and name == "what makes it"))
    table = output.table(*shown, right=columns[1:6], wraps=("what makes it",))
    for number, one in enumerate(found, start=1):
        cells = dict(zip(columns, (*_figures(one), f"[{number}]"), strict=True))
        style = "dim" if one.device_kwh is None else "bold" if number == 1 else None
        output.add_row(table, *(cells[name] for name in shown), style=style)
    console.print(table)
    console.print(
        Text("\nAll take the carbon intensity of the record; their own tables differ, too.", style="dim")
    )
    notes = [(f"[{number}]", _note(one, whole=narrow)) for number, one in enumerate(found, start=1)]
    console.print(output.marked(*notes, style="dim"))


def _figures(one: ToolFigure) -> tuple[str, ...]:
    """Cells of a tool, without its number."""
    from sootprint.core.quantity import Quantity

    if one.device_kwh is None:
        return (one.tool, figures.DASH, "", "", "", "", one.why_not)
    return (
        one.tool,
        figures.energy(Quantity(value=one.device_kwh)).value,
        figures.energy(Quantity(value=one.host_kwh)).value if one.host_kwh else figures.DASH,
        f"{one.pue:.3g}",
        figures.emissions(Quantity(value=one.emissions_kg or 0.0)).value,
        "" if one.over_ours is None else f"{one.over_ours:.2f}",
        one.makes_it,
    )


def _note(one: ToolFigure, *, whole: bool) -> str:
    """Formula and source of a tool; the whole also has what makes its figure, for which a table may be too narrow."""
    made = f", made by {one.makes_it}" if one.makes_it else ""
    made = f", without a figure as {one.why_not}" if one.device_kwh is None else made
    return f"{one.tool}{made if whole else ''}: {one.formula}. {one.source}"
