"""Cloud regions: their grid, the PUE and water of their data centres, and the provider's own intensity."""

from __future__ import annotations

from sootprint.catalogue import factors, tables
from sootprint.catalogue.names import UnknownName, nearest
from sootprint.catalogue.zones import METHODS, UNIT
from sootprint.core.classes import dataclass
from sootprint.core.quantity import Factor


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A cloud region.

    Args:
        key: Provider and region, e.g. "gcp/europe-west9".
        provider: Provider.
        name: Place that the provider names.
        zone: Grid zone that it lies in.
        pue: PUE of the region, or None where the provider publishes none [1].
        water: Water used for IT energy, or None where none is published [L/kWh].
        own_intensity: The provider's own figure, or None; its method differs from the grid's, so never compare.
        cfe_share: Carbon-free share that the provider claims; it includes purchases [0-1].
        warnings: What to know about the figures.
    """

    key: str
    provider: str
    name: str
    zone: str
    pue: Factor | None = None
    water: Factor | None = None
    own_intensity: Factor | None = None
    cfe_share: float | None = None
    warnings: tuple[str, ...] = ()


def region(name: str, year: int | None = None) -> Region:
    """Cloud region by provider and name, with the figures of the nearest year.

    Raises:
        CatalogueError: No table has the region; the message has the three nearest.
    """
    key = name.strip().lower().replace(" ", "")
    listed = tables.rows("regions", key)
    if not listed:
        raise UnknownName(f"cloud region {name!r}", lambda: nearest(key, _all_regions()))
    own, cfe_share, warnings = _own(key, year)
    return Region(
        key=key,
        provider=key.partition("/")[0],
        name=listed[0]["name"],
        zone=listed[0]["zone"],
        pue=factors.pue(key, year),
        water=factors.water(key, year),
        own_intensity=own,
        cfe_share=cfe_share,
        warnings=warnings,
    )


def _own(key: str, year: int | None) -> tuple[Factor | None, float | None, tuple[str, ...]]:
    """Provider's own intensity, its carbon-free share, and remarks."""
    listed = tables.rows("region_intensity", key)
    if not listed:
        return None, None, ()
    row = tables.nearest_year(listed, year)
    warnings = (f"{key} {row['year']}: {row['note']}",) if row["note"] else ()
    share = tables.cell(row, "cfe_share")
    if not row["intensity_g_per_kwh"]:
        return None, share, warnings
    own = Factor(
        kind="intensity",
        key=key,
        value=tables.cell(row, "intensity_g_per_kwh"),
        unit=UNIT,
        period=row["year"],
        method=METHODS[row["method"]],
        source=tables.source_title(row),
        licence=row["licence"],
    )
    return own, share, warnings


def _all_regions() -> list[str]:
    return [row["region"] for row in tables.all_rows("regions")]
