"""The job of a process, by environments as the launchers write them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sootprint.core.merging import SHARED
from sootprint.core.records import Place
from sootprint.tracker.assemble import Surroundings, footprint
from sootprint.tracker.fold import Fold
from sootprint.tracker.group import Group, detect
from tests.tracker.conftest import head

AGENT = "/tmp/torchelastic_vas9_dod/none_77dl2omi"  # folder that the agent of a node makes
TORCHRUN = {  # rank 9 of `torchrun --nnodes=4 --nproc-per-node=4 --rdzv-id=job7`
    "TORCHELASTIC_RUN_ID": "job7",
    "TORCHELASTIC_RESTART_COUNT": "0",
    "TORCHELASTIC_ERROR_FILE": "/tmp/torchelastic_ab/job7_cd/attempt_0/1/error.json",
    "MASTER_ADDR": "node01.example.org",
    "MASTER_PORT": "29500",
    "RANK": "9",
    "WORLD_SIZE": "16",
    "LOCAL_RANK": "1",
    "LOCAL_WORLD_SIZE": "4",
    "GROUP_RANK": "2",
    "GROUP_WORLD_SIZE": "4",
}
STATIC = {**TORCHRUN, "TORCHELASTIC_RUN_ID": "none"}
STANDALONE = {  # `torchrun --nproc-per-node=2`, as it comes without any option
    **STATIC,
    "MASTER_ADDR": "127.0.0.1",
    "GROUP_RANK": "0",
    "GROUP_WORLD_SIZE": "1",
    "TORCHELASTIC_ERROR_FILE": f"{AGENT}/attempt_0/1/error.json",
}
SLURM = {  # task 5 of `srun --nodes=3 --ntasks=9` in a batch job
    "SLURM_JOB_ID": "4711",
    "SLURM_CLUSTER_NAME": "alps",
    "SLURM_STEP_ID": "0",
    "SLURM_NNODES": "3",
    "SLURM_JOB_NUM_NODES": "3",
    "SLURM_STEP_NUM_NODES": "3",
    "SLURM_STEP_NUM_TASKS": "9",
    "SLURM_STEP_TASKS_PER_NODE": "4(x2),1",
    "SLURM_NODEID": "1",
    "SLURM_PROCID": "5",
    "SLURM_LOCALID": "1",
    "SLURM_STEP_NODELIST": "node[01-03]",
    "SLURM_SUBMIT_DIR": "/home/someone",
}
BATCH = {  # the script itself: a task of the node that it runs on, but of no step
    name: SLURM[name] for name in ("SLURM_JOB_ID", "SLURM_CLUSTER_NAME", "SLURM_NNODES", "SLURM_SUBMIT_DIR")
} | {"SLURM_NODEID": "0", "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NTASKS": "9"}
SALLOC = {  # the shell of `salloc` with use_interactive_step
    **SLURM,
    "SLURM_STEP_ID": "4294967290",
    "SLURM_STEP_NUM_TASKS": "1",
    "SLURM_STEP_NUM_NODES": "1",
    "SLURM_PTY_PORT": "39029",
}
OPEN_MPI = {  # rank 3 of `mpirun -np 8` over two nodes, Open MPI 4
    "OMPI_COMM_WORLD_RANK": "3",
    "OMPI_COMM_WORLD_SIZE": "8",
    "OMPI_COMM_WORLD_LOCAL_RANK": "3",
    "OMPI_COMM_WORLD_LOCAL_SIZE": "4",
    "OMPI_MCA_ess_base_jobid": "3014852609",
    "PMIX_NAMESPACE": "3014852609",
    "PMIX_RANK": "3",
}
INTEL_MPI = {
    "PMI_RANK": "5",
    "PMI_SIZE": "8",
    "MPI_LOCALRANKID": "1",
    "MPI_LOCALNRANKS": "4",
    "PBS_JOBID": "17.head",
}
DEEPSPEED = {
    "MASTER_ADDR": "10.1.2.3", "MASTER_PORT": "29500", "RANK": "5", "LOCAL_RANK": "1", "WORLD_SIZE": "8",
    "LOCAL_SIZE": "4", "CROSS_RANK": "1", "CROSS_SIZE": "2",
}  # fmt: skip


def test_torchrun_tells_nodes_and_ranks() -> None:
    """GROUP_* counts agents, one a node; LOCAL_* counts the ranks of one agent."""
    found = detect(TORCHRUN)
    assert found is not None
    assert found[1:] == ("torchrun", 4, 2, 1, 4, 16)
    assert found.given() == {"run_group_nodes": 4, "run_group_node": 2}


def test_slurm_step_tells_nodes_and_ranks() -> None:
    """The node with index 1 of 4, 4 and 1 tasks has 4."""
    found = detect(SLURM)
    assert found is not None
    assert found[1:] == ("slurm", 3, 1, 1, 4, 9)


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        (OPEN_MPI, ("mpi", 2, None, 3, 4, 8)),
        (INTEL_MPI, ("mpi", 2, None, 1, 4, 8)),
        (DEEPSPEED, ("torch", 2, 1, 1, 4, 8)),
        ({"PMIX_NAMESPACE": "prterun-n1-77@1", "PMIX_RANK": "0"}, ("mpi", None, None, None, None, None)),
    ],
)
def test_other_launchers_tell_what_they_know(environ: dict[str, str], told: tuple[object, ...]) -> None:
    """Nodes are the ranks over the ranks of one node where no variable counts them."""
    found = detect(environ)
    assert found is not None and found[1:] == told


@pytest.mark.parametrize("environ", [TORCHRUN, STATIC, STANDALONE, SLURM, OPEN_MPI, INTEL_MPI, DEEPSPEED])
def test_identity_tells_no_host_and_no_path(environ: dict[str, str]) -> None:
    """A launcher's name and 16 hexadecimal digits, whatever the environment holds."""
    found = detect(environ)
    assert found is not None
    kind, _, digits = found.id.partition("-")
    assert kind == found.kind and len(digits) == 16 and set(digits) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    ("environ", "elsewhere"),
    [
        (TORCHRUN, {"GROUP_RANK": "0", "LOCAL_RANK": "3", "RANK": "3"}),
        (TORCHRUN, {"MASTER_ADDR": "node02", "TORCHELASTIC_RESTART_COUNT": "2", "GROUP_WORLD_SIZE": "3"}),
        (STATIC, {"GROUP_RANK": "0", "TORCHELASTIC_ERROR_FILE": "/tmp/torchelastic_x/none_y/attempt_0/0/error.json"}),
        (STANDALONE, {"LOCAL_RANK": "0", "TORCHELASTIC_ERROR_FILE": f"{AGENT}/attempt_3/0/error.json"}),
        (SLURM, {"SLURM_NODEID": "2", "SLURM_PROCID": "8", "SLURM_LOCALID": "0", "SLURM_RESTART_COUNT": "1"}),
        (OPEN_MPI, {"OMPI_COMM_WORLD_RANK": "7", "PMIX_RANK": "7"}),
        (INTEL_MPI, {"PMI_RANK": "0", "MPI_LOCALRANKID": "0"}),
    ],
)  # fmt: skip
def test_ranks_of_one_job_have_one_identity(environ: dict[str, str], elsewhere: dict[str, str]) -> None:
    """Other nodes, other ranks and elastic restarts keep it."""
    one, other = detect(environ), detect({**environ, **elsewhere})
    assert one is not None and other is not None
    assert one.id == other.id


