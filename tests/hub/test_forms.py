"""The full form: what a paper states is kept as a claim, what it does not say stays unknown; and venues at the hub."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from sootprint.core.errors import InputError
from sootprint.hub import forms, full_form
from tests.hub.test_people import HTML, seal_of

BLOOM = {
    "model": "BLOOM", "params": "176e9", "hardware": "A100", "count": "384", "hours": "2828", "zone": "FR",
    "energy_kwh": "433196", "energy_kwh_low": "420000", "energy_kwh_high": "440000", "task_1": "Language modelling",
    "metric_1": "Perplexity", "value_1": "8.1", "metric_2": "Bias", "value_2": "0.3", "task_2": "Language modelling",
    "kind_2": "fairness", "arxiv": "2211.02001", "third_party": "1", "boundary": "node", "tokens": "366e9",
}  # fmt: skip


def test_full_form_is_looked_at_published_and_checked(client: TestClient) -> None:
    """From the form to the record with its claims, and to what a venue misses in it."""
    seal = seal_of(client, "/submit/full")
    looked = client.post("/submit/full", data={**BLOOM, "seal": seal, "do": "look"}, headers=HTML)
    assert "How it will read" in looked.text
    assert 'value="176e9"' in looked.text
    assert client.get("/api/v1/footprints").json()["items"] == []
    done = client.post("/submit/full", data={**BLOOM, "seal": seal, "do": "publish"}, headers=HTML)
    key = done.url.path.rpartition("/")[2]
    record = client.get(f"/api/v1/footprints/{key}").json()
    assert record["energy_kwh"] == {"value": 433196.0, "low": 420000.0, "high": 440000.0, "basis": "claimed"}
    assert record["emissions_kg"]["basis"] == "derived"
    assert [one["kind"] for one in record["results"]] == ["quality", "fairness"]
    assert (record["model"]["params"], record["work"]["tokens"]) == (176e9, 366e9)
    page = client.get(f"/footprints/{key}/check", headers=HTML).text
    assert "Nothing that is required is missing" in page
    found = client.get(f"/api/v1/footprints/{key}/check", params={"venue": "journal"}).json()
    assert found["passes"] is False
    assert client.get(f"/footprints/{key}/check?venue=none", headers=HTML).status_code == 404
    assert "Journal: carbon statement" in client.get("/venues", headers=HTML).text
    refused = client.post("/submit/full", data={**BLOOM, "do": "publish"}, headers=HTML)
    assert refused.status_code == 403  # no seal


def test_short_form_takes_the_split_of_a_result() -> None:
    """It would be on a leaderboard of its own beside those that it is to be compared with, else."""
    given = {"hardware": "A100", "count": "8", "hours": "48", "zone": "FR", "model": "Paper-Net"}
    given |= {
        "task": "Image Classification",
        "dataset": "ImageNet",
        "metric": "Top-1 accuracy",
        "value": "76.1",
    }
    made = forms.record_of({**given, "split": "validation"})
    assert made.results[0].split == "validation"
    assert forms.given_of(made)["split"] == "validation"
    assert forms.record_of(given).results[0].split is None


def test_claim_alone_is_a_record_without_what_it_does_not_say() -> None:
    """No hardware and no hours: the stated emissions, grade E, and the rest unknown."""
    made = full_form.record_of({"model": "m", "emissions_kg": "1287.5", "zone": "FR"})
    assert made.emissions_kg is not None
    assert (made.emissions_kg.value, made.emissions_kg.basis, made.grade) == (1287.5, "claimed", "E")
    assert (made.energy_kwh, made.hardware, made.place.zone) == (None, (), "FR")
    assert "energy_kwh" in made.unknown
    assert "emissions_kg" not in made.unknown


def test_emissions_of_an_energy_without_bounds_have_none() -> None:
    """A stated energy without an interval gives emissions without one; with bounds it gives one."""
    told = {"hours": "4", "hardware": "A100", "zone": "FR", "energy_kwh": "5"}
    bare = full_form.record_of(told).emissions_kg
    bounded = full_form.record_of({**told, "energy_kwh_low": "4", "energy_kwh_high": "6"}).emissions_kg
    assert bare is not None
    assert bounded is not None
    assert (bare.low, bare.high) == (None, None)
    assert bare.value == pytest.approx(bounded.value)
    assert bounded.low is not None
    assert bounded.low < 0.8 * bounded.value  # 4 of 5 kWh at the least of the grid and the overhead


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"hours": "many", "hardware": "A100"}, "hours"),
        ({"hours": "4", "hardware": "Nonesuch 9000"}, "hardware"),
        ({"hours": "4", "hardware": "TPU v5e"}, "power_w"),
        ({"hours": "4", "hardware": "A100", "zone": "Nowhereland"}, "zone"),
        ({"hours": "4", "hardware": "A100", "pue": "0.2"}, "pue"),
    ],
)
def test_error_stands_beside_its_field_and_names_no_option(
    client: TestClient, given: dict[str, str], field: str
) -> None:
    """The form keeps what was typed, marks the field and tells it there; the API names its own fields."""
    page = client.get("/submit", params=given, headers=HTML)
    assert page.status_code == 400
    marked = re.search(
        r'<input name="(\w+)"[^>]*aria-invalid="true" aria-describedby="wrong" autofocus', page.text
    )
    assert marked is not None
    assert marked[1] == field
    assert all(f'value="{value}"' in page.text for value in given.values())
    told = page.text.partition('id="wrong">')[2].partition("<")[0]
    answer = client.post("/api/v1/estimate", json=given)
    assert answer.status_code in (400, 422)
    assert told
    assert not any(one in f"{told} {answer.text}" for one in ("--", "sootprint.toml", "`sootprint"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "give hardware and hours, or the energy"),
        ({"energy_kwh": "1,287"}, "energy_kwh is '1,287': .* without commas"),
        ({"energy_kwh": "-1"}, "at least 0"),
        ({"energy_kwh": "nan"}, "energy_kwh is 'nan'"),
        ({"energy_kwh": "5", "energy_kwh_low": "6", "energy_kwh_high": "7"}, "outside its bounds"),
        ({"energy_kwh": "5", "energy_kwh_low": "4"}, "one bound"),
        ({"energy_kwh": "5", "metric_1": "Top-1"}, "result 1 needs"),
        ({"energy_kwh": "5", "stage": "party"}, "stage is 'party'"),
        ({"energy_kwh": "5", "scope": "all"}, "scope is 'all'"),
    ],
)
def test_field_that_cannot_be_used_is_named(given: dict[str, str], words: str) -> None:
    """One line names the field, its value and the rule; 1,287 means two things in two countries."""
    with pytest.raises(InputError, match=words):
        full_form.record_of(given)


@pytest.mark.parametrize("path", ["/submit", "/submit/full"])
def test_form_that_is_sent_twice_makes_one_record(client: TestClient, path: str) -> None:
    """A double click, or the way back and the button again; a change, or a new page of the form, is another record."""
    given = {"hardware": "A100", "count": "8", "hours": "48", "zone": "FR", "model": "Once", "do": "publish"}

    def sent(form: dict[str, str]) -> str:
        answer = client.post(path, data=form, headers=HTML, follow_redirects=False)
        assert answer.status_code == 303
        return str(answer.headers["location"])

    def page() -> dict[str, str]:
        text = client.get(path, params={"hardware": "A100", "hours": "48"}, headers=HTML).text
        return {name: re.search(rf'name="{name}" value="([^"]+)"', text)[1] for name in ("seal", "once")}  # type: ignore[index]

    first = page()
    places = [sent({**given, **first}) for _ in range(2)]
    assert places[0] == places[1]
    others = {sent({**given, **first, "hours": "49"}), sent({**given, **page()}), *places}
    assert len(others) == 3
    assert len(client.get("/api/v1/footprints").json()["items"]) == 3
    assert sent({**given, "seal": first["seal"], "once": "no id"}) not in others


def test_text_that_is_too_long_is_refused_and_not_cut() -> None:
    """Whoever sends more than the form lets in is told so; 200 letters of any script are no more than that."""
    told = {"hours": "4", "hardware": "A100", "zone": "FR"}
    for made in (forms.record_of, full_form.record_of):
        with pytest.raises(InputError, match="model has 201 letters: it has at most 200"):
            made({**told, "model": "m" * 201})
        found = made({**told, "model": " " + "模" * 200 + "\n"}).model
        assert found is not None
        assert found.name == "模" * 200


def test_full_form_of_another_day_keeps_what_was_typed(client: TestClient) -> None:
    """A browser that has lost its cookie gets the form again with all its fields, and with a seal that holds."""
    stale = {**BLOOM, "seal": "0" * 64, "do": "publish"}
    again = client.post("/submit/full", data=stale, headers=HTML)
    assert (again.status_code, 'value="176e9"' in again.text) == (403, True)
    seal = re.search(r'name="seal" value="([0-9a-f]{64})"', again.text)
    assert seal is not None
    done = client.post("/submit/full", data={**stale, "seal": seal[1]}, headers=HTML, follow_redirects=False)
    assert done.status_code == 303
