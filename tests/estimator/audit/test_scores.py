"""Precision and recall of the audit, over published runs and over claims with slips put in."""

from __future__ import annotations

from pathlib import Path

from bench import bench_audit

GOAL = 0.9


def test_slips_in_constructed_claims_are_found_and_honest_ones_left_alone() -> None:
    """Every form of every honest claim passes, and nine slips in ten are named by the right rule."""
    found, by_slip = bench_audit.constructed()
    assert found.cases > 300
    assert found.precision >= GOAL
    assert found.recall >= GOAL
    assert [slip for slip, (hit, total) in by_slip.items() if hit < 0.5 * total] == []


def test_published_rows_are_flagged_where_their_notes_say_so(shared_dir: Path) -> None:
    """Inconsistent and trap rows are flagged with the right rule, and clean rows are not."""
    strict, cautions = bench_audit.published(shared_dir / "data" / "validation_published.csv")
    assert strict.cases == 63
    assert strict.precision >= GOAL
    assert strict.recall >= GOAL
    assert cautions.recall >= GOAL


def test_table_of_named_runs_is_flagged_only_where_it_is_known_to_be_wrong(shared_dir: Path) -> None:
    """Of 171 rows, the known anomalies are flagged and the others are not."""
    made = bench_audit.named(shared_dir / "data" / "published_footprints.csv")
    assert made.cases == 171
    assert made.precision >= GOAL
    assert made.recall >= GOAL


def test_score_counts_the_right_rule_only() -> None:
    """A faulty claim that is flagged with another rule is flagged, but not found."""
    made = bench_audit.score(
        [("a", {"x"}, {"y"}), ("b", {"x"}, {"x", "y"}), ("c", set(), {"y"}), ("d", set(), set())]
    )
    assert (made.faulty, made.flagged, made.right, made.missed) == (2, 3, 1, ("a",))
    assert made.precision == 2 / 3
    assert made.recall == 0.5
