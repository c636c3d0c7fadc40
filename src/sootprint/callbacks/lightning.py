"""Lightning: a callback that measures a `Trainer.fit`, pauses it between two batches, and makes it go on exactly."""

from __future__ import annotations

import functools
import warnings
from pathlib import Path
from typing import Any

from sootprint.callbacks import files, random_states
from sootprint.callbacks.framework import base, needed
from sootprint.callbacks.session import EVERY_S, GO_ON, PAUSE, Measured, warn
from sootprint.tracker import Run
from sootprint.tracker.pausing import is_planned, is_resumed, listen

MODULES = ("lightning.pytorch", "pytorch_lightning")
Base: Any = base("Callback", *MODULES)


class SootprintCallback(Measured, Base):  # type: ignore[misc]
    """A callback of Lightning's Trainer: measures, saves, pauses.

    `trainer.fit(model, loader, ckpt_path=callback.resume_from)` goes on where it paused. Beside what Lightning saves,
    the checkpoint holds the random numbers of all ranks and the place in the data.

    Args:
        checkpoint: File of the checkpoint; None measures without pausing.
        run: Run to measure with; one of its own where None.
        every_s: Time between two saves in the middle of the training, or None for no such saves [s].
        settings: Settings of the own run, e.g. `zone="FR"`.

    Raises:
        MissingExtraError: Lightning is not installed.
    """

    def __init__(
        self,
        checkpoint: str | Path | None = None,
        *,
        run: Run | None = None,
        every_s: float | None = EVERY_S,
        **settings: Any,
    ) -> None:
        needed(*MODULES, package="lightning")
        super().__init__()
        self._anew = functools.partial(self._measure, checkpoint, run, settings, every_s=every_s)
        self._anew()
        self._is_over = False
        self._total: int | None = None
        self._data: Any = None
        self._saved: dict[str, Any] = {}

    @property
    def resume_from(self) -> str | None:
        """Checkpoint to go on from, for `ckpt_path`; None where the training begins anew."""
        if self.path is None or not is_resumed():
            return None
        found = files.present(self.path)
        if found is None:
            warn(f"nothing was saved in {self.path}: the training begins anew")
        return None if found is None else str(found)

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Start to measure, each fit by itself, before the model and the data are set up."""
        if stage != "fit":
            return
        if self._is_over:
            self._anew()
        self._is_over = False
        self._session.begin()
        if self.path is not None:
            if is_planned():
                listen()  # before Lightning does in a Slurm job, which would requeue it by itself
            self._hold_data(trainer)
            if trainer.ckpt_path is not None or self.resume_from is not None:
                self._session.enter("restore")

    def _hold_data(self, trainer: Any) -> None:
        """Let the training's loaders go through one that can find its place again."""
        source = getattr(trainer.fit_loop, "_data_source", None)
        if source is None:
            warn("this version of Lightning hides its loaders: a pause inside of an epoch is not exact")
            return
        given = source.dataloader
        # It is resumable, by what follows
        warnings.filterwarnings("ignore", message=".*your dataloader is not resumable")

        def held() -> Any:
            self._data = _resumable(given(), self._saved)
            return self._data

        source.dataloader = held

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Note that what was saved is loaded."""
        self._session.leave("restore")
        left = (trainer.max_epochs or -1) - trainer.current_epoch
        self._total = left if left > 0 else None
        self._session.ready()

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin the span of an epoch."""
        self._session.enter("epoch", total=self._total)

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Begin the span of an epoch that goes on in its middle."""
        if not self._session.is_open("epoch"):
            self._session.enter("epoch", total=self._total)

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save or pause, where it is time."""
        if self.path is not None and not _at_bound(trainer, batch_idx + 1):
            self._check(trainer, batch_idx + 1)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """End the span of an epoch; save or pause, where it is time."""
        self._session.leave("epoch")
        self._session.log(trainer.callback_metrics)
        if self.path is not None and trainer.current_epoch + 1 != trainer.max_epochs:
            self._check(trainer, 0)

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin the span of an evaluation."""
        if not trainer.sanity_checking:
            self._session.enter("evaluation")

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """End the span of an evaluation."""
        self._session.leave("evaluation")

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        """End the run."""
        self._session.end()
        self._is_over = True

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """End the run of a training that failed."""
        self._session.end()
        self._is_over = True

    def state_dict(self) -> dict[str, Any]:
        """Random numbers of all ranks and the place in the data, in a checkpoint that is written here."""
        return self._saved

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take them back; the loaders find their place when they are asked first."""
        if len(state_dict.get("ranks", [])) == self._session.ranks.size:
            self._saved.update(state_dict, own=state_dict["ranks"][self._session.ranks.rank])

    def _check(self, trainer: Any, done: int) -> None:
        told = self._session.verdict()
        if told == GO_ON:
            return
        kept = self._session.save(lambda: self._write(trainer, done))
        if kept and told == PAUSE:
            self._session.pause()

    def _write(self, trainer: Any, done: int) -> None:
        """Write the checkpoint; all ranks call it, rank 0 puts it in place."""
        assert self.path is not None
        start = self._data.start if self._data is not None and done else None
        ranks = self._session.ranks
        own = {"start": start, "now": random_states.states(random_states.generators_in(self._data))}
        self._saved = {"ranks": ranks.gathered(own), "done": done}
        draft = files.draft(self.path)
        try:
            trainer.save_checkpoint(draft)
        finally:
            self._saved = {}
        if ranks.rank == 0:
            files.placed(draft, self.path)


def _at_bound(trainer: Any, done: int) -> bool:
    """Whether an evaluation or the end of the epoch follows, which a resumed training would leave out."""
    every = trainer.val_check_batch
    if done >= trainer.num_training_batches:
        return True
    return isinstance(every, int) and (trainer.fit_loop.total_batch_idx + 1) % every == 0


def _resumable(given: Any, saved: dict[str, Any]) -> Any:
    """Loaders that begin where the training paused; those that keep their own place are left as they are.

    Args:
        given: A loader or a collection of loaders.
        saved: What the checkpoint holds, once it is loaded.
    """
    combined = needed(
        "lightning.pytorch.utilities", "pytorch_lightning.utilities", package="lightning"
    ).CombinedLoader
    known = given if isinstance(given, combined) else combined(given, "max_size_cycle")
    if all(hasattr(one, "load_state_dict") for one in known.flattened):
        return given

    class Resumable(combined):  # type: ignore[misc, valid-type]
        """A combined loader that notes the random numbers at its start."""

        start: dict[str, Any] | None = None

        def __iter__(self) -> Any:
            held, generators = saved.get("own"), random_states.generators_in(self)
            if held is not None:
                random_states.restore(held["start"] or held["now"], generators)
            self.start = random_states.states(generators)
            super().__iter__()
            for _ in range(saved["done"] if held is not None else 0):
                super().__next__()
            return self

        def __next__(self) -> Any:
            held = saved.pop("own", None)
            if held is not None and held["start"] is not None:
                random_states.restore(held["now"], random_states.generators_in(self))
            return super().__next__()

    return Resumable(known.iterables, known._mode)
