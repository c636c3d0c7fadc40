"""The container of a process, from texts as the kernel writes them under each manager and version."""

from __future__ import annotations

import pytest

from sootprint.tracker.cgroups import Container, container_of, cpu_seconds

CID = "d0b3604b67ac7930dd34ba3a796627e3e4717d12309e90a4afe3f38b6816ac98"
POD = "7d4424e6-bb13-42f4-a47a-45a4828bf54d"
POD_ = POD.replace("-", "_")
STATIC_POD = "36b6d6be73b1065af369b3985edafa09"
KUBE = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable"
SLUID = "s5K1KKYAYG5D00"


def v1(path, *, systemd="/"):
    """Text of a machine with version 1: all hierarchies but that of systemd show the path."""
    rows = ("11:memory", "10:cpu,cpuacct", "9:cpuset", "8:freezer", "7:devices")
    return "".join(f"{row}:{path}\n" for row in rows) + f"1:name=systemd:{systemd}\n"


CASES = {
    "slurm v2": (
        "0::/system.slice/slurmstepd.scope/job_123/step_0/user/task_0\n",
        ("slurm", "123", "0", "2"),
        "/system.slice/slurmstepd.scope/job_123",
    ),
    "slurm v2, several slurmd on a node": (
        "0::/system.slice/node7_slurmstepd.scope/job_4711/step_batch/user/task_special\n",
        ("slurm", "4711", "batch", "2"),
        "/system.slice/node7_slurmstepd.scope/job_4711",
    ),
    "slurm 26 v2": (
        f"0::/system.slice/slurmstepd.scope/{SLUID}/step_0/user/task_0\n",
        ("slurm", SLUID, "0", "2"),
        f"/system.slice/slurmstepd.scope/{SLUID}",
    ),
    "slurm v1": (
        v1("/slurm/uid_1000/job_123/step_0/task_3"),
        ("slurm", "123", "0", "1"),
        "/cpu,cpuacct/slurm/uid_1000/job_123",
    ),
    "slurm v1, several slurmd on a node": (
        v1("/slurm_node7/uid_1000/job_9/step_extern"),
        ("slurm", "9", "extern", "1"),
        "/cpu,cpuacct/slurm_node7/uid_1000/job_9",
    ),
    "slurm v1 that does not account": (
        "9:cpuset:/slurm/uid_1000/job_123/step_0\n5:cpuacct,cpu:/system.slice/slurmd.service\n",
        ("slurm", "123", "0", "1"),
        None,
    ),
    "kubernetes v2, systemd driver": (
        f"0::{KUBE}-pod{POD_}.slice/cri-containerd-{CID}.scope\n",
        ("kubernetes", POD, CID, "2"),
        f"{KUBE}-pod{POD_}.slice",
    ),
    "kubernetes v2, guaranteed pod, cri-o": (
        f"0::/kubepods.slice/kubepods-pod{POD_}.slice/crio-{CID}.scope/container\n",
        ("kubernetes", POD, CID, "2"),
        f"/kubepods.slice/kubepods-pod{POD_}.slice",
    ),
    "kubernetes v1, cgroupfs driver": (
        v1(f"/kubepods/burstable/pod{POD}/{CID}"),
        ("kubernetes", POD, CID, "1"),
        f"/cpu,cpuacct/kubepods/burstable/pod{POD}",
    ),
    "kubernetes v1, systemd driver of docker": (
        v1(f"{KUBE}-pod{POD_}.slice/docker-{CID}.scope"),
        ("kubernetes", POD, CID, "1"),
        f"/cpu,cpuacct{KUBE}-pod{POD_}.slice",
    ),
    "kubernetes v1, containerd without the systemd driver": (
        v1(f"/system.slice/containerd.service/kubepods-burstable-pod{STATIC_POD}.slice:cri-containerd:{CID}"),
        ("kubernetes", STATIC_POD, CID, "1"),
        f"/cpu,cpuacct/system.slice/containerd.service/kubepods-burstable-pod{STATIC_POD}.slice:cri-containerd:{CID}",
    ),
    "kubernetes in docker": (
        f"0::/system.slice/docker-{'a' * 64}.scope/kubelet.slice/kubelet-kubepods.slice/"
        f"kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod{POD_}.slice/cri-containerd-{CID}.scope\n",
        ("kubernetes", POD, CID, "2"),
        f"/system.slice/docker-{'a' * 64}.scope/kubelet.slice/kubelet-kubepods.slice/"
        f"kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod{POD_}.slice",
    ),
    "docker v2": (
        f"0::/system.slice/docker-{CID}.scope\n",
        ("docker", CID, None, "2"),
        f"/system.slice/docker-{CID}.scope",
    ),
    "docker v1": (v1(f"/docker/{CID}"), ("docker", CID, None, "1"), f"/cpu,cpuacct/docker/{CID}"),
    "docker hybrid": (
        v1(f"/docker/{CID}") + "0::/system.slice/containerd.service\n",
        ("docker", CID, None, "hybrid"),
        f"/cpu,cpuacct/docker/{CID}",
    ),
    "podman of a user": (
        f"0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{CID}.scope/container\n",
        ("podman", CID, None, "2"),
        f"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{CID}.scope",
    ),
    "lxc v2": ("0::/lxc.payload.web/init.scope\n", ("lxc", "web", None, "2"), "/lxc.payload.web"),
    "nerdctl": (
        f"0::/system.slice/nerdctl-{CID}.scope\n",
        ("containerd", CID, None, "2"),
        f"/system.slice/nerdctl-{CID}.scope",
    ),
    "unit of a user": (
        "0::/user.slice/user-1000.slice/user@1000.service/app.slice/train.service\n",
        ("systemd", "train.service", None, "2"),
        "/user.slice/user-1000.slice/user@1000.service/app.slice/train.service",
    ),
    "hybrid that shows the unit in its unified tree alone": (
        "2:cpuacct:/\n1:name=systemd:/system.slice/train.service\n0::/system.slice/train.service\n",
        ("systemd", "train.service", None, "hybrid"),
        "/unified/system.slice/train.service",
    ),
}


