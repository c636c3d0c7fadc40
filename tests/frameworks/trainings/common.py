"""What the trainings share: where they write, and the steps after which they ask themselves to pause."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import torch

from sootprint.callbacks import session
from sootprint.tracker.pausing import pause_requested

PAUSES, HOLDS = (
    [int(step) for step in os.environ.get(name, "").split(",") if step] for name in ("PAUSES", "HOLDS")
)
HOLD_S = 200.0  # at most


def data() -> tuple[torch.Tensor, torch.Tensor]:
    """64 points and their two classes."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    points = torch.randn(64, 8)
    return points, (points.sum(1) > 0).long()


def network() -> torch.nn.Module:
    """A network whose dropout needs random numbers."""
    layers = torch.nn.Linear(8, 16), torch.nn.Dropout(0.3), torch.nn.ReLU(), torch.nn.Linear(16, 2)
    return torch.nn.Sequential(*layers)


def noisy(points: torch.Tensor) -> torch.Tensor:
    """Points with noise, as an augmentation adds it."""
    return points + 0.1 * torch.randn_like(points)


def told(*facts: object) -> None:
    """Write a line into the file of losses, which grows over the segments."""
    with Path("losses").open("a") as file:
        file.write(json.dumps(facts) + "\n")


def after_step(step: int, whom: int | None = None) -> None:
    """Ask for a pause, where it is time, as the runner would, or wait until the runner does.

    The first epoch waits for the first reading of the meters, as its span has no energy without.
    """
    for running in session._last:
        running.run._worker.ready.wait(60.0)
    if step in PAUSES:
        os.kill(whom or os.getpid(), signal.SIGUSR1)
    until_s = time.monotonic() + HOLD_S
    while step in HOLDS and not pause_requested() and time.monotonic() < until_s:
        time.sleep(0.05)


def spans(run: object) -> None:
    """Write the names of a run's spans."""
    with Path("spans").open("w") as file:
        json.dump([span.name for span in run.footprint.spans], file)
