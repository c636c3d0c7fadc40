"""Whole-run utilisation: useful operations over what the hardware could have done in all the hours of a run.

A run does not reach the rate of its best steps: it restarts, evaluates, saves and waits. The terms are added up as time
for one operation, in units of the time at the peak rate:

    1 / U = compute + memory * balance / 156 + exchange * devices / (params / 1e6) + images

`balance` is the peak rate over the memory bandwidth [FLOP/B], 156 that of an A100: the faster a chip computes for what
it can load, the more it waits. Devices exchange gradients after each step: that takes as long on one as on thousands,
but the step is shorter on thousands, the more so for a small model with its small batches. Images are read, decoded and
distorted before a step can use them.
"""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple

from sootprint.catalogue.hardware import Accelerator, Cpu
from sootprint.core import units
from sootprint.core.errors import CatalogueError, InputError
from sootprint.core.quantity import Factor
from sootprint.estimator.bandwidth import bandwidth_gb_per_s
from sootprint.estimator.inputs import Job

Z90 = 1.6448536269514722  # standard normal, 95th percentile
A100_BALANCE = 312e12 / 2.0e12  # [FLOP/B]
MOST_SPREAD = 3.0  # devices for each million parameters; no run of the fit has more
MOST = 0.75  # no whole run that was published is above
PRECISIONS = ("fp32", "tf32", "fp16", "bf16", "mixed", "fp8")
_HALF_RATE_TF32 = (
    "A100",
    "A30",
    "A40",
    "A10",
    "RTX A",
    "RTX 30",
    "H100",
    "H200",
    "GH200",
    "H20",
    "B200",
    "B300",
)
_FP8 = ("H100", "H200", "GH200", "H20", "L4", "L40", "6000 Ada", "RTX 40", "RTX 50", "B200", "B300")
_FP8_OTHERS = ("MI300", "MI325", "MI350", "MI355", "Gaudi2", "Gaudi3", "Ironwood", "Trainium2")


class Model(NamedTuple):
    """Constants of the utilisation, and the standard deviation of a run's logarithm around it.

    Args:
        compute: Time at the peak rate over the time that computing takes [1].
        memory: Waiting at the balance of an A100 [1].
        exchange: Exchange of gradients with one device for each million parameters [1].
        images: Waiting for images [1].
        sigma: Spread of the logarithm: 1 / 1.645 of the error that 90 % of runs keep to whose family is not in the fit.
    """

    compute: float
    memory: float
    exchange: float
    images: float
    sigma: float


