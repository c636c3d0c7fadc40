"""The two logs that carbontracker leaves in `log_dir`, in its lines: its parser and other scripts read them.

One has what it does and the mean power of each kind of device in each epoch, the other what it prints.

Source:
    carbontracker 2.4.7 (2025), loggerutil.py, tracker.py and parser.py: names of the files, lines and units.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sootprint import __version__
from sootprint.compat.shared import of_kind, safely
from sootprint.core.units import energy_j

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.tracker import Run

KINDS = {"gpu": "accelerator", "cpu": "cpu"}  # by the names that stand in the log
STAMP = "%Y-%m-%d %H:%M:%S"
WRITER = "Sootprint {version} writes this log of carbontracker: its own record is {key}"


class Log:
    """The logs of one tracker.

    Args:
        folder: Folder of the logs, which is made.
        prefix: Beginning of their names.
        run: Run that measures.

    Raises:
        OSError: The folder cannot be made.
    """

    def __init__(self, folder: Path, prefix: str, run: Run) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        who = f"{prefix}_{os.getpid()}" if prefix else f"{os.getpid()}"
        stem = f"{who}.{random.randint(1, 999_999)}_{datetime.now():%Y-%m-%dT%H%M%SZ}_carbontracker"
        self._standard, self._output = folder / f"{stem}.log", folder / f"{stem}_output.log"
        self._run = run
        self._before: Footprint | None = None
        self._named: set[Path] = set()  # logs that say who writes them

    def begin_epoch(self) -> None:
        """Look at the energies before an epoch."""
        self._before = self._run.so_far()

    def end_epoch(self, number: int, duration_s: float) -> None:
        """Note the time of an epoch and the mean power of each kind of device in it."""
        before, after = self._before, self._run.so_far()
        if after is None:
            return
        if self._standard not in self._named:
            self._begin(after)
        self._note(f"Epoch {number}:")
        self._note(f"Duration: {_clock(duration_s)}")
        for name, kind in KINDS.items():
            if of_kind(after, kind):
                powers = "None" if before is None else _powers(before, after, kind, duration_s)
                self._note(f"Average power usage (W) for {name}: {powers}")

    def end(self, made: Footprint | None, *, early_of: int | None) -> None:
        """Note the end.

        Args:
            made: The record.
            early_of: Epochs that were to be monitored, where the training ended before the last one.
        """
        if early_of is not None:
            self._note(f"Training was interrupted before all {early_of} epochs were monitored.")
        if made is not None and made.intensity_g_per_kwh is not None:
            self._note(
                f"Average carbon intensity during training was {made.intensity_g_per_kwh.value:.2f} gCO2eq/kWh at "
                f"detected location: {made.place.zone or 'unknown'}."
            )
        self._note("Monitoring thread ended.")

    def output(self, text: str) -> None:
        """Note what is printed."""
        self._add(self._output, text)

    def _begin(self, made: Footprint) -> None:
        """Say who writes this, and what it measures."""
        pue = made.pue.value if made.pue else 1.0
        self._note(f"Only predicted and actual consumptions are multiplied by a PUE coefficient of {pue:g}.")
        self._note(" ".join(["The following components were found:", *_listed(made)]))
        self._note("Monitoring thread started.")

    def _note(self, text: str) -> None:
        self._add(self._standard, text)

    def _add(self, path: Path, text: str) -> None:
        """Add an entry to a log, after one that says who writes it."""
        texts = (
            [text] if path in self._named else [WRITER.format(version=__version__, key=self._run.id), text]
        )
        self._named.add(path)
        stamp = datetime.now().strftime(STAMP)
        safely(
            lambda: _append(path, "".join(f"{stamp} - {one}\n" for one in texts)), None, what=f"{path.name}"
        )


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def _listed(made: Footprint) -> Iterator[str]:
    for name, kind in KINDS.items():
        parts = of_kind(made, kind)
        if parts:
            known = [one.name for one in made.hardware if one.kind == kind for _ in range(one.count)]
            devices = ", ".join(known or [part.component for part in parts]).replace(".", " ")
            yield f"{name.upper()} with device(s) {devices}."


def _powers(before: Footprint, after: Footprint, kind: str, duration_s: float) -> str:
    """Mean power of each device of a kind between two looks [W], as NumPy prints a list."""
    known = {part.component: part.energy_kwh.value for part in of_kind(before, kind)}
    spent_j = (
        energy_j(part.energy_kwh.value - known.get(part.component, 0.0)) for part in of_kind(after, kind)
    )
    return f"[{' '.join(f'{max(0.0, one) / duration_s:.8g}' for one in spent_j)}]" if duration_s else "None"


def _clock(duration_s: float) -> str:
    """Hours, minutes and seconds of a duration.

    >>> _clock(3661.239), _clock(59.999)
    ('1:01:01.24', '0:01:00.00')
    """
    hundredths = round(100 * duration_s)
    minutes, rest = divmod(hundredths, 6000)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest / 100:05.2f}"
