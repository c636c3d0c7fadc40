"""Files of other tools at the hub's page: looked at, published once, with what is to know of them."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.hub.test_files import _upload
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
    assert item["footprint"]["tool"] == example.form if "footprint" in item else True
    page = client.get(f"/footprints/{item['id']}", headers={"Accept": "text/html"})
    assert page.status_code == 200


def test_page_lists_every_format(client: TestClient) -> None:
    """With words for each."""
    page = client.get("/upload", headers={"Accept": "text/html"}).text
    for example in EXAMPLES:
        assert f'<option value="{example.form}"' in page
