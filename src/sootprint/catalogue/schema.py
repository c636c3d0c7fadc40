"""Columns of the packaged tables with their rules: what the build writes and what an update must keep."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sootprint.catalogue.names import key
from sootprint.core import pue

Rule = Callable[[str], None]

SOURCES_OF_ELECTRICITY = ("coal", "gas", "oil", "nuclear", "hydro", "wind", "solar", "bio", "other")
METHODS = ("lifecycle", "direct")
_BOUNDED = ("intensity_g_per_kwh", "pue", "embodied_kg")  # columns that low and high enclose
FLAGS = ("below-direct", "derived", "preliminary")
HARDWARE_KINDS = ("gpu", "tpu", "accel", "apu", "system")
LICENCES = (
    "Apache-2.0",
    "CC-BY-4.0",
    "MIT",
    "OGL-Canada-2.0",
    "own",  # the user's own data, never packaged
    "facts",  # single published facts, re-stated with their source
    "public-domain",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table: the columns that identify a row, and the rule of each column in order."""

    key: tuple[str, ...]
    rules: Mapping[str, Rule]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns in order."""
        return tuple(self.rules)

    def identity(self, row: Mapping[str, str]) -> tuple[str, ...]:
        """Cells that identify a row."""
        return tuple(row[name] for name in self.key)

    def check(self, row: Mapping[str, str]) -> None:
        """Nothing where the row keeps every rule.

        Raises:
            ValueError: The first cell that breaks its rule; the message names column, value and rule.
        """
        for name, rule in self.rules.items():
            try:
                rule(row[name])
            except ValueError as err:
                raise ValueError(f"{name} = {row[name]!r} {err}") from None
        for name in _BOUNDED:
            _in_order(row, name)


def _in_order(row: Mapping[str, str], name: str) -> None:
    """Nothing where the bounds of a value enclose it."""
    if row.get(name):
        low, high = row.get("low") or row[name], row.get("high") or row[name]
        if not float(low) <= float(row[name]) <= float(high):
            raise ValueError(f"{name} = {row[name]} does not lie from low = {low} to high = {high}")


def _plain(text: str) -> None:
    if not re.fullmatch(r"[a-z0-9]+", text):
        raise ValueError("must be lower-case letters and digits only")


def _spelt(text: str) -> None:
    if text != key(text):
        raise ValueError("must be letters and digits only, in lower case and without accents")


def _code(text: str) -> None:
    if not re.fullmatch(r"[A-Z0-9][A-Z0-9-]*", text):
        raise ValueError("must be a zone in capitals, such as FR or US-WA")


def _region(text: str) -> None:
    if not re.fullmatch(r"[a-z0-9]+/[a-z0-9-]+", text):
        raise ValueError("must be provider/region in lower case, such as aws/us-east-1")


def _leading(text: str) -> None:
    if not re.fullmatch(r"[^\s,\"#][^,\"\n\r]*", text):
        raise ValueError("must be a name without comma, quotation mark or line break")


def _text(text: str) -> None:
    if "\n" in text or "\r" in text:
        raise ValueError("must be one line")


def _needed(text: str) -> None:
    _text(text)
    if not text.strip():
        raise ValueError("must not be empty")


def _one_of(*words: str) -> Rule:
    def rule(text: str) -> None:
        if text not in words:
            raise ValueError(f"must be one of {', '.join(word or '(empty)' for word in words)}")

    return rule


def _words_of(*words: str) -> Rule:
    def rule(text: str) -> None:
        if not set(text.split()) <= set(words):
            raise ValueError(f"may hold only {', '.join(words)}")

    return rule


def _number(low: float, high: float, *, needed: bool = False, above: bool = False) -> Rule:
    words = (
        f"must be a number {'above' if above else 'from'} {low:g} to {high:g}{'' if needed else ', or empty'}"
    )

    def rule(text: str) -> None:
        if not text and not needed:
            return
        try:
            value = float(text)
        except ValueError:
            raise ValueError(words) from None
        if not math.isfinite(value) or not low <= value <= high or (above and value == low):
            raise ValueError(words)

    return rule


def _whole(low: int, high: int, *, needed: bool = False) -> Rule:
    def rule(text: str) -> None:
        if not text and not needed:
            return
        if not re.fullmatch(r"\d{1,6}", text) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}{'' if needed else ', or empty'}")

    return rule


_INTENSITY = _number(0, 3000, above=True)
_PUE = _number(pue.LEAST, pue.MOST)
_ORIGIN: dict[str, Rule] = {"source": _leading, "licence": _one_of(*LICENCES)}
_POWER_W = _number(0, 100_000, above=True)

TABLES: dict[str, Table] = {
    "intensity": Table(
        key=("zone", "year", "method"),
        rules={
            "zone": _code,
            "year": _whole(1990, 2100, needed=True),
            "method": _one_of(*METHODS),
            "intensity_g_per_kwh": _number(0, 3000, needed=True, above=True),
            "low": _INTENSITY,
            "high": _INTENSITY,
            "generation_twh": _number(0, 1e6),
            **{f"share_{name}": _number(0, 1.01) for name in SOURCES_OF_ELECTRICITY},
            "main_source": _one_of("", *SOURCES_OF_ELECTRICITY),
            "flags": _words_of(*FLAGS),
            **_ORIGIN,
        },
    ),
    "zones": Table(
        key=("zone",),
        rules={
            "zone": _code,
            "name": _needed,
            "kind": _one_of("country", "subdivision", "world"),
            "parent": _text,
            "iso3": _text,
            **_ORIGIN,
        },
    ),
    "zone_names": Table(key=("key",), rules={"key": _spelt, "zone": _code, "note": _text}),
    "regions": Table(
        key=("region",),
        rules={"region": _region, "name": _needed, "zone": _code, "year": _whole(1990, 2100), **_ORIGIN},
    ),
    "region_intensity": Table(
        key=("region", "year"),
        rules={
            "region": _region,
            "year": _whole(1990, 2100, needed=True),
            "method": _one_of(*METHODS),
            "intensity_g_per_kwh": _INTENSITY,
            "cfe_share": _number(0, 1),
            "note": _text,
            **_ORIGIN,
        },
    ),
    "facilities": Table(
        key=("place", "year", "source"),
        rules={
            "place": _leading,
            "year": _whole(1990, 2100),
            "pue": _PUE,
            "low": _PUE,
            "high": _PUE,
            "wue_l_per_kwh": _number(0, 50),
            "scope": _needed,
            "checked": _needed,
            **_ORIGIN,
        },
    ),
    "accelerators": Table(
        key=("name",),
        rules={
            "name": _leading,
            "vendor": _needed,
            "kind": _one_of(*HARDWARE_KINDS),
            "year": _whole(1990, 2100, needed=True),
            "rated_power_w": _POWER_W,
            "measured_min_w": _POWER_W,
            "measured_mean_w": _POWER_W,
            "measured_max_w": _POWER_W,
            "memory_gb": _number(0, 1e5, above=True),
            "memory_type": _text,
            "fp32_tflops": _number(0, 1e6, above=True),
            "matmul16_dense_tflops": _number(0, 1e6, above=True),
            "process_nm": _number(0, 200, above=True),
            "die_mm2": _number(0, 1e5, above=True),
            "note": _text,
            **_ORIGIN,
        },
    ),
    "accelerator_names": Table(
        key=("key",), rules={"key": _plain, "alias": _needed, "name": _text, "note": _text, **_ORIGIN}
    ),
    "cpus": Table(
        key=("key",),
        rules={
            "key": _plain,
            "name": _needed,
            "vendor": _needed,
            "rated_power_w": _number(0, 3000, needed=True, above=True),
            "cores": _whole(1, 4096),
            "year": _whole(1990, 2100),
            "note": _text,
            **_ORIGIN,
        },
    ),
    "embodied": Table(
        key=("item",),
        rules={
            "item": _leading,
            "name": _needed,
            "unit": _needed,
            "embodied_kg": _number(0, 1e6, needed=True, above=True),
            "low": _number(0, 1e6),
            "high": _number(0, 1e6),
            "method": _needed,
            "year": _whole(1990, 2100),
            "confidence": _needed,
            **_ORIGIN,
        },
    ),
    "emission_factors": Table(
        key=("fuel", "method", "source"),
        rules={
            "fuel": _leading,
            "method": _one_of(*METHODS),
            "intensity_g_per_kwh": _INTENSITY,
            "low": _INTENSITY,
            "high": _INTENSITY,
            "year": _whole(1990, 2100),
            "note": _text,
            "checked": _text,
            **_ORIGIN,
        },
    ),
    "sources": Table(
        key=("id",),
        rules={
            "id": _leading,
            "title": _needed,
            "year": _whole(1990, 2100),
            "licence": _one_of(*LICENCES),
            "credit": _needed,
        },
    ),
}
