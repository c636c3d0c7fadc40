"""Rewards for efficiency: awards by carbon and by energy, on the page of the record that won, and as a badge."""

from __future__ import annotations

from html import unescape
from typing import Any
from xml.etree import ElementTree

import pytest
from starlette.testclient import TestClient

from sootprint.core.records import Model, Place, Result
from sootprint.hub.insight import awards
from tests.hub.test_insight import _run
from tests.hub.test_pages import HTML

YEAR = {"started": "2024-05-01T00:00:00Z"}


def _net(name: str, value: float, *, kwh: float, kg: float, zone: str) -> dict[str, Any]:
    """A run of 2024 with both costs and their intervals of a tenth."""
    made = _run(0, value=value, model=Model(name=name), place=Place(zone=zone, country=zone), **YEAR)
    scale = kwh / made["energy_kwh"]["value"]
    for part in made["components"]:
        for bound in ("value", "low", "high"):
            part["energy_kwh"][bound] *= scale
    made["energy_kwh"] = {"value": kwh, "low": 0.9 * kwh, "high": 1.1 * kwh, "basis": "sensor"}
    made["emissions_kg"] = {"value": kg, "low": 0.9 * kg, "high": 1.1 * kg, "basis": "derived"}
    return made


@pytest.fixture
def nets(client: TestClient) -> dict[str, dict[str, Any]]:
    """Three nets near the best: one on a clean grid, one that needs little energy on a dirty one, and the best."""
    listed = {
        "Clean": _net("Clean", 79.5, kwh=120.0, kg=4.8, zone="SE"),
        "Lean": _net("Lean", 79.2, kwh=40.0, kg=15.2, zone="DE"),
        "Best": _net("Best", 80.0, kwh=200.0, kg=76.0, zone="DE"),
    }
    answer = client.post("/api/v1/footprints", json=list(listed.values())).json()
    assert answer == {"accepted": 3, "duplicate": 0, "rejected": []}
    return listed


def _text(client: TestClient, path: str, **given: Any) -> str:
    return unescape(client.get(path, params=given, headers=HTML).text)


def test_a_clean_grid_wins_by_carbon_and_little_energy_by_energy(
    client: TestClient, nets: dict[str, dict[str, Any]]
) -> None:
    """Who trains in Sweden wins the one award; what needs a third of the energy wins the other."""
    engine = client.app._hub.engine  # type: ignore[attr-defined]
    for name, winner in (("carbon", "Clean"), ("energy", "Lean")):
        (found,) = awards.awards(engine, 2024, 2, awards.COSTS[name])
        assert [row["model"] for row in found.winners] == [winner]
        page = _text(client, "/award", year=2024, within=2, by=name)
        table = page[page.index("<tbody") : page.index("</tbody>")]
        assert f">{winner}</a>" in table and ">Best</a>" not in table
        assert f"Least {name} near the best, 2024" in page
    assert "Energy (90 %)" in _text(client, "/award", year=2024, by="energy")
    assert client.get("/award", params={"by": "price"}, headers=HTML).status_code == 422


def test_the_page_of_a_winner_tells_its_award(client: TestClient, nets: dict[str, dict[str, Any]]) -> None:
    """Each winner has its award on its page and a badge of it; the best by quality alone has neither."""
    clean, lean, best = (_text(client, f"/footprints/{one['id']}") for one in nets.values())
    assert "<strong>Least carbon</strong> of 2024 within 2 % of the best Top-1 on ImageNet" in clean
    assert "<strong>Least energy</strong> of 2024" in lean and "Least carbon" not in lean
    assert "award.svg" not in best and "within 2 % of the best" not in best
    answer = client.get(f"/badges/{nets['Lean']['id']}.award.svg")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    words = " ".join(ElementTree.fromstring(answer.text).itertext())
    assert "Least energy 2024" in words and "Top-1 on ImageNet" in words
    assert client.get(f"/badges/{nets['Best']['id']}.award.svg").status_code == 404


def test_an_award_goes_with_what_it_was_given_for(
    client: TestClient, nets: dict[str, dict[str, Any]]
) -> None:
    """A leaner record takes the award over; the earlier version of a winner does not show it."""
    won = nets["Lean"]
    assert "Least energy" in _text(client, f"/footprints/{won['id']}")
    client.app._hub.kept._known.clear()  # type: ignore[attr-defined]
    leaner = _net("Leaner", 79.3, kwh=25.0, kg=9.5, zone="DE")
    assert client.post("/api/v1/footprints", json=leaner).json()["accepted"] == 1
    client.app._hub.kept._known.clear()  # type: ignore[attr-defined]
    assert "Least energy" not in _text(client, f"/footprints/{won['id']}")
    assert "Least energy" in _text(client, f"/footprints/{leaner['id']}")
    assert client.get(f"/badges/{won['id']}.award.svg").status_code == 404


def test_a_shared_award_says_so(client: TestClient, nets: dict[str, dict[str, Any]]) -> None:
    """Energies that cannot be told apart share it, and each page says with how many."""
    near = _net("Near", 79.1, kwh=42.0, kg=16.0, zone="DE")
    client.post("/api/v1/footprints", json=near)
    client.app._hub.kept._known.clear()  # type: ignore[attr-defined]
    for one in (near, nets["Lean"]):
        assert "an award that it shares with 1 other" in _text(client, f"/footprints/{one['id']}")


def test_names_of_a_leaderboard_stay_words_in_a_badge(client: TestClient) -> None:
    """What others call their metric is text in the drawing, and a long name is cut."""
    board = {"task": "T", "dataset": "<b>&'\"" + "x" * 90, "metric": "Top-1"}
    runs = [
        {**_net(name, value, kwh=kwh, kg=0.04 * kwh, zone="SE"), "results": [Result(**board, value=value)]}
        for name, value, kwh in (("A", 80.0, 50.0), ("B", 79.9, 90.0))
    ]
    sent = {"kind": "quality", "split": None, **board}
    plain = [{**run, "results": [{**sent, "value": run["results"][0].value}]} for run in runs]
    assert client.post("/api/v1/footprints", json=plain).json()["accepted"] == 2
    svg = client.get(f"/badges/{runs[0]['id']}.award.svg").text
    told = ElementTree.fromstring(svg)
    assert "Top-1 on <b>&'\"" in "".join(told.itertext()) and len(svg) < 2_000
