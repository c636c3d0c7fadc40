"""SCI, the EU's form and the checklists: numbers by hand, nothing made up, everything missing told with its way out."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sootprint import Factor, Footprint, InputError, Quantity, report
from sootprint.core.merging import merge
from sootprint.core.records import Component, Hardware, Model, Place, Stage, Work
from sootprint.report.statements import checklist, facts, form, numbers, sci

ID = "019c0000-0000-7000-8000-00000000a009"
OTHER = "019c0000-0000-7000-8000-00000000a00a"
STATEMENTS = ("sci", "form", "checklist")
NASTY = "<script>alert(1)</script>\"'|`x` \x1b[31m模型"


def about(
    value: float, low: float | None = None, high: float | None = None, basis: str = "derived"
) -> Quantity:
    """Quantity of a value with bounds."""
    return Quantity(value=value, low=low, high=high, basis=basis)


def data(footprint: Footprint, name: str) -> dict:
    """Plain data of a statement."""
    (found,) = json.loads(report.render(footprint, name, shape="json")).values()
    return found


def scores(footprint: Footprint) -> dict:
    """Scores of a record by their unit."""
    return {one["r_unit"]: one for one in data(footprint, "sci")["scores"]}


def words(footprint: Footprint, name: str, shape: str = "text") -> str:
    """Text of a statement with its lines joined."""
    return " ".join(report.render(footprint, name, shape=shape).split())


WHOLE = Footprint(
    id=ID,
    stage="pretrain",
    name="run",
    boundary="facility",
    model=Model(name="big-2", params=2.5e9),
    work=Work(tokens=1e9, flops=5e22, samples=1e6, steps=1e4),
    energy_kwh=about(1000.0, 900.0, 1100.0),
    pue=about(1.2, 1.2, 1.2, "claimed"),
    intensity_g_per_kwh=about(100.0, 90.0, 110.0),
    emissions_kg=about(120.0, 105.0, 137.0),
    embodied_kg=about(10.0, 5.0, 20.0),
    duration_s=10 * 86_400.0,
    device_hours=about(8 * 240.0, 8 * 240.0, 8 * 240.0),
    hardware=(
        Hardware(kind="accelerator", name="NVIDIA H100", count=8, memory_gb=80.0),
        Hardware(kind="cpu", name="Xeon", count=2),
        Hardware(kind="dram", name="DRAM", memory_gb=512.0),
    ),
    place=Place(zone="FR", country="FR", source="argument"),
    factors=(
        Factor(kind="intensity", key="FR", value=100.0, unit="gCO2e/kWh", method="average, life-cycle, location-based"),
    ),
    grade="B",
)  # fmt: skip
BARE = Footprint(id=ID)


def test_score_is_energy_times_intensity_and_making_over_each_unit() -> None:
    """(120 kg + 10 kg) per token, FLOP, parameter, sample, step and run; E holds the PUE."""
    found = scores(WHOLE)
    for unit, amount in {
        "training token": 1e9, "floating-point operation": 5e22, "parameter": 2.5e9, "sample": 1e6,
        "optimiser step": 1e4, "training run": 1.0,
    }.items():  # fmt: skip
        assert found[unit]["r_value"] == amount
        assert found[unit]["score_g_per_r"]["value"] == pytest.approx(130_000.0 / amount)
        assert found[unit]["operational_g_per_r"]["value"] == pytest.approx(120_000.0 / amount)
    score = found["training run"]["score_g_per_r"]
    assert 110_000.0 <= score["low"] < 130_000.0 < score["high"] <= 157_000.0
    terms = data(WHOLE, "sci")
    assert terms["e_kwh"]["value"] == pytest.approx(1200.0)
    assert (terms["i_g_per_kwh"]["value"], terms["m_g"]["value"]) == (100.0, 10_000.0)


@pytest.mark.parametrize(
    ("kg", "work", "model", "said"),
    [
        (130.0, Work(tokens=1e9), None, "130 g CO2e per million training tokens"),
        (200_000.0, Work(flops=5e22), None, "4.00 kg CO2e per 10^18 FLOP"),
        (75_000.0, None, Model(params=2.5e9), "30.0 t CO2e per billion parameters"),
    ],
)
def test_examples_of_the_specification_are_not_a_thousand_times_off(
    kg: float, work: Work | None, model: Model | None, said: str
) -> None:
    """SCI for AI's own examples give 0.13 g, 4 g and 30 kg for these, each a thousandth of what it is."""
    footprint = Footprint(
        id=ID, work=work, model=model, emissions_kg=about(kg, kg, kg), embodied_kg=about(0.0, 0.0, 0.0)
    )
    assert said in words(footprint, "sci")


