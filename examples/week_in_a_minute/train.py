"""A small training that saves when it is asked to and goes on from there: logistic regression on made-up points."""

from __future__ import annotations

import json
import math
import os
import random
import sys
import time
from pathlib import Path

import sootprint

STEPS, SAVED, LOG = int(os.environ["WEEK_STEPS"]), Path("checkpoint.json"), Path("progress.txt")
STEP_S = float(os.environ["WEEK_STEP_S"])  # a step takes so long on any machine
SIZE = 6

draw = random.Random(7)
points = [[draw.gauss(0.0, 1.0) for _ in range(SIZE)] for _ in range(300)]
labels = [sum(point) + draw.gauss(0.0, 1.0) > 0.0 for point in points]
weights, step = [0.0] * SIZE, 0
if os.environ.get("SOOTPRINT_RESUME") and SAVED.exists():
    weights, step = json.loads(SAVED.read_text())
while step < STEPS:
    if sootprint.pause_requested():
        SAVED.write_text(json.dumps([weights, step]))
        sys.exit(75)
    until_s, loss, slopes = time.monotonic() + STEP_S, 0.0, [0.0] * SIZE
    for point, label in zip(points, labels, strict=True):
        chance = 1.0 / (1.0 + math.exp(-sum(a * b for a, b in zip(weights, point, strict=True))))
        loss -= math.log((chance if label else 1.0 - chance) + 1e-12) / len(points)
        slopes = [one + (label - chance) * value for one, value in zip(slopes, point, strict=True)]
    weights = [one + 0.5 * slope / len(points) for one, slope in zip(weights, slopes, strict=True)]
    step += 1
    with LOG.open("a", encoding="utf-8") as file:
        file.write(f"{step} {loss:.9f}\n")
    time.sleep(max(0.0, until_s - time.monotonic()))
