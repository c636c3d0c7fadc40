"""`sootprint predict`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sootprint import Footprint

WORK = ["predict", "--params", "7e9", "--tokens", "2e12", "--hardware", "A100-80GB", "--count", "1024"]


def test_json_is_one_record(call) -> None:
    """Llama 2 7B in its own setting: published 184,320 hours lie inside the interval."""
    made = Footprint.from_json(call(*WORK, "--zone", "US", "--year", "2022", "--json").stdout)
    assert made.device_hours.low < 184_320 < made.device_hours.high
    assert made.emissions_kg.low < made.emissions_kg.value < made.emissions_kg.high


def test_explain_shows_factors_evidence_and_tornado(call) -> None:
    """The table has each factor with its evidence, the bars their ends, and the weakest factor is named."""
    text = call(*WORK, "--zone", "FR", "--explain").stdout
    for words in ("utilisation", "operations", "peak rate", "Weakest evidence", "Tornado", "┃", "fitted"):
        assert words in text


def test_chart_is_drawn(call, tmp_path: Path) -> None:
    """`--chart` writes what the interval is made of."""
    target = tmp_path / "tornado.svg"
    assert call(*WORK, "--zone", "FR", "--chart", target).exit_code == 0
    drawn = target.read_text(encoding="utf-8")
    assert "utilisation" in drawn
    assert "<desc>Swing of" in drawn


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*WORK, "--precision", "fp12"], ["'fp12'", "fp8"]),
        (["predict", "--params", "7e9", "--tokens", "0", "--hardware", "A100"], ["tokens is 0"]),
        ([*WORK, "--hours", "61"], ["hours is 61", "120%", "peak rate"]),
        ([*WORK, "--mfu", "40"], ["mfu is 40", "0.4"]),
        (["predict", "--params", "7e9", "--tokens", "1e12"], ["hardware is not given"]),
        ([*WORK, "--architecture", "square"], ["'square'"]),
        ([*WORK, "--chart", "x.gif"], [".svg"]),
        (["predict", "--from", "none.csv"], ["none.csv", "cannot be read"]),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(call, arguments: list[Any], words: list[str]) -> None:
    """The line names the value and the rule, and nothing is printed beside it."""
    result = call(*arguments)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert [word for word in words if word not in result.stderr] == []


def test_spec_file_is_one_job(call, tmp_path: Path) -> None:
    """The arguments of a TOML file, with an option where it is silent."""
    plan = tmp_path / "plan.toml"
    plan.write_text(
        'name = "mine"\nparams = 7e9\ntokens = 1e12\nhardware = "H100"\ncount = 512\n', encoding="utf-8"
    )
    made = json.loads(call("predict", "--from", plan, "--zone", "FR", "--json").stdout)
    assert (made["name"], made["place"]["zone"], made["work"]["flops"]) == ("mine", "FR", 4.2e22)


def test_table_of_plans_has_a_sum(call, tmp_path: Path) -> None:
    """Each plan is a line, and the shared factors err together in the sum."""
    plans = tmp_path / "plans.csv"
    plans.write_text(
        "name,params,tokens,hardware,count\na,7e9,1e12,A100,512\nb,1e9,0,A100,8\n", encoding="utf-8"
    )
    assert call("predict", "--from", plans, "--zone", "FR").exit_code == 2
    result = call("predict", "--from", plans, "--zone", "FR", "--skip-wrong-rows")
    assert result.exit_code == 0
    assert "1 jobs" in result.stdout
    assert "plans.csv row 2 (line 3), column tokens" in result.stderr
    assert "1 rows were left out" in result.stderr


def test_published_models_that_reach_the_target_come_first(call) -> None:
    """They are listed before the numbers; a metric that the table lacks is said."""
    text = call(*WORK, "--zone", "FR", "--target", "MMLU=45").stdout
    assert text.index("Reuse first") < text.index("Emissions")
    assert "Llama 2 7B" in text
    assert "no packaged published model" in call(*WORK, "--zone", "FR", "--target", "charm=1").stdout
