"""A seeded attack on the sharing of a node: joules lost and doubled, seed by seed.

    python bench/bench_attack.py [--seeds 1,2,3] [--runs 2,4,8] [--seconds 12] [--faults 5] [--alone|--served]
                           [--users 2] [--away 0.2,1.5]

Real processes against fake counters whose power has a closed form; tests/e2e/test_attack.py plays a small one.
Exit code 1 where more is lost or doubled than docs/explanation/one-reader.md states.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tests.e2e.attack import Attack, Found, played  # noqa: E402 - the folder above is not on the path of a script
from tests.faults.ground import ground  # noqa: E402

WAYS = {"alone": (False,), "served": (True,)}


def _numbers(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]


def _range(text: str) -> tuple[float, float]:
    shortest_s, longest_s = (float(word) for word in text.split(","))
    return shortest_s, longest_s


def _told(attack: Attack, found: Found) -> str:
    return (
        f"{attack.runs} runs, seed {attack.seed:4d}, {'service' if attack.served else 'leader '}: "
        f"drawn {found.truth_j:7.1f} J, charged {found.charged_j:7.1f}, lost {found.lost_j:5.1f}, "
        f"doubled {found.doubled_j:5.1f}, limit {found.most_j:6.1f}, records {found.records} of {found.runs}: "
        f"{'ok' if found.holds else 'NOT OK'}; {', '.join(found.strikes)}"
    )


def main() -> int:
    """Attack."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=_numbers, default=[1, 2, 3])
    parser.add_argument("--runs", type=_numbers, default=[2, 4, 8])
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--faults", type=int, default=5)
    parser.add_argument("--users", type=int, default=1, help="more than one needs root")
    parser.add_argument("--away", type=_range, default=(0.2, 1.5), help="times until a service is back [s]")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--alone", dest="way", action="store_const", const="alone")
    way.add_argument("--served", dest="way", action="store_const", const="served")
    told = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory(prefix="soot-") as folder, ground(Path(folder) / "ground") as shared:
        for count in told.runs:
            for seed in told.seeds:
                for served in WAYS.get(told.way, (False, True)):
                    attack = Attack(
                        seed=seed,
                        runs=count,
                        lasts_s=told.seconds,
                        served=served,
                        faults=told.faults,
                        users=told.users,
                        away_s=told.away,
                    )
                    line = _told(attack, played(attack, shared))
                    bad += "NOT OK" in line
                    print(line, flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
