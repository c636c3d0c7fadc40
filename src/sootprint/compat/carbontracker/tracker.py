"""carbontracker's `CarbonTracker` over a run of ours: epochs are its spans, the prediction is our forecast.

Source:
    carbontracker 2.4.7 (2025), `CarbonTracker`: names, order and defaults of the arguments, the words it prints, and
    what public scripts read of its threads.
"""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sootprint.compat import shared
from sootprint.compat.carbontracker.log import Log
from sootprint.compat.shared import UNKNOWN, safely, warn
from sootprint.core.units import G_PER_KG
from sootprint.tracker import Run

if TYPE_CHECKING:
    import numpy as np

    from sootprint.core.records import Footprint
    from sootprint.tracker.run import Span

ARGUMENTS = (
    "epochs_before_pred", "monitor_epochs", "update_interval", "interpretable", "stop_and_confirm", "ignore_errors",
    "components", "devices_by_pid", "log_dir", "log_file_prefix", "verbose", "decimal_precision", "api_keys", "sim_cpu",
    "sim_cpu_tdp", "sim_cpu_util", "sim_gpu", "sim_gpu_watts", "sim_gpu_util",
)  # fmt: skip
USED = (
    "epochs", "epochs_before_pred", "monitor_epochs", "update_interval", "interpretable", "verbose",
    "decimal_precision", "log_dir", "log_file_prefix",
)  # fmt: skip
BOUNDED = ("value", "low", "high")
EPOCHS = inspect.Parameter("epochs", inspect.Parameter.POSITIONAL_OR_KEYWORD)
EPOCH = "epoch"
CAR_G_PER_KM = 106.8  # of a new car in the European Union; carbontracker 2.4.7, co2eq.csv (2025)
SPEAKER = "CarbonTracker: "


class Epochs:
    """What carbontracker's measuring thread knows of the epochs that have ended: `tracker.tracker` of a script."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.epoch_times: list[float] = []  # [s]

    def total_energy_per_epoch(self) -> np.ndarray[Any, Any]:
        """Energy of each epoch with the PUE, shape (epochs that have ended,) [kWh]."""
        return safely(self._energies, _array([]), what="total_energy_per_epoch")

    def _energies(self) -> np.ndarray[Any, Any]:
        made = self._run.so_far()
        spans = [span for span in made.spans if span.name == EPOCH] if made else []
        return _array([_pue(made) * span.energy_kwh.value for span in spans[: len(self.epoch_times)]])


class Intensity(float):
    """A mean carbon intensity: what `average_carbon_intensity` gives, a number since 2.4 and an object before [g/kWh].

    It is not a number (nan) where it is not known.
    """

    address = ""  # zone of the record, "" where it is not known

    @property
    def carbon_intensity(self) -> float:
        """The number itself [gCO2e/kWh]."""
        return float(self)


class Intensities:
    """What carbontracker's other thread knows of the grid: `tracker.intensity_updater` of a script."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def average_carbon_intensity(self) -> Intensity:
        """Mean carbon intensity of the run so far."""
        return safely(
            lambda: _intensity(self._run.so_far()), Intensity(UNKNOWN), what="average_carbon_intensity"
        )


