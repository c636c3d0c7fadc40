"""The record: one frozen `Footprint` with everything that the ledger, the reports and the hub need.

Each field states its meaning and its rule in the metadata, from which the JSON Schema, the checks and the
reference page are made. Unknown is None and named in `unknown`; it is never 0.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping

from sootprint.core import results
from sootprint.core.classes import MISSING, dataclass, field, fields, late
from sootprint.core.errors import RecordError
from sootprint.core.ids import is_uuid7
from sootprint.core.quantity import BASES, Factor, Quantity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
else:
    Any = object  # as whoever reads the fields' types finds it

SCHEMA = "1.0"
STAGES = ("pretrain", "finetune", "search", "distil", "evaluate", "data", "inference", "development", "other")
SCOPES = ("final_run", "project_total")
BOUNDARIES = ("accelerator", "node", "facility")
RESULT_KINDS = results.KINDS
GRADES = ("A", "B", "C", "D", "E")

__all__ = ["BASES", "SCHEMA", "Factor", "Footprint", "Quantity"]


def _is(doc: str, *, default: Any = MISSING, factory: Any = MISSING, **rules: Any) -> Any:
    metadata = {"doc": doc, **rules}
    if factory is not MISSING:
        return field(default_factory=factory, metadata=metadata)
    if default is not MISSING:
        return field(default=default, metadata=metadata)
    return field(metadata=metadata)


class _Checked:
    """Checks every field of a record against the rules in its metadata."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for name, low, high, rules in _known_rules.get(type(self)) or _rules(type(self)):
            value = getattr(self, name)
            if value is None or (value.__class__ is float and low <= value <= high):
                continue  # most are: a run of a day has a thousand intervals
            _check(name, value, rules)


_Rule = tuple[str, float, float, Mapping[str, Any]]
_known_rules: dict[type, tuple[_Rule, ...]] = {}


def _rules(record: type) -> tuple[_Rule, ...]:
    """Fields of a record that have a rule or may hold a number, with the least and largest float that keep it."""
    if record not in _known_rules:
        listed = fields(record)
        numbers = [one for one in listed if "float" in one.type or len(one.metadata) > 1]
        _known_rules[record] = tuple((one.name, *_range(one.metadata), one.metadata) for one in numbers)
    return _known_rules[record]


def _range(rules: Mapping[str, Any]) -> tuple[float, float]:
    """Finite floats that keep the rules; none where a value has to be of a list."""
    if "one_of" in rules:
        return 1.0, 0.0
    most = sys.float_info.max
    return max(rules.get("minimum", -most), -most), min(rules.get("maximum", most), most)