def test_unknown_making_is_unknown_and_the_score_at_least_the_rest() -> None:
    """Without M there is no score; the operational part is given as the least, and the text says what that means."""
    footprint = dataclasses.replace(WHOLE, embodied_kg=None)
    found = data(footprint, "sci")
    assert found["m_g"] is None
    assert {one["score_g_per_r"] for one in found["scores"]} == {None}
    token = scores(footprint)["training token"]
    assert token["operational_g_per_r"]["value"] == pytest.approx(1.2e-4)
    assert token["in_words"] == "at least 120 g CO2e per million training tokens"
    text = words(footprint, "sci")
    assert "M is unknown, which is not 0" in text
    assert "sootprint predict" in text
    assert not re.search(r"\bM\s+0\b", text)


def test_unknown_emissions_give_no_score() -> None:
    """A record without energy has no number in its scores, and says what is missing."""
    (run,) = data(BARE, "sci")["scores"]
    assert (run["score_g_per_r"], run["operational_g_per_r"], run["in_words"]) == (None, None, "not known")
    assert "there is no score" in words(BARE, "sci")


def test_market_based_intensity_is_refused() -> None:
    """Certificates and offsets are no location-based intensity; the checklist says so and goes on."""
    bought = Factor(
        kind="intensity", key="contract", value=0.0, unit="gCO2e/kWh", method="market-based, certificates"
    )
    footprint = dataclasses.replace(WHOLE, factors=(bought,))
    with pytest.raises(InputError, match="location-based intensity only") as told:
        report.render(footprint, "sci")
    assert "\n" not in str(told.value)
    text = words(footprint, "checklist")
    assert "No score can be given" in text and "1,920 accelerator hours" in text


def test_market_based_total_is_no_part_of_a_score() -> None:
    """A market-based total beside the location-based one changes no score, and is said not to."""
    footprint = dataclasses.replace(WHOLE, market_based_kg=about(0.0, 0.0, 0.0))
    assert scores(footprint) == scores(WHOLE)
    assert "market-based total; it is no part of the score" in words(footprint, "sci")


def test_score_of_a_run_is_effective_and_of_a_project_gross() -> None:
    """A final run lacks failed ones, which is said; a project's total has them."""
    assert data(WHOLE, "sci")["gross_or_effective"] == "effective"
    assert "Failed and intermediate runs are absent" in words(WHOLE, "sci")
    whole = dataclasses.replace(WHOLE, scope="project_total")
    assert data(whole, "sci")["gross_or_effective"] == "gross"
    assert "Failed and intermediate runs are absent" not in words(whole, "sci")


def test_making_is_told_with_the_terms_that_the_record_has() -> None:
    """TE, TiR, EL and the shares come from the factors; without them they are null."""
    made = (
        Factor(kind="embodied", key="H100", value=164.0, unit="kgCO2e/device"),
        Factor(kind="lifetime", key="prior", value=4.5, unit="a"),
        Factor(kind="busy_share", key="prior", value=0.7),
    )
    found = data(dataclasses.replace(WHOLE, factors=(*WHOLE.factors, *made)), "sci")
    assert found["te_kg_per_device"] == [{"key": "H100", "value": 164.0}]
    assert (found["tir_device_h"], found["el_years"], found["busy_share"]) == (1920.0, 4.5, 0.7)
    assert data(WHOLE, "sci")["te_kg_per_device"] is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (100.4, "1.0x10^2"),
        (8.4e22, "8.4x10^22"),
        (1.2, "1.2x10^0"),
        (9.96, "1.0x10^1"),
        (3e-7, "3.0x10^-7"),
        (0, "0"),
    ],
)
def test_two_figures_are_kept(value: float, said: str) -> None:
    """No figure is lost to a trailing zero, and rounding carries over."""
    assert numbers.two_figures(value) == said


