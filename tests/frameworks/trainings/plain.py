"""Plain PyTorch, with a scheduler, shuffled data, loader processes where asked for, and an evaluation."""

from __future__ import annotations

import os
import sys
import time

import common
import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

import sootprint
from sootprint.callbacks.torch import Training

points, classes = common.data()
model = common.network()
optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.9)
workers = int(os.environ.get("WORKERS", "0"))
loader = DataLoader(TensorDataset(points, classes), batch_size=8, shuffle=True, num_workers=workers)
run = sootprint.track("plain", zone="FR")
parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
training = Training("pause.pt", run=run, every_s=None, **parts)
step = training.values.get("step", 0)
for epoch in training.epochs(int(sys.argv[1])):
    for batch, labels in training.batches(loader):
        if os.environ.get("STEP_S"):
            time.sleep(float(os.environ["STEP_S"]))
        loss = cross_entropy(model(common.noisy(batch)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        training.values["step"] = step
        common.told(epoch, step, loss.item())
        common.after_step(step)
    scheduler.step()
    with training.span("evaluation"), torch.no_grad():
        common.told("evaluation", cross_entropy(model(points), classes).item())
    training.log("loss", loss.item())
common.spans(training.run)
