"""One run under the published formulas of other tools: what each counts, and which factor makes the difference.

Each formula is that of the tool's source or paper, named with it; none of their code or tables is copied. All take
the carbon intensity that the record has, so that what differs is the method and not the table.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from sootprint.catalogue import hardware
from sootprint.core import units
from sootprint.core.errors import InputError
from sootprint.core.protocols import family_of
from sootprint.core.records import Footprint, Hardware, main_device
from sootprint.core.units import G_PER_KG, SECONDS_PER_HOUR, W_PER_KW

_TERA = 1e12
GREEN_MEMORY_W_PER_GB = 0.3725  # Lannelongue et al., Green Algorithms (2021)
GREEN_PUE = {"gcp": 1.12, "aws": 1.2, "azure": 1.12, "": 1.56}  # its table of providers; unknown: 1.56
CARBONTRACKER_PUE = 1.58  # Anthony et al., Carbontracker (2020); Ascierto & Lawrence, Uptime Institute (2020)
CLOUD_PUE = {"aws": 1.135, "azure": 1.185, "gcp": 1.1}
CLOUD_MEMORY_KWH_PER_GB_HOUR = 0.000392  # Cloud Carbon Footprint, Methodology (2024)
CLOUD_USE = 0.5  # its utilisation where none is known
# Least and most power of one device in Cloud Carbon Footprint's table of GPUs [W].
CLOUD_GPU_W = {"V100": (35.0, 306.0), "A100": (46.0, 407.0), "T4": (8.0, 71.0)}
CODECARBON_RAM_W = ((8, 10.0), (64, 20.0), (1024, 38.0), (math.inf, 70.0))  # v3: by DIMMs that it guesses
CODECARBON_CPU_W = 42.5  # half of the 85 W that it takes where the processor is unknown
A100_PEAK_TFLOPS = 312.0
# LLMCarbon's polynomials of the reached rate over parameters, of A100s [TFLOP/s].
LLM_TENSOR = (-8.82e-20, 1.686e-9, 133.95)
LLM_PIPE = (-5.60e-23, 8.454e-11, 134.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What the formulas take of a record.

    Args:
        name: Canonical name of the device.
        rated_w: Rated power of one device [W].
        count: Devices [1].
        hours: Wall hours [h].
        device_kwh: Energy of the devices alone as the record has it [kWh], or None.
        used: Mean utilisation of the devices [0-1], or None.
        memory_gb: Memory of the host [GB], or None.
        provider: aws, gcp, azure or empty.
        intensity: Carbon intensity of the record [gCO2e/kWh].
        flops: FLOPs of the training, or None.
        params: Parameters that LLMCarbon takes [1], or None.
        peak_tflops: Dense peak of one device [TFLOP/s], or None.
    """

    name: str
    rated_w: float
    count: int
    hours: float
    device_kwh: float | None
    used: float | None
    memory_gb: float | None
    provider: str
    intensity: float
    flops: float | None
    params: float | None
    peak_tflops: float | None

    @property
    def rated_kwh(self) -> float:
        """Rated power x device hours [kWh]."""
        return self.rated_w * self.count * self.hours / W_PER_KW


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFigure:
    """A run under one tool's formula.

    Args:
        tool: Name.
        formula: In words.
        source: Publication or code, with its year.
        device_kwh: Energy of the devices as the tool has it [kWh], or None where its formula cannot be applied.
        host_kwh: What it adds for processor, memory and the rest of the node [kWh].
        pue: What it multiplies for the facility [1].
        emissions_kg: Emissions [kgCO2e].
        over_ours: Its emissions over ours [1].
        makes_it: Factor that makes most of the difference: power, hours, host, PUE, or nothing above 5 %.
        why_not: Why the formula cannot be applied.
    """

    tool: str
    formula: str
    source: str
    device_kwh: float | None = None
    host_kwh: float = 0.0
    pue: float = 1.0
    emissions_kg: float | None = None
    over_ours: float | None = None
    makes_it: str = ""
    why_not: str = ""


def by_tools(run: Footprint) -> list[ToolFigure]:
    """A record under each tool's formula, ours first.

    Raises:
        InputError: The record lacks hardware, hours, energy or intensity.
    """
    given = inputs_of(run)
    ours = _ours(run, given)
    return [ours, *(_completed(one(given), ours, given) for one in _TOOLS)]


