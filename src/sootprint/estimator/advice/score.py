"""An advice scored again after the run: what it promised against what two measured runs differ by."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sootprint import settings as configuration
from sootprint.core import intervals
from sootprint.core.errors import InputError, RecordError
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint
from sootprint.estimator.advice import Advice, advise
from sootprint.estimator.advice.baseline import Baseline

if TYPE_CHECKING:
    from sootprint.settings import Settings

KEY = "advice"  # in `plan` of the run that was advised on, in `savings` of the run that followed it
_WORK = ("samples", "tokens", "steps", "flops")


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A predicted saving beside the measured one.

    Args:
        run: Identity of the run that followed the advice.
        against: Identity of the run that was advised on.
        names: Measures that were followed.
        per: What the emissions are compared for: run, or one of the amounts of work.
        predicted_share: Saving as predicted [1].
        measured_share: Saving as measured [1].
        saving_kg: Measured saving, for the work of the second run [kgCO2e].
        inside: Whether the measured saving lies in the predicted interval.
        verdict: The same in words.
    """

    run: str
    against: str
    names: tuple[str, ...]
    per: str
    predicted_share: Quantity
    measured_share: Quantity
    saving_kg: Quantity
    inside: bool
    verdict: str


def kept(footprint: Footprint, advice: Advice) -> Footprint:
    """The record with the advice in its `plan`."""
    told = {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "measures": [
            {
                "name": one.name,
                "action": one.action,
                "tier": one.tier,
                "saving_kg": None if one.saving_kg is None else dataclasses.asdict(one.saving_kg),
                "saving_share": dataclasses.asdict(one.saving_share),
                "time_factor": one.time_factor,
                "wait_h": one.wait_h,
            }
            for one in advice.measures
            if one.saving_share is not None
        ],
        "chosen": None if advice.combined is None else list(advice.combined.names),
        "predicted_share": None
        if advice.combined is None
        else dataclasses.asdict(advice.combined.saving_share),
    }
    return dataclasses.replace(footprint, plan={**(footprint.plan or {}), KEY: told})


def score(
    after: Footprint, before: Footprint, *, names: Sequence[str] = (), settings: Settings | None = None
) -> Score:
    """Predicted against measured saving of a run that followed an advice on another one.

    Args:
        after: Run that followed the advice.
        before: Run that was advised on; its kept advice counts, else it is made anew for `names`.
        names: Measures that were followed; those that were kept as chosen where empty.
        settings: Settings that were read; read now where None.

    Raises:
        InputError: It is not known what was followed, or a record has no emissions.
    """
    known = settings or configuration.load()
    followed, predicted = _predicted(before, names, known)
    first = Baseline(before, known)
    second = Baseline(after, known, draws=first.draws)
    per, ratio = _work_ratio(after, before)
    drawn = [b / (a * ratio) for a, b in zip(first.emissions(), second.emissions(), strict=True)]
    value = 1.0 - second.emissions_kg.value / (first.emissions_kg.value * ratio)
    measured = intervals.from_draws(value, [1.0 - one for one in drawn])
    if not (first.bounded and second.bounded):
        measured = Quantity(value=value)
    saved = [a * ratio - b for a, b in zip(first.emissions(), second.emissions(), strict=True)]
    inside = _within(value, predicted)
    return Score(
        run=after.id,
        against=before.id,
        names=followed,
        per=per,
        predicted_share=predicted,
        measured_share=measured,
        saving_kg=intervals.from_draws(first.emissions_kg.value * ratio - second.emissions_kg.value, saved),
        inside=inside,
        verdict=_verdict(measured, predicted, inside),
    )


def scored(footprint: Footprint, made: Score) -> Footprint:
    """The record with the score in its `savings`."""
    return dataclasses.replace(
        footprint,
        savings={**(footprint.savings or {}), KEY: {**dataclasses.asdict(made), "names": list(made.names)}},
    )


def _predicted(
    before: Footprint, names: Sequence[str], settings: Settings
) -> tuple[tuple[str, ...], Quantity]:
    told: dict[str, Any] = (before.plan or {}).get(KEY) or {}
    chosen, share = told.get("chosen"), told.get("predicted_share")
    if chosen and share and (not names or list(names) == list(chosen)):
        try:
            return tuple(chosen), Quantity(**share)
        except (TypeError, RecordError) as err:
            raise RecordError(f"plan.{KEY} of {before.name or before.id} cannot be read: {err}") from None
    if not names:
        raise InputError(
            f"run {before.name or before.id} keeps no advice that was chosen: name what was followed, e.g. "
            "--with region,power_cap"
        )
    combined = advise(before, chosen=names, settings=settings).combined
    assert combined is not None
    return combined.names, combined.saving_share


def _work_ratio(after: Footprint, before: Footprint) -> tuple[str, float]:
    """Work of the second run over that of the first, by the first amount that both state; else one run each."""
    for name in _WORK:
        done = getattr(after.work, name, None)
        earlier = getattr(before.work, name, None)
        if done and earlier:
            return name, done / earlier
    return "run", 1.0


def _within(value: float, predicted: Quantity) -> bool:
    low, high = predicted.low, predicted.high
    return low is not None and high is not None and low <= value <= high


def _verdict(measured: Quantity, predicted: Quantity, inside: bool) -> str:
    if measured.low is not None and measured.high is not None and measured.low <= 0.0 <= measured.high:
        return "no measurable saving: the interval straddles zero"
    if inside:
        return "as predicted: the measured saving lies in the predicted interval"
    more = measured.value > predicted.value
    return f"{'more' if more else 'less'} than predicted: outside the predicted interval"
