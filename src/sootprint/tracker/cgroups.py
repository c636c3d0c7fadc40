"""The job, pod or container that a process belongs to, and the CPU time that the kernel counts for it.

Source:
    Linux kernel, cgroups(7), Control Group v1 and v2 documentation (2025); Slurm, cgroup v2 plugin (2026);
    Kubernetes, Configuring a cgroup driver (2025): names of the groups.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from sootprint.meters import files

US_PER_S = 1e6
NS_PER_S = 1e9
MOST_BYTES = 65_536  # of /proc/PID/cgroup and cpu.stat
_ID = r"[0-9a-f]{64}"
_POD = r"[0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32}"
_RULES = tuple(
    (kind, re.compile(rule))
    for kind, rule in (
        (
            "slurm",
            r"(?P<own>.*/[^/]*slurm[^/]*(?:/uid_\d+)?/job_(?P<id>\d+))(?:/step_(?P<part>[^/]+))?(?:/|$)",
        ),
        ("slurm", r"(?P<own>.*slurmstepd\.scope/(?P<id>s[0-9A-Z]{13}))(?:/step_(?P<part>[^/]+))?(?:/|$)"),
        ("kubernetes", rf"(?P<own>.*kubepods.*[/-]pod(?P<id>{_POD})(?:\.slice)?(?::[^/]*)?)(?:/|$)"),
        ("docker", rf"(?P<own>.*/docker[/-](?P<id>{_ID})(?:\.scope)?)(?:/|$)"),
        ("podman", rf"(?P<own>.*/libpod-(?P<id>{_ID})(?:\.scope)?)(?:/|$)"),
        ("containerd", rf"(?P<own>.*/(?:cri-containerd|crio|nerdctl)-(?P<id>{_ID})\.scope)(?:/|$)"),
        ("lxc", r"(?P<own>.*/lxc(?:\.payload[./]|/)(?P<id>[^/]+))(?:/|$)"),
        ("systemd", r"(?P<own>.*/(?P<id>(?!init\.|session-|user@)[^/]+\.(?:scope|service)))(?:/|$)"),
    )
)
_HEX = re.compile(_ID)


class Container(NamedTuple):
    """A group of processes that the kernel counts together.

    Args:
        kind: slurm, kubernetes, docker, podman, containerd, lxc or systemd.
        id: Job, pod, container or unit.
        step: Step of the job, or container of the pod, where it has one.
        path: Folder that tells the CPU time of the whole job, pod or container, or None where it cannot be seen.
        version: Control groups of the machine: "1", "2" or "hybrid".
    """

    kind: str
    id: str
    step: str | None
    path: str | None
    version: str

    @property
    def whole(self) -> tuple[str, str]:
        """Kind and identity, the same for all steps and containers of one job or pod."""
        return self.kind, self.id

    @property
    def holds_one_task(self) -> bool:
        """Whether it is made for one job, pod or container; a systemd unit may be a whole desktop."""
        return self.kind != "systemd"


def container_of(pid: int, procfs: str = "/proc", sysfs: str = "/sys") -> Container | None:
    """Container of a process, or None where it has none or the kernel does not tell.

    A job, pod or container comes before a systemd unit, and the outermost job or pod before a container in it.

    Args:
        pid: Process.
        procfs: Root of the process tree.
        sysfs: Root of the device tree.
    """
    groups = list(_groups(files.text(f"{procfs}/{pid}/cgroup", limit=MOST_BYTES) or ""))
    version = _version(groups)
    for kind, rule in _RULES:
        for _, path in groups:
            found = rule.match(path)
            if found:
                folder = _folder(groups, rule, version, f"{sysfs}/fs/cgroup")
                return Container(kind, _id_of(kind, found), _step_of(found), folder, version)
    return None


def container_at(folder: str, root: str, version: str) -> Container | None:
    """Slurm job or pod whose own group a folder is, or None where it is that of something else.

    Args:
        folder: Folder of a control group.
        root: Folder of its hierarchy.
        version: Control groups of the machine: "1", "2" or "hybrid".
    """
    path = folder.removeprefix(root)
    for kind, rule in _RULES:
        found = rule.match(path) if kind in ("slurm", "kubernetes") else None
        if found and found["own"] == path:
            return Container(kind, _id_of(kind, found), None, folder, version)
    return None


def cpu_seconds(container: Container) -> float | None:
    """CPU time that a whole job, pod or container used since it was made, or None where it is not told [s]."""
    if container.path is None:
        return None
    stat = files.text(f"{container.path}/cpu.stat", limit=MOST_BYTES) or ""
    for line in stat.splitlines():
        name, _, value = line.partition(" ")
        if name == "usage_usec" and (usage_us := files.whole(value)) is not None:
            return usage_us / US_PER_S
    usage_ns = files.number(f"{container.path}/cpuacct.usage")
    return None if usage_ns is None else usage_ns / NS_PER_S


def _groups(text: str) -> Iterator[tuple[str, str]]:
    """Controllers and path of each line, those that count CPU time first."""
    lines = [line.split(":", 2) for line in text.splitlines()]
    groups = [(fields[1], fields[2]) for fields in lines if len(fields) == 3]
    yield from sorted(groups, key=lambda group: (not _counts(group[0]), group[0] != ""))


def _counts(controllers: str) -> bool:
    return "cpuacct" in controllers.split(",")


def _version(groups: list[tuple[str, str]]) -> str:
    unified = any(not controllers for controllers, _ in groups)
    if unified:
        return "2" if len(groups) == 1 else "hybrid"
    return "1"


def _folder(groups: list[tuple[str, str]], rule: re.Pattern[str], version: str, root: str) -> str | None:
    """Folder of the first hierarchy that counts CPU time and shows the container."""
    for controllers, path in groups:
        found = rule.match(path)
        if found is None or "/.." in found["own"]:  # above the group that this process sees as its root
            continue
        for mount in _mounts(controllers, version):
            folder = f"{root}{mount}{found['own']}"
            if os.path.isdir(folder):  # noqa: PTH112 - a text suffices
                return folder
    return None


def _mounts(controllers: str, version: str) -> tuple[str, ...]:
    if _counts(controllers):
        return ("/cpuacct", "/cpu,cpuacct", f"/{controllers}")
    if controllers:
        return ()
    return ("",) if version == "2" else ("/unified",)


def _id_of(kind: str, found: re.Match[str]) -> str:
    """Identity; that of a pod is spelled with dashes, whichever driver wrote it."""
    return found["id"].replace("_", "-") if kind == "kubernetes" else found["id"]


def _step_of(found: re.Match[str]) -> str | None:
    if "part" in found.re.groupindex:
        return found["part"]
    inner = _HEX.findall(found.string[found.end("id") :])
    return inner[-1] if inner else None
