"""Sections for those who check: every factor, the method in words, and the record itself."""

from __future__ import annotations

from collections.abc import Iterator

from sootprint.charts import scale
from sootprint.core.letters import clean
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.records import Footprint, Hardware
from sootprint.report import figures, words
from sootprint.report.parts import Section, table

_READ = (
    "Energy: each component is read by its own meter, a counter where the device has one, else a power that is summed "
    "over time, else a model of rated power and utilisation. Time that was not read is listed, never counted as zero."
)
_ESTIMATED = (
    "Energy: nothing was read; it is the number of devices × their hours × the mean power that they draw, with the "
    "rest of the machine added, by the factors above."
)
_GIVEN = (
    "Energy: from a number that was given, an energy or a mean power × its hours, which nothing here checks."
)
_STAGES = "Energy: the sum of the stages, each of which says how it came about."
_REPORTED = "Energy: as {} tells it, in its own way."
_BY_INTERVAL = (
    "Emissions: the energy of each interval is multiplied by the carbon intensity of the place in that interval and by "
    "the PUE, then summed. They are location-based: contracts and certificates do not lower them."
)
_BY_TOTAL = (
    "Emissions: the energy is multiplied by the PUE and by the mean carbon intensity of the place. They are "
    "location-based: contracts and certificates do not lower them."
)
_STATED = "Emissions: the number that others state; whether contracts or certificates lower it is not told."
_BOUNDS = (
    "Intervals: the truth lies between the two bounds with 90 % confidence (5th and 95th percentile). Factors that "
    "several terms share vary together; products are taken as lognormal, sums by seeded draws."
)


def sections(footprint: Footprint) -> tuple[Section, ...]:
    """Factors, method and record."""
    made = (
        _factors(footprint.factors),
        Section(
            key="method", title="How the numbers were made", items=tuple(_method(footprint)), detail=True
        ),
        _record(footprint),
    )
    return tuple(section for section in made if section is not None and (section.table or section.items))


def _method(footprint: Footprint) -> Iterator[str]:
    """How the numbers of a record were made, as far as it has them."""
    energy, emissions = footprint.energy_kwh, footprint.emissions_kg
    if energy is not None:
        yield _energy(footprint, energy)
    if emissions is not None and emissions.basis == "claimed":
        yield _STATED
    elif emissions is not None:
        yield _BY_INTERVAL if footprint.intervals else _BY_TOTAL
    if any(one is not None and one.low is not None for one in (energy, emissions)):
        yield _BOUNDS


def _energy(footprint: Footprint, energy: Quantity) -> str:
    """How an energy came about: read, estimated from hardware and hours, or given."""
    meters = {one.meter for one in footprint.components}
    if "estimate" in meters:  # also where a file of another tool tells no energy
        return _ESTIMATED
    if footprint.tool != words.OURS:
        return _REPORTED.format(clean(footprint.tool)[:60] or "the file")
    if footprint.stages:
        return _STAGES
    return _GIVEN if energy.basis == "claimed" or meters == {"given"} else _READ


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
        f"{figures.number(factor.value, _digits(factor))} {unit}".strip(),
        _bounds(factor),
        source,
    )


def _bounds(factor: Factor) -> str:
    if factor.low is None or factor.high is None:
        return figures.NOT_KNOWN
    if factor.low == factor.high:
        return figures.EXACT
    low, high = (figures.number(end, _digits(factor)) for end in (factor.low, factor.high))
    return f"{low} to {high}"


def _digits(factor: Factor) -> int:
    return scale.digits(factor.value or 0.0, factor.low, factor.high)


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
