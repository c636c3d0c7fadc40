"""A large list in pieces: the same records, and the same faults at the same places, as read at once."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine

from sootprint.core.errors import RecordError
from sootprint.hub import admission, chain, ingest, pieces
from sootprint.hub.admission import Refused
from sootprint.hub.ingest import Submission
from tests.hub import records

TEXTS = st.text(st.sampled_from('ab"\\[]{},: \n\u00e9\U0001f600'), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 10**6) | st.floats(allow_nan=False) | TEXTS,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(TEXTS, part, max_size=3),
    max_leaves=12,
)
LOCAL = Submission(actor="local", may_correct_all=True)


@pytest.fixture(params=[1, 40, 1 << 20])
def small_pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every request is read in pieces: of single records, of some, and of all."""
    monkeypatch.setattr(pieces, "PIECE", request.param)
    monkeypatch.setattr(admission, "WHOLE", 0)


def _items(text: bytes) -> list[Any]:
    found: list[Any] = []
    for one in pieces.of(text):
        part = json.loads(b"[%b]" % text[one.start : one.end])
        assert len(part) == one.n
        found += part
    return found


def _said(text: bytes) -> str:
    """What reading a request says, or its records."""
    try:
        return repr(
            [one if isinstance(one, Refused) else (one[0], one[1].sha256) for one in admission.read(text)]
        )
    except RecordError as err:
        return f"{type(err).__name__}: {err}"


@settings(max_examples=300, deadline=None)
@given(
    data=st.lists(VALUES, max_size=6),
    size=st.sampled_from([1, 8, 40]),
    indent=st.sampled_from([None, 1]),
    ascii_only=st.booleans(),
)
def test_pieces_hold_all_records_in_their_order(
    data: list[Any], size: int, indent: int | None, ascii_only: bool
) -> None:
    """Brackets, quotes, commas and escapes in texts do not part anything."""
    text = json.dumps(data, indent=indent, ensure_ascii=ascii_only).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "PIECE", size)
        assert _items(text) == data


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_broken_list_is_refused_as_it_is_read_at_once(data: st.DataObject) -> None:
    """A byte that is dropped, doubled or replaced anywhere: refused if and only if it is no JSON any more."""
    listed = data.draw(st.lists(VALUES, min_size=1, max_size=4))
    text = json.dumps(listed, ensure_ascii=data.draw(st.booleans())).encode()
    at = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(
        st.sampled_from([b"", text[at : at + 1] * 2, b",", b"]", b"}", b"{", b'"', b"\xff", b"\\"])
    )
    text = text[:at] + put + text[at + 1 :]
    with pytest.MonkeyPatch.context() as patch:
        whole = _said(text)
        patch.setattr(admission, "WHOLE", -1)
        patch.setattr(pieces, "PIECE", data.draw(st.sampled_from([1, 40])))
        found = _said(text)
    if "no JSON" in whole or "neither" in whole:
        assert found.startswith("RecordError: the body is"), (text, whole, found)
    else:
        assert sorted(found) == sorted(whole), text


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"run 7"', b'"run 7'),
        (b'"run 7"', b'"run 7",,'),
        (b'"run 7"', b"'run 7'"),
        (b'"run 7"', b'"run \xff 7"'),
        (b'"run 7"', b'"run \xc3"'),
        (b'"run 7"', b'"run \n 7"'),
        (b'"run 7"', b"tru"),
        (b"}, {", b"} {"),
        (b"}, {", b"}, , {"),
        (b"}, {", b"}], [{"),
        (b"}]", b"},]"),
        (b"}]", b"}] 5"),
        (b"}]", b"}"),
        (b"}]", b"]"),
    ],
)
def test_fault_in_the_middle_is_named_with_its_place(
    monkeypatch: pytest.MonkeyPatch, old: bytes, new: bytes
) -> None:
    """The same words, line and column as where all is read at once, and behind letters of several bytes."""
    listed = [records.record(name=f"run {index}", project="\u00e9\n\U0001f600") for index in range(12)]
    text = json.dumps(listed, ensure_ascii=False).replace("}, {", "},\n {", 3).encode()
    assert old in text
    broken = new.join(text.rsplit(old, 1))
    found = _said(broken)
    monkeypatch.setattr(admission, "WHOLE", 1 << 30)
    assert found == _said(broken)
    assert "no JSON" in found


