"""A footprint as CodeCarbon's `EmissionsData`: kilograms, kilowatt-hours, watts and seconds; unknown is not a number.

Source:
    CodeCarbon 3.3.2 (2026), `EmissionsData`: names, order and units of the fields; its energies hold the PUE, its
    powers do not, and its memory is in GiB.
"""

from __future__ import annotations

import json
import math
import os
import platform
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sootprint import __version__
from sootprint.catalogue import tables
from sootprint.compat.shared import UNKNOWN, has_no_accelerator, joules, of_kind
from sootprint.core.units import energy_kwh

if TYPE_CHECKING:
    from sootprint.compat.codecarbon.arguments import Options
    from sootprint.core.quantity import Quantity
    from sootprint.core.records import Footprint, Place

GIB_PER_GB = 1e9 / 2**30
NOT_OF_TASKS = ("experiment_id", "pue", "wue")


@dataclass
class EmissionsData:
    """A run or task in CodeCarbon's fields: a number that is unknown is not a number (nan), a text is empty.

    Args:
        timestamp: Local time of the end.
        project_name: Label.
        run_id: Identity of our record.
        experiment_id: Identity that was given.
        duration: Time [s].
        emissions: Emissions, PUE included [kgCO2e].
        emissions_rate: Emissions over duration [kg/s].
        cpu_power: Mean power of the processors [W].
        gpu_power: Mean power of the accelerators [W].
        ram_power: Mean power of the memory [W].
        cpu_energy: Energy of the processors with the PUE [kWh].
        gpu_energy: Energy of the accelerators with the PUE [kWh].
        ram_energy: Energy of the memory with the PUE [kWh].
        energy_consumed: Energy of the whole node with the PUE [kWh].
        water_consumed: Water [L].
        country_name: Name of the country.
        country_iso_code: ISO 3166-1 alpha-3 code.
        region: State or province.
        cloud_provider: Cloud provider.
        cloud_region: Cloud region.
        os: Operating system.
        python_version: Version of Python.
        codecarbon_version: What wrote this: Sootprint and its version.
        cpu_count: Threads of the machine [1].
        cpu_model: Name of the processor.
        gpu_count: Accelerators [1].
        gpu_model: Number and name of the accelerators.
        longitude: Never looked up [degree].
        latitude: Never looked up [degree].
        ram_total_size: Memory of the machine [GiB].
        tracking_mode: machine or process.
        cpu_utilization_percent: Mean busy share of the processors [%].
        gpu_utilization_percent: Mean busy share of the accelerators [%].
        ram_utilization_percent: Not measured [%].
        ram_used_gb: Not measured [GiB].
        on_cloud: Y, or empty where that is not known.
        pue: Facility energy over IT energy, where it is known [1].
        wue: Not known [L/kWh].
    """

    timestamp: str
    project_name: str
    run_id: str
    experiment_id: str
    duration: float
    emissions: float
    emissions_rate: float
    cpu_power: float
    gpu_power: float
    ram_power: float
    cpu_energy: float
    gpu_energy: float
    ram_energy: float
    energy_consumed: float
    water_consumed: float
    country_name: str
    country_iso_code: str
    region: str
    cloud_provider: str
    cloud_region: str
    os: str
    python_version: str
    codecarbon_version: str
    cpu_count: float
    cpu_model: str
    gpu_count: float
    gpu_model: str
    longitude: float
    latitude: float
    ram_total_size: float
    tracking_mode: str
    cpu_utilization_percent: float = UNKNOWN
    gpu_utilization_percent: float = UNKNOWN
    ram_utilization_percent: float = UNKNOWN
    ram_used_gb: float = UNKNOWN
    on_cloud: str = ""
    pue: float = UNKNOWN
    wue: float = UNKNOWN

    @property
    def values(self) -> OrderedDict[str, Any]:
        """Fields in the order of the CSV's columns."""
        return OrderedDict(vars(self))

    def toJSON(self) -> str:  # noqa: N802 - the name of the interface
        """JSON text of the fields; an unknown one is null."""
        return json.dumps(known(self.values), sort_keys=True, indent=4)


