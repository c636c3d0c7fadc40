"""Which job a process belongs to, by what its launcher told it: one identity for all processes on all nodes.

It runs in the tracked process, so it reads nothing but the environment and loads a hash only inside of a job.
Launchers are asked from the inner to the outer one: an MPI or torch job inside of a batch job is the finer group.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

VARIABLE = "SOOTPRINT_RUN_GROUP"
ID_DIGITS = 16
LOOPBACK = ("localhost", "127.", "::1", "[::1]")
# Slurm numbers its batch, extern and interactive steps from the top: slurm.h, SLURM_INTERACTIVE_STEP and others.
FIRST_SPECIAL_STEP = 0xFFFFFFF0
_BATCH_JOBS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "FLUX_JOB_ID")


class Group(NamedTuple):
    """The job that a process is a rank of.

    Args:
        id: Identity that all processes of the job on all nodes have; tells no host, user or path.
        kind: Who told it: stated, torchrun, torch, mpi or slurm.
        nodes: Nodes that take part [1]; None where the launcher does not tell.
        node_rank: Index of this node among them, from 0.
        local_rank: Index of this process on its node, from 0.
        local_size: Processes of the job on this node [1].
        world_size: Processes of the job [1].
    """

    id: str
    kind: str
    nodes: int | None = None
    node_rank: int | None = None
    local_rank: int | None = None
    local_size: int | None = None
    world_size: int | None = None

    def given(self) -> dict[str, int]:
        """What the launcher told of the nodes, for the record: with it a lost node is seen when records are added."""
        told = {"run_group_nodes": self.nodes, "run_group_node": self.node_rank}
        return {name: number for name, number in told.items() if number is not None}


def detect(environ: Mapping[str, str], stated: str | None = None) -> Group | None:
    """Job that a process with this environment is a rank of; None where it is none.

    Args:
        environ: Environment of the process.
        stated: Identity that the user gave the group; else the variable SOOTPRINT_RUN_GROUP.
    """
    found = _torchrun(environ) or _torch(environ) or _open_mpi(environ) or _slurm(environ) or _mpi(environ)
    name = (stated or environ.get(VARIABLE) or "").strip()
    if not name:
        return found
    return found._replace(id=name, kind="stated") if found else Group(name, "stated")


def _torchrun(env: Mapping[str, str]) -> Group | None:
    """Job of PyTorch's elastic agent, one of which runs on each node.

    Source:
        PyTorch 2 documentation, torchrun (Elastic Launch), "Environment Variables".
    """
    run_id, rank = env.get("TORCHELASTIC_RUN_ID"), _number(env, "LOCAL_RANK")
    if run_id is None or rank is None:
        return None
    agents, agent = _number(env, "GROUP_WORLD_SIZE"), _number(env, "GROUP_RANK")
    if run_id in ("", "none"):  # a static rendezvous has no identity but its address
        run_id = _rendezvous(env) or _agent_folder(env)
    if not run_id:
        return None
    allotted = _number(env, "SLURM_JOB_NUM_NODES")
    world_size, local_size = _number(env, "WORLD_SIZE"), _number(env, "LOCAL_WORLD_SIZE")
    group_id = _identity("torchrun", run_id, _batch_job(env))
    if agents is not None and allotted is not None and agents > allotted:  # several agents on a node
        return Group(group_id, "torchrun", allotted, _number(env, "SLURM_NODEID"), world_size=world_size)
    return Group(group_id, "torchrun", agents, agent, rank, local_size, world_size)


def _torch(env: Mapping[str, str]) -> Group | None:
    """Job whose ranks meet at an address, as DeepSpeed and hand-written launchers start it."""
    address, world_size = _rendezvous(env), _number(env, "WORLD_SIZE")
    if address is None or not world_size or _number(env, "RANK") is None:
        return None
    local_size = _first(env, "LOCAL_WORLD_SIZE", "LOCAL_SIZE")
    nodes = _first(env, "CROSS_SIZE") or _nodes_of(world_size, local_size)
    node_rank = _first(env, "NODE_RANK", "CROSS_RANK")
    group_id = _identity("torch", address, _batch_job(env))
    return Group(group_id, "torch", nodes, node_rank, _number(env, "LOCAL_RANK"), local_size, world_size)


def _open_mpi(env: Mapping[str, str]) -> Group | None:
    """Job of Open MPI's launcher; asked before Slurm, whose step is then that of the launcher's helpers."""
    if _number(env, "OMPI_COMM_WORLD_RANK") is None:
        return None
    job = env.get("PMIX_NAMESPACE") or env.get("OMPI_MCA_ess_base_jobid")
    sizes = (_number(env, "OMPI_COMM_WORLD_LOCAL_SIZE"), _number(env, "OMPI_COMM_WORLD_SIZE"))
    return _mpi_group(env, job, _number(env, "OMPI_COMM_WORLD_LOCAL_RANK"), *sizes)


def _mpi(env: Mapping[str, str]) -> Group | None:
    """Job of another launcher with PMIx, or of Intel MPI or MPICH, which tell no identity but the batch job's."""
    if _number(env, "PMIX_RANK") is not None and env.get("PMIX_NAMESPACE"):
        return _mpi_group(env, env["PMIX_NAMESPACE"], None, None, None)
    size, local_size = _number(env, "PMI_SIZE"), _number(env, "MPI_LOCALNRANKS")
    job = _batch_job(env)
    if _number(env, "PMI_RANK") is None or not job:
        return None
    return _mpi_group(env, "hydra", _number(env, "MPI_LOCALRANKID"), local_size, size)


