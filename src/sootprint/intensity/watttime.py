"""WattTime v3: the marginal emissions of a grid in five-minute steps, with the user's own account.

It is a signal for decisions. It has a type of its own, so that no footprint can be multiplied with it.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Any
from urllib.parse import urlencode

from sootprint.core.errors import IntensityError
from sootprint.core.units import G_PER_KWH_PER_LB_PER_MWH, SECONDS_PER_HOUR
from sootprint.intensity.keys import key
from sootprint.intensity.live import Asked, MarginalLiveSource
from sootprint.intensity.points import Point, Terms, figure, instant

URL = "https://api.watttime.org"
USUAL_USER, USUAL_VARIABLE = "WATTTIME_USER", "WATTTIME_PASSWORD"
TOKEN_S = 25 * 60.0  # a token is valid for 30 minutes
MOST_HORIZON_H = 72
FIVE_MINUTES = timedelta(minutes=5)
TERMS = Terms(
    name="watttime",
    title="WattTime",
    licence="terms of WattTime: for the holder of the account, not to be passed on",
    method="marginal, operating, location-based",
    step=FIVE_MINUTES,
    settles=timedelta(days=2),
    fresh=timedelta(minutes=5),
    keep=timedelta(days=30),
    window=timedelta(days=30),
    # Assumed: what is marginal cannot be observed, so that no published figure says how far it is off.
    sigma=0.25,
)
REGIONS = {"US-CAL-CISO": "CAISO_NORTH", "US-CA": "CAISO_NORTH"}


class WattTime:
    """Adapter of the WattTime API."""

    terms = TERMS

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._client = asked.client(TERMS)
        self._url = asked.provider.url or URL
        self._token: tuple[str, float] | None = None

    def zone(self, chain: Sequence[str]) -> str:
        """Region of the provider; most are stated in the settings, for they are regions of its own."""
        for name in chain[:1]:
            if name in REGIONS:
                return REGIONS[name]
        raise IntensityError(
            f"{TERMS.title} has regions of its own: name that of {chain[0] if chain else 'the zone'} "
            'in [grid.watttime], e.g. zones = { "US-CA" = "CAISO_NORTH" }'
        )

    def fetch(self, zone: str, start: datetime, end: datetime, *, now: datetime) -> list[Point]:
        """Steps of the past, and of the forecast where the time goes on after now."""
        query = {"region": zone, "signal_type": self._asked.provider.signal}
        found: list[Point] = []
        if start < now:
            times = {"start": start.isoformat(), "end": min(end, now).isoformat()}
            found += self._points("/v3/historical", {**query, **times}, forecast=False)
        if end > now:
            hours = min(MOST_HORIZON_H, ceil((end - now).total_seconds() / SECONDS_PER_HOUR))
            found += self._points("/v3/forecast", {**query, "horizon_hours": str(hours)}, forecast=True)
        return found

    def _points(self, path: str, query: dict[str, str], *, forecast: bool) -> list[Point]:
        headers = {"Authorization": f"Bearer {self._bearer()}"}
        answer = self._client.json(f"{self._url}{path}?{urlencode(query)}", headers)
        try:
            listed, told = answer["data"], answer["meta"]
            units, signal = told["units"], told["signal_type"]
        except (TypeError, LookupError):
            raise IntensityError(f"{TERMS.title} answers without data or the units of its meta") from None
        if units != "lbs_co2_per_mwh" or signal != query["signal_type"]:
            raise IntensityError(
                f"{TERMS.title} answers {str(signal)[:30]} in {str(units)[:30]}: lbs_co2_per_mwh of "
                f"{query['signal_type']} was asked for"
            )
        seconds = told.get("data_point_period_seconds")
        length = (
            timedelta(seconds=seconds) if isinstance(seconds, int) and 0 < seconds <= 3600 else FIVE_MINUTES
        )
        return [_point(entry, length, forecast=forecast) for entry in listed]

    def _bearer(self) -> str:
        """Token of the account, asked for again before it expires."""
        now_s = self._asked.wall_s()
        if self._token is None or not 0.0 <= now_s - self._token[1] < TOKEN_S:
            stated, environ = self._asked.provider, self._asked.environ
            user = stated.user or environ.get(USUAL_USER, "")
            if not user:
                raise IntensityError(f"watttime needs a user: state user in [grid.watttime], or {USUAL_USER}")
            password = key(
                TERMS.name,
                environ,
                variable=stated.password_env,
                file=stated.password_file,
                usual=USUAL_VARIABLE,
                what="password",
            )
            basic = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
            answer = self._client.json(f"{self._url}/login", {"Authorization": f"Basic {basic}"})
            token = answer.get("token") if isinstance(answer, dict) else None
            if not isinstance(token, str) or not token.isascii() or not token.isprintable():
                raise IntensityError(f"{TERMS.title} answers the login without a token")
            self._token = (token, now_s)
        return self._token[0]


def _point(entry: Any, length: timedelta, *, forecast: bool) -> Point:
    try:
        at, value_lb = entry["point_time"], entry["value"]
    except (TypeError, LookupError):
        raise IntensityError(f"{TERMS.title} answers with a step without point_time or value") from None
    start = instant(at, where=TERMS.title)
    if value_lb is None or isinstance(value_lb, bool) or not isinstance(value_lb, int | float):
        return Point(start, start + length, figure(value_lb, where=TERMS.title), forecast)
    value = figure(value_lb * G_PER_KWH_PER_LB_PER_MWH, where=TERMS.title)
    return Point(start, start + length, value, forecast)


def configured(asked: Asked) -> MarginalLiveSource:
    """Source as the settings state it."""
    return MarginalLiveSource(WattTime(asked), asked)
