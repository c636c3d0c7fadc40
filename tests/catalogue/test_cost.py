"""Cost: the tracking path loads nothing heavy."""

import subprocess
import sys
from pathlib import Path

LOOK_UPS = """
import sys
from sootprint.catalogue import hardware, regions, zones
zones.intensity("aws/us-east-1", 2024)
zones.intensity("WORLD", 2030)
regions.region("aws/us-east-1")
hardware.find_cpu("AMD EPYC 7742 64-Core Processor")
hardware.find_cpu("Intel Xeon Processor (Skylake, IBRS)")
hardware.find_accelerator("NVIDIA H100 80GB HBM3")
print(" ".join(sorted(name for name in sys.modules if "." not in name)))
"""
HEAVY = {
    "difflib",
    "httpx",
    "numpy",
    "platformdirs",
    "psutil",
    "pynvml",
    "random",
    "rich",
    "sqlite3",
    "tomllib",
    "typer",
}


def test_look_up_loads_nothing_heavy():
    """A zone, a region, a processor and an accelerator are found with the standard library's light modules."""
    environment = {"PYTHONPATH": str(Path("src").resolve()), "SOOTPRINT_HOME": "/nonexistent"}
    run = subprocess.run(
        [sys.executable, "-c", LOOK_UPS], check=True, capture_output=True, text=True, env=environment
    )
    assert not HEAVY & set(run.stdout.split())
