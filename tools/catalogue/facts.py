"""Single facts: embodied emissions, emission factors of fuels, and the sources of all tables."""

from __future__ import annotations

from pathlib import Path

from catalogue.tables import OWN, Row, cell, number, read

# Key of each item, source, and bounds where some are known [kgCO2e]. The card's bounds are the spread of the
# published figures: 120 kg to 350 kg for a data-centre GPU of 2020-2023.
EMBODIED = {
    "NVIDIA HGX H100 baseboard (8 GPUs)": ("hgx-h100-board", "nvidia-pcf", None),
    "NVIDIA H100 SXM card (HGX share)": ("h100-card", "nvidia-pcf", (120.0, 350.0)),
    "NVIDIA A100 card": ("a100-card", "bloom", (120.0, 350.0)),
    "Server without GPU (HPE ProLiant DL345 Gen10 Plus)": ("server-without-gpu", "bloom", None),
    "NVIDIA A100 in an 8-GPU instance (all parts / 8)": ("a100-instance-share", "chien", None),
    "CPU base": ("cpu-base", "boavizta", None),
    "CPU die": ("cpu-die", "boavizta", None),
    "RAM base": ("ram-base", "boavizta", None),
    "RAM die": ("ram-die", "boavizta", None),
    "SSD base": ("ssd-base", "boavizta", None),
    "SSD die": ("ssd-die", "boavizta", None),
    "HDD": ("hdd", "boavizta", None),
    "Motherboard": ("motherboard", "boavizta", None),
    "Power supply": ("power-supply", "boavizta", None),
    "Rack case": ("rack-case", "boavizta", None),
    "Assembly": ("assembly", "boavizta", None),
    "Server without GPUs (p5.48xlarge-class, 8 GPU host)": ("server-8-gpu-host", "ecologits", None),
    "GPU die (effective area incl. wafer loss)": ("gpu-die", "boavizta-2.5", None),
    "GPU memory die (effective area)": ("gpu-memory-die", "boavizta-2.5", None),
    "GPU heatsink": ("gpu-heatsink", "boavizta-2.5", None),
    "GPU casing": ("gpu-casing", "boavizta-2.5", None),
    "GPU printed board": ("gpu-board", "boavizta-2.5", None),
    "TSMC 16 nm logic": ("logic-16nm", "llmcarbon", None),
    "TSMC 12 nm logic": ("logic-12nm", "llmcarbon", None),
    "TSMC 7 nm logic": ("logic-7nm", "llmcarbon", None),
    "TSMC 4 nm logic": ("logic-4nm", "llmcarbon", None),
    "DRAM Micron 18 nm": ("dram-18nm", "llmcarbon", None),
    "SSD Samsung 20 nm": ("ssd-20nm", "llmcarbon", None),
}
LICENCE_UNCHECKED = ("Generic server",)  # ADEME's data base: left out until its licence is read
REFERENCES = {
    "IPCC AR5": "ipcc-ar5",
    "IPCC SRREN": "ipcc-srren",
    "UNECE": "unece",
    "value used by Electricity Maps": "electricity-maps-defaults",
}


def embodied(data: Path) -> list[Row]:
    """Rows of `embodied`."""
    rows = []
    for row in read(data / "embodied.csv"):
        if row["item"] in LICENCE_UNCHECKED:
            continue
        item, source, bounds = EMBODIED[row["item"]]
        low, high = bounds or (None, None)
        rows.append(
            {
                "item": item,
                "name": row["item"],
                "unit": row["unit"],
                "embodied_kg": cell(number(row["kgco2e"])),
                "low": cell(low),
                "high": cell(high),
                "method": row["basis"] or "cradle to gate, model",
                "year": row["year"],
                "confidence": row["confidence"].partition(" (AGPL")[0],
                "source": source,
            }
        )
    return rows


def emission_factors(data: Path) -> list[Row]:
    """Rows of `emission_factors`: by fuel, method and reference, with the range that the reference prints."""
    rows = []
    for row in read(data / "emission_factors_by_source.csv"):
        source = next(name for start, name in REFERENCES.items() if row["reference"].startswith(start))
        rows.append(
            {
                "fuel": row["source"].replace("_", "-"),
                "method": row["basis"],
                "intensity_g_per_kwh": cell(number(row["gco2e_kwh_median"])),
                "low": cell(number(row["gco2e_kwh_min"])),
                "high": cell(number(row["gco2e_kwh_max"])),
                "year": row["year"],
                "note": row["note"],
                "checked": row["checked"],
                "source": source,
            }
        )
    return rows


def sources() -> list[Row]:
    """Rows of `sources`."""
    return read(OWN / "sources.csv")
