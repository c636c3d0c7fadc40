"""Transformers: a callback that measures a `Trainer.train`, pauses it between two steps, and makes it go on exactly."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from sootprint.callbacks import files
from sootprint.callbacks.framework import base, needed
from sootprint.callbacks.session import PAUSE, Measured, Session, warn
from sootprint.core.errors import InputError
from sootprint.tracker import Run
from sootprint.tracker.pausing import is_resumed

MARK = "sootprint.json"  # in a checkpoint that is whole
Base: Any = base("TrainerCallback", "transformers")


class SootprintCallback(Measured, Base):  # type: ignore[misc]
    """A callback of the Trainer of Transformers: measures, saves, pauses.

    `trainer.train(resume_from_checkpoint=callback.resume_from)` goes on where it paused, from the newest checkpoint
    in the output folder that is whole. The Trainer itself saves weights, optimiser, scheduler and random numbers.

    Args:
        pausable: Whether the training may be paused.
        run: Run to measure with; one of its own where None.
        settings: Settings of the own run, e.g. `zone="FR"`.

    Raises:
        MissingExtraError: Transformers is not installed.
    """

    def __init__(self, *, pausable: bool = True, run: Run | None = None, **settings: Any) -> None:
        needed("transformers", package="transformers accelerate")
        super().__init__()
        self._pausable, self._pausing = pausable, False
        self._anew = functools.partial(Session, run, settings)
        self._session = self._anew(pausable=pausable)
        self._is_over = False
        self._folder: Path | None = None
        self._total: float | None = None

    @property
    def resume_from(self) -> str | None:
        """Newest whole checkpoint, for `resume_from_checkpoint`; None where the training begins anew.

        Raises:
            InputError: No Trainer was made with this callback yet.
        """
        if self._folder is None:
            raise InputError(
                "make the Trainer with callbacks=[callback] before you ask for callback.resume_from"
            )
        if not is_resumed():
            return None
        whole = {_step(one.parent): one.parent for one in self._folder.glob(f"checkpoint-*/{MARK}")}
        if not whole:
            warn(f"no whole checkpoint is in {self._folder}: the training begins anew")
        return str(whole[max(whole)]) if whole else None

    def on_init_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Note where the Trainer saves."""
        self._folder = Path(args.output_dir)
        if self._pausable and args.save_only_model:
            self._pausable = False
            warn("save_only_model=True leaves out the optimiser: the training is not paused")

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start to measure, each training by itself."""
        if self._is_over:
            self._session = self._anew(pausable=self._pausable)
        self._is_over = False
        self._session.begin()
        self._total = max(1.0, state.num_train_epochs - int(state.epoch or 0.0))
        if self._pausable:
            self._session.ready()

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin the span of an epoch."""
        self._session.enter("epoch", total=self._total)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:
        """Ask for a checkpoint, where it is time to pause; after the last step of an epoch its end is waited for."""
        if self._pausable and state.epoch != int(state.epoch):
            self._check(control)
        self._begin_next(control)
        return control

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:
        """End the span of an epoch; ask for a checkpoint, where it is time to pause."""
        self._session.leave("epoch")
        if self._pausable and not self._pausing and state.global_step < state.max_steps:
            self._check(control)
        self._begin_next(control)
        return control

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """End the span of an evaluation."""
        self._session.leave("evaluation")
        self._begin_next(control, evaluated=True)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Note the metrics."""
        self._session.log(logs)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Mark a checkpoint as whole, and pause where that was asked for."""
        saved = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        kept = self._session.save(lambda: self._mark(saved, state.global_step))
        if kept and self._pausing:
            self._session.pause()
        self._pausing = False

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """End the run."""
        self._session.end()
        self._is_over = True

    def _check(self, control: Any) -> None:
        if self._session.verdict() == PAUSE:
            self._pausing = control.should_save = control.should_log = True

    def _begin_next(self, control: Any, *, evaluated: bool = False) -> None:
        """Begin the span of what the Trainer does next."""
        if control.should_evaluate and not evaluated:
            self._session.enter("evaluation")
        elif control.should_save:
            self._session.enter("checkpoint")

    def _mark(self, saved: Path, step: int) -> None:
        """Say that a checkpoint is whole, once all of it is on the disk; rank 0 does, after the others have saved."""
        self._session.ranks.told(1)
        if self._session.ranks.rank == 0:
            files.forced(saved)
            files.written(saved / MARK, lambda draft: draft.write_text(json.dumps({"step": step})))


def _step(folder: Path) -> int:
    number = folder.name.rpartition("-")[2]
    return int(number) if number.isdecimal() else -1
