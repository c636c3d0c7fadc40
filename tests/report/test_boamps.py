"""A record as a BoAmps report, and back: what the format requires, and what nobody may make up."""

from __future__ import annotations

import dataclasses
import json
import re

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sootprint import Footprint, InputError, Quantity, importers, report
from sootprint.core.records import Component, Hardware, Model, Place, Result, Stage, Work
from sootprint.report.statements import boamps
from tests.report.boamps_rules import REPORT

ID = "019c0000-0000-7000-8000-00000000a009"
TAGS = {"boamps.task": "text generation", "boamps.data": "text", "boamps.infra": "onPremise"}
GPU = Hardware(kind="accelerator", vendor="NVIDIA", name="NVIDIA H100 80GB HBM3", count=8, memory_gb=79.6)


def made(footprint: Footprint, **more: object) -> dict:
    """Report of a record, checked against the format's rules."""
    found = json.loads(boamps.render(footprint, **more))
    jsonschema.validate(found, REPORT)
    return found


def whole(**changes: object) -> Footprint:
    """A record that has all that the format asks for."""
    known = {
        "id": ID,
        "stage": "finetune",
        "tags": TAGS,
        "hardware": (GPU,),
        "energy_kwh": Quantity(value=64.0, low=60.0, high=69.0, basis="derived"),
        "duration_s": 36180.0,
        "started": "2026-11-22T14:03:05.000Z",
        "place": Place(zone="FR", country="FR"),
    }
    return Footprint(**(known | changes))


def test_fields_of_a_measured_run_are_those_of_the_record(read) -> None:
    """Energy in kWh before PUE, seconds, hardware, place, the meters by name, and quality by half the interval."""
    cluster = dataclasses.replace(read("cluster"), tags=TAGS, model=Model(name="m", base="llama", params=8e9))
    found = made(cluster)
    (measure,) = found["measures"]
    assert measure["powerConsumption"] == cluster.energy_kwh.value
    assert measure["measurementDuration"] == 36180.0
    assert measure["measurementDateTime"] == "2026-11-22 14:03:05"
    assert measure["gpuTrackingMode"] == "nvml"
    assert measure["averageUtilizationGpu"] == pytest.approx(0.91)
    assert found["task"]["taskStage"] == "finetuning"
    assert found["task"]["algorithms"] == [
        {
            "trainingType": "transferLearning", "foundationModelName": "llama", "algorithmName": "m",
            "parametersNumber": 8.0, "framework": "torch", "frameworkVersion": "2.13.0",
        }
    ]  # fmt: skip
    assert found["infrastructure"]["components"][0] == {
        "componentName": "NVIDIA H100 80GB HBM3", "componentType": "gpu", "nbComponent": 8, "memorySize": 80,
        "manufacturer": "NVIDIA", "share": 1,
    }  # fmt: skip
    assert found["environment"]["country"] == "France"
    assert found["header"]["publisher"]["confidentialityLevel"] == "public"
    assert (found["header"]["reportStatus"], found["header"]["formatVersion"]) == ("final", "1.1.0")


def test_what_the_format_has_no_field_for_stands_beside_it(read) -> None:
    """Emissions and PUE are under a name of ours, which says so; none of the format's own fields holds them."""
    footprint = dataclasses.replace(read("cluster"), tags=TAGS)
    ours = made(footprint)["sootprint"]
    assert "no field for emissions" in ours["note"]
    assert ours["emissions_kg"]["value"] == footprint.emissions_kg.value
    assert ours["pue"]["value"] == footprint.pue.value


def test_unknown_pue_is_not_written_as_one() -> None:
    """A PUE of 1 that stands for an unknown one is left out."""
    footprint = whole(pue=Quantity(value=1.0, low=1.0, high=1.0), unknown=("pue",))
    assert "pue" not in made(footprint)["sootprint"]


def test_missing_task_is_one_line_with_the_command_that_adds_it(read) -> None:
    """All that is missing is told at once, with one command to copy; nothing is filled in."""
    with pytest.raises(InputError) as told:
        boamps.render(read("laptop"))
    line = str(told.value)
    assert "\n" not in line
    assert (
        "`sootprint tag 0000a001 --stage finetune boamps.task='text classification' boamps.data=text "
        "boamps.infra=onPremise`" in line
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"energy_kwh": None}, "the energy"),
        ({"hardware": ()}, "the devices"),
        ({"unknown": ("hardware.count",)}, "the number of devices"),
        ({"stage": "other"}, "the stage of the task"),
        ({"tags": {}}, "the family of the task, the type of the data, the type of the infrastructure"),
        ({"tags": TAGS | {"boamps.data": "pictures"}}, "boamps.data is 'pictures': BoAmps has tabular"),
        (
            {"tags": TAGS | {"boamps.confidentialty": "secret"}},
            "'boamps.confidentialty' is not one of boamps.task",
        ),
        ({"tags": TAGS | {"boamps.confidentiality": "Secret"}}, "BoAmps has public, internal"),
    ],
)
def test_what_cannot_be_told_is_refused(changes: dict, words: str) -> None:
    """No energy, no hardware, no task, or a tag that the format does not know: one line, no report."""
    with pytest.raises(InputError, match=re.escape(words)):
        boamps.render(whole(**changes))


