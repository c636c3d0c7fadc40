"""Runs one case of one tool in a folder of its own, in namespaces of its own where they can be had."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bench.peers import box, cases
from bench.peers.node import Node, monotonic_at_wall
from bench.peers.tools import HERE, Tool, site_packages
from tests.fixtures import fake_devices

TAKES_S = 240.0
IN_PACKAGE = "PACKAGE/"  # begins the path of a configuration file that the tool keeps in its own package


class SkippedError(Exception):
    """A case that cannot be run here; the text says why."""


class Device(NamedTuple):
    """A device outside a case, whose true energy is known.

    Args:
        tree: Folder of a powercap tree, or None.
        wave: Its wave.
        origin_s: Monotonic instant of the wave's origin [s].
        environ: Variables that make it visible.
    """

    tree: Path | None
    wave: Mapping[str, Any]
    origin_s: float
    environ: Mapping[str, str] = {}


class Stage:
    """Where cases run: the command that enters new namespaces, and the shim that steps a clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._enter, self.no_box = box.entry()
        self.no_compiler = "" if fake_devices.compiler() else fake_devices.NO_COMPILER
        self._shim = folder / "clock_step.so"
        if not self.no_compiler:
            source = str(HERE / "clock_step.c")
            command = [
                fake_devices.compiler() or "cc",
                "-O2",
                "-Wall",
                "-shared",
                "-fPIC",
                "-o",
                str(self._shim),
            ]
            subprocess.run([*command, source, "-ldl"], check=True)

    @property
    def boxed(self) -> bool:
        """Whether cases see a fake node of their own."""
        return self._enter is not None

    def run(self, tool: Tool, case: cases.Case, device: Device | None = None) -> dict[str, Any]:
        """Result of one case of one tool.

        Raises:
            SkippedError: It needs what is not here, or the tool has nothing that the case is about.
        """
        needs_box = case.boxed or (device is not None and device.tree is not None)
        if needs_box and not self.boxed:
            raise SkippedError(self.no_box)
        if case.outside == "step" and self.no_compiler:
            raise SkippedError(self.no_compiler)
        if case.broken_config and tool.config is None:
            raise SkippedError("it has no configuration file")
        if case.broken_config and str(tool.config).startswith(IN_PACKAGE) and not self.boxed:
            raise SkippedError(f"its configuration file is in its package; {self.no_box}")
        with tempfile.TemporaryDirectory(prefix="peers-", dir=self.folder) as work:
            return self._run_in(Path(work), tool, case, device)

    def _run_in(self, work: Path, tool: Tool, case: cases.Case, device: Device | None) -> dict[str, Any]:
        spec = self._spec(work, tool, case, device)
        file = work / "spec.json"
        file.write_text(json.dumps(spec), encoding="utf-8")
        command = [*(self._enter or []), sys.executable, str(HERE / "boxed.py"), str(file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TAKES_S, check=False)
        if done.returncode:
            raise RuntimeError(f"{tool.name}, {case.name}: {done.stderr[-2000:]}")
        result: dict[str, Any] = json.loads((work / "result.json").read_text(encoding="utf-8"))
        return result

    def _spec(self, work: Path, tool: Tool, case: cases.Case, device: Device | None) -> dict[str, Any]:
        return {
            "case": case._asdict(),
            "adapter": str(tool.adapter),
            "python": str(tool.python),
            "config": tool.config,
            "packages": str(site_packages(tool)),
            "work": str(work),
            "out": str(work / ("absent/below" if case.folder == "absent" else "out")),
            "home": str(work / "home"),
            "result": str(work / "result.json"),
            "boxed": self.boxed,
            "tree": str(device.tree) if device and device.tree else None,
            "wave": dict(device.wave) if device else cases.CONST,
            "origin_s": device.origin_s if device else None,
            "environ": (dict(device.environ) if device else {}) | self._stepping(work, case),
        }

    def _stepping(self, work: Path, case: cases.Case) -> dict[str, str]:
        if case.outside != "step":
            return {}
        (work / "step").write_bytes(bytes(8))
        return {"LD_PRELOAD": str(self._shim), "CLOCK_STEP_FILE": str(work / "step")}


@contextlib.contextmanager
def powercap(folder: Path, wave: Mapping[str, Any], *, tick_s: float) -> Iterator[Device]:
    """A powercap tree that moves on meanwhile, for all tools at once."""
    node = Node(folder, wave, tick_s=tick_s)
    try:
        yield Device(folder, wave, node.origin_s)
    finally:
        node.end()


def nvml(folder: Path, wave: Mapping[str, Any], *, counter: bool = True) -> Device:
    """A fake NVIDIA card, whose library every tool loads as the driver's."""
    folder.mkdir(parents=True)
    command = folder / "nvidia-smi"  # CodeCarbon looks for cards only where this can be started
    command.write_text("#!/bin/sh\nexit 0\n", encoding="ascii")
    command.chmod(0o755)
    origin_wall_s = time.time()
    environ = {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "LD_LIBRARY_PATH": str(fake_devices.build_nvml(folder)),
        "FAKE_NVML_WAVE": wave["shape"],
        "FAKE_NVML_BASE_MW": str(1000 * wave["base_w"]),
        "FAKE_NVML_AMP_MW": str(1000 * wave["amp_w"]),
        "FAKE_NVML_PERIOD_S": str(wave["period_s"]),
        "FAKE_NVML_T0": repr(origin_wall_s),
    } | ({} if counter else {"FAKE_NVML_NO_ENERGY": "1", "FAKE_NVML_ARCH": "4"})
    return Device(None, wave, monotonic_at_wall(origin_wall_s), environ)
