"""A small classifier trained batch by batch, which tells Sootprint the samples that it saw and its accuracy.

Made for `sootprint tune`: the batch size comes from the command line or from TUNE_BATCH_SIZE.
"""

from __future__ import annotations

import argparse
import os

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split

import sootprint


def train(batch_size: int, *, epochs: int, seed: int = 0) -> float:
    """Accuracy on the held-out digits after so many epochs, logged after each."""
    digits = load_digits()
    images, held_out, labels, truth = train_test_split(
        digits.data / 16.0, digits.target, test_size=0.25, random_state=seed
    )
    model, order = SGDClassifier(random_state=seed), np.random.default_rng(seed)
    accuracy = 0.0
    with sootprint.track("tunable") as run:
        for epoch in range(1, epochs + 1):
            shuffled = order.permutation(len(images))
            for start in range(0, len(images), batch_size):
                batch = shuffled[start : start + batch_size]
                model.partial_fit(images[batch], labels[batch], classes=np.arange(10))
            accuracy = float(model.score(held_out, truth))
            run.log("samples", epoch * len(images))
            run.log("accuracy", accuracy)
    return accuracy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch-size", type=int, default=int(os.environ.get("TUNE_BATCH_SIZE", "32")))
    parser.add_argument("--epochs", type=int, default=1_000_000)
    arguments = parser.parse_args()
    print(f"accuracy {train(arguments.batch_size, epochs=arguments.epochs):.4f}")
