"""The section on the way from energy to emissions: place, PUE, carbon intensity, and what stands beside the total."""

from __future__ import annotations

from sootprint.catalogue import tables
from sootprint.charts.scale import ENERGY, MASS, VOLUME, Unit
from sootprint.core.currency import currency_of
from sootprint.core.letters import clean
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.records import Footprint, Place
from sootprint.core.units import G_PER_KG
from sootprint.report import figures, whole, words
from sootprint.report.parts import Section, table

COLUMNS = ("", "Best estimate", "90 % interval", "Where it comes from")
NOT_TOLD = "the record does not tell it"
PRODUCT = "Emissions are energy × PUE × carbon intensity"
STATED = "Emissions as the record states them"
NO_PRODUCT = f"{STATED}, which are not the product of energy, PUE and carbon intensity"
_NEAR = 0.05  # of a ratio to 1: the median of a sum is no exact product
Row = tuple[str, ...]


def sections(footprint: Footprint) -> tuple[Section, ...]:
    """Place and factors of the emissions."""
    rows = [_place(footprint), _energy(footprint), _pue(footprint), _intensity(footprint)]
    rows += [_emissions(footprint), *_beside(footprint)]
    return (
        Section(
            key="carbon",
            title="From energy to emissions",
            table=table(_caption(footprint), COLUMNS, rows, numbers=(1, 2)),
        ),
    )


def is_product(footprint: Footprint) -> bool:
    """Whether the emissions are energy × PUE × intensity, as those that others state need not be."""
    values = _values(footprint)
    if len(values) < 3:
        return False
    energy, intensity, emissions = values
    made = energy * (1.0 if footprint.pue is None else footprint.pue.value) * intensity / G_PER_KG
    return abs(made - emissions) <= _NEAR * emissions


def _values(footprint: Footprint) -> list[float]:
    """Energy, intensity and emissions, as far as they are known."""
    known = (footprint.energy_kwh, footprint.intensity_g_per_kwh, footprint.emissions_kg)
    return [one.value for one in known if one is not None]


def _caption(footprint: Footprint) -> str:
    if footprint.emissions_kg is None or is_product(footprint):
        return PRODUCT
    return STATED if len(_values(footprint)) < 3 else NO_PRODUCT


def place_in_words(place: Place) -> str:
    """Zone of a place with its name, e.g. FR (France)."""
    if place.zone is None:
        return "Not known"
    names = {row["zone"]: row["name"] for row in tables.all_rows("zones")}
    known = next(
        (names[code] for code in (place.zone, place.subdivision, place.country) if code in names), None
    )
    return f"{place.zone} ({known})" if known else place.zone


def _place(footprint: Footprint) -> Row:
    place = footprint.place
    if place.zone is None:
        return "Place", "not known", "", "no zone was stated or found"
    return (
        "Place",
        place_in_words(place),
        "",
        words.PLACE_SOURCES.get(place.source or "", place.source or _unsaid(footprint)),
    )


def _energy(footprint: Footprint) -> Row:
    energy = footprint.energy_kwh
    return ("Energy", *_shown(energy, ENERGY), _energy_origin(footprint, energy) if energy else NOT_TOLD)


def _energy_origin(footprint: Footprint, energy: Quantity) -> str:
    """How a total came about; a record without components has nothing to be a sum of."""
    if footprint.components:
        return whole.told(footprint).total
    return "sum of the stages" if footprint.stages else words.BASES[energy.basis]


def _unsaid(footprint: Footprint) -> str:
    """What is to be said of a place that came without its source: that of another tool stands in its file."""
    return "not stated" if footprint.tool == words.OURS else "as stated"


def _pue(footprint: Footprint) -> Row:
    if footprint.pue is None:
        return "PUE", figures.NOT_KNOWN, "", NOT_TOLD
    if "pue" in footprint.unknown:
        return (
            "PUE",
            f"taken as {figures.number(footprint.pue.value)}",
            figures.NOT_KNOWN,
            "the building's overhead is not known and is not in",
        )
    return (
        "PUE",
        *_shown(footprint.pue, figures.plain_unit("")),
        _source(footprint, "pue") or words.BASES[footprint.pue.basis],
    )


def _intensity(footprint: Footprint) -> Row:
    intensity = footprint.intensity_g_per_kwh
    origin = _source(footprint, "intensity") or (
        words.BASES[intensity.basis] if intensity else _no_intensity(footprint)
    )
    return ("Carbon intensity", *_shown(intensity, figures.plain_unit("g/kWh")), origin)


def _no_intensity(footprint: Footprint) -> str:
    """Why a record has no intensity: no grid was found for its energy, or it states emissions alone."""
    sought = footprint.energy_kwh is not None and footprint.emissions_kg is None
    return "no source answers for this place" if sought else NOT_TOLD


def _emissions(footprint: Footprint) -> Row:
    emissions = footprint.emissions_kg
    if emissions is None:
        return ("Emissions", *_shown(emissions, MASS), NOT_TOLD)
    origin = "the product" if is_product(footprint) else "as the record states"
    if emissions.basis == "claimed":
        origin = "as stated"
    elif footprint.stages:
        origin = "sum of the stages"
    return ("Emissions", *_shown(emissions, MASS), f"{origin}, location-based")


def _beside(footprint: Footprint) -> list[Row]:
    """Quantities that the total does not hold, each on its own line; a cost without a currency says nothing."""
    currency = clean(currency_of(footprint) or "")
    listed = (
        (
            "Market-based",
            footprint.market_based_kg,
            MASS,
            "contracts and certificates; not the total above",
        ),
        (
            "Embodied",
            footprint.embodied_kg,
            MASS,
            "share of making the hardware; not in the total above",
        ),
        ("Water", footprint.water_l, VOLUME, "on site and at the power plants"),
        (
            "Not charged",
            footprint.unallocated_kwh,
            ENERGY,
            "energy of the machine that no run was charged with",
        ),
        ("Cost", footprint.cost if currency else None, figures.plain_unit(currency), "electricity"),
    )
    return [
        (name, *_shown(quantity, units), _factor_of(footprint, name) or origin)
        for name, quantity, units, origin in listed
        if quantity is not None
    ]


def _factor_of(footprint: Footprint, name: str) -> str | None:
    return _source(footprint, name.lower()) if name == "Water" else None


def _shown(quantity: Quantity | None, units: tuple[Unit, ...]) -> tuple[str, str]:
    if quantity is None:
        return figures.NOT_KNOWN, ""
    return figures.amount(quantity, units).strip(), figures.spread(quantity, units).strip()


def _source(footprint: Footprint, kind: str) -> str:
    """Sources of the factors of one kind, e.g. FR 2025: Ember (2026), CC-BY-4.0; average, life-cycle."""
    return "; ".join(dict.fromkeys(source_of(factor) for factor in footprint.factors if factor.kind == kind))


def source_of(factor: Factor) -> str:
    """Key, period, source, licence and method of a factor."""
    if factor.source == "given":
        return "number given by the user"
    name = " ".join(filter(None, (factor.key, factor.period)))
    told = ", ".join(filter(None, (factor.source, factor.licence)))
    return "; ".join(filter(None, (": ".join(filter(None, (name, told))), factor.method)))