def test_form_has_the_numbers_of_the_run() -> None:
    """10 days on 8 cards are 80 hardware days; 1,000 kWh at a PUE of 1.2 are 1.2 MWh; 5e22 FLOP."""
    found = data(WHOLE, "form")
    assert found["training_time"]["range"] == "less than 1 month"
    assert found["training_time"]["wall_clock_days"] == 10.0
    assert found["training_time"]["hardware_days"] == [
        {"hardware": "NVIDIA H100", "devices": 8, "days": 80.0}, {"hardware": "Xeon", "devices": 2, "days": 20.0},
    ]  # fmt: skip
    assert found["computation"]["answer"] == "5.0x10^22 FLOP"
    assert found["energy"]["answer"] == "1.2x10^0 MWh"
    assert "1.0 MWh of IT energy times a PUE of 1.20 is 1.2 MWh" in found["energy"]["boundary"]
    assert found["missing_information"] == []
    page = report.render(WHOLE, "form")
    assert page.startswith("# Model documentation, training: big-2\n")
    assert "1.2x10^0 MWh" in page


def test_form_without_pue_says_that_the_overhead_is_not_in() -> None:
    """A PUE that is not known is not multiplied in, and the boundary says so."""
    for changes in ({"pue": None}, {"pue": about(1.0, 1.0, 1.0), "unknown": ("pue",)}):
        found = data(dataclasses.replace(WHOLE, boundary="node", **changes), "form")["energy"]
        assert found["energy_mwh"]["value"] == pytest.approx(1.0)
        assert "before the facility's overhead, which is not known and not in it" in found["boundary"]


def test_form_of_a_bare_record_is_na_with_what_is_missing() -> None:
    """Nothing is estimated from nothing: N/A, a note, and no 0."""
    found = data(BARE, "form")
    assert found["training_time"]["range"] == "N/A"
    assert (found["computation"]["answer"], found["energy"]["answer"]) == ("N/A", "N/A")
    assert len(found["missing_information"]) == 4
    assert not re.search(r"\b0(\.0+)? (MWh|FLOP|days)\b", words(BARE, "form"))
    commands = re.findall(r".?`sootprint [^`]*`", report.render(BARE, "form"))
    assert commands
    assert not any(one.startswith("\\") for one in commands)  # they can be copied as they stand


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (0.0, "less than 1 month"), (30.4, "less than 1 month"), (30.5, "1 to 3 months"), (91.2, "1 to 3 months"),
        (91.4, "3 to 6 months"), (182.7, "more than 6 months"), (1e300, "more than 6 months"),
    ],
)  # fmt: skip
def test_training_time_is_one_of_four_ranges(days: float, said: str) -> None:
    """A month is a twelfth of a year."""
    assert form.month_range(days) == said


def test_computation_is_estimated_where_parameters_and_tokens_are_known() -> None:
    """6 x 7e9 x 2e9 = 8.4e19, called an estimate; an adapter's training, inference or a mixture is not so counted."""
    footprint = dataclasses.replace(WHOLE, work=Work(tokens=2e9), model=Model(params=7e9))
    found = data(footprint, "form")["computation"]
    assert found["answer"] == "8.4x10^19 FLOP"
    assert found["methodology"].startswith("estimated as 6 x parameters")
    for changes in (
        {"model": Model(params=7e9, technique="LoRA")}, {"stage": "inference"}, {"work": Work(tokens=0.0)},
        {"model": Model(params=7e9, architecture="moe")}, {"model": Model(params=1.7e308)},
    ):  # fmt: skip
        assert form.computation(dataclasses.replace(footprint, **changes)) is None
    moe = dataclasses.replace(footprint, model=Model(params=7e10, active_params=7e9, architecture="moe"))
    assert form.computation(moe).flop == pytest.approx(8.4e19)


