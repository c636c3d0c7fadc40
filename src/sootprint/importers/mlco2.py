"""The words that the ML CO2 Impact calculator gives to papers and model cards: hours, hardware, region and kilograms.

Two forms are read: the sentences of its LaTeX template, also as text or Markdown, and the list that model cards of
Hugging Face have from their template. Its hours are those of one device, summed over all; its energy is rated power x
hours, without PUE.

Source:
    Lacoste et al., Quantifying the Carbon Emissions of Machine Learning, arXiv:1910.09700 (2019), and the calculator's
    template and formula (mlco2/impact, js/grayscale.js and html/_publish.html, 2022).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from sootprint.core import units
from sootprint.core.errors import InputError
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint, Hardware, Place
from sootprint.importers.base import Imported, claimed, gathered, identity, place_of, slips, tried

NAME = "mlco2"
MOST_FOUND = 1_000
_SENTENCE = re.compile(r"A cumulative (?:of )?", re.IGNORECASE)
_LISTED = re.compile(r"^[ \t]*[-*][ \t]*\**Hardware Type:?\**:?", re.IGNORECASE | re.MULTILINE)
_N = r"(\d[\d.,]{0,20}(?:[eE][+-]?\d{1,3})?)"
_HOURS = re.compile(rf"{_N} (?:GPU[- ]?)?hours of computation", re.IGNORECASE)
_HARDWARE = re.compile(
    r"hardware of type (.{1,100}?)(?: \((?:TDP|with a TDP)|\.(?:\s|$)|,|$)", re.IGNORECASE | re.DOTALL
)
_TDP = re.compile(r"TDP of (\d{1,4}(?:\.\d+)?) ?W", re.IGNORECASE)
_USING = re.compile(
    r"conducted using (.{1,100}?)(?: in region (.{1,60}?))?(?:, which has|\.\s|\.$)", re.DOTALL
)
_EFFICIENCY = re.compile(rf"carbon efficiency of \**{_N} ?kg", re.IGNORECASE)
_EMITTED = re.compile(
    r"(?:emissions are estimated to be|emitted a total of approximately|emissions? \D{0,60}?amounted to) "
    rf"~?{_N} ?(\S{{1,12}})",
    re.IGNORECASE,
)
_OFFSET = re.compile(rf"of which {_N} ?(?:%|percents?|kg)", re.IGNORECASE)
_ITEM = re.compile(
    r"^[ \t]*[-*][ \t]*\**([A-Za-z ]{4,40}?)(?: \([^)\n]{0,200}\))?\**:\**(.{0,300})$",
    re.MULTILINE,
)
_UNIT = re.compile(rf"~?{_N} ?(\S{{1,12}}.*)?")
_KG = {"kg": 1.0, "g": 1.0 / units.G_PER_KG, "t": units.G_PER_KG}
_MARKS = str.maketrans("", "", "$\\{}*")
_SAME = 0.02  # relative difference that the calculator's two digits explain


class _Words(NamedTuple):
    """What a text says of a run, in its own words."""

    hours: str | None
    hardware: str | None
    tdp_w: float | None
    provider: str | None
    region: str | None
    efficiency: str | None
    emitted: str | None
    unit: str | None
    offset: str | None


def is_it(text: str, _: str) -> bool:
    """Whether a text has such words."""
    return _LISTED.search(text) is not None or (
        _HOURS.search(text) is not None and "hardware of type" in text.lower()
    )


def read(text: str, name: str) -> Imported:
    """Records of the runs that a text tells of.

    Raises:
        InputError: It has no such words.
    """
    return gathered(NAME, name, _each(text, name))


def _each(text: str, name: str) -> Iterator[tuple[str, Footprint | str]]:
    for index, (line, words) in enumerate(_found(text)):
        if index >= MOST_FOUND:
            raise InputError(f"{name} tells of more than {MOST_FOUND:,} runs: give it in parts")
        yield tried(f"line {line}", partial(_record, words, name))


def _found(text: str) -> Iterator[tuple[int, _Words]]:
    """Line and words of each run: of the lists, else of the sentences."""
    listed = [found.start() for found in _LISTED.finditer(text)]
    told = [
        found.start()
        for found in _SENTENCE.finditer(text)
        if _HOURS.search(text, found.start(), found.start() + 80)
    ]
    starts = listed or told
    ends = [*starts[1:], len(text)][: len(starts)]
    for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
        line = text.count("\n", 0, start) + 1
        if listed:
            yield line, _listed(text[start : min(end, start + 2000)])
        else:
            before = text[starts[index - 1] if index else max(0, start - 1000) : start]
            yield line, _told(before, text[start : min(end, start + 2000)])


def _listed(text: str) -> _Words:
    items = {found[1].strip().lower(): found[2].strip("* \t\r") for found in _ITEM.finditer(text)}
    found = _UNIT.match(items.get("carbon emitted", "").translate(_MARKS))
    hours = _UNIT.match(items.get("hours used", ""))
    return _Words(
        hours=hours[1] if hours else None,
        hardware=_known(items.get("hardware type")),
        tdp_w=None,
        provider=_known(items.get("cloud provider")),
        region=_known(items.get("compute region")),
        efficiency=None,
        emitted=found[1] if found else None,
        unit=found[2] if found else None,
        offset=None,
    )


def _told(before: str, text: str) -> _Words:
    plain, earlier = (" ".join(one.translate(_MARKS).split()) for one in (text, before))
    using = list(_USING.finditer(earlier))[-1:]
    efficiency = list(_EFFICIENCY.finditer(earlier))[-1:]
    hours, hardware, tdp = _HOURS.search(plain), _HARDWARE.search(plain), _TDP.search(plain)
    emitted, offset = _EMITTED.search(plain), _OFFSET.search(plain)
    return _Words(
        hours=hours[1] if hours else None,
        hardware=_known(hardware[1]) if hardware else None,
        tdp_w=float(tdp[1]) if tdp else None,
        provider=_known(using[0][1]) if using else None,
        region=_known(using[0][2]) if using else None,
        efficiency=efficiency[0][1] if efficiency else None,
        emitted=emitted[1] if emitted else None,
        unit=emitted[2] if emitted else None,
        offset=offset[1] if offset else None,
    )


def _known(said: str | None) -> str | None:
    """A text that somebody filled in."""
    text = (said or "").strip(" .`_")
    return None if not text or "more information needed" in text.lower() or text[0] in "[{<" else text


def _number(said: str | None, what: str) -> float | None:
    """Number of a text with a decimal point; commas part thousands."""
    if said is None:
        return None
    text = said.rstrip(".,")
    if re.fullmatch(r"[1-9]\d{0,2}(,\d{3})+(\.\d+)?", text):
        text = text.replace(",", "")
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{what} is {said!r:.40}: write it with a decimal point, e.g. 0.66") from None


def _kilograms(words: _Words) -> float:
    value = _number(words.emitted, "the emissions")
    if value is None:
        raise InputError("it states no emissions: fill them in, e.g. Carbon Emitted: 12.3 kg CO2eq")
    unit = re.match(
        r"(kilograms?|kgs?|grams?|g|tons?|tonnes?|t)(?=CO|\W|$)", (words.unit or "").strip(), re.IGNORECASE
    )
    if unit is None:
        raise InputError(
            f"the emissions are {words.emitted} {words.unit or ''!s:.20} without kg, g or t: name the unit"
        )
    said = unit[1].lower()
    return value * _KG["kg" if said[0] == "k" else said[0]]


def _record(words: _Words, name: str) -> Footprint:
    emissions_kg = _kilograms(words)
    hours_h = _number(words.hours, "the hours")
    efficiency = _number(words.efficiency, "the carbon efficiency")
    place = _place(words) or Place()
    hardware = _hardware(words)
    energy_kwh = hours_h * words.tdp_w / units.W_PER_KW if hours_h and words.tdp_w else None
    made: dict[str, Any] = {
        "energy_kwh": claimed(energy_kwh, "modelled"),
        "intensity_g_per_kwh": claimed(efficiency * units.G_PER_KG if efficiency else None),
        "place": place,
        "device_hours": Quantity(value=hours_h, basis="claimed") if hours_h else None,
        "pue": None,
    }
    doubts = (*_doubts(words, hours_h), *_unlike(energy_kwh, efficiency, emissions_kg))
    return Footprint(
        id=identity(None, NAME, *(str(one) for one in words)),
        tool=NAME,
        name=name,
        boundary="accelerator",
        hardware=hardware,
        emissions_kg=claimed(emissions_kg),
        grade="D" if hardware and hours_h else "E",
        unknown=(
            *(key for key, value in made.items() if value is None or value == Place()),
            *(("hardware.count",) if hardware else ()),
        ),
        warnings=(*doubts, *slips(energy_kwh, emissions_kg)),
        given={key: value for key, value in words._asdict().items() if value is not None},
        **made,
    )


def _place(words: _Words) -> Place | None:
    """Place of the region, with the provider that people write before it."""
    if not words.region:
        return None
    short = {"amazon web services": "aws", "google cloud platform": "gcp", "google cloud": "gcp"}
    provider = (words.provider or "").lower()
    cloud = f"{short.get(provider, provider.split()[-1] if provider else '')}/{words.region.lower()}"
    parts = [part.strip() for part in re.split(r"[,;(/)]", words.region)]
    return place_of(cloud if provider else None, words.region, *reversed(parts))


def _hardware(words: _Words) -> tuple[Hardware, ...]:
    if not words.hardware:
        return ()
    return (Hardware(kind="accelerator", name=words.hardware[:200], rated_power_w=words.tdp_w),)


def _doubts(words: _Words, hours_h: float | None) -> Iterator[str]:
    yield "nothing was measured: the calculator multiplies rated power, hours and a grid's average, without PUE"
    if hours_h:
        yield "its hours are taken for those of one device, summed over all, as the calculator counts them"
    if words.hardware and re.match(r"\d+ ?[x×* ]", words.hardware, re.IGNORECASE):
        yield f"its hardware names a number of devices ({words.hardware:.40}): are its hours of one device, or of all?"
    if words.offset and words.offset.strip("0.,"):
        yield f"it states an offset of {words.offset:.20}, which lowers no total"


def _unlike(energy_kwh: float | None, efficiency: float | None, emissions_kg: float) -> Iterator[str]:
    """Warning where the numbers of the sentence do not give its kilograms."""
    if not energy_kwh or not efficiency:
        return
    gives = energy_kwh * efficiency
    if abs(gives - emissions_kg) > max(_SAME * gives, 0.01):
        yield f"its rated power x hours x carbon efficiency give {gives:.4g} kg, it states {emissions_kg:.4g} kg"
