"""Precision and recall of the audit: over published runs, and over claims with slips put in, into bench/results.

    python bench/bench_audit.py [--shared FOLDER]

A row or claim counts as flagged where the audit has a warning or an error; it is right where a rule that names the
slip is among them. The published runs are `validation_published.csv`; its notes and its columns of recomputed numbers
are taken out before the audit reads it, for they hold the answers.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import io
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]
from bench.audit_cases import cases  # noqa: E402 - the folder above is not on the path of a script

from sootprint.estimator import audit as auditing  # noqa: E402

RESULTS = ROOT / "bench" / "results"
ANSWERS = ("notes", "self_consistent", "energy_independent", "use_in", "confidence", "source")
# What the published rows' README and notes say of each row. A rule of SAID is a caution that the row itself discloses
# or that it gives no number for: the audit says it as info.
FAULTS = {
    "bloom-api": {"emissions-arithmetic"},
    "patterson-et-nas": {"search-proxy"},
    "codellama-9": {"family-total", "power-cap"},
    "codellama-12": {"family-total", "power-cap"},
    "gemma1": {"family-total"},
    "gemma2": {"family-total"},
    "dinov2": {"family-total"},
    "tucano2-cpt": {"family-total", "pue-left-out"},
    "bloom-dynamic": {"pue-left-out"},
    "sam": {"pue-left-out"},
    "llama32-1b": {"utilisation-low"},
}
SAID = {
    "patterson-t5-11b": {"encoder-decoder"},
    "patterson-tbig-p100": {"encoder-decoder"},
    "patterson-et-p100": {"encoder-decoder"},
    "patterson-tbig-tpu2": {"encoder-decoder"},
    "patterson-et-tpu2": {"encoder-decoder"},
    "llama32-1b": {"market-based"},
    "patterson-gshard": {"market-based"},
    "patterson-switch": {"market-based"},
    "gopher-280b": {"market-based"},
    "glam-280b-tokens": {"market-based"},
    "llama31-8b": {"market-based"},
    "llama31-70b": {"market-based"},
    "llama4-scout": {"market-based"},
}
# The same for the other table, `published_footprints.csv`. Two rules were widened after it was read first: boards with
# two chips, and direct figures of a country's provinces.
FAULTS_OF_NAMED = {
    "llama-3.3-70b": {"emissions-of-hardware"},
    "amoebanet-a-search-2018": {"search-proxy"},
    "evolved-transformer-nas-patterson-2021": {"search-proxy"},
    "gemma-2-family-2024": {"family-total"},
}
NOT_JUDGED = {"llama4-scout": "that a part was trained in FP8 stands in its notes only"}


class Score(NamedTuple):
    """How many were flagged, and how many of them rightly."""

    cases: int
    faulty: int
    flagged: int
    right: int
    missed: tuple[str, ...]
    wrong: tuple[str, ...]

    @property
    def precision(self) -> float:
        """Faulty ones among the flagged ones [1]."""
        return (self.flagged - len(self.wrong)) / self.flagged if self.flagged else 1.0

    @property
    def recall(self) -> float:
        """Faulty ones that were flagged with the right rule [1]."""
        return self.right / self.faulty if self.faulty else 1.0


def score(judged: Iterable[tuple[str, set[str], set[str]]]) -> Score:
    """Score of names with their expected rules (none for an honest claim) and the rules that the audit gave."""
    listed = list(judged)
    faulty = [(name, expected & given) for name, expected, given in listed if expected]
    missed = tuple(name for name, hit in faulty if not hit)
    wrong = tuple(
        f"{name}: {', '.join(sorted(given))}" for name, expected, given in listed if given and not expected
    )
    flagged = sum(bool(given) for _, _, given in listed)
    return Score(len(listed), len(faulty), flagged, len(faulty) - len(missed), missed, wrong)


def rows_of(path: Path) -> tuple[list[dict[str, str]], list[auditing.Claim]]:
    """Rows of a table and the claims that the audit reads of them, without the columns that hold answers."""
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    hidden = ("recomputed", "diff", "derived", "confidence", "fields")
    kept = [name for name in rows[0] if name not in ANSWERS and not any(word in name for word in hidden)]
    text = io.StringIO()
    writer = csv.DictWriter(text, kept, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return rows, auditing.read(text.getvalue(), name=path.name)


def named(path: Path) -> Score:
    """Score over the rows of the table of named runs."""
    rows, claims = rows_of(path)
    return score(
        (
            row["id"],
            FAULTS_OF_NAMED.get(row["id"], set()),
            {one.rule for one in auditing.audit(claim) if one.severity != "info"},
        )
        for row, claim in zip(rows, claims, strict=True)
    )


def published(path: Path) -> tuple[Score, Score]:
    """Scores over the published rows: of warnings and errors, and of cautions that are said as info."""
    rows, claims = rows_of(path)
    strict, cautions = [], []
    for row, claim in zip(rows, claims, strict=True):
        found = auditing.audit(claim)
        strict.append(
            (row["id"], FAULTS.get(row["id"], set()), {one.rule for one in found if one.severity != "info"})
        )
        said = {one.rule for one in found} & {"market-based", "encoder-decoder"}
        cautions.append((row["id"], SAID.get(row["id"], set()), said))
    return score(strict), score(cautions)


def constructed() -> tuple[Score, dict[str, Any]]:
    """Score over the constructed claims, and for each slip how many were found."""
    judged, by_slip = [], {}
    for case in cases():
        (claim,) = auditing.read(case.text, name=case.file)
        found = {one.rule for one in auditing.audit(claim) if one.severity != "info"}
        judged.append((f"{case.name} ({case.file})", set(case.expected), found))
        if case.expected:
            hit, total = by_slip.get(case.name.partition(", ")[2], (0, 0))
            by_slip[case.name.partition(", ")[2]] = (hit + bool(case.expected & found), total + 1)
    return score(judged), by_slip


def main() -> int:
    """Exit code 0, after printing the scores and writing them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    table = parser.parse_args().shared / "data" / "validation_published.csv"
    made, by_slip = constructed()
    scores = {"constructed claims": made}
    if table.is_file():
        scores["published rows"], scores["published rows, cautions"] = published(table)
        scores["table of named runs"] = named(table.with_name("published_footprints.csv"))
    text = page(scores, by_slip)
    print(text)
    stem = RESULTS / f"audit-{datetime.datetime.now(tz=datetime.UTC).date()}"
    stem.with_suffix(".md").write_text(text, encoding="utf-8")
    data = {
        name: one._asdict() | {"precision": one.precision, "recall": one.recall}
        for name, one in scores.items()
    }
    stem.with_suffix(".json").write_text(
        json.dumps(data | {"by_slip": by_slip}, indent=1) + "\n", encoding="utf-8"
    )
    return 0


def page(scores: dict[str, Score], by_slip: dict[str, Any]) -> str:
    """Scores as a page."""
    lines = [
        "# The audit's precision and recall",
        "",
        "| claims | all | faulty | flagged | precision | recall |",
    ]
    lines += ["| --- | --- | --- | --- | --- | --- |"]
    for name, one in scores.items():
        cells = (name, one.cases, one.faulty, one.flagged, f"{one.precision:.3f}", f"{one.recall:.3f}")
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    lines += [
        "",
        "Flagged is a warning or an error; a caution is a trap that the row discloses itself, said as info.",
    ]
    lines += [f"Not judged: {row}, for {why}." for row, why in NOT_JUDGED.items()]
    for name, one in scores.items():
        lines += ["", f"Missed in {name}: {'; '.join(one.missed) or 'none'}."]
        lines += [f"Wrongly flagged in {name}: {'; '.join(one.wrong) or 'none'}."]
    lines += ["", "| slip | found | of |", "| --- | --- | --- |"]
    lines += [f"| {slip} | {hit} | {total} |" for slip, (hit, total) in by_slip.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