def _mpi_group(
    env: Mapping[str, str], job: str | None, local_rank: int | None, local_size: int | None, size: int | None
) -> Group | None:
    if not job:
        return None
    nodes = _nodes_of(size, local_size)
    return Group(_identity("mpi", job, _batch_job(env)), "mpi", nodes, None, local_rank, local_size, size)


def _slurm(env: Mapping[str, str]) -> Group | None:
    """Step that srun started; a batch script or an interactive shell is not a rank.

    Array tasks have a job id each, and each `srun` of a job is a step of its own.

    Source:
        Slurm 24.05 manual, srun(1), "Output environment variables".
    """
    job, step = env.get("SLURM_JOB_ID"), _first(env, "SLURM_STEP_ID", "SLURM_STEPID")
    tasks = _first(env, "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS")
    node_rank = _number(env, "SLURM_NODEID")
    if not job or step is None or step >= FIRST_SPECIAL_STEP or _number(env, "SLURM_PROCID") is None:
        return None
    if tasks == 1 and "SLURM_PTY_PORT" in env:  # srun --pty: a shell for a person
        return None
    nodes = _first(env, "SLURM_STEP_NUM_NODES", "SLURM_NNODES")
    local_size = _tasks_here(env.get("SLURM_STEP_TASKS_PER_NODE", ""), node_rank)
    group_id = _identity("slurm", str(step), _batch_job(env))
    return Group(group_id, "slurm", nodes, node_rank, _number(env, "SLURM_LOCALID"), local_size, tasks)


def _rendezvous(env: Mapping[str, str]) -> str | None:
    """Address at which ranks of several nodes meet; None where it is this machine's own loopback."""
    host, port = env.get("MASTER_ADDR", ""), env.get("MASTER_PORT", "")
    if not host or not port or host.startswith(LOOPBACK):
        return None
    return f"{host}:{port}"


def _agent_folder(env: Mapping[str, str]) -> str | None:
    """Folder of random name that the one agent of a job made for its ranks; None where others take part."""
    parts = env.get("TORCHELASTIC_ERROR_FILE", "").rsplit("/", 3)  # FOLDER/attempt_0/0/error.json
    alone = _number(env, "GROUP_WORLD_SIZE") == 1
    return parts[0] if alone and len(parts) == 4 and parts[1].startswith("attempt_") else None


def _batch_job(env: Mapping[str, str]) -> str:
    """Batch job around the launcher, told apart from those of other clusters; empty where there is none."""
    name = next((name for name in _BATCH_JOBS if env.get(name)), None)
    return f"{env.get('SLURM_CLUSTER_NAME', '')}/{env[name]}" if name else ""


def _identity(kind: str, *parts: str) -> str:
    """Identity in which a host name or path cannot be read."""
    import hashlib

    text = "\0".join((kind, *parts))
    return f"{kind}-{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:ID_DIGITS]}"


def _nodes_of(size: int | None, local_size: int | None) -> int | None:
    """Nodes of a job whose nodes have the same number of ranks; None where that cannot be."""
    return size // local_size if size and local_size and size % local_size == 0 else None


def _tasks_here(per_node: str, node_rank: int | None) -> int | None:
    """Tasks on a node, of Slurm's short form.

    >>> _tasks_here("4(x2),1", 1), _tasks_here("4(x2),1", 2)
    (4, 1)
    """
    if node_rank is None:
        return None
    left = node_rank
    for run in per_node.split(","):
        tasks, _, times = run.partition("(x")
        count = times.removesuffix(")") or "1"
        if not (tasks.isdecimal() and count.isdecimal()):
            return None
        left -= int(count)
        if left < 0:
            return int(tasks)
    return None


def _first(env: Mapping[str, str], *names: str) -> int | None:
    return next((number for name in names if (number := _number(env, name)) is not None), None)


def _number(env: Mapping[str, str], name: str) -> int | None:
    """Whole number of a variable; None where it is missing or no such number."""
    text = env.get(name, "")
    return int(text) if text.isdecimal() and len(text) <= 18 else None
