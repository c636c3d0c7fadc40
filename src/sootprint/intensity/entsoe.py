"""ENTSO-E Transparency Platform: generation by type of European zones, computed with our factors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from sootprint.core.errors import IntensityError
from sootprint.intensity import mix
from sootprint.intensity.live import Asked, LiveSource
from sootprint.intensity.points import Point, figure, instant

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

URL = "https://web-api.tp.entsoe.eu/api"
USUAL_VARIABLE = "ENTSOE_API_KEY"
MOST_STEPS = 40 * 24 * 60
TERMS = mix.terms("entsoe", "ENTSO-E generation by type", "CC BY 4.0")
# Energy Identification Codes of bidding zones and countries (ENTSO-E, area list); their check letters are tested.
AREAS = {
    "AT": "10YAT-APG------L",
    "BE": "10YBE----------2",
    "BG": "10YCA-BULGARIA-R",
    "CH": "10YCH-SWISSGRIDZ",
    "CZ": "10YCZ-CEPS-----N",
    "DE": "10Y1001A1001A82H",
    "DK-DK1": "10YDK-1--------W",
    "DK-DK2": "10YDK-2--------M",
    "EE": "10Y1001A1001A39I",
    "ES": "10YES-REE------0",
    "FI": "10YFI-1--------U",
    "FR": "10YFR-RTE------C",
    "GR": "10YGR-HTSO-----Y",
    "HU": "10YHU-MAVIR----U",
    "IT": "10YIT-GRTN-----B",
    "LT": "10YLT-1001A0008Q",
    "LV": "10YLV-1001A00074",
    "NL": "10YNL----------L",
    "NO-NO1": "10YNO-1--------2",
    "NO-NO2": "10YNO-2--------T",
    "NO-NO3": "10YNO-3--------J",
    "NO-NO4": "10YNO-4--------9",
    "PL": "10YPL-AREA-----S",
    "PT": "10YPT-REN------W",
    "RO": "10YRO-TEL------P",
    "SE-SE1": "10Y1001A1001A44P",
    "SE-SE2": "10Y1001A1001A45N",
    "SE-SE3": "10Y1001A1001A46L",
    "SE-SE4": "10Y1001A1001A47J",
    "SI": "10YSI-ELES-----O",
    "SK": "10YSK-SEPS-----K",
}
FUELS = {
    "B01": "biomass",
    "B02": "coal",
    "B03": "gas",
    "B04": "gas",
    "B05": "coal",
    "B06": "oil",
    "B07": "oil",
    "B08": "coal",  # peat
    "B09": "geothermal",
    "B11": "hydro",
    "B12": "hydro",
    "B13": "ocean",
    "B14": "nuclear",
    "B16": "solar",
    "B17": "biomass",  # waste
    "B18": "wind-offshore",
    "B19": "wind",
}
STORES = frozenset({"B10", "B25"})  # pumped storage and batteries
_DURATION = re.compile(r"PT(\d+)M|PT(\d+)H")


class Entsoe:
    """Adapter of the ENTSO-E API (documents A75, realised): a zone, or an area's code stated in the settings."""

    terms = TERMS

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._client = asked.client(TERMS)
        self._url = asked.provider.url or URL

    def zone(self, chain: Sequence[str]) -> str:
        """Area code of the most specific zone."""
        name = chain[0] if chain else "zone"
        if name not in AREAS:
            raise IntensityError(
                f"{TERMS.title} has no {name}: state its area code in [grid.entsoe], e.g. "
                'zones = { "DE" = "10Y1001A1001A82H" }'
            )
        return AREAS[name]

    def fetch(self, zone: str, start: datetime, end: datetime, *, now: datetime) -> list[Point]:
        """Steps of a time, each the mean of its generation."""
        if start >= now:
            return []
        token = self._asked.key(USUAL_VARIABLE)
        query = {
            "securityToken": token,
            "documentType": "A75",
            "processType": "A16",
            "in_Domain": zone,
            "periodStart": f"{start:%Y%m%d%H%M}",
            "periodEnd": f"{end:%Y%m%d%H%M}",
        }
        return _points(_document(self._client.body(f"{self._url}?{urlencode(query)}")))


def _document(body: bytes) -> Element:
    """Root of the answer.

    Raises:
        IntensityError: It is no XML, declares entities, or is an acknowledgement that says why there is nothing.
    """
    from xml.etree import ElementTree

    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise IntensityError(f"{TERMS.title}: the answer declares entities, which no such document does")
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        raise IntensityError(f"{TERMS.title}: the answer is no XML ({len(body)} bytes)") from None
    if _tag(root).startswith("Acknowledgement"):
        text = next((one.text for one in root.iter() if _tag(one) == "text"), None) or "nothing known"
        raise IntensityError(f"{TERMS.title}: {' '.join(text.split())[:120]}")
    return root


def _points(root: Element) -> list[Point]:
    """Intensity of each step that any type of generation has."""
    steps: dict[tuple[datetime, datetime], dict[str, float]] = {}
    for series in (one for one in root if _tag(one) == "TimeSeries"):
        code = _text(series, "psrType")
        consumed = any(_tag(one) == "outBiddingZone_Domain.mRID" for one in series)
        unit = _text(series, "quantity_Measure_Unit.name")
        if unit not in ("MAW", ""):
            raise IntensityError(f"{TERMS.title}: the unit is {unit[:30]!r}, not MAW (megawatts)")
        if consumed or code in STORES:
            continue
        name = FUELS.get(code, "unlisted")
        for start, end, power_mw in _series(series):
            fuels = steps.setdefault((start, end), {})
            fuels[name] = fuels.get(name, 0.0) + power_mw
    means = mix.means_g_per_kwh(steps)
    return [Point(start, end, figure(means[start, end], where=TERMS.title)) for start, end in sorted(steps)]


def _series(series: Element) -> Iterator[tuple[datetime, datetime, float]]:
    """Steps of a series with their power [MW]; in a curve of type A03 a missing position repeats the one before."""
    for period in (one for one in series if _tag(one) == "Period"):
        start = instant(_text(period, "start"), where=TERMS.title)
        end = instant(_text(period, "end"), where=TERMS.title)
        found = _DURATION.fullmatch(_text(period, "resolution"))
        if found is None:
            raise IntensityError(
                f"{TERMS.title}: a resolution of {_text(period, 'resolution')[:20]!r} is none we know"
            )
        length = timedelta(minutes=int(found[1])) if found[1] else timedelta(hours=int(found[2]))
        if length <= timedelta(0) or (count := (end - start) // length) > MOST_STEPS:
            raise IntensityError(
                f"{TERMS.title}: a period of {end - start} in steps of {length} is none we know"
            )
        told = dict(_told(period))
        repeats = _text(series, "curveType") == "A03"
        power_mw: float | None = None
        for position in range(1, count + 1):
            power_mw = told.get(position, power_mw if repeats else None)
            if power_mw is not None:
                at = start + (position - 1) * length
                yield at, at + length, power_mw


def _told(period: Element) -> Iterator[tuple[int, float]]:
    for point in (one for one in period if _tag(one) == "Point"):
        try:
            yield int(_text(point, "position")), float(_text(point, "quantity"))
        except ValueError:
            raise IntensityError(f"{TERMS.title}: a point has no position or quantity") from None


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _text(element: Element, name: str) -> str:
    """Text of the first element of a name below, or "" where there is none."""
    return next(((one.text or "").strip() for one in element.iter() if _tag(one) == name), "")


def configured(asked: Asked) -> LiveSource:
    """Source as the settings state it."""
    return LiveSource(Entsoe(asked), asked)
