"""How a Redfish service is asked for the power of a chassis: EnvironmentMetrics, the older Power, or one sensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sootprint.core.errors import MeterError
from sootprint.core.protocols import Machine
from sootprint.core.units import J_PER_KWH
from sootprint.meters import fetch
from sootprint.meters.background import Background, Look
from sootprint.meters.units import in_j, in_w
from sootprint.meters.wall import accuracy_facts, stated

PERIOD_S = 10.0
ROOT = "/redfish/v1/Chassis"
MOST_CHASSIS = 16
RESOURCES = ("EnvironmentMetrics", "Power")
BOUNDS = (0.90, 1.10)
SOURCE = "Prior of Sootprint (2026): DSP0268 of DMTF (2024) states no accuracy of a controller's power"


def meter_of(machine: Machine) -> Background:
    """Meter of the configured controller.

    Raises:
        MeterError: Its password cannot be found, or the settings leave it out.
    """
    known, given = stated(machine, "redfish"), machine.wall["redfish"]
    service = Service(fetch.client(given, machine.environ, meter="redfish"), given)
    bounds = known.bounds or BOUNDS
    return Background(
        "redfish",
        service.look,
        machine.clock,
        period_s=given.period_s or PERIOD_S,
        bounds=bounds,
        facts=accuracy_facts("redfish", bounds, source=SOURCE, nodes=known.nodes),
        nodes=known.nodes,
    )


class Service:
    """A Redfish service and the resource in it that tells the node's power."""

    def __init__(self, client: fetch.Client, given: Any) -> None:
        self._client = client
        self._nodes = given.nodes
        self._chassis: str | None = given.chassis
        self._path: str | None = given.path

    def look(self) -> Look:
        """Power and, where it is told, energy of the node.

        Raises:
            MeterError: The service does not answer, or no one resource of it is the node's.
        """
        if self._path is None:
            self._path = self._found()
        look = reading_of(self._document(self._path), nodes=self._nodes)
        if look is None:
            raise MeterError(f"redfish: {self._path} holds no power")
        return look

    def _document(self, path: str) -> Mapping[str, Any]:
        document = self._client.json(path)
        if not isinstance(document, Mapping):
            raise MeterError(f"redfish: {path} is no Redfish resource")
        return document

    def _found(self) -> str:
        """Path of the resource that tells the power of the one chassis that holds this system."""
        if self._chassis is not None:
            paths = [f"{ROOT}/{self._chassis}"]
        else:
            members = self._document(ROOT).get("Members") or ()
            paths = [str(member.get("@odata.id", "")).rstrip("/") for member in members[:MOST_CHASSIS]]
        telling: dict[str, str] = {}
        with_system: list[str] = []
        for path in paths:
            chassis = self._document(path)
            resource = self._telling(path, chassis)
            if resource is not None:
                telling[path] = resource
                if systems(chassis):
                    with_system.append(path)
                self._check(path, len(systems(chassis)))
        chosen = with_system if with_system else list(telling)
        if len(chosen) == 1:
            return telling[chosen[0]]
        if not chosen:
            raise MeterError("redfish: no chassis of the service tells its power")
        listed = ", ".join(path.rpartition("/")[2] for path in chosen)
        raise MeterError(
            f"redfish: several chassis tell a power ({listed}): name one, chassis = ... in [wall.redfish]"
        )

    def _telling(self, path: str, chassis: Mapping[str, Any]) -> str | None:
        """Path of the first resource of a chassis that holds a power."""
        for name in RESOURCES:
            link = chassis.get(name)
            target = link.get("@odata.id") if isinstance(link, Mapping) else None
            if target and reading_of(self._document(target), nodes=self._nodes) is not None:
                return str(target)
        return None

    def _check(self, path: str, count: int) -> None:
        if count > 1 and self._nodes == 1:
            raise several(path, count)


def several(path: str, count: int) -> MeterError:
    """Refusal of a meter that covers several nodes and is not said to."""
    return MeterError(
        f"redfish: {path.rpartition('/')[2] or path} covers {count} systems: state it with nodes = {count} in "
        "[wall.redfish], and this node is charged an equal share"
    )


def systems(chassis: Mapping[str, Any]) -> Sequence[Any]:
    """Systems that a chassis holds."""
    links = chassis.get("Links")
    return (links.get("ComputerSystems") or ()) if isinstance(links, Mapping) else ()


def reading_of(document: Mapping[str, Any], *, nodes: int = 1) -> Look | None:
    """Power and energy that a resource holds (EnvironmentMetrics, Power or Sensor), or None.

    Raises:
        MeterError: The power is that of several systems, and one was expected.

    >>> reading_of({"PowerWatts": {"Reading": 374.0}, "EnergykWh": {"Reading": 2.5}})
    Look(power_w=374.0, energy_j=9000000.0)
    >>> reading_of({"Reading": 374.0, "ReadingUnits": "W"})
    Look(power_w=374.0, energy_j=None)
    """
    if isinstance(document.get("PowerControl"), list):
        return _of_power(document, nodes)
    if "ReadingUnits" in document:
        value, unit = _number(document.get("Reading")), str(document["ReadingUnits"])
        power_w, energy_j = in_w(value, unit), in_j(value, unit)
    else:
        power_w = _number(_reading(document.get("PowerWatts")))
        energy_kwh = _number(_reading(document.get("EnergykWh")))
        energy_j = None if energy_kwh is None else energy_kwh * J_PER_KWH
    return None if power_w is None and energy_j is None else Look(power_w or None, energy_j)


def _of_power(document: Mapping[str, Any], nodes: int) -> Look | None:
    """Power of the first entry that has one; the further ones are parts of the node."""
    for entry in document["PowerControl"]:
        power_w = _number(entry.get("PowerConsumedWatts")) if isinstance(entry, Mapping) else None
        if power_w:
            related = [str(item.get("@odata.id", "")) for item in entry.get("RelatedItem") or ()]
            count = sum("/Systems/" in item for item in related)
            if count > 1 and nodes == 1:
                raise several(str(document.get("@odata.id", "")), count)
            return Look(power_w=power_w)
    return None


def _reading(excerpt: Any) -> Any:
    return excerpt.get("Reading") if isinstance(excerpt, Mapping) else None


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and value >= 0 else None
