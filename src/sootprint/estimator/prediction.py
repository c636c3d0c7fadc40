"""A footprint before the training: operations over what the hardware will reach are hours, and hours are the rest."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Unpack

from sootprint import settings as configuration
from sootprint.core import intervals, units
from sootprint.core.errors import InputError
from sootprint.core.quantity import Factor
from sootprint.core.records import Footprint, Model, Work
from sootprint.estimator import beside, devices, factors, hours, utilisation
from sootprint.estimator.flops import Flops, training_flops
from sootprint.estimator.plan import Given, Plan, plan
from sootprint.estimator.reuse import reaching

if TYPE_CHECKING:
    from sootprint.settings import Settings

_STAGES = {"lora": "finetune", "rl": "finetune", "distil": "distil"}
_COUNTED = {"dense": (1.0, 1.0), "moe": (0.95, 1.1), "encdec": (0.85, 1.3), "vision": (0.95, 1.1)}
_GENERATION = (4.0, 2.0, 8.0)  # time for an operation of generating over one of training; assumed
_UNUSUAL = 0.6  # no published whole run of a large model is above


def predict(*, settings: Settings | None = None, **given: Unpack[Given]) -> Footprint:
    """Footprint of a training that has not begun, of grade D: hours, energy, emissions, water, cost, embodied share.

    The operations follow from the model and its data, the hours from the peak rate of the devices and the whole-run
    utilisation (restarts, evaluation and waiting included), energy and emissions as in `estimate`.

    Args:
        settings: Settings that were read; read now where None.
        params: Parameters of the model [1].
        active_params: Parameters that one token passes, in a mixture of experts [1].
        tokens: Tokens trained on, epochs included [1].
        samples: Images or other samples trained on, epochs included [1].
        flops_per_sample: Operations of the forward pass of one sample; a multiply-add counts two [1].
        flops: Operations of the whole training, in place of a count [1].
        architecture: dense, moe, encdec or vision.
        technique: full, lora, distil or rl.
        layers: Layers [1].
        width: Width [1].
        sequence_length: Tokens in a sequence; the attention is counted where it is given [1].
        adapter_params: Parameters of the adapter of "lora" [1].
        teacher_params: Active parameters of the teacher of "distil" [1].
        rollout_tokens: Tokens generated in "rl"; as many as trained on where None [1].
        reward_params: Parameters of the models that judge the rollouts [1].
        recompute: Whether activations are computed again in the backward pass.
        hardware: Name of the device, as drivers, papers and people write it.
        count: Number of devices.
        precision: fp32, tf32, fp16, bf16, mixed or fp8; 16-bit matrices where the device has them when None.
        pipeline_stages: Stages of the pipeline [1].
        microbatches: Microbatches in a step of the pipeline [1].
        mfu: Whole-run utilisation in place of the model [0-1].
        step_mfu: Utilisation of single steps, as papers print it [0-1].
        hours: Wall hours of one device in place of the model [h].
        zone: Grid zone or cloud region.
        year: Year of the grid's intensity.
        intensity: Carbon intensity in place of the zone's [gCO2e/kWh].
        pue: Facility energy over IT energy [1].
        utilisation: Mean power over rated power, in place of the prior for the kind of work [0-1].
        work: Kind of work as in `estimate`; from architecture and technique where None.
        price: Price of a kilowatt-hour in `currency`.
        currency: Currency of the price; USD where None.
        target: Result that the model should reach, METRIC=VALUE: published models that do stand in `given["reuse"]`.
        dataset: Data set of the target.

    Raises:
        InputError: A value is outside its range, or values contradict each other.
        CatalogueError: A name is in no table, or has no published facts.

    >>> made = predict(params=7e9, tokens=2e12, hardware="A100", count=1024, intensity=400)
    >>> 1e5 < made.device_hours.value < 4e5
    True
    """
    return foreseen(plan(given), hours.Lookups(settings or configuration.load()))


def foreseen(asked: Plan, known: hours.Lookups) -> Footprint:
    """Footprint of a checked plan; raises as `predict`."""
    device = known.device(asked.job.hardware)
    if device is None:
        raise InputError("hardware is not given: name the device, e.g. A100")
    counted = training_flops(asked.workload)
    spent, remarks = spent_on(asked, device, counted)
    wall = spent.device_hours.value / asked.job.count
    if wall > 1e6:
        raise InputError(
            f"the training would take {wall:.3g} hours on {asked.job.count} devices: give more of them as count"
        )
    job = dataclasses.replace(asked.job, hours=wall)
    made = hours.footprint(job, known.settings, known=known, spent=spent)
    return _completed(made, asked, device, counted, remarks)


def spent_on(asked: Plan, device: devices.Device, counted: Flops) -> tuple[hours.Spent, tuple[str, ...]]:
    """Device hours of a plan with their factors, and what a reader must know of them.

    Raises:
        InputError: The hours that were given imply more than the peak rate.
    """
    rate = utilisation.peak(device, asked.setting.precision)
    operations = _operations(asked, counted)
    if asked.hours is not None:
        hours_given = asked.hours * asked.job.count
        implied = utilisation.implied(operations.known, asked.job, rate)
        said = f"the hours that were given imply a whole-run utilisation of {implied:.1%} of {rate.key}'s peak rate"
        device_hours = intervals.exact(hours_given, "claimed")
        return hours.Spent(device_hours=device_hours), _unusual(implied, said)
    share = _share(asked, device)
    generation = _generation(counted)
    terms = [operations, *filter(None, [generation])]
    seconds = intervals.product(
        *(term.quantity() for term in terms),
        beside.inverse(rate.quantity()),
        beside.inverse(share.quantity()),
        basis="modelled",
    )
    device_hours = intervals.scaled(seconds, 1.0 / units.SECONDS_PER_HOUR)
    said = f"the utilisation {share.known:.2f} that was given is more than whole runs reach (0.2-0.5)"
    remarks = _unusual(share.known, said)[: asked.mfu is not None]
    return hours.Spent(device_hours=device_hours, factors=(*terms, rate, share)), remarks


def _share(asked: Plan, device: devices.Device) -> Factor:
    if asked.mfu is not None:
        return factors.given("utilisation", asked.mfu, unit="1")
    if asked.step_mfu is not None:
        return utilisation.of_steps(asked.step_mfu)
    return utilisation.whole_run(device, asked.setting)


def _operations(asked: Plan, counted: Flops) -> Factor:
    low, high = (1.0, 1.0) if asked.workload.flops is not None else _COUNTED[asked.workload.architecture]
    what = "as given" if asked.workload.flops is not None else ", ".join(counted.parts)
    return Factor(
        kind="operations",
        key=asked.workload.architecture,
        value=counted.useful,
        low=counted.useful * low,
        high=counted.useful * high,
        unit="FLOP",
        method=f"useful operations: {what}",
        source="given"
        if asked.workload.flops is not None
        else "Kaplan et al. (2020, arXiv 2001.08361), 6ND and kin",
    )


def _generation(counted: Flops) -> Factor | None:
    """Time with slow generation over time without [1], where tokens are generated."""
    if counted.generated == 0.0:
        return None
    value, low, high = (1.0 + (slow - 1.0) * counted.generated / counted.useful for slow in _GENERATION)
    return Factor(
        kind="generation",
        key="rollouts",
        value=value,
        low=low,
        high=high,
        method="generating takes 4 (2-8) times as long for one operation as training",
        source="assumed: decoding loads every weight for each token",
    )


def _unusual(share: float, said: str) -> tuple[str, ...]:
    return (said,) if share > _UNUSUAL or share < 0.05 else ()


def _completed(
    made: Footprint, asked: Plan, device: devices.Device, counted: Flops, remarks: tuple[str, ...]
) -> Footprint:
    """Record with the model, the work, and what stands beside the emissions."""
    energy, pue = made.energy_kwh or intervals.exact(0.0), made.pue or intervals.exact(1.0)
    hours_spent = made.device_hours or intervals.exact(0.0)
    price = None
    if asked.price is not None:
        price = factors.given("price", asked.price, unit=f"{asked.currency}/kWh")
    water = beside.water(energy, pue, made.place.zone, asked.job.year)
    cost = beside.cost(energy, pue, price)
    making = beside.embodied(device, hours_spent)
    done = {"water_l", "embodied_kg"} if making else {"water_l"}
    work = asked.workload
    return dataclasses.replace(
        made,
        stage=_STAGES.get(work.technique, "finetune" if asked.job.work == "finetune" else "pretrain"),
        model=_model(asked),
        work=Work(tokens=work.tokens, samples=work.samples, flops=counted.useful),
        water_l=water.quantity,
        cost=cost.quantity,
        embodied_kg=making.quantity if making else None,
        factors=(*made.factors, *water.factors, *cost.factors, *(making.factors if making else ())),
        unknown=tuple(name for name in made.unknown if name not in done),
        warnings=(*remarks, *made.warnings),
        given={**asked.given, "currency": asked.currency, **_reusable(asked)},
    )


def _reusable(asked: Plan) -> dict[str, object]:
    """Published models that reach the target already, where one is given."""
    if asked.target is None:
        return {}
    return {"reuse": [one._asdict() for one in reaching(asked.target)]}


def _model(asked: Plan) -> Model | None:
    work = asked.workload
    if work.params is None and work.active_params is None:
        return None
    return Model(
        architecture=work.architecture,
        technique=work.technique,
        params=work.params,
        active_params=work.active,
    )
