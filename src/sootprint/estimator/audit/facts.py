"""What is known apart from a claim: its device, its grid, and the ranges that published runs span."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from sootprint.catalogue import regions, tables, zones
from sootprint.catalogue.names import key
from sootprint.core.errors import CatalogueError
from sootprint.estimator.audit.claim import Claim
from sootprint.estimator.audit.places import places
from sootprint.estimator.audit.reading import known_device

# Mean power of one device over its rated power. Published runs with measured power span 0.20-0.92 (Dodge et al. 2022,
# Patterson et al. 2021, Morrison et al. 2025); a device without work draws 0.15 (Morrison et al. 2025).
LEAST_POWER = 0.15
# A node's rated power over that of its accelerators: 10.2 kW for 8 x 700 W (NVIDIA DGX H100 data sheet, 2023).
MOST_NODE = 1.82
TYPICAL_POWER = 0.9  # share of the rated power with its host: 0.70 x 1.30, see docs/reference/estimator.md
MOST_PUE = 2.0  # Uptime Institute's survey (2024): a mean of 1.56, few above 2
TYPICAL_PUE = 1.2
# Share of the dense 16-bit peak over a whole run: 0.19-0.52 in 30 published runs; 0.63 is the highest of all published
# ones (Transformer Big on TPU v2, Patterson et al. 2021, table 1).
LEAST_MFU, MOST_MFU = 0.08, 0.65
TYPICAL_MFU = 0.315
# Grid averages: the cleanest life-cycle ones are near 20 (hydro and nuclear: IPCC AR5 has 24 and 12), the highest above
# 1,000 (Ember, Yearly Electricity Data); the middle of the world's generation is near 475.
LEAST_INTENSITY, MOST_INTENSITY = 10.0, 1300.0
# Rated power over the most that a maker measured at work, where no rated power is published. TPU v4: 192 W measured
# (Jouppi et al. 2023), and 378 W a chip with its host in PaLM (Chowdhery et al. 2022), which a node's 1.82 must allow.
OVER_MEASURED = 1.25
# Two chips on one board: people count either.
TWO_CHIPS = ("NVIDIA Tesla K80", "NVIDIA Tesla M60", "AMD Instinct MI250", "AMD Instinct MI250X")
WORLD_LOW, WORLD_TYPICAL, WORLD_HIGH = 20.0, 400.0, 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Device of a claim as the catalogue has it.

    Args:
        name: Canonical name.
        rated_w: Least and most rated power, among the forms of its name where none is stated (PCIe, SXM) [W], or None.
        peak_tflops: Peak rate, 16-bit matrix, without sparsity [TFLOP/s], or None.
    """

    name: str
    rated_w: tuple[float, float] | None
    peak_tflops: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Carbon intensities that were published for a claim's place and year [gCO2e/kWh].

    Args:
        place: Zones in words.
        low: Least of them.
        high: Most of them.
        typical: The life-cycle figure.
    """

    place: str
    low: float
    high: float
    typical: float


def device_of(claim: Claim) -> Device | None:
    """Device that a claim names, or None where the catalogue has it not."""
    return _device(claim.hardware, tables.stamp()) if claim.hardware else None


@lru_cache(maxsize=4096)
def _device(name: str, _: object) -> Device | None:
    found = known_device(name)
    if found is None:
        return None
    form_stated = not found.warnings or bool(re.search(r"pcie|sxm|nvl", key(name)))
    forms = [] if form_stated else _forms(found.name)
    rated = [one for one in forms if one is not None] or (
        [found.rated_power_w] if found.rated_power_w else []
    )
    if found.name in TWO_CHIPS and rated:
        rated.append(min(rated) / 2.0)
    if not rated and found.measured_w is not None:
        rated = [found.measured_w[2] * OVER_MEASURED]
    return Device(
        name=found.name,
        rated_w=(min(rated), max(rated)) if rated else None,
        peak_tflops=found.matmul16_dense_tflops,
    )


def _forms(name: str) -> list[float | None]:
    """Rated powers of the devices that share a family's name: those of A100 PCIe and A100 SXM4."""
    family = re.match(r"(.+?) (?:PCIe|SXM\d?|NVL)\b", name)
    if family is None:
        return []
    return [
        tables.cell(row, "rated_power_w")
        for row in tables.all_rows("accelerators")
        if re.match(rf"{re.escape(family[1])} (?:PCIe|SXM\d?|NVL)\b", row["name"])
    ]


def peak_tflops(claim: Claim, device: Device) -> float | None:
    """Dense peak of a device in the claim's number format [TFLOP/s]; FP8 has twice the 16-bit one."""
    if device.peak_tflops is None:
        return None
    if claim.precision in ("fp8", "float8", "e4m3", "int8"):
        return 2.0 * device.peak_tflops
    return device.peak_tflops


def flops_of(claim: Claim) -> float | None:
    """Floating-point operations of a training: as stated, else 6 N D, with N the parameters that a token meets.

    An encoder-decoder meets each token with half of its parameters: 3 N D.

    Source:
        Kaplan et al., Scaling Laws (2020, arXiv 2001.08361); Raffel et al., T5 (2020, arXiv 1910.10683).
    """
    if claim.flops is not None:
        return claim.flops
    return dense_flops(claim, 3.0 if claim.architecture == "encdec" else 6.0)


def dense_flops(claim: Claim, per_token: float = 6.0) -> float | None:
    """Parameters x tokens x a factor, or None where either is missing or no such product holds."""
    params = claim.active_params or (None if claim.architecture == "moe" else claim.params)
    if params is None or claim.tokens is None or claim.architecture == "vision":
        return None
    return per_token * params * claim.tokens


def grid_of(claim: Claim) -> Grid | None:
    """Intensities of the place and year of a claim, or None where the place is none of a table's."""
    located = places(claim.place)
    values: list[float] = []
    for zone in located:
        values += _figures(zone, claim.year, tables.stamp())
    if not values:
        return None
    return Grid(place=" or ".join(located), low=min(values), high=max(values), typical=values[0])


@lru_cache(maxsize=4096)
def _figures(zone: str, year: int | None, _: object) -> tuple[float, ...]:
    """Values of every method for a zone: life-cycle, direct, the provider's own, and those of its states.

    Args:
        zone: Zone or cloud region.
        year: Year of the claim.
        _: Identity of the tables that they are of.
    """
    found = []
    for method in zones.METHODS:
        try:
            value = zones.intensity(zone, year, method=method).factor.value
        except CatalogueError:
            continue
        if value:
            found.append(value)
    if "/" in zone:
        own = regions.region(zone, year).own_intensity
        if own is not None and own.value:
            found.append(own.value)
    for state in _states(zone):
        for method in zones.METHODS:
            listed = tuple(row for row in tables.rows("intensity", state) if row["method"] == method)
            value = tables.cell(tables.nearest_year(listed, year), "intensity_g_per_kwh") if listed else None
            if value:
                found.append(value)
    return tuple(found)


def _states(zone: str) -> list[str]:
    """Parts of a country that have figures of their own: a claim may mean one of them."""
    return [row["zone"] for row in tables.all_rows("zones") if row["parent"] == zone]
