"""What faults cost: joules lost and doubled under each, into bench/results and the page that explains them.

    python bench/bench_faults.py

Real processes against fake counters whose power has a closed form; the same faults are tests in tests/faults.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tests.faults.page import markdown, plain, row  # noqa: E402 - the folder above is not on the path of a script
from tests.faults.play import may_mount, playing  # noqa: E402
from tests.faults.stage import Outcome  # noqa: E402
from tests.faults.table import FAULTS  # noqa: E402

RESULTS = ROOT / "bench" / "results"
PAGE = ROOT / "docs" / "explanation" / "what-faults-cost.md"
BEGIN, END = "<!-- table: make bench -->", "<!-- end of table -->"


def _figures(outcome: Outcome) -> dict[str, object]:
    """Numbers of one fault."""
    names = ("truth_j", "charged_j", "lost_j", "most_lost_j", "doubled_j", "most_doubled_j", "late_s")
    numbers = {name: round(getattr(outcome, name), 3) for name in names}
    words = {"name": outcome.fault.name, "how": outcome.fault.how, "left": row(outcome)[7]}
    return {**words, **numbers, "ended_as_alone": outcome.ended_as_alone, "plays": outcome.plays}


def _where() -> str:
    """What the figures depend on; no name of the machine."""
    system = f"{platform.system()} {platform.release().partition('-')[0]}"
    return (
        f"{os.cpu_count()} cores, {system}, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}, "
        f"Sootprint {version('sootprint')}. The counters and the GPU are fakes."
    )


def _write(outcomes: Sequence[Outcome]) -> Path:
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    head = f"{date}, {len(outcomes)} faults; {_where()}"
    RESULTS.mkdir(parents=True, exist_ok=True)
    file = RESULTS / f"faults-{date}.json"
    figures = {outcome.fault.key: _figures(outcome) for outcome in outcomes}
    file.write_text(json.dumps({"about": head, "faults": figures}, indent=2) + "\n", encoding="utf-8")
    table = markdown(outcomes)
    file.with_suffix(".md").write_text(f"# What faults cost\n\n{head}\n\n{table}\n", encoding="utf-8")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{head}\n\n{table}\n{END}{after}", encoding="utf-8")
    return file


def main() -> int:
    """Play every fault, print the table, write it; 1 where one is out of its limits."""
    mounts = may_mount()
    faults = [fault for fault in FAULTS if mounts or not fault.wrap]
    with (
        tempfile.TemporaryDirectory(prefix="soot-") as folder,
        playing(faults, Path(folder) / "ground") as played,
    ):
        outcomes = [played[fault.key].result() for fault in faults]
    print(plain(outcomes))
    file = _write(outcomes)
    print(f"written: {file.relative_to(ROOT)}, {file.with_suffix('.md').name} and {PAGE.relative_to(ROOT)}")
    if not mounts:
        print("not root: the faults of a disk and of other users' files were left out")
    failed = [outcome.fault.name for outcome in outcomes if not outcome.passed]
    for name in failed:
        print(f"out of its limits: {name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
