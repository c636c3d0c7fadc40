"""Small real trainings with JAX, which compiles what it first meets: the first unit, and each new shape, are slow."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from trainings import Training

jax.config.update("jax_cpu_enable_async_dispatch", False)  # the thread that calls does the work


class JaxTraining(Training):
    """A model that is trained by plain gradient descent; the loss of each kind is in its own class."""

    def load(self) -> None:
        """Data and weights from numpy, and the step to be compiled at its first call."""
        self.state = [jnp.asarray(self.rng.normal(size=s).astype(np.float32) * 0.1) for s in self.shapes()]
        self.step = jax.jit(self._step, static_argnames="free")
        self.loss_of = jax.jit(self.loss)

    def shapes(self) -> list[tuple[int, ...]]:
        """Shapes of the weights."""
        raise NotImplementedError

    def loss(self, weights: list[jax.Array], x: jax.Array, y: jax.Array) -> jax.Array:
        """Mean loss of a batch."""
        raise NotImplementedError

    def batch(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and targets."""
        raise NotImplementedError

    def _step(self, weights: list[jax.Array], x: jax.Array, y: jax.Array, free: int) -> list[jax.Array]:
        """Weights after one step that moves the last `free` of them."""
        fixed, moving = weights[: len(weights) - free], weights[len(weights) - free :]
        grads = jax.grad(lambda some: self.loss([*fixed, *some], x, y))(moving)
        return [*fixed, *(w - 0.01 * g for w, g in zip(moving, grads, strict=True))]

    def free(self, index: int) -> int:
        """Number of weights that learn."""
        return len(self.state)

    def unit(self, index: int) -> None:
        for _ in range(self.size):
            self.state = self.step(self.state, *self.batch(index), free=self.free(index))
        jax.block_until_ready(self.state)

    def evaluate(self) -> None:
        for _ in range(12):
            jax.block_until_ready(self.loss_of(self.state, *self.batch(0)))


class JaxMlp(JaxTraining):
    """A perceptron whose first layers learn only from the second stage on."""

    def shapes(self) -> list[tuple[int, ...]]:
        return [(784, 1024), (1024, 512), (512, 10)]

    def loss(self, weights: list[jax.Array], x: jax.Array, y: jax.Array) -> jax.Array:
        for w in weights[:-1]:
            x = jax.nn.relu(x @ w)
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x @ weights[-1]), y[:, None], 1))

    def batch(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return self.rng.normal(size=(128, 784)).astype(np.float32), self.rng.integers(0, 10, 128)

    def free(self, index: int) -> int:
        return 3 if self.change is None or self.changed(index) else 1


class JaxConv(JaxTraining):
    """A convolutional network on synthetic colour images; the batch doubles in the second stage."""

    def shapes(self) -> list[tuple[int, ...]]:
        return [(16, 3, 3, 3), (32, 16, 3, 3), (32, 10)]

    def loss(self, weights: list[jax.Array], x: jax.Array, y: jax.Array) -> jax.Array:
        for w in weights[:-1]:
            x = jax.nn.relu(jax.lax.conv(x, w, (2, 2), "SAME"))
        logits = x.mean((2, 3)) @ weights[-1]
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1))

    def batch(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        count = 64 if self.changed(index) else 32
        return self.rng.normal(size=(count, 3, 32, 32)).astype(np.float32), self.rng.integers(0, 10, count)


class JaxRecurrent(JaxTraining):
    """A recurrent network on synthetic text of letters; the sequences double in the second stage."""

    def shapes(self) -> list[tuple[int, ...]]:
        return [(64, 192), (192, 192), (192, 64)]

    def loss(self, weights: list[jax.Array], x: jax.Array, y: jax.Array) -> jax.Array:
        embed, inner, out = weights

        def cell(hidden: jax.Array, letter: jax.Array) -> tuple[jax.Array, jax.Array]:
            hidden = jnp.tanh(embed[letter] + hidden @ inner)
            return hidden, hidden @ out

        _, logits = jax.lax.scan(cell, jnp.zeros((x.shape[0], 192)), x.T)
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), y.T[:, :, None], 2))

    def batch(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        text = self.rng.integers(0, 64, (32, 65 if self.changed(index) else 33))
        return text[:, :-1], text[:, 1:]


class JaxTransformer(JaxTraining):
    """One block of attention on synthetic tokens; the sequences double in the second stage."""

    def shapes(self) -> list[tuple[int, ...]]:
        return [(256, 96), (96, 288), (96, 96), (96, 384), (384, 96), (96, 256)]

    def loss(self, weights: list[jax.Array], x: jax.Array, y: jax.Array) -> jax.Array:
        embed, mix, join, wide, narrow, out = weights
        hidden = embed[x]
        query, key, value = jnp.split(hidden @ mix, 3, axis=-1)
        scores = jax.nn.softmax(query @ key.transpose(0, 2, 1) / 10.0)
        hidden = hidden + (scores @ value) @ join
        hidden = hidden + jax.nn.gelu(hidden @ wide) @ narrow
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(hidden @ out), y[:, :, None], 2))

    def batch(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        text = self.rng.integers(0, 256, (16, 129 if self.changed(index) else 65))
        return text[:, :-1], text[:, 1:]
