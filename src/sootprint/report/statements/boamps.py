"""A record as a report of BoAmps 1.1.0: the format of Boavizta for the energy of AI tasks.

Its `powerConsumption` is the energy of the machines in kWh, before PUE. It has no field for emissions or PUE: these
stand beside it under `sootprint`, which its schema allows. What it requires and a record does not tell comes from tags
of the run that begin with `boamps.`.

Source:
    Boavizta, BoAmps data model 1.1.0 (CC-BY-4.0): report, algorithm, dataset, measure and hardware schemas.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sootprint.catalogue import tables
from sootprint.charts.families import MEASURED, wall_of
from sootprint.core import utc
from sootprint.core.errors import InputError
from sootprint.core.letters import clean
from sootprint.core.merging.choose import SHARED
from sootprint.core.protocols import family_of
from sootprint.core.quantity import Quantity
from sootprint.core.records import Component, Footprint, Hardware, Model, Work
from sootprint.importers.beside import ADDED, BOUNDED, OURS
from sootprint.importers.boamps import (
    BILLION,
    KINDS,
    LEVELS,
    PREFIX,
    PROVIDERS,
    QUALITIES,
    STAGES,
    TAGS,
    VERSION,
)
from sootprint.report import words
from sootprint.report.statements import facts

SPECIFICATION = "https://github.com/Boavizta/BoAmps/tree/main/model"
NOTE = "BoAmps has no field for emissions or PUE: they stand here. powerConsumption is an energy in kWh, before PUE."
FRAMEWORKS = ("torch", "tensorflow", "jax", "keras", "scikit-learn", "transformers", "lightning")
_ACCURACY = re.compile(r"\bacc(uracy)?\b", re.IGNORECASE)
_NEAR = 1e-9  # of a relative error, which is a quotient of rounded numbers
_PERCENT = 100.0
_EXACT = 2.0**53  # whole numbers below are exact
Plain = dict[str, Any]


def render(footprint: Footprint, *, corrects: bool = False) -> str:
    """Report of a record as JSON.

    Args:
        footprint: The record.
        corrects: Whether it corrects a report that was published.

    Raises:
        InputError: The record lacks what the format requires, or a tag has a value that the format does not know.
    """
    return (
        json.dumps(report(footprint, corrects=corrects), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    )


def report(footprint: Footprint, *, corrects: bool = False) -> Plain:
    """Report of a record as plain data; raises as `render`."""
    tags = _tags(footprint)
    _require(footprint, tags)
    system, software = footprint.software.get("os"), footprint.software.get("python")
    found: Plain = {
        "header": _header(footprint, tags, corrects=corrects),
        "task": _task(footprint, tags),
        "measures": [_measure(footprint)],
        "system": {"os": system} if system else None,
        "software": {"language": "python", "version": software} if software else None,
        "infrastructure": _infrastructure(footprint, tags),
        "environment": _environment(footprint),
        "quality": quality(footprint.energy_kwh),
        OURS: _ours(footprint),
    }
    known: Plain = _known(found)
    return known


def lacks(footprint: Footprint) -> list[tuple[str, str]]:
    """What the format requires and a record does not tell, each with the option or tag that adds it."""
    return list(_lacks(footprint, _tags(footprint)))


def quality(energy: Quantity | None) -> str | None:
    """Quality of an energy by half its interval over its value; None where it has none.

    >>> quality(Quantity(value=10.0, low=9.0, high=11.0)), quality(Quantity(value=10.0, low=5.0, high=20.0))
    ('high', 'low')
    """
    if energy is None or energy.low is None or energy.high is None or not energy.value:
        return None
    error = 0.5 * (energy.high / energy.value - energy.low / energy.value)
    return next((name for name, most in QUALITIES.items() if error <= most + _NEAR), "low")


def _tags(footprint: Footprint) -> dict[str, str]:
    """Values of the tags that are for this format.

    Raises:
        InputError: A tag is none of `TAGS`, or has a value that the format does not know.
    """
    found = {}
    for key, value in footprint.tags.items():
        if not key.startswith(PREFIX) or not value.strip():
            continue
        name = key.removeprefix(PREFIX)
        if name not in TAGS:
            raise InputError(f"tag {key!r:.60} is not one of {', '.join(PREFIX + one for one in TAGS)}")
        if TAGS[name] and value not in TAGS[name]:
            raise InputError(f"tag {key} is {value!r:.60}: BoAmps has {', '.join(TAGS[name])}")
        found[name] = value
    return found


def _require(footprint: Footprint, tags: dict[str, str]) -> None:
    missing = list(_lacks(footprint, tags))
    if not missing:
        return
    given = [how for _, how in missing if how.startswith(("--", PREFIX))]
    others = [how for _, how in missing if not how.startswith(("--", PREFIX))]
    ways = [f"`sootprint tag {footprint.id[-8:]} {' '.join(given)}`"] if given else []
    raise InputError(
        f"BoAmps requires what this record does not tell: {', '.join(what for what, _ in missing)}",
        here=f"; add it: {'; '.join((*ways, *others))}",
    )


def _lacks(footprint: Footprint, tags: dict[str, str]) -> Iterator[tuple[str, str]]:
    if not _stages(footprint):
        yield "the stage of the task", "--stage finetune"
    if not _family(footprint, tags):
        yield "the family of the task", f"{PREFIX}task={shlex.quote('text classification')}"
    if "data" not in tags and not _tokens(footprint):
        yield "the type of the data", f"{PREFIX}data=text"
    if (
        "infra" not in tags
        and not footprint.place.provider
        and footprint.place.source not in ("site", "cluster")
    ):
        yield "the type of the infrastructure", f"{PREFIX}infra=onPremise"
    if not footprint.hardware:
        yield facts.HARDWARE.what, facts.HARDWARE.how
    elif "hardware.count" in footprint.unknown:
        yield facts.COUNT.what, facts.COUNT.how
    if footprint.energy_kwh is None:
        yield facts.ENERGY_LACK.what, facts.ENERGY_LACK.how


def _header(footprint: Footprint, tags: dict[str, str], *, corrects: bool) -> Plain:
    return {
        "licensing": tags.get("licence"),
        "formatVersion": VERSION,
        "formatVersionSpecificationUri": SPECIFICATION,
        "reportId": footprint.id,
        "reportDatetime": _stamp(footprint.ended) or _stamp(footprint.started) or _of_id(footprint.id),
        "reportStatus": tags.get("status") or ("corrective" if corrects else "final"),
        "publisher": {
            "name": tags.get("publisher"),
            "projectName": footprint.project,
            "confidentialityLevel": tags.get("confidentiality", LEVELS[0]),
        },
    }


def _task(footprint: Footprint, tags: dict[str, str]) -> Plain:
    tokens, work = _tokens(footprint), footprint.work or Work()
    return {
        "taskStage": _stages(footprint),
        "taskFamily": _family(footprint, tags),
        "algorithms": [_algorithm(footprint)],
        "dataset": [
            {
                "dataUsage": "input",
                "dataType": tags.get("data") or "token",
                "dataQuantity": _whole(tokens if tags.get("data", "token") == "token" else work.samples),
            }
        ],
        "measuredAccuracy": _accuracy(footprint),
        "taskDescription": "; ".join(filter(None, (footprint.name, words.SCOPES[footprint.scope]))),
    }


def _whole(value: float | None) -> float | None:
    """A count without a decimal point, where it is one."""
    return int(value) if value is not None and value.is_integer() and value < _EXACT else value


def _tokens(footprint: Footprint) -> float | None:
    return (footprint.work or Work()).tokens or None


def _stages(footprint: Footprint) -> str | None:
    """Stages in the words of the format, joined by + where a record has several."""
    named = [one.stage for one in footprint.stages] or [footprint.stage]
    return "+".join(dict.fromkeys(STAGES[one] for one in named if one in STAGES)) or None


def _family(footprint: Footprint, tags: dict[str, str]) -> str | None:
    """Family of the task: as tagged, else the tasks of the results."""
    tasks = (one.task.strip().lower() for one in footprint.results if one.task and one.task.strip())
    return tags.get("task") or ", ".join(dict.fromkeys(tasks)) or None


def _algorithm(footprint: Footprint) -> Plain:
    model = footprint.model or Model()
    framework = next((name for name in FRAMEWORKS if name in footprint.software), None)
    shape = model.architecture or model.family
    if footprint.stage == "finetune":
        names = {"foundationModelName": model.base, "algorithmName": model.name or shape}
    elif footprint.stage in ("pretrain", "inference"):
        names = {"foundationModelName": model.name, "algorithmName": shape}
    else:
        names = {"foundationModelName": None, "algorithmName": model.name or shape}
    return {
        "trainingType": "transferLearning" if footprint.stage == "finetune" else None,
        **names,
        "parametersNumber": None if not model.params else model.params / BILLION,
        "framework": framework,
        "frameworkVersion": footprint.software.get(framework or "") or None,
    }


def _accuracy(footprint: Footprint) -> float | None:
    """Accuracy as a share, where the record has exactly one result of that metric."""
    found = [one.value for one in footprint.results if one.kind == "quality" and _ACCURACY.search(one.metric)]
    if len(found) != 1 or not 0.0 <= found[0] <= _PERCENT:
        return None
    return found[0] if found[0] <= 1.0 else found[0] / _PERCENT


def _measure(footprint: Footprint) -> Plain:
    energy = footprint.energy_kwh
    return {
        "measurementMethod": footprint.tool or "unknown",
        "version": footprint.tool_version,
        "cpuTrackingMode": _mode(footprint, "cpu"),
        "gpuTrackingMode": _mode(footprint, "accelerator"),
        "averageUtilizationCpu": _utilisation(footprint, "cpu"),
        "averageUtilizationGpu": _utilisation(footprint, "accelerator"),
        "powerConsumption": None if energy is None else energy.value,
        "measurementDuration": footprint.duration_s,
        "measurementDateTime": _stamp(footprint.started),
    }


def _of_family(footprint: Footprint, family: str) -> list[Component]:
    return [one for one in footprint.components if family_of(one.component) == family]


def _mode(footprint: Footprint, family: str) -> str | None:
    """How a family was tracked: its meter where that is a sensor, else by which model; None where nothing tells."""
    found = _of_family(footprint, family)
    if found:
        return ", ".join(dict.fromkeys(_meter(one) for one in found))
    wall = wall_of(footprint)
    if wall is not None:
        return f"at the wall: {wall.meter}"
    has_none = footprint.components and not any(one.kind == family for one in footprint.hardware)
    return "none" if has_none else "not tracked" if footprint.components else None


def _meter(one: Component) -> str:
    if one.energy_kwh.basis in MEASURED:
        return one.meter
    return f"modelled: {words.METERS.get(one.meter, one.meter)}"


def _utilisation(footprint: Footprint, family: str) -> float | None:
    """Mean busy share as it was measured; that of an estimate is its power over the rated one."""
    shares = [None if one.meter in words.STATED else one.utilisation for one in _of_family(footprint, family)]
    known = [one for one in shares if one is not None]
    return sum(known) / len(known) if known and len(known) == len(shares) else None


def _infrastructure(footprint: Footprint, tags: dict[str, str]) -> Plain:
    place = footprint.place
    kind = tags.get("infra") or ("publicCloud" if place.provider else "onPremise")
    shared = bool(footprint.given.get(SHARED))
    return {
        "infraType": kind,
        "cloudProvider": PROVIDERS.get(place.provider, place.provider) if place.provider else None,
        "components": [_component(one, is_shared=shared) for one in footprint.hardware],
    }


def _component(one: Hardware, *, is_shared: bool) -> Plain:
    memory_gb = None if one.memory_gb is None else round(one.memory_gb)
    is_tpu = one.kind == "accelerator" and "tpu" in one.name.lower()
    return {
        "componentName": one.name,
        "componentType": "tpu" if is_tpu else KINDS.get(one.kind, one.kind),
        "nbComponent": one.count,
        "memorySize": memory_gb or None,
        "manufacturer": one.vendor,
        "share": None if is_shared else 1,
    }


def _environment(footprint: Footprint) -> Plain | None:
    """Country in words with the place in it; nothing where the country is not known, which the format requires."""
    place, grid = footprint.place, footprint.intensity_g_per_kwh
    if not place.country:
        return None
    names = {row["zone"]: row["name"] for row in tables.all_rows("zones")}
    more = place.region if place.provider else place.zone if place.zone != place.country else None
    return {
        "country": names.get(place.country, place.country),
        "location": more,
        "powerSourceCarbonIntensity": None if grid is None else grid.value,
    }


def _ours(footprint: Footprint) -> Plain:
    return {
        "note": NOTE,
        "record": footprint.id,
        "schema": footprint.schema,
        "grade": footprint.grade,
        "boundary": footprint.boundary,
        **{
            name: _quantity(getattr(footprint, name))
            for name in (*BOUNDED, *ADDED)
            if name not in footprint.unknown
        },
    }


def _quantity(quantity: Quantity | None) -> Plain | None:
    if quantity is None:
        return None
    return {"value": quantity.value, "low": quantity.low, "high": quantity.high, "basis": quantity.basis}


def _stamp(text: str | None) -> str | None:
    """Instant in the form of the format, in UTC; None for what is none."""
    found = utc.found(text) if text else None
    return None if found is None or found.year < 1000 else f"{found.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _of_id(identity: str) -> str:
    """Instant at which an identity of version 7 was made (RFC 9562)."""
    milliseconds = int(identity.replace("-", "")[:12], 16)
    try:
        return f"{datetime.fromtimestamp(milliseconds / 1e3, UTC):%Y-%m-%d %H:%M:%S}"
    except (OverflowError, OSError, ValueError):
        return "1970-01-01 00:00:00"


def _known(data: Any) -> Any:
    """Plain data without what is not known, as the format has no null, its texts fit to be shown."""
    if isinstance(data, dict):
        return {name: _known(one) for name, one in data.items() if one is not None}
    if isinstance(data, list):
        return [_known(one) for one in data]
    return clean(data) if isinstance(data, str) else data
