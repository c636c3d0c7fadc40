"""Records that the reports' tests share: four that stand for what people have, and any that is possible."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import strategies as st

from sootprint import Factor, Footprint, Quantity
from sootprint.core.quantity import BASES
from sootprint.core.records import (
    BOUNDARIES,
    GRADES,
    SCOPES,
    STAGES,
    Component,
    CurvePoint,
    Gap,
    Hardware,
    Interval,
    Model,
    Place,
    Result,
    Span,
    Stage,
    Work,
)  # fmt: skip

RECORDS = Path(__file__).with_name("records")
NAMES = sorted(path.stem for path in RECORDS.glob("*.json"))

AMOUNTS = st.sampled_from([0.0, 5e-324, 1e-12, 0.04, 1.0, 999.95, 1e9, 1e300, 1.7e308]) | st.floats(0.0, 1e6)
TEXTS = st.text(max_size=12) | st.sampled_from(
    ["", "<script>", "a|b", "\x1b[31m", "[bold]", "\n", "{{ 1 }}", "\u202e"]
)
INSTANTS = st.sampled_from(
    ["2026-01-01T00:00:00Z", "2026-01-01T00:01:00.5Z", "2026-01-01T01:00:00+01:00", "2026-03-01", "no instant", "",
     "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"]
)  # fmt: skip
COMPONENTS = st.sampled_from(
    ["accelerator:0", "accelerator:1", "cpu", "dram", "node", "wall", "", "weird:x:y"]
)


@st.composite
def _quantities(draw: st.DrawFn, least: float = 0.0) -> Quantity:
    low, value, high = sorted(max(least, draw(AMOUNTS)) for _ in range(3))
    return Quantity(
        value=value,
        low=draw(st.sampled_from([None, low])),
        high=draw(st.sampled_from([None, high])),
        basis=draw(st.sampled_from(BASES)),
    )


def _lists(record: type, **fields: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(st.builds(record, **fields), max_size=4).map(tuple)


def _optional(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | strategy


MODELS = st.builds(
    Model,
    name=_optional(TEXTS),
    architecture=_optional(TEXTS),
    params=_optional(AMOUNTS),
    active_params=_optional(AMOUNTS),
)
WORK = st.builds(
    Work,
    steps=_optional(AMOUNTS),
    samples=_optional(AMOUNTS),
    tokens=_optional(AMOUNTS),
    flops=_optional(AMOUNTS),
)
SHARES = _optional(st.floats(0.0, 1.0))
ANY = st.builds(
    Footprint,
    id=st.just("019c0000-0000-7000-8000-000000000000"),
    name=_optional(TEXTS),
    project=_optional(TEXTS),
    tags=st.dictionaries(TEXTS, TEXTS, max_size=2),
    stage=st.sampled_from(STAGES),
    scope=st.sampled_from(SCOPES),
    model=_optional(MODELS),
    work=_optional(WORK),
    hardware=_lists(
        Hardware, kind=st.sampled_from(["accelerator", "cpu", "dram", "weird"]), name=TEXTS,
        count=st.integers(1, 10**9), memory_gb=_optional(AMOUNTS), vendor=_optional(TEXTS),
    ),
    results=_lists(Result, task=_optional(TEXTS), metric=TEXTS | st.just("accuracy"), value=AMOUNTS),
    stages=_lists(Stage, stage=TEXTS | st.sampled_from(STAGES), emissions_kg=_optional(_quantities())),
    market_based_kg=_optional(_quantities()),
    boundary=st.sampled_from(BOUNDARIES),
    started=_optional(INSTANTS),
    duration_s=_optional(AMOUNTS),
    device_hours=_optional(_quantities()),
    place=st.builds(Place, zone=_optional(TEXTS | st.just("FR")), source=_optional(TEXTS)),
    software=st.dictionaries(TEXTS, TEXTS, max_size=2),
    components=_lists(
        Component, component=COMPONENTS, meter=TEXTS, energy_kwh=_quantities(), idle_kwh=_optional(AMOUNTS),
        utilisation=SHARES,
    ),
    energy_kwh=_optional(_quantities()),
    intervals=_lists(Interval, start=INSTANTS, end=INSTANTS, component=COMPONENTS, energy_j=AMOUNTS),
    spans=_lists(Span, name=TEXTS, start=INSTANTS, end=INSTANTS, energy_kwh=_quantities()),
    gaps=_lists(Gap, component=COMPONENTS, start=INSTANTS, end=INSTANTS, reason=TEXTS),
    curve=_lists(CurvePoint, energy_kwh=AMOUNTS, metric=TEXTS, value=AMOUNTS),
    pue=_optional(_quantities(1.0)),
    intensity_g_per_kwh=_optional(_quantities()),
    emissions_kg=_optional(_quantities()),
    embodied_kg=_optional(_quantities()),
    water_l=_optional(_quantities()),
    cost=_optional(_quantities()),
    factors=_lists(
        Factor, kind=TEXTS | st.just("intensity"), key=TEXTS, value=_optional(AMOUNTS), source=_optional(TEXTS)
    ),
    grade=_optional(st.sampled_from(GRADES)),
    unknown=st.lists(TEXTS | st.just("pue"), max_size=2).map(tuple),
    warnings=st.lists(TEXTS | st.just("place unknown: x; y"), max_size=2).map(tuple),
)  # fmt: skip
st.register_type_strategy(Footprint, ANY)


@pytest.fixture(params=NAMES)
def record(request: pytest.FixtureRequest) -> str:
    """Name of each of the four records in turn."""
    return str(request.param)


@pytest.fixture
def read() -> Callable[[str], Footprint]:
    """Footprint of a record by its name."""
    return lambda name: Footprint.from_json((RECORDS / f"{name}.json").read_text(encoding="utf-8"))
