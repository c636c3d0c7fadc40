"""Build of the packaged tables from gathered public data: only what its licence permits, the same bytes each time.

Run as `python tools/build_catalogue.py --from ../shared/data --out src/sootprint/catalogue/data`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from catalogue import cloud, facts, grid, hardware
from catalogue.tables import Row, text_of


def tables(data: Path) -> dict[str, list[Row]]:
    """Rows of each packaged table, by its name."""
    return {
        "accelerator_names": hardware.accelerator_names(data),
        "accelerators": hardware.accelerators(data),
        "cpus": hardware.cpus(data),
        "embodied": facts.embodied(data),
        "emission_factors": facts.emission_factors(data),
        "facilities": cloud.facilities(data),
        "intensity": grid.intensity(data),
        "region_intensity": cloud.region_intensity(data),
        "regions": cloud.regions(),
        "sources": facts.sources(),
        "zone_names": grid.zone_names(data),
        "zones": grid.zones(data),
    }


def build(data: Path, out: Path) -> None:
    """Packaged tables written to a folder."""
    texts = {name: text_of(name, rows) for name, rows in tables(data).items()}
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (out / f"{name}.csv").write_text(text, encoding="utf-8", newline="")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code of the build."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="data", type=Path, required=True, help="folder of the gathered data")
    parser.add_argument("--out", type=Path, required=True, help="folder of the packaged tables")
    given = parser.parse_args(arguments)
    if not (given.data / "grid_annual_country.csv").is_file():
        parser.error(f"{given.data} holds no grid_annual_country.csv")
    build(given.data, given.out)
    print(f"{given.out}: {len(list(given.out.glob('*.csv')))} tables")
    return 0


if __name__ == "__main__":
    sys.exit(main())
