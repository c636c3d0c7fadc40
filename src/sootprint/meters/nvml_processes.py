"""Who uses an NVIDIA GPU: its processes with their memory and busy share, as the driver tells.

Loaded only where several runs share a machine.

Source:
    NVIDIA, NVML API Reference Guide R590 (2026): nvmlDeviceGetComputeRunningProcesses_v3,
    nvmlDeviceGetProcessUtilization; structures and return codes.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from sootprint.core.protocols import ProcessUse
from sootprint.meters import nvml_library as nvml

NOT_FOUND = 6
INSUFFICIENT_SIZE = 7
PERCENT = 100
UNKNOWN_BYTES = 2**64 - 1  # NVML_VALUE_NOT_AVAILABLE
ROOM = 32  # entries of a buffer at first
TRIES = 3  # processes may start between the call that tells the size and the next


class _Process(ctypes.Structure):
    """nvmlProcessInfo_v2_t, the same as v3 and nvmlProcessInfo_t."""

    _fields_ = (
        ("pid", ctypes.c_uint),
        ("memory", ctypes.c_ulonglong),
        ("gpu_instance", ctypes.c_uint),
        ("compute_instance", ctypes.c_uint),
    )


class _OldProcess(ctypes.Structure):
    """nvmlProcessInfo_v1_t, of drivers before 2020."""

    _fields_ = (("pid", ctypes.c_uint), ("memory", ctypes.c_ulonglong))


class _Sample(ctypes.Structure):
    """nvmlProcessUtilizationSample_t: busy shares in percent at an instant in microseconds."""

    _fields_ = (
        ("pid", ctypes.c_uint),
        ("at_us", ctypes.c_ulonglong),
        ("sm", ctypes.c_uint),
        ("memory", ctypes.c_uint),
        ("encoder", ctypes.c_uint),
        ("decoder", ctypes.c_uint),
    )


_LISTS: dict[str, tuple[tuple[str, type[ctypes.Structure]], ...]] = {
    kind: (
        (f"nvmlDeviceGet{kind}RunningProcesses_v3", _Process),
        (f"nvmlDeviceGet{kind}RunningProcesses_v2", _Process),
        (f"nvmlDeviceGet{kind}RunningProcesses", _OldProcess),
    )
    for kind in ("Compute", "Graphics")
}


class CardProcesses:
    """Processes of one GPU from one look to the next.

    Args:
        library: The driver.
        handle: The GPU.
    """

    def __init__(self, library: nvml.Library, handle: nvml.Handle) -> None:
        self._library = library
        self._handle = handle
        self._buffers: dict[type[ctypes.Structure], Any] = {}
        self._newest_us = 0
        self._busy: dict[int, float] = {}
        self._repeated = False

    def look(self) -> list[ProcessUse] | None:
        """Processes now, with their busy share since the last look; None where the driver tells none of it."""
        compute, graphics = self._memory("Compute"), self._memory("Graphics")
        busy = self._utilisation()
        if compute is None and graphics is None and busy is None:
            return None
        memory = {
            **(graphics or {}),
            **(compute or {}),
        }  # one that does both is in both lists with the same memory
        return [
            ProcessUse(pid, memory.get(pid), None if busy is None else busy.get(pid, 0.0))
            for pid in sorted(memory.keys() | (busy or {}).keys())
        ]

    def _memory(self, kind: str) -> dict[int, int | None] | None:
        """Bytes of each process of a kind, added over the slices of a card; None where it is not told."""
        for name, structure in _LISTS[kind]:
            code, entries = self._listed(name, structure)
            if code != nvml.FUNCTION_NOT_FOUND:
                return _bytes(entries) if code == nvml.SUCCESS else None
        return None

    def _listed(self, name: str, structure: type[ctypes.Structure]) -> tuple[int, list[Any]]:
        call = self._library.function(name)
        return self._entries(structure, lambda buffer, count: call(self._handle, count, buffer))

    def _utilisation(self) -> dict[int, float] | None:
        """Busy share of the processes that were busy since the last look [0-1]; None where it is not told.

        The driver samples about as often as it is looked at, so that the first look without a new sample shows the
        last one again; the second finds nobody busy.
        """
        call = self._library.function("nvmlDeviceGetProcessUtilization")
        since = ctypes.c_ulonglong(self._newest_us)
        code, entries = self._entries(_Sample, lambda buffer, count: call(self._handle, buffer, count, since))
        if code not in (nvml.SUCCESS, NOT_FOUND):
            return None
        samples = [entry for entry in entries if _is_sound(entry, self._newest_us)]
        if samples:
            self._busy, self._repeated = _shares(samples), False
            self._newest_us = max(int(sample.at_us) for sample in samples)
        elif self._repeated:
            self._busy = {}
        else:
            self._repeated = True
        return self._busy

    def _entries(
        self, structure: type[ctypes.Structure], call: Callable[[Any, Any], int]
    ) -> tuple[int, list[Any]]:
        """Return code and entries of a call that fills a buffer; the buffer grows where it is too small."""
        code, room = INSUFFICIENT_SIZE, ROOM
        for _ in range(TRIES):
            buffer = self._buffers.get(structure)
            if buffer is None or len(buffer) < room:
                buffer = self._buffers[structure] = (structure * room)()
            count = ctypes.c_uint(len(buffer))
            code = call(buffer, ctypes.byref(count))
            if code == nvml.SUCCESS:
                return code, list(buffer[: min(count.value, len(buffer))])
            if code != INSUFFICIENT_SIZE:
                break
            room = 2 * max(count.value, room)
        return code, []


def _bytes(entries: list[Any]) -> dict[int, int | None]:
    """Memory of each process, added over the slices of a card."""
    found: dict[int, int | None] = {}
    for entry in entries:
        known = None if entry.memory == UNKNOWN_BYTES else int(entry.memory)
        before = found.get(entry.pid)
        found[entry.pid] = known if before is None else before + (known or 0)
    return found


def _is_sound(sample: Any, newest_us: int) -> bool:
    """Whether a sample is new and possible: drivers leave entries that they do not fill as they were."""
    return bool(sample.pid and sample.at_us > newest_us and sample.sm <= PERCENT)


def _shares(samples: list[Any]) -> dict[int, float]:
    """Mean busy share of each process; one that was idle in a sample is missing from it."""
    sums: dict[int, int] = {}
    counts: dict[int, int] = {}
    for sample in samples:
        sums[sample.pid] = sums.get(sample.pid, 0) + sample.sm
        counts[sample.pid] = counts.get(sample.pid, 0) + 1
    periods = max(counts.values())
    return {pid: total / (PERCENT * periods) for pid, total in sums.items()}
