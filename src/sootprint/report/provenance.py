"""Sections for those who check: every factor, the method in words, and the record itself."""

from __future__ import annotations

from sootprint.charts.letters import clean
from sootprint.core.quantity import Factor
from sootprint.core.records import Footprint, Hardware
from sootprint.report import figures, words
from sootprint.report.parts import Section, table

METHOD = (
    "Energy: each component is read by its own meter, a counter where the device has one, else a power that is summed "
    "over time, else a model of rated power and utilisation. Time that was not read is listed, never counted as zero.",
    "Emissions: the energy of each interval is multiplied by the carbon intensity of the place in that interval and by "
    "the PUE, then summed. They are location-based: contracts and certificates do not lower them.",
    "Intervals: the truth lies between the two bounds with 90 % confidence (5th and 95th percentile). Factors that "
    "several terms share vary together; products are taken as lognormal, sums by seeded draws.",
)


def _method(footprint: Footprint) -> tuple[str, ...]:
    """How the numbers of a record were made: those of another tool are its own, and what was filled in is ours."""
    if footprint.tool == words.OURS:
        return METHOD
    tool = clean(footprint.tool or "the file")[:60]
    return (
        f"Energy: as {tool} tells it, in its own way; where it tells none, an estimate from devices and hours, if it "
        "names those.",
        f"Emissions: as {tool} tells them; where it tells none, the energy is multiplied by the carbon intensity of "
        "the place and year and by the PUE.",
        METHOD[2],
    )


def sections(footprint: Footprint) -> tuple[Section, ...]:
    """Factors, method and record."""
    made = (
        _factors(footprint.factors),
        Section(key="method", title="How the numbers were made", items=_method(footprint), detail=True),
        _record(footprint),
    )
    return tuple(section for section in made if section is not None)


def _factors(factors: tuple[Factor, ...]) -> Section | None:
    if not factors:
        return None
    return Section(
        key="factors",
        title="Every factor",
        detail=True,
        table=table(
            "Constants that entered the numbers",
            ("Factor", "For", "Value", "90 % interval", "Source"),
            [_factor(factor) for factor in factors],
            numbers=(2, 3),
        ),
    )


def _factor(factor: Factor) -> tuple[str, ...]:
    unit = "" if factor.unit == "1" else factor.unit
    source = "; ".join(filter(None, (factor.source, factor.licence, factor.method)))
    key = " ".join(filter(None, (factor.key, factor.period)))
    if factor.value is None:
        return words.factor(factor.kind), key, figures.NOT_KNOWN, "", source
    return (
        words.factor(factor.kind),
        key,
        f"{figures.number(factor.value)} {unit}".strip(),
        _bounds(factor),
        source,
    )


def _bounds(factor: Factor) -> str:
    if factor.low is None or factor.high is None:
        return figures.NOT_KNOWN
    if factor.low == factor.high:
        return figures.EXACT
    return f"{figures.number(factor.low)} to {figures.number(factor.high)}"


def _record(footprint: Footprint) -> Section:
    rows = [
        ("Hardware", "; ".join(_device(device, footprint) for device in footprint.hardware)),
        ("Software", ", ".join(f"{name} {version}" for name, version in footprint.software.items())),
        ("Boundary", words.BOUNDARIES[footprint.boundary]),
        ("Stage", words.STAGES[footprint.stage]),
        ("Scope", words.SCOPES[footprint.scope]),
        (
            "Own share of the CPU time",
            "" if footprint.process_share is None else figures.share(footprint.process_share),
        ),
        ("Made by", " ".join(filter(None, (footprint.tool, footprint.tool_version)))),
        ("Record", f"{footprint.id}, schema {footprint.schema}"),
    ]
    return Section(
        key="record",
        title="About this record",
        detail=True,
        table=table("What was measured, and by what", ("", ""), [row for row in rows if row[1]]),
    )


def _device(device: Hardware, footprint: Footprint) -> str:
    is_counted = "hardware.count" not in footprint.unknown
    rated = "" if device.rated_power_w is None else f", {device.rated_power_w:g} W rated"
    memory = "" if device.memory_gb is None else f", {device.memory_gb:g} GB"
    return f"{f'{device.count} × ' if is_counted else ''}{device.name}{rated}{memory}"
