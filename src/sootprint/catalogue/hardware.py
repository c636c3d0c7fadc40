"""Hardware: accelerators and processors by the names that drivers, kernels, papers and people give them.

A device of the user's own (`[hardware.X]` in the settings) wins over the packaged one of the same name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from sootprint.catalogue import tables
from sootprint.catalogue.names import UnknownName, accelerator_keys, cpu_keys, key, likeness, nearest
from sootprint.catalogue.tables import Row
from sootprint.core.classes import dataclass
from sootprint.core.errors import CatalogueError
from sootprint.core.quantity import Factor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sootprint.settings.tables import UserHardware

    User = Mapping[str, UserHardware]

_COUNTED = r"(\d+)\s*[xX×*]\s*(\S.*)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """An accelerator; None is a fact that nobody published.

    Args:
        name: Canonical name.
        vendor: Maker.
        kind: gpu, tpu, accel, apu or system.
        year: Year of release.
        rated_power_w: Power that the maker states for one device [W].
        measured_w: Least, mean and most power at work as the maker measured it [W].
        memory_gb: Memory [GB].
        fp32_tflops: Peak rate, vector FP32 [TFLOP/s].
        matmul16_dense_tflops: Peak rate, 16-bit matrix, without sparsity [TFLOP/s].
        process_nm: Process [nm].
        die_mm2: Area of all dies [mm2].
        note: Remark of the table.
        embodied_kg: Emissions of making one, where the user states them [kgCO2e].
        source: Where the facts are from.
        licence: Licence of the source.
        warnings: How an ambiguous name was understood.
    """

    name: str
    vendor: str | None = None
    kind: str = "gpu"
    year: int | None = None
    rated_power_w: float | None = None
    measured_w: tuple[float, float, float] | None = None
    memory_gb: float | None = None
    fp32_tflops: float | None = None
    matmul16_dense_tflops: float | None = None
    process_nm: float | None = None
    die_mm2: float | None = None
    note: str | None = None
    embodied_kg: float | None = None
    source: str | None = None
    licence: str | None = None
    warnings: tuple[str, ...] = ()

    def rated_power(self) -> Factor:
        """Rated power of one device, with its source [W]."""
        return _rated_power(self.name, self.rated_power_w, source=self.source, licence=self.licence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """A processor of one socket.

    Args:
        name: Name of the maker's list.
        vendor: Maker.
        rated_power_w: Thermal design power, or base power, of one socket [W].
        cores: Cores of one socket.
        year: Year of release.
        note: Remark of the table.
        source: Where the facts are from.
        licence: Licence of the source.
        warnings: How the name was understood.
    """

    name: str
    vendor: str | None = None
    rated_power_w: float | None = None
    cores: int | None = None
    year: int | None = None
    note: str | None = None
    source: str | None = None
    licence: str | None = None
    warnings: tuple[str, ...] = ()

    def rated_power(self) -> Factor:
        """Rated power of one socket, with its source [W]."""
        return _rated_power(self.name, self.rated_power_w, source=self.source, licence=self.licence)


def accelerator(name: str, *, user: User | None = None) -> Accelerator:
    """Accelerator by any of its names.

    Args:
        name: Name of a driver, paper or person, for one device.
        user: Devices of the settings.

    Raises:
        CatalogueError: No table has the name, or it names a device without published facts.
    """
    found = find_accelerator(name, user=user)
    if found is not None:
        return found
    row = _accelerator_alias(name)
    if row is not None:
        way_out, here = _ways_out(name)
        raise CatalogueError(
            f"accelerator {name!r} has no published facts ({row['note']}){way_out}", here=here
        )
    way_out, here = _ways_out(name)
    raise UnknownName(
        f"accelerator {name!r}", lambda: _nearest_accelerators(name, user), way_out=way_out, here=here
    )


def find_accelerator(name: str, *, user: User | None = None) -> Accelerator | None:
    """Accelerator by any of its names, or None; costs no search for similar names."""
    own = _of_user(
        name, user, lambda text: accelerator_keys(text)[:1], kinds=("gpu", "tpu", "accel", "apu", "system")
    )
    if own is not None:
        return Accelerator(
            name=own.name,
            vendor=own.vendor,
            kind=own.kind,
            rated_power_w=own.rated_power_w,
            memory_gb=own.memory_gb,
            note=own.note,
            embodied_kg=own.embodied_kg,
            source="settings of the user",
        )
    alias = _accelerator_alias(name)
    return _accelerator(alias["name"], _remark(name, alias)) if alias is not None and alias["name"] else None


def cpu(name: str, *, user: User | None = None) -> Cpu:
    """Processor by the name of its maker, of the kernel (/proc/cpuinfo) or of people.

    Raises:
        CatalogueError: No table has the name; the message has the three nearest.
    """
    found = find_cpu(name, user=user)
    if found is None:
        way_out, here = _ways_out(name)
        raise UnknownName(f"processor {name!r}", lambda: _nearest_cpus(name), way_out=way_out, here=here)
    return found


def find_cpu(name: str, *, user: User | None = None) -> Cpu | None:
    """Processor by any of its names, or None; costs no search for similar names."""
    own = _of_user(name, user, lambda text: cpu_keys(text)[:1], kinds=("cpu",))
    if own is not None:
        return Cpu(
            name=own.name,
            vendor=own.vendor,
            rated_power_w=own.rated_power_w,
            cores=own.cores,
            note=own.note,
            source="settings of the user",
        )
    for candidate in cpu_keys(name):
        listed = tables.rows("cpus", candidate)
        if listed:
            return _cpu(listed[0])
    return None


def _accelerator_alias(name: str) -> Row | None:
    """Row of the first key under which the name stands."""
    for candidate in accelerator_keys(name):
        listed = tables.rows("accelerator_names", candidate)
        if listed:
            return listed[0]
    return None


def _remark(name: str, alias: Row) -> tuple[str, ...]:
    return (f"{name!r} is read as {alias['name']}: {alias['note']}",) if alias["note"] else ()


def _accelerator(name: str, warnings: tuple[str, ...]) -> Accelerator:
    row = tables.rows("accelerators", name)[0]
    measured = tuple(tables.cell(row, f"measured_{which}_w") for which in ("min", "mean", "max"))
    return Accelerator(
        name=row["name"],
        vendor=row["vendor"],
        kind=row["kind"],
        year=tables.integer(row, "year"),
        rated_power_w=tables.cell(row, "rated_power_w"),
        measured_w=measured if None not in measured else None,  # type: ignore[arg-type]
        memory_gb=tables.cell(row, "memory_gb"),
        fp32_tflops=tables.cell(row, "fp32_tflops"),
        matmul16_dense_tflops=tables.cell(row, "matmul16_dense_tflops"),
        process_nm=tables.cell(row, "process_nm"),
        die_mm2=tables.cell(row, "die_mm2"),
        note=row["note"] or None,
        source=tables.source_title(row),
        licence=row["licence"],
        warnings=warnings,
    )


def _cpu(row: Row) -> Cpu:
    return Cpu(
        name=row["name"],
        vendor=row["vendor"],
        rated_power_w=tables.cell(row, "rated_power_w"),
        cores=tables.integer(row, "cores"),
        year=tables.integer(row, "year"),
        note=row["note"] or None,
        source=tables.source_title(row),
        licence=row["licence"],
        warnings=(f"{row['name']}: {row['note']}",) if row["note"] else (),
    )


def _rated_power(name: str, power_w: float | None, *, source: str | None, licence: str | None) -> Factor:
    return Factor(
        kind="rated_power",
        key=name,
        value=power_w,
        low=power_w,
        high=power_w,
        unit="W",
        method="as the maker states",
        source=source,
        licence=licence,
    )


def _of_user(
    name: str, user: User | None, keys: Callable[[str], Iterable[str]], *, kinds: tuple[str, ...]
) -> UserHardware | None:
    """Device of the settings that has the name or an alias like it."""
    wanted = set(keys(name))
    for device in (user or {}).values():
        if device.kind in kinds and any(wanted & set(keys(text)) for text in (device.name, *device.aliases)):
            return device
    return None


def _nearest_accelerators(name: str, user: User | None) -> list[str]:
    """Nearest accelerators, each once."""
    canonical = _canonical_names() | {device.name: device.name for device in (user or {}).values()}
    return list(dict.fromkeys(canonical[alias] for alias in nearest(name, canonical, count=12)))


def _nearest_cpus(name: str) -> tuple[str, ...]:
    """Nearest processors by the part of the name that tells them apart."""
    by_key = {row["key"]: row["name"] for row in tables.all_rows("cpus")}
    found = [nearest(candidate, by_key) for candidate in cpu_keys(name) or ("",)]
    likest = max(
        zip(cpu_keys(name) or ("",), found, strict=True), key=lambda one: likeness(one[0], one[1][0])
    )
    return tuple(by_key[name] for name in likest[1])


def _canonical_names() -> dict[str, str]:
    return {row["alias"]: row["name"] for row in tables.all_rows("accelerator_names") if row["name"]}


def _ways_out(name: str) -> tuple[str, str]:
    """Way out of an unknown name, and what more there is here; "8xA100" is a number of devices before a name."""
    many = re.fullmatch(_COUNTED, name.strip())
    if many is not None and _accelerator_alias(many[2]):
        return f": the name is {many[2]}; the number of devices ({many[1]}) stands apart", ""
    plain = name.strip() if key(name) else "NAME"
    here = f' (--power-w), or add [hardware."{plain}"] with rated_power_w to sootprint.toml'
    return ": choose one that is, or give its mean power as power_w", here
