"""The training part of the Model Documentation Form: training time, computation and energy of a general-purpose model.

Source:
    Regulation (EU) 2024/1689, Annex XI, section 1, 2(d) and 2(e); General-Purpose AI Code of Practice (2025),
    Transparency chapter, Model Documentation Form: training time as a range, in wall-clock days and in hardware days
    by type; computation in FLOP and energy in MWh with at least two significant figures; "N/A" with the information
    that is missing; a methodology of about 100 words.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from sootprint.core.errors import InputError
from sootprint.core.letters import clean
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint, Hardware, Model, Work, main_device
from sootprint.core.units import SECONDS_PER_HOUR, W_PER_KW
from sootprint.estimator.flops import ARCHITECTURES, Workload, training_flops
from sootprint.report import figures, words
from sootprint.report.parts import Section, table
from sootprint.report.statements import facts, methodology
from sootprint.report.statements.document import Statement
from sootprint.report.statements.facts import Lack
from sootprint.report.statements.numbers import plain, two_figures

DAY_S = facts.HOURS_PER_DAY * SECONDS_PER_HOUR
DAYS_PER_MONTH = 365.2425 / 12.0
RANGES = ((1.0, "less than 1 month"), (3.0, "1 to 3 months"), (6.0, "3 to 6 months"))
LONGEST = "more than 6 months"
NOT_TOLD = "N/A"
_COUNTED = "6 x parameters that one token passes x tokens (Kaplan et al., 2020, arXiv 2001.08361)"


TRAINING = Lack(
    "a training",
    "name the record of one, or `sootprint tag RUN --stage finetune` where this one is",
)


class Computation(NamedTuple):
    """Operations of a training [FLOP], whether they are estimated here, and how they were counted."""

    flop: float
    is_estimated: bool
    method: str


class Spent(NamedTuple):
    """Days of one type of hardware.

    Args:
        name: The type.
        devices: Devices of it, or None where that is not known.
        days: Days summed over the devices, or None where they are not known.
        origin: Where the number comes from.
    """

    name: str
    devices: int | None
    days: float | None
    origin: str


def month_range(days: float) -> str:
    """Range of a training time in the form's words, a bound counted to the longer range.

    >>> month_range(12.0), month_range(31.0), month_range(400.0)
    ('less than 1 month', '1 to 3 months', 'more than 6 months')
    """
    months = days / DAYS_PER_MONTH
    return next((said for limit, said in RANGES if months < limit), LONGEST)


def computation(footprint: Footprint) -> Computation | None:
    """Operations as the record tells them, else 6 N D of its parameters and tokens; None where neither is known."""
    work, model = footprint.work or Work(), footprint.model or Model()
    if not facts.is_training(footprint):
        return None
    if work.flops:
        return _stated(footprint, work.flops)
    if model.technique not in (None, "full"):
        return None
    architecture = model.architecture if model.architecture in ARCHITECTURES else "dense"
    known = {"params": model.params, "active_params": model.active_params, "tokens": work.tokens}
    try:
        counted = training_flops(Workload(**known, architecture=architecture)).useful  # type: ignore[arg-type]
    except InputError:
        return None
    return Computation(counted, True, f"estimated as {_COUNTED}") if math.isfinite(counted) else None


def hardware_days(footprint: Footprint) -> tuple[Spent, ...]:
    """Days of each type of device that computes: of the main type by its device hours, of others by the wall time."""
    main, wall = main_device(footprint.hardware), _wall_s(footprint)
    if not facts.is_training(footprint):
        return ()
    kinds = [one for one in footprint.hardware if one.kind in ("accelerator", "cpu")]
    return tuple(_days_of(one, footprint, main is one and _is_alone(one, kinds), wall) for one in kinds)


def _wall_s(footprint: Footprint) -> float | None:
    """Wall time of the training [s]; None for a record of another stage."""
    return facts.wall_s(footprint) if facts.is_training(footprint) else None


def _days_of(one: Hardware, footprint: Footprint, is_main: bool, wall: float | None) -> Spent:
    count = None if "hardware.count" in footprint.unknown else one.count
    if is_main and footprint.device_hours is not None:
        days = footprint.device_hours.value / facts.HOURS_PER_DAY
        return Spent(clean(one.name), count, days, "device hours of the record / 24")
    if wall is None or count is None:
        return Spent(clean(one.name), count, None, "not known")
    days = wall / DAY_S * count
    return Spent(clean(one.name), count, days if math.isfinite(days) else None, "wall-clock days x devices")


def _is_alone(main: Hardware, kinds: list[Hardware]) -> bool:
    """Whether the device hours of a record are those of one type."""
    return sum(one.kind == main.kind for one in kinds) == 1


def statement(footprint: Footprint) -> Statement:
    """Answers of the form on the training of a model."""
    lacking = facts.listed_lacks(facts.of_run(_lacks(footprint), footprint))
    sections = (
        Section(key="time", title="Training time", table=_time(footprint)),
        Section(key="compute", title="Amount of computation used for training", table=_compute(footprint)),
        Section(key="energy", title="Amount of energy used for training", table=_energy(footprint)),
        Section(key="method", title="Methodology of the energy", lead=methodology.of_energy(footprint)),
        Section(key="boundary", title="Boundary", lead=methodology.boundary(footprint)),
        Section(key="missing", title="Missing information", items=tuple(_missing(footprint))),
        lacking,
    )
    return Statement(
        title=f"Model documentation, training: {facts.named(footprint) or f'run {footprint.id[-8:]}'}",
        lead="For Annex XI, section 1, 2(d) and (e), of Regulation (EU) 2024/1689, and the Model Documentation Form "
        f"of the Code of Practice. One record: {footprint.id}, {words.SCOPES[footprint.scope]}.",
        sections=tuple(one for one in sections if one is not None and (one.items or one.table or one.lead)),
        data={"model_documentation": _data(footprint)},
    )


def energy_mwh(footprint: Footprint) -> Quantity | None:
    """Energy of the training with the facility's overhead, or before it where that is not known [MWh]."""
    energy = facts.facility_kwh(footprint, facts.training_kwh(footprint))
    return None if energy is None else facts.by(energy, 1.0 / W_PER_KW)


