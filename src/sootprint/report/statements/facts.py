"""What several statements need of a record: energies with the facility, days, devices, and what is missing."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sootprint.charts.families import MEASURED, parts, wall_of
from sootprint.charts.scale import DEVICE_TIME, ENERGY
from sootprint.core import intervals
from sootprint.core.errors import InputError, RecordError
from sootprint.core.letters import clean
from sootprint.core.quantity import Quantity
from sootprint.core.records import STAGES, Footprint, Hardware, main_device
from sootprint.core.units import SECONDS_PER_HOUR
from sootprint.report import figures, words
from sootprint.report.parts import Section, table

HOURS_PER_DAY = 24.0
APART = ("embodied",)  # stages that are no use of electricity
TRAINING_STAGES = (
    "development", "failed", "search", "pretrain", "distil", "checkpoints", "evaluate", "finetune",
)  # fmt: skip
INFRA_TAG = "boamps.infra"
_INFRASTRUCTURES = {
    "onPremise": "on our own premises",
    "privateCloud": "in a private cloud",
    "publicCloud": "in a public cloud",
}
NO_TRAINING = ("inference", "evaluate", "data")  # stages of a record that is of no training
_NEARLY_ALL = 0.995
_TRAINING = {"pretrain": "pre-training", "finetune": "fine-tuning", "other": "training"}
_ORDER = ("accelerator", "cpu", "dram", "storage", "network", "node")


class Fact(NamedTuple):
    """Something that a record tells, and the field and evidence that it comes from."""

    name: str
    text: str
    origin: str


class Lack(NamedTuple):
    """Something that a record does not tell, and the option that adds it."""

    what: str
    how: str


MODEL = Lack("the name of the model", "`sootprint tag RUN --model NAME`")
PARAMS = Lack("the parameters of the model", "`sootprint tag RUN --params 7e9`")
STAGE = Lack("the stage, such as pretrain or finetune", "`sootprint tag RUN --stage finetune`")
TOKENS = Lack("the tokens trained on", "`sootprint tag RUN --tokens 2e12`")
FLOPS = Lack(
    "the operations of the training (FLOP)",
    "`sootprint tag RUN --flops 8e22`, or --params and --tokens, from which they are estimated",
)
HARDWARE = Lack(
    "the devices",
    "measure with `sootprint run -- COMMAND`, or `sootprint estimate --hardware NAME --count N`",
)
COUNT = Lack("the number of devices", "`sootprint estimate --hardware NAME --count N`")
TIME = Lack(
    "the time of the run", "measure with `sootprint run -- COMMAND`, or `sootprint estimate --hours H`"
)
ENERGY_LACK = Lack("the energy", "measure with `sootprint run -- COMMAND`, or `sootprint estimate`")
PLACE = Lack("the place of the electricity", "--zone FR for the next run or estimate, or SOOTPRINT_ZONE=FR")
PUE = Lack("the facility's overhead (PUE)", "--pue X for an estimate, or a [sites] entry with a PUE for runs")
EMBODIED = Lack(
    "emissions of making the hardware (embodied)",
    "`sootprint predict`, or a life cycle with `sootprint estimate --stages FILE`",
)
PROJECT = Lack(
    "the compute of the whole project, preliminary and failed runs included",
    "`sootprint summary --by project` adds its runs; a record of the sum says so with "
    "`sootprint tag RUN --scope project_total`",
)


def listed_facts(found: Iterable[Fact], caption: str) -> Section:
    """Table of facts with where each comes from."""
    rows = [(one.name, one.text, one.origin) for one in found]
    return Section(
        key="facts",
        title="Facts, and where each comes from",
        table=table(caption, ("Fact", "Value", "From"), rows),
    )


def of_run(lacks: Iterable[Lack], footprint: Footprint) -> tuple[Lack, ...]:
    """Each lack once, with a command that can be copied as it stands."""
    return tuple(dict.fromkeys(Lack(one.what, one.how.replace("RUN", footprint.id[-8:])) for one in lacks))


def listed_lacks(found: Iterable[Lack]) -> Section | None:
    """List of what a record does not tell; None where that is nothing."""
    items = tuple(f"{one.what[:1].upper()}{one.what[1:]}: {one.how}" for one in found)
    return (
        Section(key="lacks", title="What the record lacks, and what adds it", items=items) if items else None
    )


def named(footprint: Footprint) -> str | None:
    """Name of the model, else of the run."""
    name = (footprint.model.name if footprint.model else None) or footprint.name
    return clean(name) if name and name.strip() else None


def training(footprint: Footprint) -> str:
    """Stage as the subject of a sentence, e.g. fine-tuning."""
    return _TRAINING.get(footprint.stage, words.STAGES.get(footprint.stage, footprint.stage))


def has_pue(footprint: Footprint) -> bool:
    """Whether the facility's overhead is known and in the emissions."""
    return footprint.pue is not None and "pue" not in footprint.unknown


