"""Loads for a calibration: the processor idle, half and fully busy, while meters and a wall meter are read."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sootprint.core.errors import MeterError, SootprintError

if TYPE_CHECKING:
    from sootprint.core.protocols import Machine, Meter, Reading
    from sootprint.core.records import Footprint
    from sootprint.settings import Settings
    from sootprint.settings.wall import WallMeter

LOADS = {"idle": 0.0, "half": 0.5, "full": 1.0}  # share of the threads that are busy
SETTLE_S = 3.0
LOOK_S = 1.0
STOP_WAIT_S = 15.0
FIRST_LOOK_S = 10.0
# A burner ends by itself when whoever began it has gone, however that happened.
_BURN = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    sum(range(200000))"


class Measured(NamedTuple):
    """One load: what the components drew by their meters, and the wall meter's mean where there is one [W]."""

    components_w: float
    wall_w: float | None
    footprint: Footprint


@contextlib.contextmanager
def burning(share: float) -> Iterator[None]:
    """Keep a share of the processor's threads busy."""
    threads = round(share * len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1.0)
    burners = [subprocess.Popen([sys.executable, "-c", _BURN]) for _ in range(threads)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
        for burner in burners:
            burner.wait()


def measured(known: Settings, meter: Meter | None, *, duration_s: float) -> Measured:
    """Mean powers of the machine over some seconds, read in a home of their own so that no run is stored.

    Args:
        known: Settings of the user.
        meter: Wall meter to read beside, or None.
        duration_s: Time to measure [s].

    Raises:
        SootprintError: Nothing could be measured.
    """
    from sootprint.tracker.worker import Worker

    with tempfile.TemporaryDirectory(prefix="sootprint-") as folder:
        alone = dataclasses.replace(
            known,
            home=Path(folder) / "home",
            runtime_dir=Path(folder) / "run",
            share="node",
            wall=_no_walls(),
            exporters=(),
        )
        worker = Worker(settings=alone, begins_when_ready=True)
        worker.start(wait_s=5.0)
        wall_w = _wall_w(meter, duration_s)
        worker.stop(wait_s=STOP_WAIT_S)
    footprint = worker.footprint
    if footprint is None or not footprint.duration_s:
        raise SootprintError(
            "the components could not be measured; `sootprint doctor` tells what can be read here"
        )
    return Measured(components_w(footprint), wall_w, footprint)


def components_w(footprint: Footprint) -> float:
    """Mean power of a record's components, without the rest of the node [W]."""
    from sootprint.core.units import energy_j

    parts = [part for part in footprint.components if part.component not in ("node", "wall")]
    return energy_j(math.fsum(part.energy_kwh.value for part in parts)) / (footprint.duration_s or math.inf)


def wall_meter(machine: Machine, name: str | None) -> Meter | None:
    """Wall meter of a name, or the preferred one that answers here; None where there is none.

    Raises:
        MeterError: The named one cannot be read.
    """
    from sootprint.meters import probe
    from sootprint.meters.wall import NAMES

    for one in (name,) if name else NAMES:
        meter = None
        try:
            meter = probe.discover(one, machine)
            getattr(meter, "wait", _no_wait)(FIRST_LOOK_S)
            if _at_wall(meter) is not None:
                return meter
        except MeterError:
            if name:
                raise
        if meter is not None:
            getattr(meter, "close", bool)()
    return None


def _at_wall(meter: Meter) -> Reading | None:
    return next((one for one in meter.read() if one.component == "wall"), None)


def _wall_w(meter: Meter | None, duration_s: float) -> float | None:
    """Mean power at the wall over some seconds; None without a meter, or where it fell silent [W]."""
    until_s = time.monotonic() + duration_s
    looks: dict[float, Reading] = {}
    while (left_s := until_s - time.monotonic()) > 0.0:
        if meter is not None:
            with contextlib.suppress(MeterError):
                seen = _at_wall(meter)
                if seen is not None:
                    looks[seen.at_s] = seen
        time.sleep(min(LOOK_S, left_s))
    return mean_w(list(looks.values()))


def mean_w(looks: list[Reading]) -> float | None:
    """Mean power of looks at a counter or a power; None where they tell none [W]."""
    if len(looks) >= 2 and all(one.energy_j is not None for one in looks):
        first, last = looks[0], looks[-1]
        steps = [(b.energy_j or 0.0) - (a.energy_j or 0.0) for a, b in itertools.pairwise(looks)]
        return math.fsum(steps) / (last.at_s - first.at_s) if min(steps) >= 0.0 else None
    powers = [one.power_w for one in looks if one.power_w is not None]
    return math.fsum(powers) / len(powers) if powers else None


def _no_walls() -> dict[str, WallMeter]:
    from sootprint.meters.wall import NAMES
    from sootprint.settings.wall import WallMeter

    return {name: WallMeter(name=name, use=False) for name in NAMES}


def _no_wait(limit_s: float) -> None:
    """Wait of a meter that is read at once."""
