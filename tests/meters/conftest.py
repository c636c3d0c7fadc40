"""What the meters' tests share: an empty machine to fill, and the fake NVML library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fixtures import fake_devices

from sootprint.core.protocols import FakeClock, Machine

CPUINFO = """processor\t: 0
vendor_id\t: {vendor}
model name\t: {model}
siblings\t: {siblings}
flags\t\t: fpu vme {flags}

processor\t: 1
vendor_id\t: other
model name\t: not the first
"""


class Tree:
    """Fake /sys and /proc in a folder, written file by file."""

    def __init__(self, root: Path) -> None:
        self.sys, self.proc = root / "sys", root / "proc"
        self.sys.mkdir(parents=True)
        self.proc.mkdir()
        self.clock = FakeClock(monotonic_s=5000.0)

    def machine(self, **environ: str) -> Machine:
        """Machine that sees this tree."""
        return Machine(sysfs=str(self.sys), procfs=str(self.proc), environ=environ, clock=self.clock)

    def write(self, path: Path, text: str) -> None:
        """Write a file and the folders above it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def cpuinfo(
        self, model: str, *, vendor: str = "GenuineIntel", siblings: int = 8, flags: str = ""
    ) -> None:
        """Write the processor's name."""
        text = CPUINFO.format(vendor=vendor, model=model, siblings=siblings, flags=flags)
        self.write(self.proc / "cpuinfo", text)

    def threads(self, ranges: str) -> None:
        """Write which threads are online."""
        self.write(self.sys / "devices/system/cpu/online", f"{ranges}\n")

    def stat(self, *ticks: int) -> None:
        """Write the first line of /proc/stat."""
        words = " ".join(str(tick) for tick in ticks)
        self.write(self.proc / "stat", f"cpu  {words}\ncpu0 1 2 3 4\nintr 5\n")

    def meminfo(self, size_kib: int) -> None:
        """Write the memory's size."""
        self.write(self.proc / "meminfo", f"MemTotal:       {size_kib} kB\nMemFree:        1 kB\n")

    def disk(self, name: str, *, sectors: int, rotational: int = 0) -> None:
        """Write a disk."""
        self.write(self.sys / "block" / name / "size", f"{sectors}\n")
        self.write(self.sys / "block" / name / "queue/rotational", f"{rotational}\n")

    def traffic(self, **seen: tuple[int, int]) -> None:
        """Write bytes received and sent by each interface."""
        head = "Inter-|   Receive  |  Transmit\n face |bytes packets |bytes packets\n"
        rows = [
            f"{name:>6}: {got} 9 0 0 0 0 0 0 {sent} 9 0 0 0 0 0 0\n" for name, (got, sent) in seen.items()
        ]
        self.write(self.proc / "net/dev", head + "".join(rows))


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """An empty machine."""
    return Tree(tmp_path / "machine")


@pytest.fixture
def server(tree: Tree) -> Tree:
    """A server: two sockets of 32 threads, 256 GB, two SSDs and a HDD, one network card."""
    tree.cpuinfo("AMD EPYC 7282 16-Core Processor", vendor="AuthenticAMD", siblings=32)
    tree.threads("0-63")
    tree.stat(100, 0, 100, 800, 0, 0, 0, 0, 0, 0)
    tree.meminfo(263_000_000)
    for name in ("nvme0n1", "nvme1n1"):
        tree.disk(name, sectors=2_000_000_000)
    tree.disk("sda", sectors=8_000_000_000, rotational=1)
    tree.disk("loop0", sectors=1000)
    tree.traffic(lo=(10, 10), eth0=(1000, 500))
    tree.write(tree.sys / "class/net/eth0/device/vendor", "0x8086\n")
    return tree


@pytest.fixture(scope="session")
def nvml_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the fake NVML library."""
    if fake_devices.compiler() is None:
        pytest.skip(fake_devices.NO_COMPILER)
    return fake_devices.build_nvml(tmp_path_factory.mktemp("nvml"))


@pytest.fixture
def fake_nvml(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Function that sets variables of the fake library: `fake_nvml(COUNT=2, AT=3.5)`; the rest is unset."""
    import os

    for name in [name for name in os.environ if name.startswith("FAKE_NVML_")]:
        monkeypatch.delenv(name)

    def tell(**values: object) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"FAKE_NVML_{name}", str(value))

    return tell
