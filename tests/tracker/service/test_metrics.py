"""Figures for Prometheus: every joule once, and text that keeps the format's rules."""

from __future__ import annotations

import pytest

from sootprint.core.exposition import Family, exposition
from sootprint.tracker.service.metrics import Counters, Owner, gauge
from tests.fixtures import exposition as format_of

ALICE, JOB = Owner(user="1501"), Owner(user="1502", job="7")


def total_j(text: str, name: str) -> float:
    """Sum of the figures of one name [J]."""
    return sum(sample.value for sample in format_of.read(text) if sample.name == name)


def test_owners_and_unallocated_add_up_to_the_node() -> None:
    """What owners are charged with and what nobody is add up to what the meters gave, tick by tick."""
    counters = Counters()
    counters.count({"cpu": 10.0}, {"a": {"cpu": 6.0}, "b": {"cpu": 3.0}}, owners={"a": ALICE, "b": JOB})
    counters.count({"cpu": 8.0}, {"a": {"cpu": 10.0}, "b": {"cpu": 7.0}}, owners={"a": ALICE, "b": JOB})
    text = exposition(counters.families())
    owned = total_j(text, "sootprint_energy_joules_total")
    rest = total_j(text, "sootprint_unallocated_energy_joules_total")
    assert (owned, rest) == (17.0, 1.0)
    assert total_j(text, "sootprint_node_energy_joules_total") == 18.0


def test_run_whose_parent_leaves_is_not_counted_again() -> None:
    """What a run was charged with inside another one is in that one's figure and stays there."""
    counters = Counters()
    counters.count({"cpu": 10.0}, {"a": {"cpu": 10.0}, "child": {"cpu": 9.0}}, owners={"a": ALICE})
    counters.count({"cpu": 5.0}, {"child": {"cpu": 14.0}}, owners={"child": ALICE})
    assert total_j(exposition(counters.families()), "sootprint_energy_joules_total") == 15.0


def test_restarted_service_begins_its_counters_anew() -> None:
    """What a job was charged with before a restart is not in the new counters."""
    counters = Counters()
    counters.begin({"b": {"cpu": 100.0}})
    counters.count({"cpu": 4.0}, {"b": {"cpu": 104.0}}, owners={"b": JOB})
    assert total_j(exposition(counters.families()), "sootprint_energy_joules_total") == 4.0


def test_ended_jobs_are_told_for_long_but_not_for_ever() -> None:
    """Of jobs that have ended a thousand are told, of users all."""
    counters = Counters()
    for number in range(1_200):
        job = Owner(user="1", job=str(number))
        counters.count({"cpu": 1.0}, {f"j{number}": {"cpu": 1.0}}, owners={f"j{number}": job})
    jobs = [one for one in format_of.read(exposition(counters.families())) if one.labels.get("job")]
    assert len(jobs) == 1_001
    assert jobs[-1].labels["job"] == "1199"


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "a,b{}", "\u00e9", "a=\\n"])
def test_label_with_strange_letters_is_read_back(name: str) -> None:
    """Quotes, backslashes and line breaks in a label are escaped as the format wants it."""
    family = Family("x", "gauge", "Some\nhelp with \\.", [((("user", name),), 1.0)])
    assert format_of.read(exposition([family]))[0].labels == {"user": name}


@pytest.mark.parametrize("value", [0.0, 1e-9, 1.5e22, 123456789.123])
def test_value_is_read_back(value: float) -> None:
    """A figure is written so that the same number comes back."""
    assert format_of.read(exposition([gauge("x", "X.", value)]))[0].value == value
