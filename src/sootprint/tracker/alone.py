"""What a run that reads for itself alone leaves to whoever takes its seat: its journal, which tells its last look.

It writes no board. A note in the reader's lock names its journal instead, so that another run that waited for it goes
on from there: neither is what it was charged charged again, nor is what came after it lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sootprint.core.errors import RecordError
from sootprint.tracker.components import ComponentState
from sootprint.tracker.recorder import Recorder
from sootprint.tracker.registration import boot_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NamedTuple

    from sootprint.tracker.seat import Seat
else:
    from sootprint.core.named import NamedTuple

OLD_S = 60.0  # a look that is older tells of another time, at which nobody who is here may have been here [s]


class Lone(NamedTuple):
    """Last look of a run that was alone.

    Args:
        run: Its identity.
        start_s: Monotonic instant that its times count from [s].
        states: Its components, each with its name at its meter.
    """

    run: str
    start_s: float
    states: list[tuple[str, ComponentState]]

    @property
    def at_s(self) -> float:
        """Monotonic instant of its last reading [s]."""
        return self.start_s + max((state.at_s or 0.0 for _, state in self.states), default=0.0)


def note(seat: Seat, recorder: Recorder, run: str, procfs: str) -> int:
    """Tell whoever takes the seat next where a run's journal is; its number of components.

    One without a journal leaves nothing when it is killed, so that nobody was charged.

    Args:
        seat: Its seat.
        recorder: Its lines.
        run: Its identity.
        procfs: Root of the process tree.
    """
    if recorder.journal is not None:
        names = [[state.meter, source, state.component] for source, state in recorder.states()]
        path = str(recorder.journal.path.absolute())
        told = {"run": run, "boot": boot_of(procfs), "journal": path, "start_s": recorder.start_s}
        seat.note(told | {"names": names})
    return recorder.added


def left_by(note: Mapping[str, Any] | None, boot: str, now_s: float) -> tuple[Lone | None, bool]:
    """Where to go on from, and whether somebody may have been charged of whom nothing is told.

    Args:
        note: Of the run that read before; empty where nobody was charged, None where its board tells.
        boot: Identity of this boot.
        now_s: Instant on the monotonic clock [s].
    """
    if note is None or not note or note.get("boot") != boot:
        return None, note is None
    from sootprint.tracker.replay import NothingWrittenError, replay

    try:
        fold = replay(Path(note["journal"]), skip_unreadable=True)
        known = {(state.meter, state.component): state for state in fold.states if state.at_s is not None}
        pairs = [(source, known.get((meter, name))) for meter, source, name in note["names"]]
        lone = Lone(str(note["run"]), float(note["start_s"]), [(one, has) for one, has in pairs if has])
    except NothingWrittenError:
        return None, False
    except (RecordError, OSError, KeyError, TypeError, ValueError):
        return None, True
    if fold.head.get("shared") or fold.ended or not 0.0 <= now_s - lone.at_s <= OLD_S:
        return None, True
    return lone, False