# Fitted by `bench/estimation.py --fit` on 73 published runs that state operations, hours and hardware; the errors
# that it states leave the family of each run out of the fit. The spread is 0.35 by families and 0.34 by hardware left
# out, rounded up: of eleven runs that were set down later, eight are inside the interval.
FITTED = Model(1.724, 1.204, 2.360, 1.115, 0.36)
SOURCE = (
    "fit of 1/U on 73 published runs of 35 families (Patterson 2021, Llama 1-4, Pythia, BLOOM, Gopher, DeepSeek, Phi, "
    "Falcon, GPT-3, PaLM, OpenCLIP, ViT and others: bench/more_runs.csv); spread: families left out of the fit"
)
SIGMA_BLIND = 0.42  # assumed, where the bandwidth is not known either: x/÷ 2
# Step over whole-run utilisation in published runs: restarts, evaluation, waiting.
STEP_OVER_RUN = (1.25, 1.05, 1.5)
# Devices; above, each doubling costs 3 %: Jiang et al. (MegaScale, NSDI 2024), 3,072 to 12,288.
FULL_SCALE = 1024
PER_DOUBLING = 0.03


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How a training runs on its devices.

    Args:
        precision: fp32, tf32, fp16, bf16, mixed or fp8; mixed 16 bit where the device has it when None.
        count: Devices [1].
        params: Parameters, those of all experts included [1].
        pipeline_stages: Stages of a pipeline, 1 without [1].
        microbatches: Microbatches in a step of the pipeline [1].
        recompute: Whether activations are computed again.
        images: Whether the samples are images.
    """

    precision: str | None = None
    count: int = 1
    params: float | None = None
    pipeline_stages: float | None = None
    microbatches: float | None = None
    recompute: bool | None = None
    images: bool = False


def peak(device: Accelerator | Cpu, precision: str | None = None) -> Factor:
    """Peak rate of one device at a precision, without sparsity [FLOP/s].

    Raises:
        InputError: The precision is unknown, or the device does not compute in it.
        CatalogueError: No rate is published for the device.
    """
    if precision is not None and precision not in PRECISIONS:
        raise InputError(f"precision is {precision!r}: it is one of {', '.join(PRECISIONS)}")
    if isinstance(device, Cpu):
        raise CatalogueError(
            f"{device.name} is a processor without a published peak rate: give hours instead"
        )
    rate, method = _tflops(device, precision)
    if rate is None:
        raise CatalogueError(
            f"no peak rate {'at ' + precision + ' ' if precision else ''}is published for {device.name}: "
            "give hours to `sootprint estimate`, or another device or precision"
        )
    value = rate * 1e12
    return Factor(
        kind="peak_rate",
        key=device.name,
        value=value,
        low=value,
        high=value,
        unit="FLOP/s",
        method=f"{method}, dense",
        source=device.source,
        licence=device.licence,
    )


def whole_run(device: Accelerator | Cpu, setting: Setting, model: Model = FITTED) -> Factor:
    """Whole-run utilisation of a device at a setting, with its 90 % interval [0-1].

    Raises:
        InputError: The precision is unknown.
        CatalogueError: No rate is published for the device.
    """
    rate = peak(device, setting.precision).known
    bandwidth = None if isinstance(device, Cpu) else bandwidth_gb_per_s(device)
    balance = A100_BALANCE if bandwidth is None else rate / (bandwidth * 1e9)
    value = min(MOST, ratio(balance, setting, model) * _adjusted(setting))
    spread = math.exp(Z90 * (SIGMA_BLIND if bandwidth is None else model.sigma))
    return Factor(
        kind="utilisation",
        key=f"{device.name}, {setting.precision or 'mixed'}",
        value=value,
        low=value / spread,
        high=max(value, min(MOST + 0.15, value * spread)),
        method="whole run, from peak rate, memory bandwidth and size",
        source=SOURCE,
    )


def ratio(balance: float, setting: Setting, model: Model = FITTED) -> float:
    """Utilisation at a balance of peak rate and memory bandwidth, for what is trained on how many devices [0-1].

    Args:
        balance: Peak rate over memory bandwidth [FLOP/B].
        setting: Its parameters, devices and samples count here; a large model where no parameters are known.
        model: Constants.

    >>> seven = Setting(params=7e9, count=64)
    >>> round(ratio(156.0, seven), 2), round(ratio(295.0, seven), 2)
    (0.34, 0.25)
    """
    spread = 0.0 if setting.params is None else min(MOST_SPREAD, setting.count * 1e6 / setting.params)
    waiting = model.exchange * spread + model.images * setting.images
    return 1.0 / (model.compute + model.memory * balance / A100_BALANCE + waiting)


def implied(flops: float, job: Job, rate: Factor) -> float:
    """Share of the peak rate that hours imply which were given [1].

    Args:
        flops: Useful operations [1].
        job: Its hours and devices.
        rate: Peak rate of one device [FLOP/s].

    Raises:
        InputError: It is more than 1.
    """
    share = flops / (units.seconds(job.device_hours) * (rate.value or math.inf))
    if share > 1.0:
        raise InputError(
            f"hours is {job.hours:g} on {job.count} x {rate.key}: for this work that implies {share:.0%} of the peak "
            f"rate ({rate.value:.3g} FLOP/s, {rate.method}); check hours (wall hours of one device), count, params and "
            "tokens"
        )
    return share


def of_steps(utilisation: float) -> Factor:
    """Whole-run utilisation from that of single steps, as papers print it [0-1]."""
    centre, low, high = STEP_OVER_RUN
    return Factor(
        kind="utilisation",
        key="step utilisation",
        value=utilisation / centre,
        low=utilisation / high,
        high=utilisation / low,
        method="given for steps, divided by 1.25 (1.05-1.5) for the whole run",
        source="step and whole-run utilisation of published runs that state both",
    )


def _adjusted(setting: Setting) -> float:
    """What is told about scale and parallelism, as a ratio to a run of which nothing is told."""
    found = 1.0
    if setting.count > FULL_SCALE:
        found *= (1.0 - PER_DOUBLING) ** math.log2(setting.count / FULL_SCALE)
    if setting.pipeline_stages is not None and setting.microbatches is not None:
        # Narayanan et al. (2021, arXiv 2104.04473), section 2.2: the bubble is (p - 1) / m of the ideal time.
        found /= 1.0 + (setting.pipeline_stages - 1.0) / setting.microbatches
    if setting.recompute is not None:
        # A full recomputation is a third more work; about half of the runs of the fit do it (assumed).
        found *= math.sqrt(0.75) if setting.recompute else math.sqrt(1.0 / 0.75)
    return found


def _tflops(device: Accelerator, precision: str | None) -> tuple[float | None, str]:
    half, single = device.matmul16_dense_tflops, device.fp32_tflops
    matrix = half is not None and "vector FP16" not in (device.note or "")
    if precision is None or precision in ("mixed", "fp16", "bf16"):
        if precision is None and not matrix:
            return single or half, "fp32, for it has no matrix units"
        return half or single, "16-bit matrix" if half else "fp32, for it has no 16-bit rate"
    if precision == "fp8":
        known = _has(device, (*_FP8, *_FP8_OTHERS))
        return (2.0 * half if known and half else None), "8-bit matrix, twice the 16-bit rate"
    if precision == "tf32":
        known = _has(device, _HALF_RATE_TF32)
        return (0.5 * half if known and half else None), "tf32 matrix, half the 16-bit rate"
    return single, "fp32 vector"


def _has(device: Accelerator, names: tuple[str, ...]) -> bool:
    return _has_any(device.name, names)


def _has_any(text: str, names: tuple[str, ...]) -> bool:
    return any(name in text for name in names)
