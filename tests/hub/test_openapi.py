"""The API against its own description: no input whatever makes it fail."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from starlette.testclient import TestClient

from sootprint.hub import database, formats, reading
from sootprint.hub.app import application, unguarded
from sootprint.hub.files import dumps
from tests.hub import records
from tests.hub.conftest import emptied, hub

ROUTES = [
    (method, path)
    for path, methods in unguarded(hub(database.connect(database.url_of("sqlite://", Path()))))
    .openapi()["paths"]
    .items()
    for method in methods
]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def api(
    request: pytest.FixtureRequest, _sqlite_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Any, str]]:
    """The API's description with a hub behind it on either database, and the id of a record that is there."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("api") / "hub.sqlite"
        shutil.copy(_sqlite_file, path)
        engine = database.connect(database.url_of(f"sqlite:///{path}", path.parent))
    else:
        engine = request.getfixturevalue("_postgres")
        emptied(engine)
    made = dataclasses.replace(hub(engine), hosts=frozenset({"testserver"}))
    app, one = application(made), records.trained(76.0, kg=5.5)
    with TestClient(app) as client:
        assert client.post("/api/v1/footprints", json=one).json()["accepted"] == 1
        assert client.post(f"/api/v1/live/{one['id']}/minutes", json={}).status_code == 200
    yield schemathesis.openapi.from_asgi("/api/v1/openapi.json", app), one["id"]
    if request.param == "sqlite":
        engine.dispose()


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nothing_makes_the_api_fail(api: tuple[Any, str], method: str, path: str) -> None:
    """What the description allows, and what it forbids, gets an answer below 500, of a record that is there, too."""
    described, key = api
    operation = described[path][method]
    wrong = operation.as_strategy(schemathesis.GenerationMode.NEGATIVE)
    both = operation.as_strategy() | wrong

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=both)
    def tried(case: Any) -> None:
        asked = [case.path_parameters]
        if "{" in path and method == "get":  # of a made-up id there is nothing, whatever else is asked
            asked.append(dict.fromkeys(case.path_parameters, key))
        for case.path_parameters in asked:
            answer = case.call()
            assert answer.status_code < 500, answer.text

    tried()


def test_every_route_is_documented() -> None:
    """The reference page has the routes and parameters of the description, and no others."""
    page = (Path(__file__).resolve().parents[2] / "docs/reference/hub-api.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `([A-Z]+) (/api\S+)` \|", page, re.MULTILINE))
    assert named == {(method.upper(), path) for method, path in ROUTES}
    parameters = set(reading.FILTERS) | {"limit", "cursor", "order", "q", "view"}
    assert [one for one in sorted(parameters) if f"`{one}`" not in page] == []


def test_every_column_of_the_files_is_documented() -> None:
    """The page of the tables has the columns of the CSV and of a release's results, in their order, and no others."""
    page = (Path(__file__).resolve().parents[2] / "docs/reference/hub-data.md").read_text(encoding="utf-8")
    for heading, columns in (("footprints", formats.COLUMNS), ("results", dumps.RESULTS)):
        table = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        first = re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)
        assert [name for cell in first for name in re.findall(r"`(\w+)`", cell)] == list(columns)