def inputs_of(run: Footprint) -> Inputs:
    """Inputs of the formulas.

    Raises:
        InputError: The record lacks hardware, hours, energy or intensity.
    """
    device = main_device(run.hardware)
    known = hardware.find_accelerator(device.name) if device and device.kind == "accelerator" else None
    rated = device.rated_power_w or (known.rated_power_w if known else None) if device else None
    hours = _hours(run, device)
    lacking = [
        name
        for name, value in (
            ("hardware with a rated power", rated),
            ("hours", hours),
            ("energy_kwh", run.energy_kwh),
            ("intensity_g_per_kwh", run.intensity_g_per_kwh),
        )
        if not value
    ]
    if lacking or device is None or rated is None or run.intensity_g_per_kwh is None:
        raise InputError(
            f"the record lacks {', '.join(lacking)}: the tools' formulas cannot be applied to it"
        )
    model, work = run.model, run.work
    params = (model.params if model else None) or None
    return Inputs(
        name=device.name,
        rated_w=rated,
        count=device.count,
        hours=hours or 0.0,
        device_kwh=_of_devices(run),
        used=_used(run),
        memory_gb=next((one.memory_gb for one in run.hardware if one.kind == "dram"), None),
        provider=(run.place.provider or "").lower(),
        intensity=run.intensity_g_per_kwh.value,
        flops=(work.flops if work else None)
        or (6.0 * params * work.tokens if params and work and work.tokens else None),
        params=params,
        peak_tflops=known.matmul16_dense_tflops if known else None,
    )


def _hours(run: Footprint, device: Hardware | None) -> float | None:
    if run.duration_s:
        return units.hours(run.duration_s)
    return run.device_hours.value / device.count if run.device_hours and device else None


def _of_devices(run: Footprint) -> float | None:
    found = [
        one.energy_kwh.value for one in run.components if family_of(one.component) in ("accelerator", "gpu")
    ]
    if not found:
        found = [one.energy_kwh.value for one in run.components if family_of(one.component) == "cpu"]
    return math.fsum(found) if found else None


def _used(run: Footprint) -> float | None:
    found = [
        one.utilisation
        for one in run.components
        if one.component.startswith("accelerator") and one.utilisation
    ]
    return math.fsum(found) / len(found) if found else None


def _ours(run: Footprint, given: Inputs) -> ToolFigure:
    whole = run.energy_kwh.value if run.energy_kwh else 0.0
    device = given.device_kwh if given.device_kwh is not None else whole
    emissions = run.emissions_kg.value if run.emissions_kg else 0.0
    return ToolFigure(
        tool="Sootprint",
        formula="devices + host, x PUE x intensity, as the record has them",
        source="this record",
        device_kwh=device,
        host_kwh=max(0.0, whole - device),
        pue=run.pue.value if run.pue else 1.0,
        emissions_kg=emissions,
        over_ours=1.0,
    )


def _completed(one: ToolFigure, ours: ToolFigure, given: Inputs) -> ToolFigure:
    """Figure with its emissions, their ratio to ours, and the factor that makes most of it."""
    if one.device_kwh is None:
        return one
    emissions = (one.device_kwh + one.host_kwh) * one.pue * given.intensity / G_PER_KG
    ratios = {
        "energy of the devices": one.device_kwh / (ours.device_kwh or one.device_kwh),
        "host": _share(one) / _share(ours),
        "PUE": one.pue / ours.pue,
    }
    largest = max(ratios, key=lambda name: abs(math.log(ratios[name])))
    made = f"{largest} (x {ratios[largest]:.2f})" if abs(math.log(ratios[largest])) > math.log(1.05) else ""
    over = emissions / ours.emissions_kg if ours.emissions_kg else None
    return replace(one, emissions_kg=emissions, over_ours=over, makes_it=made)


def _share(one: ToolFigure) -> float:
    """Node energy over that of the devices [1]."""
    return 1.0 + one.host_kwh / one.device_kwh if one.device_kwh else 1.0


