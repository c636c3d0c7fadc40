"""The node service with real processes: what it serves to whom, and what no client can do to it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from sootprint.tracker.service.peer import IDLE_S
from tests.e2e.cards import CARD_W, card_j
from tests.e2e.harness import at_once
from tests.e2e.node import ALICE, BOB, SERVICE, Client, Node, made, on_a_node
from tests.e2e.users import need_users
from tests.fixtures import exposition

# joules of several processes in real time: a machine that is busy just then delays one by more than is allowed
pytestmark = pytest.mark.flaky(reruns=2)

IDENTITY = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.fixture
def node(nvml: Path) -> Iterator[Node]:
    """A node with a fake card of 250 W."""
    with made(nvml) as node:
        yield node


def join(node: Node, run: str = IDENTITY, **more: object) -> dict[str, object]:
    """What a tracker says first."""
    return {"op": "join", "run": run, "sysfs": os.path.realpath(node.root / "sys"), **more}


def card_of(answer: dict[str, list[list[object]]]) -> float:
    """Energy of the card in an answer [J]."""
    return sum(row[9] for row in answer["entries"] if str(row[1]).startswith("accelerator"))


def looked_at_s(answer: dict[str, list[list[object]]]) -> float:
    """Instant of the look that an answer tells of [s]."""
    return next(row[8] for row in answer["entries"] if str(row[1]).startswith("accelerator"))


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_account_of_a_run_is_what_the_processor_drew(node: Node) -> None:
    """A run that is alone is charged all that was drawn between its coming and its going."""
    node.serve()
    with Client(node.socket) as client:
        begun_s = time.monotonic()
        assert client.ask(join(node))["ok"] is True
        first = client.ask({"op": "share", "run": IDENTITY})
        time.sleep(2.0)
        last = client.ask({"op": "leave"})
        took_s = time.monotonic() - begun_s
        looks_s = looked_at_s(last) - looked_at_s(first)
        assert card_of(last) - card_of(first) == pytest.approx(CARD_W * looks_s, rel=0.005)
        assert CARD_W * 2.0 * 0.995 < card_of(last) < CARD_W * took_s * 1.005


def test_answers_hold_no_raw_counter(node: Node) -> None:
    """A run's account begins at 0 whatever the counter shows, and is not looked at anew at each request."""
    node.serve()
    with Client(node.socket) as client:
        begun_s = time.monotonic()
        client.ask(join(node))
        seen = [card_of(client.ask({"op": "share", "run": IDENTITY}))]
        first_s = time.monotonic() - begun_s
        while time.monotonic() < begun_s + 1.5:
            seen.append(card_of(client.ask({"op": "share", "run": IDENTITY})))
            time.sleep(0.06)
    assert seen[0] < 2.0 + CARD_W * first_s
    assert len(set(seen)) <= 1.0 + 2.0 * (time.monotonic() - begun_s)


def test_coming_and_going_does_not_make_a_fast_meter(node: Node) -> None:
    """However often one user's runs come and go, the meters are looked at a few times a second."""
    port = free_port()
    node.serve("--metrics", f"127.0.0.1:{port}")
    begun_s = time.monotonic()
    for number in range(60):
        with Client(node.socket) as client:
            client.ask(join(node, f"run{number}"))
    time.sleep(max(0.0, begun_s + 6.0 - time.monotonic()))
    page = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60).read().decode()
    ticks = next(one.value for one in exposition.read(page) if one.name == "sootprint_ticks_total")
    assert ticks <= 4 + 3.0 * (time.monotonic() - begun_s) + 1


def test_two_users_share_the_node_and_see_only_their_own(node: Node) -> None:
    """A user gets the account of his own runs; another's identity is no run to him, for reading as for leaving."""
    need_users()
    node.serve()
    ask = (
        "import json, sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "from tests.e2e.node import Client\n"
        "client = Client(Path(sys.argv[2]))\n"
        "print(json.dumps([client.ask(json.loads(line)) for line in sys.argv[3:]]))"
    )
    root = str(Path(__file__).resolve().parents[2])
    with Client(node.socket) as client:
        client.ask(join(node))
        messages = [
            {"op": "share", "run": IDENTITY},
            join(node, IDENTITY),
            {"op": "status"},
            {"op": "record", "job": "7", "uid": 0},
            {"op": "job-start", "job": "8", "uid": BOB},
            {"op": "leave"},
        ]
        command = [str(Path(os.sys.executable)), "-c", ask, root, str(node.socket)]
        stranger = node.start([*command, *map(json.dumps, messages)], uid=BOB)
        out, err = stranger.communicate(timeout=120)
        assert stranger.returncode == 0, err
        share, own, status, record, job, _ = json.loads(out)
        assert share == {"error": "no such run"}
        assert own["ok"] is True  # it is a run of his own, of the same name
        assert status["runs"] == [IDENTITY] and status["counts"]["runs"] == 2
        assert record == {"error": "there is no record of job 7"}
        assert "only root" in job["error"]
        assert client.ask({"op": "share", "run": IDENTITY})["ok"] is True


