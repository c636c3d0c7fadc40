"""`sootprint calibrate`: wall readings beside what the meters read, fitted to a line of this node."""

from __future__ import annotations

import math
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from sootprint.cli import options, output, shell
from sootprint.core.errors import InputError, SootprintError

if TYPE_CHECKING:
    from sootprint.core.calibration import Calibration, Point
    from sootprint.core.protocols import Meter
    from sootprint.core.records import Footprint
    from sootprint.settings import Settings

ERROR_W, ERROR_SHARE = 1.0, 0.01  # of a reading of a display or a wall meter, beside its accuracy
ACCURACY = 0.02
SET_SECONDS = 5.0  # to learn which meters and devices there are
SECONDS = 20.0
SLOW_SECONDS = 60.0  # with a wall meter that is looked at every few seconds

WallW = Annotated[
    list[str] | None,
    typer.Option(
        "--wall-w",
        metavar="LOAD=W",
        help="Wall reading of a load that is driven (idle, half, full) or of a power of the components, e.g. 48=95.",
    ),
]
From = Annotated[
    Path | None,
    typer.Option(
        "--from", metavar="FILE", help="CSV of time and watts at the wall, matched with stored runs."
    ),
]
MeterName = Annotated[
    str | None,
    typer.Option(
        "--meter", metavar="NAME", help="Wall meter to read: plug, redfish, pm_counters, ipmi or hwmon."
    ),
]
Seconds = Annotated[
    float | None,
    typer.Option(
        "--seconds",
        metavar="S",
        parser=options.number,
        help="Time to measure each load; else 20, or 60 by meter.",
    ),
]
Accuracy = Annotated[
    float | None,
    typer.Option(
        "--accuracy",
        metavar="X",
        parser=options.number,
        help="Half-width of the wall meter's own 90 % interval over its reading; else 0.02.",
    ),
]
Show = Annotated[bool, typer.Option("--show", help="Show the calibrations of this node and stop.")]
Forget = Annotated[bool, typer.Option("--forget", help="Remove the calibrations of this node and stop.")]


class Readings(NamedTuple):
    """Wall readings, and what gave the components beside them."""

    names: list[str]
    points: list[Point]
    meters: tuple[str, ...]
    hardware: tuple[str, ...]
    source: str
    accuracy: float = ACCURACY


def calibrate(
    wall_w: WallW = None,
    from_file: From = None,
    meter: MeterName = None,
    seconds: Seconds = None,
    accuracy: Accuracy = None,
    show: Show = False,
    forget: Forget = False,
    json: options.Json = False,
) -> None:
    """Fit this node's wall power to what its meters read: wall = idle + slope x components.

    Loads the processor idle, half and fully, and reads the wall meter that is configured, or asks for what yours
    shows. Later runs on this node with the same meters take the fitted line in place of a prior.

        sootprint calibrate
        sootprint calibrate --wall-w idle=52 --wall-w full=171
        sootprint calibrate --from plug.csv
        sootprint calibrate --show
    """
    from sootprint import settings
    from sootprint.ledger import calibrations, nodes

    known = settings.load()
    node = nodes.node(known.home)
    if forget or show:
        (_forget if forget else _show)(known.home, node, json)
        return
    if node is None:
        raise typer.BadParameter(
            f"{known.home} cannot be written, so nothing could be kept: set SOOTPRINT_HOME"
        )
    if sum(map(bool, (wall_w, from_file, meter))) > 1:
        raise typer.BadParameter("--wall-w, --from and --meter exclude one another: give one of them")
    calibrations.stored(known.home, node)  # a file that cannot be read is told before minutes of measuring
    _check_range("--accuracy", accuracy, 0.0, 0.5)
    _check_range("--seconds", seconds, 1.0, 3600.0)
    if from_file is not None:
        readings = _from_log(node, from_file)
    elif wall_w:
        readings = _from_pairs(known, _parsed(wall_w), seconds)
    else:
        readings = _from_loads(known, meter, seconds)
    _finish(known.home, node, readings, accuracy=accuracy, json=json)


def _finish(home: Path, node: str, readings: Readings, *, accuracy: float | None, json: bool) -> None:
    """Fit, keep and print."""
    from sootprint.ledger import calibrations

    made = _fitted(readings, accuracy)
    try:
        calibrations.keep(home, node, made)
    except SootprintError:
        _tell(f"the line was not kept; these readings can be given again: {_pairs(readings)}")
        raise
    if json:
        rows = [
            {
                "load": name,
                "components_w": point.components_w,
                "wall_w": point.wall_w,
                "fitted_w": made.energy_j(1.0, point.components_w),
            }
            for name, point in zip(readings.names, readings.points, strict=True)
        ]
        output.print_json({"node": node, "calibration": made, "readings": rows})
        return
    _print_readings(readings, made)
    _print(made)


