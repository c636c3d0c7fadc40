"""Headings of the options of commands that have many; those without one stand under Options."""

from __future__ import annotations

_WHERE = ("--zone", "--year", "--intensity", "--pue")
_ANSWER = ("--explain", "--chart", "--from", "--skip-wrong-rows", "--json")

HEADINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "run": {
        "What is run": (
            "--name",
            "--project",
            "--tag",
            "--model",
            "--result",
            "--run-group",
            "--expect-total",
        ),
        "Where it stands": ("--zone", "--site", "--pue"),
        "How it is measured": ("--period", "--share", "--budget-kg", "--store-command"),
        "Where its record goes": ("--quiet", "--record", "--json", "--hub", "--export"),
        "When the grid is clean": (
            "--deadline",
            "--expect",
            "--pausable",
            "--resume-cost",
            "--idle-w",
            "--power-w",
            "--trace",
            "--targets",
            "--engine",
            "--carry",
        ),
    },
    "estimate": {
        "Devices and hours": ("--hardware", "--power-w", "--count", "--hours", "--utilisation", "--work"),
        "Where": _WHERE,
        "What the hours leave out": ("--idle", "--restarts", "--method"),
        "Check the hours against the work": ("--params", "--tokens", "--flops"),
        "Many jobs, stages and the answer": ("--stages", *_ANSWER),
    },
    "predict": {
        "Model and data": (
            "--params",
            "--active-params",
            "--tokens",
            "--samples",
            "--flops-per-sample",
            "--flops",
            "--architecture",
            "--layers",
            "--width",
            "--sequence-length",
        ),
        "Technique": (
            "--technique",
            "--adapter-params",
            "--teacher-params",
            "--rollout-tokens",
            "--reward-params",
            "--recompute",
        ),
        "Devices": (
            "--hardware",
            "--count",
            "--precision",
            "--pipeline-stages",
            "--microbatches",
            "--mfu",
            "--step-mfu",
            "--hours",
            "--utilisation",
            "--work",
        ),
        "Where": _WHERE,
        "Price, and models that are there": ("--price", "--currency", "--target", "--dataset"),
        "Many jobs, and the answer": _ANSWER,
    },
    "audit": {
        "Claimed": ("--emissions-kg", "--energy-kwh", "--pue", "--intensity"),
        "Devices": (
            "--hardware",
            "--count",
            "--hours",
            "--device-hours",
            "--power-w",
            "--mfu",
            "--peak-tflops",
        ),
        "Where": ("--zone", "--year"),
        "Model and data": ("--params", "--active-params", "--tokens", "--flops", "--architecture"),
    },
    "plan": {
        "The job": ("--expect", "--deadline", "--at", "--power-w", "--pue"),
        "Where it may run": ("--zones", "--trace", "--forecaster", "--transfer-kwh"),
        "How it may run": ("--pausable", "--resume-cost", "--idle-w", "--max-workers"),
        "Price, and the answer": ("--price", "--currency", "--chart", "--json"),
    },
    "tag": {
        "Model and results": ("--model", "--result", "--stage", "--scope", "--params", "--active-params"),
        "Amount of work": ("--tokens", "--samples", "--steps", "--flops"),
    },
}


def heading_of(command: str | None, flags: list[str]) -> str:
    """Heading of an option of a command."""
    for heading, names in HEADINGS.get(command or "", {}).items():
        if any(flag in names for flag in flags):
            return heading
    return "Options"
