"""NVIDIA GPUs that a job may use, each read in the best way that it offers."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence

from sootprint.core.errors import MeterError
from sootprint.core.protocols import Machine, MeterFacts, ProcessUse, Reading
from sootprint.meters import nvml_library as nvml
from sootprint.meters import rated
from sootprint.meters.accuracy import accuracy
from sootprint.meters.first import card as first_card
from sootprint.meters.first import counter as first_counter
from sootprint.meters.visible import Visible, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    from sootprint.meters.nvml_processes import CardProcesses
else:
    from sootprint.core.named import NamedTuple

POLL_S = 0.05
MILLI = 1e-3
PERCENT = 100.0
BYTES_PER_GB = 1e9
UNLIMITED_W = 2000.0  # above any board until 2026, where a card states no limit
COUNTER_RATIOS = (0.95, 1.05)
POWER_RATIOS = (0.90, 1.10)  # and what happens between two looks; sensors may see a quarter of the time
MODULE_RATIOS = (0.50, 1.05)
ACCURACY = {
    COUNTER_RATIOS: accuracy(
        "nvml energy counter",
        COUNTER_RATIOS,
        source="NVIDIA, NVML API Reference Guide (2026): power within 5 %",
    ),
    MODULE_RATIOS: accuracy(
        "nvml energy counter of a module",
        MODULE_RATIOS,
        source="Prior of Sootprint (2026): the CPU of the module is in its counter",
    ),
    POWER_RATIOS: accuracy(
        "nvml power",
        POWER_RATIOS,
        source="NVIDIA, NVML API Reference Guide (2026); Yang et al., Part-time Power Measurements, SC (2024)",
    ),
}


class Card(NamedTuple):
    """A GPU that is read.

    Args:
        place: Place in PCI order, as nvidia-smi counts.
        handle: The driver's handle.
        look: Answers the joules or the watts now, or None.
        counts: Whether `look` answers joules of a counter, else watts.
        ratios: Lowest and highest true energy over reading.
        max_power_w: Highest power that a step may imply [W].
    """

    place: int
    handle: nvml.Handle
    look: Callable[[], float | None]
    counts: bool
    ratios: tuple[float, float]
    max_power_w: float


def _reading(card: Card, at_s: float, seen: float, utilisation: float | None = None) -> Reading:
    return Reading(
        meter="nvml",
        component=_component(card.place),
        at_s=at_s,
        energy_j=seen if card.counts else None,
        power_w=None if card.counts else seen,
        utilisation=utilisation,
        max_power_w=card.max_power_w,
        low_ratio=card.ratios[0],
        high_ratio=card.ratios[1],
    )


class NvmlMeter:
    """Energy counters or powers of the GPUs that a job may use; not to be read by two threads at once."""

    name = "nvml"

    def __init__(
        self, library: nvml.Library, cards: Sequence[Card], machine: Machine, warnings: Sequence[str]
    ) -> None:
        self._library = library
        self._cards = tuple(cards)
        self._clock = machine.clock
        self._hardware = machine.hardware
        self._first = machine.first
        self._warnings = tuple(warnings)
        self._busy = library.function("nvmlDeviceGetUtilizationRates")
        self._rates = nvml.Utilisation()
        self._processes: dict[str, CardProcesses] | None = None
        self.poll_s = None if all(card.counts for card in cards) else POLL_S

    def read(self) -> list[Reading]:
        """Readings of the cards that answer; one that is lost is left out.

        Raises:
            MeterError: No card answers.
        """
        readings = [reading for card in self._cards if (reading := self._read(card)) is not None]
        if not readings:
            raise MeterError("nvml: no GPU answers any more")
        return readings

    def first(self) -> list[Reading]:
        """Readings of the machine's first look, of the cards whose counters are read."""
        looks = [
            (card, first_counter(self._first, first_card(card.place))) for card in self._cards if card.counts
        ]
        return [_reading(card, seen[0], seen[1] * MILLI) for card, seen in looks if seen is not None]

    def glance(self) -> list[tuple[str, float, float, float | None]] | None:
        """Component, instant [s], energy [J] and utilisation of every card; None where one does not answer."""
        found = []
        for card in self._cards:
            seen, at_s = card.look(), self._clock.monotonic_s()
            if seen is None or not card.counts:
                return None
            found.append((_component(card.place), at_s, seen, self._utilisation(card)))
        return found

    def _read(self, card: Card) -> Reading | None:
        seen = card.look()
        at_s = self._clock.monotonic_s()
        return None if seen is None else _reading(card, at_s, seen, self._utilisation(card))

    def _utilisation(self, card: Card) -> float | None:
        rates = self._rates
        known = self._busy(card.handle, ctypes.byref(rates)) == nvml.SUCCESS
        return min(1.0, rates.gpu / PERCENT) if known else None

    def facts(self) -> MeterFacts:
        """The cards by name, with their rated power and memory."""
        from sootprint.core.records import Hardware

        kinds: dict[tuple[str, float | None, float | None], int] = {}
        for card in self._cards:
            kind = self._described(card.handle)
            kinds[kind] = kinds.get(kind, 0) + 1
        hardware = tuple(
            Hardware(
                kind="accelerator",
                vendor="NVIDIA",
                name=name,
                count=count,
                rated_power_w=power_w,
                memory_gb=gb,
            )
            for (name, power_w, gb), count in kinds.items()
        )
        used = {card.ratios for card in self._cards}
        factors = tuple(factor for ratios, factor in ACCURACY.items() if ratios in used)
        return MeterFacts(hardware=hardware, factors=factors, warnings=self._warnings)

    def _described(self, handle: nvml.Handle) -> tuple[str, float | None, float | None]:
        """Name, rated power [W] and memory [GB] of a card: of the catalogue, else as the driver tells."""
        name = self._library.name(handle) or "NVIDIA GPU"
        known = rated.accelerator(name, self._hardware)
        limit_mw, size = self._library.default_limit_mw(handle), self._library.memory_bytes(handle)
        power_w = (known.rated_power_w if known else None) or (limit_mw * MILLI if limit_mw else None)
        memory_gb = (known.memory_gb if known else None) or (round(size / BYTES_PER_GB, 1) if size else None)
        return name, power_w, memory_gb

    def readable_by(self, uid: int) -> bool:
        """Whether a user can read the counters himself: NVIDIA's driver tells them to everybody."""
        return True

    def processes(self) -> Mapping[str, Sequence[ProcessUse]]:
        """Processes on each card since the last call; a card that does not tell them is left out."""
        if self._processes is None:
            from sootprint.meters.nvml_processes import CardProcesses

            self._processes = {
                _component(card.place): CardProcesses(self._library, card.handle) for card in self._cards
            }
        looks = ((name, card.look()) for name, card in self._processes.items())
        return {name: found for name, found in looks if found is not None}

    def visible_to(self, environ: Mapping[str, str]) -> frozenset[str]:
        """Components of the machine that a job with these environment variables may use."""
        seen = _seen(self._library, _handles(self._library), environ.get("CUDA_VISIBLE_DEVICES"))
        return frozenset(_component(place) for place in seen.devices)

    def close(self) -> None:
        """Let go of the driver."""
        self._library.close()


