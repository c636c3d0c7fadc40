"""The latest runs as figures in a file, which the textfile collector of Prometheus' node exporter reads.

The file is replaced as a whole, so that a reader sees the one before or the one after. It has the latest run of each
project and name, and of those the `MOST` that ended last: labels that only ever grow would fill a Prometheus.

Source:
    Prometheus, node exporter, textfile collector: files that end in .prom, no timestamps (2025).
    Prometheus, Metric and label naming: base units, joules and grams (2025).
"""

from __future__ import annotations

import os
from pathlib import Path

from sootprint.core.errors import ExportError, InputError, SootprintError
from sootprint.core.exposition import Family, Labels, exposition, samples
from sootprint.core.files import writable, write
from sootprint.core.letters import clean
from sootprint.core.locks import taken
from sootprint.core.records import Footprint
from sootprint.core.units import G_PER_KG, energy_j
from sootprint.exporters import figures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sootprint.settings import Settings

MOST = 200
LOCK_S = 20.0
SUFFIX = ".prom"
PREFIX = "sootprint_run_"
ENDED = f"{PREFIX}end_timestamp_seconds"
INFO = f"{PREFIX}info"
# Figure of a record by the figure's name here, with what the value is multiplied with and what it says.
_FIGURES: dict[str, tuple[str, float, str]] = {
    "duration_seconds": ("duration_s", 1.0, "Wall time."),
    "energy_joules": ("energy_kwh", energy_j(1.0), "IT energy, before PUE."),
    "emissions_grams": ("emissions_kg", G_PER_KG, "Operational emissions in CO2e, location-based, with PUE."),
    "embodied_grams": ("embodied_kg", G_PER_KG, "Share of the manufacture of the hardware in CO2e."),
    "intensity_grams_per_kilowatt_hour": ("intensity_g_per_kwh", 1.0, "Carbon intensity of the electricity."),
    "pue_ratio": ("pue", 1.0, "Facility energy over IT energy."),
}
_BOUNDS = {"": "", "_low": " 5th percentile.", "_high": " 95th percentile."}
Run = tuple[str, str]  # project and name
Told = dict[str, tuple[Labels, float]]  # of one run, by the figures' names


def opened(at: str, settings: Settings) -> TextFile:
    """Exporter to a file of figures.

    Raises:
        InputError: It cannot be written, or has a name that the collector does not read.
    """
    path = Path(at)
    if path.suffix != SUFFIX:
        raise InputError(f"{path} is not read by the textfile collector: name a file that ends in {SUFFIX}")
    return TextFile(writable(path))


class TextFile:
    """A file of figures of the latest runs."""

    name = "prometheus"

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, footprint: Footprint) -> None:
        """Put the figures of a run in the place of those of the run of that name before.

        Raises:
            ExportError: The file cannot be written, or has figures of another program.
        """
        try:
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                if not taken(folder, LOCK_S):
                    raise ExportError(f"{self._path} has been locked by another program for {LOCK_S:.0f} s")
                runs = self._read()
                told = _told(footprint)
                if _ended(runs.get(_run(footprint), {})) <= _ended(told):  # an older run may be sent later
                    runs[_run(footprint)] = told
                latest = sorted(runs, key=lambda run: _ended(runs[run]))[-MOST:]
                text = exposition(_families([runs[run] for run in sorted(latest)]))
                write(self._path, text.encode("utf-8", "replace"))
            finally:
                os.close(folder)
        except ExportError:
            raise
        except OSError as err:
            raise ExportError(f"{self._path} cannot be written: {err.strerror or err}") from err
        except SootprintError as err:  # of the file that was to be replaced
            raise ExportError(str(err)) from err

    def _read(self) -> dict[Run, Told]:
        """Figures that the file has by run."""
        runs: dict[Run, Told] = {}
        try:
            for name, labels, value in samples(self._path.read_text(encoding="utf-8")):
                own = dict(labels)
                if not name.startswith(PREFIX):
                    raise ValueError(name)
                runs.setdefault((own["project"], own["name"]), {})[name] = (labels, value)
        except FileNotFoundError:
            pass
        except (KeyError, ValueError) as err:
            raise ExportError(
                f"{self._path} has other figures than ours ({err}): name another file"
            ) from None
        return runs


def _run(footprint: Footprint) -> Run:
    return clean(footprint.project or ""), clean(footprint.name or "")


def _ended(told: Told) -> float:
    """End of a run; one that is not there was before all others [s]."""
    return told[ENDED][1] if ENDED in told else 0.0


def _told(footprint: Footprint) -> Told:
    """Figures of one run; what is not known is left out."""
    project, name = _run(footprint)
    labels = (("project", project), ("name", name), ("zone", clean(footprint.place.zone or "")))
    known, made = figures.known(footprint), Told()
    for ours, (theirs, scale, _) in _FIGURES.items():
        for end in _BOUNDS:
            if f"{theirs}{end}" in known:
                made[f"{PREFIX}{ours}{end}"] = (labels, known[f"{theirs}{end}"] * scale)
    made[ENDED] = (labels, figures.end_s(footprint))
    words = figures.words(footprint)
    about = tuple((key, clean(words.get(key, ""))) for key in ("id", "grade", "boundary", "tool_version"))
    made[INFO] = ((*labels, *about), 1.0)
    return made


def _families(runs: list[Told]) -> list[Family]:
    helps = {
        f"{PREFIX}{ours}{end}": f"{text}{more}"
        for ours, (_, _, text) in _FIGURES.items()
        for end, more in _BOUNDS.items()
    }
    helps |= {ENDED: "End of the latest run of that name.", INFO: "What the record of that run is."}
    found = [
        Family(name, "gauge", text, [told[name] for told in runs if name in told])
        for name, text in helps.items()
    ]
    return [family for family in found if family.samples]
