"""What the callbacks cost in each step of a training: the question whether to save or to pause [ns].

Run as `python bench/bench_steps.py`; prints the least of several rounds, for a single process and for a rank that
asks only now and then.
"""

from __future__ import annotations

import timeit

import sootprint
from sootprint.callbacks.session import Session

CALLS, ROUNDS = 200_000, 7


class Others:
    """Ranks that meet after so many steps, as rank 0 says; the meeting itself is left out."""

    rank, size = 1, 2

    def told(self, *numbers: int) -> tuple[int, ...]:
        """What rank 0 says: go on, and meet again after 1000 steps."""
        return 0, 1000


def least_ns(function: object) -> float:
    """Least time of a call over the rounds [ns]."""
    return 1e9 * min(timeit.repeat(function, number=CALLS, repeat=ROUNDS)) / CALLS


def main() -> None:
    """Print each cost."""
    alone, ranked = (Session(pausable=True, every_s=600.0) for _ in range(2))
    ranked.ranks = Others()
    rows = [
        ("sootprint.pause_requested()", sootprint.pause_requested),
        ("a step, single process", alone.verdict),
        ("a step, one of several ranks", ranked.verdict),
        ("an empty function", lambda: None),
    ]
    for name, function in rows:
        print(f"{name:32s} {least_ns(function):6.0f} ns")


if __name__ == "__main__":
    main()
