"""CodeCarbon's trackers and decorators over a run of ours.

`start` begins a run, `start_task` a run inside of it; what `stop` gives and writes is the record of the run in
CodeCarbon's fields. Nothing here raises into the program once a tracker was made.
"""

from __future__ import annotations

import atexit
import inspect
import os
import uuid
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

from sootprint.compat import shared
from sootprint.compat.codecarbon import arguments, output, table
from sootprint.compat.codecarbon.output import EmissionsData
from sootprint.compat.shared import UNKNOWN, safely, warn
from sootprint.tracker import Run
from sootprint.tracker.run import measured

if TYPE_CHECKING:
    from sootprint.core.records import Footprint

_UNKNOWN: float | None = UNKNOWN
Self = TypeVar("Self", bound="BaseEmissionsTracker")


class Energy(NamedTuple):
    """An energy in the unit that scripts ask for."""

    kWh: float  # noqa: N815 - the name of the interface


class BaseEmissionsTracker:
    """A tracker: make it, `start` it, `stop` it; or use it as a context manager.

    `final_emissions` [kgCO2e] and `final_emissions_data` hold the result after the end. The same tracker may be
    started again, as a run of its own. Arguments are those of CodeCarbon 3.3.2; one that has no meaning here is named
    in one warning.

    Raises:
        TypeError: An argument is not one of CodeCarbon's.
    """

    __signature__: ClassVar[inspect.Signature] = arguments.ONLINE
    final_emissions: float | None = None
    final_emissions_data: EmissionsData | None = None
    _of_place: ClassVar[bool] = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = shared.bound(self.__signature__, args, kwargs, of=type(self).__name__)
        self._told = arguments.options(given, of_place=self._of_place)
        self._run: Run | None = None
        self._pid = 0
        self._last_id: str | None = None
        self._task: tuple[str, Run] | None = None
        self._tasks: dict[str, EmissionsData] = {}

    @property
    def run_id(self) -> str | None:
        """Identity of the record, known from the start on."""
        return self._run.id if self._run else self._last_id

    def start(self) -> None:
        """Begin to measure; a tracker that measures already is left as it is."""
        safely(self._start, None, what="start")

    def stop(self) -> float | None:
        """Emissions [kgCO2e]: the run ends, its row is written; not a number where they are not known.

        A second stop gives the same again; before a start there is nothing to give.
        """
        return safely(self._stop, _UNKNOWN, what="stop")

    def flush(self) -> float | None:
        """Emissions until now [kgCO2e]: a row is written, and the run goes on."""
        return safely(self._flush, _UNKNOWN, what="flush")

    def start_task(self, task_name: str | None = None) -> None:
        """Begin a task, one at a time; a tracker that does not measure yet begins to."""
        safely(lambda: self._start_task(task_name), None, what="start_task")

    def stop_task(self, task_name: str | None = None) -> EmissionsData | None:
        """The task, which ends; None where there is none of that name."""
        return safely(lambda: self._stop_task(task_name), None, what="stop_task")

    def __enter__(self: Self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self) -> None:
        if self._is_measuring():
            warn("this tracker measures already: it goes on")
            return
        self._tasks, self._task = {}, None
        self._run, self._pid = self._new_run(self._told.settings), os.getpid()
        self._last_id = self._run.start().id
        atexit.register(self.stop)

    def _is_measuring(self) -> bool:
        """Whether a run goes on here; that of a parent process is measured there."""
        return self._run is not None and self._pid == os.getpid()

    @staticmethod
    def _new_run(settings: Mapping[str, Any]) -> Run:
        return Run(**settings)

    def _stop(self) -> float | None:
        run, self._run = self._run, None
        if run is None:
            if self.final_emissions_data is None:
                warn("stop: this tracker was not started")
            return self.final_emissions
        if self._pid != os.getpid():  # forked since: the parent measures
            return UNKNOWN
        atexit.unregister(self.stop)
        if self._task is not None:
            self._stop_task(None)
        made = run.stop()
        self.final_emissions = UNKNOWN
        if made is None:
            return UNKNOWN
        self.final_emissions_data = data = self._data(made)
        self.final_emissions = data.emissions
        if made.id == run.id:  # else another rank of its job writes the record, and the row
            self._write(data)
        return data.emissions

    def _flush(self) -> float | None:
        if not self._is_measuring() or self._run is None:
            warn("flush: this tracker was not started")
            return None
        made = self._run.so_far()
        if made is None:
            warn("flush: nothing was measured yet; no row is written")
            return UNKNOWN
        data = self._data(made)
        if made.id == self._run.id:
            self._write(data)
        return data.emissions

    def _start_task(self, name: str | None) -> None:
        if self._task is not None:
            warn(f"start_task: task {self._task[0]!r:.80} goes on: stop it first")
            return
        if not self._is_measuring():
            self._start()
        chosen = name or str(uuid.uuid4())
        if chosen in self._tasks:
            chosen = f"{chosen}_{uuid.uuid4()}"
        self._task = chosen, self._new_run({**self._told.settings, "name": chosen}).start(inside=self._run)

    def _stop_task(self, name: str | None) -> EmissionsData | None:
        if self._task is None or (name and name != self._task[0]) or self._pid != os.getpid():
            warn("stop_task: there is no such task")
            return None
        (name, run), self._task = self._task, None
        made = run.stop()
        if made is None:
            return None
        self._tasks[name] = data = self._data(made)
        return data

    def _data(self, made: Footprint) -> EmissionsData:
        return output.emissions_data(made, self._told)

    def _write(self, data: EmissionsData) -> None:
        """Write the row, and the tasks; where that fails the record is in the ledger all the same."""
        file = self._told.file
        if file is None:
            return
        row, lost = output.known(data.values), f"{file.name} was not written; the record is in the ledger"
        safely(lambda: table.write(file, row, mode=self._told.on_csv_write), None, what=lost)
        if self._tasks:
            label = self._told.experiment_name.replace(os.sep, "_")
            tasks = file.with_name(f"emissions_{label}_{data.run_id}.csv")
            rows = [output.known(output.of_task(name, one)) for name, one in self._tasks.items()]
            safely(lambda: table.write_tasks(tasks, rows), None, what=f"{tasks.name} was not written")

    @property
    def _total_energy(self) -> Energy:
        """Private there, and asked for by many scripts [kWh]."""
        return self._energy("energy_consumed")

    @property
    def _total_cpu_energy(self) -> Energy:
        return self._energy("cpu_energy")

    @property
    def _total_gpu_energy(self) -> Energy:
        return self._energy("gpu_energy")

    @property
    def _total_ram_energy(self) -> Energy:
        return self._energy("ram_energy")

    def _energy(self, field: str) -> Energy:
        data = self.final_emissions_data
        return Energy(UNKNOWN if data is None else getattr(data, field))


