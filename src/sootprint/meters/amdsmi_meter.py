"""AMD GPUs that a job may use: each by its energy counter where all have one that can be trusted, else by power."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple

from sootprint.core.errors import MeterError
from sootprint.core.protocols import Machine, MeterFacts, ProcessUse, Reading
from sootprint.meters import rated
from sootprint.meters.accuracy import accuracy
from sootprint.meters.visible import visible

POLL_S = 0.05
UJ_PER_J = 1e6
UW_PER_W = 1e6
PERCENT = 100.0
BYTES_PER_MB = 1 << 20
BYTES_PER_GB = 1e9
COUNTER_STEPS = 2.0**64
COUNTER_RATIOS = (0.95, 1.05)
POWER_RATIOS = (0.85, 1.15)
UNLIMITED_W = 2000.0
TRIAL_S = 0.1  # longest look at a new counter
TRIAL_STEP_S = 0.01
TRUST_FACTOR = 3.0  # a counter that implies a third or three times of the power is none
TRUST_SLACK_W = 30.0
_SOURCE = "Prior of Sootprint (2026); AMD states no accuracy"
ACCURACY = {
    True: accuracy("amdsmi energy counter", COUNTER_RATIOS, source=_SOURCE),
    False: accuracy("amdsmi power", POWER_RATIOS, source=_SOURCE),
}  # by whether the counter is read


class Card(NamedTuple):
    """A GPU that is read; `counts` tells whether by joules of its counter or by watts."""

    place: int
    handle: Any
    counts: bool
    wraps_at_j: float | None
    max_power_w: float


class AmdSmi:
    """Calls of the `amdsmi` package, with None where a device answers an error or "N/A"."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def ask(self, name: str, *arguments: Any) -> Any:
        """Answer of a call, or None where the library refuses or has no such call."""
        call = getattr(self._module, name, None)
        if call is None:
            return None
        try:
            return call(*arguments)
        except (self._module.AmdSmiException, OSError, TypeError):  # releases differ in their parameters
            return None

    def energy_j(self, handle: Any) -> float | None:
        """Energy counter [J]."""
        answer = self.ask("amdsmi_get_energy_count", handle)
        steps = _number(answer, "energy_accumulator", "power")
        step_uj = _number(answer, "counter_resolution")
        return None if steps is None or not step_uj else steps * step_uj / UJ_PER_J

    def step_j(self, handle: Any) -> float | None:
        """Energy of one step of the counter [J]."""
        step_uj = _number(self.ask("amdsmi_get_energy_count", handle), "counter_resolution")
        return step_uj / UJ_PER_J if step_uj else None

    def power_w(self, handle: Any) -> float | None:
        """Power of the socket now, or its mean where the card tells no other [W]."""
        answer = self.ask("amdsmi_get_power_info", handle)
        names = ("current_socket_power", "average_socket_power", "socket_power")
        told = [power_w for name in names if (power_w := _number(answer, name)) is not None]
        # a field that a card does not fill is 0 or all ones
        possible = [power_w for power_w in told if power_w <= UNLIMITED_W]
        return next((power_w for power_w in possible if power_w > 0.0), possible[0] if possible else None)

    def utilisation(self, handle: Any) -> float | None:
        """Busy share of the graphics engine [0-1]."""
        busy = _number(self.ask("amdsmi_get_gpu_activity", handle), "gfx_activity")
        return None if busy is None or busy > PERCENT else busy / PERCENT

    def limit_w(self, handle: Any) -> float | None:
        """Highest power limit that the card states [W]."""
        answer = self.ask("amdsmi_get_power_cap_info", handle)
        limits = [
            _number(answer, name) or 0.0 for name in ("power_cap", "default_power_cap", "max_power_cap")
        ]
        highest = max(limits)
        return (highest / UW_PER_W if highest > UNLIMITED_W else highest) or None  # old releases answer watts

    def name(self, handle: Any) -> str:
        """Product name."""
        answer = self.ask("amdsmi_get_gpu_asic_info", handle)
        name = answer.get("market_name") if isinstance(answer, dict) else None
        return name if isinstance(name, str) and name not in ("", "N/A") else "AMD GPU"

    def memory_gb(self, handle: Any) -> float | None:
        """Memory [GB]."""
        size_mb = _number(self.ask("amdsmi_get_gpu_vram_info", handle), "vram_size")
        return round(size_mb * BYTES_PER_MB / BYTES_PER_GB, 1) if size_mb else None

    def processes(self, handle: Any) -> list[ProcessUse] | None:
        """Processes on a card; their busy share is left out, as its unit differs between releases."""
        listed = self.ask("amdsmi_get_gpu_process_list", handle)
        if not isinstance(listed, list):
            return None
        found = []
        for entry in listed:  # releases before 6.0 list handles
            told = (
                entry if isinstance(entry, dict) else self.ask("amdsmi_get_gpu_process_info", handle, entry)
            )
            pid = _number(told, "pid")
            size = _number(told.get("memory_usage"), "vram_mem") if isinstance(told, dict) else None
            if pid:
                size = _number(told, "mem") if size is None else size
                found.append(ProcessUse(int(pid), None if size is None else int(size)))
        return found

    def handles(self) -> list[Any]:
        """The GPUs in the library's order."""
        return self.ask("amdsmi_get_processor_handles") or []

    def close(self) -> None:
        """Let go of the driver."""
        self.ask("amdsmi_shut_down")


