"""Records of segments that ended in another place and did not come in time: asked for again, each until it is here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from sootprint.core.errors import RecordError, SootprintError
from sootprint.engines.book import Book, State, books
from sootprint.engines.shell import UnreachableError
from sootprint.engines.ssh import SshEngine
from sootprint.ledger import Ledger
from sootprint.runner.roaming import Roaming, segment_of
from sootprint.runner.saved import TAG
from sootprint.settings.targets import Target

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.settings import Settings


class Asked(NamedTuple):
    """What became of the question for missing records.

    Args:
        fetched: Records that are here now.
        missing: A line for each that is not.
        failed: What else went wrong, by plan.
    """

    fetched: list[Footprint]
    missing: list[str]
    failed: list[SootprintError]


def asked(settings: Settings, say: Callable[[str], object]) -> Asked:
    """What became of the records of all ended plans that other places still hold; none is fetched twice.

    A record that was fetched once and deleted here stays deleted. What the plan saved is counted again with what came.
    A book that cannot be read is passed over: `resume.left_alone` says so.

    Args:
        settings: Settings of this machine.
        say: Called with one line for a person.
    """
    made = Asked([], [], [])
    for book in books(settings.home):
        try:
            state = book.state()
        except RecordError:
            continue
        try:
            _ask(book, state, settings, say, made)
        except SootprintError as err:
            made.failed.append(err)
        except OSError as err:
            made.failed.append(RecordError(f"plan {book.folder.name}: {err.strerror or err}"))
    return made


def _ask(book: Book, state: State, settings: Settings, say: Callable[[str], object], made: Asked) -> None:
    """Ask for what one plan lacks, and add what became of it."""
    wanted = _wanted(book, state, settings)
    if not wanted or not book.take():
        return  # nothing lacks, or its driver waits for it
    try:
        came = [number for number, target in wanted if _came(book, number, target, made.missing)]
        if came:
            made.fetched.extend(_records(book.folder.name, settings, came))
            Roaming(book, settings, say).complete()
    finally:
        book.release()


def _wanted(book: Book, state: State, settings: Settings) -> list[tuple[int, Target]]:
    """Numbers and places of the ended segments of an ended plan whose record was never here."""
    targets = {one.name: one for one in (Target(**table) for table in state.plan.targets) if one.is_remote}
    if state.result is None or not targets:
        return []
    had = {line["segment"] for line in book.lines() if line["k"] == "fetched"}
    ended = [one for one in state.segments if one.code is not None and one.target in targets]
    lacking = [one for one in ended if one.number not in had]
    if lacking:
        had |= {number for number, _ in _kept(state.plan.id, settings)}
    return [(one.number, targets[one.target]) for one in lacking if one.number not in had]


def _came(book: Book, number: int, target: Target, missing: list[str]) -> bool:
    """Whether a record is here now; if not, why is added to the lines."""
    what = f"the record of segment {number} of plan {book.folder.name} is still missing"
    try:
        if SshEngine(target).fetch_record(book, number):
            return True
        missing.append(f"{what}: target {target.name} has none, or it cannot be kept here")
    except UnreachableError as err:
        missing.append(f"{what}: {err}; `sootprint recover` asks again")
    return False


def _records(plan: str, settings: Settings, numbers: list[int]) -> list[Footprint]:
    return [record for number, record in _kept(plan, settings) if number in numbers]


def _kept(plan: str, settings: Settings) -> Iterator[tuple[int, Footprint]]:
    """Numbers and records of a plan's segments that are in the ledger."""
    try:
        with Ledger(settings.home) as ledger:
            found = [ledger.get(row.id) for row in ledger.runs() if row.tags.get(TAG) == plan]
    except RecordError as err:
        raise RecordError(f"which records are missing is not known: {err}") from err
    for record in found:
        number = segment_of(record, plan)
        if number is not None:
            yield number, record
