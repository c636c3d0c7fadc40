"""Hardware: accelerators with their names, and processors."""

from __future__ import annotations

import re
from pathlib import Path

from catalogue.tables import OWN, Row, cell, number, read
from sootprint.catalogue.names import cpu_key, key

# Power of one chip at work as its maker measured it, least, mean and most [W]:
# Google Cloud documentation; Jouppi et al. 2023 (TPU v4).
MEASURED_W = {"Google TPU v3": (123, 220, 262), "Google TPU v4": (90, 170, 192)}
_MEASURED = ("measured_min_w", "measured_mean_w", "measured_max_w")


# Names that are not in the gathered list: chips that differ from another in what does not matter here.
_SLOWER_LINKS = {"H800": "NVIDIA H100 SXM5 80GB", "A800": "NVIDIA A100 SXM4 80GB"}
# How the gathered list marks a form that is assumed, and its reasons that say nothing to who reads them alone
_ASSUMED = "DEFAULT SXM: "
_A100_MEMORY = "the memory is not stated: 40 and 80 GB are 400 W alike"
_REASONS = {
    "as V100": "DGX-1 and most cloud V100 are SXM2 of 300 W; PCIe 250 W",
    "driver string recorded from memory": "how its driver names it is not confirmed",
}


def accelerators(data: Path) -> list[Row]:
    """Rows of `accelerators`."""
    return [_accelerator(row) for row in read(data / "accelerators.csv")]


def _accelerator(row: Row) -> Row:
    measured = MEASURED_W.get(row["name"])
    powers = dict(zip(_MEASURED, map(cell, measured), strict=True)) if measured else {}
    same = (
        "name",
        "vendor",
        "kind",
        "year",
        "memory_gb",
        "memory_type",
        "fp32_tflops",
        "matmul16_dense_tflops",
    )
    kept = {name: row[name] for name in (*same, "process_nm", "die_mm2")}
    note = re.sub(r"\bseed (?=[\d.]+ W)", "the survey takes ", row["note"])
    return kept | powers | {"rated_power_w": row["tdp_w"], "note": note, "source": "accelerator-facts"}


def accelerator_names(data: Path) -> list[Row]:
    """Rows of `accelerator_names`: one a key; an empty name is a device that is known to be unknown."""
    found: dict[str, Row] = {}
    for row in [*read(data / "hardware_aliases.csv"), *_slower_links()]:
        name = key(row["alias"])
        if not name:
            continue
        entry = {"key": name, "alias": row["alias"], "name": row["canonical"], "source": "accelerator-names"}
        note = _remark(name, row["note"].replace("the seed paper", "the survey"))
        known = found.setdefault(name, entry | {"note": note})
        if known["name"] != row["canonical"]:
            raise ValueError(f"{row['alias']!r} names both {known['name']!r} and {row['canonical']!r}")
        known["note"] = known["note"] or note
    return list(found.values())


def _remark(name: str, note: str) -> str:
    """What is said of a name as the gathered list has it, but of a form only where the name states none."""
    if not note.startswith(_ASSUMED):
        return note
    if "sxm" in name:
        return _A100_MEMORY if name.removeprefix("nvidia") in ("a100sxm", "a100sxm4") else ""
    reason = _REASONS.get(note.removeprefix(_ASSUMED), note.removeprefix(_ASSUMED))
    for told in (
        "form not stated. ",
        "neither form nor memory stated. ",
        ", chosen for the Strubell et al. rows",
    ):
        reason = reason.replace(told, "")
    return f"the SXM form is assumed: {reason.replace('Both ', 'both ', 1)}"


def _slower_links() -> list[Row]:
    rows = []
    for chip, like in _SLOWER_LINKS.items():
        family = like.split()[1]
        note = (
            f"an {chip} is an {family} with slower links between chips: counted as an {family}; its rated power is not "
            "confirmed"
        )
        rows += [{"alias": alias, "canonical": like, "note": note} for alias in (chip, f"NVIDIA {chip}")]
    return rows


def cpus(data: Path) -> list[Row]:
    """Rows of `cpus`: the makers' own figures, parts of the Intel list that state a base power, and cloud parts."""
    makers = [_cpu(row, "intel-ark" if row["vendor"] == "Intel" else "amd-pages") for row in _made(data)]
    others = [_cpu(row, "intel-base-power") for row in read(OWN / "base_power_cpus.csv")]
    clouds = [_cpu(row, "cloud-cpus") for row in read(OWN / "cloud_cpus.csv")]
    found: dict[str, Row] = {}
    for row in [*makers, *others, *clouds]:
        known = found.setdefault(row["key"], row)
        if float(known["rated_power_w"]) != float(row["rated_power_w"]):
            known["note"] = _both(known, row)
            if float(row["rated_power_w"]) > float(known["rated_power_w"]):
                found[row["key"]] = row | {"note": known["note"]}
    return list(found.values())


def _made(data: Path) -> list[Row]:
    return [{"note": ""} | row | {"rated_power_w": row["tdp_w"]} for row in read(data / "cpus.csv")]


def _cpu(row: Row, source: str) -> Row:
    same = {name: row.get(name, "") for name in ("name", "vendor", "cores", "year", "note")}
    power = cell(number(row["rated_power_w"]))
    return same | {"key": cpu_key(row["name"]), "rated_power_w": power, "source": source}


def _both(one: Row, other: Row) -> str:
    powers = sorted({float(one["rated_power_w"]), float(other["rated_power_w"])})
    return f"listed with {powers[0]:g} and {powers[1]:g} W; the higher counts"
