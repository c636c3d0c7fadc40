"""What a prediction is asked for: the work, the devices, the place; checked before anything is computed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from sootprint.core.errors import InputError
from sootprint.core.quantity import finite
from sootprint.estimator.flops import Workload
from sootprint.estimator.inputs import Job
from sootprint.estimator.reuse import Target, target
from sootprint.estimator.utilisation import PRECISIONS, Setting

_CURRENCY = "USD"  # of the assumed price


class Given(TypedDict, total=False):
    """Arguments of a prediction; `sootprint.predict` describes each."""

    params: float | None
    active_params: float | None
    tokens: float | None
    samples: float | None
    flops_per_sample: float | None
    flops: float | None
    architecture: str
    technique: str
    layers: float | None
    width: float | None
    sequence_length: float | None
    adapter_params: float | None
    teacher_params: float | None
    rollout_tokens: float | None
    reward_params: float | None
    recompute: bool | None
    hardware: str
    count: int
    precision: str | None
    pipeline_stages: float | None
    microbatches: float | None
    mfu: float | None
    step_mfu: float | None
    hours: float | None
    zone: str | None
    year: int | None
    intensity: float | None
    pue: float | None
    utilisation: float | None
    work: str | None
    price: float | None
    currency: str | None
    target: str | None
    dataset: str | None


NAMES = tuple(Given.__annotations__)
_WORKLOAD = tuple(spec.name for spec in dataclasses.fields(Workload))
_JOB = ("hardware", "count", "zone", "year", "intensity", "pue", "utilisation")
_SHARES = ("mfu", "step_mfu")
_WHOLE = ("pipeline_stages", "microbatches")
_WORK_OF = {"full": "llm-pretrain", "lora": "finetune", "distil": "llm-pretrain", "rl": "finetune"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A training that is to be predicted.

    Args:
        workload: What is trained on how much.
        job: Devices and place, for one hour: the hours are predicted.
        setting: How it runs on the devices.
        mfu: Whole-run utilisation as given [0-1].
        step_mfu: Utilisation of single steps as given [0-1].
        hours: Wall hours of one device as given [h].
        price: Price of a kilowatt-hour as given.
        currency: Currency of the price.
        target: Result that the model should reach.
        given: All arguments as given.
    """

    workload: Workload
    job: Job
    setting: Setting
    mfu: float | None = None
    step_mfu: float | None = None
    hours: float | None = None
    price: float | None = None
    currency: str = _CURRENCY
    target: Target | None = None
    given: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def plan(arguments: Mapping[str, Any]) -> Plan:
    """Plan of the arguments of a prediction.

    Raises:
        InputError: A value is outside its range, values contradict each other, or something needed is missing.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    for name in given:
        if name not in NAMES:
            raise InputError(f"{name!r} is not known to a prediction: it is one of {', '.join(NAMES)}")
    _check(given)
    workload = Workload(**{name: given[name] for name in _WORKLOAD if name in given})
    count = given.get("count", 1)
    job = Job(
        hours=given.get("hours", 1.0),
        work=given.get("work") or _kind_of_work(workload),
        **{name: given[name] for name in _JOB if name in given},
    )
    setting = Setting(
        precision=given.get("precision"),
        count=int(count),
        params=workload.params or workload.active,
        pipeline_stages=given.get("pipeline_stages"),
        microbatches=given.get("microbatches"),
        recompute=workload.recompute,
        images=workload.architecture == "vision",
    )
    rest = {name: given[name] for name in ("mfu", "step_mfu", "hours", "price", "currency") if name in given}
    wanted = target(given["target"], given.get("dataset")) if "target" in given else None
    return Plan(workload=workload, job=job, setting=setting, target=wanted, given=given, **rest)


def _kind_of_work(workload: Workload) -> str:
    if workload.architecture == "vision":
        return "vision"
    return _WORK_OF[workload.technique]


def _check(given: Mapping[str, Any]) -> None:
    if "hardware" not in given:
        raise InputError(
            "hardware is not given: name the device, e.g. A100 (`sootprint catalogue hardware` lists them)"
        )
    for name in _SHARES:
        value = given.get(name)
        if value is not None and not (_is_number(value) and 0.0 < value <= 1.0):
            raise InputError(
                f"{name} is {value!r}: it is a share of the peak rate above 0 and at most 1; 40 % is 0.4, and whole "
                "runs reach 0.2 to 0.5"
            )
    for name in _WHOLE:
        value = given.get(name)
        if value is not None and not (_is_number(value) and value >= 1 and value == int(value)):
            raise InputError(f"{name} is {value!r}: it is a whole number of at least 1")
    price = given.get("price")
    if price is not None and not (_is_number(price) and 0.0 <= price <= 100.0):
        raise InputError(f"price is {price!r}: it is the price of a kWh, from 0 to 100")
    if price is None and given.get("currency") not in (None, _CURRENCY):
        raise InputError(
            f"currency is {given['currency']!r} without a price, and the assumed price is in {_CURRENCY}: give the "
            "price of a kWh, or leave the currency out"
        )
    precision = given.get("precision")
    if precision is not None and precision not in PRECISIONS:
        raise InputError(f"precision is {precision!r}: it is one of {', '.join(PRECISIONS)}")
    told = [name for name in ("mfu", "step_mfu", "hours") if name in given]
    if len(told) > 1:
        raise InputError(f"{' and '.join(told)} are given together: each gives the hours, so leave one out")


def _is_number(value: Any) -> bool:
    return finite(value) is not None
