"""A real PostgreSQL for the tests: a cluster in a folder of its own, on loopback, stopped when they end."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

MISSING = "PostgreSQL is not installed (Debian: postgresql-15)"
TAKES_S = 60.0
DATABASE, USER = "postgres", "hub"


def programs() -> Path | None:
    """Folder of the newest PostgreSQL's programs; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


def owner() -> tuple[str, ...]:
    """Words before a command that make it run without root's rights, which PostgreSQL refuses."""
    return ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()


@contextlib.contextmanager
def running(bin_folder: Path, folder: Path | None = None) -> Iterator[str]:
    """Address of a server that runs as long as the context, in a folder of its own or a small one that is given."""
    small = () if folder is None else ("--wal-segsize=1",)
    with contextlib.ExitStack() as undo:
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix="soot-pg-", dir="/tmp"))
            undo.callback(shutil.rmtree, folder, ignore_errors=True)
        if owner():
            os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
        data, port = folder / "data", _free_port()
        _call(
            bin_folder / "initdb",
            "-D",
            data,
            "-A",
            "trust",
            "-U",
            USER,
            "--no-sync",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            *small,
        )
        start(bin_folder, data, port)
        undo.callback(stop, bin_folder, data)
        yield f"postgresql://{USER}@127.0.0.1:{port}/{DATABASE}?options=-csearch_path%3Dpublic"


def start(bin_folder: Path, data: Path, port: int) -> None:
    """Start the server of a folder, and wait until it answers."""
    words = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={data.parent} -c fsync=off"
    _call(
        bin_folder / "pg_ctl", "-D", data, "-w", "-t", "30", "-l", data.parent / "log", "-o", words, "start"
    )


def runs(bin_folder: Path, data: Path) -> bool:
    """Whether the server of a folder runs: one that cannot write its log stops by itself."""
    words = [*owner(), str(bin_folder / "pg_ctl"), "-D", str(data), "status"]
    return subprocess.run(words, timeout=TAKES_S, capture_output=True, cwd="/").returncode == 0


def stop(bin_folder: Path, data: Path) -> None:
    """Stop the server of a folder at once."""
    _call(bin_folder / "pg_ctl", "-D", data, "-w", "-t", "30", "-m", "immediate", "stop")


def _call(*words: object) -> None:
    command: Sequence[str] = [*owner(), *map(str, words)]
    # A server that outlives pg_ctl would hold a pipe open: its output goes nowhere.
    subprocess.run(
        command, check=True, timeout=TAKES_S, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
