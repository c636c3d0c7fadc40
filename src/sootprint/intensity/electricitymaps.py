"""Electricity Maps v3: hours of the zones of the world, with a key whose plan says which, and whether forecasts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from urllib.parse import urlencode

from sootprint.catalogue import spread
from sootprint.catalogue.zones import METHODS
from sootprint.core.errors import IntensityError
from sootprint.core.units import SECONDS_PER_HOUR
from sootprint.intensity.live import Asked, LiveSource
from sootprint.intensity.points import Point, Terms, figure, instant

URL = "https://api.electricitymaps.com/v3"
USUAL_VARIABLE = "ELECTRICITYMAPS_API_KEY"
HOUR = timedelta(hours=1)
MOST_HORIZON_H = 72
TERMS = Terms(
    name="electricitymaps",
    title="Electricity Maps",
    licence="terms of Electricity Maps: for the holder of the key, not to be passed on",
    method=METHODS["lifecycle"],
    step=HOUR,
    settles=timedelta(days=3),
    fresh=timedelta(minutes=30),
    keep=timedelta(days=30),
    window=timedelta(days=10),
    sigma=spread.SOURCE,
)


class ElectricityMaps:
    """Adapter of the Electricity Maps API."""

    def __init__(self, asked: Asked) -> None:
        self.terms = dataclasses.replace(TERMS, method=METHODS[asked.provider.factors])
        self._asked = asked
        self._client = asked.client(TERMS)
        self._url = asked.provider.url or URL

    def zone(self, chain: Sequence[str]) -> str:
        """The most specific zone; whether the key has it, the provider says."""
        if not chain or chain[0] == "WORLD":
            raise IntensityError(f"{TERMS.title} has no figure of the world: state the zone")
        return chain[0]

    def fetch(self, zone: str, start: datetime, end: datetime, *, now: datetime) -> list[Point]:
        """Hours of the past, and of the provider's forecast where the time goes on after now."""
        found: list[Point] = []
        if start < now:
            asked = {"start": f"{start:%Y-%m-%dT%H:%MZ}", "end": f"{min(end, now + HOUR):%Y-%m-%dT%H:%MZ}"}
            found += self._points("past-range", "data", {"zone": zone, **asked}, forecast=False)
        if end > now + HOUR:
            hours = min(MOST_HORIZON_H, ceil((end - now).total_seconds() / SECONDS_PER_HOUR))
            found += self._points(
                "forecast", "forecast", {"zone": zone, "horizonHours": str(hours)}, forecast=True
            )
        return found

    def _points(self, path: str, name: str, query: dict[str, str], *, forecast: bool) -> list[Point]:
        stated = self._asked.provider
        token = self._asked.key(USUAL_VARIABLE)
        words = urlencode({**query, "emissionFactorType": stated.factors})
        answer = self._client.json(f"{self._url}/carbon-intensity/{path}?{words}", {"auth-token": token})
        listed = answer.get(name) if isinstance(answer, dict) else None
        if not isinstance(listed, list):
            raise IntensityError(f"{TERMS.title} answers without {name!r}")
        return [self._point(entry, forecast=forecast) for entry in listed]

    def _point(self, entry: Any, *, forecast: bool) -> Point:
        try:
            value, at = entry["carbonIntensity"], entry["datetime"]
        except (TypeError, LookupError):
            raise IntensityError(
                f"{TERMS.title} answers with an hour without carbonIntensity or datetime"
            ) from None
        wanted = self._asked.provider.factors
        told = entry.get("emissionFactorType", wanted)
        if told != wanted:
            raise IntensityError(
                f"{TERMS.title} answers with {str(told)[:20]} factors where {wanted} were asked for"
            )
        start = instant(at, where=TERMS.title)
        return Point(start, start + HOUR, figure(value, where=TERMS.title), forecast)


def configured(asked: Asked) -> LiveSource:
    """Source as the settings state it."""
    return LiveSource(ElectricityMaps(asked), asked)