def test_results_stages_and_tokens_stand_for_what_is_not_tagged() -> None:
    """The tasks of the results are the family, the stages the stage, tokens the data, a cloud the infrastructure."""
    footprint = whole(
        tags={},
        stage="other",
        stages=(Stage(stage="pretrain"), Stage(stage="inference"), Stage(stage="embodied")),
        results=(Result(task="Translation", metric="Accuracy", value=76.1),),
        work=Work(tokens=2e9),
        place=Place(zone="gcp/us-central1", country="US", provider="gcp", region="us-central1"),
    )
    found = made(footprint)
    assert (found["task"]["taskStage"], found["task"]["taskFamily"]) == ("training+inference", "translation")
    assert found["task"]["dataset"] == [{"dataUsage": "input", "dataType": "token", "dataQuantity": 2e9}]
    assert found["task"]["measuredAccuracy"] == pytest.approx(0.761)
    assert found["infrastructure"]["infraType"] == "publicCloud"
    assert found["infrastructure"]["cloudProvider"] == "google"
    assert found["environment"] == {"country": "United States", "location": "us-central1"}


def test_unknown_place_has_no_environment() -> None:
    """The format requires a country in an environment: without one there is none."""
    assert "environment" not in made(whole(place=Place()))


@pytest.mark.parametrize(
    ("low", "high", "quality"),
    [(9.0, 11.0, "high"), (7.5, 12.5, "medium"), (7.4, 12.6, "low"), (1.0, 90.0, "low"), (None, 11.0, None)],
)
def test_quality_is_half_the_interval(low: float | None, high: float, quality: str | None) -> None:
    """10, 25 and 50 % of the value; without an interval there is no quality."""
    assert made(whole(energy_kwh=Quantity(value=10.0, low=low, high=high))).get("quality") == quality


def test_tracking_modes_say_sensor_model_or_nothing() -> None:
    """A sensor by its name, a model by its words, a family that is absent as not tracked or none."""
    energy = Quantity(value=1.0, basis="modelled")
    cpu = Component(component="cpu", meter="cpu", energy_kwh=energy)
    (measure,) = made(whole(components=(cpu,)))["measures"]
    assert measure["cpuTrackingMode"] == "modelled: rated power and utilisation"
    assert measure["gpuTrackingMode"] == "not tracked"
    host = Hardware(kind="cpu", name="Xeon")
    (measure,) = made(whole(components=(cpu,), hardware=(host,)))["measures"]
    assert measure["gpuTrackingMode"] == "none"
    wall = Component(component="wall", meter="redfish", energy_kwh=Quantity(value=1.0, basis="metered"))
    (measure,) = made(whole(components=(wall,)))["measures"]
    assert measure["cpuTrackingMode"] == "at the wall: redfish"


def test_a_correction_says_that_it_is_one() -> None:
    """Corrective where it corrects, unless the tag says another status."""
    assert made(whole(), corrects=True)["header"]["reportStatus"] == "corrective"
    draft = whole(tags=TAGS | {"boamps.status": "draft"})
    assert made(draft, corrects=True)["header"]["reportStatus"] == "draft"


def test_unicode_quotes_and_controls_stay_texts() -> None:
    """Names of any script and quotes are kept; what moves a cursor is a blank; the JSON is UTF-8."""
    name = 'Müller\'s "模型" \x1b[31m \ud800'
    text = boamps.render(whole(name=name, project=name, tags=TAGS | {"boamps.publisher": name}))
    assert text.encode("utf-8")
    assert json.loads(text)["header"]["publisher"]["name"] == 'Müller\'s "模型"  [31m  '


def test_report_gives_it_as_json_alone() -> None:
    """The format of the report is JSON in whatever file, and no text."""
    assert json.loads(report.render(whole(), "boamps"))["measures"]
    with pytest.raises(InputError, match="BoAmps is JSON, not md"):
        report.render(whole(), "boamps", shape="md")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(footprint=st.from_type(Footprint))
def test_any_record_is_a_valid_report_or_is_refused_in_one_line(footprint: Footprint) -> None:
    """Whatever a record holds, what comes out keeps the format's rules, or one line says what is missing."""
    footprint = dataclasses.replace(footprint, tags=TAGS)
    try:
        made(footprint)
    except InputError as err:
        assert "BoAmps requires what this record does not tell" in str(err)
        assert "\n" not in str(err)


DEVICES = st.builds(
    Hardware,
    kind=st.sampled_from(["accelerator", "cpu", "dram", "storage", "network", "node"]),
    vendor=st.sampled_from([None, "NVIDIA"]),
    name=st.sampled_from(["NVIDIA A100 SXM4 40GB", "Intel Xeon 8480", "8 x y", "DRAM", "模型 x 2"]),
    count=st.integers(1, 10_000),
    memory_gb=st.sampled_from([None, 16.0, 79.6, 2048.0]),
)
PLACES = st.sampled_from(
    [
        Place(zone="FR", country="FR"), Place(zone="US-WA", country="US", subdivision="US-WA"), Place(),
        Place(zone="gcp/us-central1", country="US", provider="gcp", region="us-central1"),
        Place(zone="aws/eu-north-1", country="SE", provider="aws", region="eu-north-1"),
        Place(zone="CA-QC", country="CA", subdivision="CA-QC"),
    ]
)  # fmt: skip


