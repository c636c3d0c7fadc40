"""What waits in the outboxes, sent to all places at once, within a bound, and told for a person.

Whatever a place does, an error of its library, an answer that does not come, the records it has not taken wait on.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sootprint.core import registry
from sootprint.core.errors import ExportError, MissingExtraError, RecordError, RefusedError, SootprintError
from sootprint.core.letters import in_a_line
from sootprint.core.records import Footprint
from sootprint.exporters import GROUP, opened
from sootprint.exporters.outbox import Outbox
from sootprint.ledger import Ledger
from sootprint.tracker.journal import SUFFIX, is_live
from sootprint.tracker.recover import recover
from sootprint.tracker.sampler import guarded

if TYPE_CHECKING:
    from sootprint.core.protocols import Exporter
    from sootprint.settings import Settings

LIMIT_S = 120.0  # for all places: a package may load for seconds, and a server be far
LOCK_S = 20.0  # for another process that sends to the same place
OPEN_S = 30.0  # for a package that loads
MOST_FAILED = 2  # records in a row, after which a place is taken to be away
MOST_LETTERS = 400  # of what a place says


@dataclass(slots=True)
class Sent:
    """What became of the records that waited for one place.

    Args:
        place: The place, as the settings name it.
        delivered: Records that it has now [1].
        refused: Records that it will not take: file and reason.
        failed: Why others wait on, or None.
        waiting: Records that wait on [1].
        is_stuck: Whether the attempt goes on, and may keep this process from its end.
    """

    place: str
    delivered: int = 0
    refused: list[tuple[Path, str]] = field(default_factory=list)
    failed: str | None = None
    waiting: int = 0
    is_stuck: bool = False

    def fail(self, text: str) -> None:
        """Note why others wait on: the first reason counts."""
        self.failed = self.failed or in_a_line(text, MOST_LETTERS)

    def as_json(self) -> dict[str, Any]:
        """What it tells other programs."""
        return {
            "place": self.place,
            "delivered": self.delivered,
            "refused": [{"file": str(path), "error": why} for path, why in self.refused],
            "failed": self.failed,
            "waiting": self.waiting,
        }


def send(places: Sequence[str], settings: Settings, *, limit_s: float = LIMIT_S) -> list[Sent]:
    """What became of all that waits for some places, after at most `limit_s` [s]; no error of theirs is raised."""
    told = [Sent(place) for place in places]
    threads = [
        threading.Thread(target=_send_all, args=(one, settings), name=f"export {one.place}", daemon=True)
        for one in told
    ]
    for thread in threads:
        thread.start()
    until_s = time.monotonic() + limit_s
    for one, thread in zip(told, threads, strict=True):
        thread.join(max(0.0, until_s - time.monotonic()))
        one.is_stuck = thread.is_alive()
        if one.is_stuck:
            one.failed = f"it has not come to an end within {limit_s:.0f} s"
        one.waiting = len(Outbox(settings.home, one.place).waiting())
    return told


def lines(told: Mapping[str, Any]) -> Iterator[tuple[bool, str]]:
    """Lines about what became of the records of one place, as `Sent.as_json` tells it, and whether each is good."""
    place, count = told["place"], told["delivered"]
    if count:
        yield True, f"{count} record{'s' * (count > 1)} in {place}"
    for one in told["refused"]:
        yield False, f"{place} refused a record, which is put aside in {one['file']}: {one['error']}"
    if told["failed"]:
        waits = told["waiting"]
        many = (
            f"{waits} records wait" if waits > 1 else "the record waits" if waits else "nothing waits for it"
        )
        more = ", and `sootprint export` sends what waits" if waits else ""
        yield False, f"{place}: {told['failed']}; {many}{more}"


def promised(box: Outbox, say: Callable[[str], object]) -> Iterator[Footprint]:
    """Records of runs that were to be sent at their end and were not; what is still measured comes later.

    Args:
        box: Where they were promised.
        say: Called with one line for a person.
    """
    for key in box.promised():
        journal = box.home / "journal" / f"{key}{SUFFIX}"
        if journal.exists() and is_live(journal):
            continue
        try:
            if journal.exists():
                recover(journal)
            with Ledger(box.home) as ledger:
                yield ledger.get(key)
        except RecordError as err:
            if journal.exists():
                say(f"run {key} is not sent: {err}")
            else:
                box.keep_promise(key)  # it left nothing that could be sent


def present(place: str, settings: Settings) -> None:
    """Nothing where a place may be used, as far as it is known without code of other packages, which may hang.

    Raises:
        SootprintError: It cannot be used.
    """
    name = place.partition(":")[0]
    if name in registry.names(GROUP):
        usable(place, settings)
    else:
        registry.offered(GROUP, name)


def usable(place: str, settings: Settings) -> None:
    """Nothing where a place can be used.

    Raises:
        MissingExtraError: Its exporter is of another package, and raises, hangs or ends the program.
        SootprintError: It cannot be used.
    """
    told: list[SootprintError] = []
    thread = threading.Thread(target=_look, args=(place, settings, told.append), daemon=True)
    thread.start()
    thread.join(OPEN_S)
    if thread.is_alive():
        raise MissingExtraError(f"{place} is not ready within {OPEN_S:.0f} s")
    if told:
        raise told[0]


def _look(place: str, settings: Settings, failed: Callable[[SootprintError], object]) -> None:
    def look() -> None:
        try:
            getattr(_opened(place, settings), "close", _nothing)()
        except SootprintError as err:
            failed(err)

    name = place.partition(":")[0]
    guarded(
        look,
        lambda text: failed(MissingExtraError(in_a_line(f"the exporter {name} does not work: {text}"))),
    )


def _opened(place: str, settings: Settings) -> Exporter:
    try:
        return opened(place, settings)
    except SystemExit as err:
        name = place.partition(":")[0]
        raise MissingExtraError(f"the exporter {name} does not work: it ends the program ({err})") from None


def _send_all(sent: Sent, settings: Settings) -> None:
    """Send all that waits for one place; what its exporter raises is told."""
    box = Outbox(settings.home, sent.place)
    if box.waiting():
        guarded(functools.partial(_send, box, sent, settings), sent.fail)


def _send(box: Outbox, sent: Sent, settings: Settings) -> None:
    """Send each record once: the oldest first, after one that failed the newest first, until two in a row fail.

    So a record that alone is not taken, as for a run of MLflow that was deleted, holds up no other one, and a place
    that is away is asked twice.
    """
    seen: set[Path] = set()
    in_a_row = 0
    with box.sending(LOCK_S), contextlib.ExitStack() as stack:
        exporter = _opened(sent.place, settings)
        stack.callback(getattr(exporter, "close", _nothing))
        while in_a_row < MOST_FAILED and (left := [path for path in box.waiting() if path not in seen]):
            seen.update(left)
            while left and in_a_row < MOST_FAILED:
                path = left.pop(-1 if sent.failed else 0)
                went = guarded(functools.partial(_send_one, path, box, sent, exporter), sent.fail)
                in_a_row = 0 if went else in_a_row + 1


def _send_one(path: Path, box: Outbox, sent: Sent, exporter: Exporter) -> None:
    try:
        record = _record(path)
        if record is None:
            return  # another process has sent it
        exporter.write(record)
    except RefusedError as err:
        why = in_a_line(str(err), MOST_LETTERS)
        sent.refused.append((box.refuse(path, why), why))
        return
    except SystemExit as err:
        raise ExportError(f"its exporter ends the program ({err})") from None
    box.done(path)
    sent.delivered += 1


def _record(path: Path) -> Footprint | None:
    """Record in a file of the outbox, None where it has gone.

    Raises:
        RefusedError: The file holds none.
    """
    try:
        return Footprint.from_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except RecordError as err:
        raise RefusedError(f"it cannot be read: {err}") from err


def _nothing() -> None:
    """Close of an exporter that has none."""
