"""The table `[grid]`: the sources of carbon intensity that may be asked over the network, in order, and their keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sootprint.core.classes import dataclass, field
from sootprint.settings.rules import duration, label, one_of, url
from sootprint.settings.tables import Rule, checked, table

SOURCES = ("carbonintensity_gb", "energy_charts", "electricitymaps", "eia", "entsoe", "trace", "annual")
MARGINAL = ("watttime",)
FACTORS = ("lifecycle", "direct")
SIGNALS = ("co2_moer",)
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
MOST_LIMIT_S = 120.0
NO_SECRET = "must not stand in a file that is copied and shared: use {name}_env (a variable) or {name}_file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """What the user states of one source.

    Args:
        name: Name of the source, e.g. electricitymaps.
        zones: Name that the source has for a zone, where it is not ours, e.g. {"US-CA": "US-CAL-CISO"}.
        url: Address in place of the source's own, e.g. of a mirror.
        key_env: Environment variable that holds the key.
        key_file: File that holds the key, which nobody else may read.
        user: WattTime: name of the user.
        password_env: WattTime: environment variable that holds the password.
        password_file: WattTime: file that holds the password, which nobody else may read.
        factors: Electricity Maps: lifecycle or direct.
        signal: WattTime: co2_moer, the marginal emissions rate.
        file: Trace: CSV file, plain or gzipped.
        zone: Trace: zone that the file is of.
    """

    name: str
    zones: Mapping[str, str] = field(default_factory=dict)
    url: str | None = None
    key_env: str | None = None
    key_file: str | None = None
    user: str | None = None
    password_env: str | None = None
    password_file: str | None = None
    factors: str = "lifecycle"
    signal: str = "co2_moer"
    file: str | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Sources of carbon intensity; without any, nothing is asked over the network.

    Args:
        sources: Sources of the average intensity, the first one that answers counting.
        marginal: Source of the marginal signal, for decisions alone, or None.
        limit_s: Longest time that asking one source may take [s].
        providers: What is stated of single sources, by name.
    """

    sources: tuple[str, ...] = ()
    marginal: str | None = None
    limit_s: float = 20.0
    providers: Mapping[str, Provider] = field(default_factory=dict)

    def provider(self, name: str) -> Provider:
        """What is stated of a source; its defaults where nothing is."""
        return self.providers.get(name) or Provider(name=name)

    def __str__(self) -> str:
        """The sources in their order, for a person."""
        words = ", ".join(self.sources) or "–"
        return f"{words}; marginal: {self.marginal}" if self.marginal else words


def grid(value: Any) -> Grid:
    """Sources from the table `[grid]`."""
    entries = table(value, "must be a table")
    providers, keys = {}, {}
    for name, entry in entries.items():
        if name in _RULES:
            providers[name] = _provider(name, entry)
        elif isinstance(entry, Mapping):
            raise ValueError(f"{name} is no source; they are {', '.join(_RULES)}")
        else:
            keys[name] = entry
    given = checked(keys, {"sources": _sources, "marginal": _marginal, "limit": _limit}, path="grid")
    if "limit" in given:
        given["limit_s"] = given.pop("limit")
    return Grid(**given, providers=providers)


def _provider(name: str, entry: Any) -> Provider:
    stated = table(entry, f"{name} must be a table")
    for secret in ("key", "password", "token"):  # the message must not repeat it
        if secret in stated:
            wanted = "password" if secret == "password" else "key"
            raise ValueError(f"{name}.{secret} {NO_SECRET.format(name=wanted)}")
    given = checked(stated, _RULES[name], path=name)
    for one, other in (("key_env", "key_file"), ("password_env", "password_file")):
        if one in given and other in given:
            raise ValueError(f"{name} must have either {one} or {other}")
    address = given.get("url", "")
    if address.startswith("http://") and _host(address) not in LOOPBACK:
        raise ValueError(f"{name}.url = {address!r} would send requests and keys in the clear: use https")
    if name == "trace" and not {"file", "zone"} <= given.keys():
        raise ValueError('trace must have a file and its zone, e.g. file = "de.csv" and zone = "DE"')
    return Provider(name=name, **given)


def _host(address: str) -> str:
    authority = address.partition("://")[2].partition("/")[0]
    return authority if authority.endswith("]") else authority.rpartition(":")[0] or authority


def _sources(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError('must be a list such as ["energy_charts", "annual"]')
    for one in value:
        if one in MARGINAL:
            raise ValueError(
                f"must not hold {one}: a marginal signal is no footprint's; use marginal = {one!r}"
            )
        if one not in SOURCES:
            raise ValueError(f"must be of {', '.join(SOURCES)}")
    return tuple(dict.fromkeys(value))


def _marginal(value: Any) -> str:
    if value not in MARGINAL:
        raise ValueError(f"must be one of {', '.join(MARGINAL)}")
    return str(value)


def _limit(value: Any) -> float:
    limit_s = duration(value)
    if not 1.0 <= limit_s <= MOST_LIMIT_S:
        raise ValueError('must be a time from "1s" to "2m"')
    return limit_s


def _zones(value: Any) -> dict[str, str]:
    names = table(value, 'must be a table such as { "US-CA" = "US-CAL-CISO" }')
    return {label(ours): label(str(theirs)) for ours, theirs in names.items()}


def _web(value: Any) -> str:
    return url(value, example="https://api.example.org", instead="use key_env (a variable) or key_file")


_OF_ALL: Mapping[str, Rule] = {"zones": _zones, "url": _web}
_WITH_KEY: Mapping[str, Rule] = {**_OF_ALL, "key_env": label, "key_file": label}
_RULES: dict[str, Mapping[str, Rule]] = {
    "carbonintensity_gb": _OF_ALL,
    "energy_charts": _OF_ALL,
    "electricitymaps": {**_WITH_KEY, "factors": one_of(FACTORS)},
    "eia": _WITH_KEY,
    "entsoe": _WITH_KEY,
    "watttime": {
        **_OF_ALL,
        "user": label,
        "password_env": label,
        "password_file": label,
        "signal": one_of(SIGNALS),
    },
    "trace": {"file": label, "zone": label},
}
