"""`sootprint node`: one service that reads the meters for all users of a machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sootprint.cli import figures, options, output, shell

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.settings import Settings
    from sootprint.tracker.service.start import Address

DEFAULT_METRICS = "127.0.0.1:9466"
ANSWER_S = 10.0
Socket = Annotated[
    Path | None,
    typer.Option("--socket", metavar="PATH", help="Socket of the service; else the setting `node_socket`."),
]
Metrics = Annotated[
    str,
    typer.Option(
        "--metrics", metavar="HOST:PORT", help="Where Prometheus collects figures; `off` for nowhere."
    ),
]
State = Annotated[
    Path,
    typer.Option("--state", metavar="DIR", help="Folder of the service: where it was, records of jobs."),
]
Period = Annotated[
    str | None,
    typer.Option("--period", metavar="TIME", help="Time between two looks at the meters, e.g. 1s."),
]
Pods = Annotated[bool, typer.Option("--pods", help="Charge each Kubernetes pod of this node.")]
Users = Annotated[
    bool, typer.Option("--user-names", help="Tell users by name, not by number, in the figures.")
]
JobName = Annotated[str, typer.Argument(metavar="JOB", help="Identity of the job at the scheduler.")]
Owner = Annotated[str, typer.Option("--user", metavar="USER", help="User who owns the job: number or name.")]
Pid = Annotated[
    int | None,
    typer.Option("--pid", metavar="PID", parser=options.whole, help="Process that the job descends from."),
]
Group = Annotated[
    Path | None,
    typer.Option(
        "--cgroup", metavar="DIR", help="Folder of the job's control group; else found by its name."
    ),
]
Gpus = Annotated[
    str | None,
    typer.Option(
        "--gpus", metavar="LIST", help="GPUs that the job may use, as CUDA_VISIBLE_DEVICES names them."
    ),
]

node = shell.group("node")
jobs = shell.group("jobs")


@node.callback(invoke_without_command=True)
def root(context: typer.Context) -> None:
    """Read the meters of a machine once for all of its users.

    sootprint node serve --state /var/lib/sootprint
    sootprint node status
    sootprint node record 4711
    """
    shell.helped(context)


@jobs.callback(invoke_without_command=True)
def jobs_root(context: typer.Context) -> None:
    """Tell the service which jobs begin and end: for prolog and epilog.

    sootprint node jobs start 4711 --user alice
    sootprint node jobs end 4711
    """
    shell.helped(context)


@node.command(cls=shell.Command)
def serve(
    socket: Socket = None,
    metrics: Metrics = DEFAULT_METRICS,
    state: State = Path("/var/lib/sootprint"),
    period: Period = None,
    pods: Pods = False,
    user_names: Users = False,
) -> None:
    """Read the meters of this machine for all of its users, until SIGTERM.

    It needs the right to read the counters, and no other: a user of its own in the group `sootprint` will do. Runs
    of all users take their share of what it reads, each user only his own.

        sootprint node serve --state /var/lib/sootprint
        sootprint node serve --socket node.sock --state state --metrics off
    """
    from sootprint import settings
    from sootprint.tracker.service.start import Order, serve

    known = settings.load(period=period)
    order = Order(
        socket=socket or known.node_socket,
        state=state,
        metrics=_address(metrics),
        pods=pods,
        user_of=_name_of if user_names else str,
        say=shell.say,
    )
    serve(known, order)


@node.command(cls=shell.Command)
def status(socket: Socket = None, json: options.Json = False) -> None:
    """Tell what the service charges: your runs and jobs by name, those of others by number.

    sootprint node status
    sootprint node status --json
    """
    answer = _ask(socket, {"op": "status"})
    shown = {name: answer.get(name) for name in ("runs", "jobs", "counts")}
    if json:
        output.print_json(shown)
        return
    counts = [(kind, answer.get("counts", {}).get(f"{kind}s")) for kind in ("run", "job", "pod")]
    print(", ".join(f"{n} {kind}{'' if n == 1 else 's'}" for kind, n in counts), "on this node")
    for kind in ("runs", "jobs"):
        mine = ", ".join(map(str, answer.get(kind, ()))) or figures.DASH
        print(f"your {kind}: {shell.printable(mine)}")


@node.command(cls=shell.Command)
def record(
    job: JobName,
    user: Annotated[
        str | None, typer.Option("--user", metavar="USER", help="Another user's job; for root alone.")
    ] = None,
    socket: Socket = None,
    json: options.Json = False,
) -> None:
    """Print the record of a job of yours that has ended, whether or not it used Sootprint.

    sootprint node record 4711
    sootprint node record 4711 --json | sootprint show -
    """
    from json import dumps

    from sootprint.core.records import Footprint

    request: dict[str, Any] = {"op": "record", "job": job}
    if user is not None:
        request["uid"] = _uid_of(user)
    found = _ask(socket, request)["footprint"]
    if json:
        output.print_json(found)
        return
    print(in_a_line(Footprint.from_json(dumps(found))))


def in_a_line(record: Footprint) -> str:
    """Name, time and energy of a record, and its emissions where its place is known."""
    told = [record.name or record.id, figures.duration(record.duration_s), figures.energy(record.energy_kwh)]
    if record.place.zone is not None and record.emissions_kg is not None:
        told.append(f"{figures.emissions(record.emissions_kg)} CO2e in {record.place.zone}")
    return "  ".join(map(str, told))


@jobs.command(cls=shell.Command)
def start(
    job: JobName,
    user: Owner,
    pid: Pid = None,
    cgroup: Group = None,
    gpus: Gpus = None,
    socket: Socket = None,
    json: options.Json = False,
) -> None:
    """Begin to charge a job: for a prolog, as root.

    sootprint node jobs start 4711 --user alice --gpus 0,1
    sootprint node jobs start 4711 --user 1501 --pid 31415
    """
    request: dict[str, Any] = {"op": "job-start", "job": job, "uid": _uid_of(user), "pid": pid}
    request |= {"cgroup": str(cgroup)} if cgroup is not None else {}
    request |= {"visible": {"CUDA_VISIBLE_DEVICES": gpus}} if gpus is not None else {}
    _told(_ask(socket, request), json=json)


@jobs.command(cls=shell.Command)
def end(job: JobName, socket: Socket = None, json: options.Json = False) -> None:
    """End a job and keep its record: for an epilog, as root.

    sootprint node jobs end 4711
    """
    _told(_ask(socket, {"op": "job-end", "job": job}), json=json)


node.add_typer(jobs, name="jobs")


def _told(answer: dict[str, Any], *, json: bool) -> None:
    if json:
        output.print_json({"record": answer.get("record")})


def _settings() -> Settings:
    from sootprint import settings

    return settings.load()


def _ask(socket: Path | None, request: dict[str, Any]) -> dict[str, Any]:
    from sootprint.tracker.service_client import ServiceError, ask

    path = socket or _settings().node_socket
    if not os.path.lexists(path):
        raise ServiceError(
            f"there is no node service at {path}: `sootprint node serve` starts one, --socket names another"
        )
    return ask(str(path), request, wait_s=ANSWER_S)


def _address(text: str) -> Address | None:
    """Address of a text; None for `off`."""
    from sootprint.tracker.service.start import Address

    if text == "off":
        return None
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65_535:
        shell.wrong(f"--metrics {text}: must be HOST:PORT, e.g. {DEFAULT_METRICS}, or off")
    return Address(host.strip("[]"), int(port))


def _uid_of(user: str) -> int:
    """Number of a user who is given by number or name."""
    import pwd

    if user.isascii() and user.isdigit():
        return int(user)
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        shell.wrong(f"--user {user}: this machine knows no such user")


def _name_of(uid: int) -> str:
    """Name of a user, or the number where there is none."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
