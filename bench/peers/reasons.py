"""Why a row in which Sootprint is not ahead reads as it does: what each tool has done by then, with its evidence.

The figures are those of the same report, so that a reason holds for the run beside which it stands, or is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bench.peers.tools import SOOTPRINT

Report = Mapping[str, Any]
UNDISTURBED, KILLED = "nothing", "kill -9"  # cases of the fault table that are the evidence
STAGES = {
    "start, wall": "start",
    "start, CPU": "start",
    "stop, wall": "stop",
    "stop, CPU": "stop",
    "CPU time in the second to the eleventh second of a run": "young",
    "CPU time at one sample a second, after that": "samples",
}
OURS = {
    "start": "Sootprint has begun a thread that loads what it measures with, finds every meter, looks who else is "
    "measured here, and has a journal on disk some ms later; the row of the second after counts it",
    "stop": "Sootprint takes a last reading, multiplies energy, PUE and intensity minute by minute with their "
    "intervals and sources, and has the whole record on disk",
    "young": "Sootprint takes some two samples a second, so that a kill costs a short run a tenth at most",
    "samples": "Sootprint reads, checks and writes every sample to its journal",
}
THEIRS = {
    ("zeus", "start"): "has read each counter once and written nothing",
    ("zeus", "stop"): "has read each counter a second time and returned the difference",
    ("zeus", "young"): "takes no samples: nothing runs between its two calls",
    ("zeus", "samples"): "takes no samples: nothing runs between its two calls",
    (
        "carbontracker",
        "start",
    ): "has started its thread and opened its log",
    ("carbontracker", "stop"): "has added the mean power of its last epoch, and a sum, to the open log",
    ("carbontracker", "young"): "reads one second of every two, and writes at the end of an epoch",
    ("codecarbon", "young"): "takes one sample a second, and writes at its end",
    ("carbontracker", "samples"): "reads one second of every two, and writes at the end of an epoch",
}


def reasoned(report: Report) -> Iterator[str]:
    """The rows in which another tool is ahead, each reason under the last of the rows that it is for."""
    rows = [(row, *_stage(row)) for row in report["behind"]]
    for index, (row, peer, stage) in enumerate(rows):
        yield f"- {row}"
        if all((peer, stage) != other[1:] for other in rows[index + 1 :]):
            yield from _reason(report, peer, stage)
        if row.partition(": ")[0] in report["truth"]:
            yield from _edges(report)


def _stage(row: str) -> tuple[str, str | None]:
    """Tool that is ahead in a row, and the part of a run that the row is about."""
    title, _, rest = row.partition(": ")
    return rest.partition(" ")[0], STAGES.get(title)


def _edges(report: Report) -> Iterator[str]:
    """What an error against a known energy is worth in time."""
    yield (
        f"  - These are the largest errors of {report['truth_runs']} runs of {report['truth_seconds']:g} s each; one "
        f"percent of such a run is its energy of {10 * report['truth_seconds']:.0f} ms."
    )


def _reason(report: Report, peer: str, stage: str | None) -> Iterator[str]:
    if stage is None or (peer, stage) not in THEIRS:
        return
    proofs = [*(_loading(report, peer) if stage == "start" else _left(report, peer)), _cut_off(report, peer)]
    told = "; ".join(proof for proof in proofs if proof)
    yield f"  - By then {peer} {THEIRS[peer, stage]}; {OURS[stage]}."
    if told:
        yield f"  - Evidence: {told}."


def _loading(report: Report, peer: str) -> Iterator[str]:
    """What the import took before the start."""
    for tool in (peer, SOOTPRINT.name):
        costs = report["costs"][tool]
        yield (
            f"{tool} had taken {_ms(costs['import_ms'])} to import, so that both take {_ms(costs['ready_ms'])}"
        )


def _ms(figure: Mapping[str, float]) -> str:
    value = figure["median"]
    return f"{value:.0f} ms" if value >= 10 else f"{value:.2g} ms"


def _left(report: Report, peer: str) -> Iterator[str]:
    """Rows of an undisturbed run that are on disk."""
    cells = report["faults"].get(UNDISTURBED, {})
    for tool in (peer, SOOTPRINT.name):
        if "rows" in cells.get(tool, {}):
            rows = cells[tool]["rows"]
            yield f"an undisturbed run of {tool} leaves {rows or 'no'} record{'s' if rows > 1 else ''} on disk"


def _cut_off(report: Report, peer: str) -> str:
    """Shares that are kept after a kill, of both."""
    cells = report["faults"].get(KILLED, {})
    kept = {tool: cells.get(tool, {}).get("kept_percent") for tool in (peer, SOOTPRINT.name)}
    if None in kept.values():
        return ""
    shares = " and ".join(f"{tool} {share:.0f} %" for tool, share in kept.items())
    return f"of a run ended by kill -9 are kept: {shares}"