def _codecarbon(given: Inputs) -> ToolFigure:
    ram_w = next(watts for most, watts in CODECARBON_RAM_W if (given.memory_gb or 64.0) <= most)
    return ToolFigure(
        tool="CodeCarbon",
        formula="measured devices + processor (half of 85 W where unknown) + memory (5 W a DIMM), no PUE unless given",
        source="CodeCarbon 3.3, emissions_tracker and external/hardware (2026)",
        device_kwh=given.device_kwh if given.device_kwh is not None else given.rated_kwh,
        host_kwh=(CODECARBON_CPU_W + ram_w) * given.hours / W_PER_KW,
    )


def _carbontracker(given: Inputs) -> ToolFigure:
    return ToolFigure(
        tool="carbontracker",
        formula="measured devices x PUE of 1.58, wherever it runs",
        source="Anthony, Kanding & Selvan, Carbontracker (2020, arXiv 2007.03051); its code, 2.4.7",
        device_kwh=given.device_kwh if given.device_kwh is not None else given.rated_kwh,
        pue=CARBONTRACKER_PUE,
    )


def _green_algorithms(given: Inputs) -> ToolFigure:
    memory_gb = given.memory_gb or 0.0
    return ToolFigure(
        tool="Green Algorithms",
        formula="(devices x rated power x use + 0.3725 W/GB of memory) x hours x PUE (1.56 where unknown)",
        source="Lannelongue, Grealey & Inouye, Green Algorithms (2021, doi 10.1002/advs.202100707)",
        device_kwh=given.rated_kwh * (given.used if given.used is not None else 1.0),
        host_kwh=GREEN_MEMORY_W_PER_GB * memory_gb * given.hours / W_PER_KW,
        pue=GREEN_PUE.get(given.provider, GREEN_PUE[""]),
    )


def _ml_co2(given: Inputs) -> ToolFigure:
    return ToolFigure(
        tool="ML CO2 Impact",
        formula="rated power x hours x intensity",
        source="Lacoste et al., Quantifying the Carbon Emissions of Machine Learning (2019, arXiv 1910.09700)",
        device_kwh=given.rated_kwh,
    )


def _cloud(given: Inputs) -> ToolFigure:
    found = next((watts for name, watts in CLOUD_GPU_W.items() if f" {name} " in f" {given.name} "), None)
    figure = ToolFigure(
        tool="Cloud Carbon Footprint",
        formula="(least + use x (most - least power)) x hours + 0.392 Wh per GB-hour, x PUE; use of 50 % where unknown",
        source="Cloud Carbon Footprint, Methodology (2024)",
        why_not="" if found else f"{given.name} is not in its table of devices",
        pue=CLOUD_PUE.get(given.provider, CLOUD_PUE["aws"]),
    )
    if found is None:
        return figure
    least, most = found
    watts = least + (given.used if given.used is not None else CLOUD_USE) * (most - least)
    return replace(
        figure,
        device_kwh=watts * given.count * given.hours / W_PER_KW,
        host_kwh=CLOUD_MEMORY_KWH_PER_GB_HOUR * (given.memory_gb or 0.0) * given.hours,
    )


def _llmcarbon(given: Inputs) -> ToolFigure:
    figure = ToolFigure(
        tool="LLMCarbon",
        formula="6 x parameters x tokens over a rate that a polynomial gives, x rated power x PUE of 1.1",
        source="Faiz et al., LLMCarbon (2024, arXiv 2309.14393); its published polynomials",
        pue=1.1,
        why_not="the record has no parameters and tokens of a language model",
    )
    if given.flops is None or given.params is None or given.peak_tflops is None:
        return figure
    rate = llm_rate(given.params) / A100_PEAK_TFLOPS * given.peak_tflops * _TERA
    device_hours = given.flops / rate / SECONDS_PER_HOUR
    return replace(figure, device_kwh=device_hours * given.rated_w / W_PER_KW, why_not="")


def llm_rate(params: float) -> float:
    """Rate that LLMCarbon expects of an A100 for a number of parameters, the better of its two polynomials [TFLOP/s].

    >>> round(llm_rate(7e9), 1), round(llm_rate(175e9), 1)
    (141.4, 147.6)
    """
    return max(a * params * params + b * params + c for a, b, c in (LLM_TENSOR, LLM_PIPE))


_TOOLS: tuple[Callable[[Inputs], ToolFigure], ...] = (
    _codecarbon,
    _carbontracker,
    _green_algorithms,
    _ml_co2,
    _cloud,
    _llmcarbon,
)
