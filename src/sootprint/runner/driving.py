"""The driver of a plan, as its book asks for: of this machine, of several places, or of a queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sootprint.engines.local import LocalEngine
from sootprint.runner.driver import Driver
from sootprint.runner.outlook import Outlook
from sootprint.runner.queued import Queued
from sootprint.runner.roaming import OutlookOf, Roaming

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.engines.book import Book
    from sootprint.settings import Settings


def driven(
    book: Book,
    settings: Settings,
    say: Callable[[str], object],
    *,
    outlook_of: OutlookOf = Outlook,
    on_finish: Callable[[Footprint], object] | None = None,
) -> int:
    """Exit code of a plan's job, once it has ended.

    Args:
        book: The plan's book, of which this process is the driver.
        settings: Settings of this machine.
        say: Called with one line for a person.
        outlook_of: Makes what tells the hours ahead, of a plan and of each of its places.
        on_finish: Called with the last record of a job that ended on another machine.

    Raises:
        RecordError: The book cannot be read.
    """
    plan = book.state().plan
    outlook = outlook_of(plan, settings, say)
    if plan.queue:
        return Queued(book, outlook, say=say).drive()
    roaming = None
    if plan.targets:
        roaming = Roaming(book, settings, say, outlook_of=outlook_of, on_finish=on_finish)
    return Driver(book, LocalEngine(), outlook, say=say, roaming=roaming).drive()
