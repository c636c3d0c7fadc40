"""Quantities and factors."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sootprint.core.errors import RecordError
from sootprint.core.quantity import BASES, Factor, Quantity


@given(st.floats(), st.none() | st.floats(), st.none() | st.floats())
def test_quantity_is_finite_and_ordered_or_refused(
    value: float, low: float | None, high: float | None
) -> None:
    """Whatever is given, a Quantity that exists has finite numbers with low <= value <= high."""
    try:
        quantity = Quantity(value=value, low=low, high=high)
    except RecordError:
        numbers = [number for number in (low, value, high) if number is not None]
        assert not all(map(math.isfinite, numbers)) or numbers != sorted(numbers)
    else:
        numbers = [n for n in (quantity.low, quantity.value, quantity.high) if n is not None]
        assert numbers == sorted(numbers)
        assert all(map(math.isfinite, numbers))


def test_bases_are_those_of_the_design() -> None:
    """The six bases, no other."""
    assert BASES == ("metered", "sensor", "modelled", "claimed", "assumed", "derived")
    with pytest.raises(RecordError, match="basis 'measured' is not one of metered, sensor"):
        Quantity(value=1.0, basis="measured")


def test_quantity_never_changes() -> None:
    """A correction is a new record."""
    with pytest.raises(AttributeError):
        Quantity(value=1.0).value = 2.0  # type: ignore[misc]


def test_factor_gives_its_quantity() -> None:
    """The numbers of a factor enter arithmetic with their interval."""
    factor = Factor(kind="pue", key="lab", value=1.2, low=1.1, high=1.4)
    assert factor.quantity() == Quantity(value=1.2, low=1.1, high=1.4, basis="assumed")
    assert factor.quantity("claimed").basis == "claimed"


def test_factor_without_value_gives_none() -> None:
    """An unknown factor is not 0: it cannot be multiplied with."""
    with pytest.raises(RecordError, match="factor intensity of 'XX' has no value"):
        Factor(kind="intensity", key="XX", value=None).quantity()


@pytest.mark.parametrize("field", ["value", "low", "high"])
@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_factor_is_finite(field: str, number: float) -> None:
    """A factor that is not a finite number could not be written as JSON."""
    with pytest.raises(RecordError, match=f"{field} .* is not a finite number"):
        Factor(**{"kind": "pue", "key": "lab", "value": 1.0, field: number})
