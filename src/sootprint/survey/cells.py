"""Estimates of the cells of a table: one for each group, computed side by side, with what was left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from sootprint.survey.estimates import Estimate, Settings, estimate
from sootprint.survey.exclusions import Exclusion

if TYPE_CHECKING:
    import polars as pl

WORKERS = 2  # the look-ups of a bootstrap release the interpreter's lock
Progress = Callable[[int, int], None]  # cells done, cells in all


def cells(
    frame: pl.DataFrame,
    by: Sequence[str],
    value: str,
    *,
    how: Settings | None = None,
    progress: Progress | None = None,
) -> pl.DataFrame:
    """Estimates of a column in each group, in the order of first appearance.

    Args:
        frame: Rows with the columns `by`, `value` and `run`.
        by: Columns that make the groups; rows with an unknown in one of them, or in `value`, are left out.
        value: Column that is estimated.
        how: Settings of the estimates.
        progress: Called after each cell.

    Returns:
        One row a group: the columns `by`, then the fields of `Estimate`.
    """
    parts = frame.drop_nulls([*by, value]).partition_by(list(by), as_dict=True, maintain_order=True)
    done = 0

    def one(item: tuple[tuple[Any, ...], pl.DataFrame]) -> Estimate:
        nonlocal done
        key, part = item
        found = estimate(part[value].to_numpy(), part["run"].to_numpy(), how=how, key=f"{value} {key}")
        done += 1
        if progress is not None:
            progress(done, len(parts))
        return found

    with ThreadPoolExecutor(WORKERS) as pool:
        estimates = list(pool.map(one, parts.items()))
    return _as_frame(frame, by, list(parts), estimates)


def _as_frame(
    frame: pl.DataFrame, by: Sequence[str], keys: Iterable[tuple[Any, ...]], found: Iterable[Estimate]
) -> pl.DataFrame:
    import polars as pl

    kinds = {"str | None": pl.String, "float | None": pl.Float64, "int": pl.Int64}
    types: dict[str, Any] = {name: frame.schema[name] for name in by}
    types |= {spec.name: kinds[str(spec.type)] for spec in fields(Estimate)}
    rows = [dict(zip(by, key, strict=True)) | asdict(one) for key, one in zip(keys, found, strict=True)]
    return pl.DataFrame(rows, schema=types)


def left_out(
    frame: pl.DataFrame, needed: Iterable[str], *, what: str
) -> tuple[pl.DataFrame, list[Exclusion]]:
    """Rows that have all needed columns, and the count of those that lack each."""
    excluded = []
    for name in needed:
        lacking = frame.get_column(name).null_count()
        if lacking:
            excluded.append(Exclusion(what=what, reason=f"{name} is unknown", count=lacking))
            frame = frame.drop_nulls([name])
    return frame, excluded


def positive(frame: pl.DataFrame, names: Iterable[str], *, what: str) -> tuple[pl.DataFrame, list[Exclusion]]:
    """Rows whose columns are above 0, for a logarithmic axis, and the count of the others."""
    import polars as pl

    excluded = []
    for name in names:
        zero = int(frame.select((pl.col(name) <= 0).sum()).item() or 0)
        if zero:
            reason = f"{name} is 0, which a logarithmic axis has not: drawn in the gutter"
            excluded.append(Exclusion(what=what, reason=reason, count=zero))
            frame = frame.filter(pl.col(name) > 0)
    return frame, excluded