class CarbonTracker:
    """A tracker of epochs: `epoch_start` and `epoch_end` around each, `stop` where a training ends before the last.

    After `epochs_before_pred` epochs it prints what the whole training will take, with its interval; after the last
    one what it took. The run lasts from the first epoch's start to the last one's end, with what lies between.

    Raises:
        TypeError: An argument is not one of carbontracker's, or `epochs` is missing.
    """

    __signature__: ClassVar[inspect.Signature] = shared.signature(ARGUMENTS, more=EPOCHS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = shared.bound(self.__signature__, args, kwargs, of=type(self).__name__)
        shared.warn_of_ignored("carbontracker", given, USED)
        self.epochs = _whole("epochs", given, 0)
        self.epochs_before_pred = self._counted("epochs_before_pred", given, 1)
        self.monitor_epochs = self._counted("monitor_epochs", given, -1)
        self.epoch_counter = 0
        self.decimal_precision = max(0, _whole("decimal_precision", given, 12))
        self._is_interpretable = bool(given.get("interpretable", True))
        self._is_verbose = _whole("verbose", given, 1) > 0
        self._run = Run(period=given.get("update_interval"))
        self.tracker, self.intensity_updater = Epochs(self._run), Intensities(self._run)
        self._log = _log_of(given, self._run)
        self._span: Span | None = None
        self._began_s = 0.0
        self._is_due, self.deleted = self.epochs_before_pred > 0, False

    @property
    def footprint(self) -> Footprint | None:
        """Record of the run after its end."""
        return self._run.footprint

    def epoch_start(self) -> None:
        """Begin an epoch; with the first the run begins."""
        safely(self._epoch_start, None, what="epoch_start")

    def epoch_end(self) -> None:
        """End an epoch; with the last that is monitored the run ends."""
        safely(self._epoch_end, None, what="epoch_end")

    def stop(self) -> None:
        """End the run, where it has not ended; once is enough."""
        safely(lambda: self._stop(is_early=True), None, what="stop")

    def set_api_keys(self, api_keys: Mapping[str, str]) -> None:
        """Nothing: a source of the grid's intensity stands in the settings."""
        shared.warn_of_ignored("carbontracker", {"api_keys": api_keys}, USED)

    def _counted(self, name: str, given: Mapping[str, Any], otherwise: int) -> int:
        """Number of epochs, all of them where it is below 0, as there."""
        number = _whole(name, given, otherwise)
        return self.epochs if number < 0 else number

    def _epoch_start(self) -> None:
        if self.deleted:
            return
        self._run.start()
        self._close()
        self.epoch_counter = len(self.tracker.epoch_times) + 1
        self._span = self._run.span(EPOCH, total=self.epochs if self.epochs > 0 else None)
        self._span.__enter__()
        self._began_s = time.monotonic()
        if self._log is not None:
            self._log.begin_epoch()

    def _close(self) -> None:
        if self._span is not None:
            self._span.__exit__(None, None, None)
            self._span = None

    def _epoch_end(self) -> None:
        if self.deleted or self._span is None:
            return
        self._close()
        self.tracker.epoch_times.append(time.monotonic() - self._began_s)
        if self._log is not None:
            self._log.end_epoch(self.epoch_counter, self.tracker.epoch_times[-1])
        if self._is_due and self.epoch_counter >= self.epochs_before_pred:
            self._tell_forecast()
        if self.epoch_counter == (self.monitor_epochs if self.monitor_epochs > 0 else self.epochs):
            self._stop()

    def _stop(self, *, is_early: bool = False) -> None:
        if self.deleted or self._run.id is None:
            return
        self.deleted = True
        self._close()
        self.epoch_counter = len(self.tracker.epoch_times)
        made = self._run.stop()
        if self._log is not None:
            self._log.end(made, early_of=self.monitor_epochs if is_early else None)
        if made is not None:
            sums = {"energy_kwh": made.energy_kwh, "emissions_kg": made.emissions_kg}
            which = f" for {self.epoch_counter} epoch(s)" if self.epochs_before_pred else ""
            self._tell(f"Actual consumption{which}:", made, made.duration_s, sums)

    def _tell_forecast(self) -> None:
        so_far = self._run.so_far()
        if so_far is None or not so_far.forecasts:
            return  # too little was measured: the next epoch may tell
        self._is_due = False
        told = so_far.forecasts[-1]
        self._tell(
            f"Predicted consumption for {self.epochs} epoch(s):", so_far, told["duration_s"]["value"], told
        )

    def _tell(
        self, title: str, made: Footprint, duration_s: float | None, numbers: Mapping[str, Any]
    ) -> None:
        """Print numbers in carbontracker's words and units, and the interval that it does not have."""
        time = "unknown" if duration_s is None else str(timedelta(seconds=round(duration_s)))
        energy = _bounds(numbers["energy_kwh"], _pue(made))
        carbon = _bounds(numbers["emissions_kg"], G_PER_KG)
        lines = f"\tTime:\t{time}\n\tEnergy:\t{self._words(energy)} kWh\n\tCO2eq:\t{self._words(carbon)} g"
        if self._is_interpretable and carbon[0] is not None:
            lines += f"\n\tThis is equivalent to:\n\t{self._words((carbon[0] / CAR_G_PER_KM,))} km travelled by car"
        self._say(f"\n{title}\n{lines}")
        intervals = [f"{_range(one)} {unit}" for one, unit in ((energy, "kWh"), (carbon, "g")) if _range(one)]
        if intervals:
            self._say(f"90 % interval: {', '.join(intervals)}")

    def _words(self, number: tuple[float | None, ...]) -> str:
        value = UNKNOWN if number[0] is None else number[0]
        return f"{value:.{self.decimal_precision}f}"

    def _say(self, text: str) -> None:
        if self._log is not None:
            self._log.output(f"{SPEAKER}{text}")
        if self._is_verbose and sys.stdout is not None:
            sys.stdout.write(f"{SPEAKER}{text}\n")


def _intensity(made: Footprint | None) -> Intensity:
    if made is None or made.intensity_g_per_kwh is None:
        return Intensity(UNKNOWN)
    found = Intensity(made.intensity_g_per_kwh.value)
    found.address = made.place.zone or ""
    return found


def _pue(made: Footprint | None) -> float:
    return made.pue.value if made and made.pue else 1.0


def _array(numbers: list[float]) -> np.ndarray[Any, Any]:
    import numpy as np

    return np.array(numbers, dtype=float)


def _bounds(number: Any, factor: float) -> tuple[float | None, ...]:
    """Value, low and high of a quantity or a forecast's number, in another unit; None of what is not known."""
    told = number if isinstance(number, dict) else {name: getattr(number, name, None) for name in BOUNDED}
    return tuple(None if (one := told[name]) is None else one * factor for name in BOUNDED)


def _range(number: tuple[float | None, ...]) -> str:
    _, low, high = number
    return "" if low is None or high is None else f"{low:.3g} to {high:.3g}"


def _log_of(given: Mapping[str, Any], run: Run) -> Log | None:
    """The logs, where a folder is given for them; one that cannot be used is warned of."""
    folder = given.get("log_dir")
    if folder is None:
        return None
    prefix = str(given.get("log_file_prefix") or "")
    return safely(lambda: Log(Path(folder), prefix, run), None, what="log_dir")


def _whole(name: str, given: Mapping[str, Any], otherwise: int) -> int:
    """Whole number of an argument; one that is none is warned of."""
    value = given.get(name, otherwise)
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        warn(f"{name}={value!r:.40} is no whole number: {otherwise} is taken")
        return otherwise