def _fitted(readings: Readings, accuracy: float | None) -> Calibration:
    from sootprint.core.calibration import calibrated

    try:
        return calibrated(
            readings.points,
            accuracy=readings.accuracy if accuracy is None else accuracy,
            meters=readings.meters,
            hardware=readings.hardware,
            made=datetime.now(UTC).date().isoformat(),
            source=readings.source,
        )
    except InputError:
        told = _pairs(readings) or "none"
        _tell(f"no line was fitted; these readings can be given again beside others: {told}")
        raise


def _pairs(readings: Readings) -> str:
    """Options that give the first readings again, which took minutes to take."""
    return " ".join(f"--wall-w {one.components_w:.1f}={one.wall_w:g}" for one in readings.points[:8])


def _check_range(name: str, value: float | None, low: float, high: float) -> None:
    if value is not None and not low <= value <= high:
        raise typer.BadParameter(f"{name} {value:g} is not between {low:g} and {high:g}")


def _parsed(pairs: list[str]) -> list[tuple[str, float]]:
    """Load and wall power of each LOAD=W."""
    from sootprint.cli.loads import LOADS

    found = []
    for pair in pairs:
        load, separator, watts = pair.partition("=")
        if not separator or (load not in LOADS and not _is_number(load)):
            raise typer.BadParameter(
                f"--wall-w {pair!r} must be LOAD=W: idle=52, half=110, full=171, or the components' watts, 48=95"
            )
        found.append((load, options.number(watts)))
    return found


def _is_number(text: str) -> bool:
    try:
        return 0.0 <= float(text) < math.inf
    except ValueError:
        return False


def _from_pairs(known: Settings, pairs: list[tuple[str, float]], seconds: float | None) -> Readings:
    """Given wall powers, of loads that are driven now or of powers that the meters read before."""
    from sootprint.cli.loads import LOADS, SETTLE_S, burning, measured
    from sootprint.core.calibration import signature
    from sootprint.estimator.wall_log import meters_of

    points, footprint = [], None
    for load, wall_w in pairs:
        if load in LOADS:
            _tell(f"{load}: measuring {seconds or SECONDS:.0f} s")
            with burning(LOADS[load]):
                time.sleep(SETTLE_S)
                seen = measured(known, None, duration_s=seconds or SECONDS)
            footprint = seen.footprint
            points.append(_point(seen.components_w, wall_w))
        else:
            points.append(_point(float(load), wall_w))
    footprint = footprint or measured(known, None, duration_s=SET_SECONDS).footprint
    hardware = signature((one.kind, one.name, one.count) for one in footprint.hardware)
    return Readings(
        [load for load, _ in pairs], points, meters_of(footprint), hardware, "wall readings given"
    )


def _from_log(node: str, path: Path) -> Readings:
    """Stored runs of this node beside a log of wall power."""
    from sootprint.cli import lookup
    from sootprint.estimator import wall_log

    logged = wall_log.read(lookup.text_of(str(path), wanted="a CSV of time and watts"), name=str(path))
    with lookup.ledger() as ledger:
        stored = [ledger.get(row.id) for row in ledger.runs()]
    found = wall_log.found_in(logged, [one for one in stored if one.node == node])
    names = [f"window {order + 1}" for order in range(len(found.points))]
    source = f"log of a wall meter beside {found.runs} run{'s' if found.runs > 1 else ''}"
    return Readings(names, found.points, found.meters, found.hardware, source)


def _from_loads(known: Settings, name: str | None, seconds: float | None) -> Readings:
    """Driven loads, with a wall meter or with what a person reads off one."""
    from sootprint.cli import loads
    from sootprint.core.calibration import signature
    from sootprint.estimator.wall_log import meters_of

    meter = loads.wall_meter(known.machine(), name)
    if meter is None:
        _tell("no wall meter answers here: read yours, and type what it shows (mean over the measured time)")
    is_slow = float(getattr(meter, "poll_s", None) or 0.0) > 1.0
    duration_s = seconds or (SLOW_SECONDS if is_slow else SECONDS)
    taken = Taken(known, meter, duration_s)
    try:
        for load, share in loads.LOADS.items():
            with loads.burning(share):
                _tell(f"{load}: measuring {duration_s:.0f} s")
                time.sleep(loads.SETTLE_S)
                last = taken.add(load)
        if any(one.kind == "accelerator" for one in last.hardware):
            _add_accelerators(taken)
        bounds = _bounds(meter)
    finally:
        getattr(meter, "close", bool)()
    hardware = signature((one.kind, one.name, one.count) for one in last.hardware)
    source = f"wall meter {meter.name}" if meter else "wall readings typed in"
    return Readings(taken.names, taken.points, meters_of(last), hardware, source, bounds)


