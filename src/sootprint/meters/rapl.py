"""RAPL: the energy counters of processor packages and their memory, from the kernel's powercap tree.

Packages and their dram are counted. Their parts (core, uncore) are inside the package, and the whole platform (psys)
around it, so neither is added. What one package shows twice - by a second interface, or by dies that mirror one
counter - is counted once.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence

from sootprint.core.errors import MeterError
from sootprint.core.protocols import Clock, Machine, MeterFacts, Reading
from sootprint.core.quantity import Factor
from sootprint.meters import files
from sootprint.meters.accuracy import accuracy
from sootprint.meters.first import counter as first_counter
from sootprint.meters.host import host, vendor_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from sootprint.core.named import NamedTuple

TREE = "class/powercap"
RULE_FILE = "99-sootprint-rapl.rules"
UNLOCK = (
    'sudo groupadd -f sootprint && sudo usermod -aG sootprint "$USER" && '
    f"sootprint doctor --print-udev-rule | sudo tee /etc/udev/rules.d/{RULE_FILE} && "
    "sudo udevadm control --reload && sudo udevadm trigger -s powercap -c add   (then log in again)"
)
UJ_PER_J = 1e6
UW_PER_W = 1e6
LEAST_MAX_POWER_W = 250.0  # short bursts exceed the long-term limit of small processors several times
MOST_MAX_POWER_W = 1000.0  # above any processor package until 2026; also where no limit is stated
MIRROR_J = 5.0  # two dies that are this near show one counter: by chance that is one machine in six thousand
APART_J = 1000.0  # and these are surely two counters
MIRROR_LOOKS = 50  # at most, for looks that are in between; no time, as a machine may stand still for longer
MIRROR_STEP_S = 0.002
FROZEN_S = 0.5  # a package that is on moves its counter every millisecond
_PACKAGE = r"package-(\d{1,4})(?:-die-(\d{1,4}))?"


class _Key(NamedTuple):
    """Processor package and die that a zone's name states."""

    package: int
    die: int


class Zone(NamedTuple):
    """One counter that is read: where it lies and what is constant about it."""

    folder: str
    component: str
    range_uj: int
    max_power_w: float
    low_ratio: float
    high_ratio: float


class _Found(NamedTuple):
    """A package zone of the tree with its dram zones, before duplicates are left out."""

    key: _Key
    folder: str
    drams: tuple[str, ...]


class _Counter:
    """A counter while it is read: the number before, since when it is that, and whether it had moved to it."""

    __slots__ = ("before_uj", "component", "file", "moved", "range_uj", "since_s", "zone")

    def __init__(self, zone: Zone) -> None:
        self.zone, self.component, self.range_uj = zone, zone.component, zone.range_uj
        self.file = files.KeptNumber(f"{zone.folder}/energy_uj")
        self.before_uj: int | None = None
        self.since_s, self.moved = 0.0, False

    def is_frozen(self, counter_uj: int, at_s: float) -> bool:
        """Whether the counter had moved and stands still now; it is kept in mind."""
        if counter_uj == self.before_uj:
            return self.moved and at_s - self.since_s >= FROZEN_S
        self.moved = self.before_uj is not None
        self.before_uj, self.since_s = counter_uj, at_s
        return False


def _reading(zone: Zone, at_s: float, counter_uj: int) -> Reading:
    return Reading(
        "rapl",
        zone.component,
        at_s,
        counter_uj / UJ_PER_J,
        wraps_at_j=(zone.range_uj + 1) / UJ_PER_J,
        max_power_w=zone.max_power_w,
        low_ratio=zone.low_ratio,
        high_ratio=zone.high_ratio,
    )