def is_known(footprint: Footprint, name: str) -> bool:
    """Whether a field has a value that the record does not itself call unknown."""
    return getattr(footprint, name) is not None and name not in footprint.unknown


def staged(footprint: Footprint) -> tuple[list[str], list[str]]:
    """Operational stages of a life cycle in words: those of training, and the others, e.g. inference."""
    names = dict.fromkeys(one.stage for one in footprint.stages if one.stage not in APART)
    told = {name: _stage_in_words(name) for name in names}
    return (
        [said for name, said in told.items() if name in TRAINING_STAGES],
        [said for name, said in told.items() if name not in TRAINING_STAGES],
    )


def _stage_in_words(stage: str) -> str:
    return words.STAGES[stage] if stage in STAGES and stage != "other" else clean(stage)


def is_training(footprint: Footprint) -> bool:
    """Whether a record is of a training, or of a life cycle, which may hold one."""
    return bool(footprint.stages) or footprint.stage not in NO_TRAINING


def training_kwh(footprint: Footprint) -> Quantity | None:
    """IT energy of the training: of a life cycle that of its training stages, else all of its record [kWh]."""
    if not footprint.stages:
        return footprint.energy_kwh if is_training(footprint) else None
    known = [
        (one.stage, one.energy_kwh)
        for one in footprint.stages
        if one.stage in TRAINING_STAGES and one.energy_kwh is not None and one.energy_kwh.value >= 0.0
    ]
    try:
        return intervals.total(known) if known else None
    except (RecordError, OverflowError, ValueError):
        return None


def facility_kwh(footprint: Footprint, energy: Quantity | None) -> Quantity | None:
    """An IT energy with the facility's overhead, or before it where that is not known [kWh]."""
    if energy is None or footprint.pue is None or not has_pue(footprint):
        return energy
    return times(energy, footprint.pue)


def times(one: Quantity, other: Quantity) -> Quantity:
    """Product of two quantities; without bounds where these are no numbers."""
    try:
        return intervals.product(one, other)
    except (RecordError, OverflowError):
        return Quantity(value=min(one.value * other.value, sys.float_info.max))


def by(quantity: Quantity, ratio: float) -> Quantity | None:
    """Quantity times a number; None where that is beyond what a number can hold."""
    try:
        return intervals.scaled(quantity, ratio)
    except (InputError, RecordError):
        return None


def measured_share(footprint: Footprint) -> float | None:
    """Share of the energy that a sensor or meter gave [0-1]; None where the record does not tell."""
    if wall_of(footprint) is not None or (
        footprint.energy_kwh is not None and footprint.energy_kwh.basis in MEASURED
    ):
        return 1.0
    found = parts(footprint)
    whole = sum(part.energy_kwh.value for part in found)
    if not found or not whole or not math.isfinite(whole):
        return None
    return sum(part.energy_kwh.value for part in found if part.measured) / whole


def obtained(footprint: Footprint) -> str:
    """How the energy was obtained: measured, partly measured, estimated, or as stated by others."""
    share = measured_share(footprint)
    energy = footprint.energy_kwh
    if footprint.grade == "E" or (share is None and energy is not None and energy.basis == "claimed"):
        return "as stated by others, not checked"
    if not share:
        return "estimated"
    if share >= _NEARLY_ALL:
        return "measured"
    return f"partly measured ({figures.share(share)}), the rest estimated"


