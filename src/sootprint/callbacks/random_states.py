"""States of the random numbers of Python, NumPy and PyTorch, in plain lists and tensors."""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from typing import Any


def states(generators: Sequence[Any] = ()) -> dict[str, Any]:
    """States of all generators that are in use, those of loaders included.

    Args:
        generators: PyTorch generators beside the global ones.
    """
    version, numbers, gauss = random.getstate()
    held: dict[str, Any] = {"python": [version, list(numbers), gauss]}
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None:
        name, keys, *rest = numpy.random.get_state()
        held["numpy"] = [name, [int(key) for key in keys], *rest]
    if torch is not None:
        held["torch"] = torch.get_rng_state()
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            held["cuda"] = torch.cuda.get_rng_state_all()
    held["generators"] = [one.get_state() for one in generators]
    return held


def restore(held: dict[str, Any], generators: Sequence[Any] = ()) -> None:
    """Put states back; those of devices and loaders that are not here are left out.

    Args:
        held: What `states` gave.
        generators: The same generators beside the global ones.
    """
    version, numbers, gauss = held["python"]
    random.setstate((version, tuple(numbers), gauss))
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None and "numpy" in held:
        name, keys, *rest = held["numpy"]
        numpy.random.set_state((name, numpy.array(keys, dtype=numpy.uint32), *rest))
    if torch is not None and "torch" in held:
        torch.set_rng_state(torch.as_tensor(held["torch"], dtype=torch.uint8))
        devices = held.get("cuda", [])
        if devices and torch.cuda.is_available() and torch.cuda.device_count() == len(devices):
            torch.cuda.set_rng_state_all([torch.as_tensor(one, dtype=torch.uint8) for one in devices])
    for one, state in zip(generators, held["generators"], strict=False):
        one.set_state(state)


def generators_of(loader: Any) -> list[Any]:
    """PyTorch generators of a loader and its samplers, each once."""
    batches = getattr(loader, "batch_sampler", None)
    owners = (loader, getattr(loader, "sampler", None), batches, getattr(batches, "sampler", None))
    found: list[Any] = []
    for owner in owners:
        one = getattr(owner, "generator", None)
        if one is not None and not any(one is other for other in found):
            found.append(one)
    return found


def generators_in(combined: Any) -> list[Any]:
    """PyTorch generators of several loaders that are taken together; none where there are no loaders."""
    return [one for loader in getattr(combined, "flattened", ()) for one in generators_of(loader)]
