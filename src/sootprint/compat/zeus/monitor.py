"""Zeus's `ZeusMonitor` over a run of ours: windows are its spans, their joules the difference of two looks.

Source:
    Zeus 0.16.0 (2026), `ZeusMonitor` and `Measurement`: names, order and defaults; joules and seconds.
"""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from sootprint.compat import shared
from sootprint.compat.shared import UNKNOWN, of_kind, safely, warn
from sootprint.core.units import energy_j
from sootprint.tracker import Run

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.tracker.run import Span

ARGUMENTS = ("gpu_indices", "cpu_indices", "approx_instant_energy", "log_file", "sync_execution_with")
USED = ("gpu_indices", "cpu_indices", "sync_execution_with")
SENSED = ("sensor", "metered")


@dataclass
class Measurement:
    """What a window took.

    Args:
        time: Time of the window [s].
        gpu_energy: Energy by accelerator [J].
        cpu_energy: Energy by processor; None where no counter tells it [J].
        dram_energy: Energy by memory; None where no counter tells it [J].
        soc_energy: None: no such device is measured.
    """

    time: float
    gpu_energy: dict[int, float]
    cpu_energy: dict[int, float] | None = None
    dram_energy: dict[int, float] | None = None
    soc_energy: None = None

    @property
    def total_energy(self) -> float:
        """Energy of all accelerators, as there: not that of processors and memory [J]."""
        return sum(self.gpu_energy.values())


class _Window(NamedTuple):
    """A window that is open."""

    at_s: float
    seen: Footprint | None
    span: Span


class ZeusMonitor:
    """A monitor of windows, which may overlap; its run lasts from its making to `stop`, or the end of the program.

    Raises:
        TypeError: An argument is not one of Zeus's.
    """

    __signature__: ClassVar[inspect.Signature] = shared.signature(ARGUMENTS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = shared.bound(self.__signature__, args, kwargs, of=type(self).__name__)
        shared.warn_of_ignored("zeus", given, USED)
        self._gpus, self._cpus = given.get("gpu_indices"), given.get("cpu_indices")
        self._windows: dict[str, _Window] = {}
        self._run = Run().start()

    def begin_window(self, key: str, sync_execution: bool = True, restart: bool = False) -> None:
        """Begin a window.

        Args:
            key: Its name; one that is open is left as it is.
            sync_execution: Whether to wait for what PyTorch has given to the cards.
            restart: Whether one of that name begins anew.
        """
        safely(lambda: self._begin(key, wait=sync_execution, restart=restart), None, what="begin_window")

    def end_window(self, key: str, sync_execution: bool = True, cancel: bool = False) -> Measurement:
        """What a window took; nothing is known of one that is not open.

        Args:
            key: Its name.
            sync_execution: Whether to wait for what PyTorch has given to the cards.
            cancel: Whether it counts for nothing.
        """
        unknown = Measurement(time=UNKNOWN, gpu_energy={})
        return safely(lambda: self._end(key, wait=sync_execution, cancel=cancel), unknown, what="end_window")

    def reset_windows(self) -> None:
        """Let go of all windows that are open."""
        for key in list(self._windows):
            self._windows.pop(key).span.__exit__(None, None, None)

    def stop(self) -> Footprint | None:
        """Footprint of the monitor's run, which ends; Zeus has no such thing."""
        self.reset_windows()
        return self._run.stop()

    def _begin(self, key: str, *, wait: bool, restart: bool) -> None:
        if key in self._windows and not restart:
            warn(f"window {key!r:.80} is open: it goes on")
            return
        if wait:
            _synchronise()
        if key in self._windows:
            self._windows.pop(key).span.__exit__(None, None, None)
        seen, span = self._run.so_far(), self._run.span(key)
        span.__enter__()
        self._windows[key] = _Window(time.monotonic(), seen, span)

    def _end(self, key: str, *, wait: bool, cancel: bool) -> Measurement:
        if key not in self._windows:
            warn(f"window {key!r:.80} is not open")
            return Measurement(time=UNKNOWN, gpu_energy={})
        if wait:
            _synchronise()
        window = self._windows.pop(key)
        lasted_s = time.monotonic() - window.at_s
        window.span.__exit__(None, None, None)
        seen = None if cancel else self._run.so_far()
        if window.seen is None or seen is None:
            return Measurement(time=0.0 if cancel else lasted_s, gpu_energy={})
        return Measurement(
            time=lasted_s,
            gpu_energy=_spent(window.seen, seen, "accelerator", self._gpus),
            cpu_energy=_spent(window.seen, seen, "cpu", self._cpus) or None,
            dram_energy=_spent(window.seen, seen, "dram", self._cpus) or None,
        )


def _spent(before: Footprint, after: Footprint, kind: str, wanted: Sequence[int] | None) -> dict[int, float]:
    """Energy of each device of a kind that a sensor measures, by its place among them [J]."""
    known = {part.component: part.energy_kwh.value for part in of_kind(before, kind)}
    parts = [part for part in of_kind(after, kind) if part.energy_kwh.basis in SENSED]
    return {
        place: max(0.0, energy_j(part.energy_kwh.value - known.get(part.component, 0.0)))
        for place, part in enumerate(parts)
        if wanted is None or place in wanted
    }


def _synchronise() -> None:
    """Wait for what PyTorch has given to the cards, where it has begun to use them."""
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    if cuda is not None and cuda.is_initialized():
        cuda.synchronize()