@pytest.mark.parametrize(
    ("environ", "changed"),
    [
        (TORCHRUN, {"TORCHELASTIC_RUN_ID": "job8"}),
        (TORCHRUN, {"SLURM_JOB_ID": "4711"}),
        (STATIC, {"MASTER_PORT": "29501"}),
        (STANDALONE, {"TORCHELASTIC_ERROR_FILE": "/tmp/torchelastic_z/none_z/attempt_0/1/error.json"}),
        (SLURM, {"SLURM_CLUSTER_NAME": "andes"}),
        (SLURM, {"SLURM_STEP_ID": "1"}),
        (SLURM, {"SLURM_JOB_ID": "4712", "SLURM_ARRAY_JOB_ID": "4711", "SLURM_ARRAY_TASK_ID": "1"}),
        (OPEN_MPI, {"PMIX_NAMESPACE": "3014852610"}),
    ],
)
def test_different_jobs_have_different_identities(environ: dict[str, str], changed: dict[str, str]) -> None:
    """Another rendezvous, cluster, step or array task is another job."""
    one, other = detect(environ), detect({**environ, **changed})
    assert one is not None and other is not None
    assert one.id != other.id


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"HOME": "/home/someone", "RANK": "0"},
        BATCH,
        {**BATCH, "SLURM_STEP_ID": "4294967291"},
        SALLOC,
        {**SLURM, "SLURM_STEP_NUM_TASKS": "1", "SLURM_PTY_PORT": "4"},
        {**STANDALONE, "TORCHELASTIC_ERROR_FILE": ""},
        {**DEEPSPEED, "MASTER_ADDR": "localhost"},
        {"PMI_RANK": "0", "PMI_SIZE": "2"},
        {**SLURM, "SLURM_STEP_ID": "zero"},
    ],
)
def test_shells_scripts_and_lone_programs_are_no_ranks(environ: dict[str, str]) -> None:
    """An allocation makes no rank, and an address that each machine has tells no job."""
    assert detect(environ) is None


