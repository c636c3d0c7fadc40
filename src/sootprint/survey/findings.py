"""The findings in words: the survey's four questions, answered from the numbers of any data set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sootprint.survey.words import (
    SIGNIFICANT,
    UNKNOWN,
    country,
    digits,
    energy,
    listed,
    mass,
    relation,
    share,
)

if TYPE_CHECKING:
    from sootprint.survey.dataset import Dataset

Found = dict[str, Any]

QUESTIONS = (
    "What are the main sources of energy used for training?",
    "What is the order of magnitude of the emissions?",
    "How do the emissions evolve over time?",
    "Do more energy and emissions bring better performance?",
)
WORLD_G_PER_KWH = 475.0  # world average that the survey compares with (section 4.1, after the IEA)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Answer to one question: one sentence, and those behind it."""

    question: str
    answer: str
    details: tuple[str, ...]


def findings(data: Dataset, found: Found) -> tuple[Finding, ...]:
    """Answers to the survey's questions, in its order.

    Args:
        data: Data set.
        found: Its summary.
    """
    answers = (_sources(found), _magnitude(found), _evolution(found), _performance(found))
    made = []
    for question, sentences in zip(QUESTIONS, answers, strict=True):
        first, *others = list(sentences)
        made.append(Finding(question=question, answer=first, details=tuple(others)))
    return tuple(made)


def as_rows(found: Sequence[Finding]) -> list[dict[str, Any]]:
    """Findings as plain rows."""
    return [asdict(one) for one in found]


def _sources(found: Found) -> Iterator[str]:
    n, sources = found["n_models"], found["models_by_source"]
    known = n - sources.get("Unknown", 0)
    if not known:
        yield "No model has a known energy source."
    else:
        named = [(name.lower(), count) for name, count in sources.items() if name != "Unknown"]
        leading = [f"{name} for {count}" for name, count in named[:3]]
        others = f", and unknown for {n - known}" if known < n else ""
        yield f"The main source of the grid is {listed(leading)} of {n} models{others}."
    low = found["low_carbon_models"]
    yield (
        f"{low} of the {known} models with a known source ({share(low, known)}) ran where the main source is "
        f"low-carbon, {known - low} where it is not; by intensity, {found['low_carbon_models_by_intensity']} ran below "
        f"{found['low_carbon_threshold_g_per_kwh']:g} g/kWh."
    )
    mean, weighted = found["mean_intensity_g_per_kwh"], found["energy_weighted_intensity_g_per_kwh"]
    by_energy = UNKNOWN if weighted is None else f"{digits(weighted)} g/kWh"
    yield (
        f"The mean intensity is {digits(mean)} g/kWh over models and {by_energy} weighted by energy; "
        f"the world average that the survey compares with is {WORLD_G_PER_KWH:g}."
    )
    yield from _countries(found)


def _countries(found: Found) -> Iterator[str]:
    countries, n = found["models_by_country"], found["n_models"]
    if countries:
        most = [f"{count} in {country(name)}" for name, count in list(countries.items())[:2]]
        yield (
            f"Of {n} models, {listed(most)}; {len(countries)} countries in all, and "
            f"{found['models_without_country']} models without one."
        )
    empty = found["world_regions"]["empty"]
    if countries and empty:
        incomes = found["income_groups"]
        poor = incomes["empty"] if not incomes["no_group"] else ()
        where = f", nor in a country of {listed([name.lower() for name in poor], 'or')}" if poor else ""
        yield f"None was trained in {listed(empty, 'or')}{where}."


