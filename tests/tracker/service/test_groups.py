"""Jobs and pods in a tree of control groups."""

from __future__ import annotations

from pathlib import Path

from sootprint.tracker.cgroups import cpu_seconds
from sootprint.tracker.service.groups import groups

POD = "0d6e9a3e-1c3e-4b8e-9d5f-2f6a1b7c8d9e"


def _tree(root: Path, *folders: str) -> str:
    for folder in folders:
        (root / "fs/cgroup" / folder).mkdir(parents=True)
    return str(root)


def test_pods_and_jobs_of_version_2_are_found(tmp_path: Path) -> None:
    """Pods by either driver's names and jobs of Slurm are found, each once, and nothing else is."""
    under = POD.replace("-", "_")
    best = f"kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{under}.slice"
    sysfs = _tree(
        tmp_path,
        f"{best}/cri-containerd-{'a' * 64}.scope",
        f"kubepods/burstable/pod{POD[:-1]}f",
        "system.slice/slurmstepd.scope/job_4711/step_0/user",
        "system.slice/ssh.service",
        "user.slice/user-1000.slice/session-2.scope",
    )
    (tmp_path / "fs/cgroup/cgroup.controllers").write_text("cpu")
    (tmp_path / "fs/cgroup" / best / "cpu.stat").write_text("usage_usec 2500000\n")
    found = groups(sysfs)
    assert set(found) == {("kubernetes", POD), ("kubernetes", f"{POD[:-1]}f"), ("slurm", "4711")}
    assert cpu_seconds(found["kubernetes", POD]) == 2.5


def test_jobs_and_pods_of_version_1_are_found(tmp_path: Path) -> None:
    """Under version 1 the hierarchy that counts CPU time is looked at."""
    sysfs = _tree(
        tmp_path, "cpuacct/slurm/uid_1501/job_12/step_batch", f"cpuacct/kubepods/pod{POD}", "memory/slurm"
    )
    found = groups(sysfs)
    assert set(found) == {("slurm", "12"), ("kubernetes", POD)}
    assert found["slurm", "12"].path == f"{sysfs}/fs/cgroup/cpuacct/slurm/uid_1501/job_12"


def test_machine_without_control_groups_has_none(tmp_path: Path) -> None:
    """Where nothing is mounted nothing is found."""
    assert groups(str(tmp_path)) == {}
