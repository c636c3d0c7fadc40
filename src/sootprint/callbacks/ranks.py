"""The processes of one training: rank 0 decides, and the others hear it about once a second."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
from typing import Any


class Ranks:
    """The ranks of a training.

    Args:
        distributed: The module `torch.distributed` in use by more than one process; None for a single one.
    """

    def __init__(self, distributed: Any = None) -> None:
        self._distributed = distributed
        self.rank, self.size = 0, 1
        if distributed is not None:
            self.rank, self.size = distributed.get_rank(), distributed.get_world_size()
            self._group = distributed.new_group(backend="gloo")  # so that no accelerator waits
            atexit.register(self._close, os.getpid())

    def told(self, *numbers: int) -> tuple[int, ...]:
        """Numbers of rank 0, which all ranks ask for at the same step."""
        if self._distributed is None:
            return numbers
        torch = sys.modules["torch"]
        held = torch.tensor(numbers, dtype=torch.int64)
        self._distributed.broadcast(held, src=0, group=self._group)
        return tuple(int(one) for one in held.tolist())

    def gathered(self, own: Any) -> list[Any]:
        """What each rank holds, in their order, at rank 0; an empty list elsewhere."""
        if self._distributed is None:
            return [own]
        held: list[Any] | None = [None] * self.size if self.rank == 0 else None
        self._distributed.gather_object(own, held, dst=0, group=self._group)
        return held or []

    def _close(self, begun_by: int) -> None:
        """Join gloo's threads: a program that ends while they run may be aborted, and so lose its exit code.

        A pause ends the program in the middle, before it would destroy its groups itself. A fork has no such threads.
        """
        if os.getpid() != begun_by:
            return
        with contextlib.suppress(RuntimeError, ValueError, AssertionError):  # the program has done so
            self._distributed.destroy_process_group(self._group)
        del self._group
        with contextlib.suppress(RuntimeError, ValueError, AssertionError):
            if self._distributed.get_backend() == "gloo":
                self._distributed.destroy_process_group()


def found() -> Ranks:
    """The ranks of this program's training; all of them must ask at the same place of the program."""
    distributed = getattr(sys.modules.get("torch"), "distributed", None)
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return Ranks()
    return Ranks(distributed if distributed.get_world_size() > 1 else None)