class AmdSmiMeter:
    """Energy counters or powers of the AMD GPUs that a job may use."""

    name = "amdsmi"

    def __init__(self, smi: AmdSmi, cards: Sequence[Card], machine: Machine, warnings: Sequence[str]) -> None:
        self._smi = smi
        self._cards = tuple(cards)
        self._clock = machine.clock
        self._hardware = machine.hardware
        self._warnings = tuple(warnings)
        self.poll_s = None if all(card.counts for card in cards) else POLL_S

    def read(self) -> list[Reading]:
        """Readings of the cards that answer; one that does not is left out.

        Raises:
            MeterError: No card answers.
        """
        readings = [reading for card in self._cards if (reading := self._read(card)) is not None]
        if not readings:
            raise MeterError("amdsmi: no GPU answers any more")
        return readings

    def _read(self, card: Card) -> Reading | None:
        seen = self._smi.energy_j(card.handle) if card.counts else self._smi.power_w(card.handle)
        at_s = self._clock.monotonic_s()
        if seen is None or (not card.counts and seen > card.max_power_w):
            return None
        low_ratio, high_ratio = COUNTER_RATIOS if card.counts else POWER_RATIOS
        return Reading(
            meter=self.name,
            component=_component(card.place),
            at_s=at_s,
            energy_j=seen if card.counts else None,
            power_w=None if card.counts else seen,
            wraps_at_j=card.wraps_at_j,
            utilisation=self._smi.utilisation(card.handle),
            max_power_w=card.max_power_w,
            low_ratio=low_ratio,
            high_ratio=high_ratio,
        )

    def facts(self) -> MeterFacts:
        """The cards by name, with their rated power and memory."""
        from sootprint.core.records import Hardware

        hardware = []
        for card in self._cards:
            name = self._smi.name(card.handle)
            known = rated.accelerator(name, self._hardware)
            power_w = (known.rated_power_w if known else None) or self._smi.limit_w(card.handle)
            size_gb = self._smi.memory_gb(card.handle)
            hardware.append(
                Hardware(
                    kind="accelerator", vendor="AMD", name=name, rated_power_w=power_w, memory_gb=size_gb
                )
            )
        factors = tuple(ACCURACY[counts] for counts in sorted({card.counts for card in self._cards}))
        return MeterFacts(hardware=tuple(hardware), factors=factors, warnings=self._warnings)

    def processes(self) -> Mapping[str, Sequence[ProcessUse]]:
        """Processes on each card now; a card that does not tell them is left out."""
        found = ((_component(card.place), self._smi.processes(card.handle)) for card in self._cards)
        return {name: processes for name, processes in found if processes is not None}

    def visible_to(self, environ: Mapping[str, str]) -> frozenset[str]:
        """Components of the machine that a job with these environment variables may use."""
        return frozenset(_component(place) for place in _chosen(len(self._smi.handles()), environ, []))

    def close(self) -> None:
        """Let go of the driver."""
        self._smi.close()


