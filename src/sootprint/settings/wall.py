"""The tables `[wall.NAME]`: wall meters of the user's own, and what holds of the built-in ones here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sootprint.core.classes import dataclass
from sootprint.settings.rules import boolean, duration, label, number, one_of, url
from sootprint.settings.tables import Rule, checked, table

POWER_UNITS = ("W", "kW", "mW")
ENERGY_UNITS = ("J", "kJ", "Wh", "kWh", "Wmin")
MOST_NODES = 10_000
INSTEAD = "use user, and password_env (a variable) or password_file"
NO_SECRET = (
    "must not stand in a file that is copied and shared: use password_env (a variable) or password_file"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WallMeter:
    """What the user states of a meter of the whole node.

    Args:
        name: Name of the meter: plug, redfish, ipmi, hwmon or pm_counters.
        use: Whether it is read at all.
        nodes: Nodes that it covers; each is charged an equal share [1].
        accuracy: Half-width of its 90 % interval over its reading, or None for the meter's usual one [1].
        period_s: Time between two looks over the network or into a file, or None for the usual one [s].
        address: Redfish: address of the controller.
        chassis: Redfish: name of the chassis, where there are several.
        path: Redfish: path of the resource, where it cannot be found by itself.
        user: Name of the user at the server.
        password_env: Environment variable that holds the password.
        password_file: File that holds the password.
        ca_file: Certificates that are trusted in place of the system's.
        verify: Whether the server's certificate is checked.
        url: Plug: address of its JSON or number.
        file: Plug: file that something else writes.
        power: Plug: JSON pointer or column of the power; "" for the whole answer.
        power_unit: Plug: unit of the power.
        energy: Plug: JSON pointer or column of an energy counter.
        energy_unit: Plug: unit of the energy.
        time: Plug: JSON pointer or column of what changes with each reading.
    """

    name: str
    use: bool = True
    nodes: int = 1
    accuracy: float | None = None
    period_s: float | None = None
    address: str | None = None
    chassis: str | None = None
    path: str | None = None
    user: str | None = None
    password_env: str | None = None
    password_file: str | None = None
    ca_file: str | None = None
    verify: bool = True
    url: str | None = None
    file: str | None = None
    power: str | None = None
    power_unit: str = "W"
    energy: str | None = None
    energy_unit: str = "Wh"
    time: str | None = None


def wall(value: Any) -> dict[str, WallMeter]:
    """Wall meters by name, from the tables `[wall.NAME]`."""
    made = {}
    for name, entry in table(value, "must be a table").items():
        if name not in _RULES:
            raise ValueError(f"{name} is no meter of a whole node; they are {', '.join(_RULES)}")
        if "password" in table(entry, f"{name} must be a table"):  # the message must not repeat it
            raise ValueError(f"{name}.password {NO_SECRET}")
        given = checked(entry, _RULES[name], path=name)
        if "period" in given:
            given["period_s"] = given.pop("period")
        made[name] = WallMeter(name=name, **_CHECKS.get(name, dict)(given))
    return made


def _nodes(value: Any) -> int:
    rule = "must be the number of nodes that the meter covers, at least 1"
    count = number(value, low=1, high=MOST_NODES, rule=rule)
    if count != int(count):
        raise ValueError(rule)
    return int(count)


def _accuracy(value: Any) -> float:
    rule = 'must be the half-width of its 90 % interval over the reading, e.g. 0.02 or "2%", at most 0.5'
    if isinstance(value, str) and value.strip().endswith("%"):
        return 0.01 * number(value.strip().removesuffix("%"), low=0.0, high=50.0, rule=rule)
    return number(value, low=0.0, high=0.5, rule=rule)


def _seconds(value: Any) -> float:
    period_s = duration(value)
    if period_s < 1.0:
        raise ValueError('must be at least "1s", for a server of a plug or controller is slow')
    return period_s


def _pointer(value: Any) -> str:
    """JSON pointer or number of a column."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return str(value)
    if value == "" or (
        isinstance(value, str) and value.isprintable() and (value[0] == "/" or value.isdigit())
    ):
        return str(value)
    raise ValueError(
        'must be a JSON pointer such as "/meters/0/power", the number of a column from 0, or "" for all'
    )


def _web(value: Any) -> str:
    """Address of a device."""
    return url(value, example="http://192.168.1.20/status", instead=INSTEAD, query=True)


def _path(value: Any) -> str:
    if not label(value).startswith("/redfish/"):
        raise ValueError('must be a path such as "/redfish/v1/Chassis/1/Power"')
    return label(value)


def _one_of_plug(given: dict[str, Any]) -> dict[str, Any]:
    """Settings of a plug: one source, and a power or an energy."""
    if ("url" in given) == ("file" in given):
        raise ValueError("plug must have either a url or a file")
    if "power" not in given and "energy" not in given:
        if "url" in given:
            raise ValueError('plug must say where its power or energy is, e.g. power = "/apower"')
        given = {**given, "power": ""}
    return given


def _addressed(given: dict[str, Any]) -> dict[str, Any]:
    if "address" not in given:
        raise ValueError('redfish must have an address, e.g. address = "https://bmc-17"')
    if given["address"].startswith("http://") and "user" in given:
        host = given["address"].removeprefix("http://").partition(":")[0]
        if host not in ("localhost", "127.0.0.1"):
            raise ValueError(
                f"redfish.address = {given['address']!r} would send the password in the clear: use https"
            )
    return given


_OF_ALL: Mapping[str, Rule] = {"use": boolean, "nodes": _nodes, "accuracy": _accuracy}
_OF_SERVERS: Mapping[str, Rule] = {
    "period": _seconds,
    "user": label,
    "password_env": label,
    "password_file": label,
    "ca_file": label,
    "verify": boolean,
}
_RULES: dict[str, Mapping[str, Rule]] = {
    "plug": {
        **_OF_ALL,
        **_OF_SERVERS,
        "url": _web,
        "file": label,
        "power": _pointer,
        "power_unit": one_of(POWER_UNITS),
        "energy": _pointer,
        "energy_unit": one_of(ENERGY_UNITS),
        "time": _pointer,
    },
    "redfish": {**_OF_ALL, **_OF_SERVERS, "address": _web, "chassis": label, "path": _path},
    "pm_counters": _OF_ALL,
    "ipmi": _OF_ALL,
    "hwmon": _OF_ALL,
}
_CHECKS = {"plug": _one_of_plug, "redfish": _addressed}