def _magnitude(found: Found) -> Iterator[str]:
    n, emissions = found["n_with_emissions"], found["emissions_kg"]
    if not n:
        yield f"No run has known emissions{_elsewhere(found)}."
        return
    if n == 1:
        yield f"One run emitted {mass(found['total_emissions_kg'])}."
        return
    yield (
        f"{n} runs emitted {mass(found['total_emissions_kg'])} in all, from {mass(emissions['least'])} to "
        f"{mass(emissions['most'])} each; half of the models emitted less than {mass(emissions['median'])}."
    )
    yield f"They used {energy(found['total_energy_kwh'])}."
    basis = {"given": "as given", "recomputed": "recomputed as rated power × device hours × intensity"}
    yield f"These are values {basis[found['values']]}; {_other_totals(found)}."
    four = found["concentration"]["top"].get(4)
    if four is not None:
        yield (
            f"The four largest runs have {share(four)} of the total (Gini {found['concentration']['gini']:.2f}), "
            f"so the mean, {mass(found['mean_emissions_kg'])}, says little of the usual model."
        )
    shares = found["log_variance_shares"]
    if shares:
        parts = [f"{name} {share(part)}" for name, part in shares.items()]
        yield f"Of the variance of the logarithm of rated power × time × intensity: {listed(parts)}."
    yield from _groups(found)
    yield from _cleanest_grid(found)
    slope = found["slope_emissions_on_energy"]
    if slope["slope"] is not None:
        yield (
            f"Emissions grow with energy to the power {slope['slope']:.2f} "
            f"(95 %: {slope['low']:.2f} to {slope['high']:.2f}, n = {slope['n']})."
        )
    yield from _elasticities(found)


def _groups(found: Found) -> Iterator[str]:
    """What architectures and stages of the life cycle have of the total, where the data tell two of them."""
    for key, what in (("shares_by_architecture", "family of architecture"), ("shares_by_stage", "stage")):
        known = {
            name: one for name, one in found[key].items() if name != "unknown" and one["share"] is not None
        }
        if len(known) < 2:
            continue
        parts = [
            f"{name} {share(one['share'])} in {one['runs']} runs (median {mass(one['median_kg'])})"
            for name, one in list(known.items())[:3]
        ]
        yield f"By {what} the most of the total: {listed(parts)}."


def _cleanest_grid(found: Found) -> Iterator[str]:
    """What the place alone decides: the same runs on the cleanest grid of the data."""
    grid, longest = found["cleanest_grid"], found["cleanest_grid"]["longest"]
    if grid["times_less"] is None or grid["times_less"] < 1.005:
        return
    where = "" if grid["where"] is None else f", {country(grid['where'])}"
    also = "" if longest is None else f"; the one with the most device hours {_instead(longest)}"
    yield (
        f"On the cleanest grid of the data ({digits(grid['intensity_g_per_kwh'])} g/kWh{where}) {grid['n']} runs would "
        f"have emitted {_instead(grid)}, {digits(grid['times_less'])} times less{also}."
    )


def _instead(moved: Found) -> str:
    return f"{mass(moved['there_kg'])} in place of {mass(moved['emissions_kg'])}"


def _elsewhere(found: Found) -> str:
    """Where the emissions are that the chosen values lack."""
    other, count = (
        ("given", found["n_given"])
        if found["values"] == "recomputed"
        else ("recomputed", found["n_recomputed"])
    )
    if not count:
        return ": each needs its emissions or its energy, or hardware, hours and a place"
    how = "rated power × device hours × intensity" if other == "recomputed" else "what the table states"
    return (
        f" as {found['values']}; {count} {'has' if count == 1 else 'have'} them as {how} (`--values {other}`)"
    )


def _other_totals(found: Found) -> str:
    given, again = found["total_emissions_kg_given"], found["total_emissions_kg_recomputed"]
    return (
        f"as given the total is {mass(given)} ({found['n_given']} runs), "
        f"recomputed {mass(again)} ({found['n_recomputed']} runs)"
    )


def _elasticities(found: Found) -> Iterator[str]:
    for key, what in (
        ("elasticity_to_parameters", "parameters"),
        ("elasticity_to_flops", "floating-point operations"),
    ):
        slope = found[key]
        if slope["slope"] is not None:
            yield f"They grow with {what} to the power {slope['slope']:.2f} (n = {slope['n']})."


