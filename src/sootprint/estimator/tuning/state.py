"""Slices on disk, one JSON line each, so that a tuning that was killed goes on where it stopped."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path

from sootprint.core.errors import RecordError
from sootprint.estimator.tuning.plan import Setting
from sootprint.estimator.tuning.slices import Slice


class State:
    """Slices of one tuning that are measured.

    Args:
        path: File of JSON lines; its folder is made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._slices: dict[tuple[int, str], Slice] = {}
        for line in self._lines():
            self._take(line)

    def _lines(self) -> list[str]:
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        whole, _, torn = text.rpartition("\n")
        if torn:  # killed while it was written: that slice is measured again
            self.path.write_text(whole + "\n" if whole else "", encoding="utf-8")
        return whole.splitlines()

    def _take(self, line: str) -> None:
        try:
            data = json.loads(line)
            one = Slice(**data)
        except (ValueError, TypeError) as err:
            raise RecordError(
                f"{self.path} has a line that is no slice ({err}): start anew with --fresh"
            ) from None
        self._slices[one.round, _key(one.setting)] = one

    def get(self, number: int, setting: Setting) -> Slice | None:
        """Slice of a round and setting, or None where it is not measured yet."""
        return self._slices.get((number, _key(setting)))

    def failed(self, setting: Setting) -> Slice | None:
        """A slice of a setting that failed, or None."""
        wanted = _key(setting)
        return next((one for (_, key), one in self._slices.items() if key == wanted and one.failed), None)

    def add(self, one: Slice) -> None:
        """Keep a slice, on the disk before this returns."""
        self._slices[one.round, _key(one.setting)] = one
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(dataclasses.asdict(one)) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def all(self) -> list[Slice]:
        """Slices in the order in which they were measured."""
        return list(self._slices.values())


def _key(setting: Mapping[str, str]) -> str:
    return json.dumps(sorted(setting.items()))
