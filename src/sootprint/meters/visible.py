"""Which accelerators a job may use, as CUDA reads CUDA_VISIBLE_DEVICES.

Source:
    NVIDIA, CUDA C++ Programming Guide 12, "CUDA Environment Variables"; NVIDIA, MIG User Guide (2024).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from sootprint.core.named import NamedTuple

_LEADING_NUMBER = r"[+-]?[0-9]{1,9}"
_OLD_MIG = r"MIG-(GPU-[0-9a-fA-F-]+)/\d+/\d+"


class Visible(NamedTuple):
    """Physical devices that a job may use, in ascending order, and those of them that it sees only a slice of."""

    devices: tuple[int, ...]
    sliced: tuple[int, ...] = ()


def visible(
    value: str | None,
    count: int,
    *,
    uuids: Callable[[], Sequence[str]],
    slice_parent: Callable[[str], Sequence[int]],
) -> Visible:
    """Devices that a list such as "0,2", "GPU-8932f937,GPU-45" or "MIG-<uuid>" lets a job use.

    The kind of the first entry holds for all. The first entry that names no device ends the list; an entry that
    occurs twice empties it.

    Args:
        value: Value of the variable, or None where it is not set: all devices.
        count: Devices that the driver knows [1].
        uuids: Answers their identities in the driver's order; asked only where the list holds identities.
        slice_parent: Devices that a MIG slice lies on, empty where there is no such slice.

    >>> visible("1,7,0", 4, uuids=list, slice_parent=lambda name: ()).devices
    (1,)
    """
    if value is None:
        return Visible(devices=tuple(range(count)))
    entries = [entry.strip() for entry in value.split(",")]
    if entries[0].startswith("MIG-"):
        return _slices(entries, uuids, slice_parent)
    if entries[0].startswith("GPU-"):
        known = uuids()
        return _listed(entries, lambda entry: _by_identity(entry, known))
    return _listed(entries, lambda entry: _by_index(entry, count))


def _listed(entries: Sequence[str], find: Callable[[str], int | None]) -> Visible:
    found: list[int] = []
    for entry in entries:
        index = find(entry)
        if index is None:
            break
        if index in found:
            return Visible(devices=())
        found.append(index)
    return Visible(devices=tuple(sorted(found)))


def _by_index(entry: str, count: int) -> int | None:
    match = re.match(_LEADING_NUMBER, entry)  # CUDA reads the number that an entry starts with
    index = int(match[0]) if match else -1
    return index if 0 <= index < count else None


def _by_identity(entry: str, known: Sequence[str]) -> int | None:
    """Index of the only device whose identity starts with `entry`."""
    matches = [index for index, identity in enumerate(known) if identity.startswith(entry)]
    return matches[0] if entry.startswith("GPU-") and len(matches) == 1 else None


def _slices(
    entries: Sequence[str],
    uuids: Callable[[], Sequence[str]],
    slice_parent: Callable[[str], Sequence[int]],
) -> Visible:
    """Whole devices behind MIG slices; several slices may lie on one device."""
    found: set[int] = set()
    for entry in entries:
        old = re.fullmatch(_OLD_MIG, entry)
        if old:
            index = _by_identity(old[1], uuids())
            parents: Sequence[int] = () if index is None else (index,)
        else:
            parents = slice_parent(entry) if entry.startswith("MIG-") else ()
        if not parents:
            break
        found.update(parents)
    return Visible(devices=tuple(sorted(found)), sliced=tuple(sorted(found)))
