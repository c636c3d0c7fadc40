"""Energy-Charts (Fraunhofer ISE): quarter-hours of European countries, measured and forecast, without a key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

from sootprint.catalogue import spread
from sootprint.core.errors import IntensityError
from sootprint.intensity.live import Asked, LiveSource
from sootprint.intensity.points import Point, Terms, figure

URL = "https://api.energy-charts.info"
TERMS = Terms(
    name="energy_charts",
    title="Energy-Charts, Fraunhofer ISE",
    licence="CC BY 4.0",
    method="average, life-cycle, location-based",
    step=timedelta(minutes=15),
    settles=timedelta(days=3),
    fresh=timedelta(minutes=15),
    keep=timedelta(days=400),
    window=timedelta(days=31),
    sigma=spread.SOURCE,
)
OTHER_NAMES = {"GB": "uk"}
# Countries of the ENTSO-E area; one without figures there answers 404, and the next source counts.
_EAST = ("AL", "BA", "BG", "CY", "CZ", "EE", "GR", "HR", "HU", "LT", "LV", "MD", "ME", "MK", "PL", "RO", "RS")
_WEST = ("AT", "BE", "CH", "DE", "DK", "ES", "FI", "FR", "GB", "IE", "IT", "LU", "NL", "NO", "PT", "SE")
COUNTRIES = frozenset((*_EAST, *_WEST, "SI", "SK", "UA", "XK"))


class EnergyCharts:
    """Adapter of the Energy-Charts API."""

    terms = TERMS

    def __init__(self, asked: Asked) -> None:
        self._client = asked.client(TERMS)
        self._url = asked.provider.url or URL

    def zone(self, chain: Sequence[str]) -> str:
        """Country in the provider's letters; a part of a country is not its country."""
        name = chain[0] if chain else "zone"
        if name not in COUNTRIES:
            raise IntensityError(f"{TERMS.title} has no {name}: it covers countries of Europe such as DE")
        return OTHER_NAMES.get(name, name.lower())

    def fetch(self, zone: str, start: datetime, end: datetime, *, now: datetime) -> list[Point]:
        """Quarter-hours of a time, a measured figure before a forecast one."""
        times = {"start": f"{start:%Y-%m-%dT%H:%MZ}", "end": f"{end:%Y-%m-%dT%H:%MZ}"}
        answer = self._client.json(f"{self._url}/co2eq?{urlencode({'country': zone, **times})}")
        return _points(answer)


def _points(answer: Any) -> list[Point]:
    try:
        starts_s = [_seconds(at) for at in answer["unix_seconds"]]
        measured = answer["co2eq"]
        forecast = answer.get("co2eq_forecast") or [None] * len(starts_s)
        if not len(starts_s) == len(measured) == len(forecast):
            counts = f"{len(starts_s)} times, {len(measured)} figures and {len(forecast)} forecasts"
            raise IntensityError(f"{TERMS.title} answers with {counts}")
    except (TypeError, LookupError, AttributeError, OverflowError):
        raise IntensityError(f"{TERMS.title} answers without unix_seconds and co2eq") from None
    length = _step(starts_s)
    made = []
    for start_s, seen, foreseen in zip(starts_s, measured, forecast, strict=True):
        start = datetime.fromtimestamp(start_s, UTC)
        value = figure(foreseen if seen is None else seen, where=TERMS.title)
        made.append(Point(start, start + length, value, seen is None))
    return made


def _seconds(at: Any) -> float:
    if isinstance(at, bool) or not isinstance(at, int | float) or not 0 <= at < 1e11:
        raise IntensityError(f"{TERMS.title}: {str(at)[:40]!r} is no time in seconds")
    return float(at)


def _step(starts_s: list[float]) -> timedelta:
    """Shortest time between two points that is a step: a quarter of an hour or an hour."""
    gaps = [after - before for before, after in pairwise(sorted(set(starts_s))) if after - before >= 300.0]
    return timedelta(seconds=min(3600.0, *gaps)) if gaps else TERMS.step


def configured(asked: Asked) -> LiveSource:
    """Source as the settings state it."""
    return LiveSource(EnergyCharts(asked), asked)
