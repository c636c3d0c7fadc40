"""Keras on PyTorch, with metrics and an evaluation each epoch."""

from __future__ import annotations

import os
import sys

os.environ["KERAS_BACKEND"] = "torch"

import common
import keras

from sootprint.callbacks.keras import SootprintCallback

points, classes = (tensor.numpy() for tensor in common.data())
keras.utils.set_random_seed(0)


class Asks(keras.callbacks.Callback):
    """Asks for a pause after a step, and writes the losses."""

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Write, and ask."""
        if logs:  # none of a batch that is skipped
            step = int(self.model.optimizer.iterations.value)
            common.told(step, float(logs["loss"]), float(logs["accuracy"]))
            common.after_step(step)


layers = keras.layers
model = keras.Sequential(
    [
        keras.Input((8,)),
        layers.GaussianNoise(0.1),
        layers.Dense(16, activation="relu"),
        layers.Dropout(0.3),
        layers.Dense(2),
    ]
)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.AdamW(0.01), loss, metrics=["accuracy"])
callback = SootprintCallback("pause.npz", zone="FR", every_s=None)
evaluated = {"validation_data": (points, classes), "verbose": 0}
model.fit(points, classes, epochs=int(sys.argv[1]), batch_size=8, callbacks=[Asks(), callback], **evaluated)
common.spans(callback.run)
