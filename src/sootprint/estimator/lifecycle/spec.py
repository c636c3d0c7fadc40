"""A life cycle as a person states it, in TOML: stages with what each needed, and what belongs to all of them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sootprint.core.errors import InputError
from sootprint.core.quantity import finite
from sootprint.estimator.plan import NAMES as PREDICTED

# In the order of a report; what a file does not state is named as left out.
STAGES = {
    "data": "data processing",
    "storage": "storage of data",
    "transfer": "transfer of data",
    "development": "development",
    "failed": "failed and restarted runs",
    "search": "search of settings",
    "pretrain": "training",
    "distil": "distillation",
    "checkpoints": "checkpoints",
    "evaluate": "evaluation",
    "finetune": "fine-tuning",
    "inference": "inference",
}
OTHER = "other"
FINAL = ("pretrain", "distil", "finetune")
MEDIA = ("ssd", "hdd")
_JOB = ("hardware", "power_w", "count", "hours", "utilisation", "work")
_PLACE = ("zone", "year", "intensity", "pue")
WHOLE = ("count", "year", "layers", "width", "sequence_length", "pipeline_stages", "microbatches")
_FORMS: dict[str, tuple[str, ...]] = {
    "record": ("record",),
    "energy_kwh": ("energy_kwh",),
    "params": PREDICTED,
    "hours": _JOB,
    "terabytes": ("terabytes", "days", "media", "copies"),
    "gigabytes_each": ("gigabytes_each", "number", "days", "media", "copies"),
    "gigabytes": ("gigabytes",),
    "of_final": ("of_final",),
    "wh_per_request": ("wh_per_request", "requests", "until"),
    "emissions_kg": ("emissions_kg", "include", "what"),
}
_TABLES = {
    "embodied": ("lifetime_years", "busy_share"),
    "water": ("site_l_per_kwh", "plant_l_per_kwh"),
    "market": ("residual_mix_g_per_kwh", "certificates_kwh", "ppa_kwh", "ppa_g_per_kwh", "offsets_kg"),
    "parent": ("name", "record", "energy_kwh", "emissions_kg", "share", "descendants"),
}
_TOP = ("name", "project", *_PLACE, "stage", *_TABLES)
_WORDS = (
    "stage",
    "name",
    "record",
    "hardware",
    "work",
    "zone",
    "media",
    "until",
    "what",
    "project",
    "architecture",
    "technique",
    "precision",
    "currency",
)
_ASSUMED = ("development", "failed", "search")  # may be stated as a share of the final training


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSpec:
    """One stage as stated.

    Args:
        stage: A key of `STAGES`, or other.
        form: Field that tells how it is stated: hours, energy_kwh, record, terabytes, ...
        values: What is stated, with the place of the file filled in.
        where: Its place in the file, for messages.
    """

    stage: str
    form: str
    values: Mapping[str, Any]
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A life cycle as stated.

    Args:
        name: Name of the model or project.
        project: Project under which it is summed.
        stages: Stages in the order of the file.
        tables: What belongs to all of them: embodied, water, market, parent.
        place: Zone, year, intensity and PUE for stages that have none of their own.
    """

    name: str | None
    project: str | None
    stages: tuple[StageSpec, ...]
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    place: Mapping[str, Any] = field(default_factory=dict)


