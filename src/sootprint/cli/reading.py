"""Files of other tools, read and filled in one after the other, with what is to be told of them at the end."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from sootprint.cli import options, shell

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.estimator.filled import Beside
    from sootprint.importers import LeftOut
    from sootprint.importers.base import Names
    from sootprint.importers.folders import Source

MOST_TOLD = 20  # rows left out that are told one by one


class Reading:
    """Files that are read row by row, and what is to be told of them at the end.

    Args:
        beside: What is stated beside the files.
        store_users: Whether users and accounts are kept as they are.

    Raises:
        SootprintError: The settings cannot be read, or a device beside the files is in no table.
    """

    def __init__(self, beside: Beside, *, store_users: bool = False) -> None:
        from sootprint import settings
        from sootprint.estimator.filled import Filling
        from sootprint.importers.sharing import Nodes
        from sootprint.ledger.names import pseudonyms

        self.settings = settings.load()
        kept = ("user", "account") if store_users else ()
        self._names: Names = pseudonyms(self.settings.home, as_written=kept)
        self._filling = Filling(self.settings, beside)
        self.left_out: list[tuple[str, LeftOut]] = []
        self._is_placed = beside.place is not None
        self.records = self._placeless = self._of_world = self._local = self._of_cores = self._unnamed = 0
        self._nodes = Nodes()

    def each(self, files: Iterable[str], form: str | None) -> Iterator[Footprint]:
        """Records of files, filled in where their inputs suffice.

        Raises:
            InputError: A file cannot be read, or holds no record.
        """
        from sootprint.core.errors import InputError
        from sootprint.importers import folders

        for source in folders.sources(list(files), form):
            before, told = self.records, len(self.left_out)
            try:
                yield from self._filled(source)
            except InputError as err:
                if not source.is_found:
                    raise
                self._leave_out(source.name, "all of it", str(err))
            if self.records == before and not source.is_found:
                shell.wrong(f"{source.name} holds no record: {_first(self.left_out[told:])}")
        if not self.records and self.left_out:
            shell.wrong(f"nothing can be used: {self.left_out[0][0]}, {_first(self.left_out)}")

    def _filled(self, source: Source) -> Iterator[Footprint]:
        """Records of a source, filled in; what none can be made of is left out."""
        from sootprint.importers.base import FAULTS

        for where, one in self._of(source):
            try:
                made = one if isinstance(one, str) else self._filling.of(one)
            except FAULTS as err:
                made = str(err)
            if isinstance(made, str):
                self._leave_out(source.name, where, made)
            else:
                self._note(made)
                yield made

    def _of(self, source: Source) -> Iterator[tuple[str, Footprint | str]]:
        """Place and record of each part of a source, or why it became none."""
        from sootprint import importers

        if source.make is not None:
            yield from importers.parts(source.make())
            return
        with _opened(source.file) as text:
            yield from importers.opened(text, name=source.name, form=source.form, names=self._names)

    def _leave_out(self, name: str, where: str, why: str) -> None:
        from sootprint.importers.base import LeftOut

        self.left_out.append((name, LeftOut(where=where, why=why)))

    def _note(self, made: Footprint) -> None:
        from sootprint.estimator.filled import PLACELESS, is_of_world
        from sootprint.importers.base import CORE, UNNAMED
        from sootprint.importers.clocks import LOCAL

        self.records += 1
        bare = made.energy_kwh is None and made.emissions_kg is None and bool(made.hardware)
        self._of_cores += bare and made.hardware[0].name == CORE
        self._unnamed += bare and made.hardware[0].name == UNNAMED
        self._placeless += PLACELESS in made.warnings
        self._of_world += self._is_placed and PLACELESS not in made.warnings and is_of_world(made)
        self._local += LOCAL in made.warnings
        self._nodes.note(made)

    def told(self) -> None:
        """Say on stderr what was left out."""
        told(self.left_out)

    def advise(self) -> None:
        """Say on stderr what was assumed of the records, and which option would tell more of them."""
        from sootprint.core.carbon import OF_THE_WORLD

        asked = (
            (
                self._of_cores,
                'records of cores have no energy: name their processor, e.g. --cpu "EPYC 7763"',
            ),
            (self._unnamed, "records of unnamed accelerators have no energy: e.g. --hardware A100-SXM4-80GB"),
            (self._placeless, f"records tell no place: {OF_THE_WORLD}; state it, e.g. --zone DE"),
            (
                self._of_world,
                "records of Sootprint keep the world's average that they were made with: --zone changes none of them",
            ),
            (self._local, f"records {options.LOCAL_TIMES}"),
        )
        for count, words in asked:
            if count:
                shell.say(f"{count} {words}")
        for line in self._nodes.lines():
            shell.say(line)


def _first(left_out: Sequence[tuple[str, LeftOut]]) -> str:
    """Place and reason of the first part that was left out."""
    return f"{left_out[0][1].where}: {left_out[0][1].why}" if left_out else "it has no rows"


def told(left_out: Sequence[tuple[str, LeftOut]]) -> None:
    """Say on stderr what was left out, and how much more than a few there is."""
    for name, one in left_out[:MOST_TOLD]:
        shell.say(f"{name}, {one.where}: {one.why}")
    more = len(left_out) - MOST_TOLD
    if more > 0:
        shell.say(f"and {more:,} more rows left out; --json lists all of them")


@contextlib.contextmanager
def _opened(file: str) -> Iterator[TextIO]:
    """Text of a file, or of standard input for `-`.

    Raises:
        InputError: It cannot be read as text in UTF-8.
    """
    from sootprint.core.errors import InputError

    wanted = "give a file as `sootprint import --help` lists them"
    try:
        with contextlib.nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb") as raw:
            yield io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
    except OSError as err:
        raise InputError(f"{file} cannot be read: {err.strerror}; {wanted}") from None
    except UnicodeDecodeError as err:
        raise InputError(f"{file} is no text in UTF-8 (byte {err.object[err.start]:#x}); {wanted}") from None
