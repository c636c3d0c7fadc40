"""Tables of the settings: sites with their PUE by date, hardware of the user's own, and clusters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from sootprint.core.classes import dataclass
from sootprint.settings.rules import label, number, overhead, zone

HARDWARE_KINDS = ("gpu", "tpu", "accel", "apu", "cpu", "system")
MAX_DEVICE_W = 3000.0  # the largest accelerator of 2025 is rated 1,400 W
MAX_SYSTEM_W = 100_000.0  # a wafer-scale system is rated 23,000 W

Rule = Callable[[Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePue:
    """PUE of a site from one day on [1]; `start` is None where it holds for all time."""

    value: float
    low: float | None = None
    high: float | None = None
    start: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place of the user's own.

    Args:
        name: Name in the settings.
        zone: Grid zone or cloud region, or None where not stated.
        pue: PUE by date, the earliest first.
        supply: Own supply of electricity (solar, wind, ...), kept as written.
        instruments: Contracts and certificates, kept as written; they never lower a location-based figure.
    """

    name: str
    zone: str | None = None
    pue: tuple[SitePue, ...] = ()
    supply: tuple[Mapping[str, Any], ...] = ()
    instruments: tuple[Mapping[str, Any], ...] = ()

    def pue_on(self, day: date) -> SitePue | None:
        """PUE that holds on a day, or None before the first one known."""
        holding = [entry for entry in self.pue if entry.start is None or entry.start <= day]
        return holding[-1] if holding else None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserHardware:
    """A device that the user describes.

    Args:
        name: Name in the settings.
        kind: gpu, tpu, accel, apu, cpu or system.
        vendor: Maker.
        rated_power_w: Power that the maker states [W].
        memory_gb: Memory [GB].
        cores: Cores of a CPU.
        embodied_kg: Emissions of making one device [kgCO2e].
        aliases: Other names, such as the driver's.
        note: Remark that goes with the look-up.
    """

    name: str
    kind: str = "gpu"
    vendor: str | None = None
    rated_power_w: float | None = None
    memory_gb: float | None = None
    cores: int | None = None
    embodied_kg: float | None = None
    aliases: tuple[str, ...] = ()
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Where a Slurm cluster stands: a site or a zone."""

    name: str
    site: str | None = None
    zone: str | None = None


def sites(value: Any) -> dict[str, Site]:
    """Sites by name, from the table `[sites]`."""
    rules: dict[str, Rule] = {"zone": zone, "pue": _pues, "supply": _tables, "instruments": _tables}
    return {name: Site(name=name, **entry) for name, entry in _entries(value, rules)}


def clusters(value: Any) -> dict[str, Cluster]:
    """Clusters by name, from the table `[clusters]`."""
    found = {
        name: Cluster(name=name, **entry) for name, entry in _entries(value, {"site": label, "zone": zone})
    }
    for name, cluster in found.items():
        if (cluster.site is None) == (cluster.zone is None):
            raise ValueError(f"{name} must have either a site or a zone")
    return found


def hardware(value: Any) -> dict[str, UserHardware]:
    """Devices by name, from the table `[hardware]`."""
    rules: dict[str, Rule] = {
        "kind": _kind,
        "vendor": label,
        "rated_power_w": _system_power,
        "memory_gb": lambda given: number(given, low=1e-3, high=1e6, rule="must be GB above 0"),
        "cores": _cores,
        "embodied_kg": lambda given: number(given, low=0.0, high=1e6, rule="must be kgCO2e, at least 0"),
        "aliases": _labels,
        "note": label,
    }
    found = {name: UserHardware(name=name, **entry) for name, entry in _entries(value, rules)}
    for name, device in found.items():
        if device.kind != "system" and (device.rated_power_w or 0.0) > MAX_DEVICE_W:
            rule = f'must be W of one device, at most {MAX_DEVICE_W:g} (a whole system has kind = "system")'
            raise ValueError(f"{name}.rated_power_w = {device.rated_power_w:g} {rule}")
    return found


def _entries(value: Any, rules: Mapping[str, Rule]) -> list[tuple[str, dict[str, Any]]]:
    """Named sub-tables with their checked values; a ValueError begins with the path to the wrong one."""
    return [
        (name, checked(entry, rules, path=name)) for name, entry in table(value, "must be a table").items()
    ]


def checked(entry: Any, rules: Mapping[str, Rule], *, path: str) -> dict[str, Any]:
    """Values of one table after their rules."""
    checked: dict[str, Any] = {}
    for key, given in table(entry, f"{path} must be a table").items():
        if key not in rules:
            raise ValueError(f"{path}.{key} is not a setting; the nearest is {_nearest(key, rules)}")
        try:
            checked[key] = rules[key](given)
        except ValueError as err:
            from sootprint.core.letters import without_secrets

            raise ValueError(f"{path}.{key} = {without_secrets(repr(given))} {err}") from err
    return checked


def table(value: Any, rule: str) -> Mapping[str, Any]:
    """The value itself, which must be a table."""
    if not isinstance(value, Mapping):
        raise ValueError(rule)
    return value


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    import difflib

    return difflib.get_close_matches(name, list(known), n=1, cutoff=0.0)[0]


def _pues(value: Any) -> tuple[SitePue, ...]:
    """PUE by date: one number for all time, or a list of tables with `from`, `value`, `low` and `high`."""
    if not isinstance(value, list):
        return (SitePue(value=overhead(value)),)
    return tuple(sorted((_dated_pue(entry) for entry in value), key=lambda entry: entry.start or date.min))


def _dated_pue(entry: Any) -> SitePue:
    given = table(entry, "must be a PUE or a list of tables with from, value, low and high")
    unknown = sorted(set(given) - {"from", "value", "low", "high"})
    if unknown or "value" not in given:
        raise ValueError(f"must have value and may have from, low and high; {unknown or 'value'} is wrong")
    bounds = {key: overhead(given[key]) for key in ("value", "low", "high") if key in given}
    if not bounds.get("low", 1.0) <= bounds["value"] <= bounds.get("high", bounds["value"]):
        raise ValueError("must have low at most value, and high at least value")
    return SitePue(**bounds, start=_day(given["from"]) if "from" in given else None)


def _day(value: Any) -> date:
    """Day, from a TOML date or a text such as 2024-01-01."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"from = {value!r} must be a day such as 2024-01-01") from None


def _tables(value: Any) -> tuple[Mapping[str, Any], ...]:
    """One table or a list of tables, kept as written."""
    listed = value if isinstance(value, list) else [value]
    return tuple(dict(table(entry, "must be a table or a list of tables")) for entry in listed)


def _kind(value: Any) -> str:
    if value not in HARDWARE_KINDS:
        raise ValueError(f"must be one of {', '.join(HARDWARE_KINDS)}")
    return str(value)


def _system_power(value: Any) -> float:
    return number(value, low=1e-3, high=MAX_SYSTEM_W, rule=f"must be W above 0, at most {MAX_SYSTEM_W:g}")


def _cores(value: Any) -> int:
    rule = "must be a whole number of cores, at least 1"
    cores = number(value, low=1, high=4096, rule=rule)
    if cores != int(cores):
        raise ValueError(rule)
    return int(cores)


def _labels(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("must be a list of texts")
    return tuple(label(entry) for entry in value)
