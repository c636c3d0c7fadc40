"""A modelled power that does not change while a run goes on: memory, storage, and the board's own."""

from __future__ import annotations

from collections.abc import Callable

from sootprint.core.protocols import Clock, MeterFacts, Reading
from sootprint.core.quantity import Factor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from sootprint.core.named import NamedTuple

SELDOM_S = 10.0  # a look at each tick at what hardly varies would cost more than it tells


class Steady(NamedTuple):
    """A constant power [W], its lowest and highest true over modelled energy, and what it was derived from."""

    power_w: float
    ratios: tuple[float, float]
    factors: tuple[Factor, ...]
    hardware: tuple[tuple[str, int, float | None], ...] = ()  # name, count, memory [GB]
    warnings: tuple[str, ...] = ()


class SteadyMeter:
    """Energy of a constant modelled power, counted from the meter's start.

    Args:
        name: Name of the meter.
        component: What it stands for.
        clock: Clock that the energy is counted by.
        model: Answers the power; asked at the first look, so that a run starts at once.
    """

    poll_s: float | None = SELDOM_S

    def __init__(self, name: str, component: str, clock: Clock, model: Callable[[], Steady]) -> None:
        self.name = name
        self._component = component
        self._clock = clock
        self._start_s = clock.monotonic_s()
        self._ask = model
        self._model: Steady | None = None

    def model(self) -> Steady:
        """The power and what it was derived from."""
        if self._model is None:
            self._model = self._ask()
        return self._model

    def read(self) -> tuple[Reading, ...]:
        """The one reading: energy since the meter's start."""
        model = self.model()
        at_s = self._clock.monotonic_s()
        reading = Reading(
            meter=self.name,
            component=self._component,
            at_s=at_s,
            energy_j=model.power_w * (at_s - self._start_s),
            low_ratio=model.ratios[0],
            high_ratio=model.ratios[1],
            basis="modelled",
        )
        return (reading,)

    def facts(self) -> MeterFacts:
        """Devices, factors and warnings behind the power."""
        from sootprint.core.records import Hardware

        model = self.model()
        hardware = tuple(
            Hardware(kind=self._component, name=name, count=count, memory_gb=memory_gb)
            for name, count, memory_gb in model.hardware
        )
        return MeterFacts(hardware=hardware, factors=model.factors, warnings=model.warnings)
