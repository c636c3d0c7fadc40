"""The fake node of one case: a powercap tree that moves on its own, and that can be told to fail."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.fixtures import fake_powercap

TICK_S = 0.02
NO_WRAP_UJ = 1_000_000_000  # far from the counter's end
BEFORE_RESET_UJ = 200_000_000_000  # a reset from here looks like a wrap of 62 kJ


def wave(told: Mapping[str, Any]) -> fake_powercap.Wave:
    """Wave of a specification; its energy between two instants has a closed form."""
    return fake_powercap.Wave(told["shape"], told["base_w"], told["amp_w"], told["period_s"])


def monotonic_at_wall(wall_s: float) -> float:
    """The monotonic clock when the wall clock showed an instant [s]."""
    return wall_s - (time.time() - time.monotonic())


class Node:
    """A tree with one package and no memory zone; `joules` is the true energy between two monotonic instants.

    Args:
        folder: Where the tree is made.
        told: Shape, base, amplitude and period of the power.
        tick_s: Time between two steps of the counter [s].
    """

    def __init__(self, folder: Path, told: Mapping[str, Any], *, tick_s: float = TICK_S) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        shaped = ("--wave", told["shape"], "--base-w", str(told["base_w"]), "--amp-w", str(told["amp_w"]))
        counter = (
            "--no-dram",
            "--in-place",
            "--period",
            str(told["period_s"]),
            "--start-uj",
            str(NO_WRAP_UJ),
        )
        self._tree = fake_powercap.build(folder, *shaped, *counter)
        self._tick_s = tick_s
        self.origin_s = time.monotonic()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._move, daemon=True)
        self._thread.start()

    def joules(self, start_s: float, end_s: float) -> float:
        """True energy between two instants of the monotonic clock [J]."""
        return float(self._tree.wave.joules(start_s - self.origin_s, end_s - self.origin_s))

    def count_from(self, counter_uj: int) -> None:
        """Make the counter show this value now [uJ]."""
        with self._lock:
            spent_uj = round(1e6 * self._tree.wave.joules(0.0, self._now_s()))
            self._tree.start_uj = counter_uj - spent_uj

    def wrap_in(self, seconds: float) -> None:
        """Set the counter so that it wraps after some seconds [s]."""
        now_s = self._now_s()
        self.count_from(fake_powercap.MAX_UJ - round(1e6 * self._tree.wave.joules(now_s, now_s + seconds)))

    def reset(self) -> None:
        """Start the counter again from 0."""
        with self._lock:
            self._tree.options.reset_at = self._now_s()

    def fail_for(self, seconds: float) -> None:
        """Hide the counter for some seconds [s]."""
        with self._lock:
            for folder in [folder for zone in self._tree.zones.values() for folder in zone.folders]:
                os.truncate(folder / "energy_uj", 0)  # who kept it open reads nothing, too
                (folder / "energy_uj").unlink()
            self._tree.options.fail_from, self._tree.options.fail_for = self._now_s(), seconds

    def end(self) -> None:
        """Stand still."""
        self._ended.set()
        self._thread.join()

    def _now_s(self) -> float:
        return time.monotonic() - self.origin_s

    def _move(self) -> None:
        while not self._ended.wait(self._tick_s):
            with self._lock:
                self._tree.update(self._now_s())
