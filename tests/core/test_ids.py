"""Identifiers that sort by time."""

from __future__ import annotations

import re
import uuid

from hypothesis import given
from hypothesis import strategies as st

from sootprint.core.ids import is_uuid7, uuid7


@given(st.floats(0.0, 4e9))
def test_uuid7_is_one_to_the_standard_library(wall_s: float) -> None:
    """Python's own parser reads the version and the variant of RFC 9562, and the milliseconds."""
    text = uuid7(wall_s)
    parsed = uuid.UUID(text)
    assert is_uuid7(text)
    assert parsed.version == 7
    assert parsed.variant == uuid.RFC_4122
    assert parsed.int >> 80 == int(wall_s * 1000)


@given(
    st.text("0123456789abcdefgAF7-", max_size=40)
    | st.from_regex(
        r"[0-9a-f]{8}-[0-9a-f]{4}-[67][0-9a-f]{3}-[6-9a-c][0-9a-f]{3}-[0-9a-f]{12}\n?", fullmatch=True
    )
)
def test_uuid7_has_one_form(text: str) -> None:
    """As a pattern says it: 32 small hexadecimal digits in five groups, 7 before the third and 8 to b the fourth."""
    form = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    assert is_uuid7(text) == (re.fullmatch(form, text) is not None)


def test_uuid7_has_the_instant_of_the_rfc_example() -> None:
    """2022-02-22 19:22:22 UTC is 017F22E2-79B0 (RFC 9562, appendix A.6)."""
    assert uuid7(1_645_557_742.0).startswith("017f22e2-79b0-7")


def test_uuid7_sorts_by_time() -> None:
    """A later millisecond sorts behind an earlier one."""
    ids = [uuid7(1_700_000_000.0 + k / 1000) for k in range(1, 200)]
    assert ids == sorted(ids)


def test_uuid7_is_not_repeated_within_a_millisecond() -> None:
    """74 random bits keep a thousand identifiers of one instant apart."""
    assert len({uuid7(1.0) for _ in range(1000)}) == 1000


def test_is_uuid7_refuses_what_is_close() -> None:
    """Version 4, a line end, capitals and other texts are not identifiers of ours."""
    good = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"
    assert is_uuid7(good)
    for bad in (good.replace("-7", "-4"), good + "\n", good.upper(), good[:-1], "", "../" + good):
        assert not is_uuid7(bad), bad
