"""Calibration of a node: its wall power as a constant and a multiple of what its own meters read.

    wall = idle + slope x components

Two numbers stand for what no sensor sees - fans, board, supply, converters - and for what the sensors misread.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sootprint.core.classes import dataclass
from sootprint.core.errors import InputError
from sootprint.core.intervals import Z90
from sootprint.core.quantity import Factor

KIND = "calibration"
LEAST_SPREAD_W = 5.0  # between the lowest and the highest power of the components
LEAST_SPREAD = 0.1  # over the highest of them
SLOPES = (0.1, 10.0)  # beyond these the readings are not of this node
# A fit to one kind of load met other kinds with median errors of 3.2 % and 7.2 %, the worst case being 13.3 %
# (wall power of 318 runs, data of Fischer, 2025); a normal error of 6 % has a median of 4 % and 95 % below 12 %.
MISFIT = 0.06
FIT_SOURCE = "wall readings of this node; spread between kinds of load: data of Fischer (2025)"


class Point(NamedTuple):
    """Mean power of the components and at the wall over the same time, and the standard error of the latter [W]."""

    components_w: float
    wall_w: float
    error_w: float


class Line(NamedTuple):
    """Fitted line with its covariance, and the scatter of the readings about it over their mean [1]."""

    idle_w: float
    slope: float
    idle_var_w2: float
    slope_var: float
    covariance_w: float
    scatter: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A node's fitted line, and what it holds for.

    Args:
        idle_w: Wall power that does not depend on the components [W].
        slope: Wall power for each watt of the components [1].
        idle_var_w2: Variance of `idle_w` [W^2].
        slope_var: Variance of `slope` [1].
        covariance_w: Covariance of the two [W].
        misfit: Standard error of the line for loads of any kind, over the power [1].
        accuracy: Half-width of the wall meter's own 90 % interval, over its reading [1].
        least_w: Lowest power of the components while it was made [W].
        most_w: Highest power of the components while it was made [W].
        readings: Wall readings that it was fitted to [1].
        meters: Meters of the components, sorted.
        hardware: Processors and accelerators, sorted.
        made: Day, ISO 8601.
        source: Where the wall readings came from.
    """

    idle_w: float
    slope: float
    idle_var_w2: float
    slope_var: float
    covariance_w: float
    misfit: float
    accuracy: float
    least_w: float
    most_w: float
    readings: int
    meters: tuple[str, ...]
    hardware: tuple[str, ...]
    made: str
    source: str

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Calibration:
        """Calibration as a file or journal holds it.

        Raises:
            InputError: A number is missing or impossible.
        """
        try:
            made = cls(**{**data, "meters": tuple(data["meters"]), "hardware": tuple(data["hardware"])})
            numbers = [made.idle_w, made.slope, made.idle_var_w2, made.slope_var, made.misfit, made.accuracy]
            sound = all(0.0 <= float(number) < math.inf for number in numbers)
        except (KeyError, TypeError, ValueError) as err:
            raise InputError(f"a stored calibration cannot be read: {err}") from err
        if not (sound and made.slope > 0.0 and math.isfinite(made.covariance_w)):
            raise InputError("a stored calibration has impossible numbers: calibrate again")
        return made

    def energy_j(self, duration_s: float, components_j: float) -> float:
        """Energy at the wall [J].

        Args:
            duration_s: Time that the node is held [s].
            components_j: Energy that the components' meters gave in it [J].
        """
        return self.idle_w * duration_s + self.slope * components_j

    def error_j(self, duration_s: float, components_j: float) -> float:
        """Standard error of `energy_j`: the line's own, its misfit to other loads, and the wall meter's [J]."""
        line_j2 = (
            self.idle_var_w2 * duration_s**2
            + 2.0 * self.covariance_w * duration_s * components_j
            + self.slope_var * components_j**2
        )
        share = math.hypot(self.misfit, self.accuracy / Z90)
        return math.hypot(math.sqrt(max(0.0, line_j2)), share * self.energy_j(duration_s, components_j))

    def covers(self, components_w: float) -> bool:
        """Whether a mean power of the components lies within a fifth of what was calibrated [W]."""
        return 0.8 * self.least_w <= components_w <= 1.2 * self.most_w

    def factors(self) -> tuple[Factor, Factor]:
        """The two numbers as factors of a record."""
        method = (
            f"wall = {self.idle_w:.3g} W + {self.slope:.3g} x components, {self.readings} readings of {self.made}, "
            f"meters {', '.join(self.meters)}"
        )
        source = f"{self.source}; {FIT_SOURCE}"
        idle = _factor("idle power", self.idle_w, self.idle_var_w2, unit="W", method=method, source=source)
        return idle, _factor("slope", self.slope, self.slope_var, unit="1", method=method, source=source)


def _factor(key: str, value: float, variance: float, *, unit: str, method: str, source: str) -> Factor:
    half = Z90 * math.sqrt(variance)
    return Factor(
        kind=KIND,
        key=key,
        value=value,
        low=max(0.0, value - half),
        high=value + half,
        unit=unit,
        method=method,
        source=source,
    )


