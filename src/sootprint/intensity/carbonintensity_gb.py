"""GB Carbon Intensity (NESO): half-hours of Great Britain and its regions, measured and forecast, without a key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from sootprint.catalogue import spread
from sootprint.core.errors import IntensityError
from sootprint.intensity.live import Asked, LiveSource
from sootprint.intensity.points import Point, Terms, figure, instant

URL = "https://api.carbonintensity.org.uk"
TERMS = Terms(
    name="carbonintensity_gb",
    title="NESO, Carbon Intensity API of Great Britain",
    licence="CC BY 4.0",
    method="average, direct, location-based",
    step=timedelta(minutes=30),
    settles=timedelta(days=2),
    fresh=timedelta(minutes=15),
    keep=timedelta(days=400),
    window=timedelta(days=13),  # 14 days at most
    sigma=spread.LEAST,
)
REGIONS = {"GB": "GB", "GB-ENG": "15", "GB-SCT": "16", "GB-WLS": "17"}


class CarbonIntensityGb:
    """Adapter of the GB Carbon Intensity API: `GB`, a region's number from 1 to 17, or an outward postcode."""

    terms = TERMS

    def __init__(self, asked: Asked) -> None:
        self._client = asked.client(TERMS)
        self._url = asked.provider.url or URL

    def zone(self, chain: Sequence[str]) -> str:
        """National series, or the region's number."""
        for name in chain:
            if name in REGIONS:
                return REGIONS[name]
        raise IntensityError(f"{TERMS.title} has no {chain[0] if chain else 'zone'}: it covers GB alone")

    def fetch(self, zone: str, start: datetime, end: datetime, *, now: datetime) -> list[Point]:
        """Half-hours of a time; a region has forecasts only."""
        span = f"{start:%Y-%m-%dT%H:%MZ}/{end:%Y-%m-%dT%H:%MZ}"
        if zone == "GB":
            path = f"/intensity/{span}"
        else:
            kind = "regionid" if zone.isdigit() else "postcode"
            path = f"/regional/intensity/{span}/{kind}/{quote(zone, safe='')}"
        answer = self._client.json(self._url + path)
        return [_point(entry) for entry in _entries(answer)]


def _entries(answer: Any) -> Iterator[Any]:
    """Half-hours of an answer: a list, or regions that hold one each; "data" is an object in some versions."""
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, list | dict):
        raise IntensityError(f"{TERMS.title} answers without data")
    for entry in [data] if isinstance(data, dict) else data:
        if isinstance(entry, dict) and isinstance(entry.get("data"), list):
            yield from entry["data"]
        else:
            yield entry


def _point(entry: Any) -> Point:
    try:
        start, end, told = entry["from"], entry["to"], entry["intensity"]
        actual, forecast = told.get("actual"), told.get("forecast")
    except (TypeError, LookupError, AttributeError):
        raise IntensityError(
            f"{TERMS.title} answers with a half-hour without from, to or intensity"
        ) from None
    is_forecast = actual is None
    return Point(
        instant(start, where=TERMS.title),
        instant(end, where=TERMS.title),
        figure(forecast if is_forecast else actual, where=TERMS.title),
        is_forecast,
    )


def configured(asked: Asked) -> LiveSource:
    """Source as the settings state it."""
    return LiveSource(CarbonIntensityGb(asked), asked)
