"""carbontracker's `CarbonTracker` over a run of ours: epochs are its spans, the prediction is our forecast.

Source:
    carbontracker 2.4.7 (2025), `CarbonTracker`: names, order and defaults of the arguments, and the words it prints.
"""

from __future__ import annotations

import inspect
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from sootprint.compat import shared
from sootprint.compat.shared import safely, warn
from sootprint.core.units import G_PER_KG
from sootprint.tracker import Run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sootprint.core.records import Footprint
    from sootprint.tracker.run import Span

ARGUMENTS = (
    "epochs_before_pred", "monitor_epochs", "update_interval", "interpretable", "stop_and_confirm", "ignore_errors",
    "components", "devices_by_pid", "log_dir", "log_file_prefix", "verbose", "decimal_precision", "api_keys", "sim_cpu",
    "sim_cpu_tdp", "sim_cpu_util", "sim_gpu", "sim_gpu_watts", "sim_gpu_util",
)  # fmt: skip
USED = ("epochs", "epochs_before_pred", "monitor_epochs", "update_interval", "verbose", "decimal_precision")
BOUNDED = ("value", "low", "high")
EPOCHS = inspect.Parameter("epochs", inspect.Parameter.POSITIONAL_OR_KEYWORD)


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
        self.epochs_before_pred = _whole("epochs_before_pred", given, 1)
        self.monitor_epochs = _whole("monitor_epochs", given, -1)
        self.epoch_counter = 0
        self._digits = max(0, _whole("decimal_precision", given, 12))
        self._is_verbose = _whole("verbose", given, 1) > 0
        self._run = Run(period=given.get("update_interval"))
        self._span: Span | None = None
        self._is_due, self._is_over = self.epochs_before_pred > 0, False

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
        safely(self._stop, None, what="stop")

    def set_api_keys(self, api_keys: Mapping[str, str]) -> None:
        """Nothing: a source of the grid's intensity stands in the settings."""
        shared.warn_of_ignored("carbontracker", {"api_keys": api_keys}, USED)

    def _epoch_start(self) -> None:
        if self._is_over:
            return
        self._run.start()
        self._close()
        self._span = self._run.span("epoch", total=self.epochs if self.epochs > 0 else None)
        self._span.__enter__()

    def _close(self) -> None:
        if self._span is not None:
            self._span.__exit__(None, None, None)
            self._span = None

    def _epoch_end(self) -> None:
        if self._is_over or self._span is None:
            return
        self._close()
        self.epoch_counter += 1
        if self._is_due and self.epoch_counter >= self.epochs_before_pred:
            self._tell_forecast()
        if self.epoch_counter == (self.monitor_epochs if self.monitor_epochs > 0 else self.epochs):
            self._stop()

    def _stop(self) -> None:
        if self._is_over or self._run.id is None:
            return
        self._is_over = True
        self._close()
        made = self._run.stop()
        if made is not None:
            sums = {"energy_kwh": made.energy_kwh, "emissions_kg": made.emissions_kg}
            self._tell(f"Actual consumption for {self.epoch_counter} epoch(s):", made.duration_s, sums)

    def _tell_forecast(self) -> None:
        so_far = self._run.so_far()
        if so_far is None or not so_far.forecasts:
            return  # too little was measured: the next epoch may tell
        self._is_due = False
        told = so_far.forecasts[-1]
        self._tell(f"Predicted consumption for {self.epochs} epoch(s):", told["duration_s"]["value"], told)

    def _tell(self, title: str, duration_s: float | None, numbers: Mapping[str, Any]) -> None:
        """Print numbers in carbontracker's words and units, each with the interval that it does not have."""
        if not self._is_verbose or sys.stdout is None:
            return
        time = "unknown" if duration_s is None else str(timedelta(seconds=round(duration_s)))
        energy = self._words(numbers["energy_kwh"], 1.0, "kWh")
        carbon = self._words(numbers["emissions_kg"], G_PER_KG, "g")
        sys.stdout.write(f"\n{title}\n\tTime:\t{time}\n\tEnergy:\t{energy}\n\tCO2eq:\t{carbon}\n")

    def _words(self, number: Any, factor: float, unit: str) -> str:
        if number is None:
            return "unknown"
        told = number if isinstance(number, dict) else {name: getattr(number, name) for name in BOUNDED}
        value, low, high = (told[name] for name in BOUNDED)
        words = f"{value * factor:.{self._digits}f} {unit}"
        if low is None or high is None:
            return words
        return f"{words} (90 % interval {low * factor:.3g} to {high * factor:.3g} {unit})"


def _whole(name: str, given: Mapping[str, Any], otherwise: int) -> int:
    """Whole number of an argument; one that is none is warned of."""
    value = given.get(name, otherwise)
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        warn(f"{name}={value!r:.40} is no whole number: {otherwise} is taken")
        return otherwise
