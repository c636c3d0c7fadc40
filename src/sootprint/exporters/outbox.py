"""The outbox: records that wait for a hub, one file each, written whole and removed when the hub has answered for them.

Its names hold the record's id and a hash of its content, so that the same content waits once, and a version that is
made meanwhile waits beside it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from sootprint.core.errors import HubError
from sootprint.core.records import Footprint

FOLDER = "outbox"
REFUSED = "refused"
PROMISED = ".promised"
HASH_LENGTH = 16


class Outbox:
    """Records of one home that wait for one hub.

    Args:
        home: Home of the user.
        address: Address of the hub.
    """

    def __init__(self, home: Path, address: str) -> None:
        self.address, self.home = address, home
        self._folder = home / FOLDER / hashlib.sha256(address.encode()).hexdigest()[:HASH_LENGTH]

    def put(self, footprint: Footprint) -> Path:
        """File in which a record waits; the disk has it when this returns.

        Raises:
            HubError: It cannot be written.
        """
        text = footprint.to_json().encode("utf-8", "replace")
        name = f"{footprint.id}.{hashlib.sha256(text).hexdigest()[:HASH_LENGTH]}.json"
        path = self._folder / name
        try:
            if not path.exists():
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._folder.joinpath("hub").write_text(f"{self.address}\n", encoding="utf-8")
                _write(path, text)
        except OSError as err:
            raise HubError(
                f"{path} cannot be written: {err.strerror or err}; make room and push again"
            ) from err
        return path

    def promise(self, key: str) -> None:
        """Note that the record of a run that has only begun is to be sent; it outlives a kill.

        Raises:
            HubError: It cannot be written.
        """
        path = self._folder / f"{key}{PROMISED}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
        except OSError as err:
            raise HubError(
                f"{path} cannot be written: {err.strerror or err}; push the run at its end"
            ) from err

    def promised(self) -> list[str]:
        """Runs whose records are still to come, the oldest first."""
        found = self._folder.glob(f"*{PROMISED}") if self._folder.is_dir() else ()
        return sorted(path.name.removesuffix(PROMISED) for path in found)

    def keep_promise(self, key: str) -> None:
        """Forget a promise: the record waits now, or will never come."""
        self._folder.joinpath(f"{key}{PROMISED}").unlink(missing_ok=True)

    def waiting(self) -> list[Path]:
        """Files that wait, by the times in the ids of their records."""
        return sorted(self._folder.glob("*.json")) if self._folder.is_dir() else []

    def done(self, path: Path) -> None:
        """Forget a record that the hub has."""
        path.unlink(missing_ok=True)

    def refuse(self, path: Path, why: str) -> Path:
        """Put aside a record that the hub will not take, with its reason beside it."""
        aside = self._folder / REFUSED
        aside.mkdir(exist_ok=True, mode=0o700)
        aside.joinpath(f"{path.stem}.txt").write_text(f"{why}\n", encoding="utf-8")
        return path.rename(aside / path.name)


def batches(paths: list[Path], *, most: int, most_bytes: int) -> Iterator[list[tuple[Path, bytes]]]:
    """Files with their texts in batches of at most some records and bytes; one that has gone meanwhile is left out."""
    batch: list[tuple[Path, bytes]] = []
    size = 0
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            text = path.read_bytes()
            if batch and (len(batch) == most or size + len(text) > most_bytes):
                yield batch
                batch, size = [], 0
            batch.append((path, text))
            size += len(text)
    if batch:
        yield batch


def _write(path: Path, text: bytes) -> None:
    """Write a file so that it appears whole or not at all, even after a power cut."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