class EmissionsTracker(BaseEmissionsTracker):
    """A tracker whose place is that of the settings, as of any run: nothing looks up an address.

    Raises:
        TypeError: An argument is not one of CodeCarbon's.
    """


class OfflineEmissionsTracker(BaseEmissionsTracker):
    """A tracker whose place is stated: `country_iso_code` with `region`, or `cloud_provider` with `cloud_region`.

    Raises:
        TypeError: An argument is not one of CodeCarbon's.
    """

    __signature__ = arguments.OFFLINE
    _of_place = True


class TaskEmissionsTracker:
    """A task, as a context manager; with a tracker of its own where none is given.

    Args:
        task_name: Name of the task.
        tracker: Tracker that the task is a part of.
    """

    def __init__(self, task_name: str, tracker: BaseEmissionsTracker | None = None) -> None:
        self.is_default_tracker = tracker is None
        self.tracker = EmissionsTracker() if tracker is None else tracker
        self.task_name = task_name

    def __enter__(self) -> TaskEmissionsTracker:
        self.tracker.start_task(self.task_name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.tracker.stop_task()
        if self.is_default_tracker:
            self.tracker.stop()


def track_emissions(*args: Any, **kwargs: Any) -> Any:
    """A function that is measured each time it is called, as a decorator with or without arguments.

    A coroutine is measured until it is done, a generator until its end. With `offline=True` the place is stated as of
    `OfflineEmissionsTracker`.

    Raises:
        TypeError: An argument is not one of CodeCarbon's.
    """
    given = shared.bound(arguments.DECORATED, args, kwargs, of="track_emissions")
    function, offline = given.pop("fn", None), given.pop("offline", None)
    if not offline:
        given = {name: value for name, value in given.items() if name not in arguments.PLACE}
    kind = OfflineEmissionsTracker if offline else EmissionsTracker
    return _decorated(function, lambda: kind(**given))


def track_task_emissions(
    fn: Any = None, tracker: BaseEmissionsTracker | None = None, task_name: str = ""
) -> Any:
    """A function whose calls are tasks of a tracker, or of one of their own.

    Args:
        fn: The function.
        tracker: Tracker that its tasks are parts of.
        task_name: Name of the tasks.
    """
    return _decorated(fn, lambda: TaskEmissionsTracker(task_name, tracker))


def _decorated(function: Any, fresh: Callable[[], Any]) -> Any:
    return (lambda one: measured(one, fresh)) if function is None else measured(function, fresh)


setattr(track_emissions, "__signature__", arguments.DECORATED)  # noqa: B010 - no type checker knows it of a function