class RaplMeter:
    """Energy counters of processor packages and their memory."""

    name = "rapl"
    poll_s: float | None = None

    def __init__(
        self,
        zones: Sequence[Zone],
        clock: Clock,
        facts: MeterFacts,
        first: Mapping[str, tuple[float, bytes]] | None = None,
    ) -> None:
        self._counters = [_Counter(zone) for zone in zones]
        self._now_s = clock.monotonic_s
        self._facts = facts
        self._first = first or {}

    def first(self) -> list[Reading]:
        """Readings of the machine's first look."""
        found = []
        for zone in (counter.zone for counter in self._counters):
            seen = first_counter(self._first, f"{zone.folder}/energy_uj")
            if seen is not None and seen[1] <= zone.range_uj:
                found.append(_reading(zone, *seen))
        return found

    def read(self) -> list[Reading]:
        """Readings of the zones that can be read now; one that vanished or froze is left out until it returns.

        Raises:
            MeterError: No zone can be read.
        """
        sound, stand_still = [], False
        for counter in self._counters:
            counter_uj = counter.file.now()
            if counter_uj is None or counter_uj > counter.range_uj:
                continue
            at_s = self._now_s()
            if counter.is_frozen(counter_uj, at_s):
                stand_still = True
            else:
                sound.append(_reading(counter.zone, at_s, counter_uj))
        if not sound:
            why = "its counters stand still" if stand_still else "none of its counters can be read any more"
            raise MeterError(f"rapl: {why}")
        return sound

    def glance(self) -> list[tuple[str, float, float, None]] | None:
        """Component, instant [s] and energy [J] of every counter, or None where `read` has more to tell of one.

        One that has moved is read here, with no function between; of the others `read` and this ask alike.
        """
        found, now_s, pread = [], self._now_s, os.pread
        for counter in self._counters:
            file = counter.file
            try:
                held = pread(file.kept.number, 64, 0) if file.kept is not None and counter.moved else b""
            except OSError:
                return None
            if held != file.before and held.strip().isdigit():
                counter_uj, at_s = int(held), now_s()
                file.before, counter.before_uj, counter.since_s = held, counter_uj, at_s
            else:
                told, at_s = file.now(), now_s()
                if told is None or counter.is_frozen(told, at_s):
                    return None
                counter_uj = told
            if counter_uj > counter.range_uj:
                return None
            found.append((counter.component, at_s, counter_uj / UJ_PER_J, None))
        return found

    def readable_by(self, uid: int) -> bool:
        """Whether a user can read every counter himself, as far as its owner and mode tell."""
        try:
            found = [os.stat(f"{counter.zone.folder}/energy_uj") for counter in self._counters]  # noqa: PTH116
        except OSError:
            return False
        return uid == 0 or all(one.st_mode & (0o400 if one.st_uid == uid else 0o004) for one in found)

    def facts(self) -> MeterFacts:
        """Accuracy of the counters, and what was left out."""
        return self._facts


def discover(machine: Machine) -> RaplMeter:
    """Meter of the RAPL counters of a machine.

    Raises:
        MeterError: The kernel offers none, or they may not be read; the error's `fix` unlocks them.
    """
    root = f"{machine.sysfs}/{TREE}"
    folders = _zone_folders(root)
    if not folders:
        raise _absent(machine)
    found = _packages(root, folders)
    warnings: list[str] = []
    chosen = _once_each(found, warnings)
    vendor = vendor_of(machine)
    zones = list(_zones(chosen, vendor))
    if not found:
        zones = _platform(root, folders, vendor, warnings)
    if not zones:
        raise _unreadable(
            [package.folder for package in found] or [f"{root}/{name}" for name in folders], root
        )
    facts = MeterFacts(factors=_accuracy(vendor), warnings=tuple(warnings))
    return RaplMeter(zones, machine.clock, facts, machine.first)


def udev_rule() -> str:
    """Text of the shipped udev rule that lets the group `sootprint` read the counters."""
    from importlib.resources import files as resources

    return resources("sootprint.meters").joinpath(RULE_FILE).read_text(encoding="utf-8")


def _zone_folders(root: str) -> list[str]:
    """Names of all zones, in numeric order, the interface by machine registers before the one by memory."""
    names = [name for name in files.entries(root) if _place(name)]
    return sorted(names, key=lambda name: ("mmio" in name, _place(name), name))


def _place(folder: str) -> list[int]:
    """Numbers of a zone and of the one above it, e.g. [0, 1] of intel-rapl:0:1; empty where it is no zone."""
    numbers = [files.whole(part) for part in folder.split(":")[1:]]
    known = [number for number in numbers if number is not None]
    return known if len(known) == len(numbers) <= 2 else []


def _packages(root: str, folders: list[str]) -> list[_Found]:
    found = []
    for folder in folders:
        match = re.fullmatch(_PACKAGE, files.text(f"{root}/{folder}/name") or "")
        if match is None or folder.count(":") != 1:
            continue
        parts = [name for name in folders if name.startswith(f"{folder}:")]
        drams = tuple(f"{root}/{part}" for part in parts if files.text(f"{root}/{part}/name") == "dram")
        key = _Key(int(match[1]), int(match[2] or 0))
        found.append(_Found(key=key, folder=f"{root}/{folder}", drams=drams))
    return found


def _once_each(found: list[_Found], warnings: list[str]) -> list[_Found]:
    """Packages that can be read, each joule once: one zone for each name, one die of those that mirror a counter."""
    chosen: dict[_Key, _Found] = {}
    for zone in found:
        if zone.key not in chosen and _energy_j(zone.folder, _range_uj(zone.folder)) is not None:
            chosen[zone.key] = zone
    for key in {zone.key for zone in found} - chosen.keys():
        warnings.append(f"rapl: package {key.package} cannot be read and is not counted")
    kept: list[_Found] = []
    for key, zone in sorted(chosen.items()):
        if any(other.key.package == key.package and _mirrors(other, zone) for other in kept):
            warnings.append(
                f"rapl: die {key.die} of package {key.package} mirrors another die and is counted once"
            )
        else:
            kept.append(zone)
    return kept


def _mirrors(one: _Found, other: _Found) -> bool:
    """Whether two dies of one package show the same counter; a look that falls between two updates is repeated."""
    for _ in range(MIRROR_LOOKS):
        first = _energy_j(one.folder, _range_uj(one.folder))
        second = _energy_j(other.folder, _range_uj(other.folder))
        if first is None or second is None or abs(first - second) > APART_J:
            return False
        if abs(first - second) <= MIRROR_J:
            return True
        time.sleep(MIRROR_STEP_S)
    return False


