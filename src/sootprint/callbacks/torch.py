"""Plain PyTorch: three lines in a training loop that make it measured, pausable and exactly resumable."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from sootprint.callbacks import files, random_states
from sootprint.callbacks.framework import needed
from sootprint.callbacks.session import EVERY_S, GO_ON, PAUSE, Session, warn
from sootprint.core.errors import InputError, RecordError
from sootprint.tracker import Run
from sootprint.tracker.pausing import is_resumed

VERSION = 1
UNREADABLE = (OSError, RuntimeError, EOFError, pickle.UnpicklingError)


class Training:
    """A training loop that is measured, and that goes on exactly where it paused.

    With `SOOTPRINT_RESUME=1` and a checkpoint it is loaded here, so make it when its parts are complete: on their
    devices and wrapped. All ranks make it; rank 0 writes, one file for all.

    Args:
        checkpoint: File of the checkpoint.
        run: Run to measure with, e.g. `sootprint.track("digits", zone="FR")`; one of its own where None.
        every_s: Time between two saves in the middle of the training, or None for no such saves [s].
        trusted: Whether a checkpoint may hold any Python object; loading runs code of who wrote it.
        parts: What has `state_dict` and `load_state_dict`: model, optimiser, scheduler, scaler, ...

    Raises:
        MissingExtraError: PyTorch is not installed.
        InputError: A part has no state.
        RecordError: The checkpoint cannot be read, or is of another training.
    """

    def __init__(
        self,
        checkpoint: str | Path,
        *,
        run: Run | None = None,
        every_s: float | None = EVERY_S,
        trusted: bool = False,
        **parts: Any,
    ) -> None:
        self._torch = needed("torch", package="torch")
        for name, part in parts.items():
            if not (hasattr(part, "state_dict") and hasattr(part, "load_state_dict")):
                raise InputError(
                    f"{name} is a {type(part).__name__}: a part has state_dict and load_state_dict"
                )
        self.path = Path(checkpoint)
        self.values: dict[str, Any] = {}
        self.epoch = 0
        self._parts, self._trusted, self._warned = parts, trusted, False
        self._session = Session(run, pausable=True, every_s=every_s)
        self._session.begin()
        self._loop, self._done = 0, 0
        self._begin: dict[str, Any] = {}  # random states at the start of the epoch
        self._start: dict[str, Any] | None = None  # random states at the start of the loop over batches
        self._generators: list[Any] = []
        self._held: dict[str, Any] | None = self._loaded() if is_resumed() else None

    @property
    def run(self) -> Run:
        """Run that measures it."""
        return self._session.run

    def epochs(self, total: int) -> Iterator[int]:
        """Epochs that are left, each a span; the run ends after the last one.

        Args:
            total: Number of epochs of the whole training.
        """
        first = self.epoch
        try:
            while self.epoch < total:
                self._session.enter("epoch", total=total - first)
                self._begin_epoch()
                yield self.epoch
                self._session.leave("epoch")
                self.epoch += 1
                if self.epoch < total:
                    self._begin_epoch()
                    self._check()
        finally:
            self._session.end()

    def _begin_epoch(self) -> None:
        """Note, or put back, the random numbers of an epoch's start."""
        self._loop, self._done, self._start = 0, 0, None
        if self._held is None:
            self._begin = random_states.states()
        elif self._held["epoch"] == self.epoch:
            self._begin = self._held["begin"]
            random_states.restore(self._begin)
            if self._held["start"] is None and self._held["loop"] == 0:
                self._go_on()  # saved between two epochs
        else:  # saved after the last loop of the epoch
            self._go_on()
            self._begin = random_states.states()

    def batches(self, loader: Iterable[Any]) -> Iterator[Any]:
        """Batches of a loader that were not done yet; between two of them the training saves or pauses.

        After the last one it waits for the end of the epoch, so that what follows the loop finds its last batch.

        Args:
            loader: A `DataLoader`, or what gives the same batches again from the same random numbers.
        """
        if self._held is not None and self._loop < self._held["loop"]:
            self._loop += 1
            return  # it was done before the pause
        set_epoch = getattr(getattr(loader, "sampler", None), "set_epoch", None)
        if set_epoch is not None:
            set_epoch(self.epoch)
        self._generators = random_states.generators_of(loader)
        if self._held is None:
            self._start, self._done = random_states.states(self._generators), 0
            iterator = iter(loader)
        else:
            iterator = self._skipped(loader, self._held)
        number = _length(loader)
        self._session.ready()
        try:
            for batch in iterator:
                yield batch
                self._done += 1
                if self._done != number:
                    self._check()
        finally:
            self._loop, self._done, self._start = self._loop + 1, 0, None

    def log(self, metric: str, value: float) -> None:
        """Note a metric's value at the energy spent so far."""
        self.run.log(metric, value)

    def span(self, name: str) -> AbstractContextManager[Any]:
        """Context of a named part, e.g. "evaluation"."""
        return self.run.span(name)

    def save(self) -> bool:
        """Whether a checkpoint was written now; call it on all ranks."""
        return self._session.save(self._write)

    def _check(self) -> None:
        told = self._session.verdict()
        if told != GO_ON and self.save() and told == PAUSE:
            self._session.pause()

    def _write(self) -> None:
        own = {"begin": self._begin, "start": self._start, "now": random_states.states(self._generators)}
        ranks = self._session.ranks.gathered(own)
        if self._session.ranks.rank != 0:
            return
        parts = {name: part.state_dict() for name, part in self._parts.items()}
        place = {"epoch": self.epoch, "loop": self._loop, "done": self._done, "values": self.values}
        whole = {"version": VERSION, "parts": parts, "ranks": ranks, **place}
        files.written(self.path, lambda draft: self._torch.save(whole, draft))
        if not self._trusted and not self._warned and (found := self._unsafe()):
            self._warned = True
            warn(f"{self.path} holds {found}: only Training(..., trusted=True) will load it")

    def _loaded(self) -> dict[str, Any] | None:
        """What the checkpoint holds beside the parts, which have their states back; None where there is none."""
        if files.present(self.path) is None:
            warn(f"nothing was saved in {self.path}: the training begins anew")
            return None
        with self.run.span("restore"):
            held = self._read()
            size = self._session.ranks.size
            if len(held["ranks"]) != size:
                raise RecordError(
                    f"{self.path} was saved by {len(held['ranks'])} processes and {size} resume it: start as many"
                )
            if held["parts"].keys() != self._parts.keys():
                names = ", ".join(held["parts"]), ", ".join(self._parts)
                raise RecordError(f"{self.path} holds {names[0]}, the training has {names[1]}: name the same")
            for name, part in self._parts.items():
                part.load_state_dict(held["parts"].pop(name))
        self.epoch, self.values = held["epoch"], held["values"]
        own: dict[str, Any] = held["ranks"][self._session.ranks.rank]
        return held | own

    def _read(self) -> dict[str, Any]:
        try:
            if not self._trusted and (found := self._unsafe()):
                raise RecordError(
                    f"{self.path} holds {found}, whose loading runs code: pass trusted=True if you wrote it"
                )
            held = self._torch.load(self.path, map_location="cpu", weights_only=not self._trusted)
        except UNREADABLE as err:
            raise RecordError(
                f"{self.path} cannot be read ({str(err).splitlines()[0]}): delete it to begin anew"
            ) from err
        if not isinstance(held, dict) or held.get("version") != VERSION:
            raise RecordError(f"{self.path} is no checkpoint of sootprint.callbacks.torch: name another file")
        return held

    def _unsafe(self) -> str:
        """Names in the checkpoint whose loading would run code, or ""."""
        return ", ".join(self._torch.serialization.get_unsafe_globals_in_checkpoint(self.path))

    def _skipped(self, loader: Iterable[Any], held: dict[str, Any]) -> Iterator[Any]:
        """Iterator of a loader at the batch after the last one done, with the random numbers of that moment."""
        self._start, self._done = held["start"], held["done"]
        if self._start is None:  # it was saved before this loop
            self._go_on()
            self._start = random_states.states(self._generators)
            return iter(loader)
        random_states.restore(self._start, self._generators)
        iterator = iter(loader)
        for _ in range(self._done):
            next(iterator, None)
        self._go_on()
        return iterator

    def _go_on(self) -> None:
        """Put the random numbers back to those of the pause."""
        if self._held is not None:
            random_states.restore(self._held["now"], self._generators)
            self._held = None


def _length(loader: Any) -> int | None:
    """Number of batches, where the loader knows it."""
    try:
        return len(loader)
    except TypeError:  # of an iterable data set
        return None
