"""Sections on the energy: by component, busy and idle, what was not read, parts of the run, logged metrics."""

from __future__ import annotations

from collections.abc import Iterator

from sootprint.charts.families import Part, name_of, parts
from sootprint.charts.scale import ENERGY, fitting
from sootprint.core import utc
from sootprint.core.protocols import family_of
from sootprint.core.quantity import Quantity
from sootprint.core.records import CurvePoint, Footprint, Gap, Span
from sootprint.report import figures, whole, words
from sootprint.report.parts import Section, table

MOST_GAPS = 8
MOST_SPANS = 8
MOST_METRICS = 8


def sections(footprint: Footprint) -> tuple[Section, ...]:
    """Energy by component, and how much of it was spent idle."""
    found = parts(footprint)
    if not found:
        lead = "The record does not tell the energy of its components."
        return (Section(key="energy", title="Where the energy went", lead=lead),)
    return tuple(filter(None, (_components(footprint, found), _idle(found))))


def details(footprint: Footprint) -> tuple[Section, ...]:
    """Gaps, parts of the run, and logged metrics, as far as the record has them."""
    return tuple(filter(None, (_gaps(footprint.gaps), _spans(footprint), _curve(footprint.curve))))


def _components(footprint: Footprint, found: tuple[Part, ...]) -> Section:
    total, known = footprint.energy_kwh, whole.told(footprint)
    largest = max(
        [part.energy_kwh for part in found] + ([total] if total else []), key=lambda energy: energy.value
    )
    unit = figures.unit_of(largest, ENERGY)
    rows = [
        (
            part.label,
            figures.value(part.energy_kwh, unit),
            figures.interval(part.energy_kwh, unit),
            figures.share(part.energy_kwh.value / total.value if total and total.value else None),
            (known.rest if part.family == "node" else None)
            or words.origin(part.energy_kwh.basis, part.meter),
        )
        for part in found
    ]
    if total is not None:
        origin = known.total if known is not whole.SUM else _sum_of(found)
        rows.append(("Total", figures.value(total, unit), figures.interval(total, unit), "", origin))
    return Section(
        key="energy",
        title="Where the energy went",
        lead=known.lead,
        table=table(
            f"Energy by component [{unit.name}], before the building's overhead",
            ("Component", "Energy", "90 % interval", "Share", "How it was obtained"),
            rows,
            numbers=(1, 2, 3),
            total=total is not None,
        ),
    )


def _sum_of(found: tuple[Part, ...]) -> str:
    """How much of a total was measured."""
    total = sum(part.energy_kwh.value for part in found)
    measured = sum(part.energy_kwh.value for part in found if part.measured)
    if measured == 0.0 or total == 0.0:
        return "nothing measured"
    return f"{figures.share(measured / total)} measured"


def _idle(found: tuple[Part, ...]) -> Section | None:
    """Busy and idle time as it was measured; the utilisation of an estimate is a share of the rated power."""
    rows = [
        (part.label, figures.share(part.utilisation), figures.share(_ratio(part.idle_kwh, part.energy_kwh)))
        for part in found
        if (part.utilisation is not None or part.idle_kwh is not None) and part.meter not in words.STATED
    ]
    if not rows:
        return None
    return Section(
        key="idle",
        title="Busy and idle",
        table=table(
            "Mean busy time, and the energy spent while less than 5 % busy",
            ("Component", "Busy", "Energy spent idle"),
            rows,
            numbers=(1, 2),
        ),
    )


def _ratio(part: float | None, whole: Quantity) -> float | None:
    return None if part is None or whole.value == 0.0 else part / whole.value


def _gaps(gaps: tuple[Gap, ...]) -> Section | None:
    if not gaps:
        return None
    rows = [
        (_component(gap.component), figures.moment(gap.start), _lasted(gap), gap.reason)
        for gap in gaps[:MOST_GAPS]
    ]
    return Section(
        key="gaps",
        title="What was not read",
        lead=_more(len(gaps), MOST_GAPS, "gap"),
        table=table(
            "Times without readings", ("Component", "From", "For", "What happened"), rows, numbers=(2,)
        ),
    )


def _component(component: str) -> str:
    _, _, index = component.partition(":")
    return f"{name_of(family_of(component))} {index}".strip()


def _lasted(part: Gap | Span) -> str:
    start, end = utc.found(part.start), utc.found(part.end)
    return figures.duration(max(0.0, (end - start).total_seconds())) if start and end else figures.NOT_KNOWN


def _more(count: int, most: int, thing: str) -> str:
    return f"{count:,} {thing}s; the first {most} are shown." if count > most else ""


def _spans(footprint: Footprint) -> Section | None:
    if not footprint.spans:
        return None
    groups: dict[str, list[Span]] = {}
    for span in footprint.spans:
        groups.setdefault(span.name, []).append(span)
    listed = sorted(groups.items(), key=lambda item: -_energy(item[1]))
    unit = fitting(ENERGY, _energy(listed[0][1]))
    total = footprint.energy_kwh
    rows = [
        (
            name,
            f"{len(spans):,}",
            figures.number(_energy(spans) / unit.size),
            figures.share(_energy(spans) / total.value if total and total.value else None),
        )
        for name, spans in listed[:MOST_SPANS]
    ]
    return Section(
        key="spans",
        title="Parts of the run",
        lead=f"Parts may overlap, so they need not add up to the run. {_more(len(listed), MOST_SPANS, 'name')}".strip(),
        table=table(
            f"Energy by named part [{unit.name}], the largest first",
            ("Part", "Times", "Energy", "Share"),
            rows,
            numbers=(1, 2, 3),
        ),
    )


def _energy(spans: list[Span]) -> float:
    return sum(span.energy_kwh.value for span in spans)


def _curve(points: tuple[CurvePoint, ...]) -> Section | None:
    if not points:
        return None
    rows = list(_metrics(points))
    return Section(
        key="curve",
        title="Logged metrics",
        lead=_more(len(rows), MOST_METRICS, "metric"),
        table=table(
            "First and last value of each metric, and the energy spent until then",
            ("Metric", "First", "Last", "Energy"),
            rows[:MOST_METRICS],
            numbers=(1, 2, 3),
        ),
    )


def _metrics(points: tuple[CurvePoint, ...]) -> Iterator[tuple[str, ...]]:
    by_metric: dict[str, list[CurvePoint]] = {}
    for point in points:
        by_metric.setdefault(point.metric, []).append(point)
    for metric, logged in by_metric.items():
        spent = Quantity(value=logged[-1].energy_kwh)
        yield (
            metric,
            f"{logged[0].value:.4g}",
            f"{logged[-1].value:.4g}",
            figures.amount(spent, ENERGY),
        )
