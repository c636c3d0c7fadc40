"""Model cards of Hugging Face: `co2_eq_emissions` in the front matter, a number of GRAMS or a mapping with one.

The library of the Hub takes the first number out of whatever text stands there. Here a text without a unit is grams
as the format says, one with a unit is what it says, and any other text is refused. Where the card's own words give
the same number in kilograms, one of the two is a thousand times off, and the record says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sootprint.core.errors import InputError
from sootprint.core.records import Footprint, Hardware, Model, Place, Result
from sootprint.core.units import G_PER_KG
from sootprint.importers.base import (
    MOST_CELL,
    Imported,
    claimed,
    gathered,
    identity,
    mapping,
    mappings,
    place_of,
    tried,
)

NAME = "hf-card"
KEY = "co2_eq_emissions"
_FRONT = re.compile(r"\A\s*---[ \t]*\r?\n(.*?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_AMOUNT = re.compile(
    r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*"
    r"(?:(kg|g|grams?|kilograms?|t|tons?|tonnes?)?\s*(?:of\s+)?(?:CO2(?:[- ]?(?:eq?|equivalent))?)?\.?)\s*",
    re.IGNORECASE,
)
_KG = {"g": 1 / G_PER_KG, "k": 1.0, "t": G_PER_KG}  # by the first letter of the unit
_SAID = re.compile(r"(?<![\d.,])(\d[\d,]{0,20}(?:\.\d{0,12})?)\s{0,9}(kg|kilograms?)\b", re.IGNORECASE)
_COUNTED = re.compile(r"(\d{1,6}) ?(?:[x×*] ?)?(?=[A-Za-z])(.+)", re.IGNORECASE)
_STAGES = {
    "pre-training": "pretrain",
    "pretraining": "pretrain",
    "fine-tuning": "finetune",
    "finetuning": "finetune",
}
MOST_AMOUNT = 100  # characters of an amount with its unit
SAME = 1e-3  # relative difference of two numbers that are one
_TEXT = (str, int, float)


def is_stated(text: str) -> bool:
    """Whether a text is a model card whose front matter states its emissions."""
    found = _FRONT.match(text)
    return found is not None and re.search(rf"^{KEY}\s*:", found[1], re.MULTILINE) is not None


def read(text: str, name: str) -> Imported:
    """Record of a model card.

    Raises:
        InputError: It has no front matter, or no emissions in it.
    """
    return gathered(NAME, name, _card(text, name))


def _card(text: str, name: str) -> Iterator[tuple[str, Footprint | str]]:
    yield tried("front matter", lambda: _record(_front(text), text, name))


def _front(text: str) -> dict[str, Any]:
    import yaml

    class Loader(yaml.SafeLoader):
        """YAML without aliases, by which a small text can be huge data."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.events.AliasEvent):
                raise yaml.YAMLError("an alias, which a model card does not need: write it out")
            return super().compose_node(parent, index)

    found = _FRONT.match(text)
    if found is None:
        raise InputError("there is none: a model card begins with a block between lines of ---")
    try:
        data = yaml.load(found[1], Loader)
    except (yaml.YAMLError, RecursionError, ValueError) as err:
        raise InputError(f"it is no YAML: {' '.join(str(err).split())[:200]}") from None
    if not isinstance(data, dict):
        raise InputError("it is no mapping of names to values")
    return data


def _record(data: dict[str, Any], text: str, name: str) -> Footprint:
    if data.get(KEY) is None:
        raise InputError(f"it has no {KEY}: the card states no emissions")
    stated = data[KEY] if isinstance(data[KEY], dict) else {"emissions": data[KEY]}
    kilograms, remark = _kilograms(stated.get("emissions"))
    where = _text(stated.get("geographical_location"))
    place = _place(where)
    title = _title(data, text, name)
    devices = tuple(_hardware(_text(stated.get("hardware_used"))))
    unknown = ["energy_kwh", "device_hours", "intensity_g_per_kwh"]
    unknown += ["place"] if place == Place() else []
    unknown += ["hardware.count"] if devices and not _counted(stated["hardware_used"]) else []
    return Footprint(
        id=identity(None, NAME, title, kilograms, where, _text(stated.get("hardware_used"))),
        tool=NAME,
        name=title,
        stage=_STAGES.get((_text(stated.get("training_type")) or "").lower().replace(" ", "-"), "other"),
        model=Model(name=title, base=_text(_first(data.get("base_model")))),
        results=tuple(_results(data)),
        place=place,
        hardware=devices,
        emissions_kg=claimed(kilograms),
        grade="E",
        unknown=tuple(unknown),
        warnings=(*remark, *_other_unit(kilograms, text)),
        given={KEY: {str(key): value for key, value in stated.items() if isinstance(value, _TEXT)}},
    )


