"""Two processes with gloo: `ranks.py RANK FILE`, or below torchrun; only rank 0 or torchrun is asked to pause."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import common
import torch
import torch.distributed as dist
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

from sootprint.callbacks.torch import Training

os.environ["GLOO_SOCKET_IFNAME"] = "lo"
below = "TORCHELASTIC_RUN_ID" in os.environ
if below:
    dist.init_process_group("gloo")
else:
    given = {"init_method": f"file://{sys.argv[2]}", "rank": int(sys.argv[1]), "world_size": 2}
    dist.init_process_group("gloo", **given)
rank = dist.get_rank()
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
        time.sleep(float(os.environ.get("STEP_S", "0")))
        if rank == 0:
            common.after_step(training.values["step"], whom=os.getppid() if below else os.getpid())
dist.destroy_process_group()
