"""Network: the bytes that pass the machine's interfaces, times an energy per byte of the equipment behind them."""

from __future__ import annotations

import sys
from collections.abc import Callable

from sootprint.core.errors import MeterError
from sootprint.core.protocols import Clock, Machine, MeterFacts, Reading
from sootprint.core.quantity import Factor
from sootprint.core.units import J_PER_KWH
from sootprint.meters import files
from sootprint.meters.steady import SELDOM_S, Steady, SteadyMeter

ENERGY_PER_GB = Factor(
    kind="network_energy",
    key="data centre network",
    value=0.001,
    low=0.0002,
    high=0.005,
    unit="kWh/GB",
    method="per traffic, up and down",
    source="Cloud Carbon Footprint methodology (2021); the interval is a factor of five either way",
)
BLIND_POWER = Factor(
    kind="network_power",
    key="traffic that cannot be counted",
    value=1.0,
    low=0.01,
    high=20.0,
    unit="W",
    method="1 GB an hour at 0.001 kWh/GB",
    source="Prior of Sootprint (2026)",
)
RATIOS = (0.2, 5.0)
BYTES_PER_GB = 1e9
J_PER_BYTE = 0.001 * J_PER_KWH / BYTES_PER_GB
LONGEST = 1 << 16  # bytes of a table of 500 interfaces
COLUMNS = 16  # of /proc/net/dev: eight for what came in, eight for what went out
SENT = 8
INNER = (
    *("lo", "veth", "virbr", "docker", "br-", "ifb", "tun", "tap", "cni", "flannel", "cali"),
    *("vxlan", "wg", "dummy", "bond", "team"),
)  # inside the machine, or made of others that are counted


class NetworkMeter:
    """Modelled energy of the traffic through a machine's own interfaces."""

    name = "network"
    poll_s: float | None = SELDOM_S

    def __init__(self, clock: Clock, count: Callable[[], dict[str, int]], warnings: tuple[str, ...]) -> None:
        self._clock = clock
        self._count = count
        self._warnings = warnings
        self._last = count()
        self._bytes = 0

    def read(self) -> tuple[Reading, ...]:
        """The one reading: energy of the traffic since the meter's start.

        Raises:
            MeterError: The counters could be read before and cannot now.
        """
        now = self._count()
        for name, seen in now.items():
            # a counter that started anew adds nothing
            self._bytes += max(0, seen - self._last.get(name, seen))
        self._last.update(now)
        reading = Reading(
            meter=self.name,
            component="network",
            at_s=self._clock.monotonic_s(),
            energy_j=self._bytes * J_PER_BYTE,
            low_ratio=RATIOS[0],
            high_ratio=RATIOS[1],
            basis="modelled",
        )
        return (reading,)

    def facts(self) -> MeterFacts:
        """The energy per byte, and the traffic that is not seen."""
        return MeterFacts(factors=(ENERGY_PER_GB,), warnings=self._warnings)


def discover(machine: Machine) -> NetworkMeter | SteadyMeter:
    """Meter of a machine's traffic; where it cannot be counted, a prior with a wide interval."""
    count = _counter(machine)
    if count is None:
        return _blind(machine.clock)
    warnings: tuple[str, ...] = ()
    if files.entries(f"{machine.sysfs}/class/infiniband"):
        warnings = ("network: InfiniBand and RDMA traffic passes the kernel by and is not counted",)
    return NetworkMeter(machine.clock, count, warnings)


def _blind(clock: Clock) -> SteadyMeter:
    value_w, low_w, high_w = BLIND_POWER.value or 0.0, BLIND_POWER.low or 0.0, BLIND_POWER.high or 0.0
    warning = f"network: its traffic cannot be counted here: {value_w:g} W assumed"
    model = Steady(value_w, (low_w / value_w, high_w / value_w), (BLIND_POWER,), warnings=(warning,))
    return SteadyMeter("network", "network", clock, lambda: model)


def _counter(machine: Machine) -> Callable[[], dict[str, int]] | None:
    path = f"{machine.procfs}/net/dev"
    if not _parse(files.text(path, limit=LONGEST) or ""):
        return None if sys.platform == "linux" else _from_psutil
    root = f"{machine.sysfs}/class/net"
    physical = {name for name in files.entries(root) if files.entries(f"{root}/{name}/device")}
    if machine.procfs != "/proc":
        return lambda: _from_procfs(files.text(path, limit=LONGEST), physical)
    kernel = files.KeptOpen(path)  # as that of the processor times
    return lambda: _from_procfs(kernel.text(limit=LONGEST), physical)


def _from_procfs(table: str | None, physical: set[str]) -> dict[str, int]:
    """Bytes received and sent by each interface; those inside the machine are left out."""
    if table is None:
        raise MeterError("network: the kernel's traffic counters cannot be read any more")
    return {
        name: seen
        for name, seen in _parse(table).items()
        if (name in physical if physical else not name.startswith(INNER))
    }


def _parse(table: str) -> dict[str, int]:
    """Bytes received and sent by each interface of /proc/net/dev."""
    found = {}
    for line in table.splitlines():
        name, _, rest = line.partition(":")
        columns = rest.split()
        if len(columns) >= COLUMNS:
            received, sent = files.whole(columns[0]), files.whole(columns[SENT])
            if received is not None and sent is not None:
                found[name.strip()] = received + sent
    return found


def _from_psutil() -> dict[str, int]:
    import psutil

    counters = psutil.net_io_counters(pernic=True)
    return {
        name: seen.bytes_recv + seen.bytes_sent
        for name, seen in counters.items()
        if not name.startswith(INNER)
    }