def _kilograms(stated: Any) -> tuple[float, tuple[str, ...]]:
    """Emissions [kg] of what stands there, and what has to be said of it."""
    if isinstance(stated, bool) or not isinstance(stated, _TEXT):
        raise InputError(f"{KEY} has no number of emissions: give grams of CO2e, e.g. emissions: 83524")
    said = " ".join(str(stated).split())
    found = _AMOUNT.fullmatch(said) if len(said) <= MOST_AMOUNT else None
    if found is None:
        raise InputError(f"emissions is {stated!r:.60}: give a bare number of grams, e.g. 83524")
    value = float(found[1])
    if not 0.0 <= value < 1e15:
        raise InputError(f"emissions is {value:g} g: it is at least 0, and less than all that is emitted")
    unit = (found[2] or "g").lower()
    remark = (
        (f"the card writes {stated!s:.40} where the format has a bare number of grams",) if found[2] else ()
    )
    return value * _KG[unit[0]], remark


def _other_unit(kilograms: float, text: str) -> Iterator[str]:
    """Warning where the card's words give the number of grams as kilograms."""
    grams = kilograms * G_PER_KG
    body = _FRONT.sub("", text)
    for found in _SAID.finditer(body):
        said = float(found[1].replace(",", "") or 0)
        if grams and abs(said - grams) <= SAME * grams:
            yield f"the card's text says {found[0]} and its front matter {grams:g}, which are grams: 1000 x less"
            return


def _title(data: dict[str, Any], text: str, name: str) -> str:
    index = _first(data.get("model-index"))
    if isinstance(index, dict) and _text(index.get("name")):
        return str(index["name"])
    heading = re.search(r"^#\s+(\S.{0,199})$", _FRONT.sub("", text), re.MULTILINE)
    if heading:
        return heading[1].strip()
    return _text(data.get("model_name")) or name


def _results(data: dict[str, Any]) -> Iterator[Result]:
    """Results of `model-index`, those with a number."""
    for one in mappings(mapping(_first(data.get("model-index"))).get("results")):
        task, dataset = mapping(one.get("task")), mapping(one.get("dataset"))
        for metric in mappings(one.get("metrics")):
            value, called = metric.get("value"), _text(metric.get("name") or metric.get("type"))
            if called and isinstance(value, int | float) and not isinstance(value, bool):
                yield Result(
                    task=_text(task.get("name") or task.get("type")),
                    dataset=_text(dataset.get("name") or dataset.get("type")),
                    split=_text(dataset.get("split")),
                    metric=called,
                    value=float(value),
                )


def _hardware(said: str | None) -> Iterator[Hardware]:
    if said:
        counted = _counted(said)
        count = int(counted[1]) if counted else 1
        yield Hardware(kind="accelerator", name=counted[2] if counted else said, count=max(1, count))


def _counted(said: Any) -> re.Match[str] | None:
    """Number and name of devices such as "8 x A100"."""
    return _COUNTED.fullmatch(" ".join(str(said).split()))


def _place(said: str | None) -> Place:
    """Place of free text such as "Paris, France": whole, else its last part that a table knows."""
    if not said:
        return Place()
    parts = [part.strip(" .()") for part in re.split(r"[,;(/]", said)]
    return place_of(said, *reversed(parts)) or Place()


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _text(value: Any) -> str | None:
    return str(value)[:MOST_CELL] if isinstance(value, _TEXT) and not isinstance(value, bool) else None