def _zones(packages: list[_Found], vendor: str | None) -> Iterator[Zone]:
    """Zones to read, named after their package, or by order where a package has several dies."""
    by_order = len({zone.key.package for zone in packages}) < len(packages)
    for order, package in enumerate(packages):
        index = order if by_order else package.key.package
        yield _zone(package.folder, f"cpu:{index}", _package_ratios(vendor))
        for dram in package.drams[:1]:
            if _energy_j(dram, _range_uj(dram)) is not None:
                yield _zone(dram, f"dram:{index}", DRAM_RATIOS)


def _platform(root: str, folders: list[str], vendor: str | None, warnings: list[str]) -> list[Zone]:
    """The platform's counter, where there is no package: it stands in for the processor."""
    for folder in folders:
        path = f"{root}/{folder}"
        if files.text(f"{path}/name") == "psys" and _energy_j(path, _range_uj(path)) is not None:
            warnings.append(
                "rapl: only the platform counter (psys) exists; the cpu includes other parts of the board"
            )
            return [_zone(path, "cpu:0", (PSYS_LOW, _package_ratios(vendor)[1]))]
    return []


def _zone(folder: str, component: str, ratios: tuple[float, float]) -> Zone:
    return Zone(
        folder=folder,
        component=component,
        range_uj=_range_uj(folder),
        max_power_w=_max_power_w(folder),
        low_ratio=ratios[0],
        high_ratio=ratios[1],
    )


def _energy_j(folder: str, range_uj: int) -> float | None:
    counter_uj = files.number(f"{folder}/energy_uj")
    return None if counter_uj is None or counter_uj > range_uj else counter_uj / UJ_PER_J


def _range_uj(folder: str) -> int:
    """Highest value of the counter [uJ]; where none is stated, that of 32 bits at the finest common unit."""
    return files.number(f"{folder}/max_energy_range_uj") or 262_143_328_850


def _max_power_w(folder: str) -> float:
    """Highest power that a step of the counter may imply: twice the highest limit that the zone states [W]."""
    limits_uw = [
        files.number(f"{folder}/constraint_{index}_{kind}_uw") or 0
        for index in range(3)
        for kind in ("power_limit", "max_power")
    ]
    highest_w = max(limits_uw) / UW_PER_W
    if highest_w <= 0.0:
        return MOST_MAX_POWER_W
    return min(MOST_MAX_POWER_W, max(LEAST_MAX_POWER_W, 2.0 * highest_w))


def _absent(machine: Machine) -> MeterError:
    if sys.platform != "linux":
        return MeterError("rapl: only Linux shows the processor's energy counters")
    if host(machine).virtual:
        return MeterError("rapl: a virtual machine sees no RAPL counters, as its host keeps them to itself")
    return MeterError(
        f"rapl: this kernel offers no RAPL counters ({TREE} has no zones)",
        fix="on an Intel or AMD processor: sudo modprobe intel_rapl_msr",
    )


def _unreadable(folders: list[str], root: str) -> MeterError:
    for folder in folders:
        path = f"{folder}/energy_uj"
        name = f"{TREE}{path.removeprefix(root)}"
        try:
            content = files.read(path, limit=64)
        except PermissionError:
            return MeterError(f"rapl: {name} may be read only by root", fix=UNLOCK)
        except OSError as err:
            reason = f"rapl: {name} cannot be read: {os.strerror(err.errno or 0)}"
        else:
            reason = f"rapl: {name} holds {content[:20]!r}, which is no counter of a package"
    return MeterError(reason)


# Package counters agree with a reference within 5 % since Haswell; dram was found off by up to 20 %; AMD's counters
# are modelled from events and miss part of what the data cause.
INTEL_RATIOS = (0.95, 1.05)
AMD_RATIOS = (0.90, 1.15)
DRAM_RATIOS = (0.80, 1.20)
PSYS_LOW = 0.5
_INTEL_SOURCE = "Khan et al., RAPL in Action, ACM TOMPECS 3 (2018)"
_AMD_SOURCE = "Schoene et al., Energy Efficiency Aspects of the AMD Zen 2 Architecture, IEEE CLUSTER (2021)"
_DRAM_SOURCE = "Desrochers et al., A Validation of DRAM RAPL Power Measurements, MEMSYS (2016)"


def _package_ratios(vendor: str | None) -> tuple[float, float]:
    return AMD_RATIOS if vendor == "AMD" else INTEL_RATIOS


def _accuracy(vendor: str | None) -> tuple[Factor, ...]:
    source = _AMD_SOURCE if vendor == "AMD" else _INTEL_SOURCE
    package = accuracy("rapl package", _package_ratios(vendor), source=source)
    return package, accuracy("rapl dram", DRAM_RATIOS, source=_DRAM_SOURCE)
