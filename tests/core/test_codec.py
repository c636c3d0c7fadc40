"""JSON in and out."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sootprint.core.codec import dumps, from_dict, loads, to_dict
from sootprint.core.decode import MAX_DEPTH
from sootprint.core.errors import RecordError
from sootprint.core.records import SCHEMA, Footprint, Interval

ID = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"
WRONG = [
    "null", "true", "0", "-1", "1.5", "1e999", "-1e999", "1" + "0" * 400, "-1" + "0" * 400, "1" * 5000,
    '""', '"text"', '"\\ud800"', "[]", "[null]", "{}", '{"a": null}', '{"\\udfff": 1}', '{"x": 1e999}',
    "[" * 40 + "]" * 40, '{"x":' * 40 + "1" + "}" * 40, "[" * 900 + "]" * 900,
]  # fmt: skip


def _places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        yield (*path, key)
        if isinstance(value, (dict, list)):
            yield from _places(value, (*path, key))


def _text_with(data: Any, path: tuple[Any, ...], raw: str) -> str:
    other = copy.deepcopy(data)
    inner = other
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = "@"
    return json.dumps(other).replace('"@"', raw)


def _refused_or_writable(text: str | bytes) -> bool:
    """Whether the text is a record; one that is can be written and read again, one that is not gets one line."""
    try:
        footprint = loads(text)
    except RecordError as err:
        assert str(err)
        assert "\n" not in str(err)
        assert len(str(err)) < 400
        return False
    dumps(footprint).encode()
    assert loads(dumps(footprint)) == footprint
    return True


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=100, deadline=None)
@given(st.from_type(Footprint))
def test_any_record_survives_json(footprint: Footprint) -> None:
    """Written and read, a record equals itself; written again, the text is the same to the last digit."""
    text = footprint.to_json()
    assert Footprint.from_json(text) == footprint
    assert Footprint.from_json(text.encode()).to_json() == text
    assert text == _plainly(footprint)


@pytest.mark.parametrize(
    ("component", "energy_j"),
    [("cpu:0", 1e-07), ('caf\u00e9 "\\\n', 1e22), ("cpu:0", 3), ("cpu:0", np.float64(0.1)), (None, True)],
    ids=["float", "escapes", "whole", "numpy", "strange"],
)
def test_intervals_are_written_as_json_writes_them(component: Any, energy_j: Any) -> None:
    """The short way for intervals gives the bytes of the plain encoding, whatever somebody has put into them."""
    start, end = "2026-01-01T00:00:00.000Z", "2026-01-01T00:01:00.000Z"
    row = Interval(start=start, end=end, component=component, energy_j=energy_j)
    footprint = Footprint(id=ID, intervals=(row, row), warnings=('"intervals": []',))
    assert footprint.to_json() == _plainly(footprint)


def _plainly(footprint: Footprint) -> str:
    return json.dumps(to_dict(footprint), ensure_ascii=False, allow_nan=False)


def test_full_record_survives_json(full: dict[str, Any]) -> None:
    """Every field of every part comes back."""
    assert to_dict(from_dict(full)) | {"extra": None} == _with_absent_bounds(full) | {"extra": None}
    assert from_dict(full).extra == {}


def _with_absent_bounds(data: Any) -> Any:
    if isinstance(data, list):
        return [_with_absent_bounds(item) for item in data]
    if not isinstance(data, dict):
        return data
    bounds = {"low": None, "high": None} if "value" in data and ("basis" in data or "method" in data) else {}
    return {key: _with_absent_bounds(item) for key, item in data.items()} | bounds


def test_unknown_fields_of_a_newer_minor_version_are_kept(full: dict[str, Any]) -> None:
    """At the top, in a part, in a list, and with names that are awkward in a pointer."""
    newer = copy.deepcopy(full) | {"schema": "1.7", "cooling": {"kind": "water", "share": [0.5, None]}}
    newer |= {"a/b~c": 1, "extra": {"extra": 2}, "": 3}
    newer["model"]["layers"] = 32
    newer["components"][0]["energy_kwh"]["median"] = 1.0
    newer["factors"][0]["url/~1"] = "x"
    footprint = from_dict(newer)
    written = json.loads(footprint.to_json())
    assert written["schema"] == "1.7"
    assert footprint.extra["/components/0/energy_kwh/median"] == 1.0
    assert written == _with_absent_bounds(newer)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60, deadline=None)
@given(st.from_type(Footprint), st.dictionaries(st.text(max_size=6), st.integers(), max_size=3), st.data())
def test_any_unknown_fields_are_kept(
    footprint: Footprint, fields: dict[str, int], data: st.DataObject
) -> None:
    """Whatever the names, wherever an object of the record's own stands."""
    plain = to_dict(footprint)
    objects = [plain, plain["place"], *plain["components"], *plain["results"], *plain["hardware"]]
    chosen = data.draw(st.sampled_from(objects))
    new = {key: value for key, value in fields.items() if key not in chosen}
    chosen.update(new)
    assert json.loads(from_dict(plain).to_json()) == json.loads(json.dumps(plain))


def test_unknown_field_leaves_with_the_part_that_held_it(full: dict[str, Any]) -> None:
    """A correction that takes away the model takes away the model's unknown fields too."""
    full["model"]["layers"] = 32
    full["components"][0]["colour"] = "red"
    corrected = dataclasses.replace(from_dict(full), model=None, components=())
    written = json.loads(corrected.to_json())
    assert written["model"] is None
    assert written["components"] == []


def test_newer_major_version_is_refused() -> None:
    """The way out is an upgrade."""
    with pytest.raises(RecordError, match=r"schema 2\.0 is newer than 1\.0, .* upgrade sootprint"):
        loads(json.dumps({"id": ID, "schema": "2.0"}))


