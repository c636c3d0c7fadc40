"""A small network trained on scikit-learn's handwritten digits, by a script that knows nothing of energy.

The images are shifted and turned into a set forty-five times larger, so that the training takes about half a
minute. Run it as it is, or under `sootprint run -- python examples/train_digits.py`.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import rotate, shift
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

Images = NDArray[np.float64]
Labels = NDArray[np.int64]

SHIFTS = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]  # pixels
ANGLES = [0, -12, -6, 6, 12]  # degrees


def augmented(images: Images, labels: Labels) -> tuple[Images, Labels]:
    """Every image under every shift and angle, flattened, with its label."""
    turned = [rotate(images, angle, axes=(1, 2), reshape=False, order=1) for angle in ANGLES]
    moved = [shift(batch, (0, *by), order=0) for batch in turned for by in SHIFTS]
    return np.concatenate(moved).reshape(-1, 64), np.tile(labels, len(moved))


def train(epochs: int, *, seed: int) -> float:
    """Accuracy on the held-out digits after so many epochs, printed after each."""
    digits = load_digits()
    images, held_out, labels, truth = train_test_split(
        digits.images / 16.0, digits.target, test_size=0.25, random_state=seed, stratify=digits.target
    )
    inputs, targets = augmented(images, labels)
    model = MLPClassifier((256, 128), batch_size=128, learning_rate_init=5e-4, random_state=seed)
    accuracy = 0.0
    print(f"{len(inputs)} images to learn from, {len(held_out)} held out", flush=True)
    for epoch in range(1, epochs + 1):
        model.partial_fit(inputs, targets, classes=np.arange(10))
        accuracy = float(model.score(held_out.reshape(-1, 64), truth))
        print(f"epoch {epoch:2d}/{epochs}  loss {model.loss_:.4f}  accuracy {accuracy:.4f}", flush=True)
    return accuracy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    # Matrices this small gain little from a second thread, and much from not waiting for one on a busy machine.
    with threadpool_limits(limits=1):
        train(arguments.epochs, seed=arguments.seed)
