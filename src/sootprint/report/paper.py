r"""What a record says in a paper and on a model card: one paragraph in LaTeX, and the front matter of a card."""

from __future__ import annotations

import re

from sootprint.charts.scale import ENERGY, MASS
from sootprint.core.letters import clean
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint, device_count, main_device
from sootprint.core.units import G_PER_KG
from sootprint.report import figures, words
from sootprint.report.carbon import place_in_words

_TRAINING = {"pretrain": "pre-training", "finetune": "fine-tuning"}
_TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
_TEX |= {letter: f"\\{letter}" for letter in "&%$#_"}


def tex(text: str) -> str:
    r"""Text in which no character has a meaning for TeX; BibTeX counts braces even where they are escaped.

    >>> tex("50 % of {x}")
    '50 \\% of \\textbraceleft{}x\\textbraceright{}'
    """
    return re.sub(r"[\\{}~^&%$#_]", lambda found: _TEX[found[0]], clean(text))


def latex(footprint: Footprint) -> str:
    """Paragraph for a paper, in LaTeX: emissions, energy, time, place, overhead and evidence, with their intervals."""
    return typeset(" ".join(_sentences(footprint))) + "\n"


def typeset(text: str) -> str:
    r"""Text for a document in LaTeX, with the signs that plain TeX does not have.

    >>> typeset("8 × A100: 5 µg CO2e per 10^18 FLOP")
    '8 $\\times$ A100: 5 \\textmu{}g CO\\textsubscript{2}e per $10^{18}$ FLOP'
    """
    signs = {"CO2e": r"CO\textsubscript{2}e", "µ": r"\textmu{}", "×": r"$\times$"}
    escaped = tex(text)
    for sign, written in signs.items():
        escaped = escaped.replace(sign, written)
    return re.sub(r"\b10\\textasciicircum\{\}(-?\d+)", r"$10^{\1}$", escaped)


def card(footprint: Footprint, source: str | None = None) -> str:
    """Front matter of a model card: emissions in grams, and where they come from.

    Args:
        footprint: The record.
        source: Where the number can be checked; else the program and the evidence.

    Source:
        Hugging Face, Model cards, "Displaying carbon emissions": co2_eq_emissions, in grams of CO2 equivalent.
    """
    import yaml

    main, kg = main_device(footprint.hardware), footprint.emissions_kg
    place = ", ".join(dict.fromkeys(filter(None, (footprint.place.zone, footprint.place.country))))
    stage = None if footprint.stage == "other" else _TRAINING.get(footprint.stage, clean(footprint.stage))
    said = {
        "emissions": None if kg is None else float(f"{kg.value * G_PER_KG:.4g}"),
        "source": source or f"{words.program(footprint)}, evidence {footprint.grade or 'not stated'}",
        "training_type": stage,
        "geographical_location": clean(place) or None,
        "hardware_used": f"{_counted(footprint, ' x')}{clean(main.name)}" if main is not None else None,
    }
    known = {name: value for name, value in said.items() if value is not None}
    return f"---\n{yaml.safe_dump({'co2_eq_emissions': known}, sort_keys=False, allow_unicode=True, width=200)}---\n"


def _counted(footprint: Footprint, times: str = "") -> str:
    """Number of devices before their name; nothing where it is not known."""
    count = device_count(footprint)
    return "" if count is None else f"{count}{times} "


def _sentences(footprint: Footprint) -> list[str]:
    return [
        _emitted(footprint),
        _drew(footprint),
        _grid(footprint),
        _overhead(footprint),
        _evidence(footprint),
    ]


def _emitted(footprint: Footprint) -> str:
    named = (footprint.model.name if footprint.model else None) or footprint.name
    what = {"pretrain": "Pre-training", "finetune": "Fine-tuning", "other": "Training"}.get(
        footprint.stage, words.STAGES.get(footprint.stage, footprint.stage).capitalize()
    )
    told = f"{what} of {named}" if named else what
    kg = footprint.emissions_kg
    if kg is None:
        return f"The emissions of the {told[0].lower()}{told[1:]} are not known."
    return f"{told} emitted {figures.amount(kg, MASS)} CO2e{_between(kg, figures.spread(kg, MASS))}."


def _drew(footprint: Footprint) -> str:
    main, took, energy = main_device(footprint.hardware), footprint.duration_s, footprint.energy_kwh
    on = f" on {_counted(footprint)}{main.name}" if main is not None else ""
    time = f"It took {figures.duration(took)}{on}" if took is not None else f"It ran{on}" if on else "It ran"
    if energy is None:
        return "Its energy is not known." if time == "It ran" else f"{time}; its energy is not known."
    drew = (
        f"{figures.amount(energy, ENERGY)} of electricity{_between(energy, figures.spread(energy, ENERGY))}"
    )
    return f"{time} and drew {drew}."


def _grid(footprint: Footprint) -> str:
    intensity = footprint.intensity_g_per_kwh
    if intensity is None:
        return "The carbon intensity of the grid is not known."
    unit = figures.plain_unit("g CO2e/kWh")
    factor = next((one for one in footprint.factors if one.kind == "intensity"), None)
    told = [] if factor is None else [factor.period, factor.method, factor.source]
    known = footprint.place.zone is not None
    where = (
        f"The grid in {place_in_words(footprint.place)}"
        if known
        else "The place is not known; the grid taken"
    )
    about = "; ".join(part for part in told if part)
    return f"{where} emitted {figures.amount(intensity, unit)}" + (f" ({about})." if about else ".")


def _overhead(footprint: Footprint) -> str:
    if footprint.pue is None and footprint.boundary == "facility":
        return "The facility's overhead is included; its PUE is not told."
    if footprint.pue is None or "pue" in footprint.unknown:
        if footprint.emissions_kg is not None and footprint.emissions_kg.basis == "claimed":
            return "Whether the facility's overhead (PUE) is included is not told."
        return "The facility's overhead (PUE) is not known and not included."
    return f"A PUE of {figures.number(footprint.pue.value)} is included."


def _evidence(footprint: Footprint) -> str:
    grade = footprint.grade
    how = (
        "not stated"
        if grade is None
        else f"{words.GRADES[grade]} (grade {grade}, where A is best and E weakest)"
    )
    return f"Evidence: {how}; {words.program(footprint)}."


def _between(quantity: Quantity, spread: str) -> str:
    known = quantity.low is not None and quantity.high is not None and quantity.low != quantity.high
    return f" (90 % interval {spread})" if known else ""
