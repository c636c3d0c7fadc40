"""The tools that are compared, the environment of each, and how each is used."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
VENVS = ROOT / "build" / "bench"


class Tool(NamedTuple):
    """One tool: its name, its configuration file in a working folder, and how it is used."""

    name: str
    config: str | None
    settings: str
    reads_counters: bool = True

    @property
    def adapter(self) -> Path:
        """File that drives it."""
        return HERE / "adapters" / f"use_{self.name}.py"

    @property
    def python(self) -> Path:
        """Interpreter of its environment."""
        return VENVS / self.name / "bin" / "python"


SOOTPRINT = Tool("sootprint", "sootprint.toml", 'track(name, zone="FR", period_s=1); `recover` after a crash')
PEERS = (
    Tool(
        "codecarbon",
        ".codecarbon.config",
        'OfflineEmissionsTracker(country_iso_code="FRA", measure_power_secs=1), one CSV; its processor energy',
    ),
    Tool(
        "carbontracker",
        None,
        'CarbonTracker(epochs=n, update_interval=1, components="cpu" or "gpu", log_dir=...), '
        "epochs of 3 s, or of the whole run for the truth; "
        "its fixed PUE of 1.58 divided out",
    ),
    Tool(
        "zeus",
        None,
        "ZeusMonitor(log_file=...) and one window; processors are in no file, so what the call returns counts",
    ),
    Tool(
        "eco2ai",
        "PACKAGE/eco2ai/data/config.txt",
        'Tracker(alpha_2_code="FR", measure_period=1); one number for processor, memory and cards; no counters',
        reads_counters=False,
    ),
)
TOOLS = (SOOTPRINT, *PEERS)
NOTHING = Tool("nothing", None, "the same process without a tool")


def site_packages(tool: Tool) -> Path:
    """Folder of the packages of a tool."""
    return next((VENVS / tool.name / "lib").glob("python*/site-packages"))


def site_packages_mb(tool: Tool) -> float:
    """Size of everything that installing the tool brought, bytecode included [MB]."""
    files = (path for path in site_packages(tool).rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files) / 1e6


def versions(tool: Tool) -> dict[str, str]:
    """Versions of the tool and of the packages that change how it works."""
    wanted = (tool.name, "pandas", "numpy", "psutil", "nvidia-ml-py")
    code = (
        "import importlib.metadata as m, json, sys\n"
        "have = {d.metadata['Name'].lower(): d.version for d in m.distributions()}\n"
        "print(json.dumps({w: have[w] for w in sys.argv[1:] if w in have} | {'packages': str(len(have))}))"
    )
    done = subprocess.run([tool.python, "-c", code, *wanted], stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def code(folder: Path | None = None) -> str:
    """Digest of the Python files of a package, by default of the Sootprint that is measured: which code it was.

    Args:
        folder: Folder of the package.
    """
    package = site_packages(SOOTPRINT) / SOOTPRINT.name if folder is None else folder
    made = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        made.update(f"{file.relative_to(package)}\n".encode())
        made.update(file.read_bytes())
    return made.hexdigest()[:16]


def install(*, source: Path = ROOT) -> None:
    """Environments of all tools under build/bench, made or brought up to the pinned versions.

    Args:
        source: Tree of Sootprint to build and install.

    Raises:
        subprocess.CalledProcessError: A package could not be had, e.g. without a network.
    """
    for tool in (*TOOLS, NOTHING):
        if not tool.python.exists():
            _uv("venv", "--python", sys.executable, str(VENVS / tool.name))
    for peer in PEERS:
        pins = HERE / "pins" / f"{peer.name}.txt"
        _uv("pip", "sync", "--compile-bytecode", "--python", str(peer.python), str(pins))
    fresh = ("--reinstall-package", "sootprint", "--compile-bytecode", "--python", str(SOOTPRINT.python))
    _uv("pip", "install", *fresh, str(source))


def _uv(*words: str) -> None:
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(
        [str(uv), words[0], "-q", *words[1:]], check=True, env=os.environ | {"UV_LINK_MODE": "copy"}
    )


def machine() -> dict[str, object]:
    """What the figures depend on; no name of the machine."""
    rows = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [row.partition(":")[2].strip() for row in rows if row.startswith("model name")]
    return {
        "cores": os.cpu_count(),
        "cpu": models[0] if models else platform.processor(),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "load_1_min": os.getloadavg()[0],
        "python": platform.python_version(),
    }
