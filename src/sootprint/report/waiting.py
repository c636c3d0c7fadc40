"""Section on what waiting saved: against running at once, a random start, and perfect foresight."""

from __future__ import annotations

from sootprint.charts.scale import MASS
from sootprint.charts.waiting import Course, Span, Waiting, waiting
from sootprint.core.letters import clean
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint
from sootprint.report import figures
from sootprint.report.parts import Section, table

COLUMNS = ("", "CO2e", "90 % interval", "How it is counted")
ROWS = (
    ("run_now_kg", "Run at once", "the same work in the first zone"),
    ("random_kg", "Random start", "mean over starts that end in time, without a pause"),
    ("oracle_kg", "Perfect foresight", "the best that could have been done"),
    ("actual_kg", "As it ran", "measured; overheads, idle draw and moves are in it"),
)
COSTS = (("overhead_kg", "saving and loading"), ("idle_kg", "idle draw"), ("transfer_kg", "moves"))
BARS = "▁▂▃▄▅▆▇█"
WIDTH = 84  # steps in one line of the picture
PERCENT = 100.0


def sections(footprint: Footprint) -> tuple[Section, ...]:
    """What waiting saved, where a record says so."""
    found = waiting(footprint)
    if found is None:
        return ()
    shown = None
    if found.kg:
        caption = "Emissions of the same work by the actual intensity; all parts of the plan are in"
        rows = [
            (name, figures.amount(found.kg[key], MASS), figures.spread(found.kg[key], MASS), how)
            for key, name, how in ROWS
            if key in found.kg
        ]
        saved = [_saved(found.kg["saving_kg"])] if "saving_kg" in found.kg else []
        shown = table(caption, COLUMNS, [*rows, *saved], numbers=(1, 2), total=bool(saved))
    return (
        Section(
            key="waiting",
            title="What waiting saved",
            lead=_lead(found),
            table=shown,
            items=tuple(clean(text) for text in _items(found)),
            picture=tuple(line for course in found.courses for line in picture(course, found)),
        ),
    )


def _saved(saving: Quantity) -> tuple[str, ...]:
    """Row of the saving, which may be below 0."""
    bounds = [abs(one) for one in (saving.value, saving.low, saving.high) if one is not None]
    unit = figures.unit_of(Quantity(value=max(bounds)), MASS)
    return (
        "Saved",
        f"{figures.value(saving, unit)} {unit.name}",
        f"{figures.interval(saving, unit)} {unit.name}",
        "run at once, less as it ran",
    )


def _lead(found: Waiting) -> str:
    if found.reason is not None:
        return clean(f"Not known yet: {found.reason}.")
    saving, share = found.kg.get("saving_kg"), found.share
    if saving is None or share is None:
        return clean(f"{found.verdict}.".capitalize())
    if found.verdict == "no measurable saving":
        return f"No measurable saving: {PERCENT * share.value:.1f} % ({_percents(share)}) is within its error bar."
    amount = Quantity(value=abs(saving.value))
    if saving.value > 0.0:
        told, than = f"{figures.amount(amount, MASS)} CO2e saved", " less than running at once"
    else:  # of what it cost more the bounds are above 0, too
        told, than = f"{figures.amount(amount, MASS)} CO2e more than running at once", ""
        share = _negated(share)
    return f"{told}: {PERCENT * share.value:.1f} % ({_percents(share)}){than}."


def _negated(share: Quantity) -> Quantity:
    low, high = (None if bound is None else -bound for bound in (share.high, share.low))
    return Quantity(value=-share.value, low=low, high=high, basis=share.basis)


def _percents(share: Quantity) -> str:
    if share.low is None or share.high is None:
        return "interval not known"
    return f"90 % interval {PERCENT * share.low:.1f} to {PERCENT * share.high:.1f} %"


def _items(found: Waiting) -> list[str]:
    items = []
    costs = [
        f"{name} {figures.amount(found.kg[key], MASS)}"
        for key, name in COSTS
        if key in found.kg and found.kg[key].value
    ]
    if costs:
        items.append(f"Subtracted already: {', '.join(costs)}.")
    if found.of_oracle is not None:
        items.append(
            f"{figures.share(max(0.0, found.of_oracle))} of what perfect foresight would have saved."
        )
    if found.delay_s is not None:
        items.append(f"It ended {figures.duration(found.delay_s)} later than if run at once.")
    if found.method:
        items.append(f"Attributed by this intensity, not avoided on the grid: {found.method}.")
    if found.month is not None:
        month, runs, kg = found.month
        told = "The one run" if runs == 1 else f"All {runs} runs"
        items.append(
            f"{told} of {month} emitted {figures.amount(kg, MASS)} CO2e: that sum counts, not the share."
        )
    if found.instead:
        told = "; ".join(f"{name} ({PERCENT * share:.0f} %)" for name, share in found.instead)
        items.append(f"Would save more than this wait, by `sootprint advise`: {told}.")
    return [*items, *(f"{note[:1].upper()}{note[1:]}." for note in found.notes)]


def picture(course: Course, found: Waiting) -> tuple[str, ...]:
    """Lines of a zone's intensity as bars, marked below where the job ran, and where the first plan saw it."""
    width = min(WIDTH, len(course.values))
    known = [value for value in course.values if value is not None]
    first, last = course.edges[0].timestamp(), course.edges[-1].timestamp()
    if not known or width < 2 or last <= first:
        return ()
    least, most = min(known), max(known)
    bars, marks, plans = "", "", ""
    for column in range(width):
        at = first + (column + 0.5) * (last - first) / width
        value = _value(course, at)
        share = 0.0 if value is None or most == least else (value - least) / (most - least)
        bars += " " if value is None else BARS[min(len(BARS) - 1, int(len(BARS) * share))]
        marks += "▔" if _within(found.ran, course.zone, at) else " "
        plans += "·" if _within(found.planned, course.zone, at) else " "
    scale = f"{clean(course.zone)} {least:.0f} to {most:.0f} g/kWh; ▔ ran" + (
        ", · first plan" if plans.strip() else ""
    )
    return (scale, bars, marks.rstrip(), *((plans.rstrip(),) if plans.strip() else ()))


def _value(course: Course, at_s: float) -> float | None:
    for start, end, value in zip(course.edges, course.edges[1:], course.values, strict=False):
        if start.timestamp() <= at_s < end.timestamp():
            return value
    return None


def _within(spans: tuple[Span, ...], zone: str, at_s: float) -> bool:
    return any(one.zone == zone and one.start.timestamp() <= at_s < one.end.timestamp() for one in spans)
