"""The page of a record's Software Carbon Intensity: scores, terms, boundary and method, in words and as data."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from sootprint.charts.families import NAMES, wall_of
from sootprint.charts.scale import ENERGY, MASS, Unit
from sootprint.core.letters import clean
from sootprint.core.protocols import family_of
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint, Model, Work
from sootprint.core.units import G_PER_KG
from sootprint.report import evidence, figures, words
from sootprint.report.carbon import place_in_words, source_of
from sootprint.report.parts import Section, table
from sootprint.report.statements import facts
from sootprint.report.statements.document import Statement
from sootprint.report.statements.facts import Lack
from sootprint.report.statements.numbers import counted, plain
from sootprint.report.statements.sci import (
    NO_M,
    NO_O,
    STANDARD,
    Sci,
    Score,
    gross_or_effective,
    in_words,
    intensities,
    readable,
    sci,
    unit_of,
)


def statement(footprint: Footprint) -> Statement:
    """Scores of a record with their terms, boundary and method.

    Raises:
        InputError: The record's intensity is market-based or holds offsets.
    """
    found = sci(footprint)
    notes = tuple(_notes(footprint, found))
    lacking = facts.listed_lacks(facts.of_run(_lacks(footprint, found), footprint))
    sections = (
        _score_table(found),
        _term_table(footprint, found),
        Section(key="boundary", title="Boundary", lead=included(footprint), items=_left_out(footprint)),
        Section(key="method", title="Method", items=_method(footprint)),
        Section(key="notes", title="What to know of the score", items=notes),
        lacking,
    )
    return Statement(
        title=f"Software Carbon Intensity: {facts.named(footprint) or f'run {footprint.id[-8:]}'}",
        lead=f"SCI = ((E × I) + M) per R, {STANDARD}; for AI by the units of a provider in SCI for AI.",
        sections=tuple(one for one in sections if one is not None and (one.items or one.table or one.lead)),
        data={"sci": _data(footprint, found, notes)},
    )


def included(footprint: Footprint) -> str:
    """What E holds, as one sentence."""
    return f"E holds: {', '.join(_boundary(footprint)) or 'not told by the record'}."


def _score_table(found: Sci) -> Section:
    rows = []
    for score in found.scores:
        _, spread = readable(score, score.operational_g if score.score_g is None else score.score_g)
        rows.append((unit_of(score).name, counted(score.amount), in_words(score), spread))
    caption = "Score for each functional unit that the record knows"
    columns = ("R", "Number of R", "SCI", "90 % interval")
    return Section(key="scores", title="Scores", table=table(caption, columns, rows, numbers=(1,)))


def _term_table(footprint: Footprint, found: Sci) -> Section:
    rows = [
        ("E", *_shown(found.e_kwh, ENERGY), _energy_origin(footprint)),
        ("I", *_shown(found.i_g_per_kwh, figures.plain_unit("g CO2e/kWh")), _intensity_origin(footprint)),
        ("E × I", *_shown(_kg(found.o_g), MASS), _operational_origin(footprint)),
        ("M", *_shown(_kg(found.m_g), MASS), _making_origin(footprint, found)),
    ]
    columns = ("Term", "Best estimate", "90 % interval", "Where it comes from")
    return Section(
        key="terms",
        title="Terms",
        table=table("Terms of the score, masses of CO2e", columns, rows, numbers=(1, 2)),
    )


def _shown(quantity: Quantity | None, units: tuple[Unit, ...]) -> tuple[str, str]:
    if quantity is None:
        return "unknown", ""
    return figures.amount(quantity, units), figures.spread(quantity, units)


def _kg(grams: Quantity | None) -> Quantity | None:
    return None if grams is None else facts.by(grams, 1.0 / G_PER_KG)


def _energy_origin(footprint: Footprint) -> str:
    if footprint.energy_kwh is None:
        return "the record does not tell it"
    if not facts.has_pue(footprint):
        return f"{facts.obtained(footprint)}; the facility's overhead is not known and not in it"
    pue = figures.number(footprint.pue.value) if footprint.pue else ""
    return f"{facts.obtained(footprint)}; times a PUE of {pue}"


def _operational_origin(footprint: Footprint) -> str:
    if footprint.emissions_kg is None:
        return "E times I"
    if facts.is_stated(footprint.emissions_kg):
        return "as stated by others, who may have used another I"
    return "summed over the intervals of the record" if footprint.intervals else "emissions of the record"


def _intensity_origin(footprint: Footprint) -> str:
    told = "; ".join(dict.fromkeys(clean(source_of(one)) for one in intensities(footprint)))
    if told:
        return told
    grid = footprint.intensity_g_per_kwh
    return "the record does not tell it" if grid is None else f"{words.BASES[grid.basis]}, location-based"


def _making_origin(footprint: Footprint, found: Sci) -> str:
    if found.m_g is None:
        return "unknown, which is not 0"
    keys = [clean(one.key) for one in footprint.factors if one.kind == "embodied"]
    return f"share of making {', '.join(dict.fromkeys(keys)) or 'the hardware'}"


def _boundary(footprint: Footprint) -> list[str]:
    """What E holds: families of components, or the whole node, and the facility where its overhead is known."""
    families = dict.fromkeys(family_of(one.component) for one in footprint.components)
    if footprint.stages:
        listed = [f"the stages {', '.join(itertools.chain(*facts.staged(footprint)))}"]
    elif wall_of(footprint) is not None or not families:
        whole = "" if footprint.energy_kwh is None else words.BOUNDARIES[footprint.boundary]
        listed = ["the whole machine, at the wall"] if wall_of(footprint) is not None else [whole]
    else:
        listed = [clean(NAMES.get(family, family)).lower().replace("cpu", "CPU") for family in families]
    pue = footprint.pue
    over = f"overhead of the facility (PUE {figures.number(pue.value)})" if pue else ""
    return [text for text in (*listed, over if facts.has_pue(footprint) else "") if text]


def _left_out(footprint: Footprint) -> tuple[str, ...]:
    """What is in neither E nor M, and what is not known."""
    told = (text for text in evidence.not_included(footprint) if not text.startswith("Making the hardware"))
    return tuple(
        text if text.startswith("Not known") else f"Not in it: {text[:1].lower()}{text[1:]}" for text in told
    )


def _method(footprint: Footprint) -> tuple[str, ...]:
    methods = dict.fromkeys(clean(one.method) for one in intensities(footprint) if one.method)
    grade = footprint.grade
    told = "not stated" if grade is None else f"{grade} ({words.GRADES[grade]})"
    return (
        f"Energy: {facts.obtained(footprint)}; evidence {told}, "
        f"{clean(' '.join(filter(None, (footprint.tool, footprint.tool_version))))}.",
        f"Intensity: {', '.join(methods) or _plain_method(footprint)}; "
        f"place: {clean(place_in_words(footprint.place))}.",
        "No offset, certificate or other market instrument lowers the score.",
        f"{gross_or_effective(footprint)[:1].upper()}{gross_or_effective(footprint)[1:]}.",
    )


def _plain_method(footprint: Footprint) -> str:
    """Method of an intensity without a factor; of emissions that others state it is not told."""
    stated = facts.is_stated(footprint.emissions_kg) and footprint.intensity_g_per_kwh is None
    return "not told" if stated else "location-based"


def _notes(footprint: Footprint, found: Sci) -> Iterator[str]:
    if found.o_g is None:
        yield NO_O
    elif found.m_g is None:
        yield NO_M
    if facts.is_stated(footprint.emissions_kg):
        yield "The emissions are as others stated them: whether offsets or certificates are in them is not told."
    if footprint.market_based_kg is not None:
        yield (
            "The record also has a market-based total; it is no part of the score, which is location-based."
        )
    if footprint.scope == "final_run":
        yield "Failed and intermediate runs are absent; SCI for AI counts them with the model that came of them."
    if any(one.stage == "inference" for one in footprint.stages):
        yield (
            "The score holds the stage of inference, which SCI for AI counts for the consumer: for a provider's score "
            "leave that stage out of the file."
        )
    if footprint.place.zone is None and found.i_g_per_kwh is not None and not _is_given(footprint):
        yield "The place is unknown: I is the world's average, and its interval spans the world's grids."


def _is_given(footprint: Footprint) -> bool:
    grid = footprint.intensity_g_per_kwh
    return grid is not None and grid.basis == "claimed"


def _lacks(footprint: Footprint, found: Sci) -> Iterator[Lack]:
    work, model = footprint.work or Work(), footprint.model or Model()
    if footprint.energy_kwh is None:
        yield facts.ENERGY_LACK
    if footprint.place.zone is None:
        yield facts.PLACE
    if not facts.has_pue(footprint):
        yield facts.PUE
    if found.m_g is None:
        yield facts.EMBODIED
    if not work.tokens:
        yield facts.TOKENS
    if not work.flops:
        yield facts.FLOPS
    if not model.params:
        yield facts.PARAMS
    if footprint.scope == "final_run":
        yield facts.PROJECT


def _data(footprint: Footprint, found: Sci, notes: tuple[str, ...]) -> dict[str, Any]:
    return {
        "standard": STANDARD,
        "footprint": footprint.id,
        "e_kwh": plain(found.e_kwh),
        "i_g_per_kwh": plain(found.i_g_per_kwh),
        "o_g": plain(found.o_g),
        "m_g": plain(found.m_g),
        **_making(footprint, found),
        "scores": [_plain_score(one) for one in found.scores],
        "boundary": _boundary(footprint),
        "not_included": list(_left_out(footprint)),
        "method": list(_method(footprint)),
        "gross_or_effective": "gross" if footprint.scope == "project_total" else "effective",
        "notes": list(notes),
        "lacks": [
            {"what": one.what, "how": one.how} for one in facts.of_run(_lacks(footprint, found), footprint)
        ],
    }


def _making(footprint: Footprint, found: Sci) -> dict[str, Any]:
    """Terms of M = TE x (TiR / EL) x (RR / ToR), as far as the factors of the record tell them."""
    known = {factor.kind: factor for factor in footprint.factors if factor.value is not None}
    made = [one for one in footprint.factors if one.kind == "embodied" and one.value is not None]
    if found.m_g is None or not made:
        return dict.fromkeys(("te_kg_per_device", "tir_device_h", "el_years", "busy_share", "rr", "tor"))
    life, busy = known.get("lifetime"), known.get("busy_share")
    spent = footprint.device_hours
    return {
        "te_kg_per_device": [{"key": clean(one.key), "value": one.value} for one in made],
        "tir_device_h": None if spent is None else spent.value,
        "el_years": None if life is None else life.value,
        "busy_share": None if busy is None else busy.value,
        "rr": 1,  # TiR is summed over the devices, each of which is taken as a whole
        "tor": 1,
    }


def _plain_score(score: Score) -> dict[str, Any]:
    return {
        "r_unit": unit_of(score).name,
        "r_value": score.amount,
        "score_g_per_r": plain(score.score_g),
        "operational_g_per_r": plain(score.operational_g),
        "in_words": in_words(score),
    }
