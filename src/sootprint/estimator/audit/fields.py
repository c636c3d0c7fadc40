"""What the keys of a claim mean: `energy_mwh`, `co2_eq_emissions`, `GPU hours` and their kin."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from typing import NamedTuple


class Field(NamedTuple):
    """Field of a claim that a key stands for.

    Args:
        name: Field of `Claim`, or text for words to be read.
        kind: Kind of amount, a key of `amounts.UNITS`; empty for text.
        unit: Unit that the key names; empty where it names none.
    """

    name: str
    kind: str = ""
    unit: str = ""


DEVICES = frozenset(
    [
        "gpu",
        "gpus",
        "tpu",
        "tpus",
        "npu",
        "npus",
        "chip",
        "chips",
        "device",
        "devices",
        "accelerator",
        "accelerators",
        "card",
        "cards",
        "core",
        "cores",
        "a100",
        "h100",
        "v100",
        "h200",
        "h800",
        "a800",
        "p100",
        "b200",
        "mi250x",
        "mi300x",
    ]
)
_SKIPPED = frozenset(
    [
        "source",
        "sources",
        "confidence",
        "unit",
        "includes",
        "note",
        "notes",
        "comment",
        "comments",
        "diff",
        "recomputed",
        "derived",
        "independent",
        "consistent",
        "low",
        "high",
        "lower",
        "upper",
        "embodied",
        "water",
        "offset",
        "offsets",
        "saved",
        "saving",
        "url",
        "cost",
        "usd",
        "eur",
        "version",
        "seed",
        "idle",
        "license",
        "licence",
        "accuracy",
        "batch",
        "lr",
        "epochs",
    ]
)
_TIME = frozenset(
    [
        "hours",
        "hour",
        "hrs",
        "hr",
        "h",
        "time",
        "duration",
        "runtime",
        "walltime",
        "wall",
        "wallclock",
        "elapsed",
        "days",
    ]
)
_MASS_WORDS = frozenset(
    [
        "co2",
        "co2e",
        "co2eq",
        "carbon",
        "emission",
        "emissions",
        "emitted",
        "footprint",
        "ghg",
        "tco2",
        "tco2e",
        "tco2eq",
        "kgco2",
        "kgco2e",
        "kgco2eq",
        "gco2",
        "gco2e",
        "gco2eq",
    ]
)
_PLACE = frozenset(
    [
        "zone",
        "region",
        "location",
        "country",
        "place",
        "grid",
        "site",
        "datacenter",
        "datacentre",
        "where",
        "state",
    ]
)
_UNIT_WORDS: dict[str, dict[str, str]] = {
    "energy": {one: one for one in ("wh", "kwh", "mwh", "gwh", "twh", "mj", "gj", "kj", "j")}
    | {"joules": "j", "joule": "j"},
    "mass": {
        **{one: one for one in ("kg", "g", "t", "lb", "tonne", "ton", "gram", "kilogram", "pound", "mg")},
        **{f"{one}s": one for one in ("lb", "tonne", "ton", "gram", "kilogram", "pound")},
        **{f"{unit}co2{tail}": unit for unit in ("g", "kg", "t") for tail in ("", "e", "eq")},
    },
    "power": {"w": "w", "kw": "kw", "mw": "mw", "watts": "w", "watt": "w", "kilowatts": "kw"},
    "time": {
        **dict.fromkeys(("hours", "hour", "hrs", "hr", "h"), "hour"),
        **dict.fromkeys(("days", "day", "d"), "day"),
        **dict.fromkeys(("minutes", "min", "mins"), "minute"),
        **dict.fromkeys(("seconds", "sec", "s"), "second"),
        "weeks": "week",
    },
    "plain": {
        **dict.fromkeys(("b", "bn", "billion", "billions"), "b"),
        **dict.fromkeys(("m", "mn", "million", "millions"), "m"),
        **dict.fromkeys(("t", "tn", "trillion", "trillions"), "t"),
        **dict.fromkeys(("k", "thousand", "thousands"), "k"),
    },
    "ratio": {"percent": "percent", "pct": "percent", "%": "percent"},
    "flops": {f"{one}flop{tail}": f"{one}flop" for one in "gtpezy" for tail in ("", "s")}
    | {"pfdays": "pfday", "pfsdays": "pfday"},
    "peak": {f"{one}flop{tail}": f"{one}flop" for one in "gtp" for tail in ("", "s")},
}
_INTENSITY = re.compile(r"(^|_)(k?g|t|lbs?)(?:_?co_?2_?(?:e?q?)?)?_per_([km])wh($|_)")


def key_of(text: str) -> str:
    """Key in lower case, its words joined by underscores.

    >>> key_of("GPU-hours (H100)"), key_of("Energy [MWh]"), key_of("g CO₂eq/kWh")
    ('gpu_hours_h100', 'energy_mwh', 'g_co2eq_per_kwh')
    """
    spaced = re.sub(r"([a-z])([A-Z][a-z]{2})", r"\1_\2", text.replace("₂", "2").replace("/", " per "))
    return re.sub(r"[^a-z0-9%]+", "_", spaced.lower()).strip("_")


def field(text: str) -> Field | None:
    """Field that a key stands for, or None where it is none of a claim's.

    >>> field("energy_mwh")
    Field(name='energy_kwh', kind='energy', unit='mwh')
    >>> field("tco2e").unit, field("ci_kg_per_kwh").unit, field("params_b").unit, field("chip_hours").name
    ('t', 'kg/kwh', 'b', 'device_hours')
    >>> field("ci_basis").name, field("recomputed_tco2e") is None
    ('net', True)
    """
    key = key_of(text)
    words = frozenset(key.split("_"))
    if not key or words & _SKIPPED or key == "hardware_kind":
        return None
    if "basis" in words:
        return Field("measured" if words & {"power", "energy"} else "net")
    per_energy = _INTENSITY.search(key)
    if per_energy:
        return Field("intensity_g_per_kwh", "intensity", f"{per_energy[2].rstrip('s')}/{per_energy[3]}wh")
    named = _carbon(words) or _power(words) or _work(words, key) or _text(words, key)
    if named is None:
        return None
    name, kind = named
    return Field(name, kind, _unit(key.split("_"), kind, name))


def _unit(words: list[str], kind: str, name: str) -> str:
    """Unit among the words of a key, the last one that counts."""
    listed = _UNIT_WORDS.get(kind, {})
    if name in {"flops", "peak_tflops"}:
        words = [word for word in words if word not in ("flops", "flop")]
    return next((listed[word] for word in reversed(words) if word in listed), "")


def _carbon(words: AbstractSet[str]) -> tuple[str, str] | None:
    if words & {"scope", "boundary"}:
        return ("net", "") if words & _MASS_WORDS else ("energy_scope", "")
    if "intensity" in words or "ci" in words or ("factor" in words and words & _MASS_WORDS):
        return "intensity_g_per_kwh", "intensity"
    if words & _MASS_WORDS:
        return ("market_based_kg" if "market" in words else "emissions_kg"), "mass"
    if {"market", "based"} <= words:
        return "market_based_kg", "mass"
    if {"location", "based"} <= words or words <= {"tonnes", "total"}:
        return "emissions_kg", "mass"
    return None


def _power(words: AbstractSet[str]) -> tuple[str, str] | None:
    if "pue" in words:
        return "pue", "plain"
    in_energy = words & set(_UNIT_WORDS["energy"]) - {"j"}
    if words & {"energy", "electricity"} or (
        in_energy and words & {"power", "consumption", "consumed", "used"}
    ):
        return "energy_kwh", "energy"
    if words & {"tdp"} or ("power" in words and words & {"rated", "nominal", "peak", "max", "capacity"}):
        return "rated_power_w", "power"
    if words & {"power", "wattage"} and words & {"cap", "limit", "capped"}:
        return "power_cap_w", "power"
    if words & {"power", "watts", "wattage"}:
        return "power_w", "power"
    return ("energy_kwh", "energy") if in_energy and len(words) == 1 else None


def _work(words: AbstractSet[str], key: str) -> tuple[str, str] | None:
    if "mfu" in words or ("flops" in words and words & {"utilisation", "utilization"}):
        return "mfu", "ratio"
    if words & {"param", "params", "parameter", "parameters"} or key == "model_size" or "model_size_" in key:
        return ("active_params" if words & {"active", "activated"} else "params"), "plain"
    if words & {"token", "tokens"}:
        return "tokens", "plain"
    if "peak" in words:
        return "peak_tflops", "peak"
    if words & set(_UNIT_WORDS["flops"]) - {"m", "b"} or words & {"flop", "flops"} or key.endswith("compute"):
        return "flops", "flops"
    if words & _TIME and not words & {"zone", "start", "end"}:
        of_devices = words & DEVICES and "per" not in words and "wall" not in words
        return ("device_hours" if of_devices else "wall_hours"), "time"
    if words & {"count", "number", "num", "n", "nb", "quantity"} and words & {"models"}:
        return "models", "plain"
    counts = {"count", "number", "num", "n", "nb", "quantity", "no"}
    plural = {one for one in words & DEVICES if one.endswith("s") and not one[-2].isdigit()}
    if (words & counts and words & DEVICES) or key in ("count", "quantity") or plural == words:
        return "count", "plain"
    return None


def _text(words: AbstractSet[str], key: str) -> tuple[str, str] | None:
    if words & _PLACE:
        return "place", ""
    if words & {"hardware", "infrastructure"} or words & DEVICES:
        return "hardware", ""
    if key in ("name", "model", "id", "model_name", "model_id", "run", "title"):
        return "name", ""
    if words & {"arch", "architecture"}:
        return "architecture", ""
    if words & {"precision", "dtype"}:
        return "precision", ""
    if key in ("kind", "stage", "training_type", "task_stage", "phase"):
        return "kind", ""
    if words & {"year", "date", "trained", "started"}:
        return "year", ""
    if "provider" in words:
        return "provider", ""
    readable = {"text", "statement", "description", "details", "method", "methodology", "methods"}
    return ("text", "") if words & readable else None
