"""What comes in: the same verdict as the core's codec, and limits that no request passes."""

from __future__ import annotations

import dataclasses
import gzip
import json
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sootprint.core import codec
from sootprint.core.errors import RecordError
from sootprint.hub import admission
from tests.hub import records

SLOT = {"start": "2024-01-01T00:00:00Z", "end": "2024-01-01T00:01:00Z", "component": "cpu:0", "energy_j": 5.5}
BASE = {**records.record(), "intervals": [SLOT]}
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["sensor", "A", "pretrain", 1.0, 3.0, "2024-01-01", "\ud800", "\0", 10**400]),
)
VALUES = st.recursive(
    SCALARS, lambda part: st.lists(part, max_size=2) | st.dictionaries(st.text(max_size=4), part, max_size=2)
)


def _places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        found += _places(value, (*path, key))
    return found


def _changed(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(BASE))
    part: Any = made
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return made


def _is_extreme(value: Any) -> bool:
    """Whether a number within is neither 0 nor of a size that has a use."""
    if isinstance(value, dict | list):
        return any(map(_is_extreme, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int | float) and value != 0 and not 1e-99 <= abs(value) <= 1e99


@settings(max_examples=250, deadline=None)
@given(
    path=st.sampled_from([*_places(BASE), ("curve",), ("spans",), ("new",), ("place", "new")])
    | st.sampled_from([("intervals",), *(("intervals", 0, name) for name in (*SLOT, "new"))]),
    value=VALUES,
)
def test_verdict_is_that_of_the_codec(path: tuple[Any, ...], value: Any) -> None:
    """Whatever stands in whichever field: the hub accepts it if and only if the core does, and pages can draw it."""
    data = _changed(path, value)
    try:
        wanted = codec.from_dict(data)
    except RecordError as err:
        with pytest.raises(RecordError) as caught:
            admission.admitted(data)
        assert str(caught.value) == str(err)
        return
    if _is_extreme(value):
        with pytest.raises(RecordError, match="in size"):
            admission.admitted(data)
    else:
        found = admission.admitted(data).footprint
        assert dataclasses.replace(found, extra={}) == dataclasses.replace(wanted, extra={}, intervals=())


def test_equal_contents_have_one_hash_whatever_the_order() -> None:
    """The order of fields and the spaces of a JSON text say nothing."""
    turned = dict(reversed(BASE.items()))
    assert admission.admitted(turned).sha256 == admission.admitted(BASE).sha256


def test_field_of_a_newer_version_is_kept_in_the_text() -> None:
    """What this version does not know is stored all the same."""
    text = admission.admitted({**BASE, "schema": "1.7", "novel": {"x": [1]}}).text
    assert json.loads(text)["novel"] == {"x": [1]}


def test_gzip_bomb_is_stopped_at_the_limit() -> None:
    """A hundred megabytes of zeros in a hundred kilobytes are refused before they are unpacked."""
    bomb = gzip.compress(b"0" * (100 << 20))
    with pytest.raises(admission.TooLargeError, match="32 MiB"):
        admission.unpacked(bomb, "gzip")


@pytest.mark.parametrize("cut", [5, -9, -1])
def test_gzip_that_is_cut_off_is_refused(cut: int) -> None:
    """Half a body is no body."""
    with pytest.raises(RecordError, match="gzip"):
        admission.unpacked(gzip.compress(records.batch(1))[:cut], "gzip")


def test_two_gzip_members_are_refused() -> None:
    """What stands after the first member would be dropped in silence."""
    with pytest.raises(RecordError, match="one whole member"):
        admission.unpacked(gzip.compress(b"[]") + gzip.compress(b"[]"), "gzip")


def test_size_that_gzip_says_is_believed_only_so_far() -> None:
    """A body with more than it says is not unpacked beyond that, one that says too much not at all."""
    packed = gzip.compress(b"[]" * 100)
    assert admission.size_of(packed, "gzip") == len(admission.unpacked(packed, "gzip")) == 200
    for said in (2, 199, 201):
        with pytest.raises(RecordError, match=r"cut off|no gzip"):
            admission.unpacked(packed[:-4] + said.to_bytes(4, "little"), "gzip")
    assert admission.size_of(packed[:-4] + b"\xff" * 4, "gzip") == admission.MAX_BODY + 1


def test_other_encodings_are_refused() -> None:
    """Only gzip is unpacked."""
    with pytest.raises(RecordError, match="'deflate' is not gzip"):
        admission.unpacked(zlib.compress(b"[]"), "deflate")


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"[1e999999999]",
        b"[" + b"9" * 5_000 + b"]",
        b"\xff",
        b"",
        b"5",
        b'{"a":1,"a":2}',
    ],
)
def test_bad_json_gets_one_line(text: bytes) -> None:
    """Deep, huge, doubled or broken JSON is refused, or its records are."""
    try:
        listed = admission.items(text)
    except RecordError as err:
        assert "\n" not in str(err)
    else:
        good, bad = admission.sorted_out(listed)
        assert not good
        assert bad