def test_torchrun_inside_of_srun_is_the_finer_group() -> None:
    """Slurm's task is the agent there; the ranks are torchrun's, and the job makes the rendezvous id unique."""
    found = detect({**SLURM, **TORCHRUN})
    assert found is not None
    assert (found.kind, found.nodes, found.local_rank) == ("torchrun", 3, None)  # 4 agents on 3 nodes
    assert detect({**SLURM, **TORCHRUN, "GROUP_WORLD_SIZE": "3"})[2:4] == (3, 2)  # type: ignore[index]


def test_mpirun_inside_of_slurm_is_one_group_on_all_nodes() -> None:
    """The first node's ranks come from the script, the others' from a step of the launcher's helpers."""
    first, other = detect({**BATCH, **OPEN_MPI}), detect({**SLURM, **OPEN_MPI})
    assert first is not None and other is not None
    assert (first.id, first.kind) == (other.id, "mpi")


def test_stated_identity_wins_and_keeps_what_the_launcher_told() -> None:
    """An argument wins over the variable, that over the launcher."""
    assert detect({"SOOTPRINT_RUN_GROUP": " night run "}) == Group("night run", "stated")
    found = detect({**SLURM, "SOOTPRINT_RUN_GROUP": "variable"}, "argument")
    assert found is not None
    assert (found.id, found.kind, found.nodes, found.node_rank) == ("argument", "stated", 3, 1)


def test_hash_is_not_loaded_outside_of_a_job() -> None:
    """A run on one machine pays nothing for jobs that it is no part of."""
    code = (
        "import sys; from sootprint.tracker.group import detect; detect({}); print('hashlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("shared", [False, True])
def test_record_tells_its_group_and_whether_it_shared_the_machine(shared: bool) -> None:
    """A counter that counts anew as the run's part of it tells of others; a snapshot keeps that."""
    fold = Fold()
    fold.apply(head(run_group="job", given={"run_group_nodes": 2}))
    fold.apply({"k": "comp", "c": {"meter": "nvml", "component": "accelerator:0", "basis": "sensor"}})
    fold.apply({"k": "tick", "s": 0.0, "r": [[0, 0.0, 0.0, None, None, 0.0]]})
    if shared:
        fold.apply({"k": "base", "r": [[0, None, 1.0, 0.0, "began anew"]]})
    copy = Fold()
    for line in fold.dump():
        copy.apply(line)
    made = footprint(copy, Surroundings(place=Place(), pue=None, intensities=()))
    assert made.run_group == "job"
    assert made.given == {"run_group_nodes": 2} | ({SHARED: True} if shared else {})
