"""A record as metrics to an OpenTelemetry collector, by OTLP over HTTP in its JSON encoding, which needs no SDK.

Energies and emissions are cumulative sums from the start of the run to its end, each run a resource of its own, so
that the same record sent twice is the same points. Names and units follow the conventions (UCUM, base units).

Source:
    OpenTelemetry, OTLP specification 1.8 (2025): POST /v1/metrics, JSON names in lowerCamelCase, 64-bit integers as
    texts, 200 with an ExportMetricsServiceResponse, partialSuccess not to be sent again, 400 with a Status is bad data,
    429, 502, 503 and 504 may be sent again, after Retry-After where it stands.
    OpenTelemetry, Environment variables of the OTLP exporter (2025): headers and compression, of metrics or of all.
    OpenTelemetry, Semantic conventions, general metrics and hardware metrics, hw.id and hw.type (2025).
"""

from __future__ import annotations

import gzip
import json
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from sootprint import __version__
from sootprint.core.errors import ExportError, InputError, RefusedError
from sootprint.core.letters import clean
from sootprint.core.protocols import family_of
from sootprint.core.records import Footprint
from sootprint.core.units import energy_j
from sootprint.exporters import figures
from sootprint.exporters.address import is_near
from sootprint.exporters.post import LIMIT_S, Answer, post

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sootprint.settings import Settings

PATH = "/v1/metrics"
VARIABLE, OF_METRICS = "OTEL_EXPORTER_OTLP_", "OTEL_EXPORTER_OTLP_METRICS_"
CUMULATIVE = 2  # AggregationTemporality
BAD_DATA, BUSY = 400, (429, 502, 503, 504)
LEAST_WAIT_S = 1.0  # before a busy server is asked again
NANO = 1_000_000_000
MOST_LETTERS = 200  # of what a server says
SPACE = "sootprint.run"
# Name and unit (UCUM) of each figure, the record's name, and the factor between them; sums can be added up, gauges not.
_SUMS = (
    ("energy", "J", "energy_kwh", energy_j(1.0), "IT energy, before PUE"),
    ("emissions", "kg{CO2e}", "emissions_kg", 1.0, "Operational emissions, location-based, PUE included"),
    ("water", "L", "water_l", 1.0, "Water consumed on site and at the power plant"),
)
_GAUGES = (
    ("duration", "s", "duration_s", 1.0, "Wall time"),
    ("embodied_emissions", "kg{CO2e}", "embodied_kg", 1.0, "Share of the manufacture of the hardware"),
    ("carbon_intensity", "g{CO2e}/kW.h", "intensity_g_per_kwh", 1.0, "Energy-weighted carbon intensity"),
    ("pue", "1", "pue", 1.0, "Facility energy over IT energy"),
)
_BOUNDS = (("_low", "5th percentile"), ("_high", "95th percentile"))
# Kinds of hardware by the conventions; a wall meter is around the others, and so not one of them.
_KINDS = {
    "accelerator": "gpu",
    "cpu": "cpu",
    "dram": "memory",
    "storage": "physical_disk",
    "network": "network",
}
_OTHER_KINDS = {"node": "enclosure"}


def opened(at: str, settings: Settings) -> Collector:
    """Exporter to a collector.

    Raises:
        InputError: The address is none, a key of the environment would go over a connection that is not encrypted, or
            the environment asks for a compression that is not known.
    """
    headers, compression = _headers(_stated("HEADERS")), _stated("COMPRESSION") or "none"
    if headers and at.startswith("http://") and not is_near(at):
        raise InputError(
            f"{at} is not encrypted, so the keys in {VARIABLE}HEADERS are not sent: use https://"
        )
    if compression not in ("gzip", "none"):
        raise InputError(f"{VARIABLE}COMPRESSION is {compression!r:.40}: state gzip or none")
    return Collector(at, headers, is_zipped=compression == "gzip")


def _stated(name: str) -> str:
    """A variable of the specification: that of metrics counts before that of all signals."""
    return (os.environ.get(f"{OF_METRICS}{name}") or os.environ.get(f"{VARIABLE}{name}") or "").strip()


