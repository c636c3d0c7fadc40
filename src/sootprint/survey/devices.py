"""Devices of a table: the catalogue's name and rated power, and the family that table 3 counts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sootprint.catalogue import hardware, tables
from sootprint.catalogue.names import key
from sootprint.survey.groupings import Groupings

if TYPE_CHECKING:
    import polars as pl

_ASIDE = re.compile(r"\b(gpus?|cards?|nvidia|\d+ ?gb)\b\.?", re.IGNORECASE)


def named(frame: pl.DataFrame, groupings: Groupings) -> pl.DataFrame:
    """Frame with catalogue name, rated power and families; each distinct text is looked up once."""
    import polars as pl

    texts = frame.get_column("hardware").unique(maintain_order=True).to_list()
    words = groupings["hardware_families"]
    found = {text: find(text) for text in texts if text is not None}
    answers = pl.DataFrame(
        {
            "hardware": list(found),
            "hardware_name": [one[0] for one in found.values()],
            "catalogue_power_w": [one[1] for one in found.values()],
            "hardware_family": [family(text, one[0], words) for text, one in found.items()],
        },
        schema={
            "hardware": pl.String,
            "hardware_name": pl.String,
            "catalogue_power_w": pl.Float64,
            "hardware_family": pl.String,
        },
    )
    return frame.join(answers, on="hardware", how="left", maintain_order="left")


@lru_cache(maxsize=4096)
def find(text: str) -> tuple[str | None, float | None]:
    """Catalogue name and rated power [W] of a device as people write it; None where it is unknown.

    >>> find("Titan XP GPUs")
    ('NVIDIA Titan Xp', 250.0)
    """
    for candidate in dict.fromkeys((text, _ASIDE.sub(" ", text).strip())):
        device = hardware.find_accelerator(candidate) or hardware.find_cpu(candidate)
        if device is not None:
            return device.name, device.rated_power_w
    return None, None


def family(text: str, name: str | None, words: Mapping[str, Any]) -> str:
    """Family of a device by the longest word of the groupings that its name has, else its name.

    >>> family("RTX2080Ti", None, {"RTX 2080": ["rtx2080"], "RTX 2080 Ti": ["2080ti", "rtx2080ti"]})
    'RTX 2080 Ti'
    """
    for candidate in (text, name or ""):
        plain = key(candidate)
        fitting = [(len(word), label) for label, listed in words.items() for word in listed if word in plain]
        if fitting:
            return max(fitting)[1]
    return name or text.strip()


@lru_cache(maxsize=4096)
def rated_powers(name: str, label: str) -> tuple[float, ...]:
    """Rated powers of all devices in the catalogue that share the family of a device [W]."""
    from sootprint.survey.groupings import packaged

    words = packaged()["hardware_families"]
    rows = tables.all_rows("accelerators")
    powers = [tables.cell(row, "rated_power_w") for row in rows if family(row["name"], None, words) == label]
    own = find(name)[1]
    return tuple(sorted({power for power in [*powers, own] if power is not None}))


def architectures(frame: pl.DataFrame, groupings: Groupings) -> pl.Series:
    """Family of each row's architecture: by architecture, then technique, family and model; else null."""
    import polars as pl

    words = groupings["architecture_families"]
    keys = ["architecture", "technique", "family", "model"]
    parts = frame.select(keys).unique(maintain_order=True)
    found = [_architecture(row, words) for row in parts.iter_rows()]
    answers = parts.with_columns(pl.Series("architecture_family", found, dtype=pl.String))
    joined = frame.select(keys).join(answers, on=keys, how="left", nulls_equal=True, maintain_order="left")
    return joined.get_column("architecture_family")


def _architecture(texts: tuple[str | None, ...], words: Mapping[str, Any]) -> str | None:
    for text in texts:
        for label, listed in words.items():
            if text and any(re.search(rf"(?<![a-z]){re.escape(word)}", text.lower()) for word in listed):
                return str(label)
    return None
