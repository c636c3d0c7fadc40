"""Serving: one process on SQLite, or several workers on PostgreSQL; SIGTERM lets running requests finish."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from sootprint.core.errors import HubError, InputError
from sootprint.core.records import Footprint
from sootprint.hub import database, heap, logs, opening, secrets
from sootprint.hub.app import application
from sootprint.hub.context import LOOPBACK, Hub
from sootprint.hub.files.dumps import FOLDER as RELEASES
from sootprint.hub.insight import projections
from sootprint.hub.metrics import Metrics
from sootprint.hub.patience import Patient

GRACE_S = 20  # for requests that run when the server is told to stop
HANDED_ON = "_SOOTPRINT_HUB"  # to the workers, which are processes of their own
KEEP_ALIVE_S = 30
BACKLOG = 2048  # connections that wait while the workers start


Own = Callable[[], Footprint | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How a hub is to be served.

    Args:
        home: Folder of the database, where it is SQLite, and of the server's key.
        host: Address to listen on.
        port: Port; 0 for any that is free.
        database_url: Address of the database, or None for SQLite in the home.
        key_file: File of the server's key, or None for one in the home.
        tokens: Whether tokens are needed even on loopback.
        hosts: More names by which the hub may be called.
        public_url: Where the hub is reached from outside, for links.
        workers: Processes.
    """

    home: Path
    host: str = "127.0.0.1"
    port: int = 8765
    database_url: str | None = None
    key_file: Path | None = None
    tokens: bool = False
    hosts: tuple[str, ...] = ()
    public_url: str | None = None
    workers: int = 1

    @property
    def single_user(self) -> bool:
        """Whether the hub has one user and no tokens."""
        return self.host in LOOPBACK and not self.tokens


def hub_of(order: Order, port: int) -> Hub:
    """A hub, its tables up to date.

    Raises:
        HubError: The database cannot be reached.
        SettingsError: The key cannot be read.
    """
    engine = database.connect(database.url_of(order.database_url, order.home))
    opening.bring_up(engine)
    database.study(engine)
    threading.Thread(target=database.read_ahead, args=(engine,), daemon=True).start()
    if not projections.is_made(engine):  # too many records to wait for
        threading.Thread(target=projections.catch_up, args=(engine,), daemon=True).start()
    shown = f"[{order.host}]" if ":" in order.host else order.host
    return Hub(
        engine=engine,
        key=secrets.key_of(order.key_file or order.home / secrets.FILE_NAME),
        single_user=order.single_user,
        hosts=frozenset({*LOOPBACK, order.host, *order.hosts}),
        address=(order.public_url or f"http://{shown}:{port}").rstrip("/"),
        releases=order.home / RELEASES,
    )


def serve(order: Order, *, started: Callable[[str], None], own: Own = lambda: None) -> None:
    """Serve until SIGTERM or Ctrl-C.

    Args:
        order: How.
        started: Called with the address before the first request is answered.
        own: What the meters tell of this process so far, for the page of its own footprint.

    Raises:
        InputError: Several workers on SQLite.
        HubError: The address is taken, or the database cannot be reached.
    """
    url = database.url_of(order.database_url, order.home)
    if order.workers > 1 and url.get_backend_name() == "sqlite":
        raise InputError(
            f"{order.workers} workers need PostgreSQL: add --database-url, or leave out --workers"
        )
    listener = _listener(order.host, order.port)
    order = dataclasses.replace(order, port=listener.getsockname()[1])
    hub = dataclasses.replace(hub_of(order, order.port), own=own)
    logs.start()
    started(hub.address)
    if order.workers > 1:
        hub.engine.dispose()
        _serve_many(order, listener)
        return
    heap.calm()
    config = _config(application(hub))
    with contextlib.closing(listener):
        _Server(config).run(sockets=[listener])
    hub.engine.dispose()


def worker() -> ASGIApp:
    """Application of one of several workers, of the order that was handed on."""
    given: dict[str, Any] = json.loads(os.environ[HANDED_ON])
    paths = {name: Path(given[name]) for name in ("home", "key_file") if given[name]}
    logs.start()
    heap.calm()
    counts = Metrics(Path(given.pop("counts")))
    order = Order(**{**given, **paths, "hosts": tuple(given["hosts"])})
    return application(dataclasses.replace(hub_of(order, order.port), metrics=counts))


def _serve_many(order: Order, listener: socket.socket) -> None:
    from uvicorn.supervisors import Multiprocess

    with tempfile.TemporaryDirectory(prefix="counts-", dir=order.home, ignore_cleanup_errors=True) as counts:
        given = {**dataclasses.asdict(order), "counts": counts}
        os.environ[HANDED_ON] = json.dumps(given, default=str)
        config = _config("sootprint.hub.serve:worker", factory=True, workers=order.workers)
        Multiprocess(config, sockets=[listener]).run()


def _config(app: ASGIApp | str, **more: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Patient,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=KEEP_ALIVE_S,
        h11_max_incomplete_event_size=32 << 10,
        **more,
    )


class _Server(uvicorn.Server):
    """A server whose stop by signal is a success."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle SIGINT and SIGTERM, without raising them again at the end."""
        known = {one: signal.signal(one, self.handle_exit) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for one, handler in known.items():
                signal.signal(one, handler)


def _listener(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else small answers wait 40 ms for an ACK
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(BACKLOG)
    except OSError as err:
        raise HubError(
            f"cannot listen on {host} port {port}: {err.strerror or err}; name another --port"
        ) from err
    made.set_inheritable(True)
    return made