@pytest.fixture
def tell(tmp_path):
    """Function that writes a process's groups and makes the folders of the control groups that it names."""

    def write(text, *folders, pid=77):
        process = tmp_path / "proc" / str(pid)
        process.mkdir(parents=True, exist_ok=True)
        process.joinpath("cgroup").write_text(text, encoding="utf-8")
        for folder in folders:
            tmp_path.joinpath(f"sys/fs/cgroup{folder}").mkdir(parents=True)
        return container_of(pid, str(tmp_path / "proc"), str(tmp_path / "sys"))

    return write


@pytest.mark.parametrize("name", CASES)
def test_container_at_its_own_level(tell, tmp_path, name):
    """Job, pod or container, its part, and the folder where the whole of it is counted."""
    text, (kind, identity, step, version), folder = CASES[name]
    path = None if folder is None else f"{tmp_path}/sys/fs/cgroup{folder}"
    seen = tell(text, *([folder] if folder else []))
    assert seen == Container(kind, identity, step, path, version)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0::/\n",
        "0::/init.scope\n",
        "0::/user.slice/user-1000.slice/session-2.scope\n",
        "0::/user.slice/user-1000.slice/user@1000.service/init.scope\n",
        f"0::/machine.slice/libpod-conmon-{CID}.scope\n",
        "nonsense\n\n1:2\n",
    ],
)
def test_process_without_container(tell, text):
    """The root, a login session, a helper of a container and a malformed text are none."""
    seen = tell(text)
    assert seen is None or not seen.holds_one_task


def test_process_that_is_gone(tmp_path):
    """No error."""
    assert container_of(77, str(tmp_path), str(tmp_path)) is None


@pytest.mark.parametrize("path", [f"/../docker-{CID}.scope", f"/docker/{CID}"])
def test_container_that_this_process_cannot_see(tell, path):
    """Its identity is known; its CPU time is not, because its folder lies outside or is not mounted."""
    seen = tell(f"0::{path}\n")
    assert (seen.id, seen.path, cpu_seconds(seen)) == (CID, None, None)


def test_cpu_time_of_version_2(tell, tmp_path):
    """usage_usec of cpu.stat: 12.5 s."""
    folder = f"/system.slice/docker-{CID}.scope"
    seen = tell(f"0::{folder}\n", folder)
    assert cpu_seconds(seen) is None
    tmp_path.joinpath(f"sys/fs/cgroup{folder}/cpu.stat").write_text(
        "usage_usec 12500000\nuser_usec 9000000\nsystem_usec 3500000\nnr_periods 0\n", encoding="utf-8"
    )
    assert cpu_seconds(seen) == 12.5


def test_cpu_time_of_version_1(tell, tmp_path):
    """cpuacct.usage in ns: 3.25 s; the cpu.stat beside it tells throttling and no time."""
    folder = f"/cpu,cpuacct/docker/{CID}"
    seen = tell(v1(f"/docker/{CID}"), folder)
    group = tmp_path / f"sys/fs/cgroup{folder}"
    group.joinpath("cpu.stat").write_text(
        "nr_periods 0\nnr_throttled 0\nthrottled_time 0\n", encoding="utf-8"
    )
    group.joinpath("cpuacct.usage").write_text("3250000000\n", encoding="utf-8")
    assert cpu_seconds(seen) == 3.25


def test_steps_of_a_job_are_one_whole(tell):
    """Two steps, one job: what tells them apart is the step."""
    first = tell("0::/system.slice/slurmstepd.scope/job_123/step_0/user/task_0\n")
    second = tell("0::/system.slice/slurmstepd.scope/job_123/step_1/user/task_0\n", pid=78)
    assert first != second
    assert first.whole == second.whole == ("slurm", "123")