def known(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values, of which a number that is unknown is None."""
    return {name: None if isinstance(one, float) and math.isnan(one) else one for name, one in values.items()}


def of_task(name: str, data: EmissionsData) -> dict[str, Any]:
    """Columns of a task in the file of the tasks."""
    return {"task_name": name} | {key: one for key, one in data.values.items() if key not in NOT_OF_TASKS}


def emissions_data(made: Footprint, told: Options, *, sysfs: str = "/sys") -> EmissionsData:
    """Footprint in CodeCarbon's fields.

    Args:
        made: Footprint of a run or task.
        told: What its tracker was told.
        sysfs: Root of the device tree, which tells of accelerators that nobody reads.
    """
    duration_s = _value(made.duration_s)
    emissions_kg = _value(made.emissions_kg)
    return EmissionsData(
        timestamp=datetime.now().strftime("%Y-%m-%dT%H:%M:%S"),
        project_name=told.project_name,
        run_id=made.id or "",
        experiment_id=told.experiment_id,
        duration=duration_s,
        emissions=emissions_kg,
        emissions_rate=emissions_kg / duration_s if duration_s else UNKNOWN,
        **_energies(made, duration_s, sysfs),
        **_place(made.place),
        **_hardware(made, sysfs),
        water_consumed=_value(made.water_l),
        os=platform.platform(),
        python_version=platform.python_version(),
        codecarbon_version=f"sootprint {__version__}",
        longitude=UNKNOWN,
        latitude=UNKNOWN,
        tracking_mode=told.tracking_mode,
        pue=UNKNOWN if "pue" in made.unknown else _value(made.pue),
    )


def _value(one: Quantity | float | None) -> float:
    if one is None:
        return UNKNOWN
    return float(one) if isinstance(one, int | float) else one.value


def _energies(made: Footprint, duration_s: float, sysfs: str) -> dict[str, Any]:
    """Energies with the PUE [kWh], and mean powers without it [W]."""
    pue = made.pue.value if made.pue else 1.0
    found = {"energy_consumed": _value(made.energy_kwh) * pue}
    for short, kind in (("cpu", "cpu"), ("gpu", "accelerator"), ("ram", "dram")):
        spent_j = joules(made, kind, sysfs=sysfs)
        found[f"{short}_energy"] = energy_kwh(spent_j) * pue
        found[f"{short}_power"] = spent_j / duration_s if duration_s else UNKNOWN
    return found


def _place(place: Place) -> dict[str, Any]:
    """Place, as far as the record knows it."""
    country, state = (_zone(code) for code in (place.country, place.subdivision))
    return {
        "country_name": country.get("name", ""),
        "country_iso_code": country.get("iso3", ""),
        "region": state.get("name", "").lower(),
        "cloud_provider": place.provider or "",
        "cloud_region": place.region or "",
        "on_cloud": "Y" if place.provider and place.region else "",
    }


def _zone(code: str | None) -> dict[str, str]:
    listed = tables.rows("zones", code) if code else ()
    return dict(listed[0]) if listed else {}


def _hardware(made: Footprint, sysfs: str) -> dict[str, Any]:
    """Devices, and how busy they were."""
    cards: Counter[str] = Counter()
    for one in made.hardware:
        if one.kind == "accelerator":
            cards[one.name] += one.count
    none = not cards and has_no_accelerator(made, sysfs=sysfs)
    memory_gb = [one.memory_gb for one in made.hardware if one.kind == "dram"]
    return {
        "cpu_count": os.cpu_count() or UNKNOWN,
        "cpu_model": ", ".join(dict.fromkeys(one.name for one in made.hardware if one.kind == "cpu")),
        "gpu_count": cards.total() if cards or none else UNKNOWN,
        "gpu_model": ", ".join(f"{count} x {name}" for name, count in cards.items()),
        "ram_total_size": math.fsum(one or UNKNOWN for one in memory_gb) * GIB_PER_GB
        if memory_gb
        else UNKNOWN,
        "cpu_utilization_percent": _busy_percent(made, "cpu"),
        "gpu_utilization_percent": _busy_percent(made, "accelerator"),
    }


def _busy_percent(made: Footprint, kind: str) -> float:
    busy = [part.utilisation for part in of_kind(made, kind) if part.utilisation is not None]
    return 100.0 * math.fsum(busy) / len(busy) if busy else UNKNOWN
