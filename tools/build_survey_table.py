"""Build of the packaged table of published runs: facts with their sources, none that is only remembered.

Run as `python tools/build_survey_table.py --from ../shared/data/published_footprints.csv
--out src/sootprint/survey/data/published.csv`.

Rows whose figures nobody read in a source are left out; single cells that are only remembered are emptied. Columns
that the gatherers computed are left out too: the survey computes them again, and keeps them apart from reported ones.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

Row = dict[str, str]

COLUMNS = (
    "id",
    "run_id",
    "model",
    "paper",
    "arxiv",
    "year",
    "task",
    "dataset",
    "metric_name",
    "metric_value",
    "metric_split",
    "hardware",
    "hardware_kind",
    "n_devices",
    "wall_hours",
    "device_hours",
    "tdp_w",
    "avg_power_w_reported",
    "country",
    "location",
    "ci_g_per_kwh",
    "ci_basis",
    "main_energy_source",
    "energy_source_basis",
    "pue_used",
    "energy_kwh_reported",
    "energy_includes_pue",
    "tco2e_reported",
    "tco2e_basis",
    "reported_fields",
    "scope",
    "confidence",
    "confidence_where",
    "notes",
    "licence",
)
REMEMBERED = "from-memory"
LICENCE = "facts"
# Cells that `confidence_where` names as remembered, in rows that are otherwise read from a source.
REMEMBERED_CELLS: Mapping[str, tuple[str, ...]] = {
    "deit-b-2020": ("hardware", "hardware_kind", "tdp_w"),
    "mask-rcnn-r101-fpn-2017": ("hardware", "hardware_kind", "tdp_w"),
    "dinov2-vit-g14-2023": ("ci_g_per_kwh", "energy_kwh_reported", "tco2e_reported"),
    "transformer-base-ende-2017": (
        "avg_power_w_reported",
        "pue_used",
        "ci_g_per_kwh",
        "energy_kwh_reported",
        "tco2e_reported",
    ),
    "gshard-600b-2020": ("ci_g_per_kwh", "tco2e_reported"),
    "switch-1500b-2021": ("ci_g_per_kwh", "tco2e_reported"),
    "lamda-137b-2022": ("ci_g_per_kwh", "energy_kwh_reported", "tco2e_reported"),
    "starcoderbase-15.5b-2023": ("ci_g_per_kwh", "tco2e_reported"),
}


def rows(gathered: Iterable[Row]) -> list[Row]:
    """Rows that may be shipped, in the columns of the package.

    Raises:
        ValueError: A row that is named above is not there, or two rows have one identity.
    """
    kept = [_row(row) for row in gathered if not row["confidence"].startswith(REMEMBERED)]
    identities = [row["id"] for row in kept]
    if len(set(identities)) < len(identities):
        raise ValueError("two rows have one id")
    unknown = set(REMEMBERED_CELLS) - set(identities)
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))}: no such row")
    return kept


def _row(gathered: Row) -> Row:
    """One row, the cells that are only remembered empty."""
    row = {name: gathered.get(name, "") for name in COLUMNS} | {"licence": LICENCE}
    emptied = list(REMEMBERED_CELLS.get(row["id"], ()))
    if gathered["metric_confidence"].startswith(REMEMBERED):
        emptied.append("metric_value")
    for name in emptied:
        row[name] = ""
    if not row["ci_g_per_kwh"]:
        row["ci_basis"] = ""
    if not row["metric_value"]:
        row["metric_split"] = ""
    if not row["energy_kwh_reported"]:
        row["energy_includes_pue"] = ""
    if not row["tco2e_reported"]:
        row["tco2e_basis"] = ""
    row["reported_fields"] = " ".join(name for name in row["reported_fields"].split() if row.get(name, "-"))
    return row


def text_of(kept: Iterable[Row]) -> str:
    """CSV text of the rows."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(kept)
    return out.getvalue()


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code of the build."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="gathered", type=Path, required=True, help="the gathered table")
    parser.add_argument("--out", type=Path, required=True, help="the packaged table")
    given = parser.parse_args(arguments)
    with given.gathered.open(encoding="utf-8", newline="") as file:
        gathered = list(csv.DictReader(file))
    kept = rows(gathered)
    given.out.write_text(text_of(kept), encoding="utf-8", newline="")
    print(f"{given.out}: {len(kept)} of {len(gathered)} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