def test_hours_without_a_duration_are_days_of_devices_at_once(read) -> None:
    """1,600 device hours on 16 devices are 100 wall hours, said to be as if all ran at once."""
    footprint = read("estimate")
    found = data(footprint, "form")["training_time"]
    assert found["wall_clock_days"] == pytest.approx(100 / 24)
    assert found["hardware_days"][0]["days"] == pytest.approx(1600 / 24)
    assert "as if all ran at once" in words(footprint, "form")
    counted = dataclasses.replace(footprint, unknown=("hardware.count",))
    assert data(counted, "form")["training_time"]["range"] == "N/A"


def test_methodology_is_about_a_hundred_words(read, record: str) -> None:
    """Of measured and estimated records alike, it has 40 to 130 words and says how the energy was obtained."""
    said = data(read(record), "form")["energy"]["methodology"]
    assert 40 <= len(said.split()) <= 130
    assert facts.obtained(read(record)) in said


def test_measured_estimated_and_stated_are_told_apart(read) -> None:
    """By the share of the energy that a sensor or meter gave."""
    assert facts.obtained(read("cluster")) == "partly measured (87 %), the rest estimated"
    assert facts.obtained(read("estimate")) == "estimated"
    assert (
        facts.obtained(dataclasses.replace(read("estimate"), grade="E")) == "as stated by others, not checked"
    )
    wall = Component(component="wall", meter="redfish", energy_kwh=about(1.0, basis="metered"))
    assert facts.obtained(dataclasses.replace(WHOLE, components=(wall,))) == "measured"


def test_checklist_answers_are_made_of_the_facts() -> None:
    """Devices, memory, hours, energy, emissions and parameters stand in the answers as in the record."""
    found = {one["key"]: one for one in data(WHOLE, "checklist")["answers"]}
    assert found["neurips"]["text"].startswith(
        "The pre-training of big-2 ran on 8 × NVIDIA H100 with 80 GB each, 2 × Xeon, 512 GB of memory."
    )
    for said in (
        "It took 10 d of wall time, which is 1,920 accelerator hours.",
        "drew 1.0 MWh (90 %",
        "emitted 120 kg CO2e",
        "at 100 g CO2e/kWh in FR (France)",
    ):
        assert said in found["neurips"]["text"], said
    assert found["arr"]["text"].startswith(
        "The model big-2 has 2.50 billion parameters. The computational budget was 1,920"
    )
    assert "of this one run" in found["arr"]["text"]
    assert "130 g CO2e per million training tokens" in found["sci"]["text"]
    fields = {one["name"]: one["origin"] for one in data(WHOLE, "checklist")["facts"]}
    assert fields["Place"] == "place.zone: stated for this run"
    assert fields["Energy"].startswith("energy_kwh: ")


@pytest.mark.parametrize(
    ("changes", "neurips", "arr"),
    [
        ({}, "Yes", "Yes"),
        ({"duration_s": None}, "Yes", "Yes"),
        ({"model": None}, "Yes", "No"),
        ({"hardware": ()}, "No", "No"),
        ({"unknown": ("hardware.count",)}, "No", "No"),
        ({"duration_s": None, "device_hours": None}, "No", "No"),
        ({"hardware": (Hardware(kind="accelerator", name="NVIDIA H100", count=8),)}, "No", "Yes"),
        ({"energy_kwh": None, "emissions_kg": None}, "Yes", "Yes"),
    ],
)
def test_checklists_are_answered_yes_or_no_by_what_they_ask_for(
    changes: dict, neurips: str, arr: str
) -> None:
    """NeurIPS asks for workers, memory and time, ARR for parameters, budget and infrastructure: all of it is Yes."""
    footprint = dataclasses.replace(WHOLE, **changes)
    found = {one["key"]: one["answer"] for one in data(footprint, "checklist")["answers"]}
    assert found == {"neurips": neurips, "arr": arr, "itu": None, "sci": None}
    text = report.render(footprint, "checklist")
    asked = text.split("NeurIPS checklist, question 8")[1]
    assert re.match(rf".*\n +Answer: \[{neurips}\]\n\n +Justification: ", asked)
    assert f"Answer: \\[{neurips}\\]\n\nJustification: " in report.render(footprint, "checklist", shape="md")
    assert f"\\answer{neurips}{{}}" in text


