"""Reports of BoAmps, the format of Boavizta for the energy of AI tasks: its words, and its reports as records.

Its `powerConsumption` is an energy in kWh, before any overhead of a facility; it has no field for emissions, and none
for PUE. Reports that we wrote have those beside it, under `sootprint`. Older reports state a unit for it.

Source:
    Boavizta, BoAmps data model 1.1.0 (CC-BY-4.0): report, algorithm, dataset, measure and hardware schemas.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sootprint.core import codec
from sootprint.core.errors import InputError, RecordError
from sootprint.core.ids import is_uuid7
from sootprint.core.merging.parts import APART
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint, Hardware, Model, Place, Work, main_device
from sootprint.core.units import J_PER_KWH, SECONDS_PER_HOUR, W_PER_KW, hours
from sootprint.importers import beside, clocks
from sootprint.importers.base import (
    FAULTS,
    MOST_CELL,
    MOST_ROWS,
    Imported,
    claimed,
    gathered,
    identity,
    instant,
    mapping,
    mappings,
    number,
    place_of,
    stamp,
    whole,
)

NAME = "boamps"
VERSION = "1.1.0"
STAGES = {
    "pretrain": "training", "finetune": "finetuning", "search": "hyperparameter search", "distil": "distillation",
    "evaluate": "evaluation", "data": "preprocessing", "inference": "inference", "development": "development",
}  # fmt: skip
KINDS = {
    "accelerator": "gpu", "cpu": "cpu", "dram": "ram", "storage": "storage", "network": "network", "node": "server",
}  # fmt: skip
DATA_TYPES = ("tabular", "audio", "boolean", "image", "video", "object", "text", "token", "word", "other")
INFRASTRUCTURES = ("publicCloud", "privateCloud", "onPremise", "other")
LEVELS = ("public", "internal", "confidential", "secret")
STATUSES = ("draft", "final", "corrective", "other")
PREFIX = "boamps."  # of tags that hold what a record has no field for
TAGS: dict[str, tuple[str, ...]] = {  # after the prefix, with the values that each may have; empty for any
    "task": (),
    "data": DATA_TYPES,
    "infra": INFRASTRUCTURES,
    "confidentiality": LEVELS,
    "publisher": (),
    "licence": (),
    "status": STATUSES,
}
QUALITIES = {"high": 0.10, "medium": 0.25, "low": 0.50}  # largest relative error of each
PROVIDERS = {"gcp": "google"}  # our name of a provider: theirs
BILLION = 1e9
_STAGE_OF = {name: stage for stage, name in STAGES.items()} | {
    "pretraining": "pretrain", "pre-training": "pretrain", "fine-tuning": "finetune", "retraining": "finetune",
    "datacreation": "data",
}  # fmt: skip
_KIND_OF = {name: kind for kind, name in KINDS.items()} | {
    "tpu": "accelerator", "npu": "accelerator", "accelerator": "accelerator", "graphics": "accelerator",
    "memory": "dram", "dram": "dram", "hdd": "storage", "ssd": "storage", "sdd": "storage", "disk": "storage",
}  # fmt: skip
_KWH = {
    "kwh": 1.0, "wh": 1.0 / W_PER_KW, "mwh": W_PER_KW, "gwh": W_PER_KW**2, "kjoule": W_PER_KW / J_PER_KWH,
    "mjoule": 1e6 / J_PER_KWH, "gjoule": 1e9 / J_PER_KWH, "tjoule": 1e12 / J_PER_KWH, "pjoule": 1e15 / J_PER_KWH,
}  # fmt: skip
_MILLI = "mWh"  # the only unit that differs from another by its case alone
_PROVIDER_OF = {"google": "gcp", "amazon": "aws", "microsoft": "azure"}
MOST_DEVICE_W = 3_000.0  # no device draws as much in the mean
# Names that stand before a report that a record of ours was made of
_OF_RECORDS = ('"schema"', '"energy_kwh"')


def is_tree(start: str) -> bool:
    """Whether the begin of a JSON text is that of such a report, or of a list; a record of ours may hold one."""
    before, found, _ = start.partition('"measures"')
    return bool(found) and '"powerConsumption"' in start and not any(name in before for name in _OF_RECORDS)


def read(text: str, name: str) -> Imported:
    """Records of the reports in a text.

    Raises:
        InputError: It is no JSON, or holds no report that can be a record.
    """
    return gathered(NAME, name, _each(text, name))


def _each(text: str, name: str) -> Iterator[tuple[str, Footprint | str]]:
    try:
        data = codec.parsed(text)
    except RecordError as err:
        raise InputError(f"{name} is {err!s:.200}") from None
    listed = data if isinstance(data, list) else [data]
    if len(listed) > MOST_ROWS:
        raise InputError(f"{name} has {len(listed):,} reports, at most {MOST_ROWS:,}: give it in parts")
    for index, one in enumerate(listed, 1):
        try:
            made = _record(one)
            readable = codec.from_dict(codec.to_dict(made))  # what nobody could read again is told
            yield f"report {index}", readable
        except FAULTS as err:
            yield f"report {index}", str(err)
        except RecursionError:
            yield f"report {index}", "its lists are nested too deep to be kept: a report has six levels"


def _record(data: Any) -> Footprint:
    if not isinstance(data, dict) or not isinstance(data.get("measures"), list):
        raise InputError("it has no list of measures: it is no BoAmps report")
    measure, remarks = _measure(mappings(data["measures"]))
    infrastructure = mapping(data.get("infrastructure"))
    duration_s = _number(measure, "measurementDuration", "measureDuration", "duration")
    hardware, unknown = _hardware(mappings(infrastructure.get("components")), ours=beside.OURS in data)
    environment = mapping(data.get("environment"))
    place, doubt = _place(environment, infrastructure)
    when = measure.get("measurementDateTime", measure.get("measureDateTime"))
    started = _instant(when)
    energy = _energy(measure, data.get("quality"))
    made: dict[str, Any] = {
        "energy_kwh": energy,
        "place": place,
        "duration_s": duration_s,
        "intensity_g_per_kwh": claimed(_number(environment, "powerSourceCarbonIntensity")),
        "device_hours": _device_hours(duration_s, hardware) if not unknown else None,
    }
    made |= beside.written(data, made)
    kept, too_long = beside.kept(data)
    return Footprint(
        id=identity(started.timestamp() if started else None, NAME, json.dumps(data, sort_keys=True)),
        tool=_text(measure.get("measurementMethod")) or NAME,
        tool_version=_text(measure.get("version")),
        parent=_origin(data),
        started=stamp(started) if started else None,
        hardware=hardware,
        grade="D" if hardware and duration_s else "E",
        unknown=(*(name for name, value in made.items() if value is None or value == Place()), *unknown),
        warnings=(*_doubts(data, when), *remarks, *doubt, *_power(energy, duration_s, hardware), *too_long),
        given={NAME: kept} | ({APART: 0.0} if _origin(data) else {}),
        **beside.boundary(data),
        **_about(data, mapping(data.get("task"))),
        **made,
    )


def _about(data: Mapping[str, Any], task: Mapping[str, Any]) -> dict[str, Any]:
    """What was trained, by whom and with what."""
    algorithm = next(iter(mappings(task.get("algorithms"))), {})
    names = (algorithm.get("foundationModelName"), algorithm.get("algorithmName"), task.get("taskFamily"))
    publisher = mapping(mapping(data.get("header")).get("publisher"))
    return {
        "tags": _tags(data, task, publisher),
        "name": next(filter(None, map(_text, names)), None),
        "project": _text(publisher.get("projectName")),
        "stage": _stage(task),
        "model": _model(algorithm, task),
        "work": _work(mappings(task.get("dataset"))),
        "software": _software(data, algorithm),
    }


def _tags(data: Mapping[str, Any], task: Mapping[str, Any], publisher: Mapping[str, Any]) -> dict[str, str]:
    """What a record has no field for, so that the report can be written again; status is that of each report.

    A level of secrecy that the format does not know stays: the report is then not written before somebody corrects it.
    """
    first = next((one for one in mappings(task.get("dataset")) if one.get("dataUsage") == "input"), {})
    told = {
        "task": task.get("taskFamily"),
        "data": first.get("dataType"),
        "infra": mapping(data.get("infrastructure")).get("infraType"),
        "confidentiality": publisher.get("confidentialityLevel"),
        "publisher": publisher.get("name"),
        "licence": mapping(data.get("header")).get("licensing"),
    }
    texts = {name: text for name, value in told.items() if (text := _text(value))}
    kept = ("confidentiality", *(name for name, known in TAGS.items() if not known))
    return {f"{PREFIX}{name}": text for name, text in texts.items() if name in kept or text in TAGS[name]}


def _doubts(data: Mapping[str, Any], when: Any) -> tuple[str, ...]:
    return (*_secrecy(data), *clocks.doubts(_text(when)))


def _secrecy(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Warning where a report is not public."""
    level = _text(mapping(mapping(data.get("header")).get("publisher")).get("confidentialityLevel"))
    return () if level in (None, LEVELS[0]) else (f"its report is marked {level!r:.40}: share it with care",)


