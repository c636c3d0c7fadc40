"""Energy of powers that a tool logged: integrated look by look, with the bounds that such a sampling is worth.

A time without looks stays a gap, and its energy is in no total. What lies between two looks is taken for their
trapezoid. A power that changes faster than it is looked at makes each look one draw of it: `n` draws of standard
deviation `s`, a time `T` apart, miss the energy by `s T sqrt(n)`, and `s` is told by the differences `d` of neighbours,
`2 s^2 = mean(d^2)`. A load that repeats in step with the looks hides from them, and no bound can tell it.

Source:
    Von Neumann et al., The Mean Square Successive Difference, Annals of Mathematical Statistics 12 (1941).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import Any

from sootprint.core import energy, instants, intervals, units
from sootprint.core.errors import InputError
from sootprint.core.protocols import family_of
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.records import Component, Gap, Interval
from sootprint.importers.base import finite

GAP_STEPS = 3.0  # usual times between two looks that may lie between them; beyond is a gap
FIRST_S, LAST_S = 1.2e9, 4.1e9  # of instants in seconds since 1970: the years 2008 to 2099
MOST_W = 100_000.0  # of one device: above any until 2026, so that a milliwatt is not taken for a watt
MOST_GAPS = 1_000
NOTHING = ("", "nan", "none", "null", "n/a")  # as tools write a power that they did not read
COVERED = 0.95  # share of the time that powers cover, below which a record says so
MOST_INTERVALS, MOST_OF_ONE = 11_520, 1440  # of a record, and of one component of it
WIDTHS_S = (60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0)
DRAWS = 6.0  # variance of independent draws, over that of one jump at an unknown instant between two looks
ACCURACY = {
    kind: Factor(
        kind="meter_accuracy",
        key=key,
        value=1.0,
        low=low,
        high=high,
        method="true over read energy",
        source=source,
    )
    for kind, key, low, high, source in (
        (
            "accelerator",
            "power of the accelerators' sensors",
            0.90,
            1.10,
            "NVIDIA, NVML API Reference Guide (2026); Yang et al., Part-time Power Measurements, SC (2024)",
        ),
        (
            "cpu",
            "power of the processors' counters",
            0.90,
            1.15,
            "Schoene et al., Energy Efficiency Aspects of the AMD Zen 2 Architecture, IEEE CLUSTER (2021)",
        ),
        (
            "wall",
            "power analyzer at the wall",
            0.99,
            1.01,
            "SPEC, Power and Performance Benchmark Methodology V2.2 (2014): uncertainty below 1 %",
        ),
    )
}


@dataclass(slots=True)
class Series:
    """Powers of one device.

    Args:
        component: Component, e.g. accelerator:0.
        busy: Busy shares that were logged beside them [0-1].
    """

    component: str
    looks: dict[float, float] = field(default_factory=dict)
    busy: list[float] = field(default_factory=list)
    bad: int = 0

    def add(self, at_s: float, text: str) -> None:
        """Add a look [s]; a text that is no power is counted as bad, and one that says that there is none is not."""
        power_w = _power_w(text)
        if power_w is not None:
            self.looks[at_s] = power_w
        elif text.strip().lower() not in NOTHING:
            self.bad += 1

    def add_busy(self, value: Any, *, whole: float = 1.0) -> None:
        """Add a busy share, of which `whole` is all; what is none is nothing."""
        share = _power_w(str(value))
        if share is not None and share <= whole:
            self.busy.append(share / whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a device spent.

    Args:
        energy_j: Energy within the looks [J].
        variance_j2: Its variance by what lies between the looks [J^2].
        step_s: Usual time between two looks [s].
        first_s: Instant of the first look [s].
        last_s: Instant of the last one [s].
        pieces: Start [s], end [s] and energy [J] between two looks each, in order.
        gaps: Start [s] and end [s] of the times without looks.
    """

    energy_j: float
    variance_j2: float
    step_s: float
    first_s: float
    last_s: float
    pieces: tuple[tuple[float, float, float], ...]
    gaps: tuple[tuple[float, float], ...]


def _power_w(text: str) -> float | None:
    value = finite(text)
    return value if value is not None and 0.0 <= value <= MOST_W else None


