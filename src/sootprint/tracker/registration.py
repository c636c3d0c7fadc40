"""Registrations: files by which the runs of one machine see each other.

`ID.json` is held by the run of that identity while it lives. When it leaves, the file is named `ID.left` until either
the one that reads has taken it away, to settle the account, or the run itself, as nobody answered.
"""

from __future__ import annotations

import functools
import json
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from sootprint.core import classes
from sootprint.core.held import Held
from sootprint.core.protocols import Machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NamedTuple
else:
    from sootprint.core.named import NamedTuple

if sys.platform != "win32":
    import fcntl

SUFFIX, LEFT = ".json", ".left"
HERE = ".here"  # after the name of the node service's socket: the file on which runs say that they are here
MOST_BYTES = 100_000  # of a registration
VISIBLE = ("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER")


class Registration(NamedTuple):
    """A run that is here.

    Args:
        id: Its identity.
        pid: Process whose tree it charges.
        parent: Run that it is a part of.
        strict: Whether it pays for its own processes alone.
        environ: Variables that say which accelerators it may use.
        group: Job that it is a rank of.
        rank: Its rank among those of the job on this machine.
        writes: Whether it writes a record, which of a job's ranks only one does.
        service: Socket of the node service that it goes to where that is there, or None where it is refused.
        since_s: Monotonic instant of its first look at the counters, or None where it saw none [s].
        namespace: Namespace of its process number, or None where that is the one of this process.
    """

    id: str
    pid: int
    parent: str | None = None
    strict: bool = False
    environ: Mapping[str, str] = {}
    group: str | None = None
    rank: int | None = None
    writes: bool = True
    service: str | None = None
    since_s: float | None = None
    namespace: int | None = None


def visible(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of an environment that say which accelerators a run may use."""
    return {name: environ[name] for name in VISIBLE if name in environ}


def unhidden(machine: Machine) -> Machine:
    """A machine as it is where no environment hides an accelerator."""
    environ = {name: value for name, value in machine.environ.items() if name not in VISIBLE}
    return classes.replace(machine, environ=environ)


def run_above(others: Mapping[str, Registration], procfs: str) -> str | None:
    """The run whose process began this one, the nearest above, or None where none did.

    Args:
        others: Live registrations.
        procfs: Root of the process tree.
    """
    above = [one for one in others.values() if one.writes and one.namespace is None]
    known = {one.pid: one.id for one in above if one.pid != os.getpid()}
    if not known:
        return None
    from sootprint.tracker.trees import ancestors

    return next((known[pid] for pid in ancestors(os.getpid(), procfs) if pid in known), None)


def opened(path: Path) -> Held:
    """A file that only this user can use, made where it is not there.

    Raises:
        OSError: It cannot be opened.
    """
    return Held(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def make_private(folder: Path) -> None:
    """Make a folder and those above it that only this user can use, whatever the umask.

    Raises:
        OSError: It cannot be made, or somebody else can write to it.
    """
    for path in (folder.parent.parent, folder.parent, folder):
        path.mkdir(parents=path == folder.parent.parent, exist_ok=True, mode=0o700)
    top = folder.parent.parent.stat()
    if top.st_uid not in (0, os.geteuid()) or (top.st_mode & 0o002 and not top.st_mode & stat.S_ISVTX):
        raise PermissionError(1, "others may replace what is in it")
    for path in (folder, folder.parent):
        facts = path.lstat()
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid() or facts.st_mode & 0o022:
            raise PermissionError(1, "others may write to it")


def locked(file: Held, *, shared: bool = False) -> bool:
    """Whether this process holds the lock of a file now.

    Args:
        file: The file.
        shared: Whether others may hold it in the same way.

    Raises:
        OSError: Files cannot be locked here.
    """
    try:
        fcntl.flock(file.number, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@functools.cache
def boot_of(procfs: str) -> str:
    """Identity of this boot: the monotonic clock of another one tells nothing."""
    try:
        return (Path(procfs) / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


@functools.cache
def namespace() -> int:
    """Number of this process's namespace of process numbers; 0 where there is none."""
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return 0


def is_gone(pid: int) -> bool:
    """Whether no process has this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError, TypeError):
        return False
    return False


def read(path: Path) -> Registration | None:
    """Registration whose process lives; a file that is none is left alone, that of a dead run removed."""
    if path.suffix not in (SUFFIX, LEFT):
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        held = Held(descriptor)
        content = None if locked(held) else json.loads(os.read(descriptor, MOST_BYTES))
        if content is None and not held.is_at(path):  # it has changed since it was opened, and is held again
            return read(path)
        if content is None or _left_by(content):
            path.unlink(missing_ok=True)
            return None
        return _registration(content)
    except (OSError, ValueError):
        return None
    finally:
        os.close(descriptor)


def is_owed(folder: Path, run: str) -> bool:
    """Whether a run is charged until now: it is here, or has left and waits for its account.

    One that waits is told once, by its file that is taken away: from then on it waits for as long as that takes.

    Args:
        folder: Folder of the registrations.
        run: Identity of the run.
    """
    if (folder / f"{run}{SUFFIX}").exists() or not folder.exists():
        return True
    left = folder / f"{run}{LEFT}"
    return read(left) is not None and taken_away(left)


def taken_away(path: Path) -> bool:
    """Whether a file was there and is no longer; of several that ask, one is answered so."""
    try:
        path.unlink()
    except OSError:
        return False
    return True


def _left_by(content: Any) -> bool:
    """Whether the process of a registration has gone, though a child that was forked by a library holds it."""
    if not isinstance(content, dict) or not isinstance(content.get("pid"), int):
        return False
    return content.get("namespace") == namespace() and is_gone(content["pid"])


def _registration(data: Any) -> Registration | None:
    if (
        not isinstance(data, dict)
        or not isinstance(data.get("id"), str)
        or not isinstance(data.get("pid"), int)
    ):
        return None
    parent, environ = data.get("parent"), data.get("environ")
    return Registration(
        id=data["id"],
        pid=data["pid"],
        parent=parent if isinstance(parent, str) else None,
        strict=data.get("strict") is True,
        environ=environ if isinstance(environ, dict) else {},
        group=data.get("group") if isinstance(data.get("group"), str) else None,
        rank=data.get("rank") if isinstance(data.get("rank"), int) else None,
        writes=data.get("writes") is not False,
        service=data.get("service") if isinstance(data.get("service"), str) else None,
        since_s=data.get("since_s") if isinstance(data.get("since_s"), float) else None,
        namespace=_other(data.get("namespace")),
    )


def _other(space: Any) -> int | None:
    """A namespace that is not the one of this process."""
    return space if isinstance(space, int) and space != namespace() else None