def test_too_many_records_are_refused() -> None:
    """A batch has an end."""
    with pytest.raises(admission.TooLargeError, match="at most 5000"):
        admission.items(json.dumps([1] * 5_001).encode())


def test_record_nested_too_deeply_is_refused() -> None:
    """What the client could not read again is not stored."""
    deep: Any = {}
    for _ in range(40):
        deep = {"a": deep}
    with pytest.raises(RecordError, match="deeper than 32"):
        admission.admitted({**BASE, "given": deep})


def test_intervals_keep_the_rules_of_the_core_and_stay_in_the_text() -> None:
    """What is checked as plain data is refused in the codec's words; what a newer version adds is kept."""
    for changed in ({"energy_j": -1.0}, {"energy_j": None}, {"start": 5}, {"end": "\ud800"}):
        data = {**BASE, "intervals": [SLOT, {**SLOT, **changed}]}
        with pytest.raises(RecordError) as wanted:
            codec.from_dict(data)
        with pytest.raises(RecordError) as found:
            admission.admitted(data)
        assert str(found.value) == str(wanted.value)
    deep: Any = {}
    for _ in range(40):
        deep = {"a": deep}
    with pytest.raises(RecordError, match="deeper than 32"):
        admission.admitted({**BASE, "intervals": [{**SLOT, "new": deep}]})
    novel = admission.admitted({**BASE, "intervals": [SLOT, {**SLOT, "new": [1]}]})
    assert json.loads(novel.text)["intervals"][1]["new"] == [1]
    assert novel.footprint.intervals == ()


@pytest.mark.parametrize(
    "doubled",
    [
        '"name": "first", "name": "second"',
        '"name": "first", "n\\u0061me": "a:b:c"',
        '"given": {"a\\u003ab": 1, "x": 1, "x": 2}',
        '"tags": {"a": "1", "a": "\\u003A"}',
    ],
)
def test_name_that_stands_twice_is_found_in_a_batch(doubled: str) -> None:
    """Neither escapes nor colons in texts hide that one of two values would be dropped."""
    plain, other = (json.dumps({**records.record(), "name": None}) for _ in range(2))
    with pytest.raises(RecordError, match="stands twice"):
        list(admission.read(f"[{plain},{other[:-1]}, {doubled}}}]".encode()))


def test_colons_and_escapes_in_texts_are_no_fault() -> None:
    """Texts may hold what the search for doubled names counts."""
    one = records.record(name="a:b \\u003a é", tags={"a:b": ":"})
    found = list(admission.read(json.dumps([one, one]).encode()))
    assert [index for index, _ in found] == [0, 1]


def test_doubled_name_is_found_in_time_that_grows_with_the_names() -> None:
    """Fifty thousand other names before it: a count for each of them would take an hour of the processor."""
    many = ",".join(f'"k{n}":1' for n in range(admission.MAX_NAMES - 1))
    text = ("{" + many + ',"z":1' * 400_000 + "}").encode()
    with pytest.raises(RecordError, match="'z' stands twice"):
        admission.items(text)


@pytest.mark.parametrize("number", [1.7e308, -1.7e308, 5e-324, 10**200])
def test_number_that_no_page_can_draw_is_refused(number: float) -> None:
    """Its products are infinite or 0; letters that look like one are none, and 0 is a number."""
    for place in (
        {"given": {"a": [number]}},
        {"curve": [{"energy_kwh": 1.0, "metric": "m", "value": number}]},
    ):
        with pytest.raises(RecordError, match="in size"):
            admission.admitted({**BASE, **place})
    alike = {"name": "e-2024-e+300-" + "7" * 120, "given": {"a": [0, 1e99, 1e-99]}}
    named = admission.admitted({**BASE, **alike})
    assert named.footprint.name is not None
