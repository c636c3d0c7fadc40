"""Checkpoints that were torn, or are of something else: one line that names the file, and no weights are touched."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sootprint.core.errors import RecordError

LINES = {
    "torn": "cannot be read",
    "flipped": "cannot be read",
    "array": "cannot be read",
    "text": "cannot be read",
}
LINES |= {"later": "is no checkpoint of sootprint", "list": "is no checkpoint of sootprint"}


def damaged(path: Path, how: str) -> None:
    """A checkpoint that is damaged in some way."""
    meta = [1] if how == "list" else {"version": 2 if how == "later" else 1, "epoch": 0, "done": 0}
    with path.open("wb") as file:
        text = np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)
        np.savez(file, meta=text, other=np.arange(10_000))
    whole = path.read_bytes()
    if how == "torn":
        path.write_bytes(whole[: len(whole) // 2])
    elif how == "flipped":
        half = len(whole) // 2
        path.write_bytes(whole[:half] + bytes([whole[half] ^ 255]) + whole[half + 1 :])
    elif how == "array":
        with path.open("wb") as file:
            np.save(file, np.arange(10))
    elif how == "text":
        path.write_text("no checkpoint")


@pytest.mark.parametrize("how", LINES)
def test_damaged_checkpoint_of_keras_is_one_line(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The training that was to go on ends before its first batch."""
    path = tmp_path / "pause.npz"
    damaged(path, how)
    monkeypatch.setenv("SOOTPRINT_RESUME", "1")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip(
        "keras", reason="Keras is not installed: `make test-frameworks` has an environment of its own"
    )
    from sootprint.callbacks.keras import SootprintCallback

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    before = [np.array(one) for one in model.get_weights()]
    callback = SootprintCallback(path, zone="FR")
    with pytest.raises(RecordError, match=LINES[how]) as caught:
        model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=1, verbose=0, callbacks=[callback])
    assert str(path) in str(caught.value)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    callback.run.stop()
