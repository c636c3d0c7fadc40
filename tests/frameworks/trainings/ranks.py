"""Two processes with gloo: `ranks.py RANK FILE`; only rank 0 is asked to pause."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import common
import torch
import torch.distributed as dist
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

from sootprint.callbacks.torch import Training

rank = int(sys.argv[1])
os.environ["GLOO_SOCKET_IFNAME"] = "lo"
dist.init_process_group("gloo", init_method=f"file://{sys.argv[2]}", rank=rank, world_size=2)
points, classes = common.data()
model = DistributedDataParallel(common.network())
torch.manual_seed(100 + rank)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
dataset = TensorDataset(points, classes)
loader = DataLoader(dataset, batch_size=4, sampler=DistributedSampler(dataset, 2, rank, shuffle=True))
training = Training("pause.pt", model=model, optimizer=optimizer, every_s=None)
losses = training.values.setdefault(f"losses {rank}", [])
for _ in training.epochs(3):
    for batch, labels in training.batches(loader):
        loss = cross_entropy(model(common.noisy(batch)), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with Path(f"losses {rank}").open("a") as file:
            file.write(f"{loss.item()!r}\n")
        training.values["step"] = training.values.get("step", 0) + 1
        if rank == 0:
            common.after_step(training.values["step"])
dist.destroy_process_group()
