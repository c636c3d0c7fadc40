"""What is shipped for systemd, Slurm and Kubernetes, as far as it can be checked on one machine."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.harness import SOOTPRINT
from tests.e2e.node import ALICE, Node, made
from tests.e2e.users import need_users
from tests.fixtures import fake_devices

FOLDER = Path(__file__).resolve().parents[2] / "packaging"
UNIT, MANIFEST = FOLDER / "systemd/sootprint-node.service", FOLDER / "kubernetes/daemonset.yaml"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A node with a fake card of 250 W and its service."""
    if fake_devices.compiler() is None:
        pytest.skip(fake_devices.NO_COMPILER)
    with made(fake_devices.build_nvml(tmp_path)) as node:
        node.serve()
        yield node


def test_unit_is_one_that_systemd_takes() -> None:
    """Systemd finds no fault with the unit, where it is there to be asked; the program is another matter."""
    if shutil.which("systemd-analyze") is None:
        assert "ExecStart=" in UNIT.read_text()
        return
    done = subprocess.run(
        ["systemd-analyze", "verify", str(UNIT)], capture_output=True, text=True, timeout=60
    )
    faults = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert faults == []


def test_unit_leaves_the_service_nothing_but_to_read() -> None:
    """The service has a user of its own, no capability, and sees the processes of all users."""
    unit = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(UNIT.read_text())
    service = dict(unit["Service"])
    wanted = {
        "DynamicUser": "yes",
        "NoNewPrivileges": "yes",
        "CapabilityBoundingSet": "",
        "ProtectSystem": "strict",
        "ProtectProc": "default",
        "RuntimeDirectory": "sootprint",
        "RuntimeDirectoryMode": "0755",
        "SupplementaryGroups": "sootprint",
    }
    assert {name: service[name] for name in wanted} == wanted
    assert "--socket /run/sootprint/node.sock" in service["ExecStart"]


@pytest.mark.parametrize("name", ["prolog.sh", "epilog.sh"])
def test_script_is_one_that_the_shell_takes(name: str) -> None:
    """The shell finds no fault with it, and it may be executed."""
    path = FOLDER / "slurm" / name
    assert subprocess.run(["bash", "-n", str(path)]).returncode == 0
    assert os.access(path, os.X_OK)


def run(node: Node, name: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A script of Slurm's, as slurmd runs it, where the command is on the path."""
    path = f"{Path(SOOTPRINT).parent}:{os.environ['PATH']}"
    environ = node.environ() | {"PATH": path} | variables
    return subprocess.run(
        [str(FOLDER / "slurm" / name)], env=environ, capture_output=True, text=True, timeout=120
    )


def test_prolog_and_epilog_make_a_record_for_the_user(node: Node) -> None:
    """A job between the two has a record, which its user reads and no other."""
    need_users()
    about = {"SLURM_JOB_ID": "4711", "SLURM_JOB_UID": str(ALICE)}
    began = run(node, "prolog.sh", **about)
    assert (began.returncode, began.stderr) == (0, "")
    time.sleep(2.0)
    ended = run(node, "epilog.sh", **about)
    assert (ended.returncode, ended.stderr) == (0, "")
    record = json.loads(node.call("node", "record", "4711", "--json", uid=ALICE).stdout)
    assert record["tags"] == {"job": "4711"}
    assert record["energy_kwh"]["value"] * 3.6e6 > 250.0 * 1.9


def test_prolog_lets_the_job_start_where_there_is_no_service(node: Node) -> None:
    """Without a service, and outside a job, both scripts end well: Slurm would drain the node otherwise."""
    assert node.service is not None
    node.service.kill()
    node.service.communicate()
    for name in ("prolog.sh", "epilog.sh"):
        lost = run(node, name, SLURM_JOB_ID="1", SLURM_JOB_UID="0")
        assert lost.returncode == 0
        assert "job 1" in lost.stderr
        assert run(node, name).returncode == 0


def _value(text: str) -> Any:
    return json.loads(text) if text[:1] in '["{' else {"true": True, "false": False}.get(text, text)


def _parsed(lines: list[tuple[int, str]], depth: int) -> Any:
    """Value of the lines that are indented by `depth`: the part of YAML that the manifest is written in."""
    if lines and lines[0][1].startswith("- "):
        items = []
        while lines and lines[0][0] == depth and lines[0][1].startswith("- "):
            text = lines[0][1][2:]
            if re.match(r"[\w./-]+:( |$)", text):
                lines[0] = (depth + 2, text)
                items.append(_parsed(lines, depth + 2))
            else:
                items.append(_value(text))
                lines.pop(0)
        return items
    found: dict[str, Any] = {}
    while lines and lines[0][0] == depth:
        key, colon, text = lines.pop(0)[1].partition(":")
        assert colon and key not in found, key
        found[key] = _value(text.strip()) if text.strip() else _parsed(lines, lines[0][0])
    assert not lines or lines[0][0] < depth, lines[0]
    return found


def test_manifest_has_no_right_that_it_does_not_need() -> None:
    """The service sees the node's processes and /sys, read-only, and has no privilege nor capability."""
    rows = [re.sub(r"(^|\s)#.*", "", line).rstrip() for line in MANIFEST.read_text().splitlines()]
    lines = [(len(row) - len(row.lstrip()), row.strip()) for row in rows if row]
    manifest = _parsed(lines, 0)
    assert not lines
    pod = manifest["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (manifest["kind"], pod["hostPID"], pod.get("hostNetwork")) == ("DaemonSet", True, None)
    assert pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    rights = container["securityContext"]
    assert rights["privileged"] is False and rights["allowPrivilegeEscalation"] is False
    assert rights["capabilities"] == {"drop": ["ALL"]}
    mounts = {one["name"]: one for one in container["volumeMounts"]}
    assert mounts["sys"] == {"name": "sys", "mountPath": "/sys", "readOnly": True}
    assert set(mounts) == {one["name"] for one in pod["volumes"]}
    labels = manifest["spec"]["template"]["metadata"]["labels"]
    assert manifest["spec"]["selector"]["matchLabels"] == labels
    assert "--pods" in container["args"]
