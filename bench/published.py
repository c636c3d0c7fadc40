"""Published runs of `../shared/data/validation_published.csv` as cases of the estimator's bench."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from sootprint.catalogue import hardware
from sootprint.catalogue.hardware import Accelerator
from sootprint.estimator.flops import Workload, training_flops

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT.parent / "shared" / "data" / "validation_published.csv"
MORE = ROOT / "bench" / "more_runs.csv"
UNSEEN = ROOT / "bench" / "unseen_runs.csv"  # set down after the fit was made, to look at it once: in no fit
MEASURED_FAMILIES = (
    "patterson2021",
)  # their rows state operations and hours, though the column `use_in` does not say so


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One published run.

    Args:
        id: Key of the row.
        family: Rows that share authors, cluster or code.
        arch: dense, encdec, moe or vision.
        kind: train, nas, finetune, dev and others.
        device: Accelerator of the catalogue, or None.
        count: Devices, or None.
        flops: Useful operations as published, or counted from parameters and tokens, or None.
        active_params: Parameters that one token passes, or None.
        params: Parameters in all, or None.
        device_hours: Hours of all devices, or None [h].
        power_w: Mean power of one device, measured, or None [W].
        scope: system (with its host) or gpu, of the power.
        energy_mwh: Measured energy, or None [MWh].
        energy_scope: facility, gpu, or gpu x PUE.
        pue: As the authors used it, 1 where none is stated [1].
        uses: What the row is for.
    """

    id: str
    family: str
    arch: str
    kind: str
    device: Accelerator | None
    count: int | None
    flops: float | None
    active_params: float | None
    params: float | None
    device_hours: float | None
    power_w: float | None
    scope: str
    energy_mwh: float | None
    energy_scope: str
    pue: float
    uses: tuple[str, ...]


def runs(path: Path = FILE) -> list[Run]:
    """All rows of the table, in its order."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [_run(row) for row in csv.DictReader(lines)]


def more_runs(path: Path = MORE) -> list[Run]:
    """Runs of the literature that are not in the table, re-stated here: they widen the fit of the hours."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [_more(row) for row in csv.DictReader(lines)]


def for_hours(listed: list[Run]) -> list[Run]:
    """Runs that state operations and hours: the test of time before training."""
    return [
        run
        for run in listed
        if run.flops and run.device_hours and ("hours" in run.uses or run.family in MEASURED_FAMILIES)
    ]


def for_energy(listed: list[Run]) -> list[Run]:
    """Runs that state operations and a measured energy."""
    return [run for run in listed if run.flops and run.energy_mwh and "energy" in run.uses]


def for_power(listed: list[Run]) -> list[Run]:
    """Runs that state a measured power of one device."""
    return [run for run in listed if run.power_w and "power" in run.uses]


def _run(row: dict[str, str]) -> Run:
    number = {name: float(text) if _is_number(text) else None for name, text in row.items()}
    measured = row["energy_independent"] == "yes"
    tokens, active = number["tokens_b"], number["active_params_b"] or number["params_b"]
    flops = number["flops_published"]
    if flops is None and tokens and active:
        flops = training_flops(Workload(params=active * 1e9, tokens=tokens * 1e9)).useful
    return Run(
        id=row["id"],
        family=row["family"],
        arch=row["arch"],
        kind=row["kind"],
        device=hardware.find_accelerator(row["hardware"].partition("/")[0]),
        count=int(number["chip_count"]) if number["chip_count"] else None,
        flops=flops,
        active_params=active * 1e9 if active else None,
        params=number["params_b"] * 1e9 if number["params_b"] else None,
        device_hours=number["chip_hours"],
        power_w=number["power_used_w"] if measured else None,
        scope="system" if row["power_basis"] == "measured_system" else "gpu",
        energy_mwh=number["energy_mwh"] if measured else None,
        energy_scope=row["energy_scope"],
        pue=number["pue"] or 1.0,
        uses=tuple(row["use_in"].split(";")),
    )


def _more(row: dict[str, str]) -> Run:
    active = float(row["active_params"])
    return Run(
        id=row["id"],
        family=row["family"],
        arch=row["arch"],
        kind="train",
        device=hardware.find_accelerator(row["hardware"]),
        count=int(row["chip_count"]) if row["chip_count"] else None,
        flops=float(row["flops"]),
        active_params=active,
        params=float(row["params"] or active),
        device_hours=float(row["chip_hours"]),
        power_w=None,
        scope="gpu",
        energy_mwh=None,
        energy_scope="",
        pue=1.0,
        uses=("hours",),
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def without(listed: list[Run], family: str) -> list[Run]:
    """Runs of all other families."""
    return [run for run in listed if run.family != family]


def families(listed: list[Run]) -> list[str]:
    """Families in their order, each once."""
    return list(dict.fromkeys(run.family for run in listed))