def spent(looks: Sequence[tuple[float, float]]) -> Spent:
    """Energy of looks, `(n,)` instants [s] and powers [W], in order.

    Raises:
        InputError: There are fewer than two.

    >>> found = spent([(0.0, 100.0), (10.0, 100.0), (20.0, 200.0), (90.0, 200.0), (100.0, 200.0)])
    >>> found.energy_j, found.gaps, round(math.sqrt(found.variance_j2))
    (4500.0, ((20.0, 90.0),), 707)
    """
    if len(looks) < 2:
        raise InputError(f"it has {len(looks)} powers, and energy lies between two: log more often")
    step_s = statistics.median(after[0] - before[0] for before, after in pairwise(looks))
    pieces, gaps, variance_j2 = [], [], 0.0
    for (start_s, before_w), (end_s, after_w) in pairwise(looks):
        took = energy.integrated(before_w, after_w, end_s - start_s, max_gap_s=GAP_STEPS * step_s)
        if took.energy_j is None:
            gaps.append((start_s, end_s))
            continue
        pieces.append((start_s, end_s, took.energy_j))
        variance_j2 += DRAWS * energy.step_variance_j2(before_w, after_w, end_s - start_s)
    return Spent(
        energy_j=math.fsum(piece[2] for piece in pieces),
        variance_j2=variance_j2,
        step_s=step_s,
        first_s=looks[0][0],
        last_s=looks[-1][0],
        pieces=tuple(pieces),
        gaps=tuple(gaps),
    )


def quantity_kwh(component: str, found: Spent, *, basis: str = "sensor") -> Quantity:
    """Energy of a component with its bounds [kWh]: what lies between the looks, and the accuracy of the sensors."""
    off_j = intervals.Z90 * math.sqrt(found.variance_j2)
    drawn = Quantity(
        value=units.energy_kwh(found.energy_j),
        low=units.energy_kwh(max(0.0, found.energy_j - off_j)),
        high=units.energy_kwh(found.energy_j + off_j),
        basis=basis,
    )
    return intervals.product(drawn, ACCURACY[family_of(component)].quantity(), basis=basis)


def parts(
    series: Sequence[Series],
    *,
    meter: str,
    told_s: tuple[float | None, float | None] = (None, None),
    dated: bool = True,
) -> dict[str, Any]:
    """Fields of a record that powers give.

    Args:
        series: Powers of the devices.
        meter: Name that the components get as their meter.
        told_s: Start and end of the run, where the tool tells them [s].
        dated: Whether the instants count from 1970; else from the start of the run.

    Raises:
        InputError: No device has two powers, or none has one above 0.
    """
    found = {
        one.component: spent(sorted(one.looks.items()))
        for one in series
        if len(one.looks) > 1 and any(one.looks.values())
    }
    if not found:
        raise InputError("no device has a power above 0: nothing was told of their energy")
    shares = {one.component: statistics.fmean(one.busy) for one in series if one.busy}
    start_s = min([one.first_s for one in found.values()] + [at_s for at_s in told_s[:1] if at_s is not None])
    end_s = max([one.last_s for one in found.values()] + [at_s for at_s in told_s[1:] if at_s is not None])
    listed = tuple(
        Component(
            component=name, meter=meter, energy_kwh=quantity_kwh(name, one), utilisation=shares.get(name)
        )
        for name, one in found.items()
    )
    made = {
        "components": listed,
        "energy_kwh": intervals.together([one.energy_kwh for one in listed]),
        "duration_s": end_s - start_s,
        "device_hours": Quantity(value=units.hours(end_s - start_s) * len(found), basis="derived"),
        "factors": tuple(ACCURACY[kind] for kind in dict.fromkeys(map(family_of, found))),
        "warnings": tuple(_doubts(series, found, (start_s, end_s))),
    }
    return made | (course(found, start_s, end_s) if dated else {})


def course(found: dict[str, Spent], start_s: float, end_s: float) -> dict[str, Any]:
    """Fields of a run whose instants count from 1970."""
    return {
        "started": instants.stamp(start_s),
        "ended": instants.stamp(end_s),
        "intervals": tuple(_intervals(found, start_s, end_s)),
        "gaps": tuple(islice(_gaps(found, start_s, end_s), MOST_GAPS)),
    }


