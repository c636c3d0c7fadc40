"""From settings to a running node service: meters, folder, sockets, signals."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import socket
import stat
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sootprint import __version__
from sootprint.core.errors import InputError, MeterError
from sootprint.core.protocols import Machine, Meter
from sootprint.tracker import identity, neighbours
from sootprint.tracker.books import Books
from sootprint.tracker.fold import GAP_PERIODS
from sootprint.tracker.neighbours import Neighbour
from sootprint.tracker.registration import VISIBLE, boot_of
from sootprint.tracker.sampler import Sampler, guarded
from sootprint.tracker.service.desk import Desk
from sootprint.tracker.service.page import Page
from sootprint.tracker.service.server import Server
from sootprint.tracker.service.state import StateFolder

if TYPE_CHECKING:
    from sootprint.settings import Settings

BACKLOG = 256
WAITS_PERIODS = 12.0  # in which runs that read for themselves look for a service that is back
SOCKET_MODE = 0o666  # everybody may ask; who asks is told by the kernel


class Address(NamedTuple):
    """Where figures are told over HTTP."""

    host: str
    port: int


class Order(NamedTuple):
    """How the service is to run.

    Args:
        socket: Path of its socket.
        state: Its folder.
        metrics: Where figures are told, or None.
        pods: Whether pods are charged.
        user_of: What a user is called in the figures, by number.
        say: Called with one line for a person.
    """

    socket: Path
    state: Path
    metrics: Address | None
    pods: bool
    user_of: Callable[[int], str]
    say: Callable[[str], object]


def serve(settings: Settings, order: Order) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        InputError: A socket or folder cannot be had.
        MeterError: No meter can be read.
    """
    environ = {name: value for name, value in os.environ.items() if name not in VISIBLE}
    machine = dataclasses.replace(
        settings.machine(), environ=environ, sysfs=os.path.realpath(settings.sysfs), home=str(order.state)
    )
    with contextlib.ExitStack() as stack:
        meters = _meters(machine)
        for meter in meters:
            stack.callback(getattr(meter, "close", _nothing))
        server = _server(machine, settings, order, meters)
        stack.callback(server.close)
        page = ""
        if order.metrics is not None:
            listener = stack.enter_context(_listening_web(order.metrics))
            server.listen(listener, for_page=True)
            page = f"; figures at {_web_address(order.metrics.host, listener.getsockname()[1])}"
        server.listen(stack.enter_context(_listening(order.socket)))
        stack.enter_context(_ended_by_signals(server))
        order.say(f"serving on {order.socket}: {', '.join(meter.name for meter in meters)}{page}")
        server.run()


def _web_address(host: str, port: int) -> str:
    """Address of the page of figures.

    >>> _web_address("127.0.0.1", 9466), _web_address("::1", 9466)
    ('http://127.0.0.1:9466/metrics', 'http://[::1]:9466/metrics')
    """
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/metrics"


def _server(machine: Machine, settings: Settings, order: Order, meters: list[Meter]) -> Server:
    try:
        state = StateFolder(order.state, boot_of(machine.procfs))
    except OSError as err:
        raise InputError(
            f"{order.state} cannot be used ({err.strerror}): name a folder with --state"
        ) from err
    sampler = Sampler(
        machine,
        meters,
        start_s=machine.clock.monotonic_s(),
        period_s=settings.period_s,
        max_gap_s=GAP_PERIODS * settings.period_s,
    )
    desk = Desk(
        machine,
        Books(machine, sampler, meters),
        state=state,
        head=_head(settings, order.state),
        facts=_facts(meters, order.say),
        rulers=frozenset({0, os.geteuid()}),
    )
    desk.user_of, desk.sees_pods = order.user_of, order.pods
    desk.beside = _beside(str(order.socket), machine, WAITS_PERIODS * settings.period_s)
    desk.resume()
    return Server(desk, sampler, machine.clock, period_s=settings.period_s, page=Page(desk, machine.clock))