def test_unknown_memory_is_said_in_the_justification() -> None:
    """NeurIPS names the memory in its question: where no device has one, the answer says so."""
    bare = dataclasses.replace(WHOLE, hardware=(Hardware(kind="accelerator", name="NVIDIA H100", count=8),))
    (neurips, *_) = data(bare, "checklist")["answers"]
    assert "ran on 8 × NVIDIA H100. The memory is not recorded." in neurips["text"]
    assert "the memory" in neurips["lacks"]
    assert "memory is not recorded" not in words(WHOLE, "checklist")


def test_checklist_in_latex_is_cut_off_by_no_sign() -> None:
    """A percent sign, an underscore and a cross of the answers are LaTeX's; every other line is a comment."""
    footprint = dataclasses.replace(WHOLE, model=Model(name="big_2 & 50%", params=2.5e9))
    made = report.render(footprint, "checklist", shape="tex")
    told = [line for line in made.splitlines() if line and not line.startswith("% ")]
    assert len(told) == 6
    assert told[0] == told[2] == "Answer: [Yes]"
    assert r"of big\_2 \& 50\% ran on 8 $\times$ NVIDIA H100" in told[1]
    assert r"(90 \% interval 0.90 to 1.1 MWh)" in told[1] and r"CO\textsubscript{2}e" in told[1]
    assert all(re.search(r"(?<!\\)[%&#_]", line) is None for line in told)
    with pytest.raises(InputError, match="not LaTeX"):
        report.render(WHOLE, "form", shape="tex")


def test_operational_training_only_is_said_when_that_is_so() -> None:
    """Without stages and without the making of the hardware it is; with either it is not said."""

    def itu(**changes: object) -> str:
        answers = data(dataclasses.replace(WHOLE, **changes), "checklist")["answers"]
        return next(one["text"] for one in answers if one["key"] == "itu")

    assert "Operational training only." in itu(embodied_kg=None)
    assert "Operational training only." not in itu()
    assert "Making the hardware stands beside it with 10 kg CO2e" in itu()
    staged = itu(
        stages=(Stage(stage="data"), Stage(stage="pretrain"), Stage(stage="embodied")), embodied_kg=None
    )
    assert "Stages, operational: pre-training, data preparation." in staged
    assert "Operational training only" not in staged
    assert "Operational inference only" in itu(stage="inference", embodied_kg=None)


def test_what_a_record_lacks_is_listed_once_with_its_option() -> None:
    """A bare record has every way out once; a whole one lacks only what no run can tell."""
    lacks = data(BARE, "checklist")["lacks"]
    assert len({one["what"] for one in lacks}) == len(lacks)
    assert all("`" in one["how"] or "--" in one["how"] or one == checklist.STORAGE._asdict() for one in lacks)
    told = {one["what"] for one in data(WHOLE, "checklist")["lacks"]}
    assert {
        facts.MODEL.what,
        facts.PARAMS.what,
        facts.TIME.what,
        facts.PUE.what,
        facts.PLACE.what,
    }.isdisjoint(told)
    project = dataclasses.replace(WHOLE, scope="project_total")
    assert facts.PROJECT.what not in {one["what"] for one in data(project, "checklist")["lacks"]}


def test_answers_of_a_bare_record_say_that_nothing_is_recorded() -> None:
    """No number is made up for a record that holds none."""
    (neurips, *_) = data(BARE, "checklist")["answers"]
    assert neurips["text"] == (
        "The devices of the run are not recorded. The time that it took is not recorded. Its energy is not recorded. "
        "These numbers are of this one run; preliminary and failed runs of the project are not in them."
    )


