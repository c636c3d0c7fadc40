"""The books of one machine: who is here, what each of them used, and what each is charged for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sootprint.core.errors import RecordError
from sootprint.core.protocols import Machine, Meter
from sootprint.tracker.accounts import Accounts
from sootprint.tracker.attribution import Holder, Use
from sootprint.tracker.components import ComponentState
from sootprint.tracker.neighbours import BESIDE
from sootprint.tracker.sampler import Part, Sampler
from sootprint.tracker.usage import Tracked, Usage

if TYPE_CHECKING:
    from sootprint.tracker.alone import Lone

IDLE = Use()
SAME_S = 1e-3  # between two instants of one look, which a journal rounds [s]


class Member(NamedTuple):
    """Somebody who is charged.

    Args:
        tracked: Whose processes it charges.
        strict: Whether it pays for its own processes alone.
        environ: Variables that say which accelerators it may use.
        is_run: Whether it is a run, and not a job or a pod that runs are in.
        payer: User whose runs are charged one after the other, whoever reads for them.
    """

    tracked: Tracked
    strict: bool = False
    environ: Mapping[str, str] = {}
    is_run: bool = True
    payer: str = ""


def _always(run: str) -> bool:
    return True


class Books:
    """Accounts of everybody on one machine, kept from tick to tick.

    Args:
        machine: Where the meters look.
        sampler: The meters that are looked at.
        meters: The same meters, with what they tell of processes.
    """

    def __init__(self, machine: Machine, sampler: Sampler, meters: Sequence[Meter]) -> None:
        self._sampler, self._meters = sampler, meters
        self.accounts = Accounts(max_gap_s=sampler.max_gap_s)
        telling = [meter.processes for meter in meters if hasattr(meter, "processes")]
        self._usage = Usage(machine.procfs, machine.sysfs, accelerators=telling)
        self._here: dict[str, Member] = {}
        self._above: dict[str, str | None] = {}  # what each was a part of, of those that have gone too
        self._uses: dict[str, Use] = {}
        self._whole = IDLE
        self.spent_j: Mapping[str, float] = {}  # of each component at the last tick [J]
        self.charged_j: Mapping[str, Mapping[str, float]] = {}  # by holder and component, until then [J]
        self.tops: frozenset[str] = frozenset()  # holders that were a part of no other

    def adopt(
        self,
        states: Iterable[tuple[str, ComponentState]],
        start_s: float,
        *,
        own: str,
        here: Mapping[str, Member],
    ) -> None:
        """Go on from what a run that was alone has seen, whose times count from `start_s` [s].

        Args:
            states: Its components, each with its name at its meter.
            start_s: Monotonic instant that its times count from [s].
            own: Its identity; it is charged from its last readings on.
            here: Everybody who is here from now on, by identity.
        """
        self.accounts.adopt(states, start_s)
        self.accounts.open(own, first=True)
        self._usage.look([one.tracked for one in here.values()])
        self._meet(here)

    def tick(self, here: Mapping[str, Member], *, is_owed: Callable[[str], bool] = _always) -> None:
        """Charge what was spent to those who were here, then close the accounts of who left and open new ones.

        Args:
            here: Everybody who is here from now on, by identity.
            is_owed: Whether one who was here is charged until now; asked after the meters have answered.
        """
        self._look(here, is_owed)
        self._meet(here)

    def _look(self, here: Mapping[str, Member], is_owed: Callable[[str], bool]) -> None:
        parts = self._sampler.collect(last=True)
        looked_at = self._here | dict(here)  # who comes is looked at once, before it is charged
        uses, whole = self._usage.look([one.tracked for one in self._placed(looked_at).values()])
        uses |= self._of_ended(here, uses)
        self._uses, self._whole = uses, whole
        self._charge(parts, uses, whole, is_owed)

    def _of_ended(self, here: Mapping[str, Member], uses: Mapping[str, Use]) -> dict[str, Use]:
        """Use of runs of other users that have ended since the look before: half of the part that each had lately.

        Nobody here knows when they did, and what they used after that, to write a record, they are not charged for.
        """
        come = {member.payer for one, member in here.items() if not one.startswith(BESIDE)}
        tops = [
            one for one, member in self._placed(self._here).items() if member.tracked.parent not in self._here
        ]
        known = {one: self._here[one].payer for one in tops if one.startswith(BESIDE)}
        ended = [one for one, payer in known.items() if one not in here and payer not in come]
        parts = {one: 0.5 * self.accounts.part_of(one) for one in ended}
        others_s = sum(uses[one].cpu_s for one in tops if one not in ended and one in uses)
        per_part_s = others_s / (1.0 - sum(parts.values()))
        return {one: uses.get(one, IDLE)._replace(cpu_s=part * per_part_s) for one, part in parts.items()}

    def end(self, heir: str, *, is_owed: Callable[[str], bool] = _always) -> None:
        """Charge what was spent, and close all accounts, so that each can be read and nobody is charged again.

        Args:
            heir: Run that another process charges from now on, and alone until the others come: it bridges for all.
            is_owed: Whether one who was here is charged until now; asked after the meters have answered.
        """
        self.accounts.most_closed += len(self.accounts.runs)
        self._look({}, is_owed)
        mine = [one for one in self._here if not one.startswith(BESIDE)]
        self.accounts.hand_on(heir, mine, [one for one in self._outer() if one in mine])
        self._meet({})

    def resume(
        self,
        left: Mapping[str, Any],
        here: Mapping[str, Member],
        *,
        is_owed: Callable[[str], bool] = _always,
        anew: bool = True,
        heirs: Mapping[str, str] = {},
        lone: Lone | None = None,
    ) -> None:
        """Go on from the books of another process; what was spent since is split by the use that it saw last.

        Args:
            left: Its `dump`.
            here: Everybody who is here.
            is_owed: Whether one who was here is charged until now; asked after the meters have answered.
            anew: Whether the other process may have charged somebody of whom nothing is told.
            heirs: Who is charged from the other's last look on for somebody who has gone, by identity of that one.
            lone: Last look of a run that read for itself alone; where it is later than these books, they are old.

        Raises:
            RecordError: These are no books.
        """
        uses, whole, parents = _uses_of(left)
        self._above = parents
        if left:
            self.accounts.load(left)
        if lone is not None and lone.at_s > self.accounts.now_s() + SAME_S:
            self._follow(lone, here)
            uses, whole = {}, IDLE
        for gone, heir in heirs.items():
            if gone in self.accounts.runs and gone not in here and heir not in self.accounts.runs:
                self.accounts.open(heir, sees=self._seen_by(here[heir]))
                uses[heir] = uses.get(gone, IDLE)
        self._here = {
            one: here[one] if one in here else Member(Tracked(one, (), None, parents.get(one)))
            for one in self.accounts.runs
        }
        self._usage.look([member.tracked for member in here.values()])
        self._charge(self._sampler.collect(last=True), uses, whole, is_owed)
        nobody = bool(left) and not self._here  # all have gone who were charged until its last look
        self._meet(here, anew=anew and not nobody)

    def _follow(self, lone: Lone, here: Mapping[str, Member]) -> None:
        """Charge everybody who is here from the last look of a run that was alone and has gone."""
        self.accounts = Accounts(max_gap_s=self._sampler.max_gap_s)
        self.accounts.adopt(lone.states, lone.start_s)
        self.accounts.open(lone.run, first=True)
        for run in here:
            self.accounts.open(run, sees=self._seen_by(here[run]))
        self.accounts.close(lone.run)

    def may_read(self, meter: str, uid: int) -> bool:
        """Whether a user could read the counters of a meter without us; not where the meter does not know."""
        asked = [one.readable_by for one in self._meters if one.name == meter and hasattr(one, "readable_by")]
        return any(readable(uid) for readable in asked)

    def dump(self) -> dict[str, Any]:
        """Plain values from which another process can go on."""
        return self.accounts.dump() | {
            "uses": {one: _plain(use) for one, use in self._uses.items()},
            "whole": _plain(self._whole),
            "parents": self._above,
        }

    def _charge(
        self, parts: Sequence[Part], uses: Mapping[str, Use], whole: Use, is_owed: Callable[[str], bool]
    ) -> None:
        self._here = {one: member for one, member in self._here.items() if is_owed(one)}
        holders = self._holders()
        self.spent_j = self.accounts.charge(parts, holders, uses, whole=whole)
        self.charged_j = {one.id: self.accounts.energies(one.id) for one in holders}
        self.tops = frozenset(one.id for one in holders if one.parent not in self.charged_j)

    def _placed(self, members: Mapping[str, Member]) -> dict[str, Member]:
        """Members, each a part of the nearest around it that is there: an outer one where an inner one has gone."""
        return {one: self._place(member, members) for one, member in members.items()}

    def _place(self, member: Member, members: Mapping[str, Member]) -> Member:
        stated = around = member.tracked.parent
        for _ in self._above:
            if around is None or around in members:
                break
            around = self._above.get(around)
        if around == stated or around not in members or around == member.tracked.id:
            return member
        return member._replace(tracked=member.tracked._replace(parent=around))

    def _meet(self, here: Mapping[str, Member], *, anew: bool = False) -> None:
        wanted = self.accounts.lasting(self._outer())
        gone, charged = self.accounts.runs - here.keys(), self._here.keys()
        before, self._here = self._here, dict(here)
        self._above |= {one: member.tracked.parent for one, member in here.items()}
        self._above = {one: self._above[one] for one in _with_above(here, self._above)}
        for run in gone - charged:
            self.accounts.close(run)
        for run in self._here.keys() - self.accounts.runs:
            after = self._followed(run, before)
            self.accounts.open(run, sees=self._seen_by(self._here[run]), anew=anew, after=after)
        self._hand_over(before)
        for run in gone & charged:  # last, as what was spent until now is theirs and not of who comes
            self.accounts.close(run)
        self.accounts.level(self._outer(), wanted)

    def _followed(self, run: str, before: dict[str, Member]) -> list[str]:
        """Those who are charged with what a run that comes was before: of its user, else all where it had no part."""
        own, known = self._here[run], before | self._here
        if not own.is_run or run.startswith(BESIDE):
            return []
        others = [one for one, member in known.items() if member.is_run and one != run]
        mine = [one for one in others if known[one].payer == own.payer]
        return [one for one in mine if not one.startswith(BESIDE)] if mine else others

    def _hand_over(self, before: dict[str, Member]) -> None:
        """Let the first of a user's runs to come have the parts of those that were only known to be here."""
        beside = [run for run in before.keys() - self._here.keys() if run.startswith(BESIDE)]
        came: dict[str, str] = {}
        for run, member in self._here.items():
            above = self._here.get(member.tracked.parent or "")
            if run not in before and member.is_run and (above is None or not above.is_run):
                came.setdefault(member.payer, run)
        for payer, heir in came.items():
            gone = [run for run in beside if before[run].payer == payer]
            tops = [run for run in gone if before[run].tracked.parent not in gone]
            if gone:
                self.accounts.hand_on(heir, [heir, *gone], tops)

    def _outer(self) -> list[str]:
        """Those who are here and a part of nobody who is."""
        placed = self._placed(self._here)
        return [run for run, member in placed.items() if member.tracked.parent not in placed]

    def _holders(self) -> list[Holder]:
        runs = self.accounts.runs
        return [
            Holder(run, member.tracked.parent, member.strict, self._seen_by(member), member.is_run)
            for run, member in self._placed(self._here).items()
            if run in runs
        ]

    def _seen_by(self, member: Member) -> frozenset[str] | None:
        """Accelerators that somebody may use; None where no meter can tell."""
        seen: set[str] = set()
        telling = [meter for meter in self._meters if hasattr(meter, "visible_to")]
        for meter in telling:
            names = self.accounts.components(meter.name)
            seen |= {names[name] for name in meter.visible_to(member.environ) if name in names}
        return frozenset(seen) if telling else None


def _with_above(runs: Iterable[str], above: Mapping[str, str | None]) -> set[str]:
    """Runs and all that they are or were a part of."""
    found: set[str] = set()
    for run in runs:
        one: str | None = run
        while one is not None and one in above and one not in found:
            found.add(one)
            one = above[one]
    return found


def _plain(use: Use) -> list[Any]:
    return [use.cpu_s, dict(use.busy), dict(use.memory)]


def _uses_of(left: Mapping[str, Any]) -> tuple[dict[str, Use], Use, dict[str, str | None]]:
    """Use of each run and of the whole machine at the last tick, and the runs' parents; idle where not told."""
    try:
        uses = {one: Use(*values) for one, values in left.get("uses", {}).items()}
        return uses, Use(*left.get("whole", ())), dict(left.get("parents", {}))
    except (TypeError, ValueError, AttributeError) as err:
        raise RecordError(f"the books of this machine cannot be read: {err!r}") from err
