"""EIA-930: hours of the balancing authorities of the United States, from generation by fuel and our factors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sootprint.catalogue import spread
from sootprint.core.errors import IntensityError
from sootprint.intensity import mix
from sootprint.intensity.live import Asked, LiveSource
from sootprint.intensity.points import Point, figure

URL = "https://api.eia.gov/v2"
USUAL_VARIABLE = "EIA_API_KEY"
HOUR = timedelta(hours=1)
PAGE = 5000
MOST_PAGES = 40
TERMS = mix.terms("eia", "EIA-930 generation by fuel", "public domain", sigma=max(spread.LEAST, mix.SPREAD))
FUELS = {
    "COL": "coal",
    "NG": "gas",
    "OIL": "oil",
    "NUC": "nuclear",
    "WAT": "hydro",
    "SUN": "solar",
    "WND": "wind",
    "GEO": "geothermal",
    "BIO": "biomass",
    "SNB": "solar",  # with its own battery
    "WNB": "wind",
}
STORES = frozenset({"BAT", "PS", "UES", "OES"})  # what they give was generated and counted before
_AUTHORITY = re.compile(r"US-[A-Z0-9]+-([A-Z0-9]{2,5})")


class Eia:
    """Adapter of the EIA's API, version 2: a balancing authority such as CISO, or a zone such as US-CAL-CISO."""

    terms = TERMS

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._client = asked.client(TERMS)
        self._url = asked.provider.url or URL

    def zone(self, chain: Sequence[str]) -> str:
        """Balancing authority of a zone that is named for one."""
        found = _AUTHORITY.fullmatch(chain[0]) if chain else None
        if found is None:
            raise IntensityError(
                f"{TERMS.title} has balancing authorities, not {chain[0] if chain else 'this zone'}: name one as "
                'US-CAL-CISO, or in [grid.eia], e.g. zones = { "US-CA" = "CISO" }'
            )
        return found[1]

    def fetch(self, zone: str, start: datetime, end: datetime, *, now: datetime) -> list[Point]:
        """Hours of a time, each the mean of its generation; an hour is named after its end."""
        hours: dict[datetime, dict[str, float | None]] = {}
        for row in self._rows(zone, start, end):
            at, fuel, energy = _cell(row)
            hours.setdefault(at, {})[fuel] = energy
        means = mix.means_g_per_kwh({at: _by_fuel(cells) for at, cells in hours.items()})
        return [Point(at - HOUR, at, figure(means[at], where=TERMS.title)) for at in sorted(hours)]

    def _rows(self, zone: str, start: datetime, end: datetime) -> Iterator[Any]:
        """Rows of all pages."""
        token = self._asked.key(USUAL_VARIABLE)
        query = {
            "api_key": token,
            "frequency": "hourly",
            "data[0]": "value",
            "facets[respondent][]": zone,
            "start": f"{start + HOUR:%Y-%m-%dT%H}",
            "end": f"{end:%Y-%m-%dT%H}",
            "sort[0][column]": "period",
            "sort[0][direction]": "asc",
            "length": str(PAGE),
        }
        for page in range(MOST_PAGES):
            words = urlencode({**query, "offset": str(page * PAGE)})
            answer = self._client.json(f"{self._url}/electricity/rto/fuel-type-data/data?{words}")
            try:
                rows = answer["response"]["data"]
            except (TypeError, LookupError):
                raise IntensityError(f"{TERMS.title}: the answer has no response.data") from None
            if not isinstance(rows, list):
                raise IntensityError(f"{TERMS.title}: response.data is no list")
            yield from rows
            if len(rows) < PAGE:
                return


def _cell(row: Any) -> tuple[datetime, str, float | None]:
    """End of the hour, fuel and energy [MWh] of a row."""
    try:
        text, fuel, value, unit = str(row["period"]), str(row["fueltype"]), row["value"], row["value-units"]
        at = datetime.strptime(text[:13], "%Y-%m-%dT%H").replace(tzinfo=UTC)
    except (TypeError, LookupError, ValueError):
        raise IntensityError(f"{TERMS.title}: a row has no period, fueltype, value or value-units") from None
    if unit != "megawatthours":
        raise IntensityError(f"{TERMS.title}: the unit is {str(unit)[:30]!r}, not megawatthours")
    try:
        return at, fuel, None if value is None else float(value)  # numbers come as texts since 2024
    except (TypeError, ValueError, OverflowError):
        raise IntensityError(f"{TERMS.title}: {str(value)[:30]!r} is no number of MWh") from None


def _by_fuel(cells: dict[str, float | None]) -> dict[str, float]:
    """Energies of an hour by the names of our factors; one that is not told is left out [MWh]."""
    known: dict[str, float] = {}
    for code, energy in cells.items():
        if energy is not None and code not in STORES:
            name = FUELS.get(code, "unlisted")
            known[name] = known.get(name, 0.0) + max(0.0, energy)
    return known


def configured(asked: Asked) -> LiveSource:
    """Source as the settings state it."""
    return LiveSource(Eia(asked), asked)
