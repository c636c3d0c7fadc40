"""Zeus's `ZeusMonitor` over a run of ours: windows are its spans, their joules the difference of two looks.

Source:
    Zeus 0.16.0 (2026), `ZeusMonitor` and `Measurement`: names, order and defaults; joules and seconds; the columns of
    its log; how it waits for PyTorch and JAX.
"""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from sootprint.compat import shared
from sootprint.compat.shared import UNKNOWN, has_no_accelerator, of_kind, safely, warn
from sootprint.core.cells import line
from sootprint.core.units import energy_j
from sootprint.tracker import Run

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.tracker.run import Span

ARGUMENTS = ("gpu_indices", "cpu_indices", "approx_instant_energy", "log_file", "sync_execution_with")
USED = ("gpu_indices", "cpu_indices", "log_file", "sync_execution_with")
SENSED = ("sensor", "metered")
OURS = "sootprint_run"  # column of the log that Zeus's own does not have


@dataclass
class Measurement:
    """What a window took.

    Args:
        time: Time of the window [s].
        gpu_energy: Energy by accelerator, not a number of one that nobody reads [J].
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

    start: float  # wall time, for the log
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
        self.sync_with = given.get("sync_execution_with", "torch")
        self._windows: dict[str, _Window] = {}
        self._run = Run().start()
        self._log: Path | None = None
        if given.get("log_file") is not None:
            safely(lambda: self._begin_log(Path(given["log_file"])), None, what="log_file")

    @property
    def gpu_indices(self) -> list[int]:
        """Accelerators that windows tell of, in the order of the visible ones."""
        return safely(lambda: _places(self._run.so_far(), "accelerator", self._gpus), [], what="gpu_indices")

    @property
    def cpu_indices(self) -> list[int]:
        """Processors with a counter."""
        return safely(lambda: _places(self._run.so_far(), "cpu", self._cpus), [], what="cpu_indices")

    def begin_window(self, key: str, sync_execution: bool = True, restart: bool = False) -> None:
        """Begin a window.

        Args:
            key: Its name; one that is open is left as it is.
            sync_execution: Whether to wait for what PyTorch or JAX has given to the cards.
            restart: Whether one of that name begins anew.
        """
        safely(lambda: self._begin(key, wait=sync_execution, restart=restart), None, what="begin_window")

    def end_window(self, key: str, sync_execution: bool = True, cancel: bool = False) -> Measurement:
        """What a window took; nothing is known of one that is not open.

        Args:
            key: Its name.
            sync_execution: Whether to wait for what PyTorch or JAX has given to the cards.
            cancel: Whether it counts for nothing: all numbers are 0.
        """
        return safely(
            lambda: self._end(key, wait=sync_execution, cancel=cancel),
            Measurement(time=UNKNOWN, gpu_energy=dict.fromkeys(self._gpus or (0,), UNKNOWN)),
            what="end_window",
        )

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
            _synchronise(self.sync_with)
        if key in self._windows:
            self._windows.pop(key).span.__exit__(None, None, None)
        seen, span = self._run.so_far(), self._run.span(key)
        span.__enter__()
        self._windows[key] = _Window(time.time(), time.monotonic(), seen, span)

    def _end(self, key: str, *, wait: bool, cancel: bool) -> Measurement:
        if key not in self._windows:
            warn(f"window {key!r:.80} is not open")
            return Measurement(
                time=UNKNOWN, gpu_energy=_spent(None, self._run.so_far(), "accelerator", self._gpus)
            )
        if wait:
            _synchronise(self.sync_with)
        window = self._windows.pop(key)
        lasted_s = time.monotonic() - window.at_s
        window.span.__exit__(None, None, None)
        seen = self._run.so_far()
        gpus = _spent(window.seen, seen, "accelerator", self._gpus)
        cpus, memory = (_spent(window.seen, seen, kind, self._cpus) for kind in ("cpu", "dram"))
        if cancel:
            return Measurement(
                time=0.0, gpu_energy=dict.fromkeys(gpus, 0.0), cpu_energy=dict.fromkeys(cpus, 0.0)
            )
        self._note(key, window.start, lasted_s, gpus)
        return Measurement(
            time=lasted_s, gpu_energy=gpus, cpu_energy=cpus or None, dram_energy=memory or None
        )

    def _begin_log(self, path: Path) -> None:
        """Begin the log anew, as there; its folder is made."""
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = [f"gpu{place}_energy" for place in self.gpu_indices]
        path.write_text(line(["start_time", "window_name", "elapsed_time", *columns, OURS]), encoding="utf-8")
        self._log = path

    def _note(self, key: str, start: float, lasted_s: float, gpus: dict[int, float]) -> None:
        if self._log is None:
            return
        with self._log.open("a", encoding="utf-8", newline="") as file:
            file.write(line([start, key, lasted_s, *gpus.values(), self._run.id]))


def _places(made: Footprint | None, kind: str, wanted: Sequence[int] | None) -> list[int]:
    return list(wanted) if wanted is not None else list(_spent(None, made, kind, None))


def _spent(
    before: Footprint | None, after: Footprint | None, kind: str, wanted: Sequence[int] | None
) -> dict[int, float]:
    """Energy of each device of a kind, by its place among them [J].

    Of a processor or a memory that no sensor measures nothing is told; an accelerator has an unknown energy, and so has
    the first where some are there that no meter of ours knows.
    """
    known = {part.component: part.energy_kwh.value for part in of_kind(before, kind)} if before else {}
    found: dict[int, float] = {}
    for place, part in enumerate(of_kind(after, kind) if after else ()):
        if part.energy_kwh.basis in SENSED:
            spent = part.energy_kwh.value - known.get(part.component, 0.0)
            found[place] = max(0.0, energy_j(spent)) if before else UNKNOWN
        elif kind == "accelerator":
            found[place] = UNKNOWN
    if kind == "accelerator":
        is_unknown = not found and (after is None or not has_no_accelerator(after))
        asked = (0,) if is_unknown and wanted is None else wanted or ()
        found = dict.fromkeys(asked, UNKNOWN) | found
    return found if wanted is None else {place: found[place] for place in wanted if place in found}


def _synchronise(framework: str) -> None:
    """Wait for what PyTorch or JAX has given to the cards, where it has begun to use them."""
    if framework == "jax":
        jax: Any = sys.modules.get("jax")
        for device in jax.local_devices() if jax is not None else ():
            (jax.device_put(0.0, device) + 0).block_until_ready()
        return
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    if cuda is not None and cuda.is_initialized():
        cuda.synchronize()
