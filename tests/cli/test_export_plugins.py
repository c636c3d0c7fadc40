"""Exporters of other packages that raise, hang or end the program: the run is measured, and no record is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import PROGRAM
from tests.fixtures.plugin import install

from sootprint import Footprint
from sootprint.exporters.outbox import Outbox
from sootprint.runner import delivery

LONG_S = 120.0
# Gives the places one second.
HASTY = (
    "import functools; from sootprint.runner import delivery; "
    "delivery.send = functools.partial(delivery.send, limit_s=1.0); from sootprint.cli import main; main()"
)
SECRET = "pa55word"
RAISES = {
    "an error of its own": "class Strange(Exception): pass\nraise Strange('no')",
    "an error of the language": "1 / 0",
    "the end of the program": "import sys\nsys.exit(7)",
}
SECRETS = f"raise {{kind}}('no access to\\nhttps://me:{SECRET}@x.example/?token={SECRET}')"


def run(site: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """The finished program, with the packages of a folder."""
    command = [*PROGRAM, *(str(one) for one in arguments)]
    env = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=LONG_S)


def body(text: str) -> str:
    """Code as the body of a function."""
    return "".join(f"    {line}\n" for line in text.splitlines())


@pytest.mark.parametrize("where", ["imported", "opened", "written"])
@pytest.mark.parametrize("fault", RAISES)
def test_fault_of_an_exporter_costs_no_run_and_no_record(
    where: str, fault: str, tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stated in the settings: the command runs with its own exit code, one line says why the record waits."""
    heads = {"imported": "", "opened": "def opened(at, settings):\n"}
    heads["written"] = (
        "class Exporter:\n  name = 'third'\n  def __init__(self, *_): pass\n  def write(self, _):\n"
    )
    code = RAISES[fault] if where == "imported" else body(RAISES[fault])
    site, place = install(tmp_path / "site", heads[where] + code), f"third:{tmp_path}/kept"
    monkeypatch.setenv("SOOTPRINT_EXPORTERS", place)
    done = run(
        site, "run", "--zone", "FR", "--", sys.executable, "-c", "print('trained'); raise SystemExit(3)"
    )
    assert (done.returncode, done.stdout) == (3, "trained\n")
    assert "Traceback" not in done.stderr
    assert len(Outbox(own_home, place).waiting()) == 1
    told = [line for line in done.stderr.splitlines() if place in line or "in the background" in line]
    assert len(told) == 1
    sent = run(site, "export")
    assert (sent.returncode, sent.stdout) == (1, "")
    assert f"{place}: " in sent.stderr and "the record waits" in sent.stderr
    assert sent.stderr.count("\n") == 1


def test_exporter_that_hangs_while_it_loads_delays_neither_the_run_nor_another_place(
    tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command begins at once; the record is sent when the package has loaded."""
    gate, kept, lines = tmp_path / "gate", tmp_path / "kept", tmp_path / "runs.jsonl"
    wait = f"import pathlib, time\nwhile not pathlib.Path({str(gate)!r}).exists():\n    time.sleep(0.05)\n"
    site = install(tmp_path / "site", wait)
    monkeypatch.setenv("SOOTPRINT_EXPORTERS", f"third:{kept},jsonl:{lines}")
    done = run(site, "run", "--zone", "FR", "--", "true")
    assert done.returncode == 0
    assert "in the background" in done.stderr
    assert len(lines.read_text().splitlines()) == 1
    assert not kept.exists()
    gate.touch()
    until_s = time.monotonic() + LONG_S
    while Outbox(own_home, f"third:{kept}").waiting() and time.monotonic() < until_s:
        time.sleep(0.05)
    assert len(kept.read_text().split()) == 1


def test_exporter_that_kills_the_process_is_told_with_its_exit_code(
    tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a library that crashes does; the run has ended by then."""
    site, place = install(tmp_path / "site", "import os\nos._exit(9)\n"), f"third:{tmp_path}/kept"
    monkeypatch.setenv("SOOTPRINT_EXPORTERS", place)
    done = run(site, "run", "--zone", "FR", "--", "true")
    assert done.returncode == 0
    assert "exit code 9" in done.stderr or "in the background" in done.stderr
    assert len(Outbox(own_home, place).waiting()) == 1


def test_export_ends_though_a_package_waits_for_its_server_at_the_end(
    stored: list[Footprint], tmp_path: Path, own_home: Path
) -> None:
    """As W&B does, by threads and at exit: what the other places took is told, and the record waits."""
    never = "import atexit, threading\natexit.register(threading.Event().wait)\nthreading.Event().wait()"
    code = f"class Exporter(Exporter):\n  def write(self, _):\n{body(never)}"
    kept, lines = tmp_path / "kept", tmp_path / "runs.jsonl"
    env = {**os.environ, "PYTHONPATH": str(install(tmp_path / "site", code))}
    command = [
        sys.executable,
        "-c",
        HASTY,
        "export",
        "small",
        "--to",
        f"third:{kept}",
        "--to",
        f"jsonl:{lines}",
    ]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=LONG_S)
    assert (done.returncode, done.stdout) == (1, f"1 record in jsonl:{lines}\n")
    assert "it has not come to an end within 1 s; the record waits" in done.stderr
    assert len(Outbox(own_home, f"third:{kept}").waiting()) == 1