def _stated(footprint: Footprint, flops: float) -> Computation:
    """Operations of the record: those of an estimate were counted, those of a run were stated."""
    model, work = footprint.model or Model(), footprint.work or Work()
    if _is_counted(footprint) and (model.active_params or model.params) and work.tokens:
        return Computation(flops, True, f"counted by {words.program(footprint)} as {_COUNTED}")
    return Computation(flops, False, "as the record states; it does not tell how they were counted")


def _is_counted(footprint: Footprint) -> bool:
    """Whether our estimator made the record, which counts operations where they are not given."""
    return "flops" not in footprint.given and any(one.meter == "estimate" for one in footprint.components)


def _time(footprint: Footprint) -> Any:
    wall = _wall_s(footprint)
    rows = [
        ("Training time (range)", NOT_TOLD if wall is None else month_range(wall / DAY_S), ""),
        (
            "Wall-clock days",
            NOT_TOLD if wall is None else _days(wall / DAY_S),
            _wall_origin(footprint),
        ),
    ]
    rows += [
        (f"Hardware days: {one.name}", NOT_TOLD if one.days is None else _days(one.days), _spent_origin(one))
        for one in hardware_days(footprint)
    ]
    return table(
        "Days have 24 hours; wall-clock and hardware days are two quantities",
        ("Item", "Answer", "From"),
        rows,
    )


def _days(days: float) -> str:
    """Days with two significant figures or more, e.g. 45 or 0.0036."""
    return figures.number(days, 3 if days >= 100.0 else 2)


def _spent_origin(one: Spent) -> str:
    if one.devices is None:
        return one.origin
    return f"{one.origin}; {one.devices:,} {'device' if one.devices == 1 else 'devices'}"