def test_energy_of_training_in_a_life_cycle_is_without_inference() -> None:
    """50 of pre-training and 10 of failed runs are 60 kWh of training; data and inference are named as left out."""
    stages = tuple(
        Stage(stage=name, energy_kwh=about(kwh, kwh, kwh))
        for name, kwh in {"data": 5.0, "pretrain": 50.0, "failed": 10.0, "inference": 935.0}.items()
    )
    whole = dataclasses.replace(WHOLE, stages=(*stages, Stage(stage="embodied")), scope="project_total")
    energy = data(whole, "form")["energy"]
    assert energy["energy_mwh"]["value"] == pytest.approx(0.06 * 1.2)
    assert "It holds the stages pre-training, failed." in energy["boundary"]
    assert "nor are the stages data preparation, inference of the record" in energy["boundary"]
    assert "counts for the consumer" in words(whole, "sci")
    assert "with the stages pre-training, failed, data preparation, inference" in words(whole, "checklist")
    unknown = dataclasses.replace(whole, stages=(Stage(stage="pretrain"), stages[-1]))
    assert data(unknown, "form")["energy"]["answer"] == "N/A"


def test_sum_of_nodes_has_the_devices_of_all() -> None:
    """Two nodes of eight cards for ten days: sixteen cards and 160 hardware days, 10 wall-clock days."""
    when = {"started": "2026-01-01T00:00:00Z", "ended": "2026-01-11T00:00:00Z", "run_group": "job"}
    nodes = [
        dataclasses.replace(WHOLE, id=one, node=f"n{index}", model=None, work=None, embodied_kg=None, **when)
        for index, one in enumerate((ID, OTHER))
    ]
    both = merge(nodes)
    found = data(both, "form")
    assert found["training_time"]["wall_clock_days"] == pytest.approx(10.0)
    assert found["training_time"]["hardware_days"][0]["days"] == pytest.approx(160.0)
    assert found["energy"]["answer"] == "2.4x10^0 MWh"
    assert "the sum of the records of 2 nodes or parts" in found["energy"]["methodology"]


@pytest.mark.parametrize("name", STATEMENTS)
def test_nasty_texts_are_shown_and_obeyed_by_none(name: str) -> None:
    """Markup in any text of a record is text in Markdown, and no control character comes out."""
    energy = about(1.0, 0.5, 2.0, "sensor")
    footprint = dataclasses.replace(
        WHOLE, name=NASTY, project=NASTY, model=Model(name=NASTY), tool=NASTY,
        place=Place(zone=NASTY, provider=NASTY, region=NASTY, source=NASTY),
        hardware=(Hardware(kind="accelerator", name=NASTY),),
        components=(Component(component=NASTY, meter=NASTY, energy_kwh=energy),),
        factors=(Factor(kind="intensity", key=NASTY, value=1.0, source=NASTY), Factor(kind="pue", key=NASTY, value=1)),
        stages=(Stage(stage=NASTY),), unknown=(NASTY,),
    )  # fmt: skip
    for shape in ("text", "md", "json"):
        made = report.render(footprint, name, shape=shape)
        assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", made) is None
        if shape == "md":
            assert re.search(r"(?<!\\)<script", made) is None