def meter_of(library: nvml.Library, machine: Machine) -> NvmlMeter:
    """Meter of the GPUs that CUDA_VISIBLE_DEVICES lets a job use.

    Raises:
        MeterError: There is no GPU, none that may be used, or none that tells energy or power.
    """
    handles = _handles(library)
    if not handles:
        raise MeterError("nvml: the driver knows no GPU")
    warnings: list[str] = []
    chosen = _chosen(library, handles, machine, warnings)
    if not chosen:
        raise MeterError("nvml: CUDA_VISIBLE_DEVICES hides every GPU", fix="unset CUDA_VISIBLE_DEVICES")
    cards = _cards(library, chosen, warnings)
    if not cards:
        raise MeterError(
            "nvml: no GPU tells its energy or its power; a virtual GPU's host keeps them to itself"
        )
    return NvmlMeter(library, cards, machine, warnings)


def _component(place: int) -> str:
    return f"accelerator:{place}"


def _handles(library: nvml.Library) -> list[nvml.Handle | None]:
    return [library.handle(index) for index in range(library.count())]


def _chosen(
    library: nvml.Library, handles: list[nvml.Handle | None], machine: Machine, warnings: list[str]
) -> list[tuple[int, nvml.Handle]]:
    """Index and handle of each card that a job may use."""
    value = machine.environ.get("CUDA_VISIBLE_DEVICES")
    seen = _seen(library, handles, value)
    for index in seen.sliced:
        warnings.append(f"nvml: the job sees a MIG slice of GPU {index}; the whole card is counted")
    by_index = (
        value is not None and len(seen.devices) < len(handles) and not seen.sliced and "GPU-" not in value
    )
    if by_index and machine.environ.get("CUDA_DEVICE_ORDER") != "PCI_BUS_ID":
        names = {library.name(handle) for handle in handles if handle is not None}
        if len(names) > 1:
            warnings.append(
                "nvml: the GPUs differ and CUDA numbers the fastest first, so CUDA_VISIBLE_DEVICES may mean other"
                " cards: set CUDA_DEVICE_ORDER=PCI_BUS_ID"
            )
    chosen = []
    for index in seen.devices:
        handle = handles[index]
        if handle is None:
            warnings.append(f"nvml: GPU {index} does not answer and is not counted")
        else:
            chosen.append((index, handle))
    return chosen


