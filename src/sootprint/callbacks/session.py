"""One training as all frameworks share it: its run, its spans, and what it does between two steps."""

from __future__ import annotations

import contextlib
import logging
import pickle
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NoReturn

from sootprint.callbacks import ranks
from sootprint.tracker import Run
from sootprint.tracker.pausing import PAUSED, pause_requested

GO_ON, SAVE, PAUSE = 0, 1, 2
EVERY_S = 600.0  # between two saves in the middle of a training, unless stated
MEET_S = 0.5  # between two meetings of the ranks
MOST_STEPS = 10_000  # between two of them
SHARE = 20.0  # a save in the middle is followed by training for so many times its length
UNWRITTEN = (OSError, RuntimeError, pickle.PicklingError)  # of a full disk or a strange state


class Paused(SystemExit):
    """The end of a training that has saved and will be resumed: exit code 75."""

    def __init__(self) -> None:
        super().__init__(PAUSED)


class Session:
    """One training.

    Args:
        run: Run to measure it with; one of its own where None.
        settings: Settings of the own run, e.g. `{"zone": "FR"}`.
        pausable: Whether it can save, and so pause.
        every_s: Time between two saves in the middle of the training, or None for no such saves [s].
    """

    def __init__(
        self,
        run: Run | None = None,
        settings: Mapping[str, Any] | None = None,
        *,
        pausable: bool = False,
        every_s: float | None = None,
    ) -> None:
        self.run = Run(**(settings or {})) if run is None else run
        self.ranks = ranks.Ranks()
        self._pausable, self._every_s = pausable, every_s
        self._owned, self._begun = False, False
        self._open: dict[str, AbstractContextManager[Any]] = {}
        self._steps, self._ahead, self._looked_s = 1, 1, 0.0
        self._save_at_s = float("inf")

    def begin(self) -> None:
        """Start to measure, and find the other ranks; a second time changes nothing."""
        if self._begun:
            return
        self._begun = True
        self.ranks = ranks.found()
        if self.run.id is None:
            self._owned = True
            _end_left_over(self)
            self.run.start()
        self._looked_s = time.monotonic()
        if self._every_s is not None:
            self._save_at_s = self._looked_s + self._every_s

    def end(self) -> None:
        """End the spans, and the run where it was started here."""
        for name in list(self._open):
            self.leave(name)
        if self._owned:
            self.run.stop()

    def enter(self, name: str, *, total: float | None = None) -> None:
        """Begin a span; one of the same name that is open ends."""
        self.leave(name)
        self._open[name] = self.run.span(name, total=total)
        self._open[name].__enter__()

    def leave(self, name: str) -> None:
        """End a span, where it is open."""
        span = self._open.pop(name, None)
        if span is not None:
            span.__exit__(None, None, None)

    def is_open(self, name: str) -> bool:
        """Whether a span is open."""
        return name in self._open

    @property
    def is_begun(self) -> bool:
        """Whether the training has begun."""
        return self._begun

    def ready(self) -> None:
        """Note that the next step is the first: what was saved is loaded, and from now on it may be paused."""
        if self._pausable:
            pause_requested()

    def log(self, metrics: Mapping[str, Any] | None) -> None:
        """Note the metrics that are numbers, at the energy spent so far."""
        for name, value in (metrics or {}).items():
            if hasattr(value, "__float__") and getattr(value, "numel", int)() in (0, 1):
                self.run.log(name, value)

    def verdict(self) -> int:
        """What all ranks do after this step: GO_ON, SAVE or PAUSE; ask it once a step."""
        self._steps -= 1
        return GO_ON if self._steps > 0 else self._look()

    def _look(self) -> int:
        now_s = time.monotonic()
        told = GO_ON
        if self._pausable and pause_requested():
            told = PAUSE
        elif now_s >= self._save_at_s:
            told = SAVE
        self._steps = 1
        if self.ranks.size > 1:
            step_s = (now_s - self._looked_s) / self._ahead
            most = min(2 * self._ahead, MOST_STEPS)
            ahead = min(most, max(1, int(MEET_S / step_s))) if step_s > 0.0 else most
            told, self._steps = self.ranks.told(told, ahead)
            self._ahead, self._looked_s = self._steps, now_s
        return told

    def save(self, write: Callable[[], object]) -> bool:
        """Whether a checkpoint was written; where it could not be, the training goes on and is not paused.

        Args:
            write: Writes it, called on every rank.
        """
        began_s, kept = time.monotonic(), 1
        self.enter("checkpoint")
        try:
            write()
        except UNWRITTEN as err:
            kept = 0
            warn(f"no checkpoint was written, so the training is not paused: {str(err).splitlines()[0]}")
        (kept,) = self.ranks.told(kept)
        self.leave("checkpoint")
        now_s = time.monotonic()
        if self._every_s is not None:
            self._save_at_s = now_s + max(self._every_s, SHARE * (now_s - began_s))
        self._pausable = self._pausable and bool(kept)
        return bool(kept)

    def pause(self) -> NoReturn:
        """End the training, which has saved, with exit code 75.

        Raises:
            Paused: Always.
        """
        self.end()
        with contextlib.suppress(RuntimeError):  # the others have gone already
            self.ranks.told(1)  # a launcher ends the others as soon as one has ended
        raise Paused


class Measured:
    """What the callbacks of all frameworks share: a file of the checkpoint and the session of one training."""

    path: Path | None
    _session: Session

    def _measure(
        self,
        checkpoint: str | Path | None,
        run: Run | None,
        settings: Mapping[str, Any],
        *,
        every_s: float | None,
    ) -> None:
        """Take a session for one training, which may be paused where it has a checkpoint."""
        self.path = None if checkpoint is None else Path(checkpoint)
        self._session = Session(run, settings, pausable=self.path is not None, every_s=every_s)

    @property
    def run(self) -> Run:
        """Run that measures the training."""
        return self._session.run


def warn(text: str) -> None:
    """One line for a person."""
    logging.getLogger("sootprint").warning("%s", text)


def _end_left_over(session: Session) -> None:
    """End the run of a notebook's earlier cell that was interrupted, so that the new one is not a part of it."""
    if _last and _is_notebook():
        _last.pop().end()
    _last[:] = [session]


def _is_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


_last: list[Session] = []
