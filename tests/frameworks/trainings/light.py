"""Lightning, with a scheduler and an evaluation each epoch."""

from __future__ import annotations

import sys

import common
import lightning
import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from sootprint.callbacks.lightning import SootprintCallback

points, classes = common.data()


class Module(lightning.LightningModule):
    """The network."""

    def __init__(self) -> None:
        super().__init__()
        self.net = common.network()

    def training_step(self, batch: list[torch.Tensor], index: int) -> torch.Tensor:
        """One step."""
        loss = cross_entropy(self.net(common.noisy(batch[0])), batch[1])
        self.log("loss", loss)
        common.told(self.current_epoch, index, loss.item())
        common.after_step(self.global_step + 1)
        return loss

    def validation_step(self, batch: list[torch.Tensor], index: int) -> None:
        """One batch of the evaluation."""
        self.log("evaluated", cross_entropy(self.net(batch[0]), batch[1]))

    def configure_optimizers(self) -> object:
        """Optimiser and scheduler."""
        optimizer = torch.optim.AdamW(self.parameters(), lr=0.01)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.9)]


callback = SootprintCallback("pause.ckpt", zone="FR", every_s=None)
quiet = {
    "logger": False,
    "enable_checkpointing": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
}
trainer = lightning.Trainer(max_epochs=int(sys.argv[1]), accelerator="cpu", callbacks=[callback], **quiet)
dataset = TensorDataset(points, classes)
loaders = DataLoader(dataset, batch_size=8, shuffle=True), DataLoader(dataset, batch_size=32)
trainer.fit(Module(), *loaders, ckpt_path=callback.resume_from)
common.spans(callback.run)
