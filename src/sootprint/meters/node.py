"""The rest of the machine: fans, board and supply, as a constant power and a share of what the others draw.

Where the node was calibrated, its own constant and slope take the place of these priors when a run is assembled,
provided that the same meters gave its components.
"""

from __future__ import annotations

import os

from sootprint.core.errors import InputError
from sootprint.core.protocols import Machine, MeterFacts
from sootprint.core.quantity import Factor
from sootprint.meters import files, rated
from sootprint.meters.cpu import THREADS_PER_CORE
from sootprint.meters.host import Host, host
from sootprint.meters.steady import Steady, SteadyMeter

_FIT = "Wall power over measured components of 318 runs on one workstation, data of Fischer (2025)"
BASE_POWER = Factor(
    kind="base_power",
    key="workstation or server",
    value=38.0,
    low=15.0,
    high=100.0,
    unit="W",
    method="constant part of wall = 38 W + 1.18 x components",
    source=_FIT,
)
LOSS_SHARE = Factor(
    kind="loss_share",
    key="supply, fans and converters",
    value=0.18,
    low=0.06,
    high=0.30,
    method="proportional part of wall = 38 W + 1.18 x components",
    source=f"{_FIT}; low: supplies of 94 % efficiency (80 PLUS Titanium, 2012)",
)
LAPTOP_POWER = Factor(
    kind="base_power",
    key="laptop",
    value=4.0,
    low=1.0,
    high=10.0,
    unit="W",
    method="constant, without screen and battery",
    source="Prior of Sootprint (2026)",
)
GUEST_SPREAD = 2.0  # a guest's share of its host is known to a factor of two
HOST_THREADS = 64  # of one server processor, where the guest's is not known
_PORTABLE = frozenset({8, 9, 10, 11, 14, 30, 31, 32})  # chassis types of SMBIOS 3.7, table 17


class NodeMeter(SteadyMeter):
    """The constant part, and what is known of this node beyond it.

    Args:
        machine: Where it looks.
    """

    def __init__(self, machine: Machine) -> None:
        super().__init__("node", "node", machine.clock, lambda: _model(machine))
        self._home = machine.home

    def facts(self) -> MeterFacts:
        """Factors of the model, and the calibrations of this node."""
        if self._home is None or not os.path.exists(f"{self._home}/calibration.json"):  # noqa: PTH110  it is cheap
            return super().facts()
        return _with_calibrations(super().facts(), self._home)


def _with_calibrations(known: MeterFacts, home: str) -> MeterFacts:
    from pathlib import Path

    from sootprint.core import classes
    from sootprint.ledger import calibrations, nodes

    try:
        found = calibrations.stored(Path(home), nodes.node(Path(home)))
    except InputError:
        warning = "node: the calibrations cannot be read, so the prior counts; `sootprint calibrate --show` tells why"
        return classes.replace(known, warnings=(*known.warnings, warning))
    return classes.replace(known, calibrations=found)


def discover(machine: Machine) -> NodeMeter:
    """Meter of the constant part; the losses are `prior(machine)[1]` of the other components' energy."""
    return NodeMeter(machine)


def _model(machine: Machine) -> Steady:
    base, losses = prior(machine)
    power_w = base.known
    ratios = ((base.low or 0.0) / power_w, (base.high or power_w) / power_w)
    return Steady(power_w, ratios, (base, losses))


def prior(machine: Machine) -> tuple[Factor, Factor]:
    """Constant power of fans, board and supply [W], and losses over the energy of the other components [1]."""
    seen = host(machine)
    if seen.virtual:
        return _share_of_host(seen), LOSS_SHARE
    return (LAPTOP_POWER if _is_laptop(machine) else BASE_POWER), LOSS_SHARE


def _share_of_host(seen: Host) -> Factor:
    known = rated.cpu(seen.model, seen.hardware)
    threads = THREADS_PER_CORE * known.cores if known and known.cores else HOST_THREADS
    share = min(1.0, seen.threads / threads)
    return Factor(
        kind="base_power",
        key="share of a host",
        value=BASE_POWER.known * share,
        low=(BASE_POWER.low or 0.0) * share / GUEST_SPREAD,
        high=(BASE_POWER.high or 0.0) * share * GUEST_SPREAD,
        unit="W",
        method=f"{seen.threads} of {threads} threads of the host",
        source=BASE_POWER.source,
    )


def _is_laptop(machine: Machine) -> bool:
    return files.number(f"{machine.sysfs}/class/dmi/id/chassis_type") in _PORTABLE
