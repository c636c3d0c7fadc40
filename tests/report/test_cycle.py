"""The section on the life cycle."""

from __future__ import annotations

from sootprint import estimate, report
from sootprint.estimator.lifecycle import life_cycle

LIFE = """
zone = "FR"
[[stage]]
stage = "pretrain"
hardware = "A100"
hours = 100
[[stage]]
stage = "evaluate"
energy_kwh = 5
"""


def test_every_stage_is_a_row_in_every_form() -> None:
    """Stages, their sum and the embodied share stand in text, Markdown and HTML."""
    made = life_cycle(LIFE)
    for form in ("text", "md", "html"):
        page = report.render(made, form)
        for word in ("Life cycle", "pretrain", "evaluate", "Operational", "embodied"):
            assert word in page, (form, word)


def test_record_without_stages_has_no_such_section() -> None:
    """A single run says nothing of stages."""
    assert "Life cycle" not in report.render(estimate(hardware="A100", hours=1, zone="FR"), "text")
