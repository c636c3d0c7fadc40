"""Plug-ins by name: the built-in ones from a table, others from the entry points of installed packages."""

from __future__ import annotations

import sys

from sootprint.core.errors import SettingsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.metadata import EntryPoint
    from typing import Any

BUILT_IN = {
    "sootprint.meters": {
        name: f"sootprint.meters.{name}:discover"
        for name in (
            *("nvml", "amdsmi", "rapl", "cpu", "memory", "storage", "network", "node"),
            *("plug", "redfish", "pm_counters", "ipmi", "hwmon"),
        )
    },
    "sootprint.intensity": {
        name: f"sootprint.intensity.{name}:configured"
        for name in (
            *("carbonintensity_gb", "energy_charts", "electricitymaps", "eia", "entsoe"),
            *("trace", "annual", "watttime"),
        )
    },
    "sootprint.exporters": {
        name: f"sootprint.exporters.{name}:opened"
        for name in ("jsonl", "csv", "prometheus", "opentelemetry", "hub", "mlflow", "wandb")
    },
    "sootprint.engines": {
        "local": "sootprint.engines.local:LocalEngine",
        "ssh": "sootprint.engines.ssh:SshEngine",
        "slurm": "sootprint.engines.slurm:SlurmEngine",
    },
}


def names(group: str) -> list[str]:
    """Names of the built-in plug-ins of a group, in the order in which they are used."""
    return list(BUILT_IN[group])


def load(group: str, name: str) -> Any:
    """The object that a plug-in registers; entry points are searched only for names that are not built in.

    Raises:
        SettingsError: No installed package registers the name, or several do.
    """
    target = BUILT_IN[group].get(name)
    if target is not None:
        module, _, attribute = target.partition(":")
        __import__(module)  # importlib would be loaded for nothing else
        return getattr(sys.modules[module], attribute)
    return offered(group, name).load()


def offered(group: str, name: str) -> EntryPoint:
    """Entry point by which an installed package offers a plug-in that is not built in; none of its code is run.

    Raises:
        SettingsError: No installed package offers the name, or several do.
    """
    from importlib.metadata import entry_points

    found = {point.value: point for point in entry_points(group=group, name=name)}
    if not found:
        raise SettingsError(
            f"no installed package offers {name!r} in {group}; built in are {', '.join(BUILT_IN[group])}"
        )
    if len(found) > 1:
        raise SettingsError(
            f"{len(found)} packages offer {name!r} in {group} ({', '.join(sorted(found))}): uninstall all but one"
        )
    return next(iter(found.values()))