def _check(name: str, value: Any, rules: Mapping[str, Any]) -> None:
    if value is None:
        return
    if isinstance(value, Quantity) and value.low is not None:
        _check(f"{name}.low", value.low, {key: rules[key] for key in ("minimum",) if key in rules})
    number = value.value if isinstance(value, Quantity) else value
    if isinstance(number, float) and not math.isfinite(number):
        raise RecordError(f"{name} is {number}: give a finite number, or null where it is unknown")
    if "minimum" in rules and number < rules["minimum"]:
        raise RecordError(f"{name} is {number!s:.40}: it is at least {rules['minimum']:g}")
    if "maximum" in rules and number > rules["maximum"]:
        raise RecordError(f"{name} is {number!s:.40}: it is at most {rules['maximum']:g}")
    if "one_of" in rules and value not in rules["one_of"]:
        raise RecordError(f"{name} is {value!r}: it is one of {', '.join(rules['one_of'])}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Model(_Checked):
    """The model that was trained."""

    name: str | None = _is("Name of the model.", default=None)
    family: str | None = _is("Family that it belongs to, e.g. Llama 3.", default=None)
    architecture: str | None = _is("Architecture, e.g. decoder-only transformer.", default=None)
    technique: str | None = _is("Training technique, e.g. LoRA.", default=None)
    params: float | None = _is("Parameters [1].", default=None, minimum=0)
    active_params: float | None = _is("Parameters used for one token [1].", default=None, minimum=0)
    base: str | None = _is("Model that training started from.", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work(_Checked):
    """Amount of training done."""

    steps: float | None = _is("Optimiser steps [1].", default=None, minimum=0)
    samples: float | None = _is("Samples seen [1].", default=None, minimum=0)
    tokens: float | None = _is("Tokens seen [1].", default=None, minimum=0)
    flops: float | None = _is("Floating-point operations done [1].", default=None, minimum=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(_Checked):
    """One measured result of the model."""

    task: str | None = _is("Task, e.g. image classification.", default=None)
    dataset: str | None = _is("Data set.", default=None)
    split: str | None = _is("Split, e.g. test.", default=None)
    metric: str = _is("Metric, e.g. accuracy.")
    value: float = _is("Value in the metric's own unit.")
    kind: str = _is("quality, robustness or fairness.", default="quality", one_of=RESULT_KINDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint(_Checked):
    """A logged metric at the energy spent until then."""

    energy_kwh: float = _is("IT energy since the start [kWh].", minimum=0)
    metric: str = _is("Metric as logged.")
    value: float = _is("Value as logged.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper(_Checked):
    """The publication that describes the run."""

    citation: str | None = _is("Citation in words.", default=None)
    doi: str | None = _is("Digital object identifier.", default=None)
    arxiv: str | None = _is("arXiv identifier.", default=None)
    published: str | None = _is("Date of publication, ISO 8601.", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place(_Checked):
    """Where the electricity came from."""

    zone: str | None = _is("Grid zone, e.g. FR, US-WA, aws/us-east-1; null is unknown.", default=None)
    country: str | None = _is("ISO 3166-1 alpha-2 code.", default=None)
    subdivision: str | None = _is("ISO 3166-2 code.", default=None)
    provider: str | None = _is("Cloud provider.", default=None)
    region: str | None = _is("Cloud region.", default=None)
    source: str | None = _is(
        "How the place was found: argument, environment, site, cluster, cloud.", default=None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware(_Checked):
    """Devices of one kind."""

    kind: str = _is("accelerator, cpu, dram, storage, network or node.")
    vendor: str | None = _is("Vendor.", default=None)
    name: str = _is("Name of the device.")
    count: int = _is("Number of devices [1].", default=1, minimum=1)
    rated_power_w: float | None = _is("Rated power of one device [W].", default=None, minimum=0)
    memory_gb: float | None = _is("Memory of one device [GB].", default=None, minimum=0)


def main_device(hardware: tuple[Hardware, ...]) -> Hardware | None:
    """The accelerators of a record, or its processors where it has none; of several kinds the most numerous."""
    for kind in ("accelerator", "cpu"):
        found = [one for one in hardware if one.kind == kind]
        if found:
            return max(found, key=lambda one: one.count)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Component(_Checked):
    """Energy of one component, before PUE."""

    component: str = _is(
        "accelerator, cpu, dram, storage, network, node or wall, with an index, e.g. accelerator:0."
    )
    meter: str = _is("Meter that gave it, e.g. nvml.")
    energy_kwh: Quantity = _is("Energy drawn [kWh].", minimum=0)
    idle_kwh: float | None = _is(
        "Part drawn while the device was less than 5 % busy [kWh].", default=None, minimum=0
    )
    utilisation: float | None = _is("Mean busy share [0-1].", default=None, minimum=0, maximum=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval(_Checked):
    """Energy of one component in `[start, end)`; kept so that a better intensity can be applied later."""

    start: str = _is("Start, ISO 8601 UTC.")
    end: str = _is("End, ISO 8601 UTC.")
    component: str = _is("Component.")
    energy_j: float = _is("Energy [J].", minimum=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span(_Checked):
    """A named part of the run."""

    name: str = _is("Name, e.g. epoch.")
    start: str = _is("Start, ISO 8601 UTC.")
    end: str = _is("End, ISO 8601 UTC.")
    energy_kwh: Quantity = _is("IT energy between start and end [kWh].", minimum=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap(_Checked):
    """A time in which a component was not read."""

    component: str = _is("Component.")
    start: str = _is("Last reading before the gap, ISO 8601 UTC.")
    end: str = _is("First reading after the gap, ISO 8601 UTC.")
    reason: str = _is("What happened, and how the energy of the gap was treated.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage(_Checked):
    """One stage of the life cycle."""

    stage: str = _is("Stage.")
    energy_kwh: Quantity | None = _is("IT energy [kWh].", default=None)
    emissions_kg: Quantity | None = _is("Emissions [kgCO2e].", default=None)
    basis: str = _is("Basis of the stage.", default="modelled", one_of=BASES)
    note: str | None = _is("What it holds, or how it was found.", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint(_Checked):
    """The carbon footprint of one run, estimate or published claim."""

    id: str = _is("UUID of version 7.")
    schema: str = _is("Version of this record's schema.", default=SCHEMA)
    tool: str = _is("Program that made the record.", default="sootprint")
    tool_version: str | None = _is("Its version.", default=None)
    name: str | None = _is("Name of the run.", default=None)
    project: str | None = _is("Project.", default=None)
    tags: dict[str, str] = _is("Tags.", factory=dict)
    run_group: str | None = _is("Identity shared by the records of one job on several nodes.", default=None)
    parent: str | None = _is("Identity of the run that this one is part of or started from.", default=None)
    node: str | None = _is("Random pseudonym of the machine, kept in the home of its user.", default=None)
    process_share: float | None = _is(
        "CPU time of the run's processes over the machine's busy CPU time [0-1].",
        default=None,
        minimum=0,
        maximum=1,
    )
    stage: str = _is("Stage of the life cycle.", default="other", one_of=STAGES)
    scope: str = _is("One final run, or the whole project.", default="final_run", one_of=SCOPES)
    boundary: str = _is(
        "What the energy and emissions include: accelerator, node or facility.",
        default="node",
        one_of=BOUNDARIES,
    )
    model: Model | None = _is("Model.", default=None)
    work: Work | None = _is("Amount of work.", default=None)
    results: tuple[Result, ...] = _is("Measured results.", default=())
    curve: tuple[CurvePoint, ...] = _is("Logged metrics over energy.", default=())
    paper: Paper | None = _is("Publication.", default=None)
    started: str | None = _is("Start, ISO 8601 UTC.", default=None)
    ended: str | None = _is("End, ISO 8601 UTC.", default=None)
    duration_s: float | None = _is("Wall time by the monotonic clock [s].", default=None, minimum=0)
    device_hours: Quantity | None = _is(
        "Accelerator hours, or CPU hours where there is no accelerator [h].", default=None, minimum=0
    )
    place: Place = _is("Where the electricity came from.", factory=Place)
    hardware: tuple[Hardware, ...] = _is("Devices.", default=())
    software: dict[str, str] = _is("Names and versions of the software.", factory=dict)
    components: tuple[Component, ...] = _is("Energy by component, before PUE.", default=())
    energy_kwh: Quantity | None = _is("IT energy, before PUE [kWh].", default=None, minimum=0)
    unallocated_kwh: Quantity | None = _is(
        "Energy of the machine that no run was charged with [kWh].", default=None, minimum=0
    )
    intervals: tuple[Interval, ...] = _is(
        "Energy by component: a minute each, finer in runs below 12 minutes, coarser in runs above a day.",
        default=(),
    )
    spans: tuple[Span, ...] = _is("Named parts of the run.", default=())
    gaps: tuple[Gap, ...] = _is("Times without readings.", default=())
    pue: Quantity | None = _is("Facility energy over IT energy [1].", default=None, minimum=1)
    intensity_g_per_kwh: Quantity | None = _is(
        "Energy-weighted carbon intensity [gCO2e/kWh].", default=None, minimum=0
    )
    emissions_kg: Quantity | None = _is(
        "Operational emissions, location-based, PUE included [kgCO2e].", default=None, minimum=0
    )
    market_based_kg: Quantity | None = _is("Operational emissions, market-based [kgCO2e].", default=None)
    embodied_kg: Quantity | None = _is(
        "Share of the manufacture of the hardware [kgCO2e].", default=None, minimum=0
    )
    water_l: Quantity | None = _is(
        "Water consumed on site and at the power plant [L].", default=None, minimum=0
    )
    cost: Quantity | None = _is(
        "Cost of the electricity in the currency of its price among `factors`, else of `given`.", default=None
    )
    stages: tuple[Stage, ...] = _is("Stages of the life cycle.", default=())
    factors: tuple[Factor, ...] = _is("Every constant that entered a number.", default=())
    grade: str | None = _is(
        "Evidence: A wall meter, B sensors on all main components, C on accelerators, D hardware x hours, E claim.",
        default=None,
        one_of=GRADES,
    )
    unknown: tuple[str, ...] = _is("Names of fields that should be known and are not.", default=())
    warnings: tuple[str, ...] = _is("What a reader must know before using the numbers.", default=())
    forecasts: tuple[dict[str, Any], ...] = _is("Forecasts made during the run.", default=())
    plan: dict[str, Any] | None = _is("Plan that the run followed.", default=None)
    savings: dict[str, Any] | None = _is("Savings against run-now.", default=None)
    given: dict[str, Any] = _is("Numbers of others, as given.", factory=dict)
    extra: dict[str, Any] = _is("Fields of a newer minor version, by JSON pointer.", factory=dict)

    def __post_init__(self) -> None:
        _Checked.__post_init__(self)
        if not is_uuid7(self.id):
            raise RecordError(f"id {self.id!r} is not a UUID of version 7")

    def __repr__(self) -> str:
        from sootprint.core.told import line

        return line(self)

    def _repr_html_(self) -> str:
        from sootprint.core.told import page

        return page(self)

    def to_json(self, *, indent: int | None = None) -> str:
        """JSON text of this record; unknown fields of a newer minor version are put back where they were."""
        from sootprint.core.codec import dumps

        return dumps(self, indent=indent)

    @classmethod
    def from_json(cls, text: str | bytes) -> Footprint:
        """Footprint of a JSON text.

        Raises:
            RecordError: The text is not JSON, breaks the schema, or is of a newer major version.
        """
        from sootprint.core.codec import loads

        return loads(text)


late(Footprint, "intervals")  # most of a record, and few programs look at them where the run has just ended


def idle_kwh(footprint: Footprint) -> float | None:
    """Energy of components that had nothing to do [kWh]; None where none tells."""
    told = [part.idle_kwh for part in footprint.components if part.idle_kwh is not None]
    whole = sum(told)
    return whole if told and math.isfinite(whole) else None


def device_count(footprint: Footprint) -> int | None:
    """Number of the main devices of a record; None where nobody knows how many there were."""
    main = main_device(footprint.hardware)
    return None if main is None or "hardware.count" in footprint.unknown else main.count
