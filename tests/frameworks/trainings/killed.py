"""Plain PyTorch that is killed in the middle of its second save."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import common
import torch

from sootprint.callbacks.torch import Training

model = common.network()
training = Training("pause.pt", model=model, every_s=None)
training.values["saves"] = training.values.get("saves", 0) + 1
common.told(training.values["saves"])
save = torch.save


def half(whole: object, made: Path) -> None:
    """Half of the bytes, and the end."""
    save(whole, made)
    os.truncate(made, made.stat().st_size // 2)
    os.kill(os.getpid(), signal.SIGKILL)


if training.values["saves"] == 2:
    torch.save = half
training.save()
