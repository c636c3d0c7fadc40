"""Keras 3: a callback that measures a `Model.fit`, pauses it, and makes it go on exactly.

On the PyTorch backend it pauses between two batches, on the others at the end of an epoch.
"""

from __future__ import annotations

import functools
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from sootprint.callbacks import files, random_states
from sootprint.callbacks.framework import base, needed
from sootprint.callbacks.session import EVERY_S, GO_ON, PAUSE, Measured, warn
from sootprint.core.errors import RecordError
from sootprint.tracker import Run
from sootprint.tracker.pausing import is_resumed

VERSION, META = 1, "meta"
# Of a file that was torn or is no archive: of the archive, of its parts, and of arrays that stand alone in a file.
UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    AttributeError,
    TypeError,
    zipfile.BadZipFile,
    zlib.error,
)
Base: Any = base("Callback", "keras.callbacks")


class SootprintCallback(Measured, Base):  # type: ignore[misc]
    """A callback of `Model.fit`: measures, saves, pauses, and goes on where it paused.

    The checkpoint holds weights, optimiser, metrics, random numbers, epoch and batch. Not in it: the state of other
    callbacks, and of data that is no array, such as a generator.

    Args:
        checkpoint: File of the checkpoint, e.g. "pause.npz"; None measures without pausing.
        run: Run to measure with; one of its own where None.
        every_s: Time between two saves in the middle of the training, or None for no such saves [s].
        settings: Settings of the own run, e.g. `zone="FR"`.

    Raises:
        MissingExtraError: Keras is not installed.
    """

    def __init__(
        self,
        checkpoint: str | Path | None = None,
        *,
        run: Run | None = None,
        every_s: float | None = EVERY_S,
        **settings: Any,
    ) -> None:
        self._keras = needed("keras", package="keras")
        super().__init__()
        self._anew = functools.partial(self._measure, checkpoint, run, settings, every_s=every_s)
        self._anew()
        self._is_over = False
        self._by_batch = self._keras.backend.backend() == "torch"
        self._epoch, self._total = 0, 1
        self._start: dict[str, Any] = {}
        self._held: dict[str, Any] | None = None
        self._function: Any = None  # that trains, while batches are skipped

    def on_train_begin(self, logs: Any = None) -> None:
        """Start to measure, each training by itself; load what was saved."""
        if self._is_over:
            self._anew()
        self._is_over = False
        self._session.begin()
        self._total = self.params.get("epochs") or 1
        if self.path is not None and is_resumed():
            self._load(self.path)
        if self._held is not None:
            self.model._initial_epoch = self._held["epoch"]
            self._total -= self._held["epoch"]
        if self.path is not None:
            self._session.ready()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Begin the span of an epoch; the one that was paused begins with its own random numbers."""
        self._session.enter("epoch", total=self._total)
        self._epoch = epoch
        held = self._held
        if held is not None and held["done"]:
            random_states.restore(held["start"])
            self._function, self.model.train_function = self.model.train_function, _skip
        elif held is not None:
            random_states.restore(held["now"])
            self._held = None
        self._start = random_states.states()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Train again, where all batches that were done are skipped."""
        held = self._held
        if held is not None and batch >= held["done"]:
            self.model.train_function = self._function
            _assign(self.model.metrics_variables, held["metrics"])
            random_states.restore(held["now"])
            self._held = None

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Save or pause, where it is time; after the last batch the end of the epoch is waited for."""
        if self._held is None and self._by_batch and batch + 1 != self.params.get("steps"):
            self._check(self._epoch, batch + 1)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """End the span of an epoch; save or pause, where it is time."""
        self._session.leave("epoch")
        self._session.log(logs)
        if epoch + 1 != self.params.get("epochs"):
            self._check(epoch + 1, 0)

    def on_test_begin(self, logs: Any = None) -> None:
        """Begin the span of an evaluation."""
        if self._session.is_begun:
            self._session.enter("evaluation")

    def on_test_end(self, logs: Any = None) -> None:
        """End the span of an evaluation."""
        self._session.leave("evaluation")

    def on_train_end(self, logs: Any = None) -> None:
        """End the run."""
        self.model._initial_epoch = None
        self._session.end()
        self._is_over = True

    def _check(self, epoch: int, done: int) -> None:
        path = self.path
        if path is None:
            return
        told = self._session.verdict()
        if told == GO_ON:
            return
        kept = self._session.save(lambda: self._write(path, epoch, done))
        if kept and told == PAUSE:
            self._session.pause()

    def _write(self, path: Path, epoch: int, done: int) -> None:
        if self._session.ranks.rank != 0:
            return
        place = {"version": VERSION, "epoch": epoch, "done": done}
        meta = place | {"start": self._start, "now": random_states.states()}
        text = json.dumps(meta, default=lambda one: one.tolist()).encode()
        arrays: dict[str, Any] = {META: np.frombuffer(text, dtype=np.uint8)}
        for kind, variables in self._variables().items():
            arrays |= {f"{kind}.{index}": self._array(one) for index, one in enumerate(variables)}

        def write(draft: Path) -> None:
            with draft.open("wb") as file:
                np.savez(file, **arrays)

        files.written(path, write)

    def _array(self, variable: Any) -> np.ndarray[Any, Any]:
        made: np.ndarray[Any, Any] = np.asarray(self._keras.ops.convert_to_numpy(variable))
        # NumPy has no bfloat16
        return made if made.dtype.kind in "biufc" else made.astype(np.float32)

    def _variables(self) -> dict[str, list[Any]]:
        optimiser = getattr(self.model, "optimizer", None)
        return {
            "model": self.model.variables,
            "optimizer": [] if optimiser is None else optimiser.variables,
            "metrics": self.model.metrics_variables,
        }

    def _load(self, path: Path) -> None:
        """Put the states back; the random numbers and metrics wait for their batch.

        Raises:
            RecordError: The checkpoint cannot be read, or is of another model.
        """
        found = files.present(path)
        if found is None:
            warn(f"nothing was saved in {path}: the training begins anew")
            return
        with self._session.run.span("restore"):
            meta, arrays = _read(found)
            known = self._variables()
            saved = {kind: [arrays[f"{kind}.{i}"] for i in range(_count(arrays, kind))] for kind in known}
            for kind in ("model", "optimizer"):
                if [one.shape for one in saved[kind]] != [tuple(one.shape) for one in known[kind]]:
                    raise RecordError(f"{path} is of another {kind}: delete it to begin anew")
                _assign(known[kind], saved[kind])
        self._held = meta | {"metrics": saved["metrics"]}


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a checkpoint says of its place, and its arrays.

    Raises:
        RecordError: It cannot be read, or is of something else.
    """
    try:
        with np.load(path) as held:
            meta = json.loads(held[META].tobytes())
            arrays = {name: held[name] for name in held.files}
    except UNREADABLE as err:
        raise RecordError(f"{path} cannot be read ({err}): delete it to begin anew") from err
    if not isinstance(meta, dict) or meta.get("version") != VERSION:
        raise RecordError(f"{path} is no checkpoint of sootprint.callbacks.keras: name another file")
    return meta, arrays


def _count(arrays: dict[str, Any], kind: str) -> int:
    return sum(name.startswith(f"{kind}.") for name in arrays)


def _assign(variables: list[Any], arrays: list[Any]) -> None:
    for variable, array in zip(variables, arrays, strict=False):
        variable.assign(array)


def _skip(_: Any) -> dict[str, float]:
    """What a batch that was done before the pause gives."""
    return {}
