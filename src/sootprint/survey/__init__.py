"""The survey *Counting Carbon* (Luccioni and Hernandez-Garcia, 2023) for any table of models.

    data = sootprint.survey.load("co2ml95models.csv")     # or load("published")
    data.frame                                            # polars, columns of survey.schema

Read `energy_kwh` and `emissions_kg` for whatever is drawn or counted: they are the values as given, or recomputed by
equation 1, throughout the data set. `panel` names rows that may be compared (task, data set and metric), `bin` the
year's bin, `run` the training that rows may share, and `counts` the one row of it that enters totals.
What each figure draws comes as frames from `survey.panels` (`figure1` to `figure6b` and the extra ones).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sootprint.survey.dataset import Dataset, load

_HOMES = {
    "Dataset": "dataset",
    "load": "dataset",
}

__all__ = ["Dataset", "load"]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'sootprint.survey' has no attribute {name!r}")
    return getattr(importlib.import_module(f"sootprint.survey.{home}"), name)
