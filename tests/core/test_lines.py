"""JSON in one line is what the standard library writes."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sootprint.core import lines

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.parametrize("ensure_ascii", [True, False])
@settings(max_examples=60)
@given(value=VALUES)
def test_line_is_that_of_the_standard_library(ensure_ascii, value):
    """With or without the compiled part, whatever the value."""
    known = json.JSONEncoder(separators=(",", ":"), ensure_ascii=ensure_ascii).encode(value)
    assert lines.encoder(ensure_ascii=ensure_ascii)(value) == known


def test_line_is_the_same_without_the_compiled_part(monkeypatch):
    """Python need not have it."""
    monkeypatch.setattr(json.encoder, "c_make_encoder", None)
    assert lines.encoder()({"s": 1.5, "r": [None]}) == '{"s":1.5,"r":[null]}'