class Collector:
    """An OpenTelemetry collector, or another server that takes OTLP over HTTP."""

    name = "opentelemetry"

    def __init__(self, address: str, headers: Mapping[str, str], *, is_zipped: bool = False) -> None:
        self._address = address if address.endswith(PATH) else f"{address}{PATH}"
        self._headers = {
            "Content-Type": "application/json",
            "User-Agent": f"sootprint/{__version__}",
        } | dict(headers)
        self._is_zipped = is_zipped
        if is_zipped:
            self._headers["Content-Encoding"] = "gzip"

    def write(self, footprint: Footprint) -> None:
        """Send the metrics of a record.

        Raises:
            ExportError: The collector does not answer, or not as one does.
            RefusedError: It takes some of the metrics not, or calls them bad.
        """
        body = json.dumps(request(footprint), allow_nan=False).encode("utf-8", "replace")
        status, text, again_s = self._answered(gzip.compress(body, mtime=0) if self._is_zipped else body)
        if status == BAD_DATA and _is_status(text):
            raise RefusedError(f"{self._address} answered 400, bad data{_words(text)}")
        if not 200 <= status < 300:
            later = "" if again_s is None else f", and asks to be asked again in {again_s:.0f} s"
            which = "" if status in BUSY else "; is a collector of OTLP there?"
            raise ExportError(f"{self._address} answered {status}{later}{_words(text)}{which}")
        partial = self._answer(text).get("partialSuccess")
        rejected = str(partial.get("rejectedDataPoints", 0)) if isinstance(partial, dict) else "0"
        if rejected != "0":
            raise RefusedError(f"{self._address} refused {rejected:.20} metrics{_words(text)}")

    def _answered(self, body: bytes) -> Answer:
        """Answer of the server; one that is busy is asked again when it says so, where that is soon."""
        until_s = time.monotonic() + LIMIT_S
        while True:
            answer = post(self._address, body, self._headers)
            if answer.status not in BUSY or answer.again_s is None:
                return answer
            wait_s = max(LEAST_WAIT_S, answer.again_s)
            if time.monotonic() + wait_s > until_s:
                return answer
            time.sleep(wait_s)

    def _answer(self, text: bytes) -> dict[str, Any]:
        """What a collector answered to what it took; some answer nothing.

        Raises:
            ExportError: It is no such answer.
        """
        if not text.strip():
            return {}
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise ExportError(f"{self._address} answered no JSON of OTLP: is a collector of OTLP there?")
        return found


def request(footprint: Footprint) -> dict[str, Any]:
    """An ExportMetricsServiceRequest with the metrics of one record."""
    scope = {"name": "sootprint", "version": __version__}
    return {
        "resourceMetrics": [
            {
                "resource": {"attributes": _attributes(_resource(footprint))},
                "scopeMetrics": [{"scope": scope, "metrics": list(_metrics(footprint))}],
            }
        ]
    }


def _resource(footprint: Footprint) -> dict[str, str]:
    told = {f"{SPACE}.{name}": text for name, text in figures.words(footprint).items()}
    told |= {f"{SPACE}.tag.{name}": text for name, text in footprint.tags.items()}
    return {"service.name": "sootprint", "service.version": __version__} | told


def _metrics(footprint: Footprint) -> Iterator[dict[str, Any]]:
    known, times = figures.known(footprint), _times(footprint)
    for listed, made in ((_SUMS, _sum), (_GAUGES, _gauge)):
        for ours, unit, theirs, scale, text in listed:
            if theirs not in known:
                continue
            point = times | {"asDouble": known[theirs] * scale}
            yield _metric(ours, unit, text, made([point]))
            for end, which in _BOUNDS:
                if f"{theirs}{end}" in known:
                    point = times | {"asDouble": known[f"{theirs}{end}"] * scale}
                    yield _metric(f"{ours}{end}", unit, f"{text}, {which}", _gauge([point]))
    parts = [
        times
        | {"asDouble": energy_j(part.energy_kwh.value), "attributes": _attributes(_hardware(part.component))}
        for part in footprint.components
        if _kind(part.component)
    ]
    if parts:
        yield _metric("component.energy", "J", "IT energy of a component", _sum(parts))


def _metric(name: str, unit: str, text: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"name": f"{SPACE}.{name}", "unit": unit, "description": text} | data


def _sum(points: list[dict[str, Any]]) -> dict[str, Any]:
    return {"sum": {"aggregationTemporality": CUMULATIVE, "isMonotonic": True, "dataPoints": points}}


def _gauge(points: list[dict[str, Any]]) -> dict[str, Any]:
    return {"gauge": {"dataPoints": points}}


def _times(footprint: Footprint) -> dict[str, str]:
    """Start and end of a run as OTLP has them."""
    end_s = figures.end_s(footprint)
    start_s = max(0.0, end_s - (footprint.duration_s or 0.0))
    return {"startTimeUnixNano": str(int(start_s * NANO)), "timeUnixNano": str(int(end_s * NANO))}


def _kind(component: str) -> str | None:
    return (_KINDS | _OTHER_KINDS).get(family_of(component))


def _hardware(component: str) -> dict[str, str]:
    return {"hw.id": component, "hw.type": _kind(component) or ""}


def _attributes(texts: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"key": clean(name), "value": {"stringValue": clean(text)}} for name, text in texts.items()]


def _headers(text: str) -> dict[str, str]:
    """Headers of the environment, as the specification writes them: name=value with commas between, percent-encoded.

    >>> _headers("api-key=a%20b, x=1")
    {'api-key': 'a b', 'x': '1'}
    """
    pairs = (part.partition("=") for part in text.split(",") if "=" in part)
    return {unquote(name.strip()): unquote(value.strip()) for name, _, value in pairs if name.strip()}


def _is_status(text: bytes) -> bool:
    """Whether a text is a Status, by which OTLP says what is wrong; a port of HTTPS says 400, too."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and not {"code", "message"}.isdisjoint(found)


def _words(text: bytes) -> str:
    """What a server says of it, in a few words of one line."""
    try:
        found = json.loads(text)
        said = found.get("message") or found.get("partialSuccess", {}).get("errorMessage") or ""
    except (AttributeError, ValueError, RecursionError):
        said = text.decode("utf-8", "replace")
        said = "" if said.lstrip().startswith("<") else said
    said = " ".join(clean(str(said)).split())[:MOST_LETTERS]
    return f": {said}" if said else ""
