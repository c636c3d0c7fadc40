"""`sootprint advise`: what would make a run or a plan emit less."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sootprint.cli import figures, lookup, options, output, shell

if TYPE_CHECKING:
    from rich.table import Table

    from sootprint.core.quantity import Quantity
    from sootprint.core.records import Footprint
    from sootprint.estimator.advice import Advice, Combined, Measure
    from sootprint.estimator.advice.score import Score

_NO_EVIDENCE = "no evidence: "
COMPARE = f"{_NO_EVIDENCE}measure with `compare`"
_GROUPS = {
    "no evidence": "No evidence",
    "refused": "Refused",
    "not here": "Does not apply here",
}
Subject = Annotated[
    str | None,
    typer.Argument(
        metavar="RUN|FILE",
        help="Run (id, start or end of it, name, or `latest`), JSON record, or - for standard input.",
    ),
]
Zones = Annotated[
    str | None,
    typer.Option(
        "--only-zones",
        metavar="A,B",
        help="Places that the work may move to, e.g. DE,FR; else all cloud regions.",
    ),
]
With = Annotated[
    str | None,
    typer.Option("--with", metavar="A,B", help="Measures to take together; what they leave is multiplied."),
]
Keep = Annotated[
    bool, typer.Option("--keep", help="Keep the advice in the run's record, to be scored later.")
]
ScoreOption = Annotated[
    str | None,
    typer.Option(
        "--score", metavar="RUN", help="Run that followed an advice: compare promise and measurement."
    ),
]
Against = Annotated[
    str | None, typer.Option("--against", metavar="RUN", help="With --score: the run that was advised on.")
]
Chart = Annotated[
    Path | None,
    typer.Option(
        "--chart",
        metavar="FILE",
        parser=options.new_chart,
        help="Draw what each measure would save, as .svg, .png or .pdf (extra: charts).",
    ),
]


def advise(
    run: Subject = None,
    only_zones: Zones = None,
    chosen: With = None,
    keep: Keep = False,
    score: ScoreOption = None,
    against: Against = None,
    chart: Chart = None,
    json: options.Json = False,
) -> None:
    r"""Say what would make a run or a plan emit less.

    Each measure has its saving with an interval, its time, its evidence and where it holds; where there is no
    evidence, it says so. What costs no time comes first, then what saves most for an hour of delay.

        sootprint advise latest
        sootprint predict --params 7e9 --tokens 2e12 --hardware A100 --zone DE \
            --json | sootprint advise -
        sootprint advise baseline --only-zones DE,FR --with region,power_cap
        sootprint advise latest --chart advice.svg
        sootprint advise --score second --against baseline
    """
    names = _listed(chosen)
    if score is not None or against is not None:
        if chart is not None:
            shell.wrong("--chart draws an advice, and --score makes none: leave one of the two out")
        _score(score, against, names, json=json, keep=keep, run=run)
        return
    if run is None:
        shell.wrong(
            "no run is named: give a run, a file, or - for standard input, e.g. `sootprint advise latest`"
        )
    from sootprint.estimator.advice import advise as made_by

    record = lookup.record(run)
    zones = None if only_zones is None else _listed(only_zones)
    if zones == []:
        shell.wrong("--only-zones is empty: name the places that the work may move to, e.g. DE,FR")
    advice = made_by(record, only_zones=zones, chosen=names)
    if keep:
        from sootprint.estimator.advice.score import kept

        _store(run, kept(record, advice))
    if chart is not None:
        _draw(advice, chart)
    if json:
        output.print_json(advice)
        return
    _print(advice, record.name or _device(record))


def _draw(advice: Advice, path: Path) -> None:
    """Draw the measures that save into a file.

    Raises:
        MissingExtraError: The chart library is not installed.
    """
    from sootprint import charts
    from sootprint.charts.advised import of_measures

    drawn = charts.savings_by_measure(of_measures(advice.measures))
    if drawn is None:
        shell.wrong("no measure saves for certain: there is nothing to draw, leave out --chart")
    charts.save(drawn, path, theme="web")


def _device(record: Footprint) -> str:
    return f"an estimate on {record.hardware[0].name}" if record.hardware else record.id


def _listed(text: str | None) -> list[str]:
    return [one.strip() for one in (text or "").split(",") if one.strip()]


def _store(ref: str, changed: Footprint) -> None:
    """Keep a changed record as a new version of a run.

    Raises:
        InputError: The record came from a file.
    """
    from sootprint.ledger import keep as keep_in

    if lookup.is_file(ref):
        shell.wrong(f"--keep changes a run of the ledger, and {ref} is a file: leave --keep out")
    with lookup.ledger() as ledger:
        state, home = ledger.state(changed.id), ledger.home
    keep_in(home, changed, state=state, timeout_s=5.0)


def _score(
    after: str | None, before: str | None, names: list[str], *, json: bool, keep: bool, run: str | None
) -> None:
    if after is None or before is None or run is not None:
        shell.wrong("--score RUN and --against RUN go together, without another run beside them")
    from sootprint.estimator.advice.score import score, scored

    second, first = lookup.record(after), lookup.record(before)
    made = score(second, first, names=names)
    if keep or not lookup.is_file(after):
        _store(after, scored(second, made))
    if json:
        output.print_json(made)
        return
    _print_score(made, second.name or second.id, first.name or first.id)


def _print(advice: Advice, name: str) -> None:
    from rich.text import Text

    console = output.console()
    words = figures.emissions(advice.emissions_kg)
    console.print(
        Text.assemble(("Advice", "bold"), f" for {shell.printable(name)}: {words} CO2e, operational\n")
    )
    saving = [one for one in advice.measures if one.status == "saves"]
    if saving:
        console.print(_table(saving))
        console.print()
        console.print(_reasons(saving))
    else:
        console.print("Nothing saves for certain.")
    for status, title in _GROUPS.items():
        listed = [one for one in advice.measures if one.status == status]
        if listed:
            console.print(Text(f"\n{title}", style="bold"))
            console.print(output.marked(*_why(listed), style="dim", indent=1))
    if advice.combined is not None:
        _print_combined(advice.combined)
    console.print()
    console.print(output.marked(*((output.WARNING, one) for one in advice.warnings)))


def _table(measures: list[Measure]) -> Table:
    from sootprint.charts.advised import time_words

    table = output.table(
        "", "measure", "saves", "90 %", "share", "time", right=("", "saves", "share", "time")
    )
    for number, one in enumerate(measures, start=1):
        share = "" if one.saving_share is None else _percent(one.saving_share.value)
        output.add_row(
            table,
            str(number),
            one.name,
            *_mass(one.saving_kg),
            share,
            time_words(one.time_factor, one.wait_h),
        )
    return table


def _reasons(measures: list[Measure]) -> Table:
    lines = []
    for number, one in enumerate(measures, start=1):
        told = f"{one.action}.\nEvidence ({one.tier}): {one.evidence}.\nHolds: {one.boundary}."
        lines.append((str(number), told))
    return output.marked(*lines, indent=0)


def _why(measures: list[Measure]) -> list[tuple[str, str]]:
    """Names with the reason why they save nothing; those that have none of their own share a line."""
    plain = [one.name for one in measures if one.evidence == COMPARE]
    told = [
        (one.name, one.evidence.removeprefix(_NO_EVIDENCE)) for one in measures if one.evidence != COMPARE
    ]
    return [*told, ("others", f"{COMPARE.removeprefix(_NO_EVIDENCE)}: {', '.join(plain)}")] if plain else told


def _print_combined(combined: Combined) -> None:
    from rich.text import Text

    from sootprint.charts.advised import time_words

    console = output.console()
    words = figures.Words(*_mass(combined.saving_kg))
    title = Text.assemble(("\nTogether", "bold"), f": {', '.join(combined.names)}")
    share, time = combined.saving_share, time_words(combined.time_factor, combined.wait_h)
    console.print(title)
    console.print(
        f"  saves {words}, {_percent(share.value)}{_percents(share)}; time {time}. "
        f"Added up they would claim {_percent(combined.sum_of_shares)}."
    )
    console.print(output.marked(*(("-", note) for note in combined.notes), style="dim", indent=1))


def _print_score(made: Score, name: str, before: str) -> None:
    console = output.console()
    words = figures.Words(*_mass(made.saving_kg))
    console.print(
        f"{shell.printable(name)} against {shell.printable(before)}, per {made.per.removesuffix('s')}"
    )
    table = output.table("saving", "share", "90 %", right=("share",))
    for label, share in (("predicted", made.predicted_share), ("measured", made.measured_share)):
        output.add_row(table, label, _percent(share.value), _percents(share).strip(" ()"))
    console.print(table)
    console.print(f"{made.verdict} ({words} by {', '.join(made.names)})")


def _mass(saving_kg: Quantity | None) -> tuple[str, str]:
    """A saving in words; a negative one is a cost and keeps its sign."""
    from dataclasses import replace

    if saving_kg is None or saving_kg.value >= 0.0:
        return tuple(figures.emissions(saving_kg))  # type: ignore[return-value]
    low, high = saving_kg.high, saving_kg.low
    turned = replace(
        saving_kg,
        value=-saving_kg.value,
        low=None if low is None else -low,
        high=None if high is None else -high,
    )
    shown = figures.emissions(turned)
    return f"-{shown.value}", "" if not shown.interval else f"-({shown.interval})"


def _percent(share: float) -> str:
    return f"{100.0 * share:.3g} %" if abs(share) < 0.995 else f"{100.0 * share:.4g} %"


def _percents(share: Quantity) -> str:
    if share.low is None or share.high is None:
        return ""
    return f" ({100.0 * share.low:.3g} to {100.0 * share.high:.3g} %)"
