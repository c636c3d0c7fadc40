"""The survey *Counting Carbon* (Luccioni and Hernandez-Garcia, 2023) for any table of models.

    data = sootprint.survey.load("co2ml95models.csv")     # or load("published")
    data.frame                                            # polars, columns of survey.schema
    survey.table2(data), survey.flags(data), survey.pareto(data)
    survey.summary(survey.analyse(data))                  # what summary.json holds
    sootprint.survey("published", out="survey")           # all at once, as the command does

Read `energy_kwh` and `emissions_kg` for whatever is drawn or counted: they are the values as given, or recomputed by
equation 1, throughout the data set. `panel` names rows that may be compared (task, data set and metric), `bin` the
year's bin, `run` the training that rows may share, and `counts` the one row of it that enters totals.
What each figure draws comes as frames from `survey.panels` (`figure1` to `figure6b` and the extra ones).
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sootprint.survey.analysis import analyse, summary
    from sootprint.survey.checks import flags
    from sootprint.survey.dataset import Dataset, load
    from sootprint.survey.estimates import Settings
    from sootprint.survey.figures.named import figure1, figure2, figure3, figure4, figure5, figure6a, figure6b
    from sootprint.survey.fronts import pareto
    from sootprint.survey.output import write
    from sootprint.survey.tables import table1, table2, table3

_HOMES = {
    "Dataset": "dataset",
    "Settings": "estimates",
    "analyse": "analysis",
    "figure1": "figures.named",
    "figure2": "figures.named",
    "figure3": "figures.named",
    "figure4": "figures.named",
    "figure5": "figures.named",
    "figure6a": "figures.named",
    "figure6b": "figures.named",
    "flags": "checks",
    "load": "dataset",
    "pareto": "fronts",
    "summary": "analysis",
    "table1": "tables",
    "table2": "tables",
    "table3": "tables",
    "write": "output",
}

__all__ = [
    "Dataset",
    "Settings",
    "analyse",
    "figure1",
    "figure2",
    "figure3",
    "figure4",
    "figure5",
    "figure6a",
    "figure6b",
    "flags",
    "load",
    "pareto",
    "summary",
    "table1",
    "table2",
    "table3",
    "write",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'sootprint.survey' has no attribute {name!r}")
    return getattr(importlib.import_module(f"sootprint.survey.{home}"), name)


class _Survey(ModuleType):
    """The module, which can be called as the command is."""

    def __call__(
        self,
        source: str | Path,
        out: str | Path | None = None,
        *,
        mapping: str | Path | None = None,
        values: str | None = None,
        how: Settings | None = None,
    ) -> dict[str, Any]:
        """Summary of a survey, with its files written where a folder is named.

        Args:
            source: CSV table, JSON records, folder of records, "published" or "ledger".
            out: Folder for tables, figures, summary and report; nothing is written where None.
            mapping: Mapping file of the table.
            values: "given" or "recomputed"; else what the mapping says.
            how: Settings of the estimates.

        Raises:
            InputError: The source is no table and no records, or the folder cannot be written.
        """
        from sootprint.survey import analyse, load, summary, write

        analysis = analyse(load(source, mapping=mapping, values=values), how=how)
        found = summary(analysis)
        if out is not None:
            write(analysis, found, Path(out))
        return found


sys.modules[__name__].__class__ = _Survey