def parsed(text: str, *, name: str) -> Spec:
    """Spec of a TOML text.

    Args:
        text: Content of the file.
        name: Name of the file, for messages.

    Raises:
        InputError: The text is no TOML, or a key or value breaks a rule; the message names it.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        raise InputError(f"{name} is no TOML: {err}") from None
    _known(data, _TOP, where=name)
    listed = data.get("stage")
    if not isinstance(listed, list) or not listed:
        raise InputError(
            f'{name} has no stage: give at least one [[stage]] with stage = "pretrain" and its hours'
        )
    place = {key: _value(data[key], key, name) for key in _PLACE if key in data}
    stages = tuple(
        _stage(one, place, where=f"{name}, stage {number}") for number, one in enumerate(listed, start=1)
    )
    tables = {key: _table(data[key], key, name) for key in _TABLES if key in data}
    return Spec(
        name=_value(data["name"], "name", name) if "name" in data else None,
        project=_value(data["project"], "project", name) if "project" in data else None,
        stages=stages,
        tables=tables,
        place=place,
    )


def _stage(data: Any, place: Mapping[str, Any], *, where: str) -> StageSpec:
    if not isinstance(data, dict):
        raise InputError(f"{where} is no table: write [[stage]] above its keys")
    stage = data.get("stage")
    if stage not in (*STAGES, OTHER):
        raise InputError(f"{where}: stage is {stage!r}; it is one of {', '.join((*STAGES, OTHER))}")
    form = _form(data, stage, where=where)
    _known(data, ("stage", "name", *_PLACE, *_FORMS[form]), where=f"{where} ({stage}, stated by {form})")
    values = {key: _value(value, key, where) for key, value in data.items()}
    own = {} if {"zone", "intensity"} & values.keys() else place
    own = {key: value for key, value in own.items() if form not in ("record", "emissions_kg")}
    kept = {
        key: place[key] for key in ("year", "pue") if key in place and form not in ("record", "emissions_kg")
    }
    return StageSpec(stage=stage, form=form, values={**kept, **own, **values}, where=f"{where} ({stage})")


def _form(data: Mapping[str, Any], stage: str, *, where: str) -> str:
    forms = ["params"] if "params" in data else [form for form in _FORMS if form in data]
    if not forms and stage in _ASSUMED:
        return "of_final"  # how much is assumed, and said so
    if len(forms) != 1:
        told = f"is stated by {' and '.join(forms)}" if forms else "does not say what it needed"
        raise InputError(f"{where} ({stage}) {told}: give one of {', '.join(_FORMS)}")
    form = forms[0]
    if form == "of_final" and stage not in _ASSUMED:
        raise InputError(
            f"{where} ({stage}): of_final is for {', '.join(_ASSUMED)}; give hours or energy_kwh"
        )
    if form == "emissions_kg" and stage != OTHER:
        raise InputError(f"{where} ({stage}): emissions_kg is for other; give hours or energy_kwh")
    if form == "wh_per_request" and stage != "inference":
        raise InputError(f"{where} ({stage}): wh_per_request is for inference")
    return form


def _table(data: Any, key: str, name: str) -> dict[str, Any]:
    where = f"{name}, [{key}]"
    if not isinstance(data, dict):
        raise InputError(f"{where} is no table: write [{key}] above its keys")
    _known(data, _TABLES[key], where=where)
    return {one: _value(value, one, where) for one, value in data.items()}


def _known(data: Mapping[str, Any], keys: tuple[str, ...], *, where: str) -> None:
    for key in data:
        if key not in keys:
            raise InputError(f"{where} has a key {key!r}, which is not one of {', '.join(keys)}")


def _value(value: Any, key: str, where: str) -> Any:
    """Value of the kind that its key has: a text, a yes or no, or a number of at least 0."""
    if key in _WORDS:
        if not isinstance(value, str) or not value.strip():
            raise InputError(f"{where}: {key} is {value!r}; it is a text")
        if key == "media" and value not in MEDIA:
            raise InputError(f"{where}: media is {value!r}; it is one of {', '.join(MEDIA)}")
        if key == "until" and value != "break-even":
            raise InputError(
                f"{where}: until is {value!r}; it is break-even, or left out for a number of requests"
            )
        return value
    if key in ("include", "recompute"):
        if not isinstance(value, bool):
            raise InputError(f"{where}: {key} is {value!r}; it is true or false")
        return value
    number = finite(value)
    if number is None or number < 0.0:
        raise InputError(f"{where}: {key} is {value!r}; it is a number of at least 0")
    if key == "share" and value > 1.0:
        raise InputError(f"{where}: share is {value:g}; it is at most 1")
    return value