def _origin(data: Mapping[str, Any]) -> str | None:
    """Record of ours that a report was made of: where that is here, too, the energy counts once."""
    stated = _text(mapping(data.get(beside.OURS)).get("record"))
    return stated if stated and is_uuid7(stated) else None


def _measure(measures: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Measure of a report: of several the largest, as the format does not tell whether they overlap."""
    if not measures:
        raise InputError("its list of measures is empty: a report has at least one")
    listed = [(_kwh(one), one) for one in measures]
    largest, found = max(listed, key=lambda pair: pair[0])
    if len(listed) == 1:
        return found, ()
    least = min(kwh for kwh, _ in listed)
    return found, (
        f"{len(listed)} measures are given, of {least:.4g} to {largest:.4g} kWh: the largest is taken, as the format "
        "does not tell whether they overlap",
    )


def _kwh(measure: Mapping[str, Any]) -> float:
    value = _number(measure, "powerConsumption")
    if value is None:
        raise InputError("a measure has no powerConsumption: give the energy in kWh")
    unit = _text(measure.get("unit")) or "kWh"
    if unit == _MILLI:
        return value / W_PER_KW**2
    if unit.lower() not in _KWH:
        raise InputError(
            f"unit is {unit!r:.40}: powerConsumption is an energy, in kWh unless a unit is stated"
        )
    return value * _KWH[unit.lower()]


def _energy(measure: Mapping[str, Any], quality: Any) -> Quantity:
    """Energy, with the relative error that its quality stands for."""
    kwh, error = _kwh(measure), QUALITIES.get(quality) if isinstance(quality, str) else None
    if error is None:
        return Quantity(value=kwh, basis="claimed")
    return Quantity(value=kwh, low=kwh * (1.0 - error), high=kwh * (1.0 + error), basis="claimed")


def _hardware(
    components: Sequence[Mapping[str, Any]], *, ours: bool
) -> tuple[tuple[Hardware, ...], tuple[str, ...]]:
    """Devices, and what of them is unknown; in a report of ours a name has no count before it."""
    found, unknown = [], []
    for one in components:
        kind = (_text(one.get("componentType")) or "").strip().lower()
        count = whole({"nbComponent": _as_text(one.get("nbComponent"))}, "nbComponent")
        if not count:
            unknown.append("hardware.count")
        memory_gb = _number(one, "memorySize")
        found.append(
            Hardware(
                kind=_KIND_OF.get(kind, "node"),
                vendor=_text(one.get("manufacturer")),
                name=_device(one, None if ours else count) or kind or "not named",
                count=count or 1,
                memory_gb=memory_gb or None,
            )
        )
    return tuple(found), tuple(dict.fromkeys(unknown))


def _device(one: Mapping[str, Any], count: int | None) -> str | None:
    """Name of a device, without the count that some tools write before it."""
    name = _text(one.get("componentName"))
    if name is None:
        parts = (_text(one.get(part)) for part in ("manufacturer", "family", "series"))
        return " ".join(filter(None, parts)) or None
    counted, _, rest = name.partition(" x ")
    return rest if rest and counted.strip() == str(count) else name


def _device_hours(duration_s: float | None, hardware: tuple[Hardware, ...]) -> Quantity | None:
    main = main_device(hardware)
    return None if duration_s is None or main is None else claimed(hours(duration_s) * main.count, "derived")


def _place(
    environment: Mapping[str, Any], infrastructure: Mapping[str, Any]
) -> tuple[Place, tuple[str, ...]]:
    """Cloud region, else a location in the country that is stated, else the country, as far as a table knows it."""
    country, location = _text(environment.get("country")), _text(environment.get("location"))
    provider = (_text(infrastructure.get("cloudProvider")) or "").lower()
    around = place_of(country)
    for text in (f"{_PROVIDER_OF.get(provider, provider)}/{location}" if provider else None, location):
        found = place_of(text) if location else None
        if found is not None and (country is None or (around and found.country == around.country)):
            return found, ()
    if around is not None:
        return around, ()
    return Place(), (f"country {country!r:.40} is in no table",) if country else ()


def _stage(task: Mapping[str, Any]) -> str:
    """Stage of what a report calls it; other where that is none of ours."""
    told = (_text(task.get("taskStage")) or "").strip().lower()
    return _STAGE_OF.get(told) or _STAGE_OF.get(told.replace(" ", ""), "other")


def _model(algorithm: Mapping[str, Any], task: Mapping[str, Any]) -> Model | None:
    foundation, name = _text(algorithm.get("foundationModelName")), _text(algorithm.get("algorithmName"))
    billions = _number(algorithm, "parametersNumber")
    if foundation is None and name is None and billions is None:
        return None
    tuned = (_text(task.get("taskStage")) or "").lower() in ("finetuning", "fine-tuning", "retraining")
    return Model(
        name=name if tuned else foundation or name,
        architecture=None if tuned or foundation is None else name,
        base=foundation if tuned else None,
        params=None if billions is None else billions * BILLION,
    )


def _work(datasets: Sequence[Mapping[str, Any]]) -> Work | None:
    """Tokens, where the data that went in are tokens."""
    inputs = [one for one in datasets if one.get("dataUsage") == "input" and one.get("dataType") == "token"]
    known = [_number(one, "dataQuantity") for one in inputs]
    tokens = sum(one for one in known if one is not None)
    return Work(tokens=tokens) if tokens else None


def _software(data: Mapping[str, Any], algorithm: Mapping[str, Any]) -> dict[str, str]:
    software, system = mapping(data.get("software")), mapping(data.get("system"))
    listed = (
        (_text(software.get("language")), _text(software.get("version"))),
        (_text(algorithm.get("framework")), _text(algorithm.get("frameworkVersion"))),
        ("os", _text(system.get("os"))),
    )
    return {name: version or "" for name, version in listed if name and (version or name != "os")}


def _power(energy: Quantity, duration_s: float | None, hardware: tuple[Hardware, ...]) -> tuple[str, ...]:
    """Warning where energy over time is a power that no hardware draws, which a slip of units explains."""
    main = main_device(hardware)
    if not duration_s or main is None:
        return ()
    mean_w = energy.value * W_PER_KW * SECONDS_PER_HOUR / duration_s / main.count
    if mean_w <= MOST_DEVICE_W:
        return ()
    return (
        f"powerConsumption over measurementDuration is {mean_w:,.3g} W for each {main.name:.60}, more than any draws: "
        "are they watt-hours and not kilowatt-hours?",
    )


def _instant(stated: Any) -> datetime | None:
    """Instant of a text, or of seconds since 1970."""
    if isinstance(stated, int | float) and not isinstance(stated, bool):
        try:
            return datetime.fromtimestamp(stated, UTC)
        except (OverflowError, OSError, ValueError):
            return None
    return instant(stated) if isinstance(stated, str) else None


def _number(data: Mapping[str, Any], *names: str, least: float = 0.0) -> float | None:
    """Number under the first of some names that is there; a text with one is one."""
    name = next((one for one in names if data.get(one) is not None), names[0])
    return number({name: _as_text(data.get(name))}, name, least=least)


def _as_text(value: Any) -> str:
    return "" if value is None else str(value)


def _text(value: Any) -> str | None:
    return value[:MOST_CELL] if isinstance(value, str) and value.strip() else None