def is_stated(quantity: Quantity | None) -> bool:
    """Whether others stated a quantity, so that nothing is known of how it came about."""
    return quantity is not None and quantity.basis == "claimed"


def emitted_how(footprint: Footprint) -> str:
    """How the emissions came about, as far as a record tells."""
    if is_stated(footprint.emissions_kg):
        return "as stated by others"
    return "energy x PUE x intensity, location-based"


def device(one: Hardware, footprint: Footprint) -> str:
    """Devices of one kind in words, e.g. 8 × NVIDIA H100 with 80 GB each."""
    count = "" if "hardware.count" in footprint.unknown else f"{one.count:,} × "
    if one.kind == "dram":
        size = "memory" if one.memory_gb is None else f"{one.memory_gb:,.4g} GB of memory"
        return size if one.count == 1 else f"{count}{size}"
    memory = (
        "" if one.memory_gb is None else f" with {one.memory_gb:,.4g} GB{' each' if one.count > 1 else ''}"
    )
    return f"{count}{clean(one.name)}{memory}"


def devices(footprint: Footprint) -> str | None:
    """All devices in words, accelerators first."""
    order = {kind: place for place, kind in enumerate(_ORDER)}
    ranked = sorted(footprint.hardware, key=lambda one: order.get(one.kind, len(order)))
    return ", ".join(device(one, footprint) for one in ranked) or None


def device_time(footprint: Footprint) -> str | None:
    """Device hours in words with the kind of device, e.g. 80.4 accelerator hours."""
    spent = footprint.device_hours
    if spent is None:
        return None
    main = main_device(footprint.hardware)
    kind = "accelerator" if main is not None and main.kind == "accelerator" else "device"
    unit = figures.unit_of(spent, DEVICE_TIME)
    long = {"h": "hours", "min": "minutes", "s": "seconds"}[unit.name]
    return f"{figures.value(spent, unit)} {kind} {long}"


def wall_s(footprint: Footprint) -> float | None:
    """Wall time [s]: as measured, else the device hours over the devices, which ran at once."""
    if footprint.duration_s is not None:
        return footprint.duration_s
    main, spent = main_device(footprint.hardware), footprint.device_hours
    if main is None or spent is None or "hardware.count" in footprint.unknown:
        return None
    found = spent.value / main.count * SECONDS_PER_HOUR
    return found if math.isfinite(found) else None


def energy_in_words(footprint: Footprint) -> str | None:
    """IT energy with its interval."""
    energy = footprint.energy_kwh
    return None if energy is None else f"{figures.amount(energy, ENERGY)}{around(energy)}"


def around(quantity: Quantity) -> str:
    """Interval of an energy in brackets; nothing where it is not known."""
    if quantity.low is None or quantity.high is None or quantity.low == quantity.high:
        return ""
    return f" (90 % interval {figures.spread(quantity, ENERGY)})"


def infrastructure(footprint: Footprint) -> str | None:
    """Where the machines stand, as far as a record tells: a cloud's region, a tag, a cluster or site of the user's."""
    place = footprint.place
    if place.provider:
        return clean(f"in the cloud region {'/'.join(filter(None, (place.provider, place.region)))}")
    tagged = _INFRASTRUCTURES.get(footprint.tags.get(INFRA_TAG, ""))
    return tagged or {"site": "at our own site", "cluster": "on our own cluster"}.get(place.source or "")


def lacks_of_run(footprint: Footprint) -> Iterator[Lack]:
    """What every statement on the resources of a run wants and this record does not tell."""
    if not footprint.hardware:
        yield HARDWARE
    elif "hardware.count" in footprint.unknown:
        yield COUNT
    if footprint.duration_s is None and footprint.device_hours is None:
        yield TIME
    if footprint.energy_kwh is None:
        yield ENERGY_LACK
    if footprint.place.zone is None:
        yield PLACE
    if not has_pue(footprint):
        yield PUE