def test_device_that_is_named_like_its_count_keeps_its_name() -> None:
    """Others write "8 x A100" for eight A100; a report of ours has the name alone."""
    footprint = whole(hardware=(Hardware(kind="gpu", vendor=None, name="8 x y", count=8, memory_gb=None),))
    (back,) = importers.read(boamps.render(footprint), name="report.json").records
    assert (back.hardware[0].name, back.hardware[0].count) == ("8 x y", 8)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    kwh=st.floats(1e-9, 1e9),
    ratios=st.sampled_from([None, (0.95, 1.05), (0.8, 1.2), (0.4, 3.0)]),
    duration_s=st.none() | st.floats(1e-3, 1e9),
    started=st.sampled_from([None, "2024-02-29T23:59:59Z", "2026-11-22T14:03:05.000Z"]),
    hardware=st.lists(DEVICES, min_size=1, max_size=4).map(tuple),
    place=PLACES,
    stage=st.sampled_from(["pretrain", "finetune", "search", "distil", "evaluate", "data", "inference"]),
)
def test_there_and_back_keeps_energy_duration_hardware_and_place(
    kwh: float, ratios: tuple | None, duration_s: float | None, started: str | None, hardware: tuple, place: Place,
    stage: str,
) -> None:  # fmt: skip
    """BoAmps to a record and to BoAmps again is the same measure, hardware, place, stage and quality."""
    low, high = (None, None) if ratios is None else (kwh * ratios[0], kwh * ratios[1])
    footprint = whole(
        energy_kwh=Quantity(value=kwh, low=low, high=high), duration_s=duration_s, started=started,
        hardware=hardware, place=place, stage=stage, emissions_kg=Quantity(value=1.5, low=1.0, high=2.0),
    )  # fmt: skip
    first = boamps.render(footprint)
    (back,) = importers.read(first, name="report.json").records
    assert (back.place.zone, back.duration_s, back.stage) == (place.zone, duration_s, stage)
    assert (back.emissions_kg.value, back.emissions_kg.low, back.emissions_kg.high) == (1.5, 1.0, 2.0)
    assert (back.energy_kwh.value, back.energy_kwh.low, back.energy_kwh.high) == (kwh, low, high)
    assert back.tags == footprint.tags | {"boamps.confidentiality": "public"}
    second = made(back)
    for name in ("infrastructure", "environment", "quality"):
        assert second.get(name) == json.loads(first).get(name), name
    kept = ("powerConsumption", "measurementDuration", "measurementDateTime", "measurementMethod")
    told = json.loads(first)["measures"][0]
    assert {name: second["measures"][0].get(name) for name in kept} == {name: told.get(name) for name in kept}
    assert second["task"]["taskStage"] == json.loads(first)["task"]["taskStage"]


def test_there_and_back_keeps_every_quantity_and_the_boundary() -> None:
    """What the format has no field for comes back with its bounds, also where quality says no more than low."""
    names = (
        "energy_kwh", "emissions_kg", "market_based_kg", "embodied_kg", "intensity_g_per_kwh", "water_l",
        "device_hours", "pue",
    )  # fmt: skip
    told = {name: Quantity(value=2.0 + index, low=1.0, high=90.0) for index, name in enumerate(names)}
    first = boamps.render(whole(boundary="facility", **told))
    assert json.loads(first)["quality"] == "low"
    (back,) = importers.read(first, name="report.json").records
    for name, one in told.items():
        found = getattr(back, name)
        assert (found.value, found.low, found.high) == (one.value, one.low, one.high), name
    assert back.boundary == "facility"


def test_energy_that_was_corrected_in_a_report_of_ours_counts() -> None:
    """The field of the format is what others read and mend: ours beside it then gives no bounds to another number."""
    report = json.loads(boamps.render(whole(energy_kwh=Quantity(value=64.0, low=60.0, high=69.0))))
    report["measures"][0]["powerConsumption"] = 6.4
    (back,) = importers.read(json.dumps(report), name="report.json").records
    assert back.energy_kwh.value == 6.4
    assert (back.energy_kwh.low, back.energy_kwh.high) == pytest.approx((6.4 * 0.9, 6.4 * 1.1))


def test_power_of_an_estimate_is_no_utilisation() -> None:
    """The format asks for the mean busy share; what an estimate states is its power over the rated one."""
    part = Component(
        component="accelerator:0", meter="estimate", energy_kwh=Quantity(value=64.0), utilisation=0.3
    )
    (planned,) = made(whole(components=(part,)))["measures"]
    (measured,) = made(whole(components=(dataclasses.replace(part, meter="nvml"),)))["measures"]
    assert "averageUtilizationGpu" not in planned and measured["averageUtilizationGpu"] == 0.3
