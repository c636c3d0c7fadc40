"""The JSON Schema of the record."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sootprint.core.codec import from_dict, to_dict
from sootprint.core.errors import RecordError
from sootprint.core.records import Footprint
from sootprint.core.schema import json_schema

CHECK = jsonschema.Draft202012Validator(json_schema())


def _places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        yield (*path, key)
        if isinstance(value, (dict, list)):
            yield from _places(value, (*path, key))


def _with(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    other = copy.deepcopy(data)
    inner = other
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return other


def _is_record(data: Any) -> bool:
    try:
        from_dict(data)
    except RecordError:
        return False
    return True


def test_schema_is_one() -> None:
    """Valid against the draft that it names, and writable as JSON."""
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema


def test_schema_wants_only_the_id() -> None:
    """Everything else has a default or may be unknown."""
    assert json_schema()["required"] == ["id"]


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60, deadline=None)
@given(st.from_type(Footprint))
def test_every_record_is_valid(footprint: Footprint) -> None:
    """What the record class accepts, the schema accepts."""
    CHECK.validate(to_dict(footprint))


def test_full_record_is_valid_and_its_fields_are_described(full: dict[str, Any]) -> None:
    """Each field of the record stands in the schema with its meaning."""
    CHECK.validate(full)
    properties = json_schema()["properties"]
    assert set(full) == set(properties)
    assert all(rules["description"] for rules in properties.values())


@pytest.mark.parametrize("wrong", ["?", True, -1, 1e300, 0.5, [], {}, None, [None], {"x": None}], ids=repr)
def test_schema_and_record_class_agree_on_wrong_values(full: dict[str, Any], wrong: Any) -> None:
    """At every place of a full record, a value of another type or range is refused by both or by neither.

    The class alone knows the form of identifiers and versions, and that an interval encloses its value.
    """
    for path in _places(full):
        data = _with(full, path, wrong)
        if path in {("id",), ("schema",)} or path[-1] in {"value", "low", "high"}:
            assert CHECK.is_valid(data) or not _is_record(data), path
        else:
            assert CHECK.is_valid(data) == _is_record(data), path


def test_limits_of_a_quantity_stand_in_the_schema(full: dict[str, Any]) -> None:
    """A PUE below 1 and a negative energy are refused by both, the low bound included."""
    for field, number in (("pue", 0.8), ("energy_kwh", -1.0)):
        for quantity in ({"value": number}, {"value": 2.0, "low": number}):
            data = _with(full, (field,), quantity)
            assert not CHECK.is_valid(data)
            assert not _is_record(data)


def test_missing_field_is_refused_by_both(full: dict[str, Any]) -> None:
    """At every place, a field that is left out is missed by both or by neither."""
    for path in _places(full):
        data = copy.deepcopy(full)
        inner = data
        for key in path[:-1]:
            inner = inner[key]
        if isinstance(inner, dict) and path != ("schema",):
            del inner[path[-1]]
            assert CHECK.is_valid(data) == _is_record(data), path