@pytest.mark.parametrize(
    "bytes_",
    [b"\n", b"GET / HTTP/1.1\r\n\r\n", b"[]\n", b'{"op":"nothing"}\n', b"\xff" * 40_000, b'{"op":"join"}\n'],
)
def test_nonsense_does_no_harm(node: Node, bytes_: bytes) -> None:
    """Whoever speaks nonsense gets an error or is cut off, and the others are served."""
    node.serve()
    with Client(node.socket) as victim, Client(node.socket) as rude:
        victim.ask(join(node))
        rude.socket.sendall(bytes_)
        assert "error" in rude.answer() or rude.answer() == {}
        assert victim.ask({"op": "share", "run": IDENTITY})["ok"] is True


def test_slow_clients_hold_nobody_up(node: Node) -> None:
    """Clients that send half a line, or never read, are waited for by nobody."""
    node.serve()
    slow = [Client(node.socket) for _ in range(20)]
    for number, one in enumerate(slow):
        one.socket.sendall(b'{"op":"sta' if number % 2 else b'{"op":"status"}\n' * 40)
    with Client(node.socket) as client:
        begun_s = time.monotonic()
        client.ask(join(node))
        assert client.ask({"op": "share", "run": IDENTITY})["ok"] is True
        assert time.monotonic() - begun_s < 0.5 * IDLE_S  # they are put up with for longer
    for one in slow:
        one.socket.close()


def test_flood_of_requests_is_cut_off(node: Node) -> None:
    """A client that asks without end loses its connection."""
    node.serve()
    with Client(node.socket) as client:
        with pytest.raises(OSError):
            for _ in range(10_000):
                client.socket.sendall(b'{"op":"status"}\n' * 10)
        assert node.answers()


def test_two_hundred_runs_add_up_to_the_node(node: Node) -> None:
    """The accounts of 200 runs that come, stay and go together add up to what the card drew."""
    node.serve()
    clients = [Client(node.socket) for _ in range(200)]
    for number, client in enumerate(clients):
        assert client.ask(join(node, f"run{number}"))["ok"] is True
    first = [client.ask({"op": "share", "run": f"run{n}"}) for n, client in enumerate(clients)]
    while len({looked_at_s(one) for one in first}) > 1:  # a look came between two answers
        first = [client.ask({"op": "share", "run": f"run{n}"}) for n, client in enumerate(clients)]
    time.sleep(2.0)
    for client in clients:
        client.socket.sendall(b'{"op":"leave"}\n')
    last = [client.answer() for client in clients]
    for client in clients:
        client.socket.close()
    took_s = max(looked_at_s(one) for one in last) - looked_at_s(first[0])
    charged_j = sum(card_of(one) for one in last) - sum(card_of(one) for one in first)
    assert charged_j == pytest.approx(CARD_W * took_s, rel=0.01)
    assert min(card_of(one) for one in last) > 0.0


def test_job_has_a_record_that_only_its_user_reads(node: Node) -> None:
    """A job that never uses Sootprint is charged from prolog to epilog; root and its user read the record."""
    node.serve()
    begun_s = time.monotonic()
    started = node.call(
        "node", "jobs", "start", "4711", "--user", str(ALICE), "--pid", str(os.getpid()), "--json"
    )
    assert started.returncode == 0, started.stderr
    time.sleep(2.0)
    ended = node.call("node", "jobs", "end", "4711", "--json")
    took_s = time.monotonic() - begun_s
    assert json.loads(ended.stdout) == json.loads(started.stdout)
    record = json.loads(node.call("node", "record", "4711", "--user", str(ALICE), "--json").stdout)
    assert record["id"] == json.loads(ended.stdout)["record"]
    assert record["tags"] == {"job": "4711"}
    assert 1.9 * CARD_W < card_j(record) < took_s * CARD_W
    assert node.call("node", "record", "4711").returncode == 1
    assert node.call("node", "jobs", "end", "4711").returncode == 1


def test_service_that_ends_and_comes_back_goes_on_with_its_jobs(nvml: Path) -> None:
    """SIGTERM ends it cleanly; a job that goes on meanwhile is charged for the time between, by the counters."""
    at_once(on_a_node(nvml, _comes_back), (signal.SIGTERM, signal.SIGKILL))


