"""The dashboard of the node service against the page that the service makes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from sootprint.core.protocols import FakeClock
from sootprint.tracker.service.metrics import Counters, Owner
from sootprint.tracker.service.page import Page
from tests.fixtures import dashboards


def _page() -> str:
    """Figures of a node with a wall meter, a user's run, a job of Slurm and a pod."""
    counters = Counters()
    owners = {"run": Owner(user="1501"), "job": Owner(user="1502", job="7"), "pod": Owner(pod="web-0")}
    charged = {name: {"cpu": 3.0, "wall": 4.0} for name in owners}
    counters.count({"cpu": 10.0, "wall": 14.0}, charged, owners=owners)
    run = SimpleNamespace(caller=SimpleNamespace(uid=1501))
    hall = SimpleNamespace(runs={"run": run}, jobs={"7": None}, pods={"web-0": None})
    desk = SimpleNamespace(counters=counters, hall=hall, user_of=str)
    return Page(cast(Any, desk), FakeClock()).text()


def test_dashboard_of_the_nodes_names_only_what_the_service_exposes() -> None:
    """Each expression's metrics and labels are on the page, counters are rated, and nothing exposed is left out."""
    dashboards.check(dashboards.read("sootprint-node.json"), _page())


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("sum(rate(sootprint_energy_total[5m]))", "is not exposed"),
        ("sum by (host) (sootprint_runs)", "no label"),
        ('sum(sootprint_runs{pod="x"})', "has no label"),
        ("sum(rate(sootprint_runs[5m]))", "is a gauge"),
        ("sum(sootprint_ticks_total)", "is a counter"),
        ('sum(rate(sootprint_energy_joules_total{exported_user="x"}[5m]))', "has no label"),
    ],
)
def test_a_wrong_expression_would_be_found(expression: str, why: str) -> None:
    """The check refuses a metric or label that is not there, and a counter that is not rated."""
    board = dashboards.read("sootprint-node.json")
    board["panels"][0]["targets"][0]["expr"] = expression
    with pytest.raises(AssertionError, match=why):
        dashboards.check(board, _page())
