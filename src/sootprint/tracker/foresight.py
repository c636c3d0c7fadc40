"""Forecasts of a run while it goes on, as lines of its journal, and their score in the record once it has ended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sootprint.core import carbon, intervals
from sootprint.core.quantity import Quantity
from sootprint.core.units import energy_kwh
from sootprint.tracker import history
from sootprint.tracker.forecast import AT, forecast
from sootprint.tracker.pace import pace

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.tracker.fold import Fold

DIGITS = 6  # significant digits in the journal and the record
EARLIER = "earlier"  # earlier runs of the same name, in the head of a journal
OVER = 1.01  # of what was expected, above which more is done than was said


class Foresight:
    """The forecasts of one run, each made once, when its share of progress is reached.

    Args:
        fold: Sums of the run.
        emit: Takes a line for the journal.
        so_far: Answers the footprint of what was measured until now.
        warn: Called with one line.
        home: Folder of the ledger that earlier runs of the same name are looked for in; None looks for none.
    """

    def __init__(
        self,
        fold: Fold,
        *,
        emit: Callable[[dict[str, Any]], object],
        so_far: Callable[[], Footprint],
        warn: Callable[[str], object],
        home: Path | None = None,
    ) -> None:
        self._fold = fold
        self._emit = emit
        self._so_far = so_far
        self._warn = warn
        self._home = home
        self._due = list(AT)
        self._warned = False

    def look(self) -> None:
        """Forecast the run where it has come to the next share of its progress."""
        progress = self._fold.progress
        if progress is None:
            return
        share = progress.share
        if self._due and share >= self._due[0] and self._fold.total_j() > 0.0:
            self._look_back()
            line = foreseen(self._fold, self._so_far())
            if line is not None:
                self._emit(line)
            while self._due and share >= self._due[0]:
                self._due.pop(0)
        if share > OVER and not self._warned:
            self._warned = True
            text = f"expected {progress.expected}, and more was done: forecasts count what was expected"
            self._emit({"k": "note", "text": text})
            self._warn(text)

    def _look_back(self) -> None:
        """Read earlier runs of the same name, once, before the first forecast; the journal holds what was found."""
        home, self._home, progress = self._home, None, self._fold.progress
        if home is None or progress is None or EARLIER in self._fold.head:
            return
        name, project = (self._fold.head.get(key) for key in ("name", "project"))
        found = history.lines(home, name=name, project=project, expected=progress.expected)
        if found:
            self._emit({"k": "more", "head": {EARLIER: found}})


def foreseen(fold: Fold, so_far: Footprint) -> dict[str, Any] | None:
    """Line with a forecast of the whole run as of now; None where nothing can be told, or nothing is left.

    Args:
        fold: Sums of a run.
        so_far: Footprint of the same sums: a forecast is of what the run will be charged, and at the same intensity.
    """
    progress = fold.progress
    if progress is None:
        return None
    total = progress.expected.total
    seen = pace(progress.points, total, told=progress.told, tick_s=fold.period_s, begun_s=fold.first_s or 0.0)
    measured_j = fold.total_j()
    if (
        seen is None
        or seen.power_w <= 0.0
        or seen.left <= 0.0
        or so_far.energy_kwh is None
        or measured_j <= 0.0
    ):
        return None
    charged = so_far.energy_kwh.value / energy_kwh(measured_j)
    kwh = energy_kwh(charged)  # that the run is charged for a measured joule
    earlier = history.earlier(fold.head.get(EARLIER, ()), j_per_kwh=1.0 / kwh) if kwh > 0.0 else []
    made = forecast(seen, by_time=progress.expected.by_time, earlier=earlier)
    energy = intervals.scaled(made.energy_j, kwh)
    intensity, pue = so_far.intensity_g_per_kwh, so_far.pue
    emissions = (
        carbon.emissions(energy, intensity, pue) if intensity is not None and pue is not None else None
    )
    return {
        "k": "forecast",
        "s": round(made.at_s, 3),
        "progress": _short(made.progress),
        "units": made.units,
        "energy_kwh": _plain(energy),
        "emissions_kg": None if emissions is None else _plain(emissions),
        "duration_s": _plain(made.duration_s),
        "so_far_kwh": _short(kwh * seen.last.energy_j),
        "unit_s": _short(seen.unit_s),
        "unit_kwh": _short(kwh * seen.unit_s * seen.power_w),
        "earlier_runs": len(earlier),
        "earlier_weight": _short(made.by_earlier),
    }


def now(fold: Fold, so_far: Footprint) -> dict[str, Any] | None:
    """Forecast of a run as of now, in the form of its record; None where nothing can be told."""
    line = None if fold.progress is None else foreseen(fold, so_far)
    return None if line is None else _entry(fold, line, total_kwh=None, duration_s=None)


def scored(fold: Fold, total: Quantity | None) -> tuple[dict[str, Any], ...]:
    """Forecasts of a run for its record, each against the end where the run did what was expected of it.

    Args:
        fold: Sums of a run.
        total: Energy of the whole run [kWh].
    """
    progress = fold.progress
    if progress is None:
        return ()
    total_kwh = total.value if progress.complete and total is not None else None
    duration_s = fold.last_s if progress.complete and not progress.expected.by_time else None
    return tuple(_entry(fold, line, total_kwh=total_kwh, duration_s=duration_s) for line in fold.forecasts)


def _entry(
    fold: Fold, line: dict[str, Any], *, total_kwh: float | None, duration_s: float | None
) -> dict[str, Any]:
    """Forecast of a line as a record holds it, against what came where that is known."""
    assert fold.progress is not None
    return {
        **{name: value for name, value in line.items() if name not in ("k", "s")},
        "expected": str(fold.progress.expected),
        "at_s": line["s"],
        **_score("energy", line["energy_kwh"], total_kwh),
        **_score("duration", line["duration_s"], duration_s),
    }


def _score(name: str, made: dict[str, Any], actual: float | None) -> dict[str, Any]:
    """Error of a forecast over what came, and whether its interval held it; None where that cannot be told."""
    if not actual:
        return {f"{name}_error": None, f"{name}_inside": None}
    inside = made["low"] <= actual <= made["high"]
    return {f"{name}_error": _short(made["value"] / actual - 1.0), f"{name}_inside": inside}


def _plain(quantity: Quantity) -> dict[str, Any]:
    numbers = {name: getattr(quantity, name) for name in ("value", "low", "high")}
    short = {name: None if number is None else _short(number) for name, number in numbers.items()}
    return {**short, "basis": quantity.basis}


def _short(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")
