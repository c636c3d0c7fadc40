"""Rules on what a claim is about: several models, a search, a number format, a teacher, and facts not stated."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sootprint.estimator.audit import facts
from sootprint.estimator.audit.claim import Claim
from sootprint.estimator.audit.finding import Finding
from sootprint.estimator.audit.places import places

_SIZE = r"\d+(?:\.\d+)?\s?[bm](?:illion)?\b"
_SEVERAL = re.compile(
    r"\b(?:all|both|total (?:of|for)(?: the)?|sum of)\s+(?:the\s+)?"
    r"(?:\d+|two|three|four|five|six|seven|eight|nine|ten|twelve)?\s*"
    rf"(?:\w+\s+){{0,2}}(?:models|sizes|variants|checkpoints)\b"
    rf"|\b(?:model )?family\b(?! of (?:gpu|chip))|\b(?:entire|whole) (?:series|suite)\b"
    rf"|{_SIZE}\s*(?:[+&,/]|and)\s*(?:{_SIZE}\s*(?:[+&,/]|and)\s*)*{_SIZE}",
    re.IGNORECASE,
)


def family(claim: Claim) -> Iterator[Finding]:
    """One figure that stands for several models."""
    if claim.emissions_kg is None and claim.energy_kwh is None and claim.device_hours is None:
        return
    named = _SEVERAL.search(claim.name or "")
    if not named and claim.models is None and not (_SEVERAL.search(claim.words) and _figures_of_all(claim)):
        return
    if claim.models == 1:
        return
    sizes = re.findall(_SIZE, (claim.name or "").lower())
    count = claim.models or (len(sizes) if len(sizes) > 1 else None)
    field = (
        "emissions_kg"
        if claim.emissions_kg is not None
        else "energy_kwh"
        if claim.energy_kwh is not None
        else "device_hours"
    )
    yield Finding(
        rule="family-total",
        severity="warning",
        field=field,
        given=getattr(claim, field),
        implied=None,
        message=f"the figure stands for {f'{count} models' if count else 'several models'} "
        f"together: it is not the footprint "
        "of one of them",
        cause="a family total passed off as one model",
        confidence="high" if named or claim.models else "medium",
    )


def _figures_of_all(claim: Claim) -> bool:
    """Whether the words say that a figure is one of several models."""
    pattern = r"(emi\w+|footprint|energy|hours|co2\w*|total)[^.]{0,80}"
    return bool(re.search(pattern + _SEVERAL.pattern, claim.words, re.IGNORECASE))


def search(claim: Claim) -> Iterator[Finding]:
    """A search, whose cost depends on the proxy task that its candidates were trained on."""
    if claim.kind != "search":
        return
    yield Finding(
        rule="search-proxy",
        severity="warning",
        field="kind",
        given="search",
        message="the claim is on a search: its candidates are trained on a smaller proxy task, so "
        "that neither may its cost be "
        "cited as that of a training nor candidates x full training as its own (Strubell et al. "
        "2019 did, and are 88 times "
        "too high)",
        cause="cost of a search taken as a full training for each candidate, or as that of one model",
        confidence="medium",
    )


def number_format(claim: Claim) -> Iterator[Finding]:
    """FP8, whose peak is twice that of 16 bits."""
    if claim.precision not in ("fp8", "float8", "e4m3"):
        return
    device = facts.device_of(claim)
    peak = device.peak_tflops if device else None
    against = claim.mfu is not None and claim.peak_tflops is not None and peak is not None
    as_16_bit = (
        against and claim.peak_tflops is not None and peak is not None and claim.peak_tflops <= 1.1 * peak
    )
    yield Finding(
        rule="number-format",
        severity="warning" if as_16_bit else "info",
        field="precision",
        given=claim.precision,
        implied=None if peak is None else 2.0 * peak,
        message="FP8 has twice the peak rate of 16 bits: a utilisation against the 16-bit peak is "
        "too high, and only a part of a "
        "training runs in FP8",
        cause="peak rate of another number format",
        confidence="medium" if as_16_bit else "low",
    )


def teacher(claim: Claim) -> Iterator[Finding]:
    """A distilled model without its teacher, a fine-tuned one without its parent."""
    if claim.kind == "distil" or re.search(
        r"\bdistil|\bpruned from\b", f"{claim.words} {claim.name or ''}".lower()
    ):
        yield Finding(
            rule="teacher-left-out",
            severity="info",
            field="kind",
            given=claim.kind,
            message="a distilled or pruned model needs its teacher: state whether the teacher's "
            "outputs are in the numbers",
            cause="teacher or parent left out",
            confidence="low",
        )


def missing(claim: Claim) -> Iterator[Finding]:
    """Facts that are needed to check the claim and are not stated."""
    needed = {
        "energy_kwh": claim.energy_kwh is not None,
        "emissions_kg": claim.emissions_kg is not None,
        "hardware": bool(claim.hardware) or "hardware" in claim.disclosed,
        "device_hours": claim.hours_of_devices is not None,
        "place": bool(claim.place and places(claim.place)),
        "year": claim.year is not None,
        "pue": claim.pue is not None,
        "intensity_g_per_kwh": claim.intensity_g_per_kwh is not None,
    }
    for name, stated in needed.items():
        if not stated:
            yield Finding(
                rule="missing",
                severity="info",
                field=name,
                message=f"{_WORDS[name]} not stated{_place_given(claim) if name == 'place' else ''}",
            )
    if claim.hardware and facts.device_of(claim) is None:
        yield Finding(
            rule="missing",
            severity="info",
            field="hardware",
            given=claim.hardware,
            message=f"hardware {claim.hardware!r:.60} is in no table: its power and peak rate "
            f"cannot be checked",
        )


_WORDS = {
    "energy_kwh": "energy is",
    "emissions_kg": "emissions are",
    "hardware": "hardware is",
    "device_hours": "device hours (or wall hours with the number of devices) are",
    "place": "the place of the grid is",
    "year": "the year is",
    "pue": "PUE is",
    "intensity_g_per_kwh": "carbon intensity is",
}


def _place_given(claim: Claim) -> str:
    return f" ({claim.place!r:.60} is no place of a table)" if claim.place else ""


def without_unit(claim: Claim) -> Iterator[Finding]:
    """Numbers without a unit, which were read in the usual one."""
    usual = {
        "energy_kwh": "kWh",
        "emissions_kg": "kg",
        "market_based_kg": "kg",
        "intensity_g_per_kwh": "g/kWh or kg/kWh",
    }
    for name in sorted(claim.unitless):
        if name in usual:
            yield Finding(
                rule="unit-missing",
                severity="info",
                field=name,
                given=getattr(claim, name),
                message=f"{name.rsplit('_', 1)[0].replace('_', ' ')} has no unit "
                f"({claim.given.get(name, '')}): read in {usual[name]}",
                cause="unit left out",
                confidence="low",
            )