@pytest.mark.parametrize(
    "schema",
    [None, 1, 1.0, "", "one", "1", "v1.0", "1.0\n", "²", "٢.0", "9" * 5000, "-1.0", "1." + "9" * 5000],
)
def test_malformed_version_is_refused(schema: Any) -> None:
    """A version is two numbers and a point."""
    with pytest.raises(RecordError, match=r"is not a version such as '1\.0'") as caught:
        from_dict({"id": ID, "schema": schema})
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a JSON record"),
        ("{", "not a JSON record"),
        ("null", "a record is a JSON object, this is null"),
        ("[]", "a record is a JSON object, this is a list"),
        ('"x"', "a record is a JSON object, this is a text"),
        ("3", "a record is a JSON object, this is a whole number"),
        ('{"schema": "1.0"}', "/id is missing"),
        ('{"id": "x", "id": "x"}', "the name 'id' stands twice"),
        (f'{{"id": "{ID}"}}', "schema None is not a version"),
        (f'{{"id": "{ID}", "schema": "1.0", "duration_s": NaN}}', "NaN is not a number in JSON"),
        (f'{{"id": "{ID}", "schema": "1.0", "duration_s": -Infinity}}', "-Infinity is not a number in JSON"),
        (f'{{"id": "{ID}", "schema": "1.0", "given": {{"x": 1e999}}}}', "/given/x is inf: it is a finite number"),
        (f'{{"id": "{ID}", "schema": "1.0", "given": {{"x": 1, "x": 2}}}}', "the name 'x' stands twice"),
        (f'{{"id": "{ID}", "schema": "1.0", "tags": {{"x": 1}}}}', "/tags/x is a whole number .*: it is a text"),
        (f'{{"id": "{ID}", "schema": "1.0", "pue": {{"value": 0.8}}}}', "/: pue is 0.8: it is at least 1"),
        (f'{{"id": "{ID}", "schema": "1.0", "pue": {{}}}}', "/pue/value is missing"),
        (f'{{"id": "{ID}", "schema": "1.0", "pue": 1.2}}', r"/pue is a number \(1.2\): it is an object"),
        (
            f'{{"id": "{ID}", "schema": "1.0", "curve": [{{"energy_kwh": true, "metric": "m", "value": 1}}]}}',
            r"/curve/0/energy_kwh is true or false \(True\): it is a number",
        ),
        (f'{{"id": "{ID}", "schema": "1.0", "name": "\\ud800"}}', "/name holds half of a surrogate pair"),
    ],
)  # fmt: skip
def test_broken_record_gets_a_line_that_says_where(text: str, message: str) -> None:
    """The message names the field by its pointer, the value and the rule."""
    with pytest.raises(RecordError, match=message):
        loads(text)
    assert not _refused_or_writable(text)


@pytest.mark.parametrize("raw", WRONG, ids=lambda raw: raw[:12])
def test_wrong_value_at_any_place_is_refused_or_writable(full: dict[str, Any], raw: str) -> None:
    """At every place of a full record: RecordError and nothing else, or a record that can be written again."""
    for path in _places(full):
        _refused_or_writable(_text_with(full, path, raw))


@pytest.mark.parametrize("raw", ["[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000])
def test_endless_nesting_is_refused(raw: str) -> None:
    """As the whole text, and as an unknown field."""
    assert not _refused_or_writable(raw)
    assert not _refused_or_writable(f'{{"id": "{ID}", "schema": "1.0", "new": {raw}}}')


def test_deepest_nesting_that_is_read_can_be_written() -> None:
    """Free values may nest up to the limit, not one further."""
    depth = MAX_DEPTH - 1
    text = '{"id": "%s", "schema": "1.0", "given": {"x": %s}}'
    assert _refused_or_writable(text % (ID, "[" * depth + "]" * depth))
    assert not _refused_or_writable(text % (ID, "[" * (depth + 1) + "]" * (depth + 1)))


@settings(max_examples=200)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_refused(raw: bytes) -> None:
    """Noise is no record, and never another error."""
    assert not _refused_or_writable(raw)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60, deadline=None)
@given(st.from_type(Footprint), st.data())
def test_damaged_record_is_refused_or_writable(footprint: Footprint, data: st.DataObject) -> None:
    """A byte changed, or the text cut short, as after a full disk."""
    raw = bytearray(footprint.to_json().encode())
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] = data.draw(st.integers(0, 255))
    _refused_or_writable(bytes(raw))
    assert not _refused_or_writable(bytes(raw[:at]))


def test_whole_numbers_are_numbers() -> None:
    """Other writers print 3 for 3.0; 2^53 + 1 is rounded as any JSON number may be."""
    footprint = from_dict({"id": ID, "schema": "1.0", "duration_s": 3, "work": {"tokens": 2**53 + 1}})
    assert isinstance(footprint.duration_s, float)
    assert footprint.duration_s == 3.0
    assert footprint.work is not None
    assert footprint.work.tokens == 2.0**53


@pytest.mark.parametrize("where", ["given", "savings", "model"])
def test_whole_number_that_no_float_holds_is_refused(where: str) -> None:
    """Whoever reads a free field computes with it: a number of 401 digits would end each of them."""
    data = {"schema": SCHEMA, "id": "019c0000-0000-7000-8000-00000000a009"}
    held = {"params": 10**400} if where == "model" else {"apart_kwh": 10**400}
    with pytest.raises(RecordError, match=r"an integer of 401 digits: too large"):
        Footprint.from_json(json.dumps({**data, where: held}))
