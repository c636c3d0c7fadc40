"""Place: the order of what is believed, and that nothing is asked of a network."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sootprint.place import resolve, suggest

STATED = [("US-WA", None, "argument"), ("FR", "lab", "site lab (project file)")]


def cloud(root: Path, **facts: str) -> Path:
    """File tree of a machine on which cloud-init left these facts."""
    path = root / "run/cloud-init/instance-data.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"v1": facts}), encoding="utf-8")
    return root


def in_paris(root: Path) -> Path:
    """File tree of a machine whose clock shows the time of Paris."""
    (root / "etc").mkdir()
    (root / "etc/localtime").symlink_to("/usr/share/zoneinfo/Europe/Paris")
    table = root / "usr/share/zoneinfo/zone.tab"
    table.parent.mkdir(parents=True)
    table.write_text(
        "# comment\nDE\t+5230+01322\tEurope/Berlin\nFR\t+4852+00220\tEurope/Paris\n", encoding="utf-8"
    )
    return root


def test_statement_wins_over_cluster_and_cloud(tmp_path):
    """What a person says counts before what the machine says."""
    root = cloud(tmp_path, cloud_name="aws", region="us-east-1")
    clusters = {"big": ("IS", None, "cluster big")}
    place = resolve(STATED, clusters=clusters, environ={"SLURM_CLUSTER_NAME": "big"}, root=root)
    assert (place.zone, place.source, place.fix) == ("US-WA", "argument", None)


def test_site_names_itself(tmp_path):
    """A zone that came from a site keeps the site, for its PUE."""
    place = resolve(STATED[1:], environ={}, root=tmp_path)
    assert (place.zone, place.site, place.source) == ("FR", "lab", "site")


@pytest.mark.parametrize(
    ("origin", "source"), [("SOOTPRINT_ZONE", "environment"), ("project file", "configuration")]
)
def test_origin_becomes_a_source(tmp_path, origin, source):
    """The record says in one word how the place was found."""
    assert resolve([("FR", None, origin)], environ={}, root=tmp_path).source == source


def test_cluster_wins_over_cloud(tmp_path):
    """A configured Slurm cluster counts before the cloud that carries it."""
    root = cloud(tmp_path, cloud_name="aws", region="us-east-1")
    clusters = {"big": ("IS", "cave", "cluster big")}
    place = resolve(clusters=clusters, environ={"SLURM_CLUSTER_NAME": "big"}, root=root)
    assert (place.zone, place.site, place.source) == ("IS", "cave", "cluster")
    assert resolve(clusters=clusters, environ={"SLURM_CLUSTER_NAME": "other"}, root=root).source == "cloud"


@pytest.mark.parametrize(
    ("facts", "zone"),
    [
        ({"cloud_name": "aws", "region": "eu-west-3"}, "aws/eu-west-3"),
        ({"cloud-name": "gce", "region": "europe-west9"}, "gcp/europe-west9"),
        ({"cloud_name": "azure", "region": "westeurope"}, "azure/westeurope"),
        ({"cloud_name": "azure", "region": "West Europe"}, "azure/westeurope"),
    ],
)
def test_cloud_init_facts_name_the_region(tmp_path, facts, zone):
    """cloud-init leaves provider and region in a file that every user may read."""
    place = resolve(environ={}, root=cloud(tmp_path, **facts))
    assert (place.zone, place.source) == (zone, "cloud")


@pytest.mark.parametrize("facts", [{"cloud_name": "nocloud", "region": "x"}, {"cloud_name": "aws"}, {}])
def test_incomplete_cloud_facts_say_nothing(tmp_path, facts):
    """A local image or a missing region is an unknown place."""
    place = resolve(environ={"TZ": "UTC"}, sysfs=str(tmp_path), root=cloud(tmp_path, **facts))
    assert place.zone is None


def test_firmware_names_a_provider_but_no_zone(tmp_path):
    """A virtual machine of Amazon could be in any of its regions, so the place stays unknown."""
    dmi = tmp_path / "class/dmi/id"
    dmi.mkdir(parents=True)
    (dmi / "sys_vendor").write_text("Amazon EC2\n", encoding="utf-8")
    place = resolve(environ={"TZ": "UTC"}, sysfs=str(tmp_path), root=tmp_path)
    assert (place.zone, place.provider) == (None, "aws")
    assert "aws/us-east-1" in (place.fix or "")


def test_time_zone_suggests_and_never_decides(tmp_path):
    """The clock of Paris suggests FR in the fix; the zone stays unknown."""
    place = resolve(environ={}, sysfs=str(tmp_path), root=in_paris(tmp_path))
    assert (place.zone, place.suggestion, place.suggestion_from) == (None, "FR", "Europe/Paris")
    assert "--zone FR" in (place.fix or "")
    assert "Europe/Paris" in (place.fix or "")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [({"TZ": "Europe/Berlin"}, ("DE", "Europe/Berlin")), ({"TZ": ":Europe/Paris"}, ("FR", "Europe/Paris"))],
)
def test_stated_time_zone_comes_first(tmp_path, environ, expected):
    """TZ wins over /etc/localtime, as in the C library."""
    assert suggest(environ, root=in_paris(tmp_path)) == expected


@pytest.mark.parametrize("time_zone", ["UTC", "Etc/UTC", "CET-1CEST", "Mars/Olympus"])
def test_time_zone_without_country_suggests_nothing(tmp_path, time_zone):
    """UTC is the time of every server of the world."""
    assert suggest({"TZ": time_zone}, root=in_paris(tmp_path)) is None


def test_bare_machine_still_gets_one_line(tmp_path):
    """Without any file the fix is one line that can be copied."""
    place = resolve(environ={}, sysfs=str(tmp_path), root=tmp_path)
    assert (place.zone, place.suggestion) == (None, None)
    assert "\n" not in (place.fix or "\n")


def test_no_socket_is_opened():
    """Finding the place asks no network: the interpreter's audit hook sees no socket event."""
    code = (
        "import sys\n"
        "seen = []\n"
        "sys.addaudithook(lambda event, args: seen.append(event) if event.startswith('socket') else None)\n"
        "from sootprint.place import resolve\n"
        "from sootprint.settings import load\n"
        "settings = load()\n"
        "resolve(settings.stated_places(), clusters=settings.cluster_places())\n"
        "assert not seen, seen\n"
        "assert 'socket' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(Path("src").resolve())})