def _wall_origin(footprint: Footprint) -> str:
    if _wall_s(footprint) is None:
        return ""
    if footprint.duration_s is not None:
        return "measured by the monotonic clock" if footprint.intervals else "as stated"
    return "device hours / devices, as if all ran at once"


def _compute(footprint: Footprint) -> Any:
    found = computation(footprint)
    rows = [
        ("Computation", NOT_TOLD if found is None else f"{two_figures(found.flop)} FLOP"),
        ("Measured or estimated", NOT_TOLD if found is None else _how(found)),
        ("Methodology", NOT_TOLD if found is None else found.method),
    ]
    return table(
        "Floating-point operations of the training, two significant figures", ("Item", "Answer"), rows
    )


def _how(found: Computation) -> str:
    return "estimated" if found.is_estimated else "as stated"


def _energy(footprint: Footprint) -> Any:
    found = energy_mwh(footprint)
    rows = [("Energy", NOT_TOLD if found is None else f"{two_figures(found.value)} MWh")]
    if found is not None and found.low is not None and found.high is not None:
        rows.append(("90 % interval", f"{two_figures(found.low)} to {two_figures(found.high)} MWh"))
    rows.append(("Measured or estimated", NOT_TOLD if found is None else facts.obtained(footprint)))
    return table("Electricity of the training, two significant figures", ("Item", "Answer"), rows)


def _missing(footprint: Footprint) -> Iterator[str]:
    """What is answered with N/A, in the words of a missing-information note."""
    if not facts.is_training(footprint):
        yield f"All: N/A, because the record is of {words.STAGES[footprint.stage]}, not of a training."
        return
    if facts.wall_s(footprint) is None:
        yield "Training time: N/A, because neither wall time nor device hours with the number of devices are recorded."
    if any(one.days is None for one in hardware_days(footprint)) or not hardware_days(footprint):
        yield "Hardware days: N/A for a type whose number or hours are not recorded."
    if computation(footprint) is None:
        yield "Computation: N/A, because neither the operations nor both parameters and tokens are recorded."
    if energy_mwh(footprint) is None:
        yield (
            "Energy: N/A, because no energy is recorded; where a compute or hardware provider withholds what is "
            "needed, say here which."
        )


def _lacks(footprint: Footprint) -> Iterator[Lack]:
    if not facts.is_training(footprint):
        yield TRAINING
        return
    if facts.named(footprint) is None:
        yield facts.MODEL
    if footprint.stage == "other":
        yield facts.STAGE
    if not (footprint.model and footprint.model.params):
        yield facts.PARAMS
    if computation(footprint) is None:
        yield facts.FLOPS
    for one in facts.lacks_of_run(footprint):
        if one is not facts.PLACE:  # the form asks for no place
            yield one
    if footprint.scope == "final_run":
        yield facts.PROJECT


def _data(footprint: Footprint) -> dict[str, Any]:
    wall, found, energy = _wall_s(footprint), computation(footprint), energy_mwh(footprint)
    return {
        "model": facts.named(footprint),
        "footprint": footprint.id,
        "scope": footprint.scope,
        "training_time": {
            "range": NOT_TOLD if wall is None else month_range(wall / DAY_S),
            "wall_clock_days": None if wall is None else wall / DAY_S,
            "hardware_days": [
                {"hardware": one.name, "devices": one.devices, "days": one.days}
                for one in hardware_days(footprint)
            ],
        },
        "computation": {
            "flop": None if found is None else found.flop,
            "answer": NOT_TOLD if found is None else f"{two_figures(found.flop)} FLOP",
            "methodology": NOT_TOLD if found is None else found.method,
        },
        "energy": {
            "energy_mwh": plain(energy),
            "answer": NOT_TOLD if energy is None else f"{two_figures(energy.value)} MWh",
            "measured_or_estimated": NOT_TOLD if energy is None else facts.obtained(footprint),
            "methodology": methodology.of_energy(footprint),
            "boundary": methodology.boundary(footprint),
        },
        "missing_information": list(_missing(footprint)),
        "lacks": [{"what": one.what, "how": one.how} for one in facts.of_run(_lacks(footprint), footprint)],
    }
