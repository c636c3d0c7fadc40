"""Jobs of `sacct --json`, as the cells that the text has.

Source:
    SchedMD, Slurm REST API, dbv0.0.37 to v0.0.42, job and job_step: numbers are plain at first, and
    `{"set", "infinite", "number"}` since 23.02; states are a text, later a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from sootprint.core.errors import InputError
from sootprint.importers.base import MOST_CELL, mapping
from sootprint.importers.slurm_sacct import fields, stream
from sootprint.importers.slurm_sacct.rows import Cells, Job

_IS = re.compile(r'"jobs"\s*:\s*\[')
_STEP = re.compile(r'"(allocation_nodes|derived_exit_code|association|het|slurm|Slurm)"\s*:')
LOOKED_AT = 100_000  # characters of a text


def is_tree(text: str) -> bool:
    """Whether a text is JSON of sacct."""
    start = text[:LOOKED_AT]
    return start.startswith("{") and bool(_IS.search(start)) and bool(_STEP.search(start))


def jobs(parts: Iterable[str], name: str) -> Iterator[Job | tuple[str, str]]:
    """Jobs of a JSON text, one at a time, or the place of one that cannot be read and the reason.

    Args:
        parts: Parts of the text, of any lengths.
        name: Name of its file, for messages.

    Raises:
        InputError: It is no JSON of sacct.
    """
    number = 0
    try:
        for number, one in enumerate(stream.listed(stream.Text(parts), "jobs"), 1):
            if isinstance(one, dict):
                cells = _cells(one)
                yield Job(f"job {number}", cells, tuple(_steps(one, cells["jobid"])))
            else:
                yield f"job {number}", f"it is {type(one).__name__}, not an object"
    except stream.BrokenError as err:
        raise InputError(
            f"{name} is no JSON of sacct behind job {number}: {err!s:.120}; was it cut off? Export it again"
        ) from None


def _cells(job: dict[str, Any]) -> Cells:
    when, resources = mapping(job.get("time")), _resources(mapping(job.get("tres")).get("allocated"))
    made = {
        "jobid": _job_id(job),
        "jobname": _text(job.get("name")),
        "cluster": _text(job.get("cluster")),
        "account": _text(job.get("account")),
        "user": _text(job.get("user")),
        "partition": _text(job.get("partition")),
        "state": _state(job.get("state")),
        "submit": _when(when.get("submission")),
        "start": _when(when.get("start")),
        "end": _when(when.get("end")),
        "elapsedraw": _text(_number(when.get("elapsed"))),
        "allocnodes": _text(_number(job.get("allocation_nodes"))),
        "alloctres": resources,
        "consumedenergyraw": fields.resources(resources).get("energy", ""),
        "nodelist": _text(job.get("nodes")),
        "exitcode": _text(_number(mapping(job.get("exit_code")).get("return_code"))),
    }
    return {name: text for name, text in made.items() if text or name == "jobid"}


def _steps(job: dict[str, Any], job_id: str) -> Iterator[Cells]:
    for one in job.get("steps") or ():
        if not isinstance(one, dict):
            continue
        named, when = mapping(one.get("step")), mapping(one.get("time"))
        known = named.get("id")
        known = known.get("step_id") if isinstance(known, dict) else known
        energy = mapping(mapping(one.get("statistics")).get("energy")).get("consumed")
        yield {
            "jobid": f"{job_id}.{_text(known).rpartition('.')[2]}",
            "start": _when(when.get("start")),
            "end": _when(when.get("end")),
            "consumedenergyraw": _text(_number(energy)),
        }


def _job_id(job: dict[str, Any]) -> str:
    array, het = mapping(job.get("array")), mapping(job.get("het"))
    own, task = _number(job.get("job_id")), _number(array.get("task_id"))
    if _number(array.get("job_id")) and task is not None:
        return f"{_number(array.get('job_id'))}_{task}"
    if _number(het.get("job_id")):
        return f"{_number(het.get('job_id'))}+{_number(het.get('job_offset')) or 0}"
    return _text(own)


def _state(value: Any) -> str:
    current = value.get("current") if isinstance(value, dict) else value
    return _text(current[0] if isinstance(current, list) and current else current)


def _resources(listed: Any) -> str:
    parts = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return ",".join(
        f"{_text(one.get('type'))}{'/' if one.get('name') else ''}{_text(one.get('name'))}="
        f"{_text(_number(one.get('count')))}"
        for one in parts
    )


def _number(value: Any) -> int | float | None:
    """A number, plain or as an object that tells whether it is set."""
    if isinstance(value, dict):
        value = value.get("number") if value.get("set", True) and not value.get("infinite") else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _when(value: Any) -> str:
    seconds = _number(value)
    if not seconds or not 0 < seconds < 2**33:
        return ""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value)[:MOST_CELL].strip()
