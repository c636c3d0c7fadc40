"""Search: plain dictionaries for the command line."""

import json

import pytest

from sootprint.catalogue.search import search
from sootprint.core.errors import CatalogueError
from sootprint.settings.tables import UserHardware


@pytest.mark.parametrize(
    ("kind", "query", "field", "first"),
    [
        ("hardware", "h100 pcie", "name", "NVIDIA H100 PCIe 80GB"),
        ("hardware", "8259cl", "name", "Intel Xeon Platinum 8259CL"),
        ("zones", "france", "zone", "FR"),
        ("zones", "washington", "zone", "US-WA"),
        ("regions", "gcp paris", "region", "gcp/europe-west9"),
        ("factors", "coal lifecycle", "key", None),
        ("factors", "nuclear", "key", "nuclear"),
    ],
)
def test_every_word_of_the_query_must_fit(kind, query, field, first):
    """Two words narrow the list; words that no entry has together give an empty one."""
    found = search(kind, query)
    assert (found[0][field] if found else None) == first


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("FR", "FR"),
        ("fr", "FR"),
        ("de", "DE"),
        ("georgia", "GE"),
        ("us", "US"),
        ("ireland", "IE"),
        ("nor", "NO"),
    ],
)
def test_zones_that_are_called_so_come_first(query, first):
    """`FR` is France before the Central African Republic, and `nor` begins Norway and not Baden."""
    found = [entry["zone"] for entry in search("zones", query)]
    assert found[0] == first and len(set(found)) == len(found)


@pytest.mark.parametrize("kind", ["hardware", "zones", "regions", "factors"])
def test_every_entry_is_json_with_source_and_licence(kind):
    """The whole list is plain data, and no entry is without its origin."""
    found = search(kind)
    assert len(found) > 50
    assert json.loads(json.dumps(found)) == found
    assert all(entry["source"] and entry["licence"] for entry in found)


def test_zone_states_its_method():
    """A province with a direct figure only shows that, with its method beside it."""
    assert search("zones", "CN-BJ")[0]["method"] == "average, direct, location-based"
    assert search("zones", "FR")[0]["method"] == "average, life-cycle, location-based"


def test_devices_of_the_user_come_first():
    """Own devices are part of the list."""
    own = {"Lab card": UserHardware(name="Lab card", rated_power_w=310.0)}
    assert [entry["name"] for entry in search("hardware", "lab card", user=own)] == ["Lab card"]


def test_unknown_kind_names_the_nearest():
    """`zone` means `zones`."""
    with pytest.raises(CatalogueError, match="nearest is zones"):
        search("zone", "FR")
