"""The samples of experiment-impact-tracker: `impacttracker/data.json`, an object of JSON a line.

The tool charges a run with its share of the processor's and the GPUs' power, and works its kilowatt-hours out later,
with a PUE of 1.58. Here its shares are integrated without PUE, and the powers of the whole machine are kept in `given`.
`info.pkl` beside it, with region and devices, is a pickle: to read one runs whatever its writer put there, so it is
left alone.

Source:
    experiment-impact-tracker 0.1.9 (2021), compute_tracker.py, data_info_and_router.py, gpu/nvidia.py, cpu/intel.py.
    Henderson et al., Towards the Systematic Reporting of the Energy and Carbon Footprints of Machine Learning, JMLR 21
    (2020).
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from typing import Any

from sootprint.core import units
from sootprint.core.errors import InputError
from sootprint.core.records import Footprint
from sootprint.importers import powers
from sootprint.importers.base import Imported, finite, gathered, identity, tried

NAME = "experiment-impact-tracker"
MOST_SAMPLES = 1_000_000
_CHARGED = {
    "accelerator": "nvidia_estimated_attributable_power_draw",
    "cpu": "rapl_estimated_attributable_power_draw",
}
_WHOLE = {"gpus": "nvidia_draw_absolute", "processors": "rapl_power_draw_absolute"}
_BUSY = {"accelerator": "average_gpu_estimated_utilization_absolute", "cpu": "absolute_cpu_utilization"}
_GRID = "realtime_carbon_intensity"


def is_it(text: str, _: str) -> bool:
    """Whether a text is such a file."""
    first = text.partition("\n")[0]
    return first.startswith("{") and any(
        f'"{key}"' in first for key in (*_CHARGED.values(), *_WHOLE.values())
    )


def read(text: str, name: str) -> Imported:
    """Record of a run's samples.

    Raises:
        InputError: It has no samples with a power.
    """
    return gathered(NAME, name, _run(text, name))


def _run(text: str, name: str) -> Iterator[tuple[str, Footprint | str]]:
    yield tried("the samples", lambda: _record(*_samples(text, name), name))


def _samples(text: str, name: str) -> tuple[dict[float, dict[str, Any]], int]:
    """Samples by instant [s], and how many lines are none."""
    samples: dict[float, dict[str, Any]] = {}
    bad = 0
    for index, line in enumerate(text.splitlines()):
        if index >= MOST_SAMPLES:
            raise InputError(f"{name} has more than {MOST_SAMPLES:,} samples: give it in parts")
        if not line.strip():
            continue
        try:
            one = json.loads(line)
        except (ValueError, RecursionError):
            bad += 1
            continue
        at_s = finite(one.get("timestamp")) if isinstance(one, dict) else None
        if at_s is not None and powers.FIRST_S <= at_s <= powers.LAST_S:
            samples[at_s] = one
        else:
            bad += 1
    return samples, bad


def _series(samples: dict[float, dict[str, Any]], component: str, key: str) -> powers.Series:
    """Powers under a name, with the busy shares beside them."""
    found = powers.Series(component)
    for at_s, one in samples.items():
        if key in one:
            found.add(at_s, _text(one[key]))
        busy = one.get(_BUSY.get(component, ""))
        if busy is not None and key in one:
            found.add_busy(busy)
    return found


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, bool | dict | list) else str(value)


def _record(samples: dict[float, dict[str, Any]], bad: int, name: str) -> Footprint:
    charged = [_series(samples, component, key) for component, key in _CHARGED.items()]
    fields = powers.parts([one for one in charged if one.looks or one.bad], meter=NAME)
    warnings = (*fields.pop("warnings"), *_doubts(bad))
    fields.pop("device_hours")  # the samples do not tell how many GPUs there were
    has_card = any(part.component == "accelerator" for part in fields["components"])
    return Footprint(
        id=identity(min(samples), NAME, *_key(charged)),
        tool=NAME,
        name=name.removesuffix(".json"),
        grade="C" if has_card else "D",
        boundary="node",
        unknown=("place", "emissions_kg", "intensity_g_per_kwh", "pue", "hardware", "device_hours"),
        warnings=warnings,
        given=_given(samples),
        **fields,
    )


def _key(charged: list[powers.Series]) -> Iterator[str]:
    for one in charged:
        yield f"{one.component} {sorted(one.looks.items())!r}"


def _given(samples: dict[float, dict[str, Any]]) -> dict[str, Any]:
    """What the machine drew as a whole, and the grid that the tool saw."""
    told: dict[str, Any] = {"samples": len(samples)}
    for what, key in _WHOLE.items():
        looks = sorted(_series(samples, what, key).looks.items())
        if len(looks) > 1:
            told[f"whole_{what}_kwh"] = units.energy_kwh(powers.spent(looks).energy_j)
    grid = [finite(one.get(_GRID)) for one in samples.values()]
    known = [value for value in grid if value is not None and value >= 0.0]
    if known:
        told["mean_realtime_carbon_intensity"] = statistics.fmean(known)
    return told


def _doubts(bad: int) -> Iterator[str]:
    yield (
        "the run is charged with its share of the machine by processor time and by the GPUs' activity, as the tool "
        "does; what the machine drew stands in `given`, and no PUE is in"
    )
    yield "its region and devices are in info.pkl, which is not read: name the place to get emissions"
    if bad:
        yield f"{bad} lines were cut off or have no time: they count as not logged"
