"""Transformers, with its own scheduler and an evaluation each epoch."""

from __future__ import annotations

import sys

import common
import torch
from torch.nn.functional import cross_entropy
from transformers import Trainer, TrainerCallback, TrainingArguments

from sootprint.callbacks.transformers import SootprintCallback

points, classes = common.data()


class Model(torch.nn.Module):
    """The network with its loss."""

    def __init__(self) -> None:
        super().__init__()
        self.net = common.network()

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        """Loss of a batch."""
        logits = self.net(common.noisy(x))
        return {"loss": cross_entropy(logits, labels), "logits": logits}


class Dataset(torch.utils.data.Dataset):
    """The points."""

    def __len__(self) -> int:
        return len(points)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"x": points[index], "labels": classes[index]}


class Asks(TrainerCallback):
    """Asks for a pause in the middle of a step, and writes the losses."""

    def on_step_begin(self, args: object, state: object, control: object, **kwargs: object) -> None:
        """Ask."""
        common.after_step(state.global_step + 1)

    def on_log(self, args: object, state: object, control: object, logs: dict, **kwargs: object) -> None:
        """Write."""
        if "loss" in logs:
            common.told(state.global_step, logs["loss"])


callback = SootprintCallback(zone="FR")
settings = {"eval_strategy": "epoch", "save_strategy": "no", "logging_steps": 1, "learning_rate": 0.01}
quiet = {"report_to": [], "disable_tqdm": True, "use_cpu": True, "seed": 0}
arguments = TrainingArguments(
    "out", num_train_epochs=int(sys.argv[1]), per_device_train_batch_size=8, **settings, **quiet
)
callbacks = [Asks(), callback]
trainer = Trainer(Model(), arguments, train_dataset=Dataset(), eval_dataset=Dataset(), callbacks=callbacks)
trainer.train(resume_from_checkpoint=callback.resume_from)
common.spans(callback.run)
