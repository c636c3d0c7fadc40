"""`sootprint audit`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

WRONG = "energy_kwh: 1000\nintensity_g_per_kwh: 400\nemissions_kg: 0.4\n"


@pytest.fixture
def claim(tmp_path: Path) -> Path:
    """A claim whose emissions are tonnes typed as kilograms."""
    path = tmp_path / "claim.yaml"
    path.write_text(WRONG)
    return path


def test_json_has_findings_and_the_record(call, claim: Path) -> None:
    """Each finding has its rule, severity, field, both numbers and a sentence."""
    result = call("audit", claim, "--json")
    assert result.exit_code == 0
    made = json.loads(result.stdout)
    one = made["findings"][0]
    assert {"rule", "severity", "field", "given", "implied", "message"} <= set(one)
    assert (one["rule"], one["severity"], one["given"], one["implied"]) == (
        "unit-factor-1000",
        "error",
        0.4,
        400.0,
    )
    assert made["footprint"]["emissions_kg"]["value"] == 0.4


def test_strict_exits_with_one_where_there_is_an_error(call, claim: Path) -> None:
    """What was found does not fail the audit, unless asked."""
    assert call("audit", claim).exit_code == 0
    assert call("audit", claim, "--strict").exit_code == 1


def test_text_says_rule_number_cause_and_confidence(call, claim: Path) -> None:
    """A person reads what is wrong, by how much, why, and how sure that is."""
    words = " ".join(call("audit", claim).stdout.split())
    for part in ("unit-factor-1000", "1,000 times too low", "Likely:", "high confidence", "not stated:"):
        assert part in words


def test_claim_by_options(call) -> None:
    """Numbers on the command line are a claim, too."""
    result = call(
        "audit",
        "--hardware",
        "A100",
        "--count",
        8,
        "--hours",
        240,
        "--emissions-kg",
        0.084,
        "--zone",
        "FR",
        "--json",
    )
    assert json.loads(result.stdout)["findings"][0]["rule"] == "unit-factor-1000"


def test_several_claims_are_a_list(call, tmp_path: Path) -> None:
    """A table gives one object a row, with where each stands, and a line that counts them."""
    path = tmp_path / "claims.csv"
    path.write_text("name,energy_kwh,emissions_kg,ci_g_per_kwh\na,1000,400,400\nb,1000,0.4,400\n")
    made = json.loads(call("audit", path, "--json").stdout)
    assert [one["claim"] for one in made] == ["claims.csv, row 1", "claims.csv, row 2"]
    assert "2 claims: 1 with errors, 0 with warnings, 1 without either" in call("audit", path).stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["no claim is given"]),
        (["missing.yaml"], ["missing.yaml", "cannot be read"]),
        (["--zone", "FR"], ["no claim is given"]),
        (["--energy-kwh", "x"], ["'x' is not a number"]),
        (["--energy-kwh", "-5"], ["energy kwh is -5"]),
        (["--energy-kwh", "5", "--architecture", "tree"], ["'tree'", "encdec"]),
        (["x.yaml", "--energy-kwh", "5"], ["files and numbers"]),
    ],
)
def test_wrong_use_is_one_line(call, arguments: list[str], words: list[str]) -> None:
    """Exit code 2 and what to do."""
    result = call("audit", *arguments)
    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1
    for part in words:
        assert part in result.stderr
