"""Files of other tools at the hub's page: looked at, published once, with what is to know of them."""

from __future__ import annotations

import html

import pytest
from starlette.testclient import TestClient

from tests.hub.test_files import HTML, _upload
from tests.importers.examples import EXAMPLES, Example


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.form for example in EXAMPLES])
def test_file_of_a_tool_is_published_once(client: TestClient, example: Example) -> None:
    """Looking stores nothing, publishing twice stores it once, and its page tells its warnings."""
    looked = _upload(client, example.name, example.text, do="look")
    assert looked.status_code == 200
    assert "1 record, 0 rows left out" in looked.text
    assert client.get("/api/v1/footprints").json()["items"] == []
    for _ in range(2):
        assert _upload(client, example.name, example.text).status_code == 200
    (item,) = client.get("/api/v1/footprints").json()["items"]
    assert item["tool"] == example.form
    page = client.get(f"/footprints/{item['id']}", headers=HTML)
    assert page.status_code == 200
    told = [html.escape(warning, quote=False)[1:25] for warning in item["warnings"]]
    assert all(start in page.text.replace("&#39;", "'") for start in told)


@pytest.mark.parametrize("example", [one for one in EXAMPLES if one.form in ("mlflow", "wandb", "zeus")])
def test_file_without_a_place_gets_that_of_the_form(client: TestClient, example: Example) -> None:
    """Energy of accelerators times the grid of France; without it there are no emissions."""
    _upload(client, example.name, example.text, zone="FR")
    (item,) = client.get("/api/v1/footprints").json()["items"]
    assert item["place"]["zone"] == "FR"
    assert 0.005 < item["emissions_kg"]["value"] / (example.energy_kwh or 1.0) < 0.1


def test_page_lists_every_format(client: TestClient) -> None:
    """With words for each."""
    page = client.get("/upload", headers=HTML).text
    for example in EXAMPLES:
        assert f'<option value="{example.form}"' in page
