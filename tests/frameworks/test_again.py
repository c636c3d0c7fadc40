"""One callback in several trainings, as in a warm-up and what follows it: each is measured by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip(
    "torch", reason="PyTorch is not installed: `make test-frameworks` has an environment of its own"
)

import torch

from sootprint.ledger import Ledger

EPOCHS = 2


def keras_twice() -> None:
    """Two trainings with one callback of Keras."""
    import keras
    import numpy as np

    from sootprint.callbacks.keras import SootprintCallback

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    callback = SootprintCallback(zone="FR")
    for _ in range(2):
        model.fit(np.ones((8, 2)), np.ones((8, 1)), epochs=EPOCHS, verbose=0, callbacks=[callback])


def lightning_twice() -> None:
    """Two trainings with one callback of Lightning."""
    import lightning

    from sootprint.callbacks.lightning import SootprintCallback

    class Model(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(2, 1)

        def training_step(self, batch: torch.Tensor, index: int) -> torch.Tensor:
            return self.layer(batch).square().mean()

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), 0.1)

    callback = SootprintCallback(zone="FR")
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    for _ in range(2):
        trainer = lightning.Trainer(
            max_epochs=EPOCHS, accelerator="cpu", callbacks=[callback], enable_model_summary=False, **quiet
        )
        trainer.fit(Model(), torch.utils.data.DataLoader(torch.ones(8, 2)))


def transformers_twice() -> None:
    """Two trainings with one callback of Transformers."""
    import transformers

    from sootprint.callbacks.transformers import SootprintCallback

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(2, 1)

        def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"loss": self.layer(x).square().mean()}

    callback = SootprintCallback(zone="FR")
    told = transformers.TrainingArguments(
        "out", num_train_epochs=EPOCHS, report_to=[], disable_tqdm=True, use_cpu=True, save_strategy="no"
    )
    data = [{"x": torch.ones(2)} for _ in range(8)]
    for _ in range(2):
        transformers.Trainer(Model(), told, train_dataset=data, callbacks=[callback]).train()


@pytest.mark.parametrize("train", [keras_twice, lightning_twice, transformers_twice])
def test_each_training_of_a_callback_is_a_run(
    train, own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its own epochs."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.chdir(tmp_path)
    train()
    with Ledger(own_home) as ledger:
        runs = [ledger.get(row.id) for row in ledger.runs()]
    assert len(runs) == 2
    for run in runs:
        assert [span.name for span in run.spans].count("epoch") == EPOCHS
