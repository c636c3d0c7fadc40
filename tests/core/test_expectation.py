"""Texts such as epochs=90: what they mean, and what is refused."""

from __future__ import annotations

import pytest

from sootprint.core.errors import InputError
from sootprint.core.expectation import Expectation, parsed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("epochs=90", Expectation("epochs", 90.0)),
        (" steps = 100_000 ", Expectation("steps", 100_000.0)),
        ("hours=6", Expectation("", 21_600.0)),
        ("minutes=30", Expectation("", 1800.0)),
        ("day=1", Expectation("", 86_400.0)),
    ],
)
def test_units_and_times_are_told_apart(text: str, expected: Expectation) -> None:
    """A time becomes seconds; any other name is a unit of the run."""
    assert parsed(text) == expected


@pytest.mark.parametrize(
    "text", ["epochs", "epochs=", "=90", "epochs=-1", "epochs=0", "epochs=inf", "epochs=x", ""]
)
def test_what_is_no_number_above_zero_is_refused(text: str) -> None:
    """The one line names the form that is understood."""
    with pytest.raises(InputError, match="epochs=90"):
        parsed(text)


@pytest.mark.parametrize(
    ("unit", "name", "is_one"),
    [
        ("epochs", "epoch", True),
        ("epoch", "Epochs", True),
        ("batches", "batch", True),
        ("passes", "pass", True),
        ("steps", "epoch", False),
        ("loss", "los", False),
    ],
)
def test_singular_and_plural_are_one_unit(unit: str, name: str, is_one: bool) -> None:
    """`epochs=90` counts spans named epoch."""
    assert Expectation(unit, 9.0).counts(name) is is_one


def test_a_time_counts_no_span() -> None:
    """With hours=6 a span named hour is a span like any other."""
    assert not parsed("hours=6").counts("hour")


def test_it_is_written_as_a_person_would() -> None:
    """The text stands in the record and in warnings."""
    texts = ("epochs=90", "epoch=90", "batch=5", "pass=1", "minutes=90", "minutes=5")
    written = ["90 epochs", "90 epochs", "5 batches", "1 pass", "1.5 hours", "5 minutes"]
    assert [str(parsed(text)) for text in texts] == written


def test_all_digits_of_a_number_of_units_are_told() -> None:
    """1,281,167 images are not 1.28117e+06 of them; an earlier run is known by what it said."""
    assert str(parsed("images=1281167")) == "1281167 images"
