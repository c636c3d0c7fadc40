"""Intensities as whole numbers of a small unit, so that sums are exact and equal sums tie; and jobs, checked."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sootprint.core.errors import InputError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
MOST_DIGITS = 6  # decimals that published intensities have at most
ROUNDING = 1e-12  # sums of floats nearer than this share of each other are equal
FLOAT_BITS = 53  # whole numbers up to here are exact in a float64 (IEEE 754-2019)


class Fixed(NamedTuple):
    """Whole numbers `(n_steps,)` and how many of them make one unit of the intensity."""

    values: Ints
    per_unit: float


class Jobs(NamedTuple):
    """Jobs as arrays of equal shape `(n_jobs,)` [steps]."""

    arrivals: Ints
    lengths: Ints
    slacks: Ints


def series(intensity: npt.ArrayLike) -> Floats:
    """Intensity of each step as float64, `(n_steps,)`.

    Raises:
        InputError: It has no step, more than one dimension, or a step without a figure.
    """
    values = np.ascontiguousarray(np.asarray(intensity, dtype=np.float64))
    if values.ndim != 1 or values.size == 0:
        raise InputError(f"intensity has shape {values.shape}: give one figure for each step")
    unknown = np.flatnonzero(~np.isfinite(values))
    if unknown.size:
        raise InputError(
            f"intensity of step {unknown[0]} is {values[unknown[0]]}, and {unknown.size} of {values.size} steps "
            "have no figure: fill or cut out the hole, a plan through it would be a guess"
        )
    return values


def fixed(values: Floats, *, bits: int) -> Fixed:
    """Whole numbers whose sums stay below 2**bits: decimals where the figures are decimals, else fractions of two.

    Args:
        values: Finite intensities, `(n_steps,)`.
        bits: Room for the sum of all magnitudes [bit].
    """
    limit, total = 2.0**bits, float(np.abs(values).sum())
    for digits in range(MOST_DIGITS + 1):
        size = 10.0**digits
        whole = np.rint(values * size)
        if total * size < limit and bool((whole / size == values).all()):
            return Fixed(whole.astype(np.int64), size)
    room = bits - 1 - (int(np.ceil(np.log2(total))) if total > 0.0 else 0)
    size = 2.0**room
    return Fixed(np.rint(values * size).astype(np.int64), size)


def jobs(n_steps: int, arrivals: npt.ArrayLike, lengths: npt.ArrayLike, slacks: npt.ArrayLike) -> Jobs:
    """Jobs whose windows lie within the steps.

    Args:
        n_steps: Steps with an intensity.
        arrivals: First step in which a job may run [step].
        lengths: Steps that it runs, at least 1 [step].
        slacks: Steps that it may wait in all, at least 0 [step].

    Raises:
        InputError: A number is not whole, is outside its range, or a window ends after the last step.
    """
    names = ("arrival", "length", "slack")
    columns = [_whole(name, column) for name, column in zip(names, (arrivals, lengths, slacks), strict=True)]
    try:
        made = Jobs(*(np.ascontiguousarray(column) for column in np.broadcast_arrays(*columns)))
    except ValueError as err:
        raise InputError(
            "arrivals, lengths and slacks have different sizes: give one of each for a job"
        ) from err
    for name, column, least in zip(names, made, (0, 1, 0), strict=True):
        if column.size and int(column.min()) < least:
            at = int(column.argmin())
            raise InputError(f"{name} of job {at} is {column[at]} steps: it is at least {least}")
    ends = made.arrivals + made.lengths + made.slacks
    if ends.size and int(ends.max()) > n_steps:
        at = int(ends.argmax())
        raise InputError(
            f"job {at} may run until step {ends[at]}, but the intensity has {n_steps} steps: "
            "shorten its slack or give a longer series"
        )
    return made


def _whole(name: str, column: npt.ArrayLike) -> Ints:
    given: npt.NDArray[Any] = np.atleast_1d(np.asarray(column))
    if given.ndim != 1:
        raise InputError(f"{name} has shape {given.shape}: give one number for each job")
    if given.dtype.kind not in "iuf":
        raise InputError(f"{name} is {given.dtype}, not whole numbers of steps")
    whole = given.astype(np.int64)
    if given.dtype.kind == "f" and not bool((whole == given).all()):
        at = int(np.flatnonzero(whole != given)[0])
        raise InputError(f"{name} of job {at} is {given[at]}: give a whole number of steps")
    return whole