def _beside(socket: str, machine: Machine, wait_s: float) -> Callable[[], Sequence[Neighbour]]:
    """Tells who is here of all users, until those who are to come have come."""
    clock, until_s = machine.clock, machine.clock.monotonic_s() + wait_s
    neighbours.furnish(socket)
    seen = neighbours.Neighbours(socket, machine.procfs)
    seen.look()
    return lambda: seen.others() if clock.monotonic_s() < until_s else ()


def _meters(machine: Machine) -> list[Meter]:
    from sootprint.meters import probe

    meters, _ = probe.discover_all(machine)
    if not meters:
        raise MeterError("no meter can be read here: `sootprint doctor` says why")
    return meters


def _facts(meters: list[Meter], say: Callable[[str], object]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for meter in meters:
        guarded(lambda meter=meter: _add_facts(meter, found), say)  # type: ignore[misc]
    return found


def _add_facts(meter: Meter, found: dict[str, Any]) -> None:
    known = getattr(meter, "facts", _nothing)()
    if known is not None:
        found[meter.name] = dataclasses.asdict(known)


def _nothing() -> None:
    """Facts and close of a meter that has neither."""


def _head(settings: Settings, state: Path) -> dict[str, Any]:
    """What the record of each job states of the place."""
    from sootprint import place

    here = place.resolve(settings.stated_places(), clusters=settings.cluster_places(), sysfs=settings.sysfs)
    return {
        "tool_version": __version__,
        "period_s": settings.period_s,
        "zone": here.zone,
        "place_source": here.source,
        "place_fix": here.fix,
        "year": settings.year,
        "pue": settings.pue_on(datetime.now(UTC).date(), site=here.site),
        "cpu_threads": os.cpu_count(),
        "node": identity.node(state),
    }


@contextlib.contextmanager
def _listening(path: Path) -> Iterator[socket.socket]:
    """The service's socket, removed at the end.

    Raises:
        InputError: Another service has it, or it cannot be made.
    """
    _clear(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        listener.bind(str(draft))
        draft.chmod(SOCKET_MODE)
        listener.listen(BACKLOG)
        draft.replace(path)  # it is seen only once it answers
    except OSError as err:
        listener.close()
        raise InputError(
            f"{path} cannot be made a socket ({err.strerror or err}): name another with --socket"
        ) from err
    inode = path.stat().st_ino
    try:
        yield listener
    finally:
        listener.close()
        with contextlib.suppress(OSError):
            if path.stat().st_ino == inode:
                path.unlink()


def _clear(path: Path) -> None:
    """Refuse to take the place of a service that lives, or of a file that is none."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise InputError(f"{path} is there and is no socket: name another with --socket")
    except OSError:
        return
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    probe.settimeout(1.0)
    try:
        probe.connect(str(path))
    except (ConnectionRefusedError, FileNotFoundError):
        return
    except OSError as err:
        raise InputError(f"{path} cannot be asked ({err.strerror or err})") from err
    finally:
        probe.close()
    raise InputError(f"a node service answers on {path} already")


@contextlib.contextmanager
def _listening_web(address: Address) -> Iterator[socket.socket]:
    """The socket of the page of figures.

    Raises:
        InputError: It cannot be had.
    """
    try:
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        listener = socket.create_server(address, family=family, backlog=BACKLOG)
    except OSError as err:
        raise InputError(
            f"{address.host}:{address.port} cannot be listened on ({err.strerror or err}): "
            "name another with --metrics, or --metrics off"
        ) from err
    with listener:
        yield listener


@contextlib.contextmanager
def _ended_by_signals(server: Server) -> Iterator[None]:
    """Let SIGTERM and SIGINT end the service between two requests."""

    def stop(number: int, frame: object) -> None:
        server.stopping = True

    reading, writing = socket.socketpair()
    writing.setblocking(False)
    server.wake_by(reading)
    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    wakeup = signal.set_wakeup_fd(writing.fileno())
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        reading.close()
        writing.close()
