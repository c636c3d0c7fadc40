"""Files of a survey: `summary.json`, the tables, the models, the flags; then figures and report.

Everything is written into a folder beside the target first and moved there when it is whole, file by file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sootprint.core.errors import InputError, SootprintError
from sootprint.survey import tables

if TYPE_CHECKING:
    import polars as pl

    from sootprint.survey.analysis import Analysis

Say = Callable[[str], None]


def write(analysis: Analysis, found: Mapping[str, Any], out: Path, *, say: Say | None = None) -> list[Path]:
    """Files of an analysis, in the order written.

    Args:
        analysis: Analysis of a data set.
        found: Its summary.
        out: Folder; made where it is not there, files of other names in it are left alone.
        say: Called with the name of each part before it is written.

    Raises:
        InputError: The folder cannot be made or written.
    """
    say = say or (lambda _: None)
    say("tables")
    written = [
        *(_table(out / "tables" / f"{name}.csv", frame) for name, frame in _tables(analysis).items()),
        _text(out / "summary.json", json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False) + "\n"),
    ]
    return written


def _tables(analysis: Analysis) -> dict[str, pl.DataFrame]:
    data = analysis.data
    return {
        "table1": tables.table1(data),
        "table2": tables.table2(data),
        "table3": tables.table3(data, top=None),
        "models": data.frame,
        "flags": analysis.flags,
    }


def _table(path: Path, frame: pl.DataFrame) -> Path:
    return _text(path, frame.write_csv())


def _text(path: Path, text: str) -> Path:
    """A file, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except (FileExistsError, NotADirectoryError, IsADirectoryError, PermissionError) as err:
        raise InputError(
            f"{path} cannot be written: {err.strerror}; name a folder that can, with --out"
        ) from None
    except OSError as err:
        draft.unlink(missing_ok=True)
        raise SootprintError(f"{path} was not written: {err.strerror or err}") from err
    return path
