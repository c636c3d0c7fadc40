"""What the tracker's tests share: meters that play a script against a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from sootprint.core.errors import MeterError
from sootprint.core.protocols import FakeClock, Machine, Reading
from sootprint.tracker.fold import Fold
from sootprint.tracker.recorder import Recorder
from sootprint.tracker.sampler import Sampler, loop


class ScriptMeter:
    """A meter whose readings are a function of the seconds since its start."""

    def __init__(
        self,
        clock: FakeClock,
        script: Callable[[float], dict[str, object]],
        *,
        name: str = "nvml",
        **constants: object,
    ) -> None:
        self.name = name
        self.poll_s: float | None = None
        self._clock = clock
        self._script = script
        self._constants = {"component": "accelerator:0", **constants}

    def read(self) -> Sequence[Reading]:
        """Reading of the script, or the error that it holds."""
        at_s = self._clock.monotonic_s()
        values = self._script(at_s)
        if "error" in values:
            raise MeterError(str(values["error"]))
        return [Reading(meter=self.name, at_s=at_s, **self._constants, **values)]  # type: ignore[arg-type]


@pytest.fixture
def clock() -> FakeClock:
    """A clock that starts at 0 s."""
    return FakeClock()


@pytest.fixture
def sampled(clock: FakeClock) -> Callable[..., Fold]:
    """Function that samples meters for some seconds of the fake clock and answers the sums."""

    def sample(*meters: ScriptMeter, duration_s: float, period_s: float = 1.0) -> Fold:
        fold = Fold()
        recorder = Recorder(clock.monotonic_s, fold=fold, journal=None, start_s=clock.monotonic_s())
        recorder.emit(head(period_s=period_s))
        sampler = Sampler(
            Machine(clock=clock),
            meters,
            start_s=recorder.start_s,
            period_s=period_s,
            max_gap_s=fold.max_gap_s,
        )
        recorder.record(sampler.collect())

        def wait(pause_s: float) -> bool:
            clock.advance(max(pause_s, 1e-6))
            return clock.monotonic_s() >= duration_s

        loop(
            wait,
            lambda: recorder.record(sampler.collect()),
            now_s=clock.monotonic_s,
            period_s=period_s,
            sampler=lambda: sampler,
        )
        recorder.record(sampler.collect())
        recorder.emit({"k": "end", "s": recorder.now_s(), "why": "finished"})
        return fold

    return sample


def head(*, period_s: float = 1.0, **more: object) -> dict[str, object]:
    """First line of a journal."""
    return {
        "k": "head",
        "v": 1,
        "id": "01931c3e-0000-7000-8000-000000000000",
        "tool_version": "0.1.0",
        "wall_s": 1_767_225_600.0,  # 2026-01-01T00:00:00Z
        "period_s": period_s,
        **more,
    }
