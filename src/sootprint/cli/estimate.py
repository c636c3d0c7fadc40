"""`sootprint estimate`: a footprint from hardware, hours and place."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from sootprint.cli import jobs, lookup, options, shell


class Work(StrEnum):
    """Kinds of work, each with its share of the rated power."""

    LLM_PRETRAIN = "llm-pretrain"
    FINETUNE = "finetune"
    VISION = "vision"
    INFERENCE = "inference"
    UNKNOWN = "unknown"


class Method(StrEnum):
    """Ways to multiply."""

    FULL = "full"
    SURVEY = "survey"


Hardware = Annotated[
    str | None,
    typer.Option(
        "--hardware", metavar="NAME", help="Device, as drivers, papers and people write it, e.g. A100."
    ),
]
Power = Annotated[
    float | None,
    typer.Option(
        "--power-w",
        metavar="W",
        parser=options.number,
        help="Mean power of one device at the boundary; nothing is added to it.",
    ),
]
Count = Annotated[
    int | None, typer.Option("--count", metavar="N", parser=options.whole, help="Number of devices; else 1.")
]
Hours = Annotated[
    float | None,
    typer.Option("--hours", metavar="H", parser=options.number, help="Wall hours of one device."),
]
Intensity = Annotated[
    float | None,
    typer.Option(
        "--intensity",
        metavar="G",
        parser=options.number,
        help="Carbon intensity in gCO2e/kWh, in place of a zone.",
    ),
]
Utilisation = Annotated[
    float | None,
    typer.Option(
        "--utilisation", metavar="U", parser=options.number, help="Mean power over rated power, 0 to 1."
    ),
]
WorkOption = Annotated[
    Work | None,
    typer.Option(
        "--work", metavar="KIND", help="llm-pretrain, finetune, vision, inference or unknown; else unknown."
    ),
]
MethodOption = Annotated[
    Method | None,
    typer.Option(
        "--method", metavar="M", help="full, or survey for rated power x hours x intensity; else full."
    ),
]
Idle = Annotated[
    float | None,
    typer.Option(
        "--idle",
        metavar="X",
        parser=options.number,
        help="Energy of devices held but idle over that of the work, where the hours leave it out.",
    ),
]
Restarts = Annotated[
    float | None,
    typer.Option(
        "--restarts",
        metavar="X",
        parser=options.number,
        help="Work done again over the work that counted, where the hours leave it out.",
    ),
]
Stages = Annotated[
    Path | None,
    typer.Option(
        "--stages", metavar="FILE", help="TOML with the stages of a whole life cycle, in place of one job."
    ),
]


Params = Annotated[
    float | None,
    typer.Option(
        "--params",
        metavar="N",
        parser=options.number,
        help="Parameters that one token passes: hours are checked against the work.",
    ),
]
Tokens = Annotated[
    float | None,
    typer.Option(
        "--tokens", metavar="N", parser=options.number, help="Tokens trained on, for the same check."
    ),
]
Flops = Annotated[
    float | None,
    typer.Option(
        "--flops", metavar="N", parser=options.number, help="Operations of the training, in place of both."
    ),
]
OPTIONS: dict[str, Any] = {
    "hardware": Hardware,
    "power_w": Power,
    "count": Count,
    "hours": Hours,
    "zone": options.Zone,
    "year": options.Year,
    "intensity": Intensity,
    "pue": options.Pue,
    "utilisation": Utilisation,
    "work": WorkOption,
    "method": MethodOption,
    "idle": Idle,
    "restarts": Restarts,
    "params": Params,
    "tokens": Tokens,
    "flops": Flops,
    "stages": Stages,
}


def estimate(**given: Any) -> None:
    """Estimate the footprint of work that was not measured.

    Hours are wall hours of one device: 8 devices for 48 hours are 384 device hours.

        sootprint estimate --hardware A100 --count 8 --hours 48 --zone FR
        sootprint estimate --hardware "TPU v3" --hours 480 --zone US-GA --explain
        sootprint estimate --power-w 300 --hours 9 --intensity 500 --method survey
        sootprint estimate --from jobs.csv --zone DE --json
        sootprint estimate --from run.toml --explain --chart tornado.svg
        sootprint estimate --stages life-cycle.toml
    """
    stages = given.pop("stages")
    table, wishes = jobs.wished("estimates", given)
    if stages is not None:
        _life_cycle(stages, table, given, wishes)
    elif table is not None:
        jobs.several(table, given, wishes)
    elif given.get("hours") is None:
        shell.wrong("hours is not given: add --hours, the wall hours of one device, or --from FILE.csv")
    else:
        jobs.one(given, wishes)


def _life_cycle(stages: Path, table: Path | None, given: dict[str, Any], wishes: jobs.Wishes) -> None:
    """Make and show the record of a life cycle.

    Raises:
        InputError: The file cannot be read or breaks a rule, or other numbers stand beside it.
    """
    if table is not None or given or wishes.explain or wishes.chart or wishes.skip:
        shell.wrong(
            "--stages FILE holds all numbers of the life cycle: leave the other options out, but for --json"
        )
    from sootprint.estimator.lifecycle import life_cycle

    made = life_cycle(
        lookup.text_of(str(stages), wanted="a TOML file"), name=stages.name, records=lookup.record
    )
    jobs.show(made, wishes)


jobs.offer(estimate, OPTIONS)
