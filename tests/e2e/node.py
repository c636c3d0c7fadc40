"""A node with a fake card, a node service on it, and users of their own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.cards import CARD_W
from tests.e2e.harness import SOOTPRINT, TAKES_S, Case, environment
from tests.e2e.users import as_user

ALICE, BOB, SERVICE = 1501, 1502, 1599
TRAINING = """
import os, sys, time, sootprint
name, until_s = sys.argv[1], time.time() + float(sys.argv[2])
with sootprint.track(name) as run:
    print("started", flush=True)
    while time.time() < until_s and not os.path.exists("enough"):
        sum(range(20_000)) if "busy" in name else None
        time.sleep(0.02)
"""


@dataclass
class Node:
    """A machine with a fake card that draws a constant power, and its node service.

    Args:
        root: Its folder, which every user may read.
        more: Variables of every process on it.
    """

    root: Path
    more: dict[str, str]
    service: subprocess.Popen[str] | None = None

    @property
    def socket(self) -> Path:
        """Socket of the service."""
        return self.root / "node.sock"

    def environ(self, uid: int | None = None) -> dict[str, str]:
        """Environment of a user's process."""
        home = self.home(os.getuid() if uid is None else uid)
        about = {
            "SOOTPRINT_SYSFS": str(self.root / "sys"),
            "SOOTPRINT_ZONE": "FR",
            "SOOTPRINT_NODE_SOCKET": str(self.socket),
        }
        return environment(home, **about, **self.more)

    def home(self, uid: int) -> Path:
        """A user's folder, made with its first use."""
        home = self.root / f"home-{uid}"
        if not home.exists():
            home.mkdir(mode=0o700)
            if uid != os.getuid():
                os.chown(home, uid, uid)
        return home

    def serve(self, *options: str, uid: int | None = None, wait: bool = True) -> subprocess.Popen[str]:
        """Start the service, as a user of its own where one is named; it answers when this returns."""
        state = self.root / "state"
        if not state.exists():
            state.mkdir(mode=0o700)
            if uid is not None:
                os.chown(state, uid, uid)
        self.service = self.start(
            [SOOTPRINT, "node", "serve", "--metrics", "off", "--state", str(state), *options], uid=uid
        )
        until_s = time.monotonic() + TAKES_S
        while wait and not self.answers():
            assert self.service.poll() is None, self.service.communicate()
            assert time.monotonic() < until_s, "the service does not answer"
            time.sleep(0.02)
        return self.service

    def answers(self) -> bool:
        """Whether a service answers."""
        with contextlib.suppress(OSError), Client(self.socket) as client:
            return client.ask({"op": "status"}).get("ok") is True
        return False

    def start(self, command: Sequence[str], *, uid: int | None = None) -> subprocess.Popen[str]:
        """Start a process of a user."""
        return subprocess.Popen(
            command if uid is None else as_user(uid, command),
            env=self.environ(uid),
            cwd=self.home(os.getuid() if uid is None else uid),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def train(
        self, name: str, duration_s: float, *, uid: int | None = None, wait: bool = True
    ) -> subprocess.Popen[str]:
        """A training that measures itself; it has begun when this returns, if asked for.

        It ends sooner once its home holds a file `enough`.
        """
        process = self.start([sys.executable, "-c", TRAINING, name, str(duration_s)], uid=uid)
        if wait:
            assert process.stdout is not None
            assert process.stdout.readline() == "started\n", process.communicate()
        return process

    def call(self, *arguments: str, uid: int | None = None) -> subprocess.CompletedProcess[str]:
        """A finished `sootprint` of a user."""
        process = self.start([SOOTPRINT, *arguments], uid=uid)
        out, err = process.communicate(timeout=TAKES_S)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def records(self, uid: int | None = None) -> list[dict[str, Any]]:
        """Records of a user, by start."""
        listed = self.call("runs", "--json", uid=uid)
        assert listed.returncode == 0, listed.stderr
        ids = [row["id"] for row in json.loads(listed.stdout)]
        shown = [json.loads(self.call("show", one, "--json", uid=uid).stdout) for one in ids]
        return sorted(shown, key=lambda record: record["started"])


class Client:
    """A connection to a node service, as a test drives it by hand."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(TAKES_S)
        self.socket.connect(str(path))
        self._file = self.socket.makefile("rb")

    def ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Answer to a message; empty where the service ended the connection."""
        self.socket.sendall(json.dumps(message).encode() + b"\n")
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """The next answer; empty where the service ended the connection."""
        line = self._file.readline()
        return json.loads(line) if line else {}

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()
        self.socket.close()


@contextlib.contextmanager
def made(nvml: Path) -> Iterator[Node]:
    """A node in a folder of its own, whose path is short enough for a socket; the service on it is ended.

    The card's counter is exact whenever it is read, however busy the machine is.
    """
    with tempfile.TemporaryDirectory(prefix="soot-node-", ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        root.chmod(0o755)
        (root / "sys").mkdir()
        shutil.copytree(nvml, root / "lib", symlinks=True)  # where every user sees it
        (root / "lib").chmod(0o755)
        card = {"WAVE": "const", "BASE_MW": str(1000 * CARD_W), "LIMIT_MW": "700000", "T0": repr(time.time())}
        environ = {f"FAKE_NVML_{name}": value for name, value in card.items()}
        node = Node(root, {"LD_LIBRARY_PATH": str(root / "lib"), **environ})
        try:
            yield node
        finally:
            if node.service is not None and node.service.poll() is None:
                node.service.kill()
                node.service.communicate()


def on_a_node(nvml: Path, scene: Callable[[Node, Case], None]) -> Callable[[Case], None]:
    """The scene of a case, played on a node of its own."""

    def played(case: Case) -> None:
        with made(nvml) as node:
            scene(node, case)

    return played