def _evolution(found: Found) -> Iterator[str]:
    means = {name: value for name, value in found["mean_emissions_kg_by_bin"].items() if value is not None}
    if len(means) < 2:
        yield "One year bin at most has emissions: nothing can be said of time."
        return
    first, *_, last = means
    n = {row["bin"]: row["n"] for row in found["emissions_by_bin"]}
    times = f", {_times(means[last] / means[first])}" if means[first] else ""
    medians = found["median_emissions_kg_by_bin"]
    yield (
        f"The mean per model went from {mass(means[first])} in {first} (n = {n[first]}) to {mass(means[last])} in "
        f"{last} (n = {n[last]}){times}, the median from {mass(medians[first])} to {mass(medians[last])}."
    )
    yield f"Over all models the rank of emissions by year {relation(found['trend'])}."
    for task, one in found["trend_by_task"].items():
        if one["rho"] is not None:
            yield f"Within {task} it {relation(one)}."
    peak = max(means, key=lambda name: means[name])
    yield f"The greatest mean is that of {peak}, {mass(means[peak])}; models with emissions: {_counts(n)}."
    coal = found["models_by_source_and_bin"].get("Coal")
    if coal:
        yield f"Models on coal: {_counts(coal)}."
    grids = {name: value for name, value in found["mean_intensity_by_bin"].items() if value is not None}
    if len(grids) > 1:
        ends = list(grids.items())
        yield (
            f"The mean intensity went from {digits(ends[0][1])} g/kWh in {ends[0][0]} to {digits(ends[-1][1])} g/kWh "
            f"in {ends[-1][0]}."
        )


def _times(ratio: float) -> str:
    """How many times as much, or what share is left.

    >>> _times(12.34), _times(0.00271)
    ('12.3 times as much', '0.3 % of it')
    """
    return f"{digits(ratio)} times as much" if ratio >= 1.0 else f"{share(ratio)} of it"


def _counts(n: dict[str, int]) -> str:
    return listed([f"{count} in {name}" for name, count in n.items() if count])


def _performance(found: Found) -> Iterator[str]:
    ranks = found["rank_correlation"]
    rising, judged = _rising(ranks)
    if not judged:
        yield "No panel has three models with a metric and emissions: nothing can be said of performance."
        return
    yield (
        f"In {len(rising)} of {judged} panels the metric rises with emissions at p < {SIGNIFICANT} "
        f"({listed(rising)}); nothing is corrected for the number of panels."
    )
    by_energy, judged = _rising(found["rank_correlation_energy"])
    if judged:
        yield f"With energy it rises in {len(by_energy)} of {judged} panels ({listed(by_energy)})."
    for name, one in ranks.items():
        members = found["pareto"].get(name, [])
        yield f"{name}: the metric {relation(one)}; {len(members)} on the Pareto front{_ends(members)}."
    gap = found["gap_to_best_known"]
    if gap["n"]:
        yield (
            f"Models were {share(gap['mean'])} below the best metric of the data up to their year on average "
            f"(median {share(gap['median'])}, n = {gap['n']})."
        )


def _rising(ranks: Found) -> tuple[list[str], int]:
    """Tasks of the panels in which the metric rises with its cost, and the number of panels that can be judged."""
    judged = {name: one for name, one in ranks.items() if one["p"] is not None}
    rising = [name for name, one in judged.items() if one["p"] < SIGNIFICANT and one["rho"] > 0]
    return [name.split(" / ")[0] for name in rising], len(judged)


def _ends(members: Sequence[Sequence[float]]) -> str:
    """First and last member of a front in words."""
    if not members:
        return ""
    first, last = members[0], members[-1]
    if len(members) == 1:
        return f", {digits(first[1])} at {mass(first[0])}"
    return f", from {digits(first[1])} at {mass(first[0])} to {digits(last[1])} at {mass(last[0])}"
