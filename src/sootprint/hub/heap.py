"""Memory of the process: few heaps, and free memory back to the system after a large request. Of glibc alone."""

from __future__ import annotations

import contextlib
import ctypes
import gc
from collections.abc import Iterator

GARBAGE = (50_000, 20, 50)  # new objects before Python looks for cycles: a batch makes many, and none
# glibc: <malloc.h>. Left alone it moves the second up to 32 MiB, and what is freed of a large text stays in a heap.
M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -8, -3, -1
HEAPS = 2  # of which each thread would keep one
OWN = 1 << 20  # bytes of a block from which it comes from the system, and goes back there at once
TOP = 8 << 20  # free bytes at the end of a heap from which they go back
LARGE = 6 << 20  # bytes of a request, unpacked; usual batches have less


def calm() -> None:
    """Spare time and memory: rare searches for garbage, few heaps, large blocks back to the system at once."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    with contextlib.suppress(AttributeError, OSError):
        set_to = ctypes.CDLL(None).mallopt
        for name, value in ((M_ARENA_MAX, HEAPS), (M_MMAP_THRESHOLD, OWN), (M_TRIM_THRESHOLD, TOP)):
            set_to(name, value)


@contextlib.contextmanager
def relieved(size: int) -> Iterator[None]:
    """Work on a request of so many bytes; after a large one all free pages go back, in some milliseconds."""
    try:
        yield
    finally:
        if size > LARGE:
            with contextlib.suppress(AttributeError, OSError):
                ctypes.CDLL(None).malloc_trim(0)