@pytest.fixture
def third(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Function that installs a package with some code into this process."""

    def made(code: str = "") -> Path:
        monkeypatch.syspath_prepend(install(tmp_path / "site", code))
        monkeypatch.delitem(sys.modules, "third_tool", raising=False)
        return tmp_path / "kept"

    return made


def test_exporter_that_hangs_at_an_export_is_one_line(
    call: Callable[..., Any], stored: list[Footprint], third: Callable[[str], Path], monkeypatch
) -> None:
    """Before anything is sent."""
    monkeypatch.setattr(delivery, "OPEN_S", 0.2)
    kept = third("def opened(at, settings):\n    import threading\n    threading.Event().wait()\n")
    done = call("export", "small", "--to", f"third:{kept}")
    assert done.exit_code == 2
    assert f"third:{kept} is not ready within 0 s" in done.stderr


@pytest.mark.parametrize(
    "kind", ["ValueError", "OSError"]
)  # the latter has no text of its own, as of web packages
def test_what_an_exporter_says_when_it_opens_has_no_secrets(
    kind: str, call: Callable[..., Any], stored: list[Footprint], third: Callable[[str], Path]
) -> None:
    """And is one line."""
    kept = third(f"def opened(at, settings):\n{body(SECRETS.format(kind=kind))}")
    done = call("export", "small", "--to", f"third:{kept}")
    assert done.exit_code == 2
    assert f"the exporter third does not work: {kind}: no access to https://***@x.example" in done.stderr
    assert SECRET not in done.stderr
    assert done.stderr.count("\n") == 1


def test_two_packages_that_offer_one_name_are_both_named(
    call: Callable[..., Any], stored: list[Footprint], tmp_path: Path, monkeypatch
) -> None:
    """Which of them would be used is nobody's guess; a run says so, and is measured."""
    site = install(install(tmp_path / "site", package="one_tool"), package="two_tool")
    monkeypatch.syspath_prepend(site)
    place = f"third:{tmp_path}/kept"
    done = call("export", "small", "--to", place)
    assert done.exit_code == 2
    words = "2 packages offer 'third' in sootprint.exporters (one_tool:opened, two_tool:opened)"
    assert words in done.stderr
    monkeypatch.setenv("SOOTPRINT_EXPORTERS", place)
    measured = run(site, "run", "--zone", "FR", "--", "true")
    assert measured.returncode == 0
    assert words in measured.stderr


def test_record_that_alone_is_not_taken_holds_up_no_other(
    call: Callable[..., Any], stored: list[Footprint], third: Callable[[str], Path], own_home: Path
) -> None:
    """The oldest fails each time, as for a run of MLflow that was deleted: the others arrive, and only it waits on."""
    fails = "raise OSError(5, 'Input/output error')"
    kept = third(
        "from sootprint import ExportError\n"
        "class Exporter(Exporter):\n"
        "    def write(self, footprint):\n"
        "        if footprint.name == 'small':\n"
        f"            {fails}\n"
        "        super().write(footprint)\n"
    )
    done = call("export", "small", "large", "lost", "--to", f"third:{kept}")
    assert done.exit_code == 1
    assert "Input/output error; the record waits" in done.stderr
    assert sorted(kept.read_text().split()) == sorted(one.id for one in stored[1:])
    again = call("export")
    assert again.exit_code == 1
    (waits,) = Outbox(own_home, f"third:{kept}").waiting()
    assert waits.name.startswith(stored[0].id)


def test_place_that_is_away_is_asked_twice_and_no_more(
    call: Callable[..., Any], stored: list[Footprint], third: Callable[[str], Path], tmp_path: Path
) -> None:
    """Whatever waits for it."""
    kept = third(
        "class Exporter(Exporter):\n"
        "    def write(self, footprint):\n"
        "        super().write(footprint)\n"
        "        raise OSError(5, 'Input/output error')\n"
    )
    done = call("export", "small", "large", "lost", "--to", f"third:{kept}")
    assert "3 records wait" in done.stderr
    assert kept.read_text().split() == [stored[0].id, stored[2].id]