def fit(points: Sequence[Point]) -> Line:
    """Weighted least squares of the wall power over the components' power.

    The covariance is that of the readings' errors, widened where they scatter more than these explain (Birge ratio).
    A constant below 0 is no power: the line then goes through the origin.

    Raises:
        InputError: There are fewer than two readings, or the components' power hardly varies between them.

    Source:
        Birge, The Calculation of Errors by the Method of Least Squares, Phys. Rev. 40 (1932).

    >>> line = fit([Point(50.0, 97.0, 1.0), Point(300.0, 392.0, 1.0)])
    >>> round(line.idle_w, 6), round(line.slope, 6)
    (38.0, 1.18)
    """
    _check(points)
    weights = [1.0 / point.error_w**2 for point in points]
    s, sx, sy, sxx, sxy = _sums(points, weights)
    determinant = s * sxx - sx * sx
    idle_w, slope = (sxx * sy - sx * sxy) / determinant, (s * sxy - sx * sy) / determinant
    covariance = (sxx / determinant, s / determinant, -sx / determinant)
    if idle_w < 0.0:
        idle_w, slope, covariance = 0.0, sxy / sxx, (0.0, 1.0 / sxx, 0.0)
    if not SLOPES[0] <= slope <= SLOPES[1]:
        raise InputError(
            f"the wall power rises by {slope:.3g} W for each watt of the components, which no node does: "
            "check that the readings are of this node and in W"
        )
    residuals = [point.wall_w - idle_w - slope * point.components_w for point in points]
    free = len(points) - 2
    chi2 = math.fsum(w * residual**2 for w, residual in zip(weights, residuals, strict=True))
    widened = max(1.0, chi2 / free) if free > 0 else 1.0
    scatter_w = math.sqrt(math.fsum(r * r for r in residuals) / free) if free > 0 else 0.0
    mean_w = math.fsum(point.wall_w for point in points) / len(points)
    idle_var_w2, slope_var, covariance_w = (widened * term for term in covariance)
    return Line(idle_w, slope, idle_var_w2, slope_var, covariance_w, scatter_w / mean_w)


def _sums(points: Sequence[Point], weights: Sequence[float]) -> tuple[float, ...]:
    pairs = list(zip(weights, points, strict=True))
    return (
        math.fsum(weights),
        math.fsum(w * point.components_w for w, point in pairs),
        math.fsum(w * point.wall_w for w, point in pairs),
        math.fsum(w * point.components_w**2 for w, point in pairs),
        math.fsum(w * point.components_w * point.wall_w for w, point in pairs),
    )


def _check(points: Sequence[Point]) -> None:
    for point in points:
        if not (
            0.0 <= point.components_w < math.inf and 0.0 < point.wall_w < math.inf and point.error_w > 0.0
        ):
            raise InputError(
                f"{point.wall_w:g} W at the wall and {point.components_w:g} W of components are no powers above 0"
            )
    if len(points) < 2:
        raise InputError(f"{len(points)} wall reading: a line needs two, at different loads")
    least_w = min(point.components_w for point in points)
    most_w = max(point.components_w for point in points)
    if most_w - least_w < max(LEAST_SPREAD_W, LEAST_SPREAD * most_w):
        raise InputError(
            f"all wall readings were at nearly the same load (components {least_w:.0f} to {most_w:.0f} W): "
            "read again under another load"
        )


def calibrated(
    points: Sequence[Point],
    *,
    accuracy: float,
    meters: Iterable[str],
    hardware: Iterable[str],
    made: str,
    source: str,
) -> Calibration:
    """Calibration of a node from wall readings.

    Args:
        points: Readings at different loads.
        accuracy: Half-width of the wall meter's own 90 % interval, over its reading [1].
        meters: Meters of the components.
        hardware: Processors and accelerators, as `signature` names them.
        made: Day, ISO 8601.
        source: Where the wall readings came from.

    Raises:
        InputError: A line cannot be fitted to the readings.
    """
    line = fit(points)
    return Calibration(
        **{name: value for name, value in line._asdict().items() if name != "scatter"},
        misfit=max(MISFIT, line.scatter),
        accuracy=accuracy,
        least_w=min(point.components_w for point in points),
        most_w=max(point.components_w for point in points),
        readings=len(points),
        meters=tuple(sorted(set(meters))),
        hardware=tuple(hardware),
        made=made,
        source=source,
    )


def signature(devices: Iterable[tuple[str, str, int]]) -> tuple[str, ...]:
    """Processors and accelerators of a node as one sorted list of names.

    Args:
        devices: Kind, name and count of each.

    >>> signature([("cpu", "Xeon", 2), ("dram", "DIMM", 8), ("accelerator", "A100", 4)])
    ('2 x Xeon', '4 x A100')
    """
    counts: dict[str, int] = {}
    for kind, name, count in devices:
        if kind in ("cpu", "accelerator"):
            counts[name] = counts.get(name, 0) + count
    return tuple(sorted(f"{count} x {name}" for name, count in counts.items()))


def why_not(known: Calibration, meters: Sequence[str], hardware: Sequence[str]) -> str | None:
    """Why a calibration does not hold for a run, or None where it does.

    Args:
        known: Calibration of the node.
        meters: Meters that gave the run's components, without those of the node and the wall.
        hardware: Its processors and accelerators, as `signature` names them.
    """
    if tuple(hardware) != known.hardware:
        return f"it was made with {_listed(known.hardware)}, and the run had {_listed(hardware)}"
    if tuple(sorted(set(meters))) != known.meters:
        return f"it was made with the meters {_listed(known.meters)}, and the run had {_listed(sorted(set(meters)))}"
    return None


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