def _gaps(found: dict[str, Spent], start_s: float, end_s: float) -> Iterator[Gap]:
    """Times without looks, those before the first and after the last one too."""
    for name, one in found.items():
        around = [(start_s, one.first_s), *one.gaps, (one.last_s, end_s)]
        for begin_s, until_s in around:
            if until_s - begin_s > GAP_STEPS * one.step_s:
                yield Gap(
                    component=name,
                    start=instants.stamp(begin_s),
                    end=instants.stamp(until_s),
                    reason=f"no power logged for {until_s - begin_s:.0f} s; its energy is in no total",
                )


def _intervals(found: dict[str, Spent], start_s: float, end_s: float) -> Iterator[Interval]:
    """Energy of each component in steps of a minute, or of more where the run is long or was seldom looked at."""
    most = min(MOST_OF_ONE, MOST_INTERVALS // len(found) or 1)
    least_s = max((end_s - start_s) / most, *(one.step_s for one in found.values()))
    width_s = next((width for width in WIDTHS_S if width >= least_s), least_s)
    for name, one in found.items():
        sums: dict[int, float] = {}
        for begin_s, until_s, energy_j in one.pieces:
            for index, share in _spread(begin_s - start_s, until_s - start_s, width_s):
                sums[index] = sums.get(index, 0.0) + energy_j * share
        for index, energy_j in sorted(sums.items()):
            yield Interval(
                start=instants.stamp(start_s + index * width_s),
                end=instants.stamp(min(end_s, start_s + (index + 1) * width_s)),
                component=name,
                energy_j=energy_j,
            )


def _spread(begin_s: float, until_s: float, width_s: float) -> Iterator[tuple[int, float]]:
    """Steps that a piece touches, with the share of it that lies in each."""
    at_s = begin_s
    while at_s < until_s:
        index = math.floor(at_s / width_s)
        next_s = min(until_s, (index + 1) * width_s)
        if next_s <= at_s:  # a width that a number so large cannot tell
            next_s = until_s
        yield index, (next_s - at_s) / (until_s - begin_s)
        at_s = next_s


def _doubts(series: Sequence[Series], found: dict[str, Spent], told_s: tuple[float, float]) -> Iterator[str]:
    step_s = max(one.step_s for one in found.values())
    alone = all(family_of(name) == "accelerator" for name in found)
    yield (
        f"the energy is integrated from powers that were logged every {step_s:.3g} s, of "
        + (
            "the accelerators alone: processor, memory, fans"
            if alone
            else "accelerators and processors: fans"
        )
        + " and supply are not in it"
    )
    yield from uncovered(found, told_s)
    bad = sum(one.bad for one in series)
    if bad:
        yield f"{bad} powers were negative, too large or no numbers: they count as not logged"
    silent = [one.component for one in series if one.component not in found]
    if silent:
        yield f"{', '.join(silent)}: all powers are 0 or missing, so its energy is not known"
    yield from _twins(series)


def uncovered(found: dict[str, Spent], told_s: tuple[float, float]) -> Iterator[str]:
    """Warning where powers leave out much of the time from a start to an end [s]."""
    covered_s = sum(end - start for one in found.values() for start, end, _ in one.pieces)
    whole_s = (told_s[1] - told_s[0]) * len(found)
    if covered_s < COVERED * whole_s or any(one.gaps for one in found.values()):
        share = 100.0 * covered_s / whole_s
        yield f"powers cover {share:.1f} % of the time: the energy of the rest is in no total"


def _twins(series: Sequence[Series]) -> Iterator[str]:
    """Warning where two devices tell the same, as the two dies of one card do."""
    for index, one in enumerate(series):
        for other in series[:index]:
            if len(one.looks) >= 10 and len(set(one.looks.values())) > 2 and one.looks == other.looks:
                yield (
                    f"{one.component} tells the same powers as {other.component} at every look: are they one card, "
                    "whose energy is counted twice?"
                )
                break
