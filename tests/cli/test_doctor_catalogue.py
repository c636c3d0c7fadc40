"""`sootprint doctor` and `sootprint catalogue`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture
def bare_sysfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A device tree without counters."""
    monkeypatch.setenv("SOOTPRINT_SYSFS", str(tmp_path))
    return tmp_path


def test_doctor_answers_the_contract_in_json(call, bare_sysfs: Path) -> None:
    """Each meter has name, readable, basis, reason and fix; the place and the warnings stand beside."""
    data = json.loads(call("doctor", "--json").stdout)
    assert list(data) == ["meters", "place", "warnings"]
    assert {tuple(meter) for meter in data["meters"]} == {("name", "readable", "basis", "reason", "fix")}
    by_name = {meter["name"]: meter for meter in data["meters"]}
    assert by_name["rapl"]["readable"] is False
    assert by_name["cpu"] == by_name["cpu"] | {"readable": True, "basis": "modelled"}
    assert data["place"]["zone"] is None
    assert any("place" in text for text in data["warnings"])


def test_doctor_knows_the_stated_place(call, bare_sysfs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a zone, no warning on the place is left, and the text says who stated it."""
    monkeypatch.setenv("SOOTPRINT_ZONE", "FR")
    data = json.loads(call("doctor", "--json").stdout)
    assert (data["place"]["zone"], data["place"]["source"]) == ("FR", "environment")
    assert not any("place" in text for text in data["warnings"])
    assert "SOOTPRINT_ZONE" in call("doctor").stdout


def test_doctor_names_a_zone_that_no_table_has(
    call, bare_sysfs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt zone of the settings is unknown, and the nearest are named."""
    monkeypatch.setenv("SOOTPRINT_ZONE", "Frnce")
    data = json.loads(call("doctor", "--json").stdout)
    assert data["place"]["zone"] is None
    assert "FR (France)" in data["place"]["detail"]


def test_doctor_tells_the_grade_first(call, bare_sysfs: Path) -> None:
    """The first line says what evidence a run would have here."""
    assert call("doctor").stdout.startswith("A run here would have grade")


def test_doctor_tells_where_no_record_can_be_kept(call, bare_sysfs: Path, monkeypatch) -> None:
    """A home that cannot be made is named with its way out, and the exit code is 0."""
    monkeypatch.setenv("SOOTPRINT_HOME", "/dev/null/home")
    done = call("doctor", "--json")
    told = [text for text in json.loads(done.stdout)["warnings"] if "no record could be kept" in text]
    assert done.exit_code == 0 and len(told) == 1
    assert told[0].startswith("/dev/null cannot be written") and "SOOTPRINT_HOME" in told[0]


def test_doctor_tells_who_can_read_the_records(call, bare_sysfs: Path, own_home: Path) -> None:
    """Only where others come in through every folder above; the command that shuts them out is told."""
    own_home.chmod(0o755)
    told = json.loads(call("doctor", "--json").stdout)["warnings"]
    is_open = all(folder.stat().st_mode & 0o001 for folder in own_home.parents)
    assert [text.endswith(f"chmod o-rwx {own_home}") for text in told].count(True) == is_open
    own_home.chmod(0o700)
    assert not any("chmod" in text for text in json.loads(call("doctor", "--json").stdout)["warnings"])


def test_doctor_prints_the_shipped_udev_rule(call) -> None:
    """The unlocking command pipes this into the system's rules."""
    assert "powercap" in call("doctor", "--print-udev-rule").stdout


def test_catalogue_lists_devices_by_alias(call) -> None:
    """`V100 16GB` finds the card with its rated power and source."""
    listed = json.loads(call("catalogue", "hardware", "v100", "sxm2", "16gb", "--json").stdout)
    assert listed[0]["rated_power_w"] == 300.0
    assert listed[0]["source"] and listed[0]["licence"]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["hardware", "h100"], ["NVIDIA H100 SXM5 80GB", "700 W"]),
        (["hardware", "tpu", "v5e"], ["not published"]),
        (["zones", "france"], ["FR", "life-cycle", "Source: Ember"]),
        (["regions", "aws", "us-east-1"], ["US-VA", "1.15"]),
        (["factors", "coal"], ["820", "gCO2e/kWh", "IPCC"]),
    ],
)
def test_catalogue_shows_what_fits(call, words: list[str], shown: list[str]) -> None:
    """A person reads the value, its unit and its source."""
    result = call("catalogue", *words)
    assert result.exit_code == 0
    assert [text for text in shown if text not in result.stdout] == []


@pytest.mark.parametrize(
    ("kind", "wrong"), [("hardware", "v1000"), ("zones", "frnce"), ("regions", "aws/us-east-9")]
)
def test_catalogue_names_the_nearest(call, kind: str, wrong: str) -> None:
    """A word that fits nothing is refused with the names it may mean; JSON gets an empty list."""
    result = call("catalogue", kind, wrong)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "nearest" in result.stderr
    assert json.loads(call("catalogue", kind, wrong, "--json").stdout) == []


def test_catalogue_says_how_many_are_left_out(call) -> None:
    """Without a word, the first 40 are shown and the rest is counted."""
    assert "40 of" in call("catalogue", "zones").stdout
    assert "40 of" not in call("catalogue", "zones", "--all").stdout


def test_catalogue_takes_newer_rows(call, tmp_path: Path) -> None:
    """A row of a newer year is laid over the packaged table and counts at once."""
    from sootprint.catalogue.schema import TABLES

    row = dict.fromkeys(TABLES["intensity"].columns, "")
    row |= {"zone": "FR", "year": "2027", "method": "lifecycle", "intensity_g_per_kwh": "21"}
    row |= {"source": "own-measurement", "licence": "facts"}
    newer = tmp_path / "newer.csv"
    newer.write_text(f"{','.join(row)}\n{','.join(row.values())}\n", encoding="utf-8")
    done = json.loads(call("catalogue", "update", "--from", newer, "--json").stdout)
    assert (done["table"], done["added"], done["replaced"]) == ("intensity", 1, 0)
    assert json.loads(call("catalogue", "zones", "FR", "--json").stdout)[0]["year"] == "2027"


def test_catalogue_refuses_a_wrong_row(call, tmp_path: Path) -> None:
    """A file that is no table of ours changes nothing."""
    newer = tmp_path / "newer.csv"
    newer.write_text("zone,grams\nFR,21\n", encoding="utf-8")
    result = call("catalogue", "update", "--from", newer)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
