"""Claims for the audit: honest ones put together from a device, its hours and its grid, and one slip in each.

The honest claims span devices, sizes, grids and years; each is written as YAML, JSON, CSV, a model card, LaTeX and
plain text. A slip changes one thing, as people do; the rules that may name it stand beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from bench.audit_forms import FORMS, FULL, Facts

from sootprint.catalogue import hardware, zones

J_PER_TFLOP_HOUR = 3600.0 * 1e12


class Case(NamedTuple):
    """A file with what an audit should say: rules of which one is enough, or none."""

    name: str
    file: str
    text: str
    expected: frozenset[str]


def trained(
    name: str, device: str, count: int, params: float, tokens: float, *, mfu: float = 0.35, **more: Any
) -> Facts:
    """A language model whose hours follow from its size and a utilisation of the peak."""
    peak = hardware.accelerator(device).matmul16_dense_tflops or 0.0
    active = more.get("active_params") or params
    per_token = 3.0 if more.get("architecture") == "encdec" else 6.0
    hours = per_token * active * tokens / (peak * J_PER_TFLOP_HOUR * mfu) / count
    return Facts(name, device, count, float(f"{hours:.4g}"), params=params, tokens=tokens, **more)


HONEST = (
    trained("Alder 7B", "A100 SXM4 80GB", 256, 7e9, 1e12, zone="FR", place="France", year=2023),
    trained(
        "Birch 13B", "H100 SXM5 80GB", 512, 13e9, 2e12, mfu=0.42, zone="US-TX", place="Texas, US", year=2024
    ),
    trained(
        "Cedar 1.3B",
        "V100 SXM2 32GB",
        64,
        1.3e9,
        3e11,
        mfu=0.3,
        zone="DE",
        place="Germany",
        year=2021,
        pue=1.5,
    ),
    trained(
        "Dogwood 70B",
        "H100 SXM5 80GB",
        2048,
        70e9,
        15e12,
        mfu=0.38,
        zone="SE",
        place="Sweden",
        year=2024,
        pue=1.08,
    ),
    trained(
        "Elm MoE",
        "H100 SXM5 80GB",
        512,
        47e9,
        4e12,
        mfu=0.27,
        active_params=13e9,
        architecture="moe",
        zone="aws/us-west-2",
        place="AWS us-west-2",
        year=2023,
        pue=1.15,
    ),
    trained(
        "Fir T5 3B",
        "TPU v3",
        256,
        3e9,
        1e12,
        mfu=0.37,
        architecture="encdec",
        zone="TW",
        place="Taiwan",
        year=2020,
        power_fraction=0.65,
        pue=1.1,
    ),
    trained(
        "Gorse 0.4B", "A100 PCIe 40GB", 16, 4e8, 2e11, mfu=0.25, zone="PL", place="Poland", year=2022, pue=1.6
    ),
    trained(
        "Hazel 30B",
        "AMD Instinct MI250X",
        1024,
        30e9,
        1.5e12,
        mfu=0.3,
        zone="FI",
        place="Finland",
        year=2023,
        pue=1.04,
    ),
    trained(
        "Ivy 175B",
        "A100 SXM4 40GB",
        1024,
        175e9,
        3e11,
        mfu=0.3,
        zone="US",
        place="United States",
        year=2022,
        pue=1.1,
    ),
    Facts("Juniper ResNet", "RTX 3090", 4, 96.0, "GB", "United Kingdom", 2022, power_fraction=0.7, pue=1.4),
    Facts(
        "Kapok ViT", "A100 SXM4 40GB", 8, 72.0, "CA-QC", "Quebec, Canada", 2023, power_fraction=0.55, pue=1.25
    ),
    Facts("Larch fine-tune", "L40S", 2, 10.5, "JP", "Japan", 2024, kind="fine-tuning", power_fraction=0.45),
    Facts("Maple speech", "V100 SXM2 16GB", 8, 240.0, "IN", "India", 2020, power_fraction=0.6, pue=1.7),
    Facts(
        "Nutmeg diffusion", "H200 SXM 141GB", 64, 300.0, "AU", "Australia", 2024, power_fraction=0.75, pue=1.3
    ),
)


def filled(facts: Facts) -> Facts:
    """Facts with the energy and emissions that follow from them, printed to four digits."""
    rated = hardware.accelerator(facts.hardware).rated_power_w or 0.0
    grid = (
        facts.intensity_g_per_kwh
        or (zones.intensity(facts.zone, facts.year).factor.value or 0.0) * facts.intensity_at
    )
    hours = facts.count * facts.wall_hours
    power = facts.power_w or rated * facts.power_fraction
    energy = hours * power / 1000.0
    return replace(
        facts,
        device_hours=_digits(hours),
        power_w=_digits(power),
        energy_kwh=_digits(energy * (facts.pue or 1.0)),
        intensity_g_per_kwh=_digits(grid),
        emissions_kg=_digits(energy * (facts.pue or 1.0) * grid / 1000.0),
    )


def _digits(value: float) -> float:
    return float(f"{value:.5g}")


def _scaled(field: str, ratio: float) -> Callable[[Facts], Facts | None]:
    def change(facts: Facts) -> Facts | None:
        return replace(facts, **{field: getattr(facts, field) * ratio})

    return change


def _other_grid(facts: Facts) -> Facts | None:
    ratio = 8.0 if (facts.intensity_g_per_kwh or 0.0) < 150.0 else 1.0 / 8.0
    return (
        replace(
            facts,
            intensity_g_per_kwh=_digits((facts.intensity_g_per_kwh or 0.0) * ratio),
            emissions_kg=_digits((facts.emissions_kg or 0.0) * ratio),
        )
        if facts.zone != "US"
        else None
    )


def _wall_as_device(facts: Facts) -> Facts | None:
    return replace(facts, device_hours=facts.wall_hours) if facts.count > 1 else None


def _device_as_wall(facts: Facts) -> Facts | None:
    return replace(facts, wall_hours=facts.device_hours, device_hours=None) if facts.count > 1 else None


def _no_pue(facts: Facts) -> Facts | None:
    if facts.pue is None or facts.pue < 1.1:
        return None
    return replace(facts, emissions_kg=_digits((facts.emissions_kg or 0.0) / facts.pue))


def _pue_twice(facts: Facts) -> Facts | None:
    if facts.pue is None or facts.pue < 1.1:
        return None
    return replace(facts, emissions_kg=_digits((facts.emissions_kg or 0.0) * facts.pue))


def _pue_of_one(facts: Facts) -> Facts | None:
    return replace(filled(replace(facts, pue=1.0)), pue=1.0)


def _zero(facts: Facts) -> Facts | None:
    return replace(facts, emissions_kg=0.0)


def _family(facts: Facts) -> Facts | None:
    return replace(facts, name=f"{facts.name.split()[0]} 1B + 7B + 13B")


def _sparse(facts: Facts) -> Facts | None:
    peak = hardware.accelerator(facts.hardware).matmul16_dense_tflops
    known = peak and ("A100" in facts.hardware or "H100" in facts.hardware)
    return replace(facts, peak_tflops=2.0 * peak) if known and peak else None


def _as_dense(facts: Facts) -> Facts | None:
    if facts.architecture != "encdec":
        return None
    return replace(facts, flops=6.0 * (facts.params or 0.0) * (facts.tokens or 0.0))


def _all_experts(facts: Facts) -> Facts | None:
    if facts.architecture != "moe":
        return None
    return replace(facts, flops=6.0 * (facts.params or 0.0) * (facts.tokens or 0.0))


def _cap(facts: Facts) -> Facts | None:
    return replace(
        facts, power_cap_w=round(0.7 * (hardware.accelerator(facts.hardware).rated_power_w or 0.0))
    )


def _tokens(facts: Facts) -> Facts | None:
    return replace(facts, tokens=facts.tokens * 10.0) if facts.tokens else None


def _idle(facts: Facts) -> Facts | None:
    changed = filled(replace(facts, power_fraction=0.04, power_w=None))
    return replace(changed, power_w=None)


def _search(facts: Facts) -> Facts | None:
    return replace(facts, kind="neural architecture search") if facts.tokens is None else None


SLIPS: dict[str, tuple[Callable[[Facts], Facts | None], frozenset[str]]] = {
    "tonnes typed as kilograms": (_scaled("emissions_kg", 1e-3), frozenset({"unit-factor-1000"})),
    "grams typed as kilograms": (_scaled("emissions_kg", 1e3), frozenset({"unit-factor-1000"})),
    "watt-hours typed as kilowatt-hours": (_scaled("energy_kwh", 1e3), frozenset({"unit-factor-1000"})),
    "megawatt-hours typed as kilowatt-hours": (_scaled("energy_kwh", 1e-3), frozenset({"unit-factor-1000"})),
    "pounds given as kilograms": (_scaled("emissions_kg", 2.20462), frozenset({"pounds-or-kilograms"})),
    "emissions 40 % too low": (
        _scaled("emissions_kg", 0.6),
        frozenset({"emissions-arithmetic", "pue-in-or-out"}),
    ),
    "energy 30 % too high": (
        _scaled("energy_kwh", 1.3),
        frozenset({"energy-arithmetic", "emissions-arithmetic", "pue-in-or-out"}),
    ),
    "intensity of another grid": (_other_grid, frozenset({"intensity-place"})),
    "wall hours given as device hours": (_wall_as_device, frozenset({"wall-or-device-hours"})),
    "device hours given as wall hours": (_device_as_wall, frozenset({"wall-or-device-hours"})),
    "PUE not multiplied in": (_no_pue, frozenset({"pue-in-or-out"})),
    "PUE counted twice": (_pue_twice, frozenset({"pue-in-or-out"})),
    "PUE of 1": (_pue_of_one, frozenset({"pue-left-out"})),
    "zero emissions": (_zero, frozenset({"zero-emissions"})),
    "total of a family": (_family, frozenset({"family-total"})),
    "peak with sparsity": (_sparse, frozenset({"sparse-peak"})),
    "encoder-decoder as dense": (_as_dense, frozenset({"encoder-decoder"})),
    "experts as dense": (_all_experts, frozenset({"experts-as-dense"})),
    "power cap": (_cap, frozenset({"power-cap"})),
    "ten times the tokens": (_tokens, frozenset({"utilisation-above-peak", "utilisation-high"})),
    "less than idle": (_idle, frozenset({"watts-per-device"})),
    "search": (_search, frozenset({"search-proxy"})),
}


def cases() -> Iterator[Case]:
    """Every honest claim in every form, and every slip in the forms that can tell it."""
    for number, facts in enumerate(HONEST):
        honest = filled(facts)
        for form, write in FORMS.items():
            yield Case(f"{facts.name}, honest", f"claim.{form}", write(honest), frozenset())
        for order, (slip, (change, rules)) in enumerate(SLIPS.items()):
            changed = change(honest)
            if changed is not None:
                form = list(FULL)[(number + order) % len(FULL)]
                yield Case(f"{facts.name}, {slip}", f"claim.{form}", FULL[form](changed), rules)
