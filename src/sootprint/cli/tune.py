"""`sootprint tune`: joules per sample of a training at other batch sizes, precisions and numbers of workers."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sootprint.cli import figures, options, output, shell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sootprint.core.quantity import Quantity
    from sootprint.estimator.tuning.choose import Outcome
    from sootprint.estimator.tuning.plan import Probe
    from sootprint.estimator.tuning.slices import Slice


class By(StrEnum):
    """What settings are compared by."""

    SAMPLE = "sample"
    QUALITY = "quality"
    TARGET = "target"


Command = Annotated[
    list[str],
    typer.Argument(
        metavar="-- COMMAND...",
        help="Training; {batch_size}, {precision} and {workers} in it are filled in, TUNE_BATCH_SIZE etc. are set.",
    ),
]
BatchSizes = Annotated[
    str | None, typer.Option("--batch-sizes", metavar="N,N", help="Batch sizes, the present one first.")
]
Precisions = Annotated[
    str | None, typer.Option("--precisions", metavar="P,P", help="Number formats, the present one first.")
]
Workers = Annotated[
    str | None,
    typer.Option("--workers", metavar="N,N", help="Numbers of data loaders, the present one first."),
]
SliceTime = Annotated[
    str, typer.Option("--slice", metavar="TIME", help="Longest time of one slice, e.g. 30s or 2m; else 30s.")
]
Rounds = Annotated[
    int, typer.Option("--rounds", metavar="N", parser=options.whole, help="Slices of each setting; else 3.")
]
Samples = Annotated[
    float | None,
    typer.Option(
        "--samples",
        metavar="N",
        parser=options.number,
        help="Samples of one slice, where the command logs none.",
    ),
]
Quality = Annotated[
    str | None,
    typer.Option("--quality", metavar="METRIC", help="Logged metric of quality; else found by its name."),
]
Target = Annotated[
    str | None,
    typer.Option("--target", metavar="METRIC=VALUE", help="Compare the energy until this is reached."),
]
ByOption = Annotated[
    By | None,
    typer.Option(
        "--by", help="Compare by sample, quality or target; else by target where given, else by sample."
    ),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Measure everything anew, also what is there already.")]


def tune(
    command: Command,
    batch_sizes: BatchSizes = None,
    precisions: Precisions = None,
    workers: Workers = None,
    slice_time: SliceTime = "30s",
    rounds: Rounds = 3,
    samples: Samples = None,
    quality: Quality = None,
    target: Target = None,
    by: ByOption = None,
    fresh: Fresh = False,
    json: options.Json = False,
) -> None:
    """Find the batch size, precision and workers that need least energy.

    Short slices of your own command are measured, one knob changed at a time, round after round. The command logs the
    samples seen so far, and a metric of quality, with `run.log` in `sootprint.track()`. A setting wins only if it is
    better beyond the error of the repeats. After a kill, the same line goes on where it stopped.

        sootprint tune --batch-sizes 32,64 -- python train.py --batch {batch_size}
        sootprint tune --precisions fp32,bf16 --workers 0,4 -- python train.py
        sootprint tune --batch-sizes 32,256 --target accuracy=0.9 -- ./train.sh
    """
    from sootprint import settings
    from sootprint.cli import slicing
    from sootprint.estimator.tuning.plan import Probe, values_of

    texts = {"batch_size": batch_sizes, "precision": precisions, "workers": workers}
    knobs = {name: values_of(name, text) for name, text in texts.items()}
    probe = Probe(
        command=tuple(command),
        knobs={name: values for name, values in knobs.items() if values},
        rounds=rounds,
        slice_s=_seconds(slice_time),
        samples=samples,
        quality=quality,
        target=None if target is None else _target(target),
        by=by and by.value,
    )
    folder = slicing.folder_of(probe, settings.load().home, fresh=fresh)
    first, together = slicing.measure(probe, folder, shell.say)
    told = _told(probe, first, together)
    output.print_json(told) if json else _print(told)


def _seconds(text: str) -> float:
    from sootprint.settings.rules import duration

    try:
        return duration(text)
    except ValueError as err:
        shell.wrong(f"--slice {text!r} {err}")


def _target(text: str) -> tuple[str, float]:
    metric, sign, value = text.partition("=")
    try:
        return (metric.strip(), float(value)) if sign and metric.strip() else shell.wrong("")
    except ValueError:
        shell.wrong(f"--target {text!r} is not METRIC=VALUE, e.g. accuracy=0.97")


def _told(probe: Probe, first: Sequence[Slice], together: Sequence[Slice]) -> dict[str, Any]:
    """What was found, as the JSON has it."""
    from sootprint.estimator.tuning import choose

    by = choose.way([*first, *together], probe.by)
    listed = choose.outcomes(first, by)
    if together:
        listed += choose.outcomes(together, by)[1:]
    winner = choose.best(listed)
    metrics = [one.metric for one in first if one.metric]
    return {
        "by": by,
        "metric": metrics[0] if metrics else None,
        "rounds": probe.rounds,
        "now": dict(listed[0].setting),
        "settings": listed,
        "best": None if winner is None else dict(winner.setting),
        "verdict": _verdict(winner, listed, by),
        "energy_kwh": math.fsum(one.energy_kwh for one in (*first, *together)),
        "warnings": _warnings(_slices_of(winner, first, together), by, listed, winner),
    }


def _slices_of(winner: Outcome | None, first: Sequence[Slice], together: Sequence[Slice]) -> Sequence[Slice]:
    """Slices that the winner was compared in."""
    known = [one.setting for one in first]
    return first if winner is None or winner.setting in known else together


def _verdict(winner: Outcome | None, listed: Sequence[Outcome], by: str) -> str:
    from sootprint.estimator.tuning.plan import words

    if winner is None or winner.change is None:
        return "no setting needs less energy than the present one beyond the error: keep it"
    per = {"sample": "a sample", "quality": "a unit of quality", "target": "the target"}[by]
    return f"{words(winner.setting, listed[0].setting)} needs {_change(winner.change)} energy for {per}"


def _warnings(
    slices: Sequence[Slice], by: str, listed: Sequence[Outcome], winner: Outcome | None
) -> list[str]:
    from sootprint.estimator.tuning import choose

    warnings = []
    if by == "sample":
        warnings.append(
            "compared by sample: at another batch size or precision a sample may teach more or less; check quality, "
            "or give --target"
        )
    if by == "quality":
        warnings.append("compared by the quality gained in a slice: the start of a training is not its end")
    if by != "quality" and winner is not None:
        same = [one for one in choose.outcomes(slices, "quality") if one.setting == winner.setting]
        change = same[0].change if same else None
        if change is not None and change.value > 0.0:
            warnings.append(
                f"for a unit of quality gained in a slice, the best setting needs {_change(change)} energy"
            )
    lost = [one for one in listed if one.failed]
    return warnings + ([f"{len(lost)} of {len(listed)} settings could not be compared"] if lost else [])


def _print(told: dict[str, Any]) -> None:
    from rich.text import Text

    from sootprint.core.quantity import Quantity as Number
    from sootprint.estimator.tuning.plan import words

    metric = told["metric"]
    quality = f"J/{metric}" if metric else "J/quality"
    names = ("setting", "J/sample", quality, "samples/s", "energy", "90 %")
    table = output.table(*names, right=names[1:5], wraps=("setting",))
    for one in told["settings"]:
        change = (
            ("now", "")
            if one.setting == told["now"]
            else (_change(one.change, short=True), _bounds(one.change))
        )
        cells = (
            words(one.setting, told["now"]),
            _joules(one.joules_per_sample),
            _joules(one.joules_per_quality),
            _rate(one.samples_per_s),
            *(("failed" if one.joules_per_sample is None else "–", "") if one.failed else change),
        )
        output.add_row(table, *cells, style="bold" if one.setting == told["best"] else None)
    console = output.console()
    console.print(table)
    verdict = told["verdict"]
    console.print(Text(f"\n{verdict[:1].upper()}{verdict[1:]}.", style="bold"))
    failed = [(words(one.setting, told["now"]), one.failed) for one in told["settings"] if one.failed]
    spent = figures.energy(Number(value=told["energy_kwh"]))
    notes = [
        *(f"{name}: {why}" for name, why in failed),
        *told["warnings"],
        f"the tuning itself took {spent.value}",
    ]
    console.print(output.marked(*((output.WARNING, shell.printable(one)) for one in notes)))


def _joules(quantity: Quantity | None) -> str:
    from sootprint.report.figures import number

    return figures.DASH if quantity is None else number(quantity.value)


def _rate(samples_per_s: float | None) -> str:
    from sootprint.report.figures import number

    return figures.DASH if samples_per_s is None else number(samples_per_s)


def _change(change: Quantity | None, *, short: bool = False) -> str:
    """Change of energy in words.

    >>> from sootprint.core.quantity import Quantity
    >>> _change(Quantity(value=-0.41, low=-0.45, high=-0.36))
    '41 % less (36 to 45)'
    """
    if change is None:
        return figures.DASH
    if short:
        return f"{100.0 * change.value:+.3g} %"
    less = change.value < 0.0
    ends = sorted(abs(100.0 * one) for one in (change.low, change.high) if one is not None)
    interval = " to ".join(f"{one:.3g}" for one in ends)
    return f"{abs(100.0 * change.value):.3g} % {'less' if less else 'more'} ({interval})"


def _bounds(change: Quantity | None) -> str:
    if change is None or change.low is None or change.high is None:
        return ""
    return f"{100.0 * change.low:+.3g} to {100.0 * change.high:+.3g}"