def _comes_back(node: Node, number: int) -> None:
    service = node.serve()
    begun_s = time.monotonic()
    assert node.call("node", "jobs", "start", f"job{number}", "--user", str(ALICE)).returncode == 0
    time.sleep(1.5)
    service.send_signal(number)
    _, errors = service.communicate(timeout=120)
    assert service.returncode == (0 if number == signal.SIGTERM else -number), errors
    assert node.socket.exists() == (number == signal.SIGKILL)
    time.sleep(1.0)
    node.serve()
    time.sleep(1.0)
    assert node.call("node", "jobs", "end", f"job{number}").returncode == 0
    took_s = time.monotonic() - begun_s
    record = json.loads(node.call("node", "record", f"job{number}", "--user", str(ALICE), "--json").stdout)
    assert 3.5 < record["duration_s"] < took_s
    assert card_j(record) == pytest.approx(record["duration_s"] * CARD_W, rel=0.03)


def test_second_service_is_refused(node: Node) -> None:
    """A service does not take the place of one that answers, and no file that is no socket is removed."""
    node.serve()
    second = node.call("node", "serve", "--state", str(node.root / "other"), "--metrics", "off")
    assert second.returncode == 2 and "answers on" in second.stderr
    (node.root / "file").write_text("mine")
    third = node.call(
        "node", "serve", "--socket", str(node.root / "file"), "--metrics", "off", "--state", "x"
    )
    assert third.returncode == 2 and (node.root / "file").read_text() == "mine"


def test_figures_keep_the_rules_of_the_format(node: Node) -> None:
    """The page has the energies by component, user and job, no name of a run, and every rule of the format."""
    port = free_port()
    node.serve("--metrics", f"127.0.0.1:{port}")
    with Client(node.socket) as client:
        client.ask(join(node, "secret-name"))
        assert node.call("node", "jobs", "start", "4711", "--user", str(ALICE)).returncode == 0
        time.sleep(2.0)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as reply:
            page = reply.read().decode()
    samples = exposition.read(page)
    assert "secret-name" not in page and "run0" not in page
    energies = [one for one in samples if one.name == "sootprint_energy_joules_total"]
    assert {tuple(one.labels) for one in energies} == {("component", "user", "job", "pod")}
    owners = {(one.labels["user"], one.labels["job"]) for one in energies}
    assert owners == {(str(os.getuid()), ""), (str(ALICE), "4711")}
    for component in {one.labels["component"] for one in energies}:
        parts_j = sum(
            one.value
            for one in samples
            if one.labels.get("component") == component and one.name != "sootprint_node_energy_joules_total"
        )
        node_j = sum(
            one.value
            for one in samples
            if one.labels.get("component") == component and one.name == "sootprint_node_energy_joules_total"
        )
        assert parts_j == pytest.approx(node_j, rel=1e-9)


def test_service_works_as_a_user_without_rights(node: Node) -> None:
    """An unprivileged service serves all users; jobs are begun by root, and its folder is its own."""
    need_users()
    service_socket = node.root / "run"
    service_socket.mkdir()
    os.chown(service_socket, SERVICE, SERVICE)
    node.serve("--socket", str(service_socket / "node.sock"), uid=SERVICE, wait=False)
    node.socket.symlink_to(service_socket / "node.sock")
    until_s = time.monotonic() + 120.0
    while not node.answers():
        assert time.monotonic() < until_s
        time.sleep(0.05)
    assert node.call("node", "status", uid=BOB).returncode == 0
    assert node.call("node", "jobs", "start", "1", "--user", str(BOB)).returncode == 0
    assert node.call("node", "jobs", "end", "1", uid=ALICE).returncode == 1
    time.sleep(1.2)
    assert node.call("node", "jobs", "end", "1").returncode == 0
    assert card_j(json.loads(node.call("node", "record", "1", "--json", uid=BOB).stdout)) > 0.8 * CARD_W
    assert node.call("node", "record", "1", uid=ALICE).returncode == 1
    reading = node.start(["cat", *map(str, (node.root / "state").glob("*.json"))], uid=ALICE)
    assert reading.wait(120) != 0


def test_full_state_folder_stops_no_service(node: Node, tmp_path: Path) -> None:
    """Where the folder is full runs are served all the same, and the figures count the failures."""
    if os.getuid() != 0:
        pytest.skip("a small disk needs root")
    small = node.root / "state"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        port = free_port()
        service = node.serve("--metrics", f"127.0.0.1:{port}")
        with (small / "ballast").open("wb", buffering=0) as ballast, pytest.raises(OSError):
            while True:
                ballast.write(b"x" * 4096)
        with Client(node.socket) as client:
            client.ask(join(node))
            assert node.call("node", "jobs", "start", "9", "--user", str(ALICE)).returncode == 0
            time.sleep(1.5)
            assert card_of(client.ask({"op": "leave"})) > 0.0
        assert node.call("node", "jobs", "end", "9").returncode == 0
        page = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60).read().decode()
        errors = {one.labels["kind"]: one.value for one in exposition.read(page) if "errors" in one.name}
        assert errors["state"] > 0
        service.terminate()
        service.communicate(timeout=120)
        assert service.returncode == 0
    finally:
        subprocess.run(["umount", str(small)])
