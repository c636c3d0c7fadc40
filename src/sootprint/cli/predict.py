"""`sootprint predict`: the footprint of a training that has not begun."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from sootprint.cli import estimate as shared
from sootprint.cli import jobs, options


class Architecture(StrEnum):
    """How the operations are counted."""

    DENSE = "dense"
    MOE = "moe"
    ENCDEC = "encdec"
    VISION = "vision"


class Technique(StrEnum):
    """How the model is trained."""

    FULL = "full"
    LORA = "lora"
    DISTIL = "distil"
    RL = "rl"


def _number(flag: str, help: str, *, metavar: str = "N") -> Any:
    return Annotated[float | None, typer.Option(flag, metavar=metavar, parser=options.number, help=help)]


def _choice(flag: str, kind: Any, help: str) -> Any:
    return Annotated[kind | None, typer.Option(flag, metavar="NAME", help=help)]


OPTIONS: dict[str, Any] = {
    "params": _number("--params", "Parameters of the model, e.g. 7e9."),
    "active_params": _number("--active-params", "Parameters that one token passes, in a mixture of experts."),
    "tokens": _number("--tokens", "Tokens trained on, epochs included, e.g. 2e12."),
    "samples": _number("--samples", "Images or other samples trained on, epochs included."),
    "flops_per_sample": _number(
        "--flops-per-sample", "Operations of a sample forward; a multiply-add counts two."
    ),
    "flops": _number("--flops", "Operations of the whole training, in place of a count."),
    "architecture": _choice("--architecture", Architecture, "dense, moe, encdec or vision; else dense."),
    "technique": _choice("--technique", Technique, "full, lora, distil or rl; else full."),
    "layers": _number("--layers", "Layers, for the attention."),
    "width": _number("--width", "Width of the model, for the attention."),
    "sequence_length": _number("--sequence-length", "Tokens in a sequence: the attention is counted too."),
    "adapter_params": _number("--adapter-params", "Parameters of the adapter of lora."),
    "teacher_params": _number("--teacher-params", "Active parameters of the teacher of distil."),
    "rollout_tokens": _number("--rollout-tokens", "Tokens generated in rl; else as many as trained on."),
    "reward_params": _number("--reward-params", "Parameters of the models that judge in rl."),
    "recompute": Annotated[
        bool | None,
        typer.Option(
            "--recompute/--no-recompute", help="Whether activations are computed twice to save memory."
        ),
    ],
    "hardware": shared.Hardware,
    "count": shared.Count,
    "precision": Annotated[
        str | None,
        typer.Option("--precision", metavar="P", help="fp32, tf32, fp16, bf16, mixed or fp8; else 16 bit."),
    ],
    "pipeline_stages": _number("--pipeline-stages", "Stages of a pipeline."),
    "microbatches": _number("--microbatches", "Microbatches in a step of the pipeline."),
    "mfu": _number("--mfu", "Share of the peak rate over the whole run, 0 to 1; else modelled.", metavar="U"),
    "step_mfu": _number(
        "--step-mfu", "Share of the peak rate in single steps, as papers print it.", metavar="U"
    ),
    "hours": Annotated[
        float | None,
        typer.Option(
            "--hours", metavar="H", parser=options.number, help="Wall hours of one device, where known."
        ),
    ],
    "zone": options.Zone,
    "year": options.Year,
    "intensity": shared.Intensity,
    "pue": options.Pue,
    "utilisation": shared.Utilisation,
    "work": shared.WorkOption,
    "price": _number("--price", "Price of a kWh; else 0.11 (0.05-0.22) USD.", metavar="X"),
    "currency": Annotated[
        str | None, typer.Option("--currency", metavar="C", help="Currency of the price; else USD.")
    ],
    "target": Annotated[
        str | None,
        typer.Option(
            "--target", metavar="METRIC=X", help="Result to reach: published models that do are listed first."
        ),
    ],
    "dataset": Annotated[
        str | None, typer.Option("--dataset", metavar="NAME", help="Data set of the target.")
    ],
}


def predict(**given: Any) -> None:
    r"""Predict the footprint of a training that has not begun.

    Operations follow from the model and its data, hours from the devices and the utilisation of whole runs.

        sootprint predict --params 7e9 --tokens 2e12 --hardware A100 --zone FR
        sootprint predict --params 47e9 --active-params 13e9 --tokens 1e12 \
            --hardware H100 --count 512 --zone SE --explain
        sootprint predict --samples 1.2e8 --flops-per-sample 8.2e9 \
            --architecture vision --hardware V100 --intensity 100
        sootprint predict --from plan.toml --json
    """
    table, wishes = jobs.wished("predictions", given)
    if table is not None:
        jobs.several(table, given, wishes)
    else:
        jobs.one(given, wishes)


jobs.offer(predict, OPTIONS)
