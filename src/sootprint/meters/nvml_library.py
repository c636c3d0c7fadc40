"""NVIDIA's driver library by ctypes: the dozen calls that the meter needs, each with its return code.

The `pynvml` module costs 85 ms of CPU time to import; this binding costs 3.

Source:
    NVIDIA, NVML API Reference Guide R590 (2026): function, structure and field numbers.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

from sootprint.core.errors import MeterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SUCCESS = 0
DRIVER_NOT_LOADED = 9
FUNCTION_NOT_FOUND = 13
VERSION_MISMATCH = 18
FIELD_POWER_INSTANT = 186
SCOPE_GPU = 0
TEXT_BYTES = 96
_FIXES = {
    DRIVER_NOT_LOADED: "load the driver: sudo modprobe nvidia",
    VERSION_MISMATCH: "restart the machine, so that the kernel loads the driver that was installed last",
}

Handle = ctypes.c_void_p


class Utilisation(ctypes.Structure):
    """nvmlUtilization_t: busy shares in percent."""

    _fields_ = (("gpu", ctypes.c_uint), ("memory", ctypes.c_uint))


class Memory(ctypes.Structure):
    """nvmlMemory_t: sizes in bytes."""

    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class FieldAnswer(ctypes.Union):
    """nvmlValue_t."""

    _fields_ = (
        ("as_double", ctypes.c_double),
        ("as_uint", ctypes.c_uint),
        ("as_ulong", ctypes.c_ulong),
        ("as_ulonglong", ctypes.c_ulonglong),
        ("as_longlong", ctypes.c_longlong),
    )


class Field(ctypes.Structure):
    """nvmlFieldValue_t."""

    _fields_ = (
        ("field", ctypes.c_uint),
        ("scope", ctypes.c_uint),
        ("timestamp", ctypes.c_longlong),
        ("latency", ctypes.c_longlong),
        ("kind", ctypes.c_int),
        ("code", ctypes.c_int),
        ("value", FieldAnswer),
    )


class _C2cMode(ctypes.Structure):
    """nvmlC2cModeInfo_v1_t: whether the GPU shares a module with its CPU."""

    _fields_ = (("enabled", ctypes.c_uint), ("spare", ctypes.c_uint))


_KINDS = ("as_double", "as_uint", "as_ulong", "as_ulonglong", "as_longlong")


class Library:
    """An initialised NVML; answers are None where the driver gives none.

    Args:
        cdll: The loaded library.

    Raises:
        MeterError: The driver does not start.
    """

    def __init__(self, cdll: Any) -> None:
        self._cdll = cdll
        code = self.function("nvmlInit_v2")()
        if code != SUCCESS:
            raise MeterError(f"nvml: the driver does not start: {self.words(code)}", fix=_FIXES.get(code))

    def function(self, name: str) -> Callable[..., int]:
        """Function of the library, or one that answers "function not found" as an old driver lacks it."""
        found: Callable[..., int] | None = getattr(self._cdll, name, None)
        return found if found is not None else _missing

    def words(self, code: int) -> str:
        """What a return code means."""
        describe = getattr(self._cdll, "nvmlErrorString", None)
        if describe is None:
            return f"code {code}"
        describe.restype = ctypes.c_char_p
        return (describe(code) or b"").decode("utf-8", "replace") or f"code {code}"

    def count(self) -> int:
        """Devices that the driver knows [1]; 0 where it does not tell."""
        return self._unsigned("nvmlDeviceGetCount_v2") or 0

    def handle(self, index: int) -> Handle | None:
        """Handle of a device by its place in PCI order."""
        handle = Handle()
        code = self.function("nvmlDeviceGetHandleByIndex_v2")(ctypes.c_uint(index), ctypes.byref(handle))
        return handle if code == SUCCESS else None

    def handle_of(self, identity: str) -> Handle | None:
        """Handle of a device or MIG slice by its UUID."""
        handle = Handle()
        name = ctypes.c_char_p(identity.encode())
        code = self.function("nvmlDeviceGetHandleByUUID")(name, ctypes.byref(handle))
        return handle if code == SUCCESS else None

    def parent(self, mig_slice: Handle) -> Handle | None:
        """Handle of the device that a MIG slice lies on."""
        handle = Handle()
        call = self.function("nvmlDeviceGetDeviceHandleFromMigDeviceHandle")
        return handle if call(mig_slice, ctypes.byref(handle)) == SUCCESS else None

    def index(self, handle: Handle) -> int | None:
        """Place of a device in PCI order."""
        return self._unsigned("nvmlDeviceGetIndex", handle)

    def name(self, handle: Handle) -> str | None:
        """Product name of a device."""
        return self._text("nvmlDeviceGetName", handle)

    def identity(self, handle: Handle) -> str | None:
        """UUID of a device."""
        return self._text("nvmlDeviceGetUUID", handle)

    def limits_mw(self, handle: Handle) -> list[int]:
        """Power limits that a device states: enforced, default and highest [mW]; unknown ones are left out."""
        lowest, highest = ctypes.c_uint(), ctypes.c_uint()
        call = self.function("nvmlDeviceGetPowerManagementLimitConstraints")
        code = call(handle, ctypes.byref(lowest), ctypes.byref(highest))
        limits = [
            self._unsigned("nvmlDeviceGetEnforcedPowerLimit", handle),
            self.default_limit_mw(handle),
            highest.value if code == SUCCESS else None,
        ]
        return [limit for limit in limits if limit]

    def default_limit_mw(self, handle: Handle) -> int | None:
        """Power limit that a device was made with [mW]."""
        return self._unsigned("nvmlDeviceGetPowerManagementDefaultLimit", handle)

    def memory_bytes(self, handle: Handle) -> int | None:
        """Memory of a device [byte]."""
        memory = Memory()
        code = self.function("nvmlDeviceGetMemoryInfo")(handle, ctypes.byref(memory))
        return int(memory.total) if code == SUCCESS else None

    def is_sliced(self, handle: Handle) -> bool:
        """Whether a device is divided into MIG slices."""
        now, pending = ctypes.c_uint(), ctypes.c_uint()
        code = self.function("nvmlDeviceGetMigMode")(handle, ctypes.byref(now), ctypes.byref(pending))
        return code == SUCCESS and now.value == 1

    def shares_module(self, handle: Handle) -> bool:
        """Whether a device sits on one module with its processor, as on Grace Hopper."""
        mode = _C2cMode()
        code = self.function("nvmlDeviceGetC2cModeInfoV")(handle, ctypes.byref(mode))
        return code == SUCCESS and mode.enabled == 1

    def close(self) -> None:
        """Let go of the driver."""
        self.function("nvmlShutdown")()

    def _unsigned(self, name: str, *arguments: Any) -> int | None:
        answer = ctypes.c_uint()
        code = self.function(name)(*arguments, ctypes.byref(answer))
        return answer.value if code == SUCCESS else None

    def _text(self, name: str, handle: Handle) -> str | None:
        answer = ctypes.create_string_buffer(TEXT_BYTES)
        code = self.function(name)(handle, answer, ctypes.c_uint(TEXT_BYTES))
        return answer.value.decode("utf-8", "replace") if code == SUCCESS else None


def field_value(field: Field) -> float | None:
    """Number that a field was answered with, or None."""
    if field.code != SUCCESS or not 0 <= field.kind < len(_KINDS):
        return None
    return float(getattr(field.value, _KINDS[field.kind]))


def _missing(*_: Any) -> int:
    return FUNCTION_NOT_FOUND
