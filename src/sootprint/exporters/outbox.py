"""The outbox: records that wait for a place, one file each, written whole and removed when the place has answered.

Its names hold the record's id and a hash of its content, so that the same content waits once, and a version that is
made meanwhile waits beside it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from sootprint.core import files
from sootprint.core.errors import ExportError
from sootprint.core.locks import taken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sootprint.core.records import Footprint

FOLDER = "outbox"
ADDRESS = "address"
LOCK = "lock"
REFUSED = "refused"
PROMISED = ".promised"
HUB = "hub:"
HASH_LENGTH = 16


class Outbox:
    """Records of one home that wait for one place.

    Args:
        home: Home of the user.
        address: The place as the settings name it, a hub also by its address alone; no address has a password.
    """

    def __init__(self, home: Path, address: str) -> None:
        self.address, self.home = address.removeprefix(HUB), home
        digest = hashlib.sha256(self.address.encode("utf-8", "replace")).hexdigest()
        self.folder = home / FOLDER / digest[:HASH_LENGTH]

    def put(self, footprint: Footprint) -> Path:
        """File in which a record waits; the disk has it when this returns.

        Raises:
            ExportError: It cannot be written.
        """
        text = footprint.to_json().encode("utf-8", "replace")
        name = f"{footprint.id}.{hashlib.sha256(text).hexdigest()[:HASH_LENGTH]}.json"
        path = self.folder / name
        try:
            if not path.exists():
                self._make()
                files.put(path, text, forces=True)
        except OSError as err:
            raise ExportError(
                f"{path} cannot be written: {err.strerror or err}; make room and send the record again"
            ) from err
        return path

    def promise(self, key: str) -> None:
        """Note that the record of a run that has only begun is to be sent; it outlives a kill.

        Raises:
            ExportError: It cannot be written.
        """
        path = self.folder / f"{key}{PROMISED}"
        try:
            self._make()
            path.touch(mode=0o600)
        except OSError as err:
            raise ExportError(
                f"{path} cannot be written: {err.strerror or err}; send the run's record at its end"
            ) from err

    def promised(self) -> list[str]:
        """Runs whose records are still to come, the oldest first."""
        found = self.folder.glob(f"*{PROMISED}") if self.folder.is_dir() else ()
        return sorted(path.name.removesuffix(PROMISED) for path in found)

    def keep_promise(self, key: str) -> None:
        """Forget a promise: the record waits now, or will never come."""
        self.folder.joinpath(f"{key}{PROMISED}").unlink(missing_ok=True)

    def waiting(self) -> list[Path]:
        """Files that wait, by the times in the ids of their records."""
        return sorted(self.folder.glob("*.json")) if self.folder.is_dir() else []

    def done(self, path: Path) -> None:
        """Forget a record that the place has."""
        path.unlink(missing_ok=True)

    def refuse(self, path: Path, why: str) -> Path:
        """Put aside a record that the place will not take, with its reason beside it."""
        aside = self.folder / REFUSED
        aside.mkdir(exist_ok=True, mode=0o700)
        aside.joinpath(f"{path.stem}.txt").write_text(f"{why}\n", encoding="utf-8")
        with contextlib.suppress(FileNotFoundError):  # whoever sends has done so
            path.rename(aside / path.name)
        return aside / path.name

    @contextlib.contextmanager
    def sending(self, limit_s: float) -> Iterator[None]:
        """The time in which this process alone sends what waits.

        Args:
            limit_s: Longest wait for another process that sends [s].

        Raises:
            ExportError: Another one sends on; what waits may go with it.
        """
        self._make()
        descriptor = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if not taken(descriptor, limit_s):
                raise ExportError("another process is sending what waits")
            yield
        finally:
            os.close(descriptor)

    def _make(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / ADDRESS
        if not path.exists():
            files.put(path, f"{self.address}\n".encode("utf-8", "replace"), forces=True)


def places(home: Path) -> list[str]:
    """Places but hubs for which something of a home waits or is promised, as the settings name them."""
    found = []
    for path in sorted(home.joinpath(FOLDER).glob(f"*/{ADDRESS}")):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            address = path.read_text(encoding="utf-8").strip()
            box = Outbox(home, address)
            if not address.startswith(("http://", "https://")) and (box.waiting() or box.promised()):
                found.append(address)
    return found


def forget(home: Path, key: str) -> None:
    """Send no record of a run that was deleted: what waits, was promised or refused is removed.

    Raises:
        OSError: A file cannot be removed.
    """
    for pattern in (f"*/{key}.*", f"*/{REFUSED}/{key}.*"):
        for path in home.joinpath(FOLDER).glob(pattern):
            path.unlink(missing_ok=True)


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
