"""Codes of the record in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sootprint.core.letters import clean

if TYPE_CHECKING:
    from sootprint.core.records import Footprint

OURS = "sootprint"  # tool of the records that we measured or estimated
BASES = {
    "metered": "wall meter",
    "sensor": "sensor",
    "modelled": "modelled",
    "claimed": "as stated",
    "assumed": "assumed",
    "derived": "computed",
}
STATED = ("estimate", "given")  # in the place of a meter, where nothing was measured
METERS = {
    "nvml": "driver of the NVIDIA device",
    "amdsmi": "driver of the AMD device",
    "rapl": "energy counter in the processor",
    "cpu": "rated power and utilisation",
    "memory": "power per gigabyte",
    "storage": "usual power of the drives",
    "network": "its traffic, at an energy per byte",
    "node": "usual power of board, fans and supply",
    "plug": "plug or power distribution unit",
    "redfish": "management controller",
    "ipmi": "management controller",
    "pm_counters": "counters of the node",
    "hwmon": "power sensor of the whole machine",
    "trace": "recorded trace",
    "estimate": "hardware and hours",
    "given": "number given by the user",
    "lost_node": "mean of the other nodes",
}
GRADES = {
    "A": "a wall or facility meter",
    "B": "device sensors on all main components",
    "C": "device sensors on the accelerators, the rest modelled",
    "D": "modelled from hardware, time and load",
    "E": "a bare claim",
}
PLACE_SOURCES = {
    "argument": "stated for this run",
    "environment": "from SOOTPRINT_ZONE",
    "configuration": "from the settings",
    "site": "from the site in the settings",
    "cluster": "from the cluster in the settings",
    "cloud": "from the cloud's facts on the machine",
}
BOUNDARIES = {
    "accelerator": "the accelerators alone",
    "node": "the machine, without the building around it",
    "facility": "the machine and its share of the building's overhead",
}
STAGES = {
    "pretrain": "pre-training",
    "finetune": "fine-tuning",
    "search": "architecture or hyperparameter search",
    "distil": "distillation",
    "evaluate": "evaluation",
    "data": "data preparation",
    "inference": "inference",
    "development": "development",
    "other": "not stated",
}
SCOPES = {"final_run": "this one run", "project_total": "the whole project"}
UNKNOWN = {
    "place": "the place",
    "place.zone": "the place",
    "hardware": "the hardware",
    "hardware.count": "the number of devices",
    "device_hours": "the device hours",
    "duration_s": "the time that it took",
    "pue": "the facility's overhead (PUE)",
    "energy_kwh": "the energy",
    "intensity_g_per_kwh": "the carbon intensity",
    "emissions_kg": "the emissions",
    "embodied_kg": "emissions of making the hardware (embodied)",
    "water_l": "water",
    "market_based_kg": "market-based emissions (contracts and certificates)",
}
FACTORS = {
    "intensity": "Carbon intensity",
    "pue": "PUE",
    "rated_power": "Rated power",
    "mean_power": "Mean power",
    "power_fraction": "Mean over rated power",
    "host_overhead": "Node over device energy",
    "idle_share": "Idle over rated power",
    "memory_power": "Power of memory",
    "base_power": "Power of board and fans",
    "loss_share": "Losses of the supply",
    "calibration": "Calibration of the node",
    "meter_accuracy": "Accuracy of the meter",
}


def origin(basis: str, meter: str) -> str:
    """How an energy was obtained.

    >>> origin("sensor", "rapl")
    'sensor: energy counter in the processor (rapl)'
    """
    known = METERS.get(meter)
    return f"{BASES[basis]}: {known} ({meter})" if known else f"{BASES[basis]}: {meter}"


def program(footprint: Footprint) -> str:
    """Program that made a record, with its version, e.g. "Sootprint 0.1.0"."""
    return clean(" ".join(filter(None, (footprint.tool.capitalize(), footprint.tool_version))))


def capital(text: str) -> str:
    """Text with its first letter as a capital, the others as they are."""
    return text[:1].upper() + text[1:]


def factor(kind: str) -> str:
    """Name of a kind of factor."""
    return FACTORS.get(kind, kind.replace("_", " ").capitalize())