def meter_of(smi: AmdSmi, machine: Machine) -> AmdSmiMeter:
    """Meter of the AMD GPUs that ROCR_VISIBLE_DEVICES and HIP_VISIBLE_DEVICES let a job use.

    Raises:
        MeterError: There is no GPU, none that may be used, or none that tells energy or power.
    """
    handles = smi.handles()
    warnings: list[str] = []
    chosen = _chosen(len(handles), machine.environ, warnings)
    if not chosen:
        raise MeterError("amdsmi: there is no AMD GPU, or HIP_VISIBLE_DEVICES hides it")
    trusted = [_counter_is_sane(smi, handles[index]) for index in chosen]
    for index, sane in zip(chosen, trusted, strict=True):
        if sane is False:
            warnings.append(
                f"amdsmi: the energy counter of GPU {index} disagrees with its power, which is used"
            )
    counts = all(trusted)
    cards = [
        card for index in chosen if (card := _card(smi, index, handles[index], counts=counts)) is not None
    ]
    if not cards:
        raise MeterError("amdsmi: no GPU tells its energy or its power")
    for index in sorted(set(chosen) - {card.place for card in cards}):
        warnings.append(
            f"amdsmi: GPU {index} tells neither energy nor power; a second die is in its neighbour's"
        )
    return AmdSmiMeter(smi, cards, machine, warnings)


def _component(place: int) -> str:
    return f"accelerator:{place}"


def _chosen(count: int, environ: Mapping[str, str], warnings: list[str]) -> list[int]:
    """Places of the cards that a job may use; HIP's list counts within ROCm's."""
    chosen = list(range(count))
    for name in ("ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"):
        value = environ.get(name)
        if value is not None and "GPU-" in value:
            warnings.append(
                f"amdsmi: {name} names cards by identity, which is not understood: all are counted"
            )
            continue
        seen = visible(value, len(chosen), uuids=list, slice_parent=lambda _: ())
        chosen = [chosen[place] for place in seen.devices]
    return chosen


def _card(smi: AmdSmi, index: int, handle: Any, *, counts: bool) -> Card | None:
    if not counts and not smi.power_w(handle):
        return None
    step_j = smi.step_j(handle) if counts else None
    limit_w = smi.limit_w(handle)
    return Card(
        place=index,
        handle=handle,
        counts=counts,
        wraps_at_j=None if step_j is None else step_j * COUNTER_STEPS,
        max_power_w=2.0 * limit_w if limit_w else UNLIMITED_W,
    )


def _counter_is_sane(smi: AmdSmi, handle: Any) -> bool | None:
    """Whether a card's energy counter agrees with its power; None where one of them cannot be had or stands still."""
    start_j, power_w, start_s = smi.energy_j(handle), smi.power_w(handle), time.monotonic()
    if start_j is None:
        return None
    now_j: float | None = start_j
    while now_j == start_j and time.monotonic() < start_s + TRIAL_S:
        time.sleep(TRIAL_STEP_S)
        now_j = smi.energy_j(handle)
    if now_j is None or now_j == start_j:
        return None
    implied_w = (now_j - start_j) / (time.monotonic() - start_s)
    if power_w is None:
        return 0.0 < implied_w < UNLIMITED_W
    return power_w / TRUST_FACTOR - TRUST_SLACK_W <= implied_w <= power_w * TRUST_FACTOR + TRUST_SLACK_W


def _number(answer: Any, *names: str) -> float | None:
    """First finite number at least 0 under one of the names of an answer; "N/A" and the like are none."""
    if not isinstance(answer, dict):
        return None
    for name in names:
        value = answer.get(name)
        if isinstance(value, int | float) and math.isfinite(value) and value >= 0:
            return float(value)
    return None
