"""A PostgreSQL of its own for a bench of the hub, that keeps what it acknowledged: fsync and synchronous_commit on.

    python bench/hub_postgres.py CLUSTER            start it, print its address, stop it at Ctrl-C

The benches of the hub take `--cluster CLUSTER`, a folder, instead of `--database-url`: they start PostgreSQL on it
(made where it is not there), measure, and stop it by its process id. As root it runs as the user `postgres`. The
settings in `SIZED` are those that the how-to of the hub asks for; all others are those that PostgreSQL ships with.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa

from sootprint.hub import database

TAKES_S = 120.0
USER, DATABASE = "hub", "postgres"
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
SIZED = {"shared_buffers": "2GB", "max_wal_size": "4GB"}
TOLD = (*DURABLE, *SIZED, "server_version", "work_mem")
MIB = 1 << 20
STOPS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A server on a folder, which runs.

    Args:
        folder: Folder of its data, its log and its socket.
        port: Where it listens on loopback.
    """

    folder: Path
    port: int

    @property
    def data(self) -> Path:
        """Folder of the data."""
        return self.folder / "data"

    @property
    def url(self) -> str:
        """Address of its database."""
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{DATABASE}"

    def start(self) -> float:
        """Start it; seconds until it answers, recovery included [s]."""
        given = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.folder,
            **DURABLE,
            **SIZED,
        }
        words = " ".join(f"-c {name}={value}" for name, value in given.items())
        began_s = time.monotonic()
        _call("pg_ctl", "-D", self.data, "-w", "-t", "300", "-l", self.folder / "log", "-o", words, "start")
        return time.monotonic() - began_s

    def main(self) -> psutil.Process | None:
        """Its first process; None where it does not run."""
        with contextlib.suppress(FileNotFoundError, psutil.NoSuchProcess):
            return psutil.Process(int(self.data.joinpath("postmaster.pid").read_text().split()[0]))
        return None

    def stop(self) -> None:
        """Stop it by its process id, as soon as all is written, and wait until it is gone."""
        main = self.main()
        if main is not None:
            main.send_signal(signal.SIGINT)
            main.wait(TAKES_S)

    def kill(self) -> None:
        """Kill -9 of all of its processes."""
        main = self.main()
        assert main is not None
        every = [main, *main.children()]
        for one in every:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(every, TAKES_S)
        for lock in (self.data / "postmaster.pid", *self.folder.glob(".s.PGSQL.*")):
            lock.unlink(missing_ok=True)  # its number may live on in a zombie

    def cpu_s(self) -> float:
        """CPU time of all of its processes, also those that have ended [s]."""
        main = self.main()
        assert main is not None
        times = main.cpu_times()
        ended_s = times.children_user + times.children_system
        return ended_s + sum(spent_s(one) for one in (main, *main.children()))

    def memory(self) -> dict[str, int]:
        """Memory of all of its processes together, shared pages counted once [MiB]."""
        main = self.main()
        assert main is not None
        every = [main, *main.children()]
        return {"postgres_mib": round(sum(one.memory_full_info().pss for one in every) / MIB)}


def spent_s(process: psutil.Process) -> float:
    """CPU time of a process; 0 where it has ended [s]."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


@contextlib.contextmanager
def given(folder: Path | None) -> Iterator[Cluster | None]:
    """A server on a folder, as long as the context runs; None where none is asked for."""
    if folder is None:
        yield None
        return
    for stop in STOPS:  # a bench that is told to end does not leave it running
        signal.signal(stop, lambda number, _: sys.exit(128 + number))
    cluster = Cluster(folder.resolve(), _free_port())
    if not cluster.data.exists():
        _made(cluster.data)
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()


@contextlib.contextmanager
def empty(url: str) -> Iterator[str]:
    """Address of a new database of a server, dropped at the end."""
    name = f"bench_{os.getpid()}"
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
        try:
            yield sa.make_url(url).set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


def warmed(url: str) -> dict[str, Any]:
    """Time of reading ahead, as the hub has it done as it starts."""
    engine = sa.create_engine(url)
    began_s = time.monotonic()
    read = database.read_ahead(engine)
    took_s = time.monotonic() - began_s
    engine.dispose()
    kind = "lists, words and leaderboards read into PostgreSQL's memory by the hub, before the pages"
    return {"kind": kind, "read_mib": round(read / MIB), "took_s": round(took_s, 1)}


def settings(url: str) -> dict[str, Any]:
    """Settings of a server that its figures depend on.

    Raises:
        SystemExit: It does not keep what it acknowledged.
    """
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = {name: str(connection.scalar(sa.text(f"SHOW {name}"))) for name in TOLD}
    engine.dispose()
    loose = [name for name, wanted in DURABLE.items() if found[name] != wanted]
    if loose:
        raise SystemExit(f"{', '.join(loose)} of this PostgreSQL is off: its figures would not be a hub's")
    return found


def _made(data: Path) -> None:
    data.parent.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(data.parent, pwd.getpwnam("postgres").pw_uid, -1)
    _call("initdb", "-D", data, "-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C.UTF-8")


def _call(program: str, *words: object) -> None:
    owner = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
    command: Sequence[str] = [*owner, str(_programs() / program), *map(str, words)]
    # A server that outlives pg_ctl would hold a pipe open: its output goes nowhere.
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        raise SystemExit("PostgreSQL is not installed (Debian: postgresql-15)")
    return found[-1].parent if found else Path(str(on_path)).parent


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    """Exit code 0 once it was stopped."""
    if len(sys.argv) != 2:
        raise SystemExit(str(__doc__))
    with given(Path(sys.argv[1])) as cluster:
        assert cluster is not None
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        print(cluster.url, flush=True)
        signal.sigwait(STOPS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
