"""How IPMI DCMI is asked for the node's power: by a tool, with a time limit, never with a password or as root."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sootprint.core.errors import MeterError
from sootprint.core.protocols import Machine
from sootprint.meters.background import Background, Look
from sootprint.meters.wall import accuracy_facts, stated

if TYPE_CHECKING:
    import subprocess

PERIOD_S = 10.0  # a controller answers in 0.1 to 2 s, and is there for other things
LIMIT_S = 8.0
TOOLS = (
    ("ipmitool", ("dcmi", "power", "reading")),
    ("ipmi-dcmi", ("--get-system-power-statistics",)),
)
BOUNDS = (0.90, 1.10)
SOURCE = "Prior of Sootprint (2026): DCMI 1.5 (2011), 6.6.1, states no accuracy"
_NOW = re.compile(
    r"^\s*(?:Instantaneous power reading|Current Power)\s*:\s*(\d{1,6})\s*[Ww]atts", re.MULTILINE
)
_STATE = re.compile(r"^\s*(?:Power reading state is|Power Measurement)\s*:\s*(.+?)\s*$", re.MULTILINE)
_ON = ("activated", "active")


def meter_of(machine: Machine) -> Background:
    """Meter that asks the controller of this machine.

    Raises:
        MeterError: No tool that can ask it is installed, or the settings leave it out.
    """
    known = stated(machine, "ipmi")
    command = _command(machine.environ.get("PATH", os.defpath))
    tool = Tool(command)
    bounds = known.bounds or BOUNDS
    return Background(
        "ipmi",
        tool.look,
        machine.clock,
        period_s=PERIOD_S,
        bounds=bounds,
        facts=accuracy_facts("ipmi dcmi", bounds, source=SOURCE, nodes=known.nodes),
        interrupt=tool.kill,
        nodes=known.nodes,
    )


def _command(path: str) -> list[str]:
    """Command that asks; `timeout` ends one that outlives a killed run, where it is installed."""
    for name, arguments in TOOLS:
        found = _which(name, path)
        if found is not None:
            guard = _which("timeout", path)
            limits = [guard, "-k", "1", str(LIMIT_S + 1.0)] if guard else []
            return [*limits, found, *arguments]
    raise MeterError(
        "ipmi: there is a management controller, and neither ipmitool nor freeipmi's ipmi-dcmi to ask it",
        fix="sudo apt install ipmitool   (or: sudo dnf install ipmitool)",
    )


def _which(name: str, path: str) -> str | None:
    """File of a command on a search path; `shutil` would load archives and compressors for it."""
    folders = [folder for folder in path.split(os.pathsep) if folder]
    return next((f for folder in folders if os.access(f := f"{folder}/{name}", os.X_OK)), None)


class Tool:
    """A command that is run once a look."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self._running: subprocess.Popen[str] | None = None

    def look(self) -> Look:
        """Power of the node [W].

        Raises:
            MeterError: The tool failed, took too long, or the controller gives no power.
        """
        import subprocess

        self._running = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,  # so that nothing can ask for a password
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={**os.environ, "LC_ALL": "C"},
            start_new_session=True,  # so that Ctrl-C reaches the training alone, and kill reaches all of it
        )
        try:
            said, complaint = self._running.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            self._running.communicate()
            raise MeterError(f"ipmi: no answer of the management controller in {LIMIT_S:.0f} s") from None
        if self._running.returncode != 0:
            last = (complaint or said).strip().splitlines()[-1:] or [f"exit code {self._running.returncode}"]
            raise MeterError(f"ipmi: {last[0][:120]}")
        return Look(power_w=power_w(said))

    def kill(self) -> None:
        """End a command that is running, with its children."""
        running = self._running
        if running is not None and running.poll() is None:
            import signal

            try:
                os.killpg(running.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                return


def power_w(said: str) -> float:
    """Power in the words of ipmitool or ipmi-dcmi [W].

    Raises:
        MeterError: The words hold none, or the controller says that it does not measure.

    >>> power_w("    Instantaneous power reading:                   220 Watts")
    220.0
    """
    state = _STATE.search(said)
    if state is not None and state[1].lower() not in _ON:
        raise MeterError(f"ipmi: the controller does not measure power (state: {state[1][:40]})")
    now = _NOW.search(said)
    if now is None:
        raise MeterError("ipmi: the controller's answer holds no power")
    if int(now[1]) == 0:
        raise MeterError("ipmi: the controller says 0 W, which no running node draws")
    return float(now[1])
