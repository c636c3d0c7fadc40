"""Small real trainings on the processor, whose course `record_traces.py` records.

Each class is one training: it loads its data when made, `unit(i)` does the i-th unit of `units`, `evaluate()` and
`save(path)` do what trainings do in between. `change` switches a stage in mid-run: a larger resolution, a longer
sequence, a bigger batch, or layers that begin to learn.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np


class Training:
    """One training; `state` is what a checkpoint holds."""

    def __init__(self, units: int, *, size: int = 1, change: float | None = None, seed: int = 0) -> None:
        self.units, self.size, self.change = units, size, change
        self.rng = np.random.default_rng(seed)
        self.state: Any = {}
        self.load()

    def load(self) -> None:
        """Load the data and make the model."""

    def unit(self, index: int) -> None:
        """Do one unit of the work."""

    def evaluate(self) -> None:
        """Measure the model on held-out data."""

    def save(self, path: Path) -> None:
        """Write a checkpoint."""
        path.write_bytes(pickle.dumps(self.state))

    def changed(self, index: int) -> bool:
        """Whether the second stage has begun."""
        return self.change is not None and index >= self.change * self.units


class DigitsMlp(Training):
    """A multilayer perceptron of scikit-learn on digits of 8 x 8, an epoch a unit."""

    def load(self) -> None:
        from sklearn.datasets import load_digits
        from sklearn.neural_network import MLPClassifier

        data = load_digits()
        self.x, self.y = np.tile(data.data / 16.0, (self.size, 1)), np.tile(data.target, self.size)
        self.state = MLPClassifier((128, 64), batch_size=64, random_state=0)

    def unit(self, index: int) -> None:
        x, y = (self.x, self.y) if not self.changed(index) else (np.tile(self.x, (2, 1)), np.tile(self.y, 2))
        self.state.partial_fit(x, y, classes=range(10))

    def evaluate(self) -> None:
        self.state.score(np.tile(self.x, (8, 1)), np.tile(self.y, 8))


class TextSgd(Training):
    """A linear classifier on hashed words of synthetic text, some batches a unit."""

    def load(self) -> None:
        from sklearn.feature_extraction.text import HashingVectorizer
        from sklearn.linear_model import SGDClassifier

        words = [f"w{i}" for i in range(20_000)]
        self.texts = [" ".join(words[i] for i in self.rng.zipf(1.3, 60) % 20_000) for _ in range(3000)]
        self.labels = self.rng.integers(0, 5, 3000)
        self.hasher = HashingVectorizer(n_features=2**16, ngram_range=(1, 2))
        self.state = SGDClassifier()

    def unit(self, index: int) -> None:
        count = 60 * self.size * (2 if self.changed(index) else 1)
        rows = self.rng.integers(0, 3000, count)
        self.state.partial_fit(
            self.hasher.transform([self.texts[i] for i in rows]), self.labels[rows], classes=range(5)
        )

    def evaluate(self) -> None:
        self.state.score(self.hasher.transform(self.texts), self.labels)


class Boosting(Training):
    """Gradient boosting of scikit-learn, a tree of each class a unit."""

    def load(self) -> None:
        from sklearn.datasets import make_classification
        from sklearn.ensemble import GradientBoostingClassifier

        self.x, self.y = make_classification(800 * self.size, 20, n_informative=8, random_state=0)
        self.state = GradientBoostingClassifier(n_estimators=0, warm_start=True, max_depth=3)

    def unit(self, index: int) -> None:
        self.state.n_estimators += 1
        if self.changed(index):
            self.state.max_depth = 6
        self.state.fit(self.x, self.y)

    def evaluate(self) -> None:
        self.state.score(self.x, self.y)


class HistBoosting(Boosting):
    """Histogram boosting of scikit-learn, which takes its trees up again at every unit."""

    def load(self) -> None:
        from sklearn.datasets import make_classification
        from sklearn.ensemble import HistGradientBoostingClassifier

        self.x, self.y = make_classification(3000 * self.size, 30, n_informative=10, random_state=0)
        self.state = HistGradientBoostingClassifier(max_iter=0, warm_start=True, early_stopping=False)

    def unit(self, index: int) -> None:
        self.state.max_iter += 1
        self.state.fit(self.x, self.y)


class LightGbm(Training):
    """Boosting by LightGBM, some trees a unit."""

    def load(self) -> None:
        import lightgbm

        x = self.rng.normal(size=(6000 * self.size, 40))
        y = (x[:, :5].sum(1) + self.rng.normal(size=len(x)) > 0).astype(int)
        self.x = x
        params = {"objective": "binary", "verbose": -1, "num_leaves": 63, "num_threads": 1}
        self.state = lightgbm.Booster(params, lightgbm.Dataset(x, y))

    def unit(self, index: int) -> None:
        if self.changed(index):
            self.state.reset_parameter({"num_leaves": 127})
        for _ in range(2):
            self.state.update()

    def evaluate(self) -> None:
        self.state.predict(self.x[:5000])

    def save(self, path: Path) -> None:
        self.state.save_model(str(path))


class Forest(Training):
    """A random forest of scikit-learn that grows by some trees a unit."""

    def load(self) -> None:
        from sklearn.datasets import make_classification
        from sklearn.ensemble import RandomForestClassifier

        self.x, self.y = make_classification(600 * self.size, 20, n_informative=8, random_state=0)
        self.state = RandomForestClassifier(n_estimators=0, warm_start=True, max_depth=12)

    def unit(self, index: int) -> None:
        self.state.n_estimators += 2
        self.state.fit(self.x, self.y)

    def evaluate(self) -> None:
        self.state.score(self.x, self.y)


class NumpyMlp(Training):
    """A perceptron in numpy on synthetic images of 28 x 28; its batch grows."""

    def load(self) -> None:
        self.x = self.rng.normal(size=(20_000, 784)).astype(np.float32)
        self.y = self.rng.integers(0, 10, 20_000)
        self.state = [
            self.rng.normal(size=s).astype(np.float32) * 0.05 for s in ((784, 512), (512, 256), (256, 10))
        ]

    def unit(self, index: int) -> None:
        batch = 128 * (3 if self.changed(index) else 1)
        for _ in range(self.size):
            self._step(self.rng.integers(0, len(self.x), batch))

    def _step(self, rows: np.ndarray) -> None:
        layers = [self.x[rows]]
        for w in self.state[:-1]:
            layers.append(np.maximum(layers[-1] @ w, 0.0))
        logits = layers[-1] @ self.state[-1]
        p = np.exp(logits - logits.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        p[np.arange(len(rows)), self.y[rows]] -= 1.0
        delta = p / len(rows)
        for depth in (2, 1, 0):
            grad = layers[depth].T @ delta
            delta = (delta @ self.state[depth].T) * (layers[depth] > 0.0)
            self.state[depth] -= 0.01 * grad

    def evaluate(self) -> None:
        hidden = self.x
        for w in self.state:
            hidden = np.maximum(hidden @ w, 0.0)


class NumpyConv(Training):
    """A convolution in numpy by columns of patches; the resolution grows."""

    def load(self) -> None:
        self.images = {side: self.rng.normal(size=(400, side, side)).astype(np.float32) for side in (16, 24)}
        self.y = self.rng.normal(size=(400, 16)).astype(np.float32)
        self.state = [self.rng.normal(size=(25, 16)).astype(np.float32) * 0.1]

    def unit(self, index: int) -> None:
        images = self.images[24 if self.changed(index) else 16]
        for _ in range(self.size):
            self._step(images, self.rng.integers(0, 400, 32))

    def _step(self, images: np.ndarray, rows: np.ndarray) -> None:
        patches = np.lib.stride_tricks.sliding_window_view(images[rows], (5, 5), axis=(1, 2))
        columns = patches.reshape(len(rows), -1, 25)
        active = np.maximum(columns @ self.state[0], 0.0)
        error = active.mean(1) - self.y[rows]
        delta = (error[:, None, :] * (active > 0.0)) / active.shape[1]
        self.state[0] -= 0.01 * np.einsum("bpk,bpc->kc", columns, delta, optimize=True)

    def evaluate(self) -> None:
        for first in range(0, 400, 50):
            patches = np.lib.stride_tricks.sliding_window_view(
                self.images[16][first : first + 50], (5, 5), axis=(1, 2)
            )
            np.maximum(patches.reshape(50, -1, 25) @ self.state[0], 0.0).mean(1)


class WordVectors(Training):
    """Word vectors in numpy with negative samples, some batches a unit."""

    def load(self) -> None:
        self.corpus = self.rng.zipf(1.2, 400_000) % 10_000
        self.state = [self.rng.normal(size=(10_000, 100)).astype(np.float32) * 0.01 for _ in range(2)]

    def unit(self, index: int) -> None:
        window = 8 if self.changed(index) else 4
        for _ in range(self.size):
            at = self.rng.integers(window, len(self.corpus) - window, 256)
            for offset in range(1, window + 1):
                self._step(self.corpus[at], self.corpus[at + offset])

    def _step(self, word: np.ndarray, near: np.ndarray) -> None:
        for other, label in ((near, 1.0), (self.rng.integers(0, 10_000, len(near)), 0.0)):
            a, b = self.state[0][word], self.state[1][other]
            g = (1.0 / (1.0 + np.exp(-(a * b).sum(1))) - label)[:, None] * 0.05
            np.add.at(self.state[0], word, -g * b)
            np.add.at(self.state[1], other, -g * a)

    def evaluate(self) -> None:
        (self.state[0][:1000] @ self.state[0].T).argsort(1)


class Clusters(Training):
    """Clusters of scikit-learn by small batches, some batches a unit."""

    def load(self) -> None:
        from sklearn.cluster import MiniBatchKMeans

        self.x = self.rng.normal(size=(30_000, 40))
        self.state = MiniBatchKMeans(60, random_state=0, n_init=1)

    def unit(self, index: int) -> None:
        for _ in range(self.size * (2 if self.changed(index) else 1)):
            self.state.partial_fit(self.x[self.rng.integers(0, len(self.x), 2000)])

    def evaluate(self) -> None:
        self.state.predict(self.x)


class Components(Training):
    """Principal components of scikit-learn, a batch of faces-like images a unit."""

    def load(self) -> None:
        from sklearn.decomposition import IncrementalPCA

        self.x = self.rng.normal(size=(4000, 256)) @ self.rng.normal(size=(256, 256))
        self.state = IncrementalPCA(60)

    def unit(self, index: int) -> None:
        for _ in range(self.size):
            self.state.partial_fit(self.x[self.rng.integers(0, 4000, 400)])

    def evaluate(self) -> None:
        self.state.transform(self.x)
