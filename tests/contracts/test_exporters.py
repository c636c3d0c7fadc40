"""What every exporter must keep; those that need a package of the user are tried in tests/frameworks."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.fixtures import exposition
from tests.fixtures.collector import Collector
from tests.fixtures.exporting import *  # noqa: F403 - the shared tests
from tests.fixtures.exporting import Place, Seen

from sootprint import settings
from sootprint.core.registry import BUILT_IN
from sootprint.core.units import energy_kwh
from sootprint.exporters import opened

ELSEWHERE = {"mlflow", "wandb"}  # tests/frameworks/test_trackers.py


def number(text: str) -> float | None:
    """Number of a cell, None where it is empty."""
    return float(text) if text else None


def file_of(name: str, suffix: str, read: Callable[[str], list[Seen]], tmp_path: Path) -> Place:
    """A place that is a file."""
    path = tmp_path / "deep" / f"runs{suffix}"
    path.parent.mkdir()

    def spoil() -> None:
        path.unlink(missing_ok=True)
        path.mkdir()

    return Place(
        name,
        lambda: opened(f"{name}:{path}", settings.load()),
        lambda: read(path.read_text(encoding="utf-8")),
        spoil,
        lambda: not path.exists(),
    )


def lines_seen(text: str) -> list[Seen]:
    """What a file of JSON lines has."""
    found = [json.loads(line) for line in text.rstrip("\n").split("\n")]
    return [Seen(one["id"], *((one[name] or {}).get("value") for name in Seen._fields[1:])) for one in found]


def rows_seen(text: str) -> list[Seen]:
    """What a table has."""
    return [
        Seen(row["id"], *(number(row[name]) for name in Seen._fields[1:]))
        for row in csv.DictReader(text.splitlines())
    ]


def figures_seen(text: str) -> list[Seen]:
    """What a text file of Prometheus has, by the rules of its format."""
    found = exposition.read(text)

    def value(name: str, of: dict[str, str]) -> float | None:
        fits = [
            one.value
            for one in found
            if one.name == f"sootprint_run_{name}"
            and all(one.labels[key] == of[key] for key in ("project", "name"))
        ]
        return fits[0] if fits else None

    made = []
    for one in found:
        if one.name == "sootprint_run_info":
            energy, emissions = (value(name, one.labels) for name in ("energy_joules", "emissions_grams"))
            made.append(
                Seen(
                    one.labels["id"],
                    None if energy is None else energy_kwh(energy),
                    None if emissions is None else emissions / 1000.0,
                )
            )
    return made


def points_seen(collector: Collector) -> list[Seen]:
    """What a collector has: the last point of each series of a run."""
    runs: dict[str, dict[str, float]] = {}
    for point in collector.points():
        runs.setdefault(point.resource["sootprint.run.id"], {})[point.name] = point.value
    return [
        Seen(
            key,
            None if "sootprint.run.energy" not in has else energy_kwh(has["sootprint.run.energy"]),
            has.get("sootprint.run.emissions"),
        )
        for key, has in runs.items()
    ]


def hub_of(tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    """A hub of its own."""
    import httpx

    pytest.importorskip("fastapi")
    from tests.hub.conftest import hub
    from tests.hub.serving import served

    from sootprint.hub import database, opening
    from sootprint.hub.app import application

    engine = database.connect(database.url_of(None, tmp_path / "hub"))
    opening.bring_up(engine)
    request.addfinalizer(engine.dispose)
    serving = served(application(hub(engine)))
    address = serving.__enter__()
    is_up = [True]

    def stop() -> None:
        if is_up:
            is_up.clear()
            serving.__exit__(None, None, None)

    request.addfinalizer(stop)

    def read() -> list[Seen]:
        items = httpx.get(f"{address}/api/v1/footprints").json()["items"]
        records = [httpx.get(f"{address}/api/v1/footprints/{one['id']}").json() for one in items]
        return lines_seen("\n".join(json.dumps(one) for one in records)) if records else []

    return Place("hub", lambda: opened(f"hub:{address}", settings.load()), read, stop, lambda: read() == [])


@pytest.fixture(params=sorted(set(BUILT_IN["sootprint.exporters"]) - ELSEWHERE))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A place of each built-in exporter that needs no package of the user."""
    if request.param == "opentelemetry":
        with Collector() as collector:
            yield Place(
                "opentelemetry",
                lambda: opened(f"opentelemetry:{collector.address}", settings.load()),
                lambda: points_seen(collector),
                lambda: setattr(collector, "status", 503),
                lambda: not collector.headers,
            )
    elif request.param == "hub":
        yield hub_of(tmp_path, request)
    else:
        suffix, read = {
            "jsonl": (".jsonl", lines_seen),
            "csv": (".csv", rows_seen),
            "prometheus": (".prom", figures_seen),
        }[request.param]
        yield file_of(request.param, suffix, read, tmp_path)
