"""Files of a survey: `summary.json`, the tables, the models, the flags; then figures and report.

Each file is written under another name first and moved in place when it is whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sootprint import charts
from sootprint.core import files as disk
from sootprint.core.errors import InputError, SootprintError
from sootprint.survey import report, tables
from sootprint.survey.figures import files, gallery

if TYPE_CHECKING:
    import polars as pl

    from sootprint.survey.analysis import Analysis
    from sootprint.survey.panels import Drawn

Say = Callable[[str], None]
TITLES = {
    "table1": "Table 1. Models by task and data set",
    "table2": "Table 2. Models and mean carbon intensity by main energy source",
    "table3": "Table 3. Hardware by family",
}


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
    with charts.Studio() as studio:
        made = _tables(analysis)
        written = [
            *(_text(out / "tables" / f"{name}.csv", frame.write_csv()) for name, frame in made.items()),
            _text(
                out / "summary.json", json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
            ),
        ]
        shown = []
        for figure in gallery.figures(analysis.data, how=analysis.how, drawn=_drawn(analysis)):
            say(figure.key)
            shown.append(files.begun(figure, studio))
        say("drawing")
        studio.work()
        for one in shown:
            written += [_bytes(out / "figures" / name, data) for name, data in files.contents(one).items()]
    say("report")
    titled = {title: made[name] for name, title in TITLES.items()}
    figures = [one.figure for one in shown]
    return [
        *written,
        _text(out / "report.html", report.page(found, titled, shown)),
        _text(out / "report.md", report.markdown(found, titled, figures)),
    ]


def _drawn(analysis: Analysis) -> dict[str, Drawn]:
    """Data of the figures that the analysis has made already."""
    return {
        "figure3": analysis.emissions,
        "figure4": analysis.fronts,
        "figure5": analysis.energy_fronts,
        "figure6a": analysis.intensity,
    }


def _tables(analysis: Analysis) -> dict[str, pl.DataFrame]:
    data = analysis.data
    return {
        "table1": tables.table1(data),
        "table2": tables.table2(data),
        "table3": tables.table3(data, top=None),
        "models": data.frame,
        "flags": analysis.flags,
    }


def _text(path: Path, text: str) -> Path:
    return _bytes(path, text.encode())


def _bytes(path: Path, data: bytes) -> Path:
    """A file, whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError, PermissionError) as err:
        raise InputError(
            f"{path} cannot be written: {err.strerror}; name a folder that can, with --out"
        ) from None
    except OSError as err:
        raise SootprintError(f"{path} was not written: {err.strerror or err}") from err
    disk.write(path, data)
    return path
