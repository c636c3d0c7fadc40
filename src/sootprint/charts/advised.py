"""Measures of an advice and what each saves, as just computed or as a record keeps them: it may come from anyone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sootprint.charts.scale import percent
from sootprint.core.quantity import Quantity, finite, read
from sootprint.core.records import Footprint

if TYPE_CHECKING:
    from sootprint.estimator.advice import Measure

KEY = "advice"  # in `plan` of the run that was advised on, in `savings` of the run that followed it
MOST = 30  # measures that are told
LONG = 300  # letters of a name or an action
DASH = "–"


class Advised(NamedTuple):
    """One measure that saves.

    Args:
        name: Short name, e.g. "power_cap".
        action: What to do, or nothing where the record does not tell.
        share: Saving over the run's operational emissions [1].
        kg: The same in kilograms, or None where unknown [kgCO2e].
        time_factor: Run time after over before, or None where unknown [1].
        tier: How strong the evidence is, or nothing where the record does not tell.
        wait_h: How much later it is done at most, where it only waits; else None [h].
    """

    name: str
    action: str
    share: Quantity
    kg: Quantity | None
    time_factor: float | None
    tier: str
    wait_h: float | None = None


class Followed(NamedTuple):
    """A promised saving beside the measured one.

    Args:
        names: Measures that were followed.
        against: Identity of the run that was advised on.
        per: What the emissions were compared for.
        predicted: Saving as predicted [1].
        measured: Saving as measured [1].
        kg: Measured saving, or None where unknown [kgCO2e].
        verdict: The same in words.
    """

    names: tuple[str, ...]
    against: str
    per: str
    predicted: Quantity
    measured: Quantity
    kg: Quantity | None
    verdict: str


def of_measures(measures: Sequence[Measure]) -> tuple[Advised, ...]:
    """Those measures of an advice that save, in its order."""
    return tuple(
        Advised(one.name, one.action, one.saving_share, one.saving_kg, one.time_factor, one.tier, one.wait_h)
        for one in measures
        if one.saving_share is not None
    )


def advised(footprint: Footprint) -> tuple[Advised, ...]:
    """Measures of the advice that a record keeps; what has no name or no saving is left out."""
    listed = _told(footprint.plan).get("measures")
    found = [_one(entry) for entry in listed[:MOST]] if isinstance(listed, list) else []
    return tuple(one for one in found if one is not None)


def together(footprint: Footprint) -> tuple[tuple[str, ...], Quantity] | None:
    """Measures that were chosen together, with what they save of the emissions; None where none were [1]."""
    told = _told(footprint.plan)
    names, share = _names(told.get("chosen")), _share(told.get("predicted_share"))
    return (names, share) if names and share is not None else None


def followed(footprint: Footprint) -> Followed | None:
    """Score of an advice that a record keeps; None where it has none that can be read."""
    told = _told(footprint.savings)
    predicted, measured = _share(told.get("predicted_share")), _share(told.get("measured_share"))
    if predicted is None or measured is None:
        return None
    return Followed(
        names=_names(told.get("names")),
        against=_text(told.get("against")),
        per=_text(told.get("per")),
        predicted=predicted,
        measured=measured,
        kg=read(told.get("saving_kg")),
        verdict=_text(told.get("verdict")),
    )


def time_words(factor: float | None, wait_h: float | None = None) -> str:
    """Run time after over before, in words; of a measure that only waits, how much later it is done.

    >>> time_words(1.063), time_words(1.0), time_words(0.2), time_words(1529.0), time_words(None)
    ('+6.3 %', 'same', '-80 %', 'x 1,500', '–')
    >>> time_words(1.997), time_words(38_000.0, 24.0)
    ('+100 %', 'up to 24 h later')
    """
    if wait_h is not None:
        return f"up to {wait_h:.3g} h later"
    if factor is None:
        return DASH
    if abs(factor - 1.0) < 0.0005:
        return "same"
    if factor >= 2.0:
        return f"x {float(f'{factor:.2g}'):,.10g}"
    return f"{'+' if factor > 1.0 else ''}{percent(factor - 1.0)}"


def _told(kept: dict[str, Any] | None) -> dict[str, Any]:
    told = (kept or {}).get(KEY)
    return told if isinstance(told, dict) else {}


def _one(entry: object) -> Advised | None:
    told = entry if isinstance(entry, dict) else {}
    name, share, factor = (
        _text(told.get("name")),
        _share(told.get("saving_share")),
        finite(told.get("time_factor")),
    )
    if not name or share is None:
        return None
    wait_h = finite(told.get("wait_h"))
    return Advised(
        name=name,
        action=_text(told.get("action")),
        share=share,
        kg=read(told.get("saving_kg")),
        time_factor=factor if factor is not None and factor >= 0.0 else None,
        tier=_text(told.get("tier")),
        wait_h=wait_h if wait_h is not None and wait_h > 0.0 else None,
    )


def _share(data: object) -> Quantity | None:
    """A share that can be saved: at most all of it."""
    found = read(data)
    return found if found is not None and found.value <= 1.0 and (found.high or 0.0) <= 1.0 else None


def _names(data: object) -> tuple[str, ...]:
    return tuple(filter(None, map(_text, data[:MOST]))) if isinstance(data, list) else ()


def _text(data: object) -> str:
    return data.strip()[:LONG] if isinstance(data, str) else ""