@pytest.mark.usefixtures("small_pieces")
def test_places_and_doubled_names_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused records keep their index, and a name that stands twice refuses all, wherever it stands."""
    listed = [records.record(name=f"run {index}") for index in range(9)]
    listed[4]["grade"] = "Z"
    text = json.dumps(listed).encode()
    found = [one.index if isinstance(one, Refused) else one[0] for one in admission.read(text)]
    assert sorted(found) == list(range(9))
    assert [one.index for one in admission.read(text) if isinstance(one, Refused)] == [4]
    doubled = text.replace(b'"name": "run 8"', b'"name": "a:b", "name": "run 8"')
    with pytest.raises(RecordError, match="stands twice"):
        list(admission.read(doubled))


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32-le"])
def test_other_encodings_of_json_are_read(encoding: str) -> None:
    """What `json` takes is taken in pieces too."""
    text = json.dumps([records.record(name="\u00e9\U0001f600"), records.record()], ensure_ascii=False)
    assert [one[0] for one in admission.read(text.encode(encoding)) if not isinstance(one, Refused)] == [0, 1]


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize(
    "text", [b"", b" ", b"5", b'"a"', b"\xff", b"\x00", b"{", b'{"a": 5', b"[", b"[[", b'["', b"nul"]
)
def test_what_is_no_list_is_one_line(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    """As where it is read at once."""
    found = _said(text)
    monkeypatch.setattr(admission, "WHOLE", 1 << 30)
    assert found == _said(text)
    assert "RecordError" in found


@pytest.mark.usefixtures("small_pieces")
def test_empty_list_and_single_record_are_read() -> None:
    """The ends of what a request may hold."""
    assert list(admission.read(b" [ ] ")) == []
    assert len(list(admission.read(json.dumps(records.record(), indent=2).encode()))) == 1
    with pytest.raises(admission.TooLargeError, match="at most 5000"):
        list(admission.read(b"[" + b"1," * 5_000 + b"1]"))


def test_large_request_is_never_in_memory_as_a_whole() -> None:
    """Its values and its records again would take some times the text."""
    slot = {
        "start": "2024-01-01T00:00:00Z",
        "end": "2024-01-01T00:01:00Z",
        "component": "cpu:0",
        "energy_j": 5,
    }
    one = json.dumps({**records.record(), "intervals": [slot] * 900})
    text = f"[{','.join([one] * (admission.WHOLE // len(one) + 8))}]".encode()
    assert len(text) > admission.WHOLE
    tracemalloc.start()
    try:
        assert not any(isinstance(one, Refused) for one in admission.read(text))
        assert tracemalloc.get_traced_memory()[1] < len(text)
    finally:
        tracemalloc.stop()


def test_record_far_too_large_is_refused_unread_beside_its_neighbours() -> None:
    """It takes no memory, and the others of its request come in."""
    good = json.dumps(records.record()).encode()
    for huge in (b'{"a": "%b"}' % (b"x" * (9 << 20)), b'{"a": [%b1]}' % (b"1.5," * 1_400_000)):
        found = list(admission.read(b"[%b, %b, %b]" % (good, huge, good)))
        assert [one.index if isinstance(one, Refused) else one[0] for one in found] == [0, 1, 2]
        assert isinstance(found[1], Refused)
        assert "one record" in found[1].error or "at most 4 MiB" in found[1].error


def test_bracket_that_never_closes_costs_no_reading() -> None:
    """The rest of a request behind it is not read to find words for it."""
    text = b"[" + json.dumps(records.record()).encode() + b', {"a": [' + b"1.5," * 1_500_000
    with pytest.raises(RecordError, match="no JSON: a bracket or quote does not close"):
        list(admission.read(text))


@pytest.mark.usefixtures("small_pieces")
def test_fault_at_the_end_of_a_large_batch_leaves_nothing(engine: Engine) -> None:
    """What was read before the fault is not stored; the whole batch sent right is, once."""
    text = records.batch(40)
    with pytest.raises(RecordError, match="no JSON"):
        ingest.take_in(engine, text[:-20], LOCAL)
    assert chain.verify(engine).entries == 0
    twice = b"%b,%b" % (text[:-1], text[1:])
    assert ingest.take_in(engine, twice, LOCAL) == {"accepted": 40, "duplicate": 40, "rejected": []}
    assert ingest.take_in(engine, text, LOCAL)["duplicate"] == 40
    assert (chain.verify(engine).versions, chain.verify(engine).count) == (40, 0)
