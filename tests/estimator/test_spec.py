"""Jobs of TOML, YAML and JSON files, and tables of predictions."""

from __future__ import annotations

from pathlib import Path

import pytest

from sootprint import InputError
from sootprint.estimator.spec import is_spec, jobs
from sootprint.estimator.table import PREDICTIONS, estimates
from sootprint.settings import Settings

BARE = Settings(home=Path("none"), runtime_dir=Path("none"))
WANTED = [
    {"zone": "FR", "params": 7e9, "hardware": "A100"},
    {"zone": "FR", "params": 1e9, "hardware": "H100"},
]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "a.toml",
            'zone = "FR"\n[[jobs]]\nparams = 7e9\nhardware = "A100"\n[[jobs]]\nparams = 1e9\nhardware = "H100"\n',
        ),
        (
            "a.yaml",
            "zone: FR\njobs:\n- {params: 7e9, hardware: A100}\n- {params: 1e9, hardware: H100}\n",
        ),
        (
            "a.json",
            '{"zone": "FR", "jobs": [{"params": 7e9, "hardware": "A100"}, {"params": 1e9, "hardware": "H100"}]}',
        ),
    ],
)
def test_three_forms_say_the_same(name: str, text: str) -> None:
    """Arguments at the top are for all jobs; 7e9 is a number in YAML too."""
    assert is_spec(name)
    assert jobs(text, name) == WANTED


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.toml", "= 1", "a.toml cannot be read"),
        ("a.json", "{", "a.json cannot be read"),
        ("a.yaml", "a: [", "a.yaml cannot be read"),
        ("a.yaml", "", "holds no job"),
        ("a.json", "[]", "holds no job"),
        ("a.json", '{"schema": "1.0", "tool": "sootprint"}', "is a record"),
    ],
)
def test_what_holds_no_job_is_refused(name: str, text: str, words: str) -> None:
    """One line names the file."""
    with pytest.raises(InputError, match=words) as caught:
        jobs(text, name)
    assert "\n" not in str(caught.value)


def test_table_of_predictions() -> None:
    """A row of model, data and hardware gives a record."""
    text = "name,params,tokens,hardware,count,intensity,recompute\na,7e9,1e12,A100,512,400,no\nb,1e9,1e11,H100,8,400,\n"
    found = list(
        estimates(text.splitlines(keepends=True), name="x.csv", settings=BARE, defaults={}, kind=PREDICTIONS)
    )
    assert [one.name for one in found] == ["a", "b"]
    assert found[0].given["recompute"] is False


def test_wrong_rows_can_be_named_and_left_out() -> None:
    """With `skip`, the good rows are made and the others told, each with its rule."""
    text = "power_w,hours,intensity\n300,100,500\n300,-1,500\n300,ten,500\n300,50,500\n"
    told: list[str] = []
    found = list(
        estimates(text.splitlines(keepends=True), name="x.csv", settings=BARE, defaults={}, skip=told.append)
    )
    assert [one.energy_kwh.value for one in found] == [30.0, 15.0]
    assert ["row 2" in told[0], "'ten'" in told[1], len(told)] == [True, True, 2]
