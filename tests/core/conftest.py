"""Any record, made from the rules that the fields themselves state."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any

import pytest
from hypothesis import strategies as st

from sootprint.core.decode import hints
from sootprint.core.ids import uuid7
from sootprint.core.protocols import Reading
from sootprint.core.quantity import BASES, Factor, Quantity
from sootprint.core.records import Footprint

FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def _quantities(draw: st.DrawFn, minimum: float | None = None, maximum: float | None = None) -> Quantity:
    number = st.floats(minimum, maximum, allow_nan=False, allow_infinity=False)
    low, value, high = sorted(draw(st.tuples(number, number, number)))
    return Quantity(
        value=value,
        low=draw(st.none() | st.just(low)),
        high=draw(st.none() | st.just(high)),
        basis=draw(st.sampled_from(BASES)),
    )


def _values(hint: Any, rules: typing.Mapping[str, Any]) -> st.SearchStrategy[Any]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        option = next(option for option in typing.get_args(hint) if option is not type(None))
        return st.none() | _values(option, rules)
    limits = {f"{key}_value": rules[key] for key in ("minimum", "maximum") if key in rules}
    limits = {key.replace("imum", ""): value for key, value in limits.items()}
    if hint is Quantity:
        return _quantities(rules.get("minimum"), rules.get("maximum"))
    if dataclasses.is_dataclass(hint):
        return _records(typing.cast(type, hint))
    if typing.get_origin(hint) is tuple:
        return st.lists(_values(typing.get_args(hint)[0], {}), max_size=2).map(tuple)
    if typing.get_origin(hint) is dict:
        return st.dictionaries(st.text(max_size=8), _values(typing.get_args(hint)[1], {}), max_size=2)
    if "one_of" in rules:
        return st.sampled_from(rules["one_of"])
    plain = {str: st.text(max_size=12), float: st.floats(allow_nan=False, allow_infinity=False, **limits)}
    plain |= {int: st.integers(**limits), object: JSON}
    return plain[hint]


def _records(record: type) -> st.SearchStrategy[Any]:
    specs = [spec for spec in dataclasses.fields(record) if spec.name not in ("id", "schema", "extra")]
    fields = {spec.name: _values(hints(record)[spec.name], spec.metadata) for spec in specs}
    if record is Footprint:
        fields["id"] = st.floats(0.0, 4e9).map(uuid7)
    return st.builds(record, **fields)


@st.composite
def _readings(draw: st.DrawFn) -> Reading:
    return Reading(
        meter="rapl",
        component="cpu:0",
        at_s=draw(st.floats(0.0, 1e6)),
        energy_j=draw(st.floats(0.0, 1e6)),
        power_w=draw(st.floats(0.0, 1e4)),
        wraps_at_j=draw(st.none() | st.floats(1.0, 3e5)),
        max_power_w=draw(st.none() | st.floats(1.0, 1e4)),
    )


st.register_type_strategy(Quantity, _quantities(minimum=0.0, maximum=1e12))
st.register_type_strategy(Factor, _records(Factor))
st.register_type_strategy(Footprint, _records(Footprint))
st.register_type_strategy(Reading, _readings())


def _example(hint: Any, rules: typing.Mapping[str, Any]) -> Any:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(option for option in typing.get_args(hint) if option is not type(None))
    if dataclasses.is_dataclass(hint):
        specs = [spec for spec in dataclasses.fields(hint) if spec.name not in ("extra", "low", "high")]
        known = typing.cast(type, hint)
        return {spec.name: _example(hints(known)[spec.name], spec.metadata) for spec in specs}
    if typing.get_origin(hint) is tuple:
        return [_example(typing.get_args(hint)[0], {})]
    if typing.get_origin(hint) is dict:
        return {"key": _example(typing.get_args(hint)[1], {})}
    if "one_of" in rules:
        return rules["one_of"][0]
    return {str: "text", float: 1.0, int: 1, object: 1.0}[hint]


@pytest.fixture
def full() -> dict[str, Any]:
    """A record as a plain dictionary in which every field of every part is there."""
    data = _example(Footprint, {})
    data |= {"id": "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b", "schema": "1.0"}
    return _with_basis(data)


def _with_basis(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _with_basis("sensor" if key == "basis" else item) for key, item in data.items()}
    return [_with_basis(item) for item in data] if isinstance(data, list) else data
