"""A shared library by its name, loaded only where the loader could find it: asking costs less than ctypes does."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CACHE = "/etc/ld.so.cache"  # names that the loader knows, as ldconfig wrote them
NVIDIA = (
    ("nvml.dll",) if sys.platform == "win32" else ("libnvidia-ml.so.1", "/usr/lib/wsl/lib/libnvidia-ml.so.1")
)
USUAL_FOLDERS = ("/lib", "/usr/lib", "/lib64", "/usr/lib64")


def first(names: Sequence[str]) -> Any:
    """First library of the names that loads, as a `ctypes.CDLL`, or None."""
    wanted = [name for name in names if may_be_there(name)]
    if not wanted:
        return None
    import ctypes

    for name in wanted:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


def may_be_there(name: str, *, cache: str = CACHE) -> bool:
    """Whether the loader could find a library; True where that cannot be told without asking it.

    Args:
        name: File name or whole path of the library.
        cache: The loader's cache of names.
    """
    if os.path.isabs(name):  # noqa: PTH117 - a text suffices, a Path would have to be made
        return os.path.exists(name)  # noqa: PTH110
    if sys.platform != "linux":
        return True
    if name in os.environ.get("LD_PRELOAD", "") or _is_in_a_folder(name):
        return True
    try:
        with open(cache, "rb") as known:  # noqa: PTH123
            return name.encode() in known.read()
    except OSError:
        return True


def _is_in_a_folder(name: str) -> bool:
    folders = (*os.environ.get("LD_LIBRARY_PATH", "").split(":"), *USUAL_FOLDERS)
    return any(os.path.exists(f"{folder}/{name}") for folder in folders)  # noqa: PTH110