def _seen(library: nvml.Library, handles: list[nvml.Handle | None], value: str | None) -> Visible:
    def identities() -> list[str]:
        return [(library.identity(handle) or "") if handle is not None else "" for handle in handles]

    def slice_parent(name: str) -> list[int]:
        mig_slice = library.handle_of(name)
        parent = library.parent(mig_slice) if mig_slice is not None else None
        index = library.index(parent) if parent is not None else None
        if index is not None:
            return [index]
        divided = [i for i, handle in enumerate(handles) if handle is not None and library.is_sliced(handle)]
        return divided  # where the slice lies is not told: one of these

    return visible(value, len(handles), uuids=identities, slice_parent=slice_parent)


def _cards(library: nvml.Library, chosen: list[tuple[int, nvml.Handle]], warnings: list[str]) -> list[Card]:
    """Cards with the best way to read each; all by power where one has no counter, as they share a pace."""
    cards = []
    for index, handle in chosen:
        card = _counter(library, index, handle, warnings) or _power(library, index, handle)
        if card is None:
            warnings.append(f"nvml: GPU {index} tells neither energy nor power and is not counted")
        else:
            cards.append(card)
    if len({card.counts for card in cards}) < 2:
        return cards
    polled = [_power(library, card.place, card.handle) if card.counts else card for card in cards]
    for card, other in zip(cards, polled, strict=True):
        if other is None:
            warnings.append(f"nvml: GPU {card.place} tells no power, as other cards need, and is not counted")
    return [card for card in polled if card is not None]


def _counter(library: nvml.Library, index: int, handle: nvml.Handle, warnings: list[str]) -> Card | None:
    """Card by its energy counter, or None where it has none or one of more than the GPU."""
    answer = ctypes.c_ulonglong()
    where = ctypes.byref(answer)
    call = library.function("nvmlDeviceGetTotalEnergyConsumption")

    def look() -> float | None:
        return answer.value * MILLI if call(handle, where) == nvml.SUCCESS else None

    if look() is None:
        return None
    ratios = COUNTER_RATIOS
    if library.shares_module(handle):
        if _instant(library, handle)() is not None:
            warnings.append(
                f"nvml: the energy counter of GPU {index} covers its whole module with the CPU;"
                " the power of the GPU alone is integrated instead"
            )
            return None
        warnings.append(f"nvml: the energy of GPU {index} covers its whole module with the CPU")
        ratios = MODULE_RATIOS
    return Card(index, handle, look, True, ratios, _max_power_w(library, handle))


def _power(library: nvml.Library, index: int, handle: nvml.Handle) -> Card | None:
    """Card by its power, of the GPU alone and of this instant where the driver can tell."""
    max_power_w = _max_power_w(library, handle)
    sources = [_instant(library, handle), _average(library, handle)]
    told = [source for source in sources if source() is not None]
    if not told:
        return None
    source = next(
        (source for source in told if source()), told[0]
    )  # a field that a card does not fill may be 0
    return Card(index, handle, _possible(source, max_power_w), False, POWER_RATIOS, max_power_w)


def _possible(look: Callable[[], float | None], max_power_w: float) -> Callable[[], float | None]:
    """The same look, silent where it answers more than a card can draw."""

    def bounded() -> float | None:
        power_w = look()
        return power_w if power_w is not None and 0.0 <= power_w <= max_power_w else None

    return bounded


def _instant(library: nvml.Library, handle: nvml.Handle) -> Callable[[], float | None]:
    field = nvml.Field(field=nvml.FIELD_POWER_INSTANT, scope=nvml.SCOPE_GPU)
    where = ctypes.byref(field)
    call = library.function("nvmlDeviceGetFieldValues")

    def look() -> float | None:
        power_mw = nvml.field_value(field) if call(handle, 1, where) == nvml.SUCCESS else None
        return None if power_mw is None else power_mw * MILLI

    return look


def _average(library: nvml.Library, handle: nvml.Handle) -> Callable[[], float | None]:
    answer = ctypes.c_uint()
    where = ctypes.byref(answer)
    call = library.function("nvmlDeviceGetPowerUsage")

    def look() -> float | None:
        return answer.value * MILLI if call(handle, where) == nvml.SUCCESS else None

    return look


def _max_power_w(library: nvml.Library, handle: nvml.Handle) -> float:
    """Twice the highest limit that a card states, so that a limit raised in the run stays possible [W]."""
    return 2.0 * max(library.limits_mw(handle)) * MILLI if library.limits_mw(handle) else UNLIMITED_W
