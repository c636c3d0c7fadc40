"""What the node service keeps on disk: where it was, and the records of jobs that have ended.

The folder belongs to the service alone. A record is handed out over the socket, to the user who owned the job.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sootprint.core import files
from sootprint.core.errors import RecordError

MOST_RECORDS = 1_000  # of one user; the oldest are removed
_STATE, _RECORDS, _JOURNALS = "state.json", "records", "journal"


class StateFolder:
    """The service's folder.

    Args:
        root: The folder; made if it is missing.
        boot: Identity of this boot: the monotonic clock of another one tells nothing.

    Raises:
        OSError: It cannot be made.
    """

    def __init__(self, root: Path, boot: str) -> None:
        self._root, self._boot = root, boot
        self.journals = root / _JOURNALS
        for folder in (root, self.journals, root / _RECORDS):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def save(self, content: Mapping[str, Any]) -> None:
        """Replace what was kept.

        Raises:
            OSError: It cannot be written; the old state is as it was.
        """
        text = json.dumps({"boot": self._boot, **content}, separators=(",", ":"))
        files.put(self._root / _STATE, text.encode(), mode=0o600)

    def load(self) -> dict[str, Any] | None:
        """What a service of this boot kept, or None."""
        try:
            content = json.loads((self._root / _STATE).read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) and content.get("boot") == self._boot else None

    def keep(self, uid: int, job: str, record: str, text: str) -> None:
        """Keep a record.

        Raises:
            OSError: It cannot be written.
        """
        folder = self._root / _RECORDS / str(uid)
        folder.mkdir(exist_ok=True, mode=0o700)
        files.put(folder / f"{job}@{record}.json", text.encode(), mode=0o600)
        for old in sorted(folder.glob("*.json"), key=_by_age)[:-MOST_RECORDS]:
            with contextlib.suppress(OSError):
                old.unlink()

    def record(self, uid: int, job: str) -> dict[str, Any]:
        """Latest record of a user's job.

        Raises:
            RecordError: There is none.
        """
        folder = self._root / _RECORDS / str(uid)
        found = [path for path in folder.glob("*.json") if path.name.startswith(f"{job}@")]
        for path in sorted(found, key=_by_age, reverse=True):
            with contextlib.suppress(OSError, ValueError):
                content = json.loads(path.read_bytes())
                if isinstance(content, dict):
                    return content
        raise RecordError(f"there is no record of job {job}")


def _by_age(path: Path) -> str:
    return path.stem.rpartition("@")[2]  # an identity that begins with its time
