"""Year bins: the survey's first bin pools 2012-2016, each later year is its own; no year is lost."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

FIRST, POOLED = 2012, 2016  # the survey pools these and all between


def labels(years: Iterable[int]) -> tuple[str, ...]:
    """Labels of the bins from the first to the last year, in order, empty years between included.

    >>> labels([2019, 2015, 2022])
    ('2012-2016', '2017', '2018', '2019', '2020', '2021', '2022')
    >>> labels([2008, 2017])
    ('before 2012', '2012-2016', '2017')
    """
    there = sorted(set(years))
    if not there:
        return ()
    first, last = label(there[0]), there[-1]
    single = (str(year) for year in range(max(POOLED + 1, there[0]), last + 1))
    pooled = f"{FIRST}-{POOLED}"
    early = [first] if there[0] < FIRST else []
    between = (
        [pooled]
        if there[0] <= POOLED <= last or FIRST <= there[0] <= POOLED or FIRST <= last <= POOLED
        else []
    )
    return tuple(chain(early, between, single))


def label(year: int) -> str:
    """Label of the bin of a year.

    >>> label(2014), label(2021), label(1998)
    ('2012-2016', '2021', 'before 2012')
    """
    if year < FIRST:
        return f"before {FIRST}"
    return f"{FIRST}-{POOLED}" if year <= POOLED else str(year)


def column() -> pl.Expr:
    """Expression of the bin of the column `year`; null where the year is missing."""
    import polars as pl

    year = pl.col("year")
    return (
        pl.when(year < FIRST)
        .then(pl.lit(f"before {FIRST}"))
        .when(year <= POOLED)
        .then(pl.lit(f"{FIRST}-{POOLED}"))
        .otherwise(year.cast(pl.String))
        .alias("bin")
    )
