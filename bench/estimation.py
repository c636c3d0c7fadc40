"""Estimates and predictions against published runs, a family of runs always left out of its own fit.

    python bench/estimation.py [--fit] [--out bench/results]

Hours before training, energy before training, and watts per device from hours, beside the formulas of others; and
what estimates cost in time and memory. The cases are `../shared/data/validation_published.csv`, which is not packaged:
where it is absent, only the costs are measured.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

import peers_formulas as peers
from estimation_costs import costs
from fitting import HOST, Power, fit_power, fit_utilisation, modelled, setting
from published import (
    FILE,
    ROOT,
    UNSEEN,
    Run,
    families,
    for_energy,
    for_hours,
    for_power,
    more_runs,
    runs,
    without,
)
from scores import Guess, Score, lines, score

from sootprint import __version__, estimate, predict
from sootprint.core.records import Footprint
from sootprint.estimator import factors, utilisation
from sootprint.estimator.utilisation import Model

RESULTS = ROOT / "bench" / "results"
Z90 = utilisation.Z90
TPU_SIGMA = math.log(factors._TPU.high / factors._TPU.low) / (2.0 * Z90)
HOST_SIGMA = math.log(1.60 / 1.10) / (2.0 * Z90)
GOALS = {
    "hours": "Goal: median absolute error at most 15 %. LLMCarbon's polynomial: 21 %.",
    "energy": "Goal: median absolute error at most 18 %. Peers: 23-25 %.",
    "power": "Goal: median absolute error at most 15 %. Rated power: 29 %, Green Algorithms: 26 %.",
}


def hours_scores(listed: Sequence[Run]) -> list[Score]:
    """Device hours before training, by each predictor."""
    cases = for_hours(list(listed))
    known = [*cases, *more_runs()]
    every = [guess for family in families(known) for guess in _hours_of(known, family)]
    ours = [guess for guess in every if guess.id in {run.id for run in cases}]
    median = [
        Guess(
            run.id,
            run.family,
            peers.hours(run, _median_share(without(cases, run.family))),
            run.device_hours or 0.0,
        )
        for run in cases
    ]
    found = [score("Sootprint, family left out", ours)]
    found.append(score("the same with the runs of bench/more_runs.csv", every))
    found.append(score("median utilisation, family left out", median))
    found.append(score("LLMCarbon's polynomials", _guessed(cases, _llmcarbon_hours)))
    found.append(score("LLMCarbon's polynomials, with the more runs", _guessed(known, _llmcarbon_hours)))
    for share in (0.5, 0.4, 0.3):
        found.append(score(f"utilisation {share}", _guessed(cases, lambda run, u=share: peers.hours(run, u))))
    shipped = [_bounded(run, _predicted(run).device_hours, run.device_hours or 0.0) for run in cases]
    found.append(score("Sootprint as shipped (its fit has seen the runs)", shipped))
    unseen = more_runs(UNSEEN)
    new = [_bounded(run, _predicted(run).device_hours, run.device_hours or 0.0) for run in unseen]
    found.append(score("Sootprint as shipped, runs of bench/unseen_runs.csv", new))
    found.append(score("LLMCarbon's polynomials, the same runs", _guessed(unseen, _llmcarbon_hours)))
    return found


def energy_scores(listed: Sequence[Run]) -> list[Score]:
    """Measured energy before training, by each predictor."""
    cases, powered = for_energy(list(listed)), for_power(list(listed))
    timed = [*for_hours(list(listed)), *more_runs()]
    ours = []
    for run in cases:
        model, power = fit_utilisation(without(timed, run.family)), fit_power(without(powered, run.family))
        hours = _ours_hours(run, model)
        watts, sigma = _watts(run, power, hours, run.energy_scope == "facility")
        if watts is None:
            continue
        value = hours * watts * (run.pue if run.energy_scope == "facility" else 1.0) / 1e6
        ours.append(_around(run, value, math.hypot(model.sigma, sigma), run.energy_mwh or 0.0))
    known = [run for run in cases if peers.rated_w(run)]
    found = [score("Sootprint, family left out", ours)]
    found.append(
        score("6ND at 40 % x rated power", _guessed(known, lambda run: _peer_mwh(run, 0.4), "energy_mwh"))
    )
    by_polynomial = _guessed(
        known, lambda run: _peer_mwh(run, peers.llmcarbon_utilisation(run)), "energy_mwh"
    )
    found.append(score("LLMCarbon's polynomials x rated power", by_polynomial))
    found.append(
        score("peak rate x rated power", _guessed(known, lambda run: _peer_mwh(run, 1.0), "energy_mwh"))
    )
    shipped = [
        _bounded(run, _energy_of(_predicted(run), run), (run.energy_mwh or 0.0) * 1e3) for run in cases
    ]
    return [*found, score("Sootprint as shipped (its fit has seen the runs)", shipped)]


def power_scores(listed: Sequence[Run]) -> list[Score]:
    """Watts of a device, its hours known, by each predictor."""
    cases = for_power(list(listed))
    ours = []
    for run in cases:
        power = fit_power(without(cases, run.family))
        watts, sigma = _watts(run, power, run.device_hours or 1000.0, run.scope == "system")
        if watts is not None:
            ours.append(_around(run, watts, sigma, run.power_w or 0.0))
    found = [score("Sootprint, family left out", ours)]
    formulas = {
        "rated power": peers.rated_w,
        "Green Algorithms": peers.green_algorithms_w,
        "ML CO2 Impact": peers.ml_co2_w,
    }
    for name, formula in formulas.items():
        found.append(score(name, _guessed([run for run in cases if formula(run)], formula, "power_w")))
    shipped = []
    for run in cases:
        made = (
            estimate(hardware=run.device.name, hours=run.device_hours or 1000, work=_work(run), intensity=1)
            if run.device
            else None
        )
        if made is not None:
            energy = (run.power_w or 0.0) * (run.device_hours or 1000.0) / 1e3
            shipped.append(_bounded(run, _energy_of(made, run, scope=run.scope), energy))
    return [*found, score("Sootprint as shipped (its priors have seen the runs)", shipped)]


def _hours_of(cases: Sequence[Run], family: str) -> list[Guess]:
    model = fit_utilisation(without(list(cases), family))
    return [
        _around(run, _ours_hours(run, model), model.sigma, run.device_hours or 0.0)
        for run in cases
        if run.family == family
    ]


def _ours_hours(run: Run, model: Model) -> float:
    scale = utilisation._adjusted(setting(run))
    assert run.device is not None
    rate = utilisation.peak(run.device).value or 1.0
    return (run.flops or 0.0) / (min(utilisation.MOST, modelled(run, model) * scale) * rate * 3600.0)


def _llmcarbon_hours(run: Run) -> float:
    return peers.hours(run, peers.llmcarbon_utilisation(run))


def _median_share(listed: Sequence[Run]) -> float:
    return statistics.median(peers.hours(run, 1.0) / (run.device_hours or 1.0) for run in listed)


def _peer_mwh(run: Run, share: float) -> float:
    facility = run.pue if run.energy_scope == "facility" else 1.0
    return peers.hours(run, share) * (peers.rated_w(run) or 0.0) * facility / 1e6


def _watts(run: Run, power: Power, hours: float, with_host: bool) -> tuple[float | None, float]:
    """Mean power of a device and the standard deviation of its logarithm, with constants that have not seen it [W]."""
    assert run.device is not None
    host, host_sigma = (HOST, HOST_SIGMA) if with_host else (1.0, 0.0)
    if run.device.measured_w is not None:
        low, mean, high = run.device.measured_w
        return mean * host, math.hypot(math.log(high / low) / (2.0 * Z90), host_sigma)
    if run.device.rated_power_w is None:
        return None, 0.0
    if run.device.kind == "tpu":
        return run.device.rated_power_w * power.tpu * host, math.hypot(TPU_SIGMA, host_sigma)
    decades = math.log10(hours)
    share = factors.training_share(decades, power.at_100_h, power.rise)
    return run.device.rated_power_w * share * host, math.hypot(factors.training_spread(decades), host_sigma)


def _work(run: Run) -> str:
    return "vision" if run.arch == "vision" else "llm-pretrain"


def _predicted(run: Run) -> Footprint:
    assert run.device is not None
    return predict(
        flops=run.flops,
        params=run.active_params,
        hardware=run.device.name,
        count=setting(run).count if run.count else 64,
        work=_work(run),
        intensity=1,
        pue=run.pue,
    )


def _energy_of(made: Footprint, run: Run, scope: str | None = None) -> object:
    """Energy of a record in the scope of a run: accelerators alone, with their host, or with the facility [kWh]."""
    from sootprint.core import intervals

    wanted = scope or run.energy_scope
    if wanted == "gpu":
        return made.components[0].energy_kwh
    assert made.energy_kwh is not None
    return intervals.scaled(made.energy_kwh, run.pue if wanted == "facility" else 1.0)


def _around(run: Run, value: float, sigma: float, truth: float) -> Guess:
    spread = math.exp(Z90 * sigma)
    return Guess(run.id, run.family, value, truth, value / spread, value * spread)


def _bounded(run: Run, quantity: object, truth: float) -> Guess:
    value, low, high = (getattr(quantity, name) for name in ("value", "low", "high"))
    return Guess(run.id, run.family, value, truth, low, high)


def _guessed(
    cases: Sequence[Run], formula: Callable[[Run], float | None], truth: str = "device_hours"
) -> list[Guess]:
    return [Guess(run.id, run.family, formula(run) or 0.0, getattr(run, truth)) for run in cases]


def main() -> int:
    """Exit code 0, after printing and writing the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--fit", action="store_true", help="print the constants fitted on all runs")
    parser.add_argument("--no-costs", action="store_true", help="leave out time and memory")
    wished = parser.parse_args()
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    text = [f"# Estimates against published runs, Sootprint {__version__}, {day}", ""]
    numbers: dict[str, object] = {}
    if FILE.is_file():
        listed = runs()
        tables = {"hours": hours_scores, "energy": energy_scores, "power": power_scores}
        titles = {
            "hours": "Device hours before training",
            "energy": "Energy before training",
            "power": "Watts per device, hours known",
        }
        for name, make in tables.items():
            found = make(listed)
            numbers[name] = [one._asdict() for one in found]
            text += lines(titles[name], GOALS[name], found)
        if wished.fit:
            print(fit_utilisation([*for_hours(listed), *more_runs()]), fit_power(for_power(listed)))
    else:
        text += [
            f"The published runs (../shared/data/{FILE.name}) are not here: no errors were computed.",
            "",
        ]
    if not wished.no_costs:
        said, numbers["costs"] = costs()
        text += said
    print("\n".join(text))
    wished.out.mkdir(parents=True, exist_ok=True)
    (wished.out / f"estimation-{day}.md").write_text("\n".join(text) + "\n", encoding="utf-8")
    (wished.out / f"estimation-{day}.json").write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
