"""How a plug or PDU is read: numbers of a JSON answer or a file, in the unit that the user stated.

A reading that was told before - the same time, or a file that nobody wrote since - is no new reading: when nothing
new comes for several periods the time is a gap, never the last power.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any, NamedTuple

from sootprint.core.errors import MeterError
from sootprint.core.protocols import Machine
from sootprint.meters import fetch
from sootprint.meters.background import Background, Look
from sootprint.meters.units import in_j, in_w
from sootprint.meters.wall import accuracy_facts, stated

PERIOD_S = 5.0
TAIL = 4096  # bytes at the end of a file that hold its last line
BOUNDS = (0.97, 1.03)
SOURCE = "Class 2 of IEC 62053-21 (2020) for active energy, and 1 % for the resolution of a plug"


class Told(NamedTuple):
    """What a plug says: a JSON document or the columns of a line, and what tells one reading from the next."""

    content: Any
    stamp: object


def meter_of(machine: Machine) -> Background:
    """Meter of the configured plug.

    Raises:
        MeterError: Its password cannot be found, or the settings leave it out.
    """
    known, given = stated(machine, "plug"), machine.wall["plug"]
    bounds = known.bounds or BOUNDS
    source = _file(given) if given.file else _server(given, machine)
    return Background(
        "plug",
        Plug(source, given).look,
        machine.clock,
        period_s=given.period_s or PERIOD_S,
        bounds=bounds,
        facts=accuracy_facts("plug", bounds, source=SOURCE, nodes=known.nodes),
        nodes=known.nodes,
    )


class Plug:
    """A plug, and the stamp of the reading that was taken last.

    Args:
        source: Answers what the plug says now.
        given: The settings of the plug.
    """

    def __init__(self, source: Callable[[], Told], given: Any) -> None:
        self._source, self._given = source, given
        self._stamp: object = None

    def look(self) -> Look | None:
        """Power and energy, or None where the plug says what it said before.

        Raises:
            MeterError: The plug cannot be read, or what it says is no power or energy.
        """
        told, given = self._source(), self._given
        stamp = told.stamp
        if given.time is not None:
            stamp = at(told.content, given.time)
        if stamp is not None and stamp == self._stamp:
            return None
        power = number(at(told.content, given.power)) if given.power is not None else None
        energy = number(at(told.content, given.energy)) if given.energy is not None else None
        self._stamp = stamp
        return Look(power_w=in_w(power, given.power_unit), energy_j=in_j(energy, given.energy_unit))


def _server(given: Any, machine: Machine) -> Callable[[], Told]:
    client = fetch.client(given, machine.environ, meter="plug")
    path = f"/{given.url.partition('://')[2].partition('/')[2]}"
    reads_text = given.power in ("", None) and given.energy in ("", None)

    def ask() -> Told:
        return Told(client.text(path).strip() if reads_text else client.json(path), None)

    return ask


def _file(given: Any) -> Callable[[], Told]:
    path = given.file

    def read() -> Told:
        try:
            with open(path, "rb") as opened:  # noqa: PTH123  one call, on a path that was checked
                status = os.fstat(opened.fileno())
                opened.seek(max(0, status.st_size - TAIL))
                tail = opened.read(TAIL)
        except OSError as err:
            raise MeterError(f"plug: its file cannot be read: {err.strerror}") from None
        return Told(content_of(tail.decode("utf-8", "replace")), (status.st_mtime_ns, status.st_size))

    return read


def content_of(tail: str) -> Any:
    r"""JSON document, or columns of the last complete line, of the end of a file.

    >>> content_of("time,watts\n10:00,81.5\n10:01,82.0\n")
    ['10:01', '82.0']
    """
    text = tail.strip()
    if text.startswith("{"):
        import json

        try:
            return json.loads(text)
        except ValueError:
            raise MeterError("plug: its file holds no complete JSON") from None
    if not text:
        raise MeterError("plug: its file is empty")
    last = text.splitlines()[-1]
    between = next(
        (mark for mark in (";", "\t", ",") if mark in last), ","
    )  # a decimal comma needs one of the others
    return [column.strip() for column in last.split(between)]


def at(content: Any, pointer: str) -> Any:
    """Value at a JSON pointer (RFC 6901), at a column of a line, or the whole text for "".

    Raises:
        MeterError: There is no such place.

    >>> at({"meters": [{"power": 81.5}]}, "/meters/0/power")
    81.5
    >>> at(["10:01", "82.0"], "1"), at(["82.0"], "")
    ('82.0', '82.0')
    """
    if pointer == "":
        if isinstance(content, list) and len(content) > 1:
            raise MeterError(
                f'plug: its file has {len(content)} columns: name one, e.g. power = "1" for the second'
            )
        return content[0] if isinstance(content, list) else content
    for token in pointer.removeprefix("/").split("/"):
        name = token.replace("~1", "/").replace("~0", "~")
        try:
            content = content[int(name)] if isinstance(content, list) else content[name]
        except (LookupError, TypeError, ValueError):
            raise MeterError(f"plug: its answer has nothing at {pointer!r}") from None
    return content


def number(value: Any) -> float:
    """Number of at least 0 that a plug wrote, as a number or a text.

    Raises:
        MeterError: It is none.

    >>> number("82,5"), number(3)
    (82.5, 3.0)
    """
    try:
        parsed = math.nan if isinstance(value, bool) else float(str(value).strip().replace(",", "."))
    except ValueError:
        parsed = math.nan
    if not 0.0 <= parsed < math.inf:
        raise MeterError(f"plug: {str(value)[:20]!r} is no power or energy")
    return parsed
