"""Advice in the report: as it was kept, as it was scored, and from records that anyone may have written."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from sootprint import Footprint, charts, estimate, report
from sootprint.charts.advised import advised, of_measures
from sootprint.charts.scale import percent
from sootprint.estimator.advice import advise
from sootprint.estimator.advice.score import kept, score, scored


@pytest.fixture(scope="module")
def plan() -> Footprint:
    """An estimate that keeps its advice, two measures of it chosen."""
    made = estimate(hardware="V100", count=8, hours=20, zone="DE")
    return kept(made, advise(made, only_zones=["FR"], chosen=["region", "power_cap"]))


@pytest.mark.parametrize("format", ["text", "md", "html"])
def test_each_form_lists_what_saves(plan: Footprint, format: str) -> None:
    """Each measure with its share stands in the report, and what was chosen with the product."""
    text = re.sub(r"\s+", " ", report.render(plan, format))
    assert "What would make the next run emit less" in text
    for one in advised(plan):
        assert one.name.replace("_", " ") in text and percent(one.share.value) in text
    together = plan.plan["advice"]["predicted_share"]["value"]
    assert f"Chosen: region, power cap, which together save {percent(together)}" in text


def test_kept_advice_is_that_which_was_made(plan: Footprint) -> None:
    """What a record keeps comes back with the same numbers, time and evidence, also through JSON."""
    bare = dataclasses.replace(plan, plan=None)
    again = Footprint.from_json(plan.to_json())
    made = of_measures(advise(bare, only_zones=["FR"]).measures)
    assert [one.name for one in advised(again)] == [one.name for one in made]
    for one, other in zip(advised(again), made, strict=True):
        assert (one.share.value, one.share.low, one.share.high) == (
            other.share.value,
            other.share.low,
            other.share.high,
        )
        assert one.kg.value == other.kg.value
        assert (one.action[:60], one.time_factor, one.wait_h, one.tier) == (
            other.action[:60],
            other.time_factor,
            other.wait_h,
            other.tier,
        )


def test_page_draws_the_measures(plan: Footprint) -> None:
    """A bar and an interval for each measure, and a text for those who cannot see it."""
    drawn = charts.measures_kept(plan).to_dict()
    rows = next(iter(drawn["datasets"].values()))
    assert [row["measure"] for row in rows] == [one.name.replace("_", " ") for one in advised(plan)]
    assert rows[0]["words"] in drawn["description"]
    assert "Saving of each measure alone" in report.render(plan, "html")


def test_what_following_it_saved_stands_beside_the_promise(plan: Footprint) -> None:
    """The move to France: predicted and measured share in one table, with the verdict."""
    after = estimate(hardware="V100", count=8, hours=20, zone="FR")
    made = score(after, plan)
    text = re.sub(r"\s+", " ", report.render(scored(after, made), "md"))
    assert "What following the advice saved" in text
    assert f"Followed: region, power cap. {made.verdict[0].upper()}{made.verdict[1:]}." in text
    assert percent(made.predicted_share.value) in text and percent(made.measured_share.value) in text


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        {"measures": "all"},
        {"measures": [None, 1, "x", {}, {"name": "region"}]},
        {"measures": [{"name": "", "saving_share": {"value": 0.5}}]},
        {"measures": [{"name": "x", "saving_share": {"value": float("nan")}}]},
        {"measures": [{"name": "x", "saving_share": {"value": 7.0}}], "chosen": {"a": 1}},
    ],
)
def test_advice_that_cannot_be_read_is_left_out(plan: Footprint, told: Any) -> None:
    """A record may come from anyone: nothing is guessed, and nothing fails."""
    strange = dataclasses.replace(plan, plan={"advice": told}, savings={"advice": told})
    assert "emit less" not in report.render(strange, "md")
    assert "following the advice" not in report.render(strange, "md")
    assert charts.measures_kept(strange) is None


def test_hostile_words_stay_words(plan: Footprint) -> None:
    """Letters that a terminal or a page would obey are shown, or taken out."""
    entry = {
        "name": "<script>\x1b[31m",
        "action": "x|y\n{{ 1 }}",
        "tier": "\u202e",
        "saving_share": {"value": 0.5, "low": 0.4, "high": 0.6},
        "time_factor": -3,
    }
    strange = dataclasses.replace(plan, plan={"advice": {"measures": [entry], "chosen": ["[bold]"] * 99}})
    page = report.render(strange, "html")
    assert "<script>" not in page and "\x1b" not in page
    assert "\x1b" not in report.render(strange, "text") and "x|y\n" not in report.render(strange, "md")


def test_a_record_without_advice_has_no_section(read: Any) -> None:
    """Nothing is said of an advice that nobody asked for."""
    assert "emit less" not in report.render(read("laptop"), "md")


def test_one_chosen_measure_saves_alone(plan: Footprint) -> None:
    """Nothing is together where one measure was chosen."""
    told = {**plan.plan["advice"], "chosen": ["region"]}
    text = report.render(dataclasses.replace(plan, plan={"advice": told}), "md")
    assert "Chosen: region, which saves " in text and "together" not in text.partition("\n| Measure")[0]
