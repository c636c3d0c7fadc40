"""Plans of when and where a job runs: pure functions on intensities, numpy in and out."""

from sootprint.planner.elastic import Elastic, plan_elastic
from sootprint.planner.moves import Moves, plan_moves, plan_start
from sootprint.planner.overheads import plan_with_overheads
from sootprint.planner.pauses import best_pauses, pause_hours
from sootprint.planner.places import Places, best_places
from sootprint.planner.spread import Fleet, jittered_start, plan_fleet
from sootprint.planner.starts import best_starts

__all__ = [
    "Elastic",
    "Fleet",
    "Moves",
    "Places",
    "best_pauses",
    "best_places",
    "best_starts",
    "jittered_start",
    "pause_hours",
    "plan_elastic",
    "plan_fleet",
    "plan_moves",
    "plan_start",
    "plan_with_overheads",
]
