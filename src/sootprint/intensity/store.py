"""Answers of providers on the disk: one file for a zone and day, for this user alone, no longer than the terms allow.

A file appears whole or not at all, so that a kill or a full disk loses an answer and breaks none; one that cannot be
read is asked for again. Several processes that want one provider wait for each other, so that it is asked once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sootprint.core import files
from sootprint.core.locks import taken
from sootprint.intensity.points import Point, Terms

FOLDER = "grid"
VERSION = 2
DRAFT_S = 3600.0  # a draft older than that is of a process that was killed
_CLOEXEC = getattr(os, "O_CLOEXEC", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An answer about a part of a day.

    Args:
        fetched_s: Wall clock when it was asked [s].
        start: Start of the part that was asked for.
        end: End of that part.
        points: What was answered, gaps included.
    """

    fetched_s: float
    start: datetime
    end: datetime
    points: tuple[Point, ...]


class Store:
    """Answers of one provider.

    Args:
        home: Folder of the user's data.
        terms: Provider, and how long its answers may stay.
    """

    def __init__(self, home: Path, terms: Terms) -> None:
        self._folder = home / FOLDER / terms.name
        self._terms = terms

    def find(self, zone: str, day: date, *, now_s: float) -> Kept | None:
        """Answer about a zone and day of UTC; None where none is kept, it is too old to be, or is of another method."""
        path = self._path(zone, day)
        try:
            found = _parsed(path.read_bytes(), method=self._terms.method)
        except (OSError, ValueError, TypeError, LookupError, AttributeError):
            return None
        if abs(now_s - found.fetched_s) > self._terms.keep.total_seconds():
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        return found

    def keep(self, zone: str, day: date, found: Kept) -> str | None:
        """Why an answer could not be kept; None where it was."""
        content = {
            "version": VERSION,
            "source": self._terms.title,
            "licence": self._terms.licence,
            "method": self._terms.method,
            "note": "kept for this user alone; do not pass it on beyond the licence",
            "fetched_s": found.fetched_s,
            "asked": [found.start.timestamp(), found.end.timestamp()],
            "points": [
                [point.start.timestamp(), point.end.timestamp(), point.value, point.forecast]
                for point in found.points
            ],
        }
        path = self._path(zone, day)
        try:
            _write(path, json.dumps(content))
            self._clean(path.parent, now_s=found.fetched_s)
        except OSError as err:
            return f"answers of {self._terms.title} cannot be kept in {self._folder}: {err.strerror}"
        return None

    def held_until_s(self) -> float:
        """Wall clock until which the provider asked to be left alone [s]; 0 where it did not."""
        try:
            return float(self._folder.joinpath("held").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0.0

    def hold(self, until_s: float) -> None:
        """Leave the provider alone until `until_s` of the wall clock [s], in every process of this user."""
        with contextlib.suppress(OSError):
            _write(self._folder / "held", f"{until_s:.0f}")

    @contextlib.contextmanager
    def alone(self, limit_s: float) -> Iterator[None]:
        """Ask while no other process does, waiting at most `limit_s` [s]; a kill lets the next one in."""
        descriptor = None
        with contextlib.suppress(ImportError, OSError):  # without locks, or on a full disk, it is asked twice
            _folder(self._folder)
            descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | _CLOEXEC, 0o600)
            taken(descriptor, limit_s)
        try:
            yield
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _path(self, zone: str, day: date) -> Path:
        return self._folder / _file_name(zone) / f"{day.isoformat()}.json"

    def _clean(self, folder: Path, *, now_s: float) -> None:
        """Remove answers that are too old to be kept, and drafts of processes that were killed."""
        for path in folder.iterdir():
            longest_s = DRAFT_S if path.name.startswith(".") else self._terms.keep.total_seconds()
            with contextlib.suppress(OSError):
                if now_s - path.stat().st_mtime > longest_s:
                    path.unlink()


def _file_name(zone: str) -> str:
    """Name of a zone that is a name of a file, too, and another one for another zone."""
    plain = re.sub(r"[^A-Za-z0-9-]", "_", zone)[:60]
    return plain if plain == zone else f"{plain}.{hashlib.sha256(zone.encode()).hexdigest()[:12]}"


def _folder(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True, mode=0o700)


def _write(path: Path, text: str) -> None:
    """Write a file that this user alone may read, whole or not at all."""
    _folder(path.parent)
    files.put(path, text.encode(), mode=0o600)


def _parsed(content: bytes, *, method: str) -> Kept:
    data = json.loads(content)
    if (data["version"], data["method"]) != (VERSION, method):
        raise ValueError("an answer of another version, or of figures of another method")
    start, end = (datetime.fromtimestamp(at, UTC) for at in data["asked"])
    points = tuple(
        Point(datetime.fromtimestamp(a, UTC), datetime.fromtimestamp(b, UTC), _number(value), bool(forecast))
        for a, b, value, forecast in data["points"]
    )
    return Kept(fetched_s=float(data["fetched_s"]), start=start, end=end, points=points)


def _number(value: object) -> float | None:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return None if value is None else float(value)
    raise ValueError("no number")