@pytest.mark.parametrize("name", STATEMENTS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(footprint=st.from_type(Footprint))
def test_any_record_has_a_statement(name: str, footprint: Footprint) -> None:
    """Whatever is unknown, zero, huge or tiny, each shape comes out, names no nan, and reads back as JSON."""
    for shape in ("text", "md", "json", *(["tex"] if name == "checklist" else [])):
        try:
            made = report.render(footprint, name, shape=shape)
        except InputError as err:
            assert name == "sci" and "location-based" in str(err)
            continue
        assert re.search(r"\b(nan|inf)\b", made) is None
        assert made.encode("utf-8") and made.endswith("\n")
        if shape == "json":
            json.loads(made, parse_constant=pytest.fail)


def test_bound_beyond_all_numbers_is_said_and_is_no_inf() -> None:
    """A bound of 1e300 kg beside a value of 1e-15 kg is more micrograms than a number holds."""
    footprint = dataclasses.replace(BARE, emissions_kg=about(1e-15, 0.0, 1e300))
    for name in ("text", "sci"):
        made = report.render(footprint, name)
        assert "0 to over 1e308 µg" in made and "inf" not in made.split()


def test_sci_is_text_form_is_markdown_unless_told_otherwise() -> None:
    """The usual shapes; each can be had as any of the three."""
    assert report.render(WHOLE, "sci").startswith("Software Carbon Intensity: big-2\n")
    assert report.render(WHOLE, "checklist").startswith("Checklist answers: big-2\n")
    assert report.render(WHOLE, "form").startswith("# ")
    assert report.render(WHOLE, "sci", shape="md").startswith("# ")
    assert sci.sci(WHOLE).scores[0].unit == "token"


@pytest.mark.parametrize("name", STATEMENTS)
def test_evidence_that_is_not_told_is_no_bare_claim(name: str) -> None:
    """A record of another program may have no grade: that is not the weakest one."""
    told = words(dataclasses.replace(WHOLE, grade=None), name)
    assert "bare claim" not in told
    assert ("not stated" in told) is (name != "checklist")


@pytest.mark.parametrize("stage", ["inference", "evaluate", "data"])
def test_record_of_no_training_is_stated_as_none(stage: str) -> None:
    """Its energy is not that of a training, its score not per training token, its stage no training."""
    other = dataclasses.replace(WHOLE, stage=stage, embodied_kg=None)
    found = data(other, "form")
    assert (found["energy"]["answer"], found["computation"]["answer"]) == ("N/A", "N/A")
    assert (found["training_time"]["range"], found["training_time"]["hardware_days"]) == ("N/A", [])
    assert len(found["missing_information"]) == 1 and "not of a training" in found["missing_information"][0]
    assert "not of a training" in found["energy"]["boundary"]
    assert set(scores(other)) == {
        "token",
        "floating-point operation",
        "parameter",
        "sample",
        "optimiser step",
        "run",
    }
    assert "training" not in scores(other)["token"]["in_words"]
    itu = next(one for one in data(other, "checklist")["answers"] if one["key"] == "itu")["text"]
    name = {"inference": "inference", "evaluate": "evaluation", "data": "data preparation"}[stage]
    assert f"Stage: {name}. Operational {name} only." in itu
    assert f"Functional unit: one run of {name}." in itu


def test_functional_unit_is_what_the_numbers_are_of() -> None:
    """One run, a project with all of its runs, or a life cycle."""

    def itu(**changes: object) -> str:
        answers = data(dataclasses.replace(WHOLE, **changes), "checklist")["answers"]
        return next(one["text"] for one in answers if one["key"] == "itu")

    assert "Functional unit: one training run." in itu()
    assert "Functional unit: one project with all of its runs." in itu(scope="project_total")
    assert "Functional unit: the life cycle of one model" in itu(stages=(Stage(stage="pretrain"),))


def test_stated_emissions_are_not_told_as_computed_ones() -> None:
    """Of a number on a model card nobody knows the intensity, the overhead, or whether certificates lower it."""
    card = Footprint(id=ID, emissions_kg=about(25.0, basis="claimed"), grade="E", tool="hf-card")
    fields = {one["name"]: one["origin"] for one in data(card, "checklist")["facts"]}
    assert fields["Emissions"] == "emissions_kg: as stated by others"
    assert "Intensity: not told; " in words(card, "sci") and "as stated by others" in words(card, "sci")
    drew = dataclasses.replace(card, energy_kwh=about(50.0, basis="claimed"))
    assert "and emitted 25.0 kg CO2e, as stated by others." in words(drew, "checklist")
    paper = report.render(card, "latex")
    assert "Its energy is not known." in paper and "It ran" not in paper
    assert "Whether the facility's overhead (PUE) is included is not told." in paper
