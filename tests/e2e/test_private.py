"""Offline and private: with no configuration nothing is asked of a network and nothing personal is kept."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sootprint.catalogue import zones
from tests.e2e.harness import SOOTPRINT, TAKES_S, call, environment

AUDIT = """
import os, sys
def refuse(event, args):
    if event.startswith("socket.") and event != "socket.gethostname":
        with open(os.environ["AUDIT_LOG"], "a") as log:
            log.write(f"{event} {args!r}\\n")
        raise PermissionError(f"a test without a network: {event}")
sys.addaudithook(refuse)
"""
SECRETS = ["topsecretargument", "topsecretvariable", "topsecretuser", "topsecretfolder"]
TRACKED = """
import time
import sootprint
with sootprint.track("private") as run:
    with run.span("epoch"):
        time.sleep(1.2)
    run.log("accuracy", 0.9)
assert run.footprint is not None
print(run.footprint.to_json())
"""


@pytest.fixture
def environ(tmp_path: Path, home: Path) -> dict[str, str]:
    """Environment in which a socket is refused and noted, and in which users and variables have telling names."""
    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(AUDIT, encoding="utf-8")
    return environment(
        home,
        PYTHONPATH=str(hook),
        AUDIT_LOG=str(tmp_path / "sockets"),
        USER="topsecretuser",
        LOGNAME="topsecretuser",
        TOKEN="topsecretvariable",
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a telling name."""
    path = tmp_path / "topsecretfolder"
    path.mkdir()
    return path


@pytest.fixture
def record(environ: dict[str, str], folder: Path) -> dict[str, object]:
    """The record of a run from outside, with no configuration."""
    done = subprocess.run(
        [SOOTPRINT, "run", "--record", "record.json", "--", "sh", "-c", "sleep 1.2; : topsecretargument"],
        env=environ,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TAKES_S,
    )
    assert done.returncode == 0, done.stderr
    data: dict[str, object] = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    return data


def _personal(text: str) -> list[str]:
    """What of this machine, user and command stands in a text."""
    names = [*SECRETS, socket.gethostname(), str(Path.home()), str(Path(sys.prefix)), str(Path.cwd())]
    return [name for name in names if len(name) > 1 and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)]


def test_hook_would_notice_a_socket(environ: dict[str, str], tmp_path: Path) -> None:
    """The test's own instrument works."""
    done = subprocess.run([sys.executable, "-c", "import socket; socket.socket()"], env=environ)
    assert done.returncode != 0
    assert "socket.__new__" in (tmp_path / "sockets").read_text(encoding="utf-8")


def test_run_opens_no_socket_and_keeps_nothing_personal(
    record: dict[str, object], home: Path, tmp_path: Path
) -> None:
    """From outside: `sootprint run -- CMD`, its record, ledger and reports."""
    assert not (tmp_path / "sockets").exists()
    assert _personal(json.dumps(record, ensure_ascii=False)) == []
    kept = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file() and path.name != "salt")
    assert _personal(kept.decode("utf-8", errors="replace")) == []


def test_track_opens_no_socket_and_keeps_nothing_personal(
    environ: dict[str, str], folder: Path, tmp_path: Path
) -> None:
    """From inside: `with sootprint.track():`."""
    done = subprocess.run(
        [sys.executable, "-c", TRACKED, "topsecretargument"],
        env=environ,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TAKES_S,
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "sockets").exists()
    assert _personal(done.stdout) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "latest"],
        ["runs"],
        ["report", "latest", "--format", "text"],
        ["report", "latest", "--format", "html"],
        ["summary"],
        ["doctor"],
        ["config"],
        ["estimate", "--hardware", "V100", "--hours", "10", "--zone", "FR"],
        ["catalogue", "zones", "FR"],
    ],
    ids=" ".join,
)
def test_no_command_opens_a_socket(
    record: dict[str, object], environ: dict[str, str], folder: Path, tmp_path: Path, arguments: list[str]
) -> None:
    """Reading, reporting and estimating work without a network."""
    done = subprocess.run(
        [SOOTPRINT, *arguments], env=environ, cwd=folder, capture_output=True, text=True, timeout=TAKES_S
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "sockets").exists()


def test_unknown_place_is_the_worlds_and_said_first(
    record: dict[str, object], environ: dict[str, str], folder: Path, home: Path
) -> None:
    """No zone: the interval spans the grids of the world, from nuclear to coal, and the first lines say so."""
    place, intensity = record["place"], record["intensity_g_per_kwh"]
    assert isinstance(place, dict)
    assert isinstance(intensity, dict)
    assert place["zone"] is None
    assert "place.zone" in record["unknown"]  # type: ignore[operator]
    for zone in ("FR", "US", "CN", "PL", "IN"):  # from nuclear to coal
        known = zones.intensity(zone, 2025).factor.value
        assert known is not None
        assert intensity["low"] <= known <= intensity["high"], zone
    emissions = record["emissions_kg"]
    assert isinstance(emissions, dict)
    assert emissions["high"] > 10.0 * emissions["low"]
    text = call(["report", "latest", "--format", "text"], home=home, cwd=folder).stdout
    head = "\n".join([line for line in text.splitlines() if line.strip()][:6]).lower()
    assert "place" in head
    assert "unknown" in head
    assert "world" in head
    assert "--zone" in text


def test_local_time_zone_is_a_suggestion_only(environ: dict[str, str], folder: Path) -> None:
    """TZ=Europe/Paris suggests FR and applies nothing."""
    done = subprocess.run(
        [SOOTPRINT, "run", "--record", "paris.json", "--", "sleep", "1.1"],
        env=environ | {"TZ": "Europe/Paris"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TAKES_S,
    )
    record = json.loads((folder / "paris.json").read_text(encoding="utf-8"))
    assert record["place"]["zone"] is None
    assert "FR" in done.stderr


def test_command_is_kept_only_when_asked(environ: dict[str, str], folder: Path) -> None:
    """`--store-command` keeps it, under `given`."""
    subprocess.run(
        [
            SOOTPRINT,
            "run",
            "--store-command",
            "--record",
            "asked.json",
            "--",
            "sh",
            "-c",
            ": topsecretargument",
        ],
        env=environ,
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=TAKES_S,
    )
    record = json.loads((folder / "asked.json").read_text(encoding="utf-8"))
    assert record["given"]["command"] == ["sh", "-c", ": topsecretargument"]