class Taken:
    """Readings that are being taken.

    Args:
        known: Settings of the user.
        meter: Wall meter, or None where a person reads one.
        duration_s: Time to measure each load [s].
    """

    def __init__(self, known: Settings, meter: Meter | None, duration_s: float) -> None:
        self._known, self._meter, self._duration_s = known, meter, duration_s
        self.names: list[str] = []
        self.points: list[Point] = []

    def add(self, load: str) -> Footprint:
        """Record of a load that is on now; its reading is kept unless the wall meter fell silent."""
        from sootprint.cli.loads import measured

        seen = measured(self._known, self._meter, duration_s=self._duration_s)
        wall_w = seen.wall_w if self._meter else _asked(f"watts at the wall now ({load})")
        if wall_w is None:
            _tell(f"{load}: the wall meter gave no power in that time, so this load is left out")
        else:
            self.names.append(load)
            self.points.append(_point(seen.components_w, wall_w))
        return seen.footprint


def _add_accelerators(taken: Taken) -> None:
    """One more reading under the user's own load of the accelerators, where somebody is there to start it."""
    if not sys.stdin.isatty():
        _tell(
            "the accelerators were idle all the time: run this again in a terminal, with a load of yours on them"
        )
    elif typer.confirm("Start your load of the accelerators now. Is it running?", default=True, err=True):
        taken.add("accelerators")


def _bounds(meter: Any) -> float:
    """Accuracy of a wall meter as it states it itself."""
    factors = meter.facts().factors if meter is not None else ()
    return max([ACCURACY, *((factor.high or 1.0) - 1.0 for factor in factors)]) if factors else ACCURACY


def _point(components_w: float, wall_w: float) -> Point:
    from sootprint.core.calibration import Point

    return Point(components_w, wall_w, math.hypot(ERROR_W, ERROR_SHARE * wall_w))


def _asked(question: str) -> float:
    """What a person types, asked again until it is a number.

    Raises:
        InputError: Nobody is there to type.
    """
    try:
        return float(typer.prompt(question, err=True, value_proc=options.number))
    except typer.Abort:
        if sys.stdin.isatty():
            raise
        _tell("")  # ends the line of the question
        shell.wrong(
            "nobody can be asked here: state what your wall meter shows, e.g. --wall-w idle=52 --wall-w full=171"
        )


def _tell(text: str) -> None:
    typer.echo(text, err=True)


def _show(home: Path, node: str | None, json: bool) -> None:
    from sootprint.ledger import calibrations

    found = calibrations.stored(home, node)
    if json:
        output.print_json({"node": node, "calibrations": found})
    elif not found:
        output.print_text("This node has not been calibrated; `sootprint calibrate` does it.")
    for one in () if json else found:
        _print(one)


def _forget(home: Path, node: str | None, json: bool) -> None:
    from sootprint.ledger import calibrations

    gone = calibrations.forget(home, node)
    if json:
        output.print_json({"node": node, "forgotten": gone})
    else:
        output.print_text(f"{gone} calibration{'' if gone == 1 else 's'} of this node removed.")


def _print_readings(readings: Readings, made: Calibration) -> None:
    table = output.table(
        "load", "components", "wall", "line", "off", right=("components", "wall", "line", "off")
    )
    for name, point in list(zip(readings.names, readings.points, strict=True))[:20]:
        fitted_w = made.energy_j(1.0, point.components_w)
        off = f"{round(100.0 * (fitted_w / point.wall_w - 1.0), 1) + 0.0:+.1f} %"  # no minus before a 0
        cells = (f"{watts:.1f} W" for watts in (point.components_w, point.wall_w, fitted_w))
        output.add_row(table, name, *cells, off)
    output.console().print(table)


def _print(made: Calibration) -> None:
    from sootprint.core.intervals import Z90

    half_w, half = (Z90 * math.sqrt(variance) for variance in (made.idle_var_w2, made.slope_var))
    output.print_text(
        f"wall = {made.idle_w:.1f} W (± {half_w:.1f}) + {made.slope:.3f} (± {half:.3f}) × components\n"
        f"  {made.readings} readings on {made.made}, {made.source}; components from {made.least_w:.0f} to "
        f"{made.most_w:.0f} W\n"
        f"  holds for the meters {', '.join(made.meters)} and {', '.join(made.hardware) or 'no known devices'}"
    )
